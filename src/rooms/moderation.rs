//! What a host may do in their room, and whoever may do so anywhere.

use std::time::Instant;

use serde::Deserialize;

use crate::domain::RoomId;

use super::Rooms;
use super::admission::Asker;
use super::event::{Closure, LeaveReason, Recipients, Removal};
use super::order::Order;
use super::participant::{ParticipantId, SessionId};
use super::room::{Host, RoomKind};

/// What a host does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum HostAction {
    /// Nobody hears them any more.
    Mute {
        /// Whom.
        who: ParticipantId,
    },
    /// They are heard again.
    Unmute {
        /// Who.
        who: ParticipantId,
    },
    /// They are out, and stay out for a while.
    Kick {
        /// Who.
        who: ParticipantId,
    },
    /// The room is theirs now.
    HandOver {
        /// Whose.
        who: ParticipantId,
    },
    /// They may talk, where not all may (a floor, in the words of RFC 8855).
    #[serde(rename = "give_word")]
    GrantFloor {
        /// Who.
        who: ParticipantId,
    },
    /// And no longer.
    #[serde(rename = "take_word")]
    RevokeFloor {
        /// Who.
        who: ParticipantId,
    },
    /// They have a slot of their own with everybody.
    Pin {
        /// Who; nobody without it.
        #[serde(default)]
        who: Option<ParticipantId>,
    },
    /// Nobody else comes in.
    Lock,
    /// Whoever wants does.
    Unlock,
    /// Everybody is out.
    Close,
    /// To be the host where nobody is.
    Claim,
}

/// It is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The one who wants it is in no room.
    #[error("Join a room before doing anything in it")]
    NotJoined,
    /// It is not there, or no more.
    #[error("There is no such room")]
    NoRoom,
    /// The room is somebody else's.
    #[error("Only the host of the room may do this")]
    NotHost,
    /// They may come back in a moment, or are there.
    #[error("The room has a host")]
    HasHost,
    /// And needs none.
    #[error("This room is everybody's: it has no host")]
    Everybodys,
    /// Whom it is about is not there.
    #[error("There is no such participant in the room")]
    NoParticipant,
}

impl HostError {
    /// For programs, as the protocol has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotJoined => "not_joined",
            Self::NoRoom => "no_room",
            Self::NotHost | Self::HasHost | Self::Everybodys => "not_host",
            Self::NoParticipant => "no_participant",
        }
    }
}

impl Rooms {
    /// Does what a host wants; everybody in the room is told what is different then.
    ///
    /// # Errors
    /// When it is not theirs to want, or cannot be done.
    pub fn host(
        &mut self,
        now: Instant,
        asker: &Asker,
        session: SessionId,
        action: HostAction,
    ) -> Result<(), HostError> {
        let (id, room) = self.room_of(session).ok_or(HostError::NotJoined)?;
        if action != HostAction::Claim && !asker.admin && !room.is_host(session) {
            return Err(HostError::NotHost);
        }
        match action {
            HostAction::Mute { who } => self.set_muted(now, id, who, true),
            HostAction::Unmute { who } => self.set_muted(now, id, who, false),
            HostAction::GrantFloor { who } => self.set_floor(now, id, who, true),
            HostAction::RevokeFloor { who } => self.set_floor(now, id, who, false),
            HostAction::Kick { who } => self.kick(now, id, who),
            HostAction::HandOver { who } => self.hand_over(now, id, who),
            HostAction::Pin { who } => self.pin(now, id, who),
            HostAction::Lock => self.set_locked(now, id, true),
            HostAction::Unlock => self.set_locked(now, id, false),
            HostAction::Claim => self.claim(now, id, session),
            HostAction::Close => {
                self.shut(now, id, Closure::Closed);
                Ok(())
            }
        }
    }

    /// Somebody in this room.
    fn visit_in(&self, id: RoomId, who: ParticipantId) -> Result<SessionId, HostError> {
        self.rooms.get(&id).and_then(|room| room.visit_of(who)).ok_or(HostError::NoParticipant)
    }

    fn set_muted(&mut self, now: Instant, id: RoomId, who: ParticipantId, muted: bool) -> Result<(), HostError> {
        let Ok(session) = self.visit_in(id, who) else { return self.mute_unjoined(id, who, muted) };
        if let Some(participant) = self.rooms.get_mut(&id).and_then(|room| room.present.get_mut(&session)) {
            participant.who.muted = muted;
        }
        self.tell_participant(id, session);
        self.note_list(now);
        Ok(())
    }

    fn set_floor(&mut self, now: Instant, id: RoomId, who: ParticipantId, floor: bool) -> Result<(), HostError> {
        let session = self.visit_in(id, who)?;
        if let Some(participant) = self.rooms.get_mut(&id).and_then(|room| room.present.get_mut(&session)) {
            participant.who.has_floor = floor;
        }
        self.tell_participant(id, session);
        self.note_list(now);
        Ok(())
    }

    fn kick(&mut self, now: Instant, id: RoomId, who: ParticipantId) -> Result<(), HostError> {
        let Ok(session) = self.visit_in(id, who) else { return self.kick_unjoined(now, id, who) };
        let was_host = self.rooms.get(&id).is_some_and(|room| room.is_host(session));
        self.tell(Recipients::One(session), Removal::Kicked.event());
        if let Some(participant) = self.remove(now, id, session, LeaveReason::Kicked) {
            self.orders.push_back(Order::Remove(participant.who.voice, session));
            if let Some(owner) = &participant.owner {
                self.end_other_ways(id, owner);
            }
            if let Some(room) = self.rooms.get_mut(&id) {
                room.ban(now, participant.owner, Some(participant.who.key));
            }
        }
        if was_host {
            self.pass_on(now, id);
        }
        self.note_list(now);
        Ok(())
    }

    fn hand_over(&mut self, now: Instant, id: RoomId, who: ParticipantId) -> Result<(), HostError> {
        let session = self.visit_in(id, who)?;
        self.make_host(now, id, session)
    }

    fn claim(&mut self, now: Instant, id: RoomId, session: SessionId) -> Result<(), HostError> {
        match self.rooms.get(&id).map(|room| room.host) {
            Some(Host::Nobody) => self.make_host(now, id, session),
            _ => Err(HostError::HasHost),
        }
    }

    fn make_host(&mut self, now: Instant, id: RoomId, session: SessionId) -> Result<(), HostError> {
        let room = self.rooms.get_mut(&id).ok_or(HostError::NoRoom)?;
        if room.permanent && room.kind == RoomKind::Intercom {
            return Err(HostError::Everybodys);
        }
        let former = room.host_session().filter(|former| *former != session);
        room.host = Host::Present(session);
        self.tell_room(id);
        for changed in former.into_iter().chain([session]) {
            self.tell_participant(id, changed);
        }
        self.note_list(now);
        Ok(())
    }

    fn pin(&mut self, now: Instant, id: RoomId, who: Option<ParticipantId>) -> Result<(), HostError> {
        let session = who.map(|who| self.visit_in(id, who)).transpose()?;
        let room = self.rooms.get_mut(&id).ok_or(HostError::NoRoom)?;
        let voice = session.and_then(|session| room.present.get(&session)).map(|participant| participant.who.voice);
        if std::mem::replace(&mut room.pinned, who) != who {
            self.orders.push_back(Order::Pin(id, voice));
            self.tell_room(id);
            self.note_list(now);
        }
        Ok(())
    }

    fn set_locked(&mut self, now: Instant, id: RoomId, locked: bool) -> Result<(), HostError> {
        let room = self.rooms.get_mut(&id).ok_or(HostError::NoRoom)?;
        if std::mem::replace(&mut room.locked, locked) != locked {
            self.tell_room(id);
            self.note_list(now);
        }
        Ok(())
    }
}
