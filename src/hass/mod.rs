//! Home Assistant, where there is one. Everything here is optional: the daemon runs the same without it.
//!
//! `supervisor` is what starts the app, and tells it of itself, of the house's network, and of its `broker`. `core_link` is the connection
//! to Home Assistant's core, at its `endpoint`, with the `messages` that go over it; `house_players` brings its media players together with
//! what is announced on them ([`crate::players`]), by the `services` that players are called by; `directory` knows their kinds
//! and areas, and `kept` how each is to be left. `speech` is made of text by its engines, and `integrations` has it connect to
//! our node. `own` are the ids of what is ours there, `people` knows who its users are, and `service_calls` which of them used an entity of ours.

mod broker;
mod core_link;
mod directory;
mod endpoint;
mod house_players;
mod integrations;
mod kept;
mod messages;
mod own;
mod people;
mod service_calls;
mod services;
mod speech;
mod supervisor;

pub use broker::{Broker, find_broker};
pub use core_link::{CoreError, CoreFeed, CoreLink, CoreLinkTask, CoreNews};
pub use directory::Area;
pub use endpoint::{CoreEndpoint, InvalidAddress};
pub use house_players::{
    ClipProgress, HousePlayers, HousePlayersTask, KnownPlayer, NewClip, PlayerError, PlayersStats,
};
pub use integrations::{AddNodeError, AddedNode, Integrations};
pub use messages::{CoreEvent, EntityChanges, EntityState};
pub use own::{EntityId, OwnIds, ROOT, SPEAKER};
pub use people::{HomeUser, People, PeopleTask, Picture, PictureError};
pub use service_calls::{ServiceCalls, ServiceCallsTask, ServiceTarget};
pub use speech::{MAX_TEXT, SpeechError, SpeechMaker};
pub use supervisor::{Home, SUPERVISOR_ADDRESS, SupervisorError, ask};
