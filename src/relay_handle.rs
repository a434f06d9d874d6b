//! The one door between the media thread and everybody else: commands with a reply, events to
//! subscribe to. Whoever holds a [`RelayHandle`] knows nothing of the thread behind it, nor how many they are.

mod files;
mod local;
mod media;
mod resources;
mod rooms;
mod stats;
mod threads;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc, watch};

use crate::access::{Action, Permit};
use crate::audio::{Births, PacketSource};
use crate::core::{Accepted, AnswerError, NegotiationError, Relay, RemotePacket, Role, Subscribed};
use crate::domain::{GrantId, LiveStream, OpusPacket, PeerId, RoomId, StreamId};
use crate::limits::{Full, MediaPlaces};

pub use threads::first_peer_of;
use threads::{Branches, Thread, Threads};

pub use files::{Channel, ChannelStats, ChannelWriter, Said};
pub use local::LocalSender;
pub use media::Media;
pub use resources::{Opened, PatchError, Patched, Purpose, ResourceCounts, ResourceId};
pub use stats::{MediaStats, SocketStats};

/// Commands that may wait for the media thread; whoever sends one more waits.
const COMMAND_QUEUE: usize = 1_024;

/// Stream events that a slow subscriber may lag behind before it must read the list anew.
const EVENT_QUEUE: usize = 256;

/// Streams whose birth may wait to be noticed; further ones go unrecorded.
const BIRTH_QUEUE: usize = 64;

/// How long a stream that is connecting is waited for.
const ARRIVAL: Duration = Duration::from_secs(2);

/// Things that happened in rooms which may wait to be told there.
const ROOM_EVENT_QUEUE: usize = 4_096;

/// What is done with what a media thread works with.
type Act = Box<dyn FnOnce(&mut Media, Instant) + Send>;

/// Something to do on a media thread.
pub enum Command {
    /// This.
    Run(Act),
    /// To carry on this packet of a sender on the first thread, which came from the network then.
    Carry(RemotePacket, Instant),
}

impl Command {
    fn run(run: impl FnOnce(&mut Media, Instant) + Send + 'static) -> Self {
        Self::Run(Box::new(run))
    }
}

/// All streams' levels of one moment, in dBov.
pub type Levels = Arc<[(StreamId, i8)]>;

/// A stream came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEvent {
    /// It can be heard from now on.
    Available(LiveStream),
    /// It is over.
    Ended(LiveStream),
}

/// Something that those in a room are to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// A stream came or went; what its sender was granted, where that is known.
    Stream(StreamEvent, Option<GrantId>),
    /// Somebody is, or is no longer, heard to talk (or to play).
    Talks(LiveStream, bool),
    /// The participant with this voice hears these streams, by the m-lines of its slots: all that are taken.
    Slots(StreamId, Vec<(String, StreamId)>),
    /// Bits a second that all can bear who hear the participant with this voice.
    Bitrate(StreamId, u32),
    /// A connection with an address of its own is over, which was there by this grant.
    Closed(GrantId),
}

/// What happens in rooms, for the one who tells those who are in them.
pub type RoomEvents = mpsc::Receiver<RoomEvent>;

/// The media thread is gone: the daemon is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay is shutting down")]
pub struct RelayGone;

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
    Gone(#[from] RelayGone),
}

/// How people call the streams; only of those that somebody feeds.
type Names = Arc<RwLock<HashMap<StreamId, Arc<str>>>>;

/// The way to the relay. Cheap to clone.
#[derive(Clone)]
pub struct RelayHandle {
    threads: Threads,
    events: broadcast::Sender<StreamEvent>,
    levels: broadcast::Sender<Levels>,
    streams: watch::Receiver<Arc<[LiveStream]>>,
    names: Names,
}

/// The media thread's end of the door.
pub struct Commands(mpsc::Receiver<Command>);

/// Both ends of the door.
pub struct Connected {
    /// The way to the relays.
    pub handle: RelayHandle,
    /// What the media threads work with: first that with the senders, then its branches.
    pub threads: Vec<(Media, Commands)>,
    /// Streams that begin, only of a relay that taps all of its streams.
    pub births: Births,
    /// What happens in rooms.
    pub rooms: RoomEvents,
}

impl Connected {
    /// Shares these places out.
    pub fn within(mut self, places: &MediaPlaces) -> Self {
        self.threads.iter_mut().for_each(|(media, _)| media.places = places.clone());
        self
    }
}

/// Makes both ends of the door to a relay and its [branches](crate::core::RelayConfig::thread).
pub fn connect(relay: Relay, branches: Vec<Relay>) -> Connected {
    let events = broadcast::Sender::new(EVENT_QUEUE);
    let levels = broadcast::Sender::new(1);
    let (streams_sender, streams) = watch::channel(Arc::from([]));
    let names = Names::default();
    let (births_sender, births) = mpsc::channel(BIRTH_QUEUE);
    let (rooms_sender, rooms) = mpsc::channel(ROOM_EVENT_QUEUE);
    let media = |relay, is_first| Media {
        relay,
        is_first,
        socket: SocketStats::default(),
        taps: HashMap::new(),
        tap_overflows: 0,
        admitted: HashMap::new(),
        places: MediaPlaces::default(),
        sending: HashMap::new(),
        senders: HashMap::new(),
        births: births_sender.clone(),
        rooms: rooms_sender.clone(),
        room_events_lost: 0,
        channels: files::Channels::default(),
        resources: resources::Resources::default(),
        branches: Branches::default(),
        events: events.clone(),
        levels: levels.clone(),
        streams: streams_sender.clone(),
        names: Arc::clone(&names),
    };
    let (mut doors, mut threads) = (Vec::new(), Vec::new());
    for relay in std::iter::once(relay).chain(branches) {
        let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
        threads.push((media(relay, doors.is_empty()), Commands(receiver)));
        doors.push(Thread(commands));
    }
    if doors.len() > 1 {
        threads[0].0.relay.attach_pipe();
    }
    threads[0].0.branches = Branches::new(doors[1..].to_vec());
    let handle = RelayHandle { threads: Threads::new(doors), events, levels, streams, names };
    Connected { handle, threads, births, rooms }
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

impl RelayHandle {
    /// Answers a sender's offer; see [`Relay::accept`]. `name` is for people, and may be empty.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn publish(
        &self,
        permit: Permit,
        feeds: LiveStream,
        name: String,
        offer: String,
    ) -> Result<Accepted, ConnectError> {
        self.call(move |media, now| {
            if !permit.permits_in(Action::Talk, feeds.room) {
                return Err(ConnectError::NotPermitted);
            }
            let is_renewed = media.relay.has_publisher(feeds.id);
            let place = media.place_of_peer(&permit, is_renewed)?;
            if !is_renewed {
                // Looked at now, so that it is told; taken with its first packet.
                media.places.streams.take(&permit.owner())?;
            }
            let accepted = media.relay.accept(now, Role::Publish(feeds), &offer, permit.visitor().is_local())?;
            media.name(feeds.id, &name);
            media.keep_sender(accepted.peer, feeds.id, permit, place);
            Ok(accepted)
        })
        .await?
    }

    /// Makes an offer to a receiver; see [`Relay::subscribe`].
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn subscribe(&self, permit: Permit, stream: Option<StreamId>) -> Result<Subscribed, ConnectError> {
        let subscribe = move |_, media: &mut Media, now| {
            if !media.may_hear(&permit, stream) {
                return Err(NegotiationError::NoStream.into());
            }
            let place = media.place_of_peer(&permit, false)?;
            let subscribed = media.relay.subscribe(now, stream, permit.visitor().is_local())?;
            media.keep(subscribed.peer, permit.clone(), place);
            Ok(subscribed)
        };
        self.in_turn(subscribe, |_| true).await?
    }

    /// Closes every peer connection whose permit has ended.
    pub async fn end_unpermitted(&self) {
        for thread in self.threads.all() {
            thread.tell(Media::end_unpermitted).await;
        }
    }

    /// The live stream of this identity. Whoever was told of it by its sender may ask before its first packet is here:
    /// one that is connecting is waited for, for up to two seconds.
    pub async fn arrival(&self, stream: StreamId) -> Option<LiveStream> {
        let mut streams = self.streams.clone();
        let find = |live: &Arc<[LiveStream]>| live.iter().find(|live| live.id == stream).copied();
        if let Some(live) = find(&streams.borrow_and_update()) {
            return Some(live);
        }
        if !self.call(move |media, _| media.relay.has_publisher(stream)).await.unwrap_or(false) {
            return None;
        }
        let arriving = streams.wait_for(|live| find(live).is_some());
        let arrived = tokio::time::timeout(ARRIVAL, arriving).await;
        arrived.ok()?.ok().and_then(|live| find(&live))
    }

    /// Streams with such a name, live or about to be.
    pub fn called(&self, is_name: impl Fn(&str) -> bool) -> Vec<StreamId> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.iter().filter(|(_, name)| is_name(name)).map(|(stream, _)| *stream).collect()
    }

    /// Takes a receiver's answer; see [`Relay::answer`].
    ///
    /// # Errors
    /// The outer one when the relay is shutting down.
    pub async fn answer(&self, peer: PeerId, answer: String) -> Result<Result<(), AnswerError>, RelayGone> {
        self.threads.of(peer).call(move |media, now| media.relay.answer(now, peer, &answer)).await
    }

    /// Tells of a remote address; see [`Relay::add_candidate`].
    pub async fn add_candidate(&self, peer: PeerId, candidate: String) {
        self.threads.of(peer).tell(move |media, now| media.relay.add_candidate(now, peer, &candidate)).await;
    }

    /// The peer's client answered a ping; see [`Relay::keep_alive`].
    pub async fn keep_alive(&self, peer: PeerId) {
        self.threads.of(peer).tell(move |media, now| media.relay.keep_alive(now, peer)).await;
    }

    /// Closes a peer connection.
    pub async fn close(&self, peer: PeerId) {
        self.threads.of(peer).tell(move |media, now| media.relay.close(now, peer)).await;
    }

    /// Closes every peer connection, and waits until that is done.
    pub async fn close_all(&self) {
        for thread in self.threads.all() {
            // When a media thread is gone already, so are its peers.
            let _ = thread.call(|media, now| media.relay.close_all(now)).await;
        }
    }

    /// Lets a media thread panic, as a fault would: for tests.
    #[doc(hidden)]
    pub async fn crash(&self) {
        self.tell(|_, _| panic!("a media thread is to panic")).await;
    }

    /// The machine's addresses changed, and with them those of this media thread, each of which has a port of its own;
    /// see [`Relay::set_addresses`].
    pub async fn set_addresses(&self, thread: usize, addresses: Vec<SocketAddr>) {
        if let Some(thread) = self.threads.all().get(thread) {
            thread.tell(move |media, _| media.relay.set_addresses(addresses)).await;
        }
    }

    /// Everything the media threads count.
    ///
    /// # Errors
    /// When the relay is shutting down.
    pub async fn stats(&self) -> Result<MediaStats, RelayGone> {
        let mut all = self.of_all(Media::stats).await?.into_iter();
        let first = all.next().expect("there is one thread");
        Ok(all.fold(first, |sum, branch| sum.add_branch(&branch)))
    }

    /// Commands that wait for the media threads.
    pub fn commands_waiting(&self) -> usize {
        self.threads.all().iter().map(Thread::waiting).sum()
    }

    /// A sender on this machine, of a stream with this identity and name for people; it is heard where its permit says.
    pub fn local_sender(&self, permit: Permit, stream: StreamId, name: String) -> LocalSender {
        LocalSender { relay: self.clone(), permit, stream, name, sent: AtomicU64::new(0), fate: Arc::default() }
    }

    /// Live streams of all rooms, oldest first.
    pub fn live(&self) -> Arc<[LiveStream]> {
        self.streams.borrow().clone()
    }

    /// Live streams of the room of those who name none, oldest first.
    pub fn streams(&self) -> Vec<StreamId> {
        self.streams.borrow().iter().filter(|live| live.room == RoomId::HOME).map(|live| live.id).collect()
    }

    /// How many WebRTC receivers each live stream has.
    ///
    /// # Errors
    /// When the relay is shutting down.
    pub async fn receivers(&self) -> Result<HashMap<StreamId, usize>, RelayGone> {
        let all = self.of_all(|media| media.relay.receivers()).await?;
        Ok(all.into_iter().reduce(threads::sum).unwrap_or_default())
    }

    /// Addresses at which peers reach the relay.
    ///
    /// # Errors
    /// When the relay is shutting down.
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>, RelayGone> {
        Ok(self.of_all(|media| media.relay.addresses().to_vec()).await?.concat())
    }

    /// How people call a live stream, if its sender said so.
    pub fn name(&self, stream: StreamId) -> Option<Arc<str>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).get(&stream).cloned()
    }

    /// Streams that come and go from now on. Subscribe first, then read the list.
    pub fn events(&self) -> broadcast::Receiver<StreamEvent> {
        self.events.subscribe()
    }

    /// Levels a few times a second; only the latest matter.
    pub fn levels(&self) -> broadcast::Receiver<Levels> {
        self.levels.subscribe()
    }

    /// On the thread with the senders and the rooms.
    async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Media, Instant) -> T + Send + 'static,
    ) -> Result<T, RelayGone> {
        self.threads.first().call(run).await
    }

    async fn tell(&self, run: impl FnOnce(&mut Media, Instant) + Send + 'static) {
        self.threads.first().tell(run).await;
    }

    /// On the thread whose turn it is, of which it is told the number; on the next one, where another may do better.
    async fn in_turn<T: Send + 'static, E: Send + 'static>(
        &self,
        run: impl Fn(usize, &mut Media, Instant) -> Result<T, E> + Clone + Send + 'static,
        may_do_elsewhere: fn(&E) -> bool,
    ) -> Result<Result<T, E>, RelayGone> {
        let mut result = None;
        for (number, thread) in self.threads.in_turn() {
            let run = run.clone();
            let done = result.insert(thread.call(move |media, now| run(number, media, now)).await?);
            if !done.as_ref().is_err_and(may_do_elsewhere) {
                break;
            }
        }
        Ok(result.expect("there is one thread"))
    }

    /// What each thread says.
    async fn of_all<T: Send + 'static>(&self, ask: fn(&Media) -> T) -> Result<Vec<T>, RelayGone> {
        let mut answers = Vec::new();
        for thread in self.threads.all() {
            answers.push(thread.call(move |media, _| ask(media)).await?);
        }
        Ok(answers)
    }
}

impl PacketSource for RelayHandle {
    async fn tap(&self, stream: StreamId) -> Option<mpsc::Receiver<OpusPacket>> {
        self.call(move |media, _| media.tap(stream)).await.ok().flatten()
    }

    fn live(&self) -> watch::Receiver<Arc<[LiveStream]>> {
        self.streams.clone()
    }
}
