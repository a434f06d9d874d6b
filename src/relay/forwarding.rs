//! Live streams: their subscribers, and the fan-out of each packet to them, one at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::rtp::RtpPacket;

use crate::domain::{LiveStream, OpusPacket, PeerId};

use super::peer::Role;
use super::stats::DropReason;
use super::timeline::{Numbered, Position, Timeline};
use super::{Event, Output, Relay};

/// Time between two reports of levels: often enough for a meter to look alive.
const LEVELS_INTERVAL: Duration = Duration::from_millis(200);

/// A stream of which at least one packet was decrypted.
pub(super) struct Stream {
    heard: LiveStream,
    order: u64,
    timeline: Timeline,
    subscribers: Vec<PeerId>,
    tapped: bool,
    last_packet: Instant,
    /// The loudest packet since the last report, in dBov.
    loudest: Option<i8>,
}

impl Stream {
    fn new(heard: LiveStream, order: u64, tapped: bool, now: Instant) -> Self {
        let (timeline, subscribers) = (Timeline::default(), Vec::new());
        Self { heard, order, timeline, subscribers, tapped, last_packet: now, loudest: None }
    }

    /// What it is, and where it is heard.
    pub(super) fn heard(&self) -> LiveStream {
        self.heard
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

    /// Ends the stream; gives those who heard it.
    pub(super) fn into_subscribers(self) -> Vec<PeerId> {
        self.subscribers
    }

    /// Takes note of a packet; gives its place, or `None` when it came too late to have one.
    fn note(&mut self, numbered: Numbered, level: Option<i8>, now: Instant) -> Option<Position> {
        self.last_packet = now;
        self.loudest = self.loudest.max(level);
        self.timeline.place(numbered, now)
    }
}

/// What is carried on of a sender's packet.
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
    packet: Arc<Packet>,
    place: Position,
    remaining: Vec<PeerId>,
}

impl Relay {
    /// Takes a packet of a sender; the first one makes the stream available.
    pub(super) fn ingest(&mut self, heard: LiveStream, numbered: Numbered, packet: Packet) {
        self.stats.packets_in += 1;
        self.stats.audio_bytes_in += packet.payload.len() as u64;
        if !self.streams.contains_key(&heard.id) {
            self.begin_stream(heard);
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
        if !stream.subscribers.is_empty() {
            // Taken from the end: reversed, so that those who joined first are served first.
            let remaining = stream.subscribers.iter().rev().copied().collect();
            self.fanouts.push_back(Fanout { packet: Arc::new(packet), place, remaining });
        }
    }

    /// Seals one packet for one subscriber. False when there is none left to seal.
    pub(super) fn forward_next(&mut self) -> bool {
        let Some(fanout) = self.fanouts.front_mut() else {
            return false;
        };
        let Some(subscriber) = fanout.remaining.pop() else {
            self.fanouts.pop_front();
            return true;
        };
        let (packet, place) = (Arc::clone(&fanout.packet), fanout.place);
        self.forward(subscriber, &packet, place);
        true
    }

    fn forward(&mut self, id: PeerId, packet: &Packet, place: Position) {
        // It may have left since the packet came.
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Role::Subscriber { lane, view, .. } = &mut peer.role else { return };
        let Some(lane) = lane.filter(|_| peer.connected) else {
            self.stats.count_drop(DropReason::ReceiverNotReady);
            return;
        };
        let Some(place) = view.of(place) else {
            self.stats.count_drop(DropReason::Late);
            return;
        };
        self.stats.packets_forwarded += 1;
        self.stats.audio_bytes_out += packet.payload.len() as u64;
        let before = self.outbox.len();
        self.drive(id, |session, now, out| session.send(now, lane, place, packet, out));
        for output in self.outbox.range_mut(before..) {
            if let Output::Transmit(transmit) = output {
                transmit.forwarded = true;
            }
        }
    }

    /// Reports how loud the streams were.
    pub(super) fn tick_levels(&mut self) {
        if self.now < self.next_levels {
            return;
        }
        self.next_levels = self.now + LEVELS_INTERVAL;
        let levels: Vec<_> =
            self.streams.iter_mut().filter_map(|(id, stream)| Some((*id, stream.loudest.take()?))).collect();
        if !levels.is_empty() {
            self.outbox.push_back(Output::Event(Event::Levels(levels)));
        }
    }

    fn begin_stream(&mut self, heard: LiveStream) {
        self.streams.insert(heard.id, Stream::new(heard, self.streams_started, self.config.tap_all, self.now));
        self.streams_started += 1;
        self.stats.streams_started += 1;
        self.outbox.push_back(Output::Event(Event::StreamAvailable(heard)));
    }
}
