//! How peers and streams go on and end: what a session said, what a timer said, what a client wished.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::net::{Protocol, Receive};

use crate::domain::{PeerId, StreamId};

use super::demux::{is_rtp, is_stun};
use super::forwarding::Packet;
use super::peer::Role;
use super::session::{Drained, Over, Session};
use super::stats::DropReason;
use super::stun::Incomplete;
use super::timeline::Numbered;
use super::{Event, Output, Relay, Transmit};

/// A peer that has not completed ICE and DTLS by then is given up.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Default for [`RelayConfig::publisher_timeout`](super::RelayConfig::publisher_timeout).
pub const PUBLISHER_TIMEOUT: Duration = Duration::from_secs(4);

/// Default for [`RelayConfig::cleanup_interval`](super::RelayConfig::cleanup_interval).
pub const CLEANUP_INTERVAL: Duration = Duration::from_secs(300);

/// Default for [`RelayConfig::stale_after`](super::RelayConfig::stale_after).
pub const STALE_AFTER: Duration = Duration::from_secs(600);

/// An address stays its peer's for so long after its last sign of life: checks come every 4 to 6 s (RFC 7675 5.1).
const ADDRESS_KEPT: Duration = Duration::from_secs(6);

/// A session is woken no sooner than this: the resolution of the timer above us.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// Why a peer connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Its client asked for it, or its signalling connection closed.
    Requested,
    /// The remote closed the connection.
    RemoteClosed,
    /// The remote's ICE checks stopped.
    ConsentLost,
    /// A sender of whom nothing was heard any more.
    Vanished,
    /// ICE and DTLS did not complete in time: [`CONNECT_TIMEOUT`], and more for files.
    ConnectTimeout,
    /// The answer could not be used.
    Refused,
    /// Another connection took its stream over.
    Replaced,
    /// The stream that it heard has ended.
    StreamEnded,
    /// The clean-up found it idle.
    Stale,
    /// Its session failed or panicked; logged where it happened.
    Failed,
}

impl Relay {
    /// Closes a peer connection, telling the remote. Unknown ones are closed already.
    pub fn close(&mut self, now: Instant, peer: PeerId) {
        self.now = now;
        self.close_peer(peer, CloseReason::Requested);
    }

    /// Closes every peer connection.
    pub fn close_all(&mut self, now: Instant) {
        self.now = now;
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            self.close_peer(id, CloseReason::Requested);
        }
    }

    /// The peer's client answered a ping: a paused sender has not vanished.
    pub fn keep_alive(&mut self, now: Instant, peer: PeerId) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.heard.signalling = now;
        }
    }

    /// The peer's client has no signalling connection: nobody will call [`keep_alive`](Self::keep_alive) for it.
    pub fn set_unattended(&mut self, peer: PeerId) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.is_unattended = true;
        }
    }

    /// Finds whose datagram it is and lets that session have it.
    pub(super) fn receive(&mut self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        self.stats.datagrams_in += 1;
        let Some(id) = self.demux.find(source, payload) else {
            return self.receive_incomplete(source, destination, payload);
        };
        self.receive_for(id, source, destination, payload);
    }

    /// A datagram that is nobody's as it is: a check that only lacks its priority is made whole.
    fn receive_incomplete(&mut self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let whole = Incomplete::parse(payload).and_then(|check| {
            let id = self.demux.find_ufrag(check.ufrag)?;
            Some((id, self.peers.get_mut(&id)?.session.completed(&check)?))
        });
        match whole {
            Some((id, payload)) => self.receive_for(id, source, destination, &payload),
            None => self.stats.count_drop(DropReason::UnknownPeer),
        }
    }

    fn receive_for(&mut self, id: PeerId, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let Ok(datagram) = Receive::new(Protocol::Udp, source, destination, payload) else {
            return self.stats.count_drop(DropReason::Malformed);
        };
        let mut accepted = false;
        self.drive(id, |session, now, out| {
            let is_rtp = is_rtp(payload);
            accepted = session.receive(now, datagram, payload, is_rtp, out) && (!is_rtp || !out.packets.is_empty());
        });
        if !accepted {
            return self.stats.count_drop(DropReason::Unauthenticated);
        }
        if is_stun(payload) {
            self.note_check(id, source);
        }
    }

    /// Whether an address is that of another peer, which is there: whoever writes its address into their own check must
    /// not get what it sends. One that has gone leaves its address to others.
    fn is_in_use(&self, address: SocketAddr, by: PeerId) -> bool {
        let owner = self.demux.owner(address).filter(|owner| *owner != by).and_then(|owner| self.peers.get(&owner));
        owner.is_some_and(|owner| {
            owner.connected && self.now.saturating_duration_since(owner.heard.datagram) < ADDRESS_KEPT
        })
    }

    /// An authenticated ICE check came from this address.
    fn note_check(&mut self, id: PeerId, source: SocketAddr) {
        if self.is_in_use(source, id) {
            return self.stats.count_drop(DropReason::AddressInUse);
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.heard.datagram = self.now;
            let roamed = self.demux.learn(id, &mut peer.routes, source);
            self.stats.address_changes += u64::from(roamed && peer.connected);
        }
    }

    /// Lets a session do something, then deals with all that it said.
    pub(super) fn drive(&mut self, id: PeerId, act: impl FnOnce(&mut Session, Instant, &mut Drained)) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let mut said = std::mem::take(&mut self.scratch);
        act(&mut peer.session, self.now, &mut said);
        self.settle(id, &mut said);
        self.scratch = said;
    }

    /// Deals with what a session said. Leaves `said` empty.
    fn settle(&mut self, id: PeerId, said: &mut Drained) {
        self.outbox.extend(said.transmits.drain(..).map(transmit));
        if std::mem::take(&mut said.connected) {
            self.note_connected(id);
        }
        for packet in said.packets.drain(..) {
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            peer.heard.datagram = self.now;
            peer.heard.media = self.now;
            peer.session.ask_again(packet.header.ssrc);
            match peer.role {
                Role::Publisher { feeds, .. } => self.ingest(feeds, None, Numbered::of(&packet), Packet::from(packet)),
                Role::Member(_) => self.ingest_of_member(id, packet),
                Role::Subscriber { .. } | Role::Files { .. } => {}
            }
        }
        if !said.reports.is_empty() {
            self.note_reports(id, said.reports.drain(..));
        }
        for nack in said.nacks.drain(..) {
            self.repeat(id, &nack);
        }
        for channel in said.channels.drain(..) {
            self.note_channel(id, channel);
        }
        match said.over.take().filter(|over| !self.goes_on(id, *over)) {
            Some(over) => self.bury(id, over),
            None => self.reschedule(id),
        }
    }

    /// ICE gives up what it has tried to connect by sooner than we give up the client. And it gives up those who send
    /// no checks, as some programs do: whoever talks is heard all the same, since only to be sent something one has to
    /// consent (RFC 7675). From then on its packets alone tell whether it is there.
    fn goes_on(&mut self, id: PeerId, over: Over) -> bool {
        let Some(peer) = self.peers.get_mut(&id).filter(|_| over == Over::ConsentLost) else { return false };
        if peer.is_talking(self.now) {
            peer.is_unattended = false;
            return true;
        }
        !peer.connected && peer.is_sent_files()
    }

    fn note_connected(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.connected = true;
        self.stats.joins += 1;
        self.stats.join_duration.observe(self.now.saturating_duration_since(peer.created));
    }

    /// A session ended by itself.
    fn bury(&mut self, id: PeerId, over: Over) {
        let reason = match over {
            Over::RemoteClosed => CloseReason::RemoteClosed,
            Over::ConsentLost if self.peers.get(&id).is_some_and(|peer| !peer.connected) => CloseReason::ConnectTimeout,
            Over::ConsentLost => CloseReason::ConsentLost,
            Over::Failed => CloseReason::Failed,
            Over::Panicked => {
                self.stats.peer_panics += 1;
                tracing::error!(peer = %id, "a WebRTC session panicked: its peer is dropped, please report this");
                CloseReason::Failed
            }
        };
        self.remove(id, reason);
    }

    fn reschedule(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let mut deadline = peer.session.deadline();
        if !peer.connected {
            deadline = deadline.min(peer.connect_deadline());
        } else if let Some(at) = peer.vanishes_at(self.config.publisher_timeout) {
            deadline = deadline.min(at);
        }
        // A session that wants to be woken at once, again and again, must not hold up the others.
        let deadline = deadline.max(self.now + MIN_WAIT);
        self.timers.schedule(id, deadline, &mut peer.scheduled);
    }

    /// Wakes every peer whose time has come.
    pub(super) fn wake_peers(&mut self) {
        while let Some((at, id)) = self.timers.pop_due(self.now) {
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            if peer.scheduled != Some(at) {
                continue;
            }
            peer.scheduled = None;
            match self.overdue(id) {
                Some(reason) => self.close_peer(id, reason),
                None => self.drive(id, Session::advance),
            }
        }
    }

    /// Whether the peer's time is up, and why.
    fn overdue(&self, id: PeerId) -> Option<CloseReason> {
        let peer = self.peers.get(&id)?;
        if !peer.connected {
            return (self.now >= peer.connect_deadline()).then_some(CloseReason::ConnectTimeout);
        }
        let vanished = peer.vanishes_at(self.config.publisher_timeout).is_some_and(|at| self.now >= at);
        vanished.then_some(CloseReason::Vanished)
    }

    /// Ends a peer from our side, telling the remote.
    pub(super) fn close_peer(&mut self, id: PeerId, reason: CloseReason) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let mut said = std::mem::take(&mut self.scratch);
        peer.session.close(&mut said);
        self.outbox.extend(said.transmits.drain(..).map(transmit));
        self.scratch = Drained { transmits: said.transmits, ..Drained::default() };
        self.remove(id, reason);
    }

    /// Takes a peer out of every table; with a publisher goes its stream.
    fn remove(&mut self, id: PeerId, reason: CloseReason) {
        let Some(peer) = self.peers.remove(&id) else { return };
        self.demux.remove(id, &peer.routes);
        self.stats.joins_failed += u64::from(!peer.connected && reason == CloseReason::ConnectTimeout);
        self.outbox.push_back(Output::Event(Event::PeerClosed(id, reason)));
        match peer.role {
            Role::Publisher { feeds, .. } => {
                if self.publishers.get(&feeds.id) == Some(&id) {
                    self.publishers.remove(&feeds.id);
                    self.silenced.remove(&feeds.id);
                    self.end_stream(feeds.id);
                }
            }
            Role::Subscriber { stream, .. } => {
                if let Some(stream) = self.streams.get_mut(&stream) {
                    stream.remove_subscriber(id);
                }
            }
            Role::Files { .. } => {}
            Role::Member(member) => self.forget_member(id, &member),
        }
    }

    pub(super) fn end_stream(&mut self, id: StreamId) {
        let Some(stream) = self.streams.remove(&id) else { return };
        self.stats.streams_ended += 1;
        if stream.talks() {
            self.outbox.push_back(Output::Event(Event::Talks(stream.heard(), false)));
        }
        self.outbox.push_back(Output::Event(Event::StreamEnded(stream.heard())));
        self.free_slots(stream.heard());
        for subscriber in stream.into_subscribers() {
            self.close_peer(subscriber, CloseReason::StreamEnded);
        }
    }

    /// Removes what nobody feeds: streams long silent, and senders that never spoke.
    pub(super) fn tick_cleanup(&mut self) {
        if self.now < self.next_cleanup {
            return;
        }
        self.next_cleanup = self.now + self.config.cleanup_interval;
        let stale = |(stream, peer): (&StreamId, &PeerId)| self.is_stale(*stream, *peer).then_some(*peer);
        let stale: Vec<_> = self.publishers.iter().filter_map(stale).collect();
        self.stats.stale_removed += stale.len() as u64;
        for peer in stale {
            self.close_peer(peer, CloseReason::Stale);
        }
        if self.is_branch() {
            self.prune_stale();
        }
    }

    /// A branch is told of the end of streams, unless it was too busy to be told.
    fn prune_stale(&mut self) {
        let (now, stale_after) = (self.now, self.config.stale_after);
        let stale =
            self.streams.iter().filter(|(_, it)| now.saturating_duration_since(it.last_packet()) >= stale_after);
        for stream in stale.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end_stream(stream);
        }
    }

    fn is_stale(&self, stream: StreamId, publisher: PeerId) -> bool {
        let last_fed = match self.streams.get(&stream) {
            Some(stream) => stream.last_packet(),
            None => self.peers[&publisher].created,
        };
        self.now.saturating_duration_since(last_fed) >= self.config.stale_after
    }
}

fn transmit(transmit: str0m::net::Transmit) -> Output {
    Output::Transmit(Transmit {
        source: transmit.source,
        destination: transmit.destination,
        payload: transmit.contents.into(),
        forwarded: false,
    })
}
