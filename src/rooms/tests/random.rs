//! Anybody does anything, for hours: what must always be true stays true. A seed that fails becomes a test of its own.

use std::collections::HashSet;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::domain::Track;

use super::*;

struct Crowd {
    stage: TestHouse,
    random: StdRng,
    there: Vec<Joined>,
    keys: Vec<ParticipantKey>,
}

impl Crowd {
    fn step(&mut self) {
        let time = Duration::from_millis(self.random.random_range(0..20_000));
        self.stage.pass(if self.random.random_bool(0.002) { IDLE_TIMEOUT } else { time });
        match self.random.random_range(0..12) {
            10 => self.strange(),
            0 => self.open(),
            1..4 => self.come(),
            4 => self.go(),
            5 => self.talk(),
            11 => self.choose_options(),
            6 => self.write(),
            _ => self.host(),
        }
        self.check();
    }

    fn open(&mut self) {
        let kind = *[RoomKind::Intercom, RoomKind::Broadcast].choose(&mut self.random).expect("two");
        let pin = self.random.random_bool(0.2).then(|| PinHash::new(&"1234".parse().expect("a PIN")));
        let max = Some(self.random.random_range(2..=5));
        let opening = Opening { name: "Room".into(), kind, pin, max, owner: None };
        if let Ok(opened) = self.stage.rooms.open(self.stage.now, self.stage.at, opening) {
            self.keys.push(opened.key);
        }
    }

    fn come(&mut self) {
        let rooms = self.stage.rooms.list();
        let room = &rooms.choose(&mut self.random).expect("there are always some").id;
        let room = self.stage.rooms.find(room).expect("it is listed");
        let key = self.keys.choose(&mut self.random).copied().filter(|_| self.random.random_bool(0.5));
        let asker = Asker { owner: Some([10, 0, 0, self.random.random_range(1..9)].into()), admin: false };
        let pin = self.random.random_bool(0.7).then_some("1234");
        if let Ok(joined) = self.stage.try_join(asker, room, "Anna", pin, key) {
            let key = self.stage.key_of(joined);
            self.keys.push(key);
            self.there.push(joined);
        }
    }

    fn anybody(&mut self) -> Option<Joined> {
        self.there.choose(&mut self.random).copied()
    }

    fn go(&mut self) {
        let Some(one) = self.anybody() else { return };
        let reason = *[LeaveReason::Left, LeaveReason::Gone, LeaveReason::Gone].choose(&mut self.random).expect("some");
        self.stage.leave(one.session, reason);
    }

    fn talk(&mut self) {
        let Some(one) = self.anybody() else { return };
        let (on, music) = (self.random.random(), self.random.random());
        self.stage.rooms.note_talking(self.stage.now, one.id, on, music);
    }

    /// One talks at a time somewhere, or not; somebody begins to talk, or has finished; and time passes.
    fn choose_options(&mut self) {
        let rooms: Vec<_> = self.stage.rooms.rooms.keys().copied().collect();
        let room = *rooms.choose(&mut self.random).expect("there are always some");
        let change = serde_json::json!({ "halfDuplex": self.random.random_bool(0.7) });
        self.stage.rooms.set_options(self.stage.now, room, serde_json::from_value(change).expect("a change"));
        if let Some(one) = self.anybody() {
            match self.random.random() {
                true => drop(self.stage.rooms.begin_talking(self.stage.now, one.session)),
                false => self.stage.rooms.end_talking(one.session),
            }
        }
        self.stage.pass(Duration::from_millis(self.random.random_range(0..3_000)));
    }

    /// Somebody talks without having joined, or no longer.
    fn strange(&mut self) {
        let rooms: Vec<_> = self.stage.rooms.rooms.keys().copied().collect();
        let room = *rooms.choose(&mut self.random).expect("there are always some");
        let id = StreamId::of_connection(uuid::Uuid::from_u128(self.random.random_range(0..5)));
        match self.stage.rooms.who_is(id) {
            Some(_) => self.stage.rooms.talker_left(id),
            None => self.stage.rooms.talker_came(self.stage.now, Track::voice(id, room), "Anna", None),
        }
    }

    fn write(&mut self) {
        if let Some(one) = self.anybody() {
            let _ = self.stage.chat(one, "hello");
        }
    }

    fn host(&mut self) {
        let (Some(one), Some(other)) = (self.anybody(), self.anybody()) else { return };
        let who = other.id;
        let actions = [
            HostAction::Mute { who },
            HostAction::Unmute { who },
            HostAction::Kick { who },
            HostAction::HandOver { who },
            HostAction::GrantFloor { who },
            HostAction::RevokeFloor { who },
            HostAction::Pin { who: Some(who) },
            HostAction::Lock,
            HostAction::Unlock,
            HostAction::Claim,
            HostAction::Close,
        ];
        let action = *actions.choose(&mut self.random).expect("some");
        let asker = Asker { owner: None, admin: self.random.random_bool(0.1) };
        // Whatever one may not do is tried, too.
        let _ = self.stage.host_as(asker, one, action);
    }

    fn check(&mut self) {
        let mut open = HashSet::new();
        self.stage.deliver();
        let rooms = &self.stage.rooms;
        let mut people = 0;
        for (id, room) in &rooms.rooms {
            people += room.present.len();
            open.insert(room.slug.clone());
            check_room(rooms, *id, room);
        }
        assert_eq!((people, people), (rooms.sessions.len(), rooms.present.len()));
        let unjoined: usize = rooms.rooms.values().map(|room| room.unjoined.talkers.len()).sum();
        assert_eq!(rooms.streams.len(), 4 * people + unjoined);
        assert_eq!((open.len(), rooms.slugs.len()), (rooms.rooms.len(), rooms.rooms.len()));
        assert!(rooms.rooms.values().filter(|room| !room.permanent).count() <= 3);
        let sessions = &rooms.sessions;
        self.there.retain(|one| sessions.contains_key(&one.session));
    }
}

fn check_room(rooms: &Rooms, id: RoomId, room: &room::Room) {
    assert!(room.present.len() <= room.max && room.absent.len() <= room.max);
    assert_eq!(room.empty_since.is_some(), room.present.is_empty());
    match room.host {
        room::Host::Nobody => {}
        room::Host::Present(session) => assert!(room.present.contains_key(&session)),
        room::Host::Awaited(who) => assert!(room.absent.iter().any(|absent| absent.who.id == who)),
    }
    assert!(room.pinned.is_none_or(|who| room.visit_of(who).is_some()));
    assert!(room.speaker.is_none_or(|speaker| room.options.half_duplex
        && room.may_talk(speaker.session)
        && room.present.contains_key(&speaker.session)));
    let mut names = HashSet::new();
    for (session, participant) in &room.present {
        assert_eq!(rooms.sessions.get(session), Some(&id), "in one room, and nowhere else");
        assert_eq!(rooms.present.get(&participant.who.id), Some(session));
        assert_eq!(participant.silenced, !room.may_talk(*session));
        assert!(!participant.silenced || !participant.talking && !participant.music);
        assert!(names.insert(participant.who.name.to_lowercase()), "{}", participant.who.name);
        assert!(!room.absent.iter().any(|absent| absent.who.id == participant.who.id));
    }
    let info = room.info();
    assert_eq!(info.participants, room.present.len());
    assert_eq!(info.guests + usize::from(room.host_session().is_some()), info.participants);
}

#[test]
fn whatever_anybody_does_everybody_is_in_one_room_and_every_room_in_order() {
    for seed in 0..20 {
        let (stage, random) = (TestHouse::new(), StdRng::seed_from_u64(seed));
        let mut crowd = Crowd { stage, random, there: Vec::new(), keys: Vec::new() };
        for _ in 0..500 {
            crowd.step();
        }
        assert!(crowd.keys.len() > 50, "seed {seed}: somebody was there");
    }
}
