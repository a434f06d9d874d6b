//! The media players of the house, and what is announced on them: a state machine for each, without sockets, clock or
//! Home Assistant. It is told what a player does ([`Player::state_changed`]) and how calls ended, and says what is to be
//! called next ([`Player::poll`]).
//!
//! `kind` is what is known of how players announce, `state` what they tell of themselves, `clip` what is announced and
//! what comes of it, and `player` announces on one and leaves it as it was. Whoever talks to the players brings both together: `hass` does.

mod clip;
mod kind;
mod player;
mod state;

pub use clip::{CallId, Cause, Clip, ClipId, Command, Effect, Outcome, PlayerFull, SavedState, Trouble, VolumeRule};
pub use kind::{AnnouncementEnd, PlayerKind};
pub use player::{MAX_WAITING, Player};
pub use state::{Content, Features, Mode, PlayerState};
