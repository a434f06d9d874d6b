//! One room: what it is, and who is there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::domain::{Owner, StreamId};

use super::admission::Ban;
use super::chat::ChatHistory;
use super::half_duplex::Speaker;
use super::options::RoomOptions;
use super::participant::{
    Participant, ParticipantId, ParticipantIdentity, ParticipantInfo, ParticipantKey, PersonInfo, SessionId, user_of,
};
use super::pin::{Guesses, PinHash};
use super::report::Report;
use super::unjoined::{ListenerCounts, MAX_LISTED, Unjoined};

/// Who talks in a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomKind {
    /// All talk, and all hear.
    #[default]
    Intercom,
    /// The host talks, and whom they give the floor; all others listen.
    Broadcast,
}

/// A station, as its room shows it: a device with a name, which can be talked to and called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StationPresence {
    /// It is there.
    Here,
    /// Its page is closed, and calls ring on its phone.
    Phone,
    /// Its page is closed, or out of reach.
    Away,
}

/// Whose a room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Nobody,
    Present(SessionId),
    /// Theirs, though they are not there: they are among the absent ones.
    Awaited(ParticipantId),
}

/// Somebody whose connection broke, and who may come back as the same.
#[derive(Debug)]
pub(super) struct Absent {
    pub(super) who: ParticipantIdentity,
    /// Then they are forgotten.
    pub(super) until: Instant,
}

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) kind: RoomKind,
    pub(super) permanent: bool,
    /// Of the room of a station.
    pub(super) station: Option<StationPresence>,
    /// Whether whoever is there does not want to be disturbed.
    pub(super) do_not_disturb: bool,
    pub(super) options: RoomOptions,
    /// Whoever has it to themselves, where one talks at a time.
    pub(super) speaker: Option<Speaker>,
    pub(super) max: usize,
    /// Participants of one owner.
    pub(super) share: usize,
    /// Who answers for the room.
    pub(super) opener: Option<Owner>,
    pub(super) pin: Option<Arc<PinHash>>,
    pub(super) guesses: Guesses,
    pub(super) locked: bool,
    pub(super) pinned: Option<ParticipantId>,
    pub(super) host: Host,
    /// In the order in which they came.
    pub(super) present: BTreeMap<SessionId, Participant>,
    /// Who is heard, or hears, without having joined.
    pub(super) unjoined: Unjoined,
    /// No more than `max`; the oldest is forgotten, but for the host.
    pub(super) absent: VecDeque<Absent>,
    /// Who may not come in for a while.
    pub(super) bans: VecDeque<Ban>,
    pub(super) chat: ChatHistory,
    pub(super) report: Report,
    pub(super) opened: Instant,
    /// Unix time of the same moment.
    pub(super) created_at: u64,
    /// When somebody last came, talked or wrote.
    pub(super) active: Instant,
    /// Since when nobody is there.
    pub(super) empty_since: Option<Instant>,
}

/// A room as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomInfo {
    /// Its id on the wire.
    pub id: String,
    /// How people call it.
    pub name: String,
    /// Who talks there.
    pub kind: RoomKind,
    /// Whether it is always there.
    pub permanent: bool,
    /// The station whose room it is: what is said there is said to it. `None` of all other rooms.
    pub station: Option<StationPresence>,
    /// Whether whoever is there is not to be disturbed: nothing rings or is announced there but what is urgent, at most.
    pub do_not_disturb: bool,
    /// What is chosen of it.
    #[serde(flatten)]
    pub options: RoomOptions,
    /// Whether nobody else can come in now.
    pub locked: bool,
    /// Whether one needs to know a PIN.
    pub pin: bool,
    /// Whose it is; they may be away for a moment.
    pub host: Option<ParticipantId>,
    /// Who has a slot of their own.
    pub pinned: Option<ParticipantId>,
    /// Participants at most.
    pub max: usize,
    /// Participants now.
    pub participants: usize,
    /// How many of them talk.
    pub talking: usize,
    /// How many hear it without having joined.
    pub listeners: usize,
    /// How many hear it, those who have joined among them.
    pub hearing: usize,
    /// In seconds since 1970.
    pub created_at: u64,
    /// What all say there, mixed for players.
    pub url: String,
    /// Participants but for the host. Not part of what sockets are told: they can count.
    #[serde(skip)]
    pub guests: usize,
    /// Whether somebody is heard. Likewise.
    #[serde(skip)]
    pub live: bool,
}

/// A room in the list of all, with who is there as far as everybody may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedRoom {
    /// The room.
    #[serde(flatten)]
    pub room: RoomInfo,
    /// The first of those who are there or are heard, the longest there first. Nobody, where one needs a PIN to know.
    pub people: Vec<PersonInfo>,
    /// Who hears without having joined.
    pub listening: ListenerCounts,
}

impl Room {
    pub(super) fn listing(&self) -> ListedRoom {
        let listed = if self.pin.is_some() { 0 } else { MAX_LISTED };
        let people = self.everybody().take(listed).map(PersonInfo::from).collect();
        ListedRoom { room: self.info(), people, listening: self.listener_counts() }
    }

    pub(super) fn info(&self) -> RoomInfo {
        RoomInfo {
            id: self.slug.clone(),
            name: self.name.clone(),
            kind: self.kind,
            permanent: self.permanent,
            station: self.station,
            do_not_disturb: self.do_not_disturb,
            options: self.options,
            locked: self.locked,
            pin: self.pin.is_some(),
            host: self.host_id(),
            pinned: self.pinned,
            max: self.max,
            participants: self.present.len(),
            talking: self.talking(),
            listeners: self.listeners(),
            hearing: self.hearing(),
            created_at: self.created_at,
            url: format!("stream/room/{}.mp3", self.slug),
            guests: self.guest_count(),
            live: self.is_live(),
        }
    }

    pub(super) fn participants(&self) -> Vec<ParticipantInfo> {
        self.everybody().collect()
    }

    /// Who is there or is heard, the longest there first.
    fn everybody(&self) -> impl Iterator<Item = ParticipantInfo> + '_ {
        let joined = self.present.keys().filter_map(|session| self.describe(*session));
        joined.chain(self.unjoined.talkers.iter().map(|talker| talker.info.clone()))
    }

    pub(super) fn describe(&self, session: SessionId) -> Option<ParticipantInfo> {
        let participant = self.present.get(&session)?;
        Some(ParticipantInfo {
            id: participant.who.id,
            name: participant.who.name.clone(),
            host: self.is_host(session),
            muted: participant.who.muted,
            has_floor: self.has_floor(session),
            talking: participant.talking,
            music: participant.music,
            shown: participant.shown,
            urgent: false,
            quality: participant.quality,
            joined: true,
            hears: participant.hears(),
            user: user_of(participant.owner.as_ref()),
        })
    }

    fn hearing(&self) -> usize {
        self.present.values().filter(|participant| participant.hears()).count() + self.listeners()
    }

    fn talking(&self) -> usize {
        let joined = self.present.values().filter(|participant| participant.talking).count();
        joined + self.unjoined.talkers.iter().filter(|talker| talker.info.talking).count()
    }

    /// Whether somebody talks, besides these streams of those who have not joined.
    pub(super) fn is_talked_in(&self, besides: &[StreamId]) -> bool {
        let others = self.unjoined.talkers.iter().filter(|talker| !besides.contains(&talker.stream));
        self.present.values().any(|participant| participant.talking)
            || others.map(|one| &one.info).any(|info| info.talking)
    }

    /// Whether somebody is heard, by voice or by music.
    pub(super) fn is_live(&self) -> bool {
        self.talking() > 0 || self.present.values().any(|participant| participant.music)
    }

    /// Whether whoever comes may talk here at once.
    pub(super) fn is_open(&self) -> bool {
        self.pin.is_none() && !self.locked && self.kind == RoomKind::Intercom
    }

    pub(super) fn is_host(&self, session: SessionId) -> bool {
        self.host == Host::Present(session)
    }

    pub(super) fn has_floor(&self, session: SessionId) -> bool {
        let given = self.present.get(&session).is_some_and(|participant| participant.who.has_floor);
        self.kind == RoomKind::Intercom || self.is_host(session) || given
    }

    pub(super) fn may_talk(&self, session: SessionId) -> bool {
        let muted = self.present.get(&session).is_none_or(|participant| participant.who.muted);
        self.has_floor(session) && !muted && !self.is_held_from(session)
    }

    pub(super) fn host_session(&self) -> Option<SessionId> {
        match self.host {
            Host::Present(session) => Some(session),
            Host::Awaited(_) | Host::Nobody => None,
        }
    }

    fn host_id(&self) -> Option<ParticipantId> {
        match self.host {
            Host::Present(session) => self.present.get(&session).map(|participant| participant.who.id),
            Host::Awaited(id) => Some(id),
            Host::Nobody => None,
        }
    }

    /// Whether whoever has this key is the host.
    pub(super) fn is_host_key(&self, key: ParticipantKey) -> bool {
        match self.host {
            Host::Present(session) => self.present.get(&session).is_some_and(|participant| participant.who.key == key),
            Host::Awaited(id) => self.absent.iter().any(|absent| absent.who.id == id && absent.who.key == key),
            Host::Nobody => false,
        }
    }

    pub(super) fn guest_count(&self) -> usize {
        // A host who is just leaving is there no more.
        let is_here = self.host_session().is_some_and(|session| self.present.contains_key(&session));
        self.present.len() - usize::from(is_here)
    }

    /// Whether nobody else can come in of those for whom this owner answers; a host who is away has their place.
    pub(super) fn is_full_for(&self, owner: Option<&Owner>) -> bool {
        let of_owner = self.present.values().filter(|participant| participant.owner.as_ref() == owner).count();
        self.is_full() || owner.is_some() && of_owner >= self.share
    }

    fn is_full(&self) -> bool {
        self.present.len() + usize::from(matches!(self.host, Host::Awaited(_))) >= self.max
    }

    /// The session of whoever has this key.
    pub(super) fn session_of_key(&self, key: ParticipantKey) -> Option<SessionId> {
        self.present.iter().find(|(_, participant)| participant.who.key == key).map(|(session, _)| *session)
    }

    /// The session of this participant.
    pub(super) fn visit_of(&self, id: ParticipantId) -> Option<SessionId> {
        self.present.iter().find(|(_, participant)| participant.who.id == id).map(|(session, _)| *session)
    }

    /// Keeps in mind somebody who may come back.
    pub(super) fn expect_back(&mut self, who: ParticipantIdentity, until: Instant) {
        if self.absent.len() == self.max {
            let host = self.host;
            let oldest = self.absent.iter().position(|absent| host != Host::Awaited(absent.who.id));
            oldest.and_then(|oldest| self.absent.remove(oldest));
        }
        self.absent.push_back(Absent { who, until });
    }
}
