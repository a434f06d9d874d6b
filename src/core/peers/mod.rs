//! Peer connections, from the offer to their end: who a datagram is of, when who has to be woken, what is agreed with
//! whom. What is sent on them, and to whom it matters, is others' business: they are told by [`PeerEvent`]s.
//!
//! `negotiation` makes peers of offers and answers; `demux` finds whose a datagram is, and the peer's `session` (str0m)
//! authenticates and decrypts it; `lifecycle` ends them: by wish, by goodbye, by silence.

mod demux;
mod lifecycle;
mod negotiation;
pub(super) mod offer;
mod peer;
mod sdp;
pub(super) mod session;
mod timers;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::domain::PeerId;

pub use lifecycle::CloseReason;
pub use peer::{CONNECT_TIMEOUT, FILES_CONNECT_TIMEOUT};
pub use session::ChannelEvent;

pub(super) use negotiation::{Negotiated, check_offer};
pub(super) use session::{Purpose, look_into};

use super::context::Context;
use super::packet::{EgressPacket, IngressPacket, Mid, PathReport, ReceptionReport, Rid, VideoCopy, VideoPacket};
use super::stats::DropReason;
use super::{RelayConfig, Transmit};
use demux::Demux;
use peer::Peer;
use session::stun::{Incomplete, is_stun};
use session::{DtlsIdentity, ReceiveOutcome, Sealed, Session, SessionOutput};
use timers::Timers;

/// Buffers kept for the next datagrams: a few batches of the socket.
const MAX_SPARES: usize = 64;

/// Something that happened to a peer, for whoever is concerned with what it sends and hears.
#[derive(Debug)]
pub(super) enum PeerEvent {
    /// ICE and DTLS are complete.
    Connected(PeerId),
    /// A packet of it was decrypted.
    Packet(PeerId, IngressPacket),
    /// It reports how well it hears.
    Reception(PeerId, ReceptionReport),
    /// A packet of video of it was decrypted.
    Video(PeerId, Box<VideoPacket>),
    /// It cannot go on without a keyframe on this m-line.
    KeyframeRequest(PeerId, Mid),
    /// This is known of the way to it.
    Path(PeerId, PathReport),
    /// Something happened on its data channel.
    Channel(PeerId, ChannelEvent),
    /// It is gone.
    Closed(PeerId),
}

/// All peer connections.
pub(super) struct Peers {
    identity: DtlsIdentity,
    /// Addresses at which peers reach us: they become ICE host candidates.
    addresses: Vec<SocketAddr>,
    max_peers: usize,
    publisher_timeout: Duration,
    next: u64,
    table: FxHashMap<PeerId, Peer>,
    demux: Demux,
    timers: Timers,
    events: VecDeque<PeerEvent>,
    /// Reused whenever a session is driven; there but for that time.
    scratch: Option<Box<SessionOutput>>,
    /// Buffers that were sent and may be used again.
    spares: Vec<Vec<u8>>,
}

impl Peers {
    /// No peers yet.
    pub(super) fn new(config: &RelayConfig) -> Self {
        Self {
            identity: DtlsIdentity::generate(config.video_estimate),
            addresses: config.addresses.clone(),
            max_peers: config.max_peers,
            publisher_timeout: config.publisher_timeout,
            next: config.first_peer,
            table: FxHashMap::default(),
            demux: Demux::default(),
            timers: Timers::default(),
            events: VecDeque::new(),
            scratch: None,
            spares: Vec::new(),
        }
    }

    /// The next thing that happened.
    pub(super) fn next_event(&mut self) -> Option<PeerEvent> {
        self.events.pop_front()
    }

    /// Whether something happened that nobody was told yet.
    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// How many there are, connected or connecting.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// All of them.
    pub(super) fn ids(&self) -> Vec<PeerId> {
        self.table.keys().copied().collect()
    }

    /// Addresses at which peers reach us.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// When the next one has to be woken.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Keeps the payload of a datagram that was sent for another one.
    pub(super) fn recycle(&mut self, payload: Vec<u8>) {
        if self.spares.len() < MAX_SPARES {
            self.spares.push(payload);
        }
    }

    /// The machine's addresses changed: peers of before learn the new ones, and later peers get these.
    pub(super) fn set_addresses(&mut self, cx: &mut Context, addresses: Vec<SocketAddr>) {
        for id in self.ids() {
            self.drive(cx, id, |session, now, out| {
                session.add_addresses(&addresses);
                session.advance(now, out);
            });
        }
        self.addresses = addresses;
    }

    /// The peer's client answered a ping: a paused sender has not vanished.
    pub(super) fn keep_alive(&mut self, now: Instant, peer: PeerId) {
        if let Some(peer) = self.table.get_mut(&peer) {
            peer.liveness.signalling = now;
        }
    }

    /// The peer's client has no signalling connection.
    pub(super) fn set_unattended(&mut self, peer: PeerId) {
        if let Some(peer) = self.table.get_mut(&peer) {
            peer.is_unattended = true;
        }
    }

    /// The name of an m-line as the peer wrote it.
    pub(super) fn original(&self, peer: PeerId, mid: Mid) -> Option<String> {
        self.table.get(&peer).map(|peer| peer.session.original(mid))
    }

    /// Those who feed a track, and since when each is there.
    pub(super) fn publishers(&self) -> impl Iterator<Item = (PeerId, Instant)> + '_ {
        self.table.iter().filter(|(_, peer)| peer.is_publisher()).map(|(id, peer)| (*id, peer.created))
    }

    /// Finds whose datagram it is and lets that session have it.
    pub(super) fn receive(&mut self, cx: &mut Context, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        cx.stats.datagrams_in += 1;
        let Some(id) = self.demux.find(source, payload) else {
            return self.receive_incomplete(cx, source, destination, payload);
        };
        self.receive_for(cx, id, source, destination, payload);
    }

    /// A datagram that is nobody's as it is: a check that only lacks its priority is made whole.
    fn receive_incomplete(&mut self, cx: &mut Context, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let whole = Incomplete::parse(payload).and_then(|check| {
            let id = self.demux.find_ufrag(check.ufrag)?;
            Some((id, self.table.get_mut(&id)?.session.completed(&check)?))
        });
        match whole {
            Some((id, payload)) => self.receive_for(cx, id, source, destination, &payload),
            None => cx.count_drop(DropReason::UnknownPeer),
        }
    }

    fn receive_for(
        &mut self,
        cx: &mut Context,
        id: PeerId,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
    ) {
        let mut received = ReceiveOutcome::Unauthenticated;
        self.drive(cx, id, |session, now, out| received = session.receive(now, source, destination, payload, out));
        match received {
            ReceiveOutcome::Malformed => cx.count_drop(DropReason::Malformed),
            ReceiveOutcome::Unauthenticated => cx.count_drop(DropReason::Unauthenticated),
            ReceiveOutcome::Taken if is_stun(payload) => self.note_check(cx, id, source),
            ReceiveOutcome::Taken => {}
        }
    }

    /// An authenticated ICE check came from this address.
    fn note_check(&mut self, cx: &mut Context, id: PeerId, source: SocketAddr) {
        if self.is_in_use(cx.now, source, id) {
            return cx.count_drop(DropReason::AddressInUse);
        }
        if let Some(peer) = self.table.get_mut(&id) {
            peer.liveness.datagram = cx.now;
            let roamed = self.demux.learn(id, &mut peer.routes, source);
            cx.stats.address_changes += u64::from(roamed && peer.connected);
        }
    }

    /// Whether an address is that of another peer, which is there: whoever writes its address into their own check must
    /// not get what it sends. One that has gone leaves its address to others.
    fn is_in_use(&self, now: Instant, address: SocketAddr, by: PeerId) -> bool {
        let owner = self.demux.owner(address).filter(|owner| *owner != by);
        owner.and_then(|owner| self.table.get(&owner)).is_some_and(|owner| owner.keeps_addresses(now))
    }

    /// Seals a copy for a peer, and puts it on its way.
    pub(super) fn send(&mut self, cx: &mut Context, id: PeerId, egress: &EgressPacket<'_>) {
        // It may have left since the packet came.
        let Some(peer) = self.table.get_mut(&id) else { return };
        let spares = &mut self.spares;
        match peer.session.seal(cx.now, egress, || spares.pop().unwrap_or_default()) {
            Sealed::Fast(transmit, duplicate) => {
                cx.stats.packets_fast += 1;
                cx.stats.packets_duplicated += u64::from(duplicate.is_some());
                cx.outbox.extend(duplicate.map(super::Output::Transmit));
                cx.transmit(transmit);
            }
            Sealed::Slow => self.send_slowly(cx, id, egress),
            Sealed::Duplicate => return cx.count_drop(DropReason::Late),
        }
        cx.stats.packets_forwarded += 1;
        cx.stats.audio_bytes_out += egress.packet.payload.len() as u64;
    }

    fn send_slowly(&mut self, cx: &mut Context, id: PeerId, egress: &EgressPacket<'_>) {
        let mark_forwarded = |transmit: &mut Transmit| transmit.forwarded = true;
        self.drive(cx, id, |session, now, out| {
            session.send(now, egress, out);
            out.transmits.iter_mut().for_each(mark_forwarded);
        });
    }

    /// Gives a peer's session a packet of video; gives how long the oldest one waits there, of this slot.
    pub(super) fn send_video(&mut self, cx: &mut Context, id: PeerId, copy: &VideoCopy<'_>) -> Duration {
        cx.stats.video_packets_forwarded += 1;
        cx.stats.video_bytes_out += copy.packet.payload.len() as u64;
        self.drive(cx, id, |session, now, out| session.send_video(now, copy, out));
        self.queue_age(id, &[copy.mid])
    }

    /// Asks a peer for a keyframe of what it sends on this m-line.
    pub(super) fn request_keyframe(&mut self, cx: &mut Context, id: PeerId, mid: Mid, rid: Option<Rid>) {
        self.drive(cx, id, |session, now, out| session.request_keyframe(mid, rid, now, out));
    }

    /// What a peer is to be sent of video, in bits a second: so much is tried to be reached by padding, and so much is wanted.
    pub(super) fn set_bitrate(&mut self, cx: &mut Context, id: PeerId, minimum: u64, desired: u64) {
        self.drive(cx, id, |session, now, out| session.set_bitrate(minimum, desired, now, out));
    }

    /// Sends to a peer that sees video at the pace of the estimate, or at once.
    pub(super) fn set_paced(&mut self, id: PeerId, is_paced: bool) {
        if let Some(peer) = self.table.get_mut(&id) {
            peer.session.set_paced(is_paced);
        }
    }

    /// Sends nothing of before again to a peer that sees video.
    pub(super) fn forget_sent(&mut self, id: PeerId) {
        if let Some(peer) = self.table.get_mut(&id) {
            peer.session.forget_sent();
        }
    }

    /// Begins to estimate anew what the way to a peer bears, with this many bits a second.
    pub(super) fn reset_estimate(&mut self, cx: &mut Context, id: PeerId, estimate: u64) {
        self.drive(cx, id, |session, now, out| session.reset_estimate(estimate, now, out));
    }

    /// How old the oldest packet of video is that waits to be sent to a peer in these slots.
    pub(super) fn queue_age(&mut self, id: PeerId, slots: &[Mid]) -> Duration {
        self.table.get_mut(&id).map(|peer| peer.session.queue_age(slots)).unwrap_or_default()
    }

    /// Writes a message to a peer's data channel, whole or not at all. False: there is no room now, or no channel.
    pub(super) fn write(&mut self, cx: &mut Context, id: PeerId, binary: bool, message: &[u8]) -> bool {
        let mut written = false;
        self.drive(cx, id, |session, now, out| written = session.write(binary, message, now, out));
        written
    }

    /// Lets a session do something, then deals with all that it says.
    fn drive(&mut self, cx: &mut Context, id: PeerId, act: impl FnOnce(&mut Session, Instant, &mut SessionOutput)) {
        let Some(peer) = self.table.get_mut(&id) else { return };
        // What str0m logs says whose it is.
        let _span = tracing::debug_span!("peer", %id).entered();
        let mut output = self.scratch.take().unwrap_or_default();
        act(&mut peer.session, cx.now, &mut output);
        self.process(cx, id, &mut output);
        self.scratch = Some(output);
    }
}
