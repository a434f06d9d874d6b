//! The core of Voice Relay: one speaker's Opus packets, forwarded undecoded to everyone who listens.
//!
//! Sans-IO: what goes in is time, datagrams and commands; what comes out is datagrams, events and
//! the next deadline. No socket, no clock, no thread: the same code runs under the UDP loop in
//! `net` and under the simulated network of `tests/support`.
//!
//! The way of a packet: [`Relay::handle`] takes a datagram → `demux` finds the peer → its `session`
//! (str0m) authenticates and decrypts → `timeline` gives it its place in the stream → `forwarding`
//! seals it once for every subscriber as [`Relay::poll`] is called, so that the first can leave
//! before the last is sealed: mostly past str0m, which is asked only when something may have changed.
//!
//! `member` is who takes part in a room: one connection, on which everybody else is heard in `slots`; `room` is what
//! those in one have in common, and `quality` what their losses mean for what the others send. `negotiation` makes peers
//! out of offers and answers, `listener` out of receivers' offers, and an `offer` is kept to be renewed; `lifecycle` ends
//! them: by wish, by goodbye, by silence, or by the periodic clean-up. `local` takes the packets of senders that need no
//! connection, and `files` is a connection that carries no audio: what is in files goes over a data channel. `branch` lets
//! further relays, on other threads, serve receivers of the same streams.

mod branch;
mod demux;
mod files;
mod forwarding;
mod lifecycle;
mod listener;
mod local;
mod member;
mod negotiation;
mod offer;
mod peer;
mod quality;
mod room;
mod sdp;
mod session;
mod slots;
mod stats;
mod stun;
mod timeline;
mod timers;

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use str0m::config::DtlsCert;

use crate::domain::{LiveStream, OpusPacket, PeerId, RoomId, StreamId};

pub use branch::Branched;
pub use files::{ChannelError, ChannelEvent, Channelled, FILES_CONNECT_TIMEOUT};
pub use lifecycle::{CLEANUP_INTERVAL, CONNECT_TIMEOUT, CloseReason, PUBLISHER_TIMEOUT, STALE_AFTER};
pub use listener::{ListenError, Listening, RestartError};
pub use local::{LocalPacket, TooManyStreams};
pub use member::{Joined, MemberStats, Membership, Wanted};
pub use negotiation::{AnswerError, PublishError, Published, SubscribeError, Subscribed};
pub use offer::{Credentials, Offer, fragment_of, ufrag_of};
pub use quality::BITRATES;
pub use stats::{DropReason, Histogram, RelayStats};

use demux::Demux;
use forwarding::{Fanout, Stream};
use local::Local;
use peer::Peer;
use room::Room;
use session::Drained;
use timers::Timers;

/// Buffers kept for the next datagrams: a few batches of the socket.
const MAX_SPARES: usize = 64;

/// What the relay is told once, at its start.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Addresses at which peers reach the relay: they become ICE host candidates.
    pub addresses: Vec<SocketAddr>,
    /// Peer connections at once; further offers are refused.
    pub max_peers: usize,
    /// Senders at once, live or connecting; further ones are refused.
    pub max_streams: usize,
    /// A sender of whom nothing was heard for so long has vanished.
    pub publisher_timeout: Duration,
    /// Time between two clean-ups.
    pub cleanup_interval: Duration,
    /// What nobody has fed for so long is removed by the clean-up.
    pub stale_after: Duration,
    /// Streams are tapped from their first packet on.
    pub tap_all: bool,
    /// The best bitrate of a room that has none of its own, in bits a second.
    pub room_bitrate: u32,
    /// Which of the relays that work as one this is: the first, 0, has the senders, the others are its branches.
    pub thread: usize,
    /// How many they are. No two give the same name to a peer: the remainder tells whose it is.
    pub threads: usize,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            max_peers: 1_000,
            max_streams: 100,
            publisher_timeout: PUBLISHER_TIMEOUT,
            cleanup_interval: CLEANUP_INTERVAL,
            stale_after: STALE_AFTER,
            tap_all: false,
            room_bitrate: BITRATES[0],
            thread: 0,
            threads: 1,
        }
    }
}

/// What happens to the relay from outside.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A UDP datagram arrived.
    Datagram {
        /// Who sent it.
        source: SocketAddr,
        /// The local address that it was sent to.
        destination: SocketAddr,
        /// All of it.
        payload: &'a [u8],
    },
    /// The deadline was reached, or time simply went on.
    Timeout,
}

/// What the relay wants done.
#[derive(Debug)]
pub enum Output {
    /// A UDP datagram is to be sent.
    Transmit(Transmit),
    /// Something happened that others may want to know.
    Event(Event),
}

/// A datagram to send.
#[derive(Debug)]
pub struct Transmit {
    /// The local address to send from, so that the peer sees the address it checked.
    pub source: SocketAddr,
    /// Whom to send it to.
    pub destination: SocketAddr,
    /// All of it.
    pub payload: Vec<u8>,
    /// It carries a publisher's packet on, as the answer to the datagram just handed in.
    pub forwarded: bool,
}

/// What others may want to know.
#[derive(Debug)]
pub enum Event {
    /// The first packet of this stream was decrypted: whoever subscribes now hears something.
    StreamAvailable(LiveStream),
    /// The stream is over; told exactly once for each that was available.
    StreamEnded(LiveStream),
    /// How loud each stream was since the last such event, in dBov (-127 silent, 0 loudest).
    Levels(Vec<(StreamId, i8)>),
    /// Somebody is, or is no longer, heard to talk (or to play) on this stream.
    Talks(LiveStream, bool),
    /// Whose streams the participant with this voice hears, by the m-lines of its slots: all that are taken.
    Slots(StreamId, Vec<(String, StreamId)>),
    /// Bits a second that all can bear who hear the participant with this voice.
    Bitrate(StreamId, u32),
    /// A packet for the [branches](RelayConfig::thread).
    Branched(Branched),
    /// A packet of a stream that is tapped.
    Tapped(StreamId, OpusPacket),
    /// Something happened on the data channel of a peer that is sent files.
    Channel(PeerId, ChannelEvent),
    /// A peer connection is gone.
    PeerClosed(PeerId, CloseReason),
}

/// The relay core. After each call that takes `&mut self`, call [`poll`](Self::poll) until it gives
/// `None`, then ask for the [`deadline`](Self::deadline).
pub struct Relay {
    config: RelayConfig,
    /// Made once: making one takes 50 ms, and every peer may share it.
    certificate: DtlsCert,
    /// Time as last told.
    now: Instant,
    next_peer: u64,
    peers: FxHashMap<PeerId, Peer>,
    demux: Demux,
    timers: Timers,
    /// Who feeds a stream, from the offer on; the stream itself exists from its first packet on.
    publishers: HashMap<StreamId, PeerId>,
    /// Participants of rooms, by their voices and by their music.
    members: HashMap<StreamId, PeerId>,
    rooms: FxHashMap<RoomId, Room>,
    /// Senders on this machine, which are no peers.
    locals: HashMap<StreamId, Local>,
    /// Streams of senders that take part in no room, whose packets go no further.
    silenced: HashSet<StreamId>,
    streams: FxHashMap<StreamId, Stream>,
    /// Numbers streams in the order in which they became live.
    streams_started: u64,
    next_levels: Instant,
    next_cleanup: Instant,
    outbox: VecDeque<Output>,
    fanouts: VecDeque<Fanout>,
    /// Reused by every session's drain.
    scratch: Drained,
    /// Buffers that were sent and may be used again.
    spares: Vec<Vec<u8>>,
    /// The list of a fan-out that is done, for the next one.
    spare_audience: Vec<PeerId>,
    stats: RelayStats,
}

impl Relay {
    /// A relay without peers.
    ///
    /// # Panics
    /// When the crypto library cannot make a certificate: there is no relay without one.
    pub fn new(config: RelayConfig, now: Instant) -> Self {
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto.dtls_provider.generate_certificate().expect("the crypto library makes certificates");
        Self {
            next_cleanup: now + config.cleanup_interval,
            next_levels: now,
            next_peer: config.thread as u64,
            config,
            certificate,
            now,
            peers: FxHashMap::default(),
            demux: Demux::default(),
            timers: Timers::default(),
            publishers: HashMap::new(),
            members: HashMap::new(),
            rooms: FxHashMap::default(),
            locals: HashMap::new(),
            silenced: HashSet::new(),
            streams: FxHashMap::default(),
            streams_started: 0,
            outbox: VecDeque::new(),
            fanouts: VecDeque::new(),
            scratch: Drained::default(),
            spares: Vec::new(),
            spare_audience: Vec::new(),
            stats: RelayStats::default(),
        }
    }

    /// Takes what happened at `now`, which never goes back.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = now;
        match input {
            Input::Datagram { source, destination, payload } => self.receive(source, destination, payload),
            Input::Timeout => {
                self.wake_peers();
                self.wake_locals();
                self.tick_levels();
                self.tick_cleanup();
            }
        }
    }

    /// The next thing to do, or `None` when there is nothing until the deadline.
    pub fn poll(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.outbox.pop_front() {
                if matches!(output, Output::Transmit(_)) {
                    self.stats.datagrams_out += 1;
                }
                return Some(output);
            }
            if !self.forward_next() {
                return None;
            }
        }
    }

    /// Takes the payload of a datagram that was sent, for another one: so that nothing is allocated for each.
    pub fn recycle(&mut self, payload: Vec<u8>) {
        if self.spares.len() < MAX_SPARES {
            self.spares.push(payload);
        }
    }

    /// When to call [`handle`](Self::handle) with [`Input::Timeout`] at the latest.
    pub fn deadline(&self) -> Instant {
        let levels = self.tells_levels().then_some(self.next_levels);
        [self.timers.next(), self.locals_deadline(), levels].into_iter().flatten().fold(self.next_cleanup, Instant::min)
    }

    /// Live streams, oldest first.
    pub fn live(&self) -> Vec<LiveStream> {
        let mut streams: Vec<_> = self.streams.values().collect();
        streams.sort_unstable_by_key(|stream| stream.order());
        streams.into_iter().map(Stream::heard).collect()
    }

    /// Live streams of the room of those who name none, oldest first.
    pub fn streams(&self) -> Vec<StreamId> {
        self.live().into_iter().filter(|live| live.room == RoomId::HOME).map(|live| live.id).collect()
    }

    /// How many WebRTC receivers each live stream has.
    pub fn receivers(&self) -> HashMap<StreamId, usize> {
        self.streams.iter().map(|(id, stream)| (*id, stream.receivers())).collect()
    }

    /// Addresses at which peers reach the relay.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.config.addresses
    }

    /// Where a live stream is heard.
    pub fn room_of(&self, stream: StreamId) -> Option<RoomId> {
        self.streams.get(&stream).map(|stream| stream.heard().room)
    }

    /// Whether somebody feeds this stream, or is about to.
    pub fn has_publisher(&self, stream: StreamId) -> bool {
        self.locals.contains_key(&stream) || self.peer_of(stream).is_some()
    }

    /// The connection that feeds this stream, or is about to: of a sender, or of a participant of a room.
    pub fn peer_of(&self, stream: StreamId) -> Option<PeerId> {
        self.publishers.get(&stream).or_else(|| self.members.get(&stream)).copied()
    }

    /// Counters and gauges of this moment.
    pub fn stats(&self) -> RelayStats {
        RelayStats {
            peers: self.peers.len(),
            streams: self.streams.len(),
            receivers: self.streams.values().map(Stream::receivers).sum(),
            ..self.stats.clone()
        }
    }

    /// The machine's addresses changed: peers of before learn the new ones, and later peers get these.
    pub fn set_addresses(&mut self, addresses: Vec<SocketAddr>) {
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            self.drive(id, |session, now, out| {
                session.add_addresses(&addresses);
                session.advance(now, out);
            });
        }
        self.config.addresses = addresses;
    }

    /// Whether packets of this stream come out as [`Event::Tapped`]. False when there is no such live stream.
    pub fn set_tapped(&mut self, stream: StreamId, tapped: bool) -> bool {
        self.streams.get_mut(&stream).map(|stream| stream.set_tapped(tapped)).is_some()
    }
}
