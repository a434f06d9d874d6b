//! How rooms come and go.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::{Owner, RoomId};
use crate::limits::share_of;

use super::admission::Asker;
use super::chat::ChatHistory;
use super::clock::EMPTY_TIMEOUT;
use super::event::{Closure, Recipients};
use super::moderation::HostError;
use super::names::{clean_name, slug};
use super::order::Order;
use super::participant::{ParticipantIdentity, ParticipantKey, SessionId};
use super::pin::{Guesses, PinHash};
use super::report::Report;
use super::room::{Host, Room, RoomKind, StationPresence};
use super::unjoined::Unjoined;
use super::{Rooms, RoomsSettings};

/// The id of the room of those who name none.
pub const HOME: &str = "home";

/// Participants of the smallest room.
const LEAST: usize = 2;

/// A room that somebody wants to open.
#[derive(Debug)]
pub struct Opening {
    /// How people will call it.
    pub name: String,
    /// Who will talk there.
    pub kind: RoomKind,
    /// What one needs to know.
    pub pin: Option<PinHash>,
    /// Participants, if less than usual.
    pub max: Option<usize>,
    /// Who answers for it, if anybody does.
    pub owner: Option<Owner>,
}

/// A room that was opened.
#[derive(Debug, Clone, Copy)]
pub struct OpenedRoom {
    /// Which.
    pub room: RoomId,
    /// With it one joins as the host.
    pub key: ParticipantKey,
}

/// A room is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenRoomError {
    /// Nobody could call it anything.
    #[error("A room needs a name")]
    NoName,
    /// More than the house has room for, or less than make a room.
    #[error("A room of this kind has 2 to {0} participants")]
    Size(usize),
    /// There are enough.
    #[error("{0} rooms are open already, as many as rooms.max allows; one has to be closed first")]
    TooMany(usize),
    /// Whoever opens it has opened as many as one may.
    #[error("This address has {0} rooms open already, as many as limits.share leaves to one; close one of them first")]
    TooManyOfOne(usize),
    /// Its PIN was not made safe in time.
    #[error("The voice relay is shutting down")]
    Interrupted,
}

impl OpenRoomError {
    /// For programs, as the protocol has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoName | Self::Size(_) => "bad_message",
            Self::TooMany(_) | Self::TooManyOfOne(_) => "full",
            Self::Interrupted => "shutting_down",
        }
    }
}

impl RoomsSettings {
    fn size(&self, kind: RoomKind) -> usize {
        match kind {
            RoomKind::Intercom => self.intercom_size,
            RoomKind::Broadcast => self.broadcast_size,
        }
    }
}

impl Rooms {
    /// Opens the permanent rooms.
    pub(super) fn create_permanent(&mut self, now: Instant, at: SystemTime) {
        let settings = self.settings.clone();
        let intercom = settings.intercom.iter().map(|name| (name, RoomKind::Intercom));
        let broadcast = settings.broadcast.iter().map(|name| (name, RoomKind::Broadcast));
        let home = self.build(now, at, HOME.into(), clean_name(&settings.home), RoomKind::Intercom);
        home.permanent = true;
        for (name, kind) in intercom.chain(broadcast) {
            let name = clean_name(name);
            let slug = self.free_slug(&name);
            self.build(now, at, slug, name, kind).permanent = true;
        }
    }

    /// Opens a room; `at` is what the clock on the wall says.
    ///
    /// # Errors
    /// When it cannot be opened, and why.
    pub fn open(&mut self, now: Instant, at: SystemTime, opening: Opening) -> Result<OpenedRoom, OpenRoomError> {
        let name = clean_name(&opening.name);
        let most = self.settings.size(opening.kind);
        let max = opening.max.unwrap_or(most);
        if name.is_empty() {
            return Err(OpenRoomError::NoName);
        }
        if !(LEAST..=most).contains(&max) {
            return Err(OpenRoomError::Size(most));
        }
        if self.rooms.values().filter(|room| !room.permanent).count() >= self.settings.max {
            self.counters.rooms_refused += 1;
            return Err(OpenRoomError::TooMany(self.settings.max));
        }
        let share = share_of(self.settings.max, self.settings.share);
        if opening.owner.is_some() && self.rooms.values().filter(|room| room.opener == opening.owner).count() >= share {
            self.counters.rooms_refused += 1;
            return Err(OpenRoomError::TooManyOfOne(share));
        }
        let (room, host) = (RoomId(self.next_room), ParticipantIdentity::new(now));
        let key = host.key;
        let slug = self.free_slug(&name);
        let built = self.build(now, at, slug, name, opening.kind);
        (built.max, built.pin, built.opener) = (max, opening.pin.map(Arc::new), opening.owner);
        built.host = Host::Awaited(host.id);
        built.expect_back(host, now + EMPTY_TIMEOUT);
        self.note_list(now);
        self.log(room, "opened", None);
        Ok(OpenedRoom { room, key })
    }

    /// Closes a room, or empties it if it is a permanent one.
    ///
    /// # Errors
    /// When it is not the asker's to close.
    pub fn close(
        &mut self,
        now: Instant,
        asker: &Asker,
        room: RoomId,
        key: Option<ParticipantKey>,
    ) -> Result<(), HostError> {
        let found = self.rooms.get(&room).ok_or(HostError::NoRoom)?;
        if !asker.admin && !key.is_some_and(|key| found.is_host_key(key)) {
            return Err(HostError::NotHost);
        }
        self.shut(now, room, Closure::Closed);
        Ok(())
    }

    /// Puts everybody out. A permanent room is as new then; another one is no more.
    pub(super) fn shut(&mut self, now: Instant, id: RoomId, why: Closure) {
        self.log(id, "closed", None);
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let present = std::mem::take(&mut room.present);
        let sessions: Vec<SessionId> = present.keys().copied().collect();
        if room.pinned.is_some() {
            self.orders.push_back(Order::Pin(id, None));
        }
        room.renew(now);
        if !room.permanent {
            self.delete(id);
        }
        if !sessions.is_empty() {
            self.tell(Recipients::Those(id, sessions), why.event());
        }
        for (session, participant) in &present {
            self.orders.push_back(Order::Remove(participant.who.voice, *session));
            self.forget(*session, &participant.who);
        }
        self.note_list(now);
    }

    /// Opens the room of a station, which is there until it is closed; `slug` is its id on the wire, which must be free.
    pub fn open_station(&mut self, now: Instant, at: SystemTime, slug: &str, name: &str) {
        let room = self.build(now, at, slug.to_owned(), name.to_owned(), RoomKind::Intercom);
        (room.permanent, room.station) = (true, Some(StationPresence::Away));
        self.note_list(now);
    }

    /// What is different about a station: how people call it, and whether it is there. Does nothing of other rooms.
    pub fn note_station(&mut self, now: Instant, slug: &str, name: &str, presence: StationPresence) {
        let Some(id) = self.find(slug) else { return };
        let Some(room) = self.rooms.get_mut(&id).filter(|room| room.station.is_some()) else { return };
        if room.name == name && room.station == Some(presence) {
            return;
        }
        (room.name, room.station) = (name.to_owned(), Some(presence));
        self.tell_room(id);
        self.note_list(now);
    }

    /// Which rooms are not to be disturbed, by their ids.
    pub fn note_do_not_disturb(&mut self, now: Instant, is_quiet: impl Fn(&str) -> bool) {
        let different: Vec<_> = self
            .rooms
            .iter()
            .filter(|(_, room)| room.do_not_disturb != is_quiet(&room.slug))
            .map(|(id, _)| *id)
            .collect();
        for id in different {
            if let Some(room) = self.rooms.get_mut(&id) {
                room.do_not_disturb = !room.do_not_disturb;
            }
            self.tell_room(id);
            self.note_list(now);
        }
    }

    /// Closes the room of a station. Does nothing of other rooms.
    pub fn close_station(&mut self, now: Instant, slug: &str) {
        let Some(id) = self.find(slug) else { return };
        let Some(room) = self.rooms.get_mut(&id).filter(|room| room.station.is_some()) else { return };
        room.permanent = false;
        self.shut(now, id, Closure::Closed);
    }

    fn delete(&mut self, id: RoomId) {
        let Some(room) = self.rooms.remove(&id) else { return };
        self.slugs.remove(&room.slug);
        // The next of this name is another one.
        self.kept_options.remove(&room.slug);
        // They talk on, to nobody.
        for talker in &room.unjoined.talkers {
            self.streams.remove(&talker.stream);
        }
        self.orders.push_back(Order::Forget(id));
    }

    /// An id on the wire for a room of this name, which no other has.
    pub fn free_slug(&self, name: &str) -> String {
        slug(name, |slug| self.slugs.contains_key(slug))
    }

    fn build(&mut self, now: Instant, at: SystemTime, slug: String, name: String, kind: RoomKind) -> &mut Room {
        let id = RoomId(self.next_room);
        self.next_room += 1;
        self.slugs.insert(slug.clone(), id);
        let options = self.kept_options.get(&slug).copied().unwrap_or_default();
        let room = Room {
            slug,
            name,
            kind,
            permanent: false,
            station: None,
            do_not_disturb: false,
            options,
            speaker: None,
            max: self.settings.size(kind),
            share: share_of(self.settings.size(kind), self.settings.share),
            opener: None,
            pin: None,
            guesses: Guesses::default(),
            locked: false,
            pinned: None,
            host: Host::Nobody,
            present: BTreeMap::new(),
            unjoined: Unjoined::default(),
            absent: VecDeque::new(),
            bans: VecDeque::new(),
            chat: ChatHistory::default(),
            report: Report::default(),
            opened: now,
            created_at: at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            active: now,
            empty_since: Some(now),
        };
        self.rooms.entry(id).or_insert(room)
    }
}

impl Room {
    /// As it was when it was opened, but for its name; to be called when nobody is there any more.
    fn renew(&mut self, now: Instant) {
        (self.locked, self.pinned, self.host, self.speaker) = (false, None, Host::Nobody, None);
        self.absent.clear();
        self.bans.clear();
        (self.chat, self.report) = (ChatHistory::default(), Report::default());
        self.empty_since = Some(now);
    }
}
