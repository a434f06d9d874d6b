//! The rooms under a stepped clock: what each person is told, and what they are not.

mod admission;
mod chat;
mod clock;
mod half_duplex;
mod handle;
mod house;
mod media;
mod moderation;
mod options;
mod pins;
mod presence;
mod random;
mod stats;
mod unjoined;

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::*;

/// The smallest step of these tests that matters to nobody.
const MOMENT: Duration = Duration::from_millis(1);

/// A house, its clock, and everybody's letter box.
struct TestHouse {
    rooms: Rooms,
    now: Instant,
    at: SystemTime,
    boxes: HashMap<SessionId, Vec<Value>>,
    watched: Vec<(Instant, Value)>,
    orders: Vec<Order>,
}

/// A house with a permanent kitchen and stage, and room for three more.
fn house() -> RoomsSettings {
    RoomsSettings {
        home: "Home".into(),
        intercom: vec!["Küche".into()],
        broadcast: vec!["Stage".into()],
        max: 3,
        intercom_size: 5,
        broadcast_size: 50,
        share: 25,
    }
}

impl TestHouse {
    fn new() -> Self {
        let (now, at) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
        let rooms = Rooms::new(house(), now, at);
        let (boxes, watched, orders) = (HashMap::new(), Vec::new(), Vec::new());
        Self { rooms, now, at, boxes, watched, orders }
    }

    /// Lets time pass, doing what is due when it is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.rooms.deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.rooms.tick(self.now);
            self.deliver();
        }
        (self.now, self.at) = (end, self.at + time);
    }

    fn open(&mut self, kind: RoomKind) -> OpenedRoom {
        self.open_with(kind, None, None)
    }

    fn open_with(&mut self, kind: RoomKind, pin: Option<&str>, max: Option<usize>) -> OpenedRoom {
        let pin = pin.map(|pin| PinHash::new(&pin.parse().expect("a PIN")));
        let opening = Opening { name: "Party".into(), kind, pin, max, owner: None };
        let opened = self.rooms.open(self.now, self.at, opening).expect("there is room");
        self.deliver();
        opened
    }

    fn try_join(
        &mut self,
        asker: Asker,
        room: RoomId,
        name: &str,
        pin: Option<&str>,
        key: Option<ParticipantKey>,
    ) -> Result<Joined, JoinError> {
        let pass = match self.rooms.authorize_join(self.now, &asker, room, pin, key)? {
            JoinDecision::Open(pass) => pass,
            JoinDecision::PinChallenge(guess) => {
                let checked = guess.check();
                self.rooms.note_guess(&asker, &checked);
                checked?
            }
        };
        let joined = self.rooms.join(self.now, &asker, &pass, name, key);
        self.deliver();
        joined
    }

    fn join(&mut self, room: RoomId, name: &str) -> Joined {
        self.try_join(Asker::default(), room, name, None, None).expect("let in")
    }

    fn join_with(&mut self, room: RoomId, name: &str, key: ParticipantKey) -> Joined {
        self.try_join(Asker::default(), room, name, None, Some(key)).expect("let in")
    }

    /// A room of this kind with its host and two guests.
    fn company(&mut self, kind: RoomKind) -> (OpenedRoom, [Joined; 3]) {
        let opened = self.open(kind);
        let host = self.join_with(opened.room, "Host", opened.key);
        let guests = ["Anna", "Bert"].map(|name| self.join(opened.room, name));
        self.empty_boxes();
        (opened, [host, guests[0], guests[1]])
    }

    fn leave(&mut self, session: SessionId, reason: LeaveReason) {
        self.rooms.leave(self.now, session, reason);
        self.deliver();
    }

    fn host(&mut self, who: Joined, action: HostAction) -> Result<(), HostError> {
        self.host_as(Asker::default(), who, action)
    }

    fn host_as(&mut self, asker: Asker, who: Joined, action: HostAction) -> Result<(), HostError> {
        let result = self.rooms.host(self.now, &asker, who.session, action);
        self.deliver();
        result
    }

    fn chat(&mut self, who: Joined, text: &str) -> Result<(), ChatError> {
        let result = self.rooms.chat(self.now, self.at, who.session, text);
        self.deliver();
        result
    }

    fn talk(&mut self, who: Joined, on: bool) {
        self.rooms.note_talking(self.now, who.id, on, false);
        self.deliver();
    }

    fn deliver(&mut self) {
        while let Some(Notice { to, event }) = self.rooms.poll_notice() {
            let message = serde_json::to_value(&event).expect("JSON");
            self.check_recipients(&to, message["type"].as_str().expect("a text"));
            let sessions: Vec<_> = match to {
                Recipients::One(session) => vec![session],
                Recipients::Those(_, sessions) => sessions,
                Recipients::Room(room) => self.rooms.sessions(room).collect(),
                Recipients::RoomBut(room, but) => self.rooms.sessions(room).filter(|session| *session != but).collect(),
                Recipients::Watchers => {
                    self.watched.push((self.now, message));
                    continue;
                }
            };
            for session in sessions {
                self.boxes.entry(session).or_default().push(message.clone());
            }
        }
        self.orders.extend(std::iter::from_fn(|| self.rooms.poll_order()));
    }

    /// Whoever has gone is told nothing but that they are out.
    fn check_recipients(&self, to: &Recipients, kind: &str) {
        let is_there = |session: &SessionId| self.rooms.sessions.contains_key(session);
        match to {
            Recipients::One(session) => assert!(is_there(session) || ["left", "removed"].contains(&kind), "{kind}"),
            Recipients::Those(_, sessions) => {
                assert!(kind == "room_closed" && !sessions.iter().any(is_there), "{kind}");
            }
            Recipients::Room(_) | Recipients::RoomBut(..) | Recipients::Watchers => {}
        }
    }

    /// What somebody was told since they last looked.
    fn told(&mut self, who: Joined) -> Vec<Value> {
        self.boxes.remove(&who.session).unwrap_or_default()
    }

    /// The one message of this type that somebody was told since they last looked.
    fn told_once(&mut self, who: Joined, kind: &str) -> Value {
        let told = self.told(who);
        let mut fitting = told.iter().filter(|message| message["type"] == kind);
        match (fitting.next(), fitting.next()) {
            (Some(message), None) => message.clone(),
            _ => panic!("not one {kind}: {told:#?}"),
        }
    }

    fn empty_boxes(&mut self) {
        self.boxes.clear();
        self.orders.clear();
        self.watched.clear();
    }

    /// The key that somebody was told when they came.
    fn key_of(&mut self, who: Joined) -> ParticipantKey {
        let joined = self.told_once(who, "joined");
        ParticipantKey::of_text(joined["key"].as_str().expect("a text")).expect("a key")
    }

    fn info(&self, room: RoomId) -> RoomInfo {
        self.rooms.info(room).expect("the room is there")
    }

    fn names(&self, room: RoomId) -> Vec<String> {
        self.rooms.participants(room).expect("the room is there").into_iter().map(|one| one.name).collect()
    }
}

fn at(address: [u8; 4]) -> Asker {
    Asker { owner: Some(address.into()), admin: false }
}

const ADMIN: Asker = Asker { owner: None, admin: true };
