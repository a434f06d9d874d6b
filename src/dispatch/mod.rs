//! One announcement to all its destinations: rooms, media players, areas, everybody. Joins what is announced in rooms
//! ([`crate::announce`]) with what is announced on players ([`crate::hass`]), so that there is one progress and one stop.
//!
//! `wish` and `destination` are how they are written, `admission` who may announce there, and `on_player` one announcement on one
//! player; `placement` prepares it and has it placed, `live` has players play what is said just now, `volumes` how loud that is in each room, `found` is what is known of them afterwards, and `events` what is told meanwhile.

mod admission;
mod destination;
mod events;
mod found;
mod live;
mod on_player;
mod placement;
mod volumes;
mod wish;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::access::{Access, Denied, LendError};
use crate::announce::{AnnounceError, Announcer};
use crate::calls::CallsHandle;
use crate::data::DataFolder;
use crate::domain::Priority;
use crate::engine::Engine;
use crate::hass::{HousePlayers, PlayerError, SpeechError, SpeechMaker};
use crate::library::{Catalogue, OpenError, Recording};
use crate::limits::Place;
use crate::players::VolumeRule;
use crate::rooms::RoomsHandle;

pub use admission::Admitted;
pub use destination::{Destination, Destinations, UnknownDestination};
pub use events::AnnouncementEvent;
pub use found::{Found, JointAnnouncement, Part, State, StopError};
pub use on_player::OnPlayer;
pub use volumes::ROOM_VOLUMES;
use volumes::RoomVolumes;
pub use wish::Wish;

/// Places in which one announcement is heard.
pub const MAX_PLACES: usize = 100;

/// Announcements that are over, of which it is still known how they ended; the oldest is forgotten.
const REMEMBERED: usize = 200;

/// What is announced.
#[derive(Debug)]
pub enum Content {
    /// A file of the library, by its id, its name, or its address here.
    File(String),
    /// What was sent along, and the memory that it takes.
    Clip(Recording, Place),
    /// What Home Assistant makes speech of, in this language or the engine's own.
    Text(String, Option<String>),
    /// What Home Assistant has at this address. Not for others to choose: whatever is there is fetched.
    Address(String),
}

/// And how.
#[derive(Debug, Clone)]
pub struct Manner {
    /// How people call it, if not by the file's name.
    pub name: Option<String>,
    /// What is heard before: a file, as it is named.
    pub chime: Option<String>,
    /// In decibels.
    pub volume: f32,
    /// Times.
    pub repeat: u32,
    /// Before what.
    pub priority: Priority,
    /// How loud players are to be meanwhile, in percent; without it, as they are.
    pub player_volume: Option<u8>,
}

impl Manner {
    fn player_volume(&self) -> VolumeRule {
        self.player_volume.map_or(VolumeRule::Keep, |percent| VolumeRule::Absolute(f32::from(percent) / 100.0))
    }
}

/// Something is not announced anywhere.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// Whoever asks may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such room.
    #[error("There is no such room: {0:?}; /api/rooms lists those there are")]
    NoRoom(String),
    /// There is no such area, or nothing plays in it.
    #[error("There is no area {0:?} with a media player or a room; /api/players lists those there are")]
    NoArea(String),
    /// What is wished for cannot be: why.
    #[error("{0}")]
    Invalid(&'static str),
    /// It says nowhere where.
    #[error("Say where: to is a list, such as everybody, room:study, area:kitchen or media_player.kitchen")]
    Nowhere,
    /// It is too many places.
    #[error("An announcement has {MAX_PLACES} places at most")]
    TooManyPlaces,
    /// There is no such file.
    #[error("There is no file {0:?}; /api/files lists those there are")]
    NoFile(String),
    /// The file cannot be opened.
    #[error("{0}: {1}")]
    File(String, OpenError),
    /// There is no memory for it.
    #[error("There is no memory for the recording")]
    NoMemory,
    /// It is not announced in rooms.
    #[error(transparent)]
    Room(#[from] AnnounceError),
    /// It is not announced on players.
    #[error(transparent)]
    Player(#[from] PlayerError),
    /// Text cannot be spoken.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// Nobody there wants to be disturbed.
    #[error("Do not disturb is on there, and lets through what is urgent at most")]
    DoNotDisturb,
    /// It is not important enough.
    #[error("Somebody talks there, and it is of low priority")]
    SomebodyTalks,
    /// Nothing can be lent to a player, which would not be let in.
    #[error(transparent)]
    Lend(#[from] LendError),
    /// Players could not find us.
    #[error("This machine has no address under which a player could find it")]
    NoAddress,
}

/// Whoever brings announcements to their destinations. Cheap to clone.
#[derive(Clone)]
pub struct Dispatcher(Arc<Inner>);

struct Inner {
    announcer: Announcer,
    access: Access,
    rooms: RoomsHandle,
    calls: CallsHandle,
    catalogue: Catalogue,
    house: Option<(HousePlayers, SpeechMaker)>,
    engine: Engine,
    volumes: RoomVolumes,
    /// The port at which players find what they are to play.
    mp3_port: u16,
    /// Whether they have to show a token there.
    needs_token: bool,
    tracker: TaskTracker,
    on_players: Mutex<VecDeque<Arc<OnPlayer>>>,
    joint: Mutex<VecDeque<Arc<JointAnnouncement>>>,
    events: broadcast::Sender<AnnouncementEvent>,
}

/// What a dispatcher brings together.
pub struct DispatcherParts {
    /// Whoever announces in rooms.
    pub announcer: Announcer,
    /// Who may.
    pub access: Access,
    /// The rooms.
    pub rooms: RoomsHandle,
    /// Who knows where nobody wants to be disturbed.
    pub calls: CallsHandle,
    /// Files that can be announced.
    pub catalogue: Catalogue,
    /// Home Assistant's players and its speech, where there is a Home Assistant.
    pub house: Option<(HousePlayers, SpeechMaker)>,
    /// The relay, which knows the machine's addresses.
    pub engine: Engine,
    /// Where the volumes of rooms are kept.
    pub data: DataFolder,
    /// The port at which players find what they are to play.
    pub mp3_port: u16,
    /// Whether they have to show a token there.
    pub needs_token: bool,
    /// Tasks that a shutdown waits for.
    pub tracker: TaskTracker,
}

/// What was announced.
#[derive(Debug, Clone)]
pub enum Dispatched {
    /// In one place, behind so many others.
    Single(Uuid, usize),
    /// In several.
    Joint(Arc<JointAnnouncement>),
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dispatcher")
    }
}

impl Dispatcher {
    /// Announces by these.
    pub fn new(parts: DispatcherParts) -> Self {
        let DispatcherParts {
            announcer,
            access,
            rooms,
            calls,
            catalogue,
            house,
            engine,
            data,
            mp3_port,
            needs_token,
            tracker,
        } = parts;
        let (on_players, joint) = Default::default();
        let (events, _) = broadcast::channel(events::EVENTS);
        Self(Arc::new(Inner {
            announcer,
            access,
            rooms,
            calls,
            catalogue,
            house,
            engine,
            volumes: RoomVolumes::read(data),
            mp3_port,
            needs_token,
            tracker,
            on_players,
            joint,
            events,
        }))
    }

    /// Whether text can be announced.
    pub fn speaks(&self) -> bool {
        self.0.house.as_ref().is_some_and(|(_, speech)| speech.is_there())
    }
}

/// Keeps one more, in place of the first that may be forgotten where there are many.
fn remember<T>(known: &mut VecDeque<Arc<T>>, new: Arc<T>, may_go: impl Fn(&T) -> bool) {
    if known.len() >= REMEMBERED
        && let Some(place) = known.iter().position(|one| may_go(one))
    {
        known.remove(place);
    }
    known.push_back(new);
}

/// Whole at every moment, also after a panic.
fn lock<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
