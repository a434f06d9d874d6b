//! Rooms in which one talks at a time. Whoever begins has the room to themselves, and the media side passes on nothing that
//! others who have joined say meanwhile; it is free again when they say that they have finished, leave, or are not heard for a
//! while.

use std::time::{Duration, Instant};

use crate::domain::RoomId;

use super::Rooms;
use super::media::TalkError;
use super::participant::SessionId;
use super::room::Room;

/// Whoever has begun to talk, or pauses, keeps the room for so long without being heard.
pub const HOLD: Duration = Duration::from_secs(2);

/// Whoever has a room to themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Speaker {
    pub(super) session: SessionId,
    /// Until then, unless they are heard before; `None` as long as they are heard.
    until: Option<Instant>,
}

impl Room {
    /// Whether somebody else has the room to themselves.
    pub(super) fn is_held_from(&self, session: SessionId) -> bool {
        self.speaker.is_some_and(|speaker| speaker.session != session)
    }

    /// When it is free again, if whoever has it is not heard before.
    pub(super) fn free_at(&self) -> Option<Instant> {
        self.speaker.and_then(|speaker| speaker.until)
    }
}

impl Rooms {
    /// Whether somebody who has joined has this room to themselves.
    pub fn is_held(&self, id: RoomId) -> bool {
        self.rooms.get(&id).is_some_and(|room| room.speaker.is_some())
    }

    /// Somebody begins to talk.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn begin_talking(&mut self, now: Instant, session: SessionId) -> Result<(), TalkError> {
        self.may_talk(session)?;
        let Some((id, room)) = self.room_of(session) else { return Ok(()) };
        if room.is_held_from(session) {
            return Err(TalkError::Occupied);
        }
        if room.options.half_duplex && room.speaker.is_none() {
            self.hold_room(id, Speaker { session, until: Some(now + HOLD) });
        }
        Ok(())
    }

    /// Somebody has finished.
    pub fn end_talking(&mut self, session: SessionId) {
        if let Some(id) = self.sessions.get(&session) {
            self.release_room(*id, Some(session));
        }
    }

    /// Somebody is heard in a room, or no longer: they have it to themselves where it was free.
    pub(super) fn note_heard(&mut self, now: Instant, id: RoomId, session: SessionId, on: bool) {
        let Some(room) = self.rooms.get_mut(&id).filter(|room| room.options.half_duplex) else { return };
        let until = if on { None } else { Some(now + HOLD) };
        match &mut room.speaker {
            Some(speaker) if speaker.session == session => speaker.until = until,
            None if on => self.hold_room(id, Speaker { session, until }),
            _ => {}
        }
    }

    /// Nobody has the room to themselves any more; `only`: unless it is somebody else than this one who has.
    pub(super) fn release_room(&mut self, id: RoomId, only: Option<SessionId>) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if room.speaker.take_if(|speaker| only.is_none_or(|only| speaker.session == only)).is_some() {
            self.silence_others(id);
        }
    }

    /// Those who were not heard for long have their rooms no more.
    pub(super) fn release_silent(&mut self, now: Instant) {
        let is_due = |room: &Room| room.free_at().is_some_and(|at| at <= now);
        let due: Vec<_> = self.rooms.iter().filter(|(_, room)| is_due(room)).map(|(id, _)| *id).collect();
        for id in due {
            self.release_room(id, None);
        }
    }

    fn hold_room(&mut self, id: RoomId, speaker: Speaker) {
        if let Some(room) = self.rooms.get_mut(&id) {
            room.speaker = Some(speaker);
        }
        self.silence_others(id);
    }

    fn silence_others(&mut self, id: RoomId) {
        let sessions: Vec<_> = self.rooms.get(&id).into_iter().flat_map(|room| room.present.keys().copied()).collect();
        for session in sessions {
            self.follow_silence(id, session);
        }
    }
}
