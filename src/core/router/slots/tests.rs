//! Slots, with a clock that is stepped.

use uuid::Uuid;

use super::*;
use crate::domain::RoomId;

fn stream(number: u128) -> StreamId {
    StreamId::of_connection(Uuid::from_u128(number))
}

fn slots(count: usize) -> Slots {
    let mut slots = Slots::default();
    slots.set_tracks((0..count).map(EgressTrack::numbered));
    slots
}

struct ListeningRoom {
    slots: Slots,
    now: Instant,
}

impl ListeningRoom {
    fn new(count: usize) -> Self {
        Self { slots: slots(count), now: Instant::now() }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    fn says(&mut self, number: u128) -> Option<Taken> {
        self.slots
            .claim(&PacketMeta { stream: stream(number), room: RoomId::HOME, loud: true, pinned: false }, self.now)
    }

    fn is_silent(&mut self, number: u128) -> Option<Taken> {
        self.slots
            .claim(&PacketMeta { stream: stream(number), room: RoomId::HOME, loud: false, pinned: false }, self.now)
    }

    fn host_says(&mut self, number: u128) -> Option<Taken> {
        self.slots.claim(&PacketMeta { stream: stream(number), room: RoomId::HOME, loud: true, pinned: true }, self.now)
    }

    fn hears(&self) -> Vec<StreamId> {
        self.slots.taken().map(|(_, stream)| stream).collect()
    }
}

#[test]
fn while_there_are_free_ones_silence_gets_a_slot_too() {
    let mut room = ListeningRoom::new(2);
    assert!(room.is_silent(1).is_some_and(|seat| seat.is_new));
    assert!(room.says(1).is_some_and(|seat| !seat.is_new));
    assert!(room.is_silent(2).is_some());
    assert_eq!(room.hears(), [stream(1), stream(2)]);
}

#[test]
fn whoever_pauses_for_breath_keeps_the_slot() {
    let mut room = ListeningRoom::new(1);
    room.says(1);
    // Between two sentences of somebody who reads aloud.
    let breath = Duration::from_millis(700);
    room.wait(breath);
    assert!(room.says(2).is_none());
    room.wait(HOLD - breath);
    assert!(room.says(2).is_some());
    assert_eq!(room.hears(), [stream(2)]);
}

#[test]
fn silence_takes_nobodys_slot() {
    let mut room = ListeningRoom::new(1);
    room.says(1);
    room.wait(HOLD * 10);
    assert!(room.is_silent(2).is_none());
}

#[test]
fn the_one_who_was_silent_longest_makes_room() {
    let mut room = ListeningRoom::new(3);
    for number in [1, 2, 3] {
        room.says(number);
        room.wait(Duration::from_millis(10));
    }
    room.wait(HOLD);
    room.says(1);
    room.is_silent(2);
    assert!(room.says(4).is_some());
    assert_eq!(room.hears(), [stream(1), stream(4), stream(3)]);
}

#[test]
fn a_pinned_voice_waits_for_nobody_and_keeps_its_slot() {
    let mut room = ListeningRoom::new(1);
    room.says(1);
    assert!(room.host_says(2).is_some());
    room.wait(HOLD * 10);
    assert!(room.says(1).is_none());
    room.slots.release(stream(2));
    assert!(room.says(1).is_some());
}

#[test]
fn a_slot_counts_on_whoever_is_in_it() {
    let mut room = ListeningRoom::new(1);
    let mut places = Vec::new();
    for (number, sequence) in [(1, 70_000), (1, 70_001), (2, 9), (2, 10), (1, 80_000)] {
        let seat = room.says(number).expect("a slot");
        let position = Position { sequence, timestamp: sequence * 960 };
        places.push(room.slots.place(seat, position, room.now).expect("a place").1);
        room.wait(Duration::from_millis(20));
        if sequence == 70_001 || sequence == 10 {
            room.wait(HOLD);
        }
    }
    assert!(places[0].sequence < 65_536, "below the first rollover");
    let steps: Vec<_> = places.windows(2).map(|pair| pair[1].sequence - pair[0].sequence).collect();
    assert_eq!(steps, [1; 4]);
    let passed = HOLD + Duration::from_millis(20);
    assert_eq!(places[2].timestamp - places[1].timestamp, passed.as_millis() as u64 * 48);
}

#[test]
fn more_slots_leave_those_there_were_as_they_are() {
    let mut room = ListeningRoom::new(1);
    room.says(1);
    room.slots.set_tracks((0..40).map(EgressTrack::numbered));
    assert_eq!(room.hears(), [stream(1)]);
    assert_eq!(room.slots.slots.len(), MAX_SLOTS);
}

#[test]
fn who_is_not_wanted_any_more_makes_room() {
    let mut room = ListeningRoom::new(2);
    room.says(1);
    room.says(2);
    assert!(room.slots.release_unless(|wanted| wanted == stream(2)));
    assert!(!room.slots.release_unless(|wanted| wanted == stream(2)));
    assert_eq!(room.hears(), [stream(2)]);
}

#[test]
fn a_line_that_goes_takes_its_slot_along_and_leaves_the_others() {
    let mut room = ListeningRoom::new(3);
    for number in 1..=3 {
        room.says(number);
    }
    room.slots.set_tracks([0, 2].into_iter().map(EgressTrack::numbered));
    assert_eq!(room.hears(), [stream(1), stream(3)]);
}
