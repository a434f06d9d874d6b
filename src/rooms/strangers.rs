//! Who talks in a room without having joined it: by the older protocol, or this machine's own microphone. Those who
//! are there see and hear him; he sees nobody, and nobody can do anything with him.

use std::time::Instant;

use crate::domain::{LiveStream, StreamId};

use super::Rooms;
use super::names::{clean_name, unique_name};
use super::notice::{Departure, Recipients, RoomMessage};
use super::participant::{ParticipantId, ParticipantInfo};
use super::room::Room;

impl Room {
    fn has_stranger(&self, who: ParticipantId) -> bool {
        self.strangers.iter().any(|stranger| stranger.id == who)
    }
}

impl Rooms {
    /// A stream has begun that is nobody's who has joined; as many as the relay lets in.
    pub fn stranger_came(&mut self, now: Instant, stream: LiveStream, name: &str) {
        let Some(room) = self.rooms.get_mut(&stream.room) else { return };
        let id = ParticipantId(stream.id.uuid());
        let others = room.present.values().map(|other| other.who.name.as_str());
        let others = others.chain(room.strangers.iter().map(|other| other.name.as_str()));
        let name = unique_name(&clean_name(name), others);
        let participant = ParticipantInfo {
            id,
            name,
            host: false,
            muted: false,
            word: true,
            talking: false,
            music: false,
            quality: None,
        };
        room.strangers.push(participant.clone());
        room.active = now;
        self.streams.insert(stream.id, (id, stream.music));
        self.tell(Recipients::Room(stream.room), RoomMessage::ParticipantJoined { participant });
    }

    /// His stream is over. Does nothing for the streams of those who have joined.
    pub fn stranger_left(&mut self, stream: StreamId) {
        let who = ParticipantId(stream.uuid());
        let Some((id, room)) = self.rooms.iter_mut().find(|(_, room)| room.has_stranger(who)) else { return };
        let id = *id;
        room.strangers.retain(|stranger| stranger.id != who);
        self.streams.remove(&stream);
        self.tell(Recipients::Room(id), RoomMessage::ParticipantLeft { who, reason: Departure::Left });
    }

    /// He is heard, or no longer.
    pub(super) fn note_stranger_talking(&mut self, now: Instant, who: ParticipantId, on: bool) {
        let Some((id, room)) = self.rooms.iter_mut().find(|(_, room)| room.has_stranger(who)) else { return };
        let (id, his) = (*id, room.strangers.iter_mut().filter(|stranger| stranger.id == who));
        let before = his.map(|stranger| std::mem::replace(&mut stranger.talking, on)).next();
        if before != Some(on) {
            self.tell(Recipients::Room(id), RoomMessage::Talking { who, on, music: false });
            self.note_list(now);
        }
    }
}
