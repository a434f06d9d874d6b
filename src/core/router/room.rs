//! Rooms as audiences: who hears whom, whose voice goes before others, and what bitrate the weakest can bear.

use crate::domain::{PeerId, RoomId, StreamId, Track};

use super::consumer::Consumer;
use super::{ConsumerKey, Context, Router};

/// All who are in a room.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// Participants, in the order in which they came.
    pub(super) consumers: Vec<ConsumerKey>,
    /// Voice that goes before others.
    pub(super) pinned: Option<StreamId>,
    /// The best bitrate that is wanted here, in bits a second, if not the best there is.
    cap: Option<u32>,
}

impl Router {
    /// Whose voice goes before others in a room.
    pub(in crate::core) fn pin(&mut self, room: RoomId, pinned: Option<StreamId>) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.pinned = pinned;
        } else if pinned.is_some() {
            self.rooms.insert(room, Audience { pinned, ..Audience::default() });
        }
    }

    /// The best bitrate for this room, in bits a second.
    pub(in crate::core) fn set_cap(&mut self, cx: &mut Context, room: RoomId, cap: u32) {
        self.rooms.entry(room).or_default().cap = Some(cap);
        self.tell_bitrates(cx, room);
    }

    /// A room is no more; gives the peers that are left in it.
    pub(in crate::core) fn remove_room(&mut self, room: RoomId) -> Vec<PeerId> {
        let consumers = self.rooms.remove(&room).map(|room| room.consumers).unwrap_or_default();
        consumers.into_iter().filter_map(|key| Some(self.consumers.get(key)?.peer)).collect()
    }

    /// A track is over: its slots are free for others.
    pub(super) fn free_slots(&mut self, cx: &mut Context, ended: Track) {
        let Some(room) = self.rooms.get(&ended.room) else { return };
        for key in &room.consumers {
            let participant = self.consumers.get_mut(*key).and_then(Consumer::participant_mut);
            if let Some(event) = participant.and_then(|participant| participant.release(ended.id)) {
                cx.tell(event);
            }
        }
    }

    /// Tells those in a room what to send, where that has changed: what the weakest of the others can bear.
    pub(super) fn tell_bitrates(&mut self, cx: &mut Context, room: RoomId) {
        let Some(room) = self.rooms.get(&room) else { return };
        let cap = room.cap.unwrap_or(self.room_bitrate);
        let bearable = |key: &ConsumerKey| Some((self.consumers.get(*key)?.participant()?.bearable(), *key));
        // What the weakest can bear counts for all the others; for itself, the second.
        let mut weakest: Vec<_> = room.consumers.iter().filter_map(bearable).collect();
        weakest.sort_by_key(|(bearable, _)| *bearable);
        weakest.truncate(2);
        for key in &room.consumers {
            let others = weakest.iter().find(|(_, other)| other != key);
            let bitrate = others.map_or(cap, |(bitrate, _)| cap.min(*bitrate));
            let participant = self.consumers.get_mut(*key).and_then(Consumer::participant_mut);
            if let Some(event) = participant.and_then(|participant| participant.allow(bitrate)) {
                cx.tell(event);
            }
        }
    }
}
