//! What rooms know of what is heard: facts that the media side tells, and who may be heard at all.

use std::time::Instant;

use crate::domain::StreamId;

use super::Rooms;
use super::event::{Recipients, RoomEvent};
use super::order::Order;
use super::participant::{Participant, ParticipantId, QUALITY_SAMPLES, Quality, SessionId};

/// Somebody may not talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TalkError {
    /// They are in no room.
    #[error("Join a room before talking in it")]
    NotJoined,
    /// By the host.
    #[error("The host has muted you")]
    Muted,
    /// Others talk just now, where one talks at a time.
    #[error("Somebody else talks; in this room one talks at a time")]
    Occupied,
    /// Others talk here.
    #[error("The host has not given you the floor")]
    NoFloor,
}

impl TalkError {
    /// For programs, as the protocol has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotJoined => "not_joined",
            Self::Muted => "muted",
            Self::Occupied => "occupied",
            Self::NoFloor => "no_word",
        }
    }
}

impl Rooms {
    /// Whether somebody may talk, and play music, as far as their host says.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn may_talk(&self, session: SessionId) -> Result<(), TalkError> {
        let room = self.sessions.get(&session).and_then(|id| self.rooms.get(id)).ok_or(TalkError::NotJoined)?;
        let participant = room.present.get(&session).ok_or(TalkError::NotJoined)?;
        match participant.who.muted {
            true => Err(TalkError::Muted),
            false if !room.has_floor(session) => Err(TalkError::NoFloor),
            false => Ok(()),
        }
    }

    /// The media connection of somebody is there: whether they may be heard is ordered anew, in its turn among all that
    /// was decided of them.
    pub fn note_connected(&mut self, now: Instant, session: SessionId) {
        let Some((_, room)) = self.room_of(session) else { return };
        let Some(participant) = room.present.get(&session) else { return };
        let order = Order::Silence(participant.who.voice, participant.silenced);
        self.orders.push_back(order);
        self.note_hearing(now, session, |participant| participant.connected = true);
    }

    /// Somebody wants to hear others there, or nobody.
    pub fn note_listening(&mut self, now: Instant, session: SessionId, on: bool) {
        self.note_hearing(now, session, |participant| participant.listens = on);
    }

    /// Tells the others whether somebody hears them, if that is different after this change.
    fn note_hearing(&mut self, now: Instant, session: SessionId, change: impl FnOnce(&mut Participant)) {
        let Some((id, room)) = self.room_of(session) else { return };
        let Some(participant) = room.present.get_mut(&session) else { return };
        let heard = participant.hears();
        change(participant);
        if participant.hears() != heard {
            self.tell_participant(id, session);
            self.note_list(now);
        }
    }

    /// The streams of somebody who is heard there: their voice, and their music.
    pub fn streams_of(&self, who: ParticipantId) -> Vec<StreamId> {
        let joined = self.present.get(&who).and_then(|session| {
            let participant = self.rooms.get(self.sessions.get(session)?)?.present.get(session)?;
            Some(vec![participant.who.voice, participant.who.music])
        });
        joined.unwrap_or_else(|| Vec::from_iter(self.unjoined_talker(who).map(|talker| talker.stream)))
    }

    /// Somebody is heard, or no longer, by voice or by music. Who is silenced is not, whatever still arrives.
    pub fn note_talking(&mut self, now: Instant, who: ParticipantId, on: bool, music: bool) {
        let Some(session) = self.present.get(&who).copied() else { return self.note_unjoined_talking(now, who, on) };
        let Some((id, room)) = self.room_of(session) else { return };
        let Some(participant) = room.present.get_mut(&session) else { return };
        let on = on && !participant.silenced;
        let heard = if music { &mut participant.music } else { &mut participant.talking };
        if std::mem::replace(heard, on) == on {
            return;
        }
        room.active = now;
        self.tell(Recipients::Room(id), RoomEvent::Talking { who, on, music });
        if !music {
            self.note_heard(now, id, session, on);
        }
        self.note_list(now);
    }

    /// How well somebody is connected, at one look.
    pub fn note_quality(&mut self, who: ParticipantId, quality: Quality) {
        let Some(session) = self.present.get(&who).copied() else { return };
        let Some((id, room)) = self.room_of(session) else { return };
        let Some(participant) = room.present.get_mut(&session) else { return };
        participant.samples = participant.samples.saturating_add(1);
        if participant.samples >= QUALITY_SAMPLES && participant.quality.replace(quality) != Some(quality) {
            self.tell_participant(id, session);
        }
    }
}
