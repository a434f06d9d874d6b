//! The facade of the core: it has no rules of its own, and carries things from one layer to the next.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::domain::{PeerId, RoomId, StreamId, Track};

use super::context::Context;
use super::peers::{PeerEvent, Peers};
use super::ports::{Pipe, Tap};
use super::router::Router;
use super::video::{VideoOrder, VideoRouter};
use super::{
    CloseReason, Event, Input, Interest, LocalPacket, MemberStats, Output, Port, PortId, RelayConfig, RelayStats,
    RemotePacket, TooManyStreams, View, Wanted,
};

/// Copies of a packet that are sealed before they are handed out: the first receivers do not wait for the last.
const SEALED_AT_ONCE: usize = 8;

/// The core. After each call that takes `&mut self`, call [`poll`](Self::poll) until it gives `None`, then ask for the
/// [`deadline`](Self::deadline).
pub struct Relay {
    pub(super) cx: Context,
    pub(super) peers: Peers,
    pub(super) router: Router,
    pub(super) video: VideoRouter,
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
            video: VideoRouter::new(config.max_streams, config.video_estimate),
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
                self.process_events();
                self.router.wake(&mut self.cx);
                self.wake_video();
                self.tick_cleanup();
            }
        }
        self.process_events();
    }

    /// The next thing to do, or `None` when there is nothing until the deadline.
    pub fn poll(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.cx.outbox.pop_front() {
                self.cx.stats.datagrams_out += u64::from(matches!(output, Output::Transmit(_)));
                return Some(output);
            }
            if !self.forward_next() && !self.forward_next_video() {
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
        let layers = [self.peers.deadline(), self.router.deadline(), self.video.deadline(self.cx.now)];
        layers.into_iter().flatten().fold(self.next_cleanup, Instant::min)
    }

    /// Carries what happened in one layer to the other, until both are quiet.
    pub(super) fn process_events(&mut self) {
        let Self { cx, peers, router, video, .. } = self;
        loop {
            while let Some(event) = peers.next_event() {
                match event {
                    PeerEvent::Packet(peer, packet) => router.ingest_from_peer(cx, peer, packet),
                    PeerEvent::Connected(peer) => {
                        router.set_connected(peer);
                        video.set_connected(cx, peer);
                    }
                    PeerEvent::Video(peer, packet) => video.ingest(cx, peer, *packet),
                    PeerEvent::KeyframeRequest(peer, mid) => video.note_keyframe_request(cx, peer, mid),
                    PeerEvent::Path(peer, report) => video.note_path(cx, peer, report),
                    PeerEvent::Reception(peer, report) => router.note_report(cx, peer, report),
                    PeerEvent::Channel(peer, event) => cx.tell(Event::Channel(peer, event)),
                    PeerEvent::Closed(peer) => {
                        router.detach(cx, peer);
                        video.detach(cx, peer);
                    }
                }
            }
            while let Some(order) = video.next_order() {
                match order {
                    VideoOrder::RequestKeyframe { peer, mid, rid } => peers.request_keyframe(cx, peer, mid, rid),
                    VideoOrder::SetBitrate { peer, minimum, desired } => peers.set_bitrate(cx, peer, minimum, desired),
                    VideoOrder::SetPaced { peer, is_paced } => peers.set_paced(peer, is_paced),
                    VideoOrder::ForgetSent { peer } => peers.forget_sent(peer),
                    VideoOrder::ResetEstimate { peer, estimate } => peers.reset_estimate(cx, peer, estimate),
                }
            }
            if peers.has_events() {
                continue;
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
        self.process_events();
        true
    }

    /// Has a packet of video given to the sessions of the next few who see it. False when there is none left.
    fn forward_next_video(&mut self) -> bool {
        let Self { cx, peers, video, .. } = self;
        let Some(mut fanout) = video.next_fanout() else { return false };
        for _ in 0..SEALED_AT_ONCE {
            let Some(slot) = fanout.next_slot() else { break };
            if let Some((peer, copy)) = video.copy_for(cx, slot, &fanout) {
                let waits = peers.send_video(cx, peer, &copy);
                video.note_queue(cx, peer, waits);
            }
        }
        video.put_back(cx, fanout);
        self.process_events();
        true
    }

    /// Lets the router of video see what waits to be sent, and lets time pass there.
    fn wake_video(&mut self) {
        let Self { cx, peers, video, .. } = self;
        for (peer, slots) in video.due_looks(cx.now) {
            video.note_queue(cx, peer, peers.queue_age(peer, &slots));
            while let Some(held) = video.next_held(peer) {
                let Some(copy) = video.copy_of_held(cx, peer, &held) else { continue };
                let waits = peers.send_video(cx, peer, &copy);
                video.note_queue(cx, peer, waits);
            }
        }
        video.wake(cx);
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
        self.process_events();
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
    /// [`ChannelEvent::Writable`](super::ChannelEvent::Writable) will follow), or the channel is gone.
    pub fn write(&mut self, now: Instant, peer: PeerId, binary: bool, message: &[u8]) -> bool {
        self.cx.now = now;
        let written = self.peers.write(&mut self.cx, peer, binary, message);
        self.process_events();
        written
    }

    /// The machine's addresses changed: peers of before learn the new ones, and later peers get these.
    pub fn set_addresses(&mut self, addresses: Vec<SocketAddr>) {
        self.peers.set_addresses(&mut self.cx, addresses);
        self.process_events();
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
            video_tracks: self.video.live().count(),
            receivers: self.router.receivers().map(|(_, receivers)| receivers).sum(),
            ..self.cx.stats.clone()
        }
    }
}

/// Streams.
impl Relay {
    /// Live streams, oldest first.
    pub fn live(&self) -> Vec<Track> {
        let mut live = self.router.live();
        live.extend(self.video.live());
        live
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
        self.router.end_said(&mut self.cx, stream);
        self.process_events();
    }

    /// Whether packets of a sender go no further. What a participant is saying ends with it; the stream of another one
    /// goes on, without a sound.
    pub fn set_silenced(&mut self, now: Instant, stream: StreamId, silenced: bool) {
        self.cx.now = now;
        self.router.set_muted(&mut self.cx, stream, silenced);
        self.process_events();
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
        for peer in self.router.remove_room(room).into_iter().chain(self.video.peers_in(room)) {
            self.close(now, peer);
        }
    }

    /// What is measured of all participants.
    pub fn member_stats(&self) -> Vec<MemberStats> {
        self.router.participant_stats()
    }
}

/// Video.
impl Relay {
    /// What somebody wants to see, the most wanted first; what is not named is hidden, and costs no packet.
    pub fn set_views(&mut self, now: Instant, who: StreamId, views: &[View]) {
        self.cx.now = now;
        self.video.set_views(&mut self.cx, who, views);
        self.process_events();
    }

    /// Whether what somebody shows goes no further. What they are showing ends with it.
    pub fn set_hidden(&mut self, now: Instant, who: StreamId, hidden: bool) {
        self.cx.now = now;
        self.video.set_hidden(&mut self.cx, who, hidden);
    }

    /// Whether somebody has a connection for video.
    pub fn has_video(&self, who: StreamId) -> bool {
        self.video.peer_of(who).is_some()
    }

    /// Somebody does not show this any more; what they send of it from now on begins it anew.
    pub fn end_shown(&mut self, now: Instant, track: StreamId) {
        self.cx.now = now;
        self.video.end(&mut self.cx, track);
    }

    /// Ends the connection by which somebody shows and sees video, if they have one.
    pub fn leave_video(&mut self, now: Instant, who: StreamId) {
        if let Some(peer) = self.video.peer_of(who) {
            self.close(now, peer);
        }
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
    pub fn feed(&mut self, now: Instant, feeds: impl Into<Track>, packet: LocalPacket) -> Result<(), TooManyStreams> {
        self.cx.now = now;
        let fed = self.router.ingest_local(&mut self.cx, feeds.into(), packet);
        self.process_events();
        fed
    }

    /// Ends the stream of a sender on this machine, if it has one.
    pub fn end_local(&mut self, now: Instant, stream: StreamId) {
        self.cx.now = now;
        self.router.end_source(&mut self.cx, stream);
        self.process_events();
    }

    /// Another core has this stream: it can be heard here, too, and packets of it come as soon as it is [`Event::Wanted`].
    pub fn begin_remote(&mut self, now: Instant, stream: Track) {
        self.cx.now = now;
        self.router.begin_remote(&mut self.cx, stream);
    }

    /// Takes a packet that another core has [piped](Event::Piped) here; the first one makes its stream available.
    pub fn ingest_remote(&mut self, now: Instant, remote: RemotePacket) {
        self.cx.now = now;
        self.router.ingest_remote(&mut self.cx, remote);
        self.process_events();
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
