//! Who comes into a room, who goes, and who comes back.

use std::time::Instant;

use crate::domain::{RoomId, StreamId, TrackKind};

use super::Rooms;
use super::admission::{Asker, JoinError, JoinPermit};
use super::clock::GRACE;
use super::event::{Closure, LeaveReason, Recipients, Removal, RoomEvent};
use super::names::{clean_name, unique_name};
use super::order::Order;
use super::participant::{Participant, ParticipantId, ParticipantIdentity, ParticipantKey, SessionId};
use super::room::{Host, Room, RoomKind};
use super::video::Shown;

/// Somebody who has come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub id: ParticipantId,
    /// The stream of their voice.
    pub voice: StreamId,
    /// The stream of their music.
    pub music: StreamId,
    /// The track of their camera.
    pub camera: StreamId,
    /// The track of their screen.
    pub screen: StreamId,
    /// By which connection.
    pub session: SessionId,
}

impl Room {
    fn take_absent(&mut self, key: Option<ParticipantKey>) -> Option<ParticipantIdentity> {
        let place = self.absent.iter().position(|absent| Some(absent.who.key) == key)?;
        self.absent.remove(place).map(|absent| absent.who)
    }
}

impl Rooms {
    /// Lets somebody in, by the key of who they were before, if it is known.
    ///
    /// # Errors
    /// When they may not come in after all.
    pub fn join(
        &mut self,
        now: Instant,
        asker: &Asker,
        pass: &JoinPermit,
        name: &str,
        key: Option<ParticipantKey>,
    ) -> Result<Joined, JoinError> {
        let id = pass.room;
        let room = self.rooms.get_mut(&id).ok_or(JoinError::NoRoom)?;
        room.admit(now, asker, key)?;
        let session = SessionId(self.next_session);
        self.next_session += 1;
        let former = key.and_then(|key| room.session_of_key(key));
        let replaced = former.and_then(|former| room.present.remove(&former).map(|gone| (former, gone.who)));
        let mut who = match &replaced {
            Some((_, who)) => who.clone(),
            None => room.take_absent(key).unwrap_or_else(|| ParticipantIdentity::new(now)),
        };
        let wanted = if who.name.is_empty() { name } else { &who.name };
        who.name = unique_name(wanted, room.present.values().map(|other| other.who.name.as_str()));
        if let Some((former, who)) = &replaced {
            self.supersede(id, *former, who, session);
        }
        let joined = self.place(now, asker, id, session, who);
        self.log(id, "somebody joined", Some(joined.id));
        self.welcome(now, joined, replaced.is_some());
        Ok(joined)
    }

    /// The connection that somebody had before is out; everything else is as it was.
    fn supersede(&mut self, id: RoomId, former: SessionId, who: &ParticipantIdentity, session: SessionId) {
        if let Some(room) = self.rooms.get_mut(&id)
            && room.host == Host::Present(former)
        {
            room.host = Host::Present(session);
        }
        self.release_room(id, Some(former));
        self.tell(Recipients::One(former), Removal::Replaced.event());
        self.orders.push_back(Order::Remove(who.voice, former));
        self.forget(former, who);
    }

    /// Gives somebody their place.
    fn place(
        &mut self,
        now: Instant,
        asker: &Asker,
        id: RoomId,
        session: SessionId,
        who: ParticipantIdentity,
    ) -> Joined {
        let ParticipantIdentity { id: participant, voice, music, camera, screen, .. } = who;
        let joined = Joined { room: id, id: participant, voice, music, camera, screen, session };
        if let Some(room) = self.rooms.get_mut(&id) {
            if room.host == Host::Awaited(who.id) {
                room.host = Host::Present(session);
            }
            let owner = asker.owner.clone();
            let new = Participant {
                who,
                owner,
                talking: false,
                music: false,
                shown: Shown::default(),
                quality: None,
                samples: 0,
                silenced: false,
                hidden: false,
                listens: true,
                connected: false,
            };
            room.present.insert(session, new);
            let (silenced, hidden) = (!room.may_talk(session), !room.has_floor(session));
            room.present.entry(session).and_modify(|new| (new.silenced, new.hidden) = (silenced, hidden));
            (room.active, room.empty_since) = (now, None);
        }
        self.sessions.insert(session, id);
        self.present.insert(joined.id, session);
        let kinds = [TrackKind::Voice, TrackKind::Music, TrackKind::Camera, TrackKind::Screen];
        for (stream, kind) in [voice, music, camera, screen].into_iter().zip(kinds) {
            self.streams.insert(stream, (joined.id, kind));
        }
        joined
    }

    /// People call somebody otherwise from now on; what has nothing in it that can be seen changes nothing. `None` for whoever
    /// is not there, and where nothing changes; else how they are called.
    pub fn rename(&mut self, now: Instant, session: SessionId, name: &str) -> Option<String> {
        let (id, room) = self.room_of(session)?;
        let wanted = clean_name(name);
        let others = room.present.iter().filter(|(other, _)| **other != session);
        let name = unique_name(&wanted, others.map(|(_, other)| other.who.name.as_str()));
        let participant = room.present.get_mut(&session)?;
        if wanted.is_empty() || participant.who.name == name {
            return None;
        }
        participant.who.name.clone_from(&name);
        self.tell_participant(id, session);
        self.note_list(now);
        Some(name)
    }

    /// Tells somebody where they are, and the others that they are there.
    fn welcome(&mut self, now: Instant, joined: Joined, is_replacement: bool) {
        let Joined { room: id, id: you, session, .. } = joined;
        let Some(room) = self.rooms.get(&id) else { return };
        let (Some(participant), Some(key)) =
            (room.describe(session), room.present.get(&session).map(|new| new.who.key))
        else {
            return;
        };
        let (info, chat) = (room.info(), room.chat.lines());
        let (participants, listeners) = (room.participants(), room.listed());
        let message = RoomEvent::Joined { room: info, you, key, participants, listeners, chat };
        let is_host = participant.host;
        let news = match is_replacement {
            true => RoomEvent::ParticipantChanged { participant },
            false => RoomEvent::ParticipantJoined { participant },
        };
        self.tell(Recipients::One(session), message);
        self.tell(Recipients::RoomBut(id, session), news);
        if is_host && !is_replacement {
            self.tell_room(id);
        }
        self.note_list(now);
    }

    /// Somebody leaves a room, or their connection is lost: then they may come back within [`GRACE`]. Does nothing for a
    /// session that is over.
    pub fn leave(&mut self, now: Instant, session: SessionId, reason: LeaveReason) {
        let Some((id, room)) = self.room_of(session) else { return };
        let was_host = room.is_host(session);
        let is_alone = room.present.len() == 1 && room.kind == RoomKind::Intercom && !room.permanent;
        // Who was the only one has left an empty room: it is still theirs when they come back soon.
        let stays_host = was_host && (reason == LeaveReason::Gone || reason == LeaveReason::Left && is_alone);
        if reason == LeaveReason::Left {
            self.tell(Recipients::One(session), RoomEvent::Left);
        }
        let Some(participant) = self.remove(now, id, session, reason) else { return };
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if stays_host {
            room.host = Host::Awaited(participant.who.id);
        }
        if stays_host || reason == LeaveReason::Gone {
            room.expect_back(participant.who, now + GRACE);
        }
        if was_host && !stays_host {
            self.pass_on(now, id);
        }
        self.note_list(now);
    }

    /// Takes somebody out, and tells the others why.
    pub(super) fn remove(
        &mut self,
        now: Instant,
        id: RoomId,
        session: SessionId,
        reason: LeaveReason,
    ) -> Option<Participant> {
        let room = self.rooms.get_mut(&id)?;
        let participant = room.present.remove(&session)?;
        let who = participant.who.id;
        let was_pinned = room.pinned == Some(who);
        if was_pinned {
            room.pinned = None;
        }
        if room.present.is_empty() {
            room.empty_since = Some(now);
            // Nobody could ever unlock it.
            room.locked &= !room.permanent;
        }
        self.release_room(id, Some(session));
        self.forget(session, &participant.who);
        self.log(id, "somebody left", Some(who));
        self.tell(Recipients::Room(id), RoomEvent::ParticipantLeft { who, reason });
        if was_pinned {
            self.orders.push_back(Order::Pin(id, None));
            self.tell_room(id);
        }
        Some(participant)
    }

    /// The host has gone for good: another one has the room, or it is closed.
    pub(super) fn pass_on(&mut self, now: Instant, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if room.kind == RoomKind::Broadcast && !room.permanent {
            return self.shut(now, id, Closure::HostLeft);
        }
        let heir = room.present.keys().next().copied().filter(|_| room.kind == RoomKind::Intercom);
        room.host = heir.map_or(Host::Nobody, Host::Present);
        self.tell_room(id);
        if let Some(heir) = heir {
            self.tell_participant(id, heir);
        }
        self.note_list(now);
    }

    pub(super) fn forget(&mut self, session: SessionId, who: &ParticipantIdentity) {
        self.sessions.remove(&session);
        self.present.remove(&who.id);
        for stream in [who.voice, who.music, who.camera, who.screen] {
            self.streams.remove(&stream);
        }
    }
}
