//! The one door between the media threads and everybody else: commands with a reply, events to subscribe to. Whoever holds
//! an [`Engine`] knows nothing of the threads behind it, nor how many they are.
//!
//! `command` is what may be asked, in a module for each thing that it is about: `peers`, `rooms`, `resources` (WHIP and WHEP),
//! `ports` (senders on this machine, decoders), `files`, `video`, `control`. Each has the methods of [`Engine`], and what a media thread
//! does about them, side by side. `media` is what such a thread works with, `thread` the ways to them, `pipes` what crosses
//! between them, and `event` what they tell.

mod command;
mod control;
mod event;
mod files;
mod media;
mod peers;
mod pipes;
mod ports;
mod resources;
mod rooms;
mod stats;
mod taps;
mod thread;
mod video;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{broadcast, mpsc, watch};

use crate::core::{NegotiationError, Relay};
use crate::domain::{PeerId, RoomId, StreamId, Track};
use crate::limits::{Full, MediaPlaces};

use command::ReplyTo;
use thread::{Thread, Threads};

pub use command::Command;
pub use event::{Levels, MediaEvent, MediaEvents, NewTrack, NewTracks, StreamEvent};
pub use files::{Channel, ChannelStats, ChannelWriter, Said};
pub use media::Media;
pub use ports::LocalSender;
pub use resources::{Condition, OpenedResource, PatchError, Patched, ResourceCounts, ResourceId, ResourceRole};
pub use stats::{MediaStats, SocketStats};
pub use thread::{PeerAddress, ThreadId};

/// Commands that may wait for the media thread; whoever sends one more waits.
const COMMAND_QUEUE: usize = 1_024;

/// Stream events that a slow subscriber may lag behind before it must read the list anew.
const EVENT_QUEUE: usize = 256;

/// Streams whose birth may wait to be noticed; further ones go unrecorded.
const NEW_TRACK_QUEUE: usize = 64;

/// Things that happened in rooms which may wait to be told there.
const ROOM_EVENT_QUEUE: usize = 4_096;

/// The media thread is gone: the daemon is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay is shutting down")]
pub struct EngineGone;

/// Reason for which a connection was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The core could not.
    #[error(transparent)]
    Core(#[from] NegotiationError),
    /// Whoever answers for it has what one may have.
    #[error("The relay takes no more: {0}")]
    Full(#[from] Full),
    /// What permitted it has ended.
    #[error("This is not permitted any more")]
    NotPermitted,
    /// The relay is shutting down.
    #[error(transparent)]
    Gone(#[from] EngineGone),
}

impl ConnectError {
    /// Another thread may do better.
    fn is_of_one_thread(&self) -> bool {
        matches!(self, Self::Core(NegotiationError::NoStream | NegotiationError::TooManyPeers(_)))
    }
}

/// How people call the streams; only of those that somebody feeds.
type Names = Arc<RwLock<HashMap<StreamId, Arc<str>>>>;

/// The way to the media threads. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    threads: Threads,
    events: broadcast::Sender<StreamEvent>,
    levels: broadcast::Sender<Levels>,
    streams: watch::Receiver<Arc<[Track]>>,
    names: Names,
}

/// A media thread's end of the door.
pub struct Commands(mpsc::Receiver<Command>);

/// Both ends of the door.
pub struct Connected {
    /// The way to the media threads.
    pub engine: Engine,
    /// What the media threads work with: first that with the senders and the rooms.
    pub threads: Vec<(Media, Commands)>,
    /// Streams that begin at home, only of a relay that taps all of its streams.
    pub new_tracks: NewTracks,
    /// The same of voice messages.
    pub voice_messages: NewTracks,
    /// What happens in rooms.
    pub rooms: MediaEvents,
}

impl Connected {
    /// Shares these places out.
    pub fn within(mut self, places: &MediaPlaces) -> Self {
        self.threads.iter_mut().for_each(|(media, _)| media.places = places.clone());
        self
    }
}

/// Makes both ends of the door to a core with all senders and rooms, and to further ones, each on a thread of its own.
pub fn connect(first: Relay, further: Vec<Relay>) -> Connected {
    let (new_tracks_sender, new_tracks) = mpsc::channel(NEW_TRACK_QUEUE);
    let (voice_messages_sender, voice_messages) = mpsc::channel(NEW_TRACK_QUEUE);
    let (rooms_sender, rooms) = mpsc::channel(ROOM_EVENT_QUEUE);
    let (streams_sender, streams) = watch::channel(Arc::from([]));
    let outlets = media::Outlets {
        new_tracks: new_tracks_sender,
        voice_messages: voice_messages_sender,
        rooms: rooms_sender,
        events: broadcast::Sender::new(EVENT_QUEUE),
        levels: broadcast::Sender::new(1),
        streams: streams_sender,
        names: Names::default(),
    };
    let (mut doors, mut threads) = (Vec::new(), Vec::new());
    for (number, relay) in std::iter::once(first).chain(further).enumerate() {
        let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
        let id = ThreadId::from(number);
        threads.push((Media::new(id, relay, outlets.clone()), Commands(receiver)));
        doors.push(Thread::new(id, commands));
    }
    for (media, _) in &mut threads {
        media.join_threads(&doors);
    }
    let media::Outlets { events, levels, names, .. } = outlets;
    let engine = Engine { threads: Threads::new(doors), events, levels, streams, names };
    Connected { engine, threads, new_tracks, voice_messages, rooms }
}

impl Commands {
    /// The next command; `None` when every handle is gone.
    pub async fn next(&mut self) -> Option<Command> {
        self.0.recv().await
    }

    /// The next command, if one waits.
    pub fn next_waiting(&mut self) -> Option<Command> {
        self.0.try_recv().ok()
    }
}

impl Engine {
    /// Streams with such a name, live or about to be.
    pub fn called(&self, is_name: impl Fn(&str) -> bool) -> Vec<StreamId> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.iter().filter(|(_, name)| is_name(name)).map(|(stream, _)| *stream).collect()
    }

    /// How people call a live stream, if its sender said so.
    pub fn name(&self, stream: StreamId) -> Option<Arc<str>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).get(&stream).cloned()
    }

    /// Live streams of all rooms, oldest first.
    pub fn live(&self) -> Arc<[Track]> {
        self.streams.borrow().clone()
    }

    /// Live streams of the room of those who name none, oldest first.
    pub fn streams(&self) -> Vec<StreamId> {
        self.streams.borrow().iter().filter(|live| live.room == RoomId::HOME).map(|live| live.id).collect()
    }

    /// Streams that come and go from now on. Subscribe first, then read the list.
    pub fn events(&self) -> broadcast::Receiver<StreamEvent> {
        self.events.subscribe()
    }

    /// Levels a few times a second; only the latest matter.
    pub fn levels(&self) -> broadcast::Receiver<Levels> {
        self.levels.subscribe()
    }

    fn at_first(&self, peer: PeerId) -> PeerAddress {
        PeerAddress { thread: ThreadId::FIRST, peer }
    }

    /// Asks the thread whose turn it is, and the next one where that may do better.
    async fn ask_in_turn<T, C: Into<Command>>(
        &self,
        command: impl Fn(ReplyTo<Result<T, ConnectError>>) -> C,
    ) -> Result<(ThreadId, T), ConnectError> {
        let mut refused = ConnectError::Gone(EngineGone);
        for thread in self.threads.in_turn() {
            match thread.ask(&command).await? {
                Ok(reply) => return Ok((thread.id, reply)),
                Err(error) if error.is_of_one_thread() => refused = error,
                Err(error) => return Err(error),
            }
        }
        Err(refused)
    }

    /// What each thread says.
    async fn ask_all<T, C: Into<Command>>(&self, command: impl Fn(ReplyTo<T>) -> C) -> Result<Vec<T>, EngineGone> {
        let mut answers = Vec::new();
        for thread in self.threads.all() {
            answers.push(thread.ask(&command).await?);
        }
        Ok(answers)
    }
}
