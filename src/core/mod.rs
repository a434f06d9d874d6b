//! The core of Voice Relay: one speaker's Opus packets, forwarded undecoded to everyone who listens.
//!
//! Sans-IO: what goes in is time, datagrams and commands; what comes out is datagrams, events and
//! the next deadline. No socket, no clock, no thread: the same code runs under the UDP loop in
//! `net` and under the simulated network of `tests/support`.
//!
//! Three layers, none of which knows the next one's business:
//!
//! * `peers`: connections. Whose is a datagram, what was agreed, is anybody still there. str0m is there, and only there.
//! * `router`: tracks, consumers, rooms as audiences. Who hears which packet, with which number, and in which slot.
//! * `ports`: ways in and out that are no connections: senders on this machine, decoders, other cores.
//!
//! The way of a packet: [`Relay::handle`] takes a datagram → `peers` finds whose it is, and decrypts it → `router` gives it
//! its place in its track, and notes who is to have a copy → [`Relay::poll`] has the copies made one by one, so that the
//! first can leave before the last is sealed. [`Relay`] itself only carries things from one layer to the next.

mod context;
mod opening;
mod packet;
mod peers;
mod ports;
mod router;
mod stats;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::domain::{LiveStream, OpusPacket, PeerId, RoomId, StreamId};

pub use opening::{Accepted, AnswerError, NegotiationError, Role, Subscribed};
pub use peers::offer::{Credentials, Offer, fragment_of, ufrag_of};
pub use peers::{CONNECT_TIMEOUT, ChannelEvent, CloseReason, FILES_CONNECT_TIMEOUT};
pub use ports::{Delivery, Interest, LocalPacket, Port, PortId, RemotePacket};
pub use router::{BITRATES, MemberStats, Membership, TooManyStreams, Wanted};
pub use stats::{DropReason, Histogram, RelayStats};

use context::Context;
use peers::{PeerEvent, Peers};
use ports::{Pipe, Tap};
use router::Router;

/// Default for [`RelayConfig::publisher_timeout`].
pub const PUBLISHER_TIMEOUT: Duration = Duration::from_secs(4);

/// Default for [`RelayConfig::cleanup_interval`].
pub const CLEANUP_INTERVAL: Duration = Duration::from_secs(300);

/// Default for [`RelayConfig::stale_after`].
pub const STALE_AFTER: Duration = Duration::from_secs(600);

/// Copies of a packet that are sealed before they are handed out: the first receivers do not wait for the last.
const SEALED_AT_ONCE: usize = 8;

/// What the core is told once, at its start.
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
    /// The first name that is given to a peer; the next ones count on. Cores that work as one have ranges of their own.
    pub first_peer: u64,
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
            first_peer: 0,
        }
    }
}

/// Input from outside.
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

/// What the core wants done.
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

/// Something that others may want to know.
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
    /// A packet for the core that this [pipe](Relay::attach_pipe) leads to.
    Piped(PortId, RemotePacket),
    /// Whether somebody here hears this stream, which comes from another core.
    Wanted(StreamId, bool),
    /// A packet of a stream that is [tapped](Relay::set_tapped).
    Tapped(StreamId, OpusPacket),
    /// Something happened on the data channel of a peer that is sent files.
    Channel(PeerId, ChannelEvent),
    /// A peer connection is gone.
    PeerClosed(PeerId, CloseReason),
}

/// The core. After each call that takes `&mut self`, call [`poll`](Self::poll) until it gives `None`, then ask for the
/// [`deadline`](Self::deadline).
pub struct Relay {
    cx: Context,
    peers: Peers,
    router: Router,
    cleanup_interval: Duration,
    stale_after: Duration,
    next_cleanup: Instant,
    /// Takes what is to be decoded.
    tap: PortId,
}

impl Relay {
    /// A core without peers.
    ///
    /// # Panics
    /// When the crypto library cannot make a certificate: there is no relay without one.
    pub fn new(config: RelayConfig, now: Instant) -> Self {
        let mut router = Router::new(&config, now);
        let tapped = if config.tap_all { Interest::All } else { Interest::None };
        let tap = router.attach_port(tapped, Box::new(Tap));
        Self {
            cx: Context::new(now),
            peers: Peers::new(&config),
            router,
            cleanup_interval: config.cleanup_interval,
            stale_after: config.stale_after,
            next_cleanup: now + config.cleanup_interval,
            tap,
        }
    }

    /// Takes what happened at `now`, which never goes back.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.cx.now = now;
        match input {
            Input::Datagram { source, destination, payload } => {
                self.peers.receive(&mut self.cx, source, destination, payload);
            }
            Input::Timeout => {
                self.peers.wake(&mut self.cx);
                self.settle();
                self.router.wake(&mut self.cx);
                self.tick_cleanup();
            }
        }
        self.settle();
    }

    /// The next thing to do, or `None` when there is nothing until the deadline.
    pub fn poll(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.cx.outbox.pop_front() {
                self.cx.stats.datagrams_out += u64::from(matches!(output, Output::Transmit(_)));
                return Some(output);
            }
            if !self.forward_next() {
                return None;
            }
        }
    }

    /// Takes the payload of a datagram that was sent, for another one: so that nothing is allocated for each.
    pub fn recycle(&mut self, payload: Vec<u8>) {
        self.peers.recycle(payload);
    }

    /// When to call [`handle`](Self::handle) with [`Input::Timeout`] at the latest.
    pub fn deadline(&self) -> Instant {
        let layers = [self.peers.deadline(), self.router.deadline()];
        layers.into_iter().flatten().fold(self.next_cleanup, Instant::min)
    }

    /// Carries what happened in one layer to the other, until both are quiet.
    fn settle(&mut self) {
        let Self { cx, peers, router, .. } = self;
        loop {
            while let Some(event) = peers.next_event() {
                match event {
                    PeerEvent::Packet(peer, packet) => router.ingest_from_peer(cx, peer, packet),
                    PeerEvent::Connected(peer) => router.set_connected(peer),
                    PeerEvent::Reception(peer, report) => router.note_report(cx, peer, report),
                    PeerEvent::Channel(peer, event) => cx.tell(Event::Channel(peer, event)),
                    PeerEvent::Closed(peer) => router.detach(cx, peer),
                }
            }
            let Some(orphan) = router.next_orphan() else { return };
            peers.close(cx, orphan, CloseReason::StreamEnded);
        }
    }

    /// Has a packet sealed for the next few who hear it. False when there is none left to seal.
    fn forward_next(&mut self) -> bool {
        let Self { cx, peers, router, .. } = self;
        let Some(mut fanout) = router.next_fanout() else { return false };
        for _ in 0..SEALED_AT_ONCE {
            let Some(consumer) = fanout.next_consumer() else { break };
            if let Some((peer, egress)) = router.copy_for(cx, consumer, &fanout) {
                peers.send(cx, peer, &egress);
            }
        }
        router.put_back(fanout);
        // A session may have failed over it.
        self.settle();
        true
    }

    /// Removes what nobody feeds: streams long silent, and senders that never spoke.
    fn tick_cleanup(&mut self) {
        if self.cx.now < self.next_cleanup {
            return;
        }
        self.next_cleanup = self.cx.now + self.cleanup_interval;
        let is_stale = |(peer, created): &(PeerId, Instant)| {
            let last_fed = self.router.last_packet_of(*peer).unwrap_or(*created);
            self.cx.now.saturating_duration_since(last_fed) >= self.stale_after
        };
        let stale: Vec<_> = self.peers.publishers().filter(is_stale).collect();
        self.cx.stats.stale_removed += stale.len() as u64;
        for (peer, _) in stale {
            self.peers.close(&mut self.cx, peer, CloseReason::Stale);
        }
    }
}

/// Peers.
impl Relay {
    /// Closes a peer connection, telling the remote. Unknown ones are closed already.
    pub fn close(&mut self, now: Instant, peer: PeerId) {
        self.cx.now = now;
        self.peers.close(&mut self.cx, peer, CloseReason::Requested);
        self.settle();
    }

    /// Closes every peer connection.
    pub fn close_all(&mut self, now: Instant) {
        for peer in self.peers.ids() {
            self.close(now, peer);
        }
    }

    /// The peer's client answered a ping: a paused sender has not vanished.
    pub fn keep_alive(&mut self, now: Instant, peer: PeerId) {
        self.peers.keep_alive(now, peer);
    }

    /// The peer's client has no signalling connection: nobody will call [`keep_alive`](Self::keep_alive) for it.
    pub fn set_unattended(&mut self, peer: PeerId) {
        self.peers.set_unattended(peer);
    }

    /// Writes a message to a peer's data channel, whole or not at all. False: there is no room now (then
    /// [`ChannelEvent::Writable`] will follow), or the channel is gone.
    pub fn write(&mut self, now: Instant, peer: PeerId, binary: bool, message: &[u8]) -> bool {
        self.cx.now = now;
        let written = self.peers.write(&mut self.cx, peer, binary, message);
        self.settle();
        written
    }

    /// The machine's addresses changed: peers of before learn the new ones, and later peers get these.
    pub fn set_addresses(&mut self, addresses: Vec<SocketAddr>) {
        self.peers.set_addresses(&mut self.cx, addresses);
        self.settle();
    }

    /// Addresses at which peers reach the relay.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.peers.addresses()
    }

    /// Counters and gauges of this moment.
    pub fn stats(&self) -> RelayStats {
        RelayStats {
            peers: self.peers.len(),
            streams: self.router.len(),
            receivers: self.router.receivers().map(|(_, receivers)| receivers).sum(),
            ..self.cx.stats.clone()
        }
    }
}

/// Streams.
impl Relay {
    /// Live streams, oldest first.
    pub fn live(&self) -> Vec<LiveStream> {
        self.router.live()
    }

    /// Live streams of the room of those who name none, oldest first.
    pub fn streams(&self) -> Vec<StreamId> {
        self.live().into_iter().filter(|live| live.room == RoomId::HOME).map(|live| live.id).collect()
    }

    /// How many WebRTC receivers each live stream has.
    pub fn receivers(&self) -> HashMap<StreamId, usize> {
        self.router.receivers().collect()
    }

    /// Where a live stream is heard.
    pub fn room_of(&self, stream: StreamId) -> Option<RoomId> {
        self.router.find(stream).map(|stream| stream.room)
    }

    /// Whether somebody feeds this stream, or is about to.
    pub fn has_publisher(&self, stream: StreamId) -> bool {
        self.router.has_source(stream)
    }

    /// The connection that feeds this stream, or is about to: of a sender, or of a participant of a room.
    pub fn peer_of(&self, stream: StreamId) -> Option<PeerId> {
        self.router.peer_of(stream)
    }

    /// A participant says that they have said all: nobody waits for the end of their silence.
    pub fn end_said(&mut self, now: Instant, stream: StreamId) {
        self.cx.now = now;
        self.router.end_track(&mut self.cx, stream);
        self.settle();
    }

    /// Whether packets of a sender go no further. What a participant is saying ends with it; the stream of another one
    /// goes on, without a sound.
    pub fn set_silenced(&mut self, now: Instant, stream: StreamId, silenced: bool) {
        self.cx.now = now;
        self.router.set_muted(&mut self.cx, stream, silenced);
        self.settle();
    }
}

/// Rooms, and those who take part in them.
impl Relay {
    /// Ends a participant's connection. Unknown ones have ended already.
    pub fn leave(&mut self, now: Instant, voice: StreamId) {
        if let Some(peer) = self.router.participant(voice) {
            self.close(now, peer);
        }
    }

    /// Whom a participant hears from now on.
    pub fn set_wanted(&mut self, now: Instant, voice: StreamId, wanted: Wanted) {
        self.cx.now = now;
        self.router.set_wanted(&mut self.cx, voice, wanted);
    }

    /// Whose voice goes before others in a room.
    pub fn pin(&mut self, room: RoomId, pinned: Option<StreamId>) {
        self.router.pin(room, pinned);
    }

    /// The best bitrate for this room, in bits a second.
    pub fn set_cap(&mut self, now: Instant, room: RoomId, cap: u32) {
        self.cx.now = now;
        self.router.set_cap(&mut self.cx, room, cap);
    }

    /// A room is no more; whoever is left in it is closed.
    pub fn remove_room(&mut self, now: Instant, room: RoomId) {
        for peer in self.router.remove_room(room) {
            self.close(now, peer);
        }
    }

    /// What is measured of all participants.
    pub fn member_stats(&self) -> Vec<MemberStats> {
        self.router.participant_stats()
    }
}

/// Ports.
impl Relay {
    /// Takes a packet of a sender on this machine; the first one begins its stream. A sender of whom nothing comes
    /// for [`publisher_timeout`](RelayConfig::publisher_timeout) has ended it, and may begin it again. So does one that goes
    /// to another room: its words are not heard where it was any more.
    ///
    /// # Errors
    /// When there is no room for another stream; nothing has changed then.
    pub fn feed(
        &mut self,
        now: Instant,
        feeds: impl Into<LiveStream>,
        packet: LocalPacket,
    ) -> Result<(), TooManyStreams> {
        self.cx.now = now;
        let fed = self.router.ingest_local(&mut self.cx, feeds.into(), packet);
        self.settle();
        fed
    }

    /// Ends the stream of a sender on this machine, if it has one.
    pub fn end_local(&mut self, now: Instant, stream: StreamId) {
        self.cx.now = now;
        self.router.end_source(&mut self.cx, stream);
        self.settle();
    }

    /// Another core has this stream: it can be heard here, too, and packets of it come as soon as it is [`Event::Wanted`].
    pub fn begin_remote(&mut self, now: Instant, stream: LiveStream) {
        self.cx.now = now;
        self.router.begin_remote(&mut self.cx, stream);
    }

    /// Takes a packet that another core has [piped](Event::Piped) here; the first one makes its stream available.
    pub fn ingest_remote(&mut self, now: Instant, remote: RemotePacket) {
        self.cx.now = now;
        self.router.ingest_remote(&mut self.cx, remote);
        self.settle();
    }

    /// The other core's stream is over.
    pub fn end_remote(&mut self, now: Instant, stream: StreamId) {
        self.end_local(now, stream);
    }

    /// A port takes packets of these streams from now on.
    pub fn attach(&mut self, interest: Interest, port: Box<dyn Port>) -> PortId {
        self.router.attach_port(interest, port)
    }

    /// Whether a port takes packets of this stream, whatever it took before. False when there is no such live stream.
    pub fn set_interest(&mut self, port: PortId, stream: StreamId, interested: bool) -> bool {
        self.router.set_port_interest(port, stream, interested)
    }

    /// A port takes nothing any more.
    pub fn detach(&mut self, port: PortId) {
        self.router.detach_port(port);
    }

    /// Packets of these streams come out as [`Event::Piped`] from now on, for another core.
    pub fn attach_pipe(&mut self, interest: Interest) -> PortId {
        let port = self.router.next_port();
        self.attach(interest, Box::new(Pipe(port)))
    }

    /// Whether packets of this stream come out as [`Event::Tapped`]. False when there is no such live stream.
    pub fn set_tapped(&mut self, stream: StreamId, tapped: bool) -> bool {
        self.set_interest(self.tap, stream, tapped)
    }
}
