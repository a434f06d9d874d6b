//! The fan-out of packets: in once, out once for each who hears it, a few copies at a time.

use crate::domain::{LiveStream, PeerId, RoomId, StreamId};

use super::level::is_loud;
use super::{ConsumerKey, Context, Event, Router};
use crate::core::packet::{EgressPacket, Packet, Position, SenderSequence};
use crate::core::ports::Delivery;
use crate::core::stats::DropReason;

/// Packet on its way to those who heard its track when it came.
pub(in crate::core) struct Fanout {
    packet: Packet,
    meta: PacketMeta,
    place: Position,
    /// Taken from the end.
    remaining: Vec<ConsumerKey>,
}

/// What a packet says of its track.
#[derive(Debug, Clone, Copy)]
pub(super) struct PacketMeta {
    pub(super) stream: StreamId,
    /// Room in which it is heard.
    pub(super) room: RoomId,
    /// It is more than silence.
    pub(super) loud: bool,
    /// Its track goes before others.
    pub(super) pinned: bool,
}

impl Fanout {
    /// The next consumer.
    pub(in crate::core) fn next_consumer(&mut self) -> Option<ConsumerKey> {
        self.remaining.pop()
    }
}

impl Router {
    /// Takes a packet of a track; the first one makes it available. False when the track is muted.
    pub(super) fn ingest(
        &mut self,
        cx: &mut Context,
        stream: LiveStream,
        sequence: SenderSequence,
        packet: Packet,
    ) -> bool {
        if !self.muted.is_empty() && self.muted.contains(&stream.id) {
            if let Some(track) = self.tracks.get_mut(&stream.id) {
                track.touch(cx.now);
            }
            cx.count_drop(DropReason::Silenced);
            return false;
        }
        cx.stats.packets_in += 1;
        cx.stats.audio_bytes_in += packet.payload.len() as u64;
        if !self.tracks.contains_key(&stream.id) {
            // Whoever came while there was room, and talks only now that there is none.
            if self.tracks.len() >= self.max_tracks {
                cx.count_drop(DropReason::TooManyStreams);
                return true;
            }
            self.begin_track(cx, stream);
        }
        let track = self.tracks.get_mut(&stream.id).expect("begun above");
        track.touch(cx.now);
        let begins_to_talk = !track.is_remote && track.level.note(packet.level, cx.now);
        let Some(place) = track.place(sequence, cx.now) else {
            cx.count_drop(DropReason::Late);
            return true;
        };
        let delivery = Delivery { stream, place, packet: &packet, at: cx.now };
        for key in &track.ports {
            let event = self.ports.get_mut(*key).and_then(|port| port.deliver(&delivery));
            cx.outbox.extend(event.map(crate::core::Output::Event));
        }
        if begins_to_talk {
            cx.tell(Event::Talks(stream, true));
        }
        self.begin_fanout(stream, place, packet);
        true
    }

    /// Notes who is to have a copy. Nothing is sealed yet: the first ones must not wait for the last.
    fn begin_fanout(&mut self, stream: LiveStream, place: Position, packet: Packet) {
        let mut remaining = std::mem::take(&mut self.spare_audience);
        let track = &self.tracks[&stream.id];
        let room = self.rooms.get(&stream.room);
        let others = room.map(|room| &*room.consumers).unwrap_or_default();
        let others = others.iter().filter(|key| Some(**key) != track.own_consumer);
        // Taken from the end: reversed, so that those who joined first are served first.
        remaining.extend(track.consumers.iter().chain(others).rev());
        if remaining.is_empty() {
            self.spare_audience = remaining;
            return;
        }
        let LiveStream { id, room: heard_in, music } = stream;
        let pinned = music || room.is_some_and(|room| room.pinned == Some(id));
        let meta = PacketMeta { stream: id, room: heard_in, loud: is_loud(packet.level), pinned };
        self.fanouts.push_back(Fanout { packet, meta, place, remaining });
    }

    /// The oldest packet of which copies are still to be made.
    pub(in crate::core) fn next_fanout(&mut self) -> Option<Fanout> {
        self.fanouts.pop_front()
    }

    /// Some copies of it are made. The others will be asked for later; without any, its list is for the next one.
    pub(in crate::core) fn put_back(&mut self, fanout: Fanout) {
        if fanout.remaining.is_empty() {
            self.spare_audience = fanout.remaining;
        } else {
            self.fanouts.push_front(fanout);
        }
    }

    /// The copy of a packet for a consumer, if it takes one now.
    pub(in crate::core) fn copy_for<'a>(
        &mut self,
        cx: &mut Context,
        key: ConsumerKey,
        fanout: &'a Fanout,
    ) -> Option<(PeerId, EgressPacket<'a>)> {
        let Fanout { packet, meta, place, .. } = fanout;
        // It may have left since the packet came.
        let consumer = self.consumers.get_mut(key)?;
        let slot = consumer.select(cx, meta, *place, packet.payload.len())?;
        Some((consumer.peer, EgressPacket { track: slot.track, place: slot.place, packet, begins: slot.begins }))
    }
}
