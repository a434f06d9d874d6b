//! Live streams: their subscribers, and the fan-out of each packet to them, one at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::rtp::RtpPacket;
use str0m::rtp::rtcp::Nack;

use crate::domain::{LiveStream, OpusPacket, PeerId, StreamId};

use super::peer::Role;
use super::session::{Rtp, Way};
use super::stats::DropReason;
use super::timeline::{Numbered, Position, Timeline};
use super::{Event, Output, Relay};

/// Time between two reports of levels: often enough for a meter to look alive.
const LEVELS_INTERVAL: Duration = Duration::from_millis(200);

/// What is louder than this is a voice, and not the room around it, in dBov.
const LOUD: i8 = -55;

/// Whoever was loud so short a while ago still talks.
const TALKS_ON: Duration = Duration::from_millis(500);

/// Copies of a packet that are sealed before they are handed out: the first receivers do not wait for the last.
const SEALED_AT_ONCE: usize = 8;

/// A stream of which at least one packet was decrypted.
pub(super) struct Stream {
    heard: LiveStream,
    /// The participant whose it is, if it is of one.
    member: Option<PeerId>,
    order: u64,
    timeline: Timeline,
    subscribers: Vec<PeerId>,
    tapped: bool,
    last_packet: Instant,
    /// The loudest packet since the last report, in dBov.
    loudest: Option<i8>,
    /// When it was last more than silence.
    loud: Option<Instant>,
    /// It was told that somebody talks here.
    talks: bool,
}

impl Stream {
    fn new(heard: LiveStream, member: Option<PeerId>, order: u64, tapped: bool, now: Instant) -> Self {
        let (timeline, subscribers) = (Timeline::default(), Vec::new());
        Self {
            heard,
            member,
            order,
            timeline,
            subscribers,
            tapped,
            last_packet: now,
            loudest: None,
            loud: None,
            talks: false,
        }
    }

    /// What it is, and where it is heard.
    pub(super) fn heard(&self) -> LiveStream {
        self.heard
    }

    /// The participant whose it is, if it is of one.
    pub(super) fn member(&self) -> Option<PeerId> {
        self.member
    }

    /// Grows with each stream that becomes live.
    pub(super) fn order(&self) -> u64 {
        self.order
    }

    pub(super) fn receivers(&self) -> usize {
        self.subscribers.len()
    }

    pub(super) fn last_packet(&self) -> Instant {
        self.last_packet
    }

    pub(super) fn set_tapped(&mut self, tapped: bool) {
        self.tapped = tapped;
    }

    pub(super) fn add_subscriber(&mut self, peer: PeerId) {
        self.subscribers.push(peer);
    }

    pub(super) fn remove_subscriber(&mut self, peer: PeerId) {
        self.subscribers.retain(|subscriber| *subscriber != peer);
    }

    /// Whether somebody was told that it is heard.
    pub(super) fn talks(&self) -> bool {
        self.talks
    }

    /// Ends the stream; gives those who heard it.
    pub(super) fn into_subscribers(self) -> Vec<PeerId> {
        self.subscribers
    }

    /// Takes note of a packet; gives its place, or `None` when it came too late to have one.
    fn note(&mut self, numbered: Numbered, level: Option<i8>, now: Instant) -> Option<Position> {
        self.last_packet = now;
        self.loudest = self.loudest.max(level);
        if is_loud(level) {
            self.loud = Some(now);
        }
        self.timeline.place(numbered, now)
    }
}

/// Whoever does not measure is taken for loud.
fn is_loud(level: Option<i8>) -> bool {
    level.is_none_or(|level| level >= LOUD)
}

/// What is carried on of a sender's packet.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub(super) payload: Arc<[u8]>,
    /// How loud it is, in dBov, and whether it is a voice, if the sender says so (RFC 6464).
    pub(super) level: Option<i8>,
    pub(super) voice: Option<bool>,
    /// The first after a pause (RFC 7587 4.1).
    pub(super) marker: bool,
    pub(super) arrived: Instant,
}

impl From<RtpPacket> for Packet {
    fn from(packet: RtpPacket) -> Self {
        let extensions = &packet.header.ext_vals;
        Self {
            level: extensions.audio_level,
            voice: extensions.voice_activity,
            marker: packet.header.marker,
            arrived: packet.timestamp,
            payload: packet.payload,
        }
    }
}

/// A packet on its way to the subscribers that it had when it came.
pub(super) struct Fanout {
    packet: Packet,
    heard: Heard,
    place: Position,
    remaining: Vec<PeerId>,
}

/// Of which stream a packet is, and what that means for those who hear several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) stream: StreamId,
    pub(super) loud: bool,
    pub(super) pinned: bool,
}

impl Relay {
    /// Takes a packet of a sender, `member` where that takes part in a room; the first one makes the stream available.
    pub(super) fn ingest(&mut self, heard: LiveStream, member: Option<PeerId>, numbered: Numbered, packet: Packet) {
        if !self.silenced.is_empty() && self.silenced.contains(&heard.id) {
            if let Some(stream) = self.streams.get_mut(&heard.id) {
                stream.last_packet = self.now;
            }
            return self.stats.count_drop(DropReason::Silenced);
        }
        self.stats.packets_in += 1;
        self.stats.audio_bytes_in += packet.payload.len() as u64;
        if !self.streams.contains_key(&heard.id) {
            // Whoever came while there was room, and talks only now that there is none.
            if self.streams.len() >= self.config.max_streams {
                return self.stats.count_drop(DropReason::TooManyStreams);
            }
            self.begin_stream(heard, member);
        }
        let stream = self.streams.get_mut(&heard.id).expect("begun above");
        let Some(place) = stream.note(numbered, packet.level, self.now) else {
            self.stats.count_drop(DropReason::Late);
            return;
        };
        if stream.tapped {
            let tapped = OpusPacket {
                sequence: place.sequence,
                timestamp: place.timestamp,
                arrival: self.now,
                payload: packet.payload.clone(),
            };
            self.outbox.push_back(Output::Event(Event::Tapped(heard.id, tapped)));
        }
        let loud = is_loud(packet.level);
        if loud && !std::mem::replace(&mut stream.talks, true) {
            self.outbox.push_back(Output::Event(Event::Talks(heard, true)));
        }
        self.branch(heard, place, &packet);
        let mut remaining = std::mem::take(&mut self.spare_audience);
        // Taken from the end: reversed, so that those who joined first are served first.
        let subscribers = self.streams[&heard.id].subscribers.iter().copied();
        let others = self.audience(heard.room).iter().copied().filter(|other| Some(*other) != member);
        remaining.extend(subscribers.chain(others).rev());
        if remaining.is_empty() {
            self.spare_audience = remaining;
            return;
        }
        let heard = Heard { stream: heard.id, loud, pinned: self.is_pinned(heard) };
        self.fanouts.push_back(Fanout { packet, heard, place, remaining });
    }

    /// Seals a packet for the next few subscribers. False when there is none left to seal.
    pub(super) fn forward_next(&mut self) -> bool {
        let Some(mut fanout) = self.fanouts.pop_front() else {
            return false;
        };
        for _ in 0..SEALED_AT_ONCE {
            let Some(subscriber) = fanout.remaining.pop() else {
                self.spare_audience = fanout.remaining;
                return true;
            };
            self.forward(subscriber, &fanout.packet, fanout.heard, fanout.place);
        }
        self.fanouts.push_front(fanout);
        true
    }

    fn forward(&mut self, id: PeerId, packet: &Packet, heard: Heard, place: Position) {
        // It may have left since the packet came.
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let (lane, view) = match &mut peer.role {
            Role::Subscriber { lane, view, .. } => (lane, view),
            Role::Member(_) => return self.forward_to_member(id, packet, heard, place),
            Role::Publisher { .. } | Role::Files { .. } => return,
        };
        let Some(lane) = lane.filter(|_| peer.connected) else {
            self.stats.count_drop(DropReason::ReceiverNotReady);
            return;
        };
        let Some(place) = view.of(place) else {
            self.stats.count_drop(DropReason::Late);
            return;
        };
        self.seal(id, &Rtp { lane, place, packet, begins: false });
    }

    /// Seals a packet for a peer.
    pub(super) fn seal(&mut self, id: PeerId, rtp: &Rtp<'_>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match peer.session.take(self.now, rtp, || self.spares.pop().unwrap_or_default()) {
            Way::Short(transmit, again) => {
                self.stats.packets_shortened += 1;
                self.stats.packets_doubled += u64::from(again.is_some());
                self.outbox.extend(again.map(Output::Transmit));
                self.outbox.push_back(Output::Transmit(transmit));
            }
            Way::Long => self.seal_by_str0m(id, rtp),
            Way::Taken => return self.stats.count_drop(DropReason::Late),
        }
        self.stats.packets_forwarded += 1;
        self.stats.audio_bytes_out += rtp.packet.payload.len() as u64;
    }

    fn seal_by_str0m(&mut self, id: PeerId, rtp: &Rtp<'_>) {
        let before = self.outbox.len();
        self.drive(id, |session, now, out| session.send(now, rtp, out));
        for output in self.outbox.range_mut(before..) {
            if let Output::Transmit(transmit) = output {
                transmit.forwarded = true;
            }
        }
    }

    /// Sends again what a peer says it lost.
    pub(super) fn repeat(&mut self, id: PeerId, nack: &Nack) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let outbox = &mut self.outbox;
        let repeated = peer.session.repeat(self.now, nack, |transmit| outbox.push_back(Output::Transmit(transmit)));
        self.stats.packets_repeated += repeated.sent;
        self.stats.repeats_refused += repeated.refused;
    }

    /// Of a branch's streams the first relay tells.
    pub(super) fn tells_levels(&self) -> bool {
        !self.streams.is_empty() && !self.is_branch()
    }

    /// Reports how loud the streams were.
    pub(super) fn tick_levels(&mut self) {
        if self.now < self.next_levels || !self.tells_levels() {
            return;
        }
        self.next_levels = self.now + LEVELS_INTERVAL;
        let levels: Vec<_> =
            self.streams.iter_mut().filter_map(|(id, stream)| Some((*id, stream.loudest.take()?))).collect();
        if !levels.is_empty() {
            self.outbox.push_back(Output::Event(Event::Levels(levels)));
        }
        self.tell_who_stopped();
        self.end_what_fell_silent();
    }

    fn tell_who_stopped(&mut self) {
        for stream in self.streams.values_mut().filter(|stream| stream.talks) {
            stream.talks = stream.loud.is_some_and(|at| self.now.saturating_duration_since(at) < TALKS_ON);
            if !stream.talks {
                self.outbox.push_back(Output::Event(Event::Talks(stream.heard, false)));
            }
        }
    }

    fn begin_stream(&mut self, heard: LiveStream, member: Option<PeerId>) {
        let stream = Stream::new(heard, member, self.streams_started, self.config.tap_all, self.now);
        self.streams.insert(heard.id, stream);
        self.streams_started += 1;
        self.stats.streams_started += 1;
        self.outbox.push_back(Output::Event(Event::StreamAvailable(heard)));
    }
}
