//! What those in a room have in common: who hears whom, whose voice goes before others, and what bitrate the weakest
//! can bear.

use std::time::{Duration, Instant};

use crate::domain::{LiveStream, PeerId, RoomId, StreamId};

use super::Relay;
use super::lifecycle::CloseReason;

/// A stream of a participant of which nothing came for so long is over: silence too sends a packet every 400 ms.
const FALLEN_SILENT: Duration = Duration::from_secs(2);

/// All who are in a room.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) members: Vec<PeerId>,
    /// The voice that goes before others.
    pinned: Option<StreamId>,
    /// The best bitrate that is wanted here, if not the best there is.
    cap: Option<u32>,
}

impl Relay {
    /// Whose voice goes before others in a room.
    pub fn pin(&mut self, room: RoomId, pinned: Option<StreamId>) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.pinned = pinned;
        } else if pinned.is_some() {
            self.rooms.insert(room, Room { pinned, ..Room::default() });
        }
    }

    /// The best bitrate for this room, in bits a second.
    pub fn set_cap(&mut self, now: Instant, room: RoomId, cap: u32) {
        self.now = now;
        self.rooms.entry(room).or_default().cap = Some(cap);
        self.tell_bitrates(room);
    }

    /// A room is no more; whoever is left in it is closed.
    pub fn remove_room(&mut self, now: Instant, room: RoomId) {
        self.now = now;
        for member in self.rooms.remove(&room).map(|room| room.members).unwrap_or_default() {
            self.close_peer(member, CloseReason::Requested);
        }
    }

    /// All who are in a room.
    pub(super) fn audience(&self, room: RoomId) -> &[PeerId] {
        self.rooms.get(&room).map(|room| &*room.members).unwrap_or_default()
    }

    /// Whether a stream goes before others where it is heard.
    pub(super) fn is_pinned(&self, heard: LiveStream) -> bool {
        heard.music || self.rooms.get(&heard.room).is_some_and(|room| room.pinned == Some(heard.id))
    }

    /// A stream is over: its slots are free for others.
    pub(super) fn free_slots(&mut self, ended: LiveStream) {
        for id in self.audience(ended.room).to_vec() {
            let told = self.member_mut(id).and_then(|member| member.release(ended.id));
            self.outbox.extend(told);
        }
    }

    /// Ends what participants have said to the end without saying so.
    pub(super) fn end_what_fell_silent(&mut self) {
        let of_members = self.streams.values().filter(|stream| stream.member().is_some());
        let silent = of_members.filter(|it| self.now.saturating_duration_since(it.last_packet()) >= FALLEN_SILENT);
        for stream in silent.map(|stream| stream.heard().id).collect::<Vec<_>>() {
            self.end_stream(stream);
        }
    }

    /// Tells those in a room what to send, where that has changed: what the weakest of the others can bear.
    pub(super) fn tell_bitrates(&mut self, room: RoomId) {
        let Some(room) = self.rooms.get(&room) else { return };
        let cap = room.cap.unwrap_or(self.config.room_bitrate);
        let members = room.members.clone();
        let bearable = |id: &PeerId| Some((self.member(*id)?.bearable(), *id));
        // What the weakest can bear counts for all the others; for itself, the second.
        let mut weakest: Vec<_> = members.iter().filter_map(bearable).collect();
        weakest.sort_unstable();
        weakest.truncate(2);
        for id in members {
            let others = weakest.iter().find(|(_, other)| *other != id);
            let bitrate = others.map_or(cap, |(bitrate, _)| cap.min(*bitrate));
            let told = self.member_mut(id).and_then(|member| member.allow(bitrate));
            self.outbox.extend(told);
        }
    }
}
