//! The fan-out of packets: in once, out once for each who hears it, a few copies at a time.

use crate::domain::{PeerId, RoomId, StreamId, Track};

use super::level::is_loud;
use super::room::Audience;
use super::track::LiveTrack;
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
    /// Takes a packet of a track; the first one makes it available.
    pub(super) fn ingest(&mut self, cx: &mut Context, stream: Track, sequence: SenderSequence, packet: Packet) {
        if !self.muted.is_empty() && self.muted.contains(&stream.id) {
            if let Some(track) = self.tracks.get_mut(&stream.id) {
                track.touch(cx.now);
            }
            return cx.count_drop(DropReason::Silenced);
        }
        cx.stats.packets_in += 1;
        cx.stats.audio_bytes_in += packet.payload.len() as u64;
        if !self.tracks.contains_key(&stream.id) {
            // Whoever came while there was room, and talks only now that there is none.
            if self.tracks.len() >= self.max_tracks {
                return cx.count_drop(DropReason::TooManyStreams);
            }
            self.begin_track(cx, stream);
        }
        let track = self.tracks.get_mut(&stream.id).expect("begun above");
        track.touch(cx.now);
        let begins_to_talk = !track.is_remote && track.level.note(packet.level, cx.now);
        let Some(place) = track.place(sequence, cx.now) else { return cx.count_drop(DropReason::Late) };
        let delivery = Delivery { stream, place, packet: &packet, at: cx.now };
        for key in &track.ports {
            let event = self.ports.get_mut(*key).and_then(|port| port.deliver(&delivery));
            cx.outbox.extend(event.map(crate::core::Output::Event));
        }
        if begins_to_talk {
            cx.tell(Event::Talks(stream, true));
        }
        let room = self.rooms.get(&stream.room);
        let remaining = audience(track, room, std::mem::take(&mut self.spare_audience));
        if remaining.is_empty() {
            self.spare_audience = remaining;
            return;
        }
        let pinned = stream.is_pinned() || room.is_some_and(|room| room.pinned == Some(stream.id));
        let meta = PacketMeta { stream: stream.id, room: stream.room, loud: is_loud(packet.level), pinned };
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

/// Those who are to have a copy, in a list that was emptied before. Nothing is sealed yet: the first ones must not wait
/// for the last.
fn audience(track: &LiveTrack, room: Option<&Audience>, mut list: Vec<ConsumerKey>) -> Vec<ConsumerKey> {
    let others = room.map(|room| &*room.consumers).unwrap_or_default();
    let others = others.iter().filter(|key| Some(**key) != track.own_consumer);
    // Taken from the end: reversed, so that those who joined first are served first.
    list.extend(track.consumers.iter().chain(others).rev());
    list
}
