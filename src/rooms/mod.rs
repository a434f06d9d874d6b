//! The rooms of the house: which there are, who is in which, who may do what, and what was said. A state machine:
//! no sockets, no tokio, no clock, and nothing of media but what it is told. Times are arguments; what comes out are
//! notices ([`Rooms::poll_notice`]) and orders to the media side ([`Rooms::poll_order`]).
//!
//! `room` is one room and `participant` somebody in it; `lifecycle` makes rooms and closes them, `admission` says who may
//! come in and `membership` who comes and goes, `pin` is what guards some doors, and `moderation` what a host may do there; `options` what may be chosen of a room, which `kept` keeps, and `half_duplex` that one talks at a time; `chat` is what is written, `media` what
//! is heard, and `report` how well; `clock` does what is due; `names` makes fit to be shown what people call
//! themselves; `event` is what is told to whom, and `order` what the media side is to do. `handle` is the door for everybody else: it has the lock, the clock, and
//! the queues to the clients.
//!
//! Rooms hold what is bounded only: [`RoomsSettings`] says how many rooms and participants there may be, and each file names
//! the bounds of its own lists.

mod admission;
mod chat;
mod clock;
mod event;
mod half_duplex;
mod handle;
mod kept;
mod lifecycle;
mod media;
mod membership;
mod moderation;
mod names;
mod options;
mod order;
mod participant;
mod pin;
mod report;
mod room;
#[cfg(test)]
mod tests;
mod unjoined;
mod video;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Instant, SystemTime};

use crate::domain::{RoomId, StreamId, TrackKind};

pub use admission::{Asker, JoinDecision, JoinError, JoinPermit, KICKED_FOR, MAX_BANS, PinChallenge};
pub use chat::{CHAT_BURST, CHAT_HISTORY, CHAT_INTERVAL, ChatError, ChatLine};
pub use clock::{EMPTY_TIMEOUT, GRACE, IDLE_TIMEOUT, LIST_INTERVAL};
pub use event::{Closure, LeaveReason, Notice, Recipients, Removal, RoomEvent, SlotInfo, Topic, VideoState, ViewInfo};
pub use half_duplex::HOLD;
pub use handle::{
    Detail, EventReceiver, EventSender, Listening, Membership, Published, QUEUE_CAPACITY, RoomsHandle, Watching,
};
pub use kept::{RoomOptionsKeeper, SetRoomOptionsError};
pub use lifecycle::{HOME, OpenRoomError, OpenedRoom, Opening};
pub use media::TalkError;
pub use membership::Joined;
pub use moderation::{HostAction, HostError};
pub use names::{MAX_CHAT, MAX_NAME, clean_name, unique_name};
pub use options::{RoomOptions, RoomOptionsChange};
pub use order::Order;
pub use participant::{
    ParticipantId, ParticipantInfo, ParticipantKey, PersonInfo, QUALITY_SAMPLES, Quality, SessionId,
};
pub use pin::{FREE_GUESSES, GUESS_WINDOW, InvalidPin, MAX_GUESS_DELAY, MAX_GUESSERS, MAX_GUESSES, Pin, PinHash};
pub use report::{GuestInfo, GuestStats, HISTORY_INTERVAL, HISTORY_POINTS, Measures, Point, RoomStats, StatsInfo};
pub use room::{ListedRoom, RoomInfo, RoomKind, StationPresence};
pub use unjoined::{Granted, ListenerCounts, ListenerInfo, ListenerKind, MAX_LISTED};
pub use video::Shown;

use room::Room;

/// Which rooms there always are, and how many more there may be.
#[derive(Debug, Clone)]
pub struct RoomsSettings {
    /// What people call the room of those who name none.
    pub home: String,
    /// The names of the other permanent rooms in which all talk.
    pub intercom: Vec<String>,
    /// And of those in which one talks and many listen.
    pub broadcast: Vec<String>,
    /// Rooms besides the permanent ones.
    pub max: usize,
    /// Participants of one intercom room.
    pub intercom_size: usize,
    /// And of one broadcast room.
    pub broadcast_size: usize,
    /// Percentage of each that one address may have.
    pub share: u8,
}

/// What rooms count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoomCounters {
    /// Guesses at PINs that came too fast to be looked at.
    pub guesses_refused: u64,
    /// Guesses that were wrong.
    pub guesses_wrong: u64,
    /// Chat messages that came too fast.
    pub chat_refused: u64,
    /// Who came to a room that was full.
    pub full: u64,
    /// Rooms that were not opened, since there were too many.
    pub rooms_refused: u64,
}

/// All rooms.
#[derive(Debug)]
pub struct Rooms {
    settings: RoomsSettings,
    /// In the order in which they were opened.
    rooms: BTreeMap<RoomId, Room>,
    /// How rooms are called on the wire.
    slugs: HashMap<String, RoomId>,
    /// Where each session takes place.
    sessions: HashMap<SessionId, RoomId>,
    /// The session of each who is there.
    present: HashMap<ParticipantId, SessionId>,
    /// Whose streams these are, and what they carry.
    streams: HashMap<StreamId, (ParticipantId, TrackKind)>,
    /// What was chosen before a restart, of rooms that may be opened yet.
    kept_options: BTreeMap<String, RoomOptions>,
    next_room: u32,
    next_session: u64,
    /// When the watchers are to be told the list; `None` while it is as they know it.
    list_due: Option<Instant>,
    /// When they were told last.
    list_told: Option<Instant>,
    /// Emptied after each operation, so as long as the longest of them makes it.
    outbox: VecDeque<Notice>,
    /// Likewise.
    orders: VecDeque<Order>,
    counters: RoomCounters,
}

impl Rooms {
    /// The permanent rooms, empty; `at` is what the clock on the wall says.
    pub fn new(settings: RoomsSettings, now: Instant, at: SystemTime) -> Self {
        let mut rooms = Self {
            settings,
            rooms: BTreeMap::new(),
            slugs: HashMap::new(),
            sessions: HashMap::new(),
            present: HashMap::new(),
            streams: HashMap::new(),
            kept_options: BTreeMap::new(),
            next_room: RoomId::HOME.0,
            next_session: 0,
            list_due: None,
            list_told: None,
            outbox: VecDeque::new(),
            orders: VecDeque::new(),
            counters: RoomCounters::default(),
        };
        rooms.create_permanent(now, at);
        rooms
    }

    /// The next event to be delivered. To be asked until there is none, after each operation.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.outbox.pop_front()
    }

    /// The next order to the media side, likewise.
    pub fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// The room of this id on the wire.
    pub fn find(&self, slug: &str) -> Option<RoomId> {
        self.slugs.get(slug).copied()
    }

    /// The id on the wire of this room.
    pub fn slug(&self, room: RoomId) -> Option<&str> {
        Some(&self.rooms.get(&room)?.slug)
    }

    /// Every room, the permanent ones first, then as they were opened.
    pub fn list(&self) -> Vec<RoomInfo> {
        self.rooms.values().map(Room::info).collect()
    }

    /// The same, with who is there; of all rooms that of this id alone, if one is named.
    pub fn listing(&self, only: Option<&str>) -> Vec<ListedRoom> {
        match only {
            Some(slug) => self.find(slug).and_then(|id| self.rooms.get(&id)).map(Room::listing).into_iter().collect(),
            None => self.rooms.values().map(Room::listing).collect(),
        }
    }

    /// One room.
    pub fn info(&self, room: RoomId) -> Option<RoomInfo> {
        Some(self.rooms.get(&room)?.info())
    }

    /// Who is in a room, the longest there first.
    pub fn participants(&self, room: RoomId) -> Option<Vec<ParticipantInfo>> {
        Some(self.rooms.get(&room)?.participants())
    }

    /// Whether somebody talks in a room, besides these streams of those who have not joined it.
    pub fn is_talked_in(&self, room: RoomId, besides: &[StreamId]) -> bool {
        self.rooms.get(&room).is_some_and(|room| room.is_talked_in(besides))
    }

    /// The sessions to a room, as they began.
    pub fn sessions(&self, room: RoomId) -> impl Iterator<Item = SessionId> + '_ {
        self.rooms.get(&room).into_iter().flat_map(|room| room.present.keys().copied())
    }

    /// How many rooms there are.
    pub fn count(&self) -> usize {
        self.rooms.len()
    }

    /// How many participants there are.
    pub fn population(&self) -> usize {
        self.present.len()
    }

    /// Whose stream this is, and whether it is their music rather than their voice.
    pub fn who_is(&self, stream: StreamId) -> Option<(ParticipantId, TrackKind)> {
        self.streams.get(&stream).copied()
    }

    /// The session of somebody who is there.
    pub fn session(&self, who: ParticipantId) -> Option<SessionId> {
        self.present.get(&who).copied()
    }

    /// Whether one may talk in a room without having joined it.
    pub fn is_open(&self, room: RoomId) -> bool {
        self.rooms.get(&room).is_some_and(Room::is_open)
    }

    /// What was counted.
    pub fn counters(&self) -> RoomCounters {
        self.counters
    }

    /// What is logged of a room, under its id on the wire. Names of people are not logged.
    fn log(&self, id: RoomId, event: &str, who: Option<ParticipantId>) {
        let _span = tracing::debug_span!("room", room = self.slug(id)).entered();
        tracing::debug!(who = who.map(|who| tracing::field::display(who.0)), "{event}");
    }

    fn room_of(&mut self, session: SessionId) -> Option<(RoomId, &mut Room)> {
        let id = *self.sessions.get(&session)?;
        Some((id, self.rooms.get_mut(&id)?))
    }

    fn tell(&mut self, to: Recipients, event: RoomEvent) {
        self.outbox.push_back(Notice { to, event });
    }

    fn tell_room(&mut self, id: RoomId) {
        if let Some(room) = self.info(id) {
            self.tell(Recipients::Room(id), RoomEvent::RoomChanged { room });
        }
    }

    /// Tells the room what is different about somebody, and the media side whether they may be heard.
    fn tell_participant(&mut self, id: RoomId, session: SessionId) {
        self.follow_silence(id, session);
        self.follow_hiding(id, session);
        if let Some(participant) = self.rooms.get(&id).and_then(|room| room.describe(session)) {
            self.tell(Recipients::Room(id), RoomEvent::ParticipantChanged { participant });
        }
    }

    /// Tells the media side whether somebody may be heard, where that is different, and the room that they are no longer.
    fn follow_silence(&mut self, id: RoomId, session: SessionId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let silenced = !room.may_talk(session);
        let Some(participant) = room.present.get_mut(&session) else { return };
        let (who, voice) = (participant.who.id, participant.who.voice);
        let was_silenced = std::mem::replace(&mut participant.silenced, silenced);
        let heard = [(false, participant.talking), (true, participant.music)];
        if silenced {
            (participant.talking, participant.music) = (false, false);
        }
        if was_silenced != silenced {
            self.orders.push_back(Order::Silence(voice, silenced));
        }
        for (music, _) in heard.into_iter().filter(|(_, on)| silenced && *on) {
            self.tell(Recipients::Room(id), RoomEvent::Talking { who, on: false, music });
        }
        if silenced {
            // Of whom nothing is passed on, nothing more is heard that would free the room.
            self.release_room(id, Some(session));
        }
    }
}
