//! The rooms of the house: which there are, who is in which, who may do what, and what was said. A state machine:
//! no sockets, no tokio, no clock, and nothing of media but what it is told. Times are arguments; what comes out are
//! notices ([`Rooms::poll_notice`]) and orders to the media side ([`Rooms::poll_order`]).
//!
//! `room` is one room and `participant` somebody in it; `opening` makes rooms and closes them, `entry` says who may
//! come in and `stay` who comes and goes, `pin` is what guards some doors, and `hosting` what a host may do there; `chat` is what is written, `media` what
//! is heard, and `report` how well; `clock` does what is due; `names` makes fit to be shown what people call
//! themselves; `notice` is what is told to whom. `handle` is the door for everybody else: it has the lock, the clock, and
//! the queues to the clients.
//!
//! Rooms hold what is bounded only: [`RoomsSettings`] says how many rooms and participants there may be, and each file names
//! the bounds of its own lists.

mod chat;
mod clock;
mod entry;
mod handle;
mod hosting;
mod media;
mod names;
mod notice;
mod opening;
mod participant;
mod pin;
mod report;
mod room;
mod stay;
#[cfg(test)]
mod tests;
mod unjoined;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Instant, SystemTime};

use crate::domain::{RoomId, StreamId};

pub use chat::{CHAT_BURST, CHAT_HISTORY, CHAT_INTERVAL, ChatError, ChatLine};
pub use clock::{EMPTY_TIMEOUT, GRACE, IDLE_TIMEOUT, LIST_INTERVAL};
pub use entry::{Asker, Entry, JoinError, JoinPermit, KICKED_FOR, MAX_BANS, PinChallenge};
pub use handle::{ClientSender, Detail, Frames, Listening, Membership, RoomsHandle, WIRE_CAPACITY, Watching};
pub use hosting::{HostAction, HostError};
pub use media::TalkError;
pub use names::{MAX_CHAT, MAX_NAME, clean_name};
pub use notice::{Closure, Departure, Notice, Order, Recipients, Removal, RoomMessage, Topic};
pub use opening::{HOME, OpenError, Opened, Opening};
pub use participant::{Key, ParticipantId, ParticipantInfo, Quality, SessionId};
pub use pin::{FREE_GUESSES, GUESS_WINDOW, InvalidPin, MAX_GUESS_DELAY, MAX_GUESSERS, MAX_GUESSES, Pin, PinHash};
pub use report::{GuestInfo, GuestStats, HISTORY_INTERVAL, HISTORY_POINTS, Measures, Point, RoomStats, StatsInfo};
pub use room::{Kind, RoomInfo};
pub use stay::Joined;
pub use unjoined::{Granted, ListenerInfo, ListenerKind, MAX_LISTED};

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
    house: RoomsSettings,
    /// In the order in which they were opened.
    rooms: BTreeMap<RoomId, Room>,
    /// How rooms are called on the wire.
    slugs: HashMap<String, RoomId>,
    /// Where each session takes place.
    sessions: HashMap<SessionId, RoomId>,
    /// The session of each who is there.
    present: HashMap<ParticipantId, SessionId>,
    /// Whose streams these are, and whether they are their music.
    streams: HashMap<StreamId, (ParticipantId, bool)>,
    next_room: u32,
    next_visit: u64,
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
    pub fn new(house: RoomsSettings, now: Instant, at: SystemTime) -> Self {
        let mut rooms = Self {
            house,
            rooms: BTreeMap::new(),
            slugs: HashMap::new(),
            sessions: HashMap::new(),
            present: HashMap::new(),
            streams: HashMap::new(),
            next_room: RoomId::HOME.0,
            next_visit: 0,
            list_due: None,
            list_told: None,
            outbox: VecDeque::new(),
            orders: VecDeque::new(),
            counters: RoomCounters::default(),
        };
        rooms.create_permanent(now, at);
        rooms
    }

    /// The next message to be delivered. To be asked until there is none, after each operation.
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

    /// One room.
    pub fn info(&self, room: RoomId) -> Option<RoomInfo> {
        Some(self.rooms.get(&room)?.info())
    }

    /// Who is in a room, the longest there first.
    pub fn participants(&self, room: RoomId) -> Option<Vec<ParticipantInfo>> {
        Some(self.rooms.get(&room)?.participants())
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
    pub fn who_is(&self, stream: StreamId) -> Option<(ParticipantId, bool)> {
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

    fn room_of(&mut self, session: SessionId) -> Option<(RoomId, &mut Room)> {
        let id = *self.sessions.get(&session)?;
        Some((id, self.rooms.get_mut(&id)?))
    }

    fn tell(&mut self, to: Recipients, message: RoomMessage) {
        self.outbox.push_back(Notice { to, message });
    }

    fn tell_room(&mut self, id: RoomId) {
        if let Some(room) = self.info(id) {
            self.tell(Recipients::Room(id), RoomMessage::RoomChanged { room });
        }
    }

    /// Tells the room what is different about somebody, and the media side whether they may be heard.
    fn tell_participant(&mut self, id: RoomId, session: SessionId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let silenced = !room.may_talk(session);
        let Some(participant) = room.present.get_mut(&session) else { return };
        let (who, voice) = (participant.who.id, participant.who.voice);
        let was_silenced = std::mem::replace(&mut participant.silenced, silenced);
        let heard = [(false, participant.talking), (true, participant.music)];
        if silenced {
            (participant.talking, participant.music) = (false, false);
        }
        let participant = room.describe(session);
        if was_silenced != silenced {
            self.orders.push_back(Order::Silence(voice, silenced));
        }
        for (music, _) in heard.into_iter().filter(|(_, on)| silenced && *on) {
            self.tell(Recipients::Room(id), RoomMessage::Talking { who, on: false, music });
        }
        if let Some(participant) = participant {
            self.tell(Recipients::Room(id), RoomMessage::ParticipantChanged { participant });
        }
    }
}
