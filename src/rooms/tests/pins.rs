//! Rooms with a PIN.

use super::*;

#[test]
fn a_room_with_a_pin_lets_in_who_knows_it() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Intercom, Some("4711"), None);
    let mut join = |pin| stage.try_join(at([10, 0, 0, 1]), opened.room, "Anna", pin, None).map_err(JoinError::code);
    assert_eq!(join(None).err(), Some("pin_needed"));
    assert_eq!(join(Some("4712")).err(), Some("wrong_pin"));
    assert_eq!(join(Some("what is it")).err(), Some("wrong_pin"));
    assert!(join(Some("4711")).is_ok());
    assert_eq!(stage.rooms.counters().guesses_wrong, 2);
}

#[test]
fn after_five_guesses_it_is_not_said_whether_the_next_one_is_right() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Intercom, Some("4711"), None);
    let (thief, other) = (at([10, 0, 0, 1]), at([10, 0, 0, 2]));
    let join = |stage: &mut TestHouse, asker: &Asker, pin| {
        stage.try_join(asker.clone(), opened.room, "x", Some(pin), None).map(|_| ()).map_err(JoinError::code)
    };
    for _ in 0..MAX_GUESSES {
        assert_eq!(join(&mut stage, &thief, "0000"), Err("wrong_pin"));
    }
    assert_eq!(join(&mut stage, &thief, "0000"), Err("too_fast"));
    assert_eq!(join(&mut stage, &thief, "4711"), Err("too_fast"));
    assert_eq!(stage.rooms.counters().guesses_refused, 2);
    assert_eq!(join(&mut stage, &other, "4711"), Ok(()), "others are not kept waiting");
    stage.pass(GUESS_WINDOW);
    assert_eq!(join(&mut stage, &thief, "4711"), Ok(()));
}

#[test]
fn right_guesses_are_not_held_against_anybody() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Intercom, Some("4711"), None);
    for _ in 0..3 * MAX_GUESSES {
        let joined = stage.try_join(at([10, 0, 0, 1]), opened.room, "Anna", Some("4711"), None).expect("let in");
        stage.leave(joined.session, LeaveReason::Left);
    }
}

#[test]
fn the_host_and_those_who_come_back_need_no_pin() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Intercom, Some("4711"), None);
    stage.join_with(opened.room, "Host", opened.key);
    let anna = stage.try_join(Asker::default(), opened.room, "Anna", Some("4711"), None).expect("let in");
    let key = stage.key_of(anna);
    stage.leave(anna.session, LeaveReason::Gone);
    assert_eq!(stage.join_with(opened.room, "Anna", key).id, anna.id);
}

#[test]
fn to_look_into_a_room_with_a_pin_one_needs_it_too_and_its_guesses_count() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Intercom, Some("4711"), None);
    let mut look = |pin, key| match stage.rooms.authorize_look(stage.now, &Asker::default(), opened.room, pin, key)? {
        JoinDecision::Open(pass) => Ok(pass),
        JoinDecision::PinChallenge(guess) => guess.check(),
    };
    assert_eq!(look(None, None).err(), Some(JoinError::PinNeeded));
    assert!(look(None, Some(opened.key)).is_ok() && look(Some("4711"), None).is_ok());
    for _ in 1..MAX_GUESSES {
        assert_eq!(look(Some("0000"), None).err(), Some(JoinError::WrongPin));
    }
    assert_eq!(look(Some("4711"), None).err(), Some(JoinError::TooFast));
}

#[test]
fn the_host_is_told_when_many_guesses_were_wrong() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Intercom, Some("4711"), None);
    let host = stage.join_with(opened.room, "Host", opened.key);
    stage.empty_boxes();
    for address in 1..=FREE_GUESSES as u8 {
        let refused = stage.try_join(at([10, 0, 1, address]), opened.room, "x", Some("0000"), None);
        assert_eq!(refused.err(), Some(JoinError::WrongPin));
        stage.rooms.tell_of_guesses(opened.room);
        stage.deliver();
    }
    assert_eq!(stage.told_once(host, "pin_guessed")["wrong"], FREE_GUESSES);
    let refused = stage.try_join(at([10, 0, 2, 1]), opened.room, "x", Some("4711"), None);
    assert_eq!(refused.err(), Some(JoinError::TooFast), "one more address does not help");
    stage.pass(Duration::from_secs(1));
    assert!(stage.try_join(at([10, 0, 2, 2]), opened.room, "x", Some("4711"), None).is_ok());
}
