//! What rooms know of what is seen: who shows a camera or a screen there, and who may.

use std::time::Instant;

use serde::Serialize;

use crate::domain::{RoomId, StreamId, TrackKind};

use super::Rooms;
use super::media::TalkError;
use super::order::Order;
use super::participant::{ParticipantId, SessionId};

/// What somebody shows just now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Whether their camera is seen.
    pub camera: bool,
    /// Whether their screen is.
    pub screen: bool,
}

impl Rooms {
    /// Whether somebody may show something: who may talk there, whether or not they are muted.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn may_show(&self, session: SessionId) -> Result<(), TalkError> {
        let room = self.sessions.get(&session).and_then(|id| self.rooms.get(id)).ok_or(TalkError::NotJoined)?;
        if room.has_floor(session) { Ok(()) } else { Err(TalkError::NoFloor) }
    }

    /// The connection for video of somebody is there: whether they may be seen is ordered anew, in its turn among all that was
    /// decided of them.
    pub fn note_video_connected(&mut self, session: SessionId) {
        let Some((_, room)) = self.room_of(session) else { return };
        if let Some(participant) = room.present.get(&session) {
            let order = Order::Hide(participant.who.voice, participant.hidden);
            self.orders.push_back(order);
        }
    }

    /// Somebody is seen, or no longer, by their camera or on their screen. Who is hidden is not, whatever still arrives.
    pub fn note_shown(&mut self, now: Instant, who: ParticipantId, kind: TrackKind, on: bool) {
        let Some(session) = self.present.get(&who).copied() else { return };
        let Some((id, room)) = self.room_of(session) else { return };
        let Some(participant) = room.present.get_mut(&session) else { return };
        let on = on && !participant.hidden;
        let shown = match kind {
            TrackKind::Camera => &mut participant.shown.camera,
            TrackKind::Screen => &mut participant.shown.screen,
            TrackKind::Voice | TrackKind::Urgent | TrackKind::Music => return,
        };
        if std::mem::replace(shown, on) != on {
            room.active = now;
            self.tell_participant(id, session);
            self.note_list(now);
        }
    }

    /// Whose a track of video is, if they are in the same room as whoever looks: nobody sees into another one.
    pub fn video_of(&self, viewer: SessionId, who: ParticipantId, kind: TrackKind) -> Option<StreamId> {
        let room = self.sessions.get(&viewer)?;
        let session = self.present.get(&who).filter(|session| self.sessions.get(session) == Some(room))?;
        let identity = &self.rooms.get(room)?.present.get(session)?.who;
        match kind {
            TrackKind::Camera => Some(identity.camera),
            TrackKind::Screen => Some(identity.screen),
            TrackKind::Voice | TrackKind::Urgent | TrackKind::Music => None,
        }
    }

    /// Tells the media side whether somebody may be seen, where that is different.
    pub(super) fn follow_hiding(&mut self, id: RoomId, session: SessionId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let hidden = !room.has_floor(session);
        let Some(participant) = room.present.get_mut(&session) else { return };
        if std::mem::replace(&mut participant.hidden, hidden) == hidden {
            return;
        }
        if hidden {
            participant.shown = Shown::default();
        }
        self.orders.push_back(Order::Hide(participant.who.voice, hidden));
    }
}
