//! Who is heard or hears in a room without having joined it: older clients, WHIP and WHEP, players, this machine's own
//! sound card. Those who are there see them, and the host can mute them and send them out; they see nobody.

use std::time::Instant;

use serde::Serialize;

use crate::domain::{GrantId, Owner, RoomId, StreamId, Track, TrackKind};

use super::Rooms;
use super::clock::LIST_INTERVAL;
use super::event::{LeaveReason, Recipients, RoomEvent};
use super::moderation::HostError;
use super::names::{clean_name, unique_name};
use super::order::Order;
use super::participant::{ParticipantId, ParticipantInfo, user_of};
use super::room::Room;
use super::video::Shown;

/// Listeners, and people in the list of rooms, that are listed by name; of further ones it is told how many they are.
pub const MAX_LISTED: usize = 50;

/// What somebody who has not joined was granted, and who answers for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// What is ended when they are sent out.
    pub grant: GrantId,
    /// Whoever is kept out then for a while.
    pub owner: Owner,
}

/// How somebody hears without having joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenerKind {
    /// A media player, by MP3, WAV or Ogg.
    Player,
    /// A browser, a card or a program, by WebRTC.
    Client,
    /// This machine's own loudspeaker.
    Loudspeaker,
}

/// Somebody who hears without having joined, as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListenerInfo {
    /// For the host, who may send them out.
    pub id: ParticipantId,
    /// How people call them; their address, where they have no name.
    pub name: String,
    /// How they hear.
    pub kind: ListenerKind,
}

/// How many hear a room without having joined it, by how they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ListenerCounts {
    /// By MP3, WAV or Ogg.
    pub players: usize,
    /// By WebRTC.
    pub clients: usize,
    /// By this machine's own loudspeaker.
    pub loudspeakers: usize,
}

/// Somebody who is heard.
#[derive(Debug)]
pub(super) struct Talker {
    pub(super) stream: StreamId,
    granted: Option<Granted>,
    pub(super) info: ParticipantInfo,
}

/// Somebody who hears.
#[derive(Debug)]
pub(super) struct UnjoinedListener {
    granted: Granted,
    info: ListenerInfo,
}

/// All of one room.
#[derive(Debug, Default)]
pub(super) struct Unjoined {
    pub(super) talkers: Vec<Talker>,
    listeners: Vec<UnjoinedListener>,
    /// When the room is to be told who listens; `None` while it knows.
    pub(super) due: Option<Instant>,
    told: Option<Instant>,
}

impl Room {
    fn talker(&mut self, who: ParticipantId) -> Option<&mut Talker> {
        self.unjoined.talkers.iter_mut().find(|talker| talker.info.id == who)
    }

    /// How many hear it without having joined.
    pub(super) fn listeners(&self) -> usize {
        self.unjoined.listeners.len()
    }

    /// The same, by how they hear.
    pub(super) fn listener_counts(&self) -> ListenerCounts {
        let mut counts = ListenerCounts::default();
        for listener in &self.unjoined.listeners {
            *match listener.info.kind {
                ListenerKind::Player => &mut counts.players,
                ListenerKind::Client => &mut counts.clients,
                ListenerKind::Loudspeaker => &mut counts.loudspeakers,
            } += 1;
        }
        counts
    }

    /// The first of them, the longest there first.
    pub(super) fn listed(&self) -> Vec<ListenerInfo> {
        self.unjoined.listeners.iter().take(MAX_LISTED).map(|listener| listener.info.clone()).collect()
    }

    fn note_listeners(&mut self, now: Instant) {
        let due = self.unjoined.told.map_or(now, |told| (told + LIST_INTERVAL).max(now));
        self.unjoined.due.get_or_insert(due);
    }
}

impl Rooms {
    /// A stream has begun that is nobody's who has joined; as many as the relay lets in. `granted`: what its sender was
    /// granted, where that is known.
    pub fn talker_came(&mut self, now: Instant, stream: Track, name: &str, granted: Option<Granted>) {
        let Some(room) = self.rooms.get_mut(&stream.room) else { return };
        let others = room.present.values().map(|other| other.who.name.as_str());
        let others = others.chain(room.unjoined.talkers.iter().map(|other| other.info.name.as_str()));
        let info = ParticipantInfo {
            id: ParticipantId::new(),
            name: unique_name(&clean_name(name), others),
            host: false,
            muted: false,
            has_floor: true,
            talking: false,
            music: false,
            shown: Shown::default(),
            urgent: stream.kind == TrackKind::Urgent,
            quality: None,
            joined: false,
            hears: false,
            user: user_of(granted.as_ref().map(|granted| &granted.owner)),
        };
        room.unjoined.talkers.push(Talker { stream: stream.id, granted, info: info.clone() });
        room.active = now;
        self.streams.insert(stream.id, (info.id, stream.kind));
        self.tell(Recipients::Room(stream.room), RoomEvent::ParticipantJoined { participant: info });
    }

    /// That stream is over. Does nothing for the streams of those who have joined.
    pub fn talker_left(&mut self, stream: StreamId) {
        for (id, room) in &mut self.rooms {
            let Some(place) = room.unjoined.talkers.iter().position(|talker| talker.stream == stream) else { continue };
            let (id, who) = (*id, room.unjoined.talkers.remove(place).info.id);
            self.streams.remove(&stream);
            self.tell(Recipients::Room(id), RoomEvent::ParticipantLeft { who, reason: LeaveReason::Left });
            return;
        }
    }

    pub(super) fn unjoined_talker(&self, who: ParticipantId) -> Option<&Talker> {
        self.rooms.values().flat_map(|room| &room.unjoined.talkers).find(|talker| talker.info.id == who)
    }

    /// They are heard, or no longer.
    pub(super) fn note_unjoined_talking(&mut self, now: Instant, who: ParticipantId, on: bool) {
        let found = self.rooms.iter_mut().find_map(|(id, room)| Some((*id, room.talker(who)?)));
        let Some((id, talker)) = found else { return };
        let on = on && !talker.info.muted;
        if std::mem::replace(&mut talker.info.talking, on) != on {
            self.tell(Recipients::Room(id), RoomEvent::Talking { who, on, music: false });
            self.note_list(now);
        }
    }

    /// Somebody hears a room without joining it, until they [leave](Self::listener_left).
    pub fn listener_came(
        &mut self,
        now: Instant,
        room: RoomId,
        granted: Granted,
        name: &str,
        kind: ListenerKind,
    ) -> Option<ParticipantId> {
        let found = self.rooms.get_mut(&room)?;
        let info = ListenerInfo { id: ParticipantId::new(), name: clean_name(name), kind };
        let id = info.id;
        found.unjoined.listeners.push(UnjoinedListener { granted, info });
        found.note_listeners(now);
        Some(id)
    }

    /// And no longer.
    pub fn listener_left(&mut self, now: Instant, room: RoomId, who: ParticipantId) {
        let Some(room) = self.rooms.get_mut(&room) else { return };
        room.unjoined.listeners.retain(|listener| listener.info.id != who);
        room.note_listeners(now);
    }

    /// Who hears a room without having joined it, and how many they are.
    pub fn listeners(&self, room: RoomId) -> Option<(Vec<ListenerInfo>, usize)> {
        self.rooms.get(&room).map(|room| (room.listed(), room.listeners()))
    }

    /// Tells rooms who listens, where that is different and it is time.
    pub(super) fn tell_listeners(&mut self, now: Instant) {
        let due = self.rooms.iter_mut().filter(|(_, room)| room.unjoined.due.is_some_and(|at| at <= now));
        let due: Vec<_> = due
            .map(|(id, room)| {
                (room.unjoined.due, room.unjoined.told) = (None, Some(now));
                (*id, RoomEvent::Listeners { listeners: room.listed(), count: room.listeners() })
            })
            .collect();
        for (id, message) in due {
            self.tell(Recipients::Room(id), message);
            self.note_list(now);
        }
    }

    /// Nobody hears somebody any more who has not joined, or again.
    pub(super) fn mute_unjoined(&mut self, id: RoomId, who: ParticipantId, muted: bool) -> Result<(), HostError> {
        let talker = self.rooms.get_mut(&id).and_then(|room| room.talker(who)).ok_or(HostError::NoParticipant)?;
        talker.info.muted = muted;
        talker.info.talking &= !muted;
        let (stream, participant) = (talker.stream, talker.info.clone());
        self.orders.push_back(Order::Silence(stream, muted));
        self.tell(Recipients::Room(id), RoomEvent::ParticipantChanged { participant });
        Ok(())
    }

    /// Sends somebody out who is heard, or hears, without having joined; all that they hear or say there ends.
    pub(super) fn kick_unjoined(&mut self, now: Instant, id: RoomId, who: ParticipantId) -> Result<(), HostError> {
        let room = self.rooms.get_mut(&id).ok_or(HostError::NoRoom)?;
        let hears = room.unjoined.listeners.iter().find(|listener| listener.info.id == who);
        let granted = match hears {
            Some(listener) => listener.granted.clone(),
            None => room.talker(who).and_then(|talker| talker.granted.clone()).ok_or(HostError::NoParticipant)?,
        };
        // The sound card has no way to come back but by somebody who turns it.
        let owner = Some(granted.owner.clone()).filter(|owner| *owner != Owner::Machine);
        room.ban(now, owner, None);
        self.end_other_ways(id, &granted.owner);
        Ok(())
    }

    /// Ends all that somebody hears and says in a room besides having joined it, who is sent out of it.
    pub(super) fn end_other_ways(&mut self, id: RoomId, owner: &Owner) {
        let Some(room) = self.rooms.get(&id) else { return };
        let all = room.unjoined.listeners.iter().map(|listener| Some(&listener.granted));
        let all = all.chain(room.unjoined.talkers.iter().map(|talker| talker.granted.as_ref())).flatten();
        let ended: Vec<_> = all.filter(|other| other.owner == *owner).map(|other| other.grant).collect();
        self.orders.extend(ended.into_iter().map(Order::End));
    }
}
