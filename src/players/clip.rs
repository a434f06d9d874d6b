//! What is announced on a player, and what comes of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::player::MAX_WAITING;
use super::state::Content;

/// Identity of a clip on its way to a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ClipId(pub u64);

/// Identity of one call to a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// How loud a clip is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VolumeRule {
    /// As the player is.
    Keep,
    /// So loud, from 0 to 1.
    Absolute(f32),
    /// So much louder than the player is.
    Relative(f32),
}

impl VolumeRule {
    pub(super) fn on(self, volume: f32) -> Option<f32> {
        match self {
            Self::Keep => None,
            Self::Absolute(wanted) => Some(wanted.clamp(0.0, 1.0)),
            Self::Relative(more) => Some((volume + more).clamp(0.0, 1.0)),
        }
    }
}

/// Something that is to be announced on a player.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// Its identity.
    pub id: ClipId,
    /// Where the player gets it.
    pub url: String,
    /// How long it is, where that is known.
    pub length: Option<Duration>,
    /// How loud.
    pub volume: VolumeRule,
    /// It goes before those that wait and are not.
    pub is_urgent: bool,
    /// It goes on until it is stopped: played in place of what the player plays, and never announced, since nobody could
    /// stop that.
    pub is_live: bool,
}

/// What a player is to be told to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// To be on.
    TurnOn,
    /// To be off.
    TurnOff,
    /// To be so loud, from 0 to 1.
    SetVolume(f32),
    /// To be muted, or no longer.
    Mute(bool),
    /// To play this address in place of what it plays.
    Play(Content),
    /// To announce it in its own way, so loud if it can be told that.
    Announce {
        /// Where it gets the clip.
        url: String,
        /// From 0 to 1.
        volume: Option<f32>,
    },
    /// To stop.
    Stop,
}

/// Who changed a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// One of our calls.
    Ours,
    /// Somebody else: a person at the knob, an automation.
    Other,
}

/// How a clip ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was heard to its end, as far as the player tells.
    Played,
    /// Somebody stopped it, here or at the player.
    Stopped,
    /// It was not heard, or not to its end.
    Failed(Trouble),
}

/// Why a clip was not heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It is not there.
    #[error("the player cannot be reached")]
    Unavailable,
    /// It has nothing but announcements.
    #[error("it can only announce, and play nothing live")]
    OnlyAnnounces,
    /// It cannot be turned on.
    #[error("the player is off, and cannot be turned on from here")]
    Off,
    /// Nothing came of it.
    #[error("the player did not begin to play")]
    Silent,
    /// It was there when it began.
    #[error("the player was gone before the end")]
    Vanished,
    /// In Home Assistant's own words.
    #[error("{0}")]
    Refused(String),
}

/// No more clips may wait for a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING} announcements wait for this player already")]
pub struct PlayerFull;

/// What comes of something.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The player is to be told this; [`Player::call_ended`](super::Player::call_ended) is to be told how it went.
    Call(CallId, Command),
    /// The player has begun to play it.
    Began(ClipId),
    /// It is over.
    Ended(ClipId, Outcome),
    /// How the player is to be left, to be kept where a crash does not reach it; or nothing any more.
    Remember(Option<SavedState>),
}

/// How a player was before we changed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedState {
    /// It was off.
    pub off: bool,
    /// It played, and what.
    pub playing: Option<Content>,
    /// From 0 to 1.
    pub volume: Option<f32>,
    /// It was muted.
    pub muted: bool,
    /// How loud we made it, the last at the end: what is different was done by hand.
    pub made: Vec<f32>,
}
