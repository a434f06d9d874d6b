//! What time does.

use super::*;

#[test]
fn an_opened_room_that_stays_empty_is_closed_and_a_permanent_one_is_not() {
    let mut stage = TestHouse::new();
    let opened = stage.open(RoomKind::Intercom);
    stage.pass(EMPTY_TIMEOUT - MOMENT);
    let host = stage.join_with(opened.room, "Host", opened.key);
    stage.pass(EMPTY_TIMEOUT * 2);
    stage.leave(host.session, LeaveReason::Left);
    stage.pass(EMPTY_TIMEOUT - MOMENT);
    assert!(stage.rooms.info(opened.room).is_some());
    stage.pass(MOMENT);
    assert!(stage.rooms.info(opened.room).is_none());
    assert_eq!(stage.rooms.list().len(), 3);
    assert_eq!(stage.rooms.deadline(), None);
}

#[test]
fn a_room_where_nobody_talks_or_writes_is_closed_after_two_hours() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, _]) = stage.company(RoomKind::Intercom);
    stage.pass(IDLE_TIMEOUT - MOMENT);
    stage.chat(anna, "still here").expect("passed on");
    stage.pass(IDLE_TIMEOUT - MOMENT);
    stage.talk(host, true);
    stage.pass(IDLE_TIMEOUT * 2);
    assert!(stage.rooms.info(opened.room).is_some(), "somebody talks all the time");
    stage.talk(host, false);
    stage.pass(IDLE_TIMEOUT - MOMENT);
    assert!(stage.rooms.info(opened.room).is_some());
    stage.pass(MOMENT);
    assert_eq!(stage.told_once(anna, "room_closed")["reason"], "idle");
    assert!(stage.rooms.info(opened.room).is_none());
}

#[test]
fn a_permanent_room_is_never_closed_for_silence() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    stage.told(anna);
    stage.pass(IDLE_TIMEOUT * 3);
    assert_eq!((stage.told(anna), stage.names(RoomId::HOME).len()), (Vec::new(), 1));
}

#[test]
fn watchers_are_told_at_once_and_then_twice_a_second_at_most() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    let start = stage.now;
    stage.pass(Duration::ZERO);
    for step in 0..100_u32 {
        stage.talk(anna, step.is_multiple_of(2));
        stage.pass(Duration::from_millis(10));
    }
    stage.pass(LIST_INTERVAL * 10);
    let times: Vec<_> = stage.watched.iter().map(|(at, _)| at.duration_since(start)).collect();
    assert_eq!(times, [0, 500, 1_000].map(Duration::from_millis));
    let last = &stage.watched[2].1["rooms"][0];
    assert_eq!((&last["id"], &last["participants"], &last["talking"]), (&"home".into(), &1.into(), &0.into()));
}

#[test]
fn watchers_are_told_of_rooms_that_come_and_go() {
    let mut stage = TestHouse::new();
    let opened = stage.open(RoomKind::Intercom);
    stage.pass(LIST_INTERVAL);
    assert_eq!(stage.watched.pop().map(|(_, list)| list["rooms"].as_array().map(Vec::len)), Some(Some(4)));
    stage.rooms.close(stage.now, &Asker::default(), opened.room, Some(opened.key)).expect("the host may");
    stage.pass(LIST_INTERVAL);
    assert_eq!(stage.watched.pop().map(|(_, list)| list["rooms"].as_array().map(Vec::len)), Some(Some(3)));
}
