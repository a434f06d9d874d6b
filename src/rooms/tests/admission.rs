//! Who comes in, who does not, and who comes back.

use super::*;

#[test]
fn whoever_joins_is_told_where_they_are_and_the_others_that_they_are_there() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "  Anna ");
    let second = stage.join(RoomId::HOME, "anna");
    let told = stage.told_once(second, "joined");
    assert_eq!((&told["room"]["id"], &told["you"]), (&"home".into(), &second.id.0.to_string().into()));
    assert_eq!(
        (&told["participants"][0]["name"], &told["participants"][1]["name"]),
        (&"Anna".into(), &"anna 2".into())
    );
    let news = stage.told(anna);
    let kinds: Vec<_> = news.iter().map(|message| &message["type"]).collect();
    assert_eq!(kinds, ["joined", "participant_joined"]);
    let expected = serde_json::json!({
        "id": second.id, "name": "anna 2", "host": false, "muted": false, "word": true, "talking": false, "music": false,
        "camera": false, "screen": false,
        "quality": null, "urgent": false, "joined": true, "hears": false,
    });
    assert_eq!(news[1]["participant"], expected);
    stage.leave(second.session, LeaveReason::Left);
    assert_eq!(stage.told_once(second, "left")["type"], "left");
    let left = stage.told_once(anna, "participant_left");
    assert_eq!((&left["who"], &left["reason"]), (&second.id.0.to_string().into(), &"left".into()));
}

#[test]
fn nobody_is_told_of_other_rooms() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    stage.told(anna);
    let kitchen = stage.rooms.find("kueche").expect("there");
    let bert = stage.join(kitchen, "Bert");
    stage.chat(bert, "hello").expect("passed on");
    stage.talk(bert, true);
    assert_eq!(stage.told(anna), Vec::<Value>::new());
}

#[test]
fn a_full_room_takes_nobody_and_a_host_who_is_away_keeps_his_place() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Intercom, None, Some(3));
    let (first, second) = (stage.join(opened.room, "a"), stage.join(opened.room, "b"));
    let third = stage.try_join(Asker::default(), opened.room, "c", None, None);
    assert_eq!(third.map_err(JoinError::code), Err("full"));
    let host = stage.join_with(opened.room, "h", opened.key);
    assert_eq!(stage.info(opened.room).participants, 3);
    stage.leave(host.session, LeaveReason::Gone);
    assert!(stage.try_join(Asker::default(), opened.room, "c", None, None).is_err());
    stage.leave(first.session, LeaveReason::Left);
    stage.leave(second.session, LeaveReason::Left);
    stage.join(opened.room, "c");
    assert_eq!(stage.rooms.counters().full, 2);
}

#[test]
fn a_locked_room_takes_those_back_who_belong_there_and_nobody_else() {
    let mut stage = TestHouse::new();
    let (opened, [host, ..]) = stage.company(RoomKind::Intercom);
    let carl = stage.join(opened.room, "Carl");
    let key = stage.key_of(carl);
    stage.host(host, HostAction::Lock).expect("the host may");
    assert!(stage.told_once(host, "room_changed")["room"]["locked"].as_bool().expect("a bool"));
    let refused = stage.try_join(Asker::default(), opened.room, "Dora", None, None);
    assert_eq!(refused.map_err(JoinError::code), Err("locked"));
    stage.leave(carl.session, LeaveReason::Gone);
    assert_eq!(stage.join_with(opened.room, "", key).id, carl.id);
    stage.host(host, HostAction::Unlock).expect("the host may");
    stage.join(opened.room, "Dora");
}

#[test]
fn a_permanent_room_does_not_stay_locked_when_all_have_left() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    stage.host_as(ADMIN, anna, HostAction::Lock).expect("admins may");
    stage.leave(anna.session, LeaveReason::Gone);
    stage.join(RoomId::HOME, "Bert");
}

#[test]
fn who_comes_back_in_time_is_the_same_and_afterwards_a_new_one() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, bert]) = stage.company(RoomKind::Broadcast);
    let second = stage.join(opened.room, "Anna");
    let key = stage.key_of(second);
    stage.host(host, HostAction::GrantFloor { who: second.id }).expect("the host may");
    stage.host(host, HostAction::Mute { who: second.id }).expect("the host may");
    stage.empty_boxes();
    stage.leave(second.session, LeaveReason::Gone);
    assert_eq!(stage.told_once(bert, "participant_left")["reason"], "gone");
    stage.pass(GRACE - MOMENT);
    let back = stage.join_with(opened.room, "Somebody", key);
    assert_eq!((back.id, back.music, stage.key_of(back)), (second.id, second.music, key));
    assert_ne!(back.session, second.session);
    let told = stage.told_once(anna, "participant_joined");
    let me = &told["participant"];
    assert_eq!((&me["name"], &me["muted"], &me["word"]), (&"Anna 2".into(), &true.into(), &true.into()));
    stage.leave(back.session, LeaveReason::Gone);
    stage.pass(GRACE);
    let late = stage.join_with(opened.room, "Late", key);
    assert_ne!(late.id, second.id);
    assert!(stage.names(opened.room).contains(&"Late".into()));
}

#[test]
fn who_left_by_himself_is_forgotten() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    let key = stage.key_of(anna);
    stage.leave(anna.session, LeaveReason::Left);
    assert_ne!(stage.join_with(RoomId::HOME, "Anna", key).id, anna.id);
}

#[test]
fn who_joins_again_while_he_is_there_replaces_himself() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, _]) = stage.company(RoomKind::Intercom);
    stage.talk(host, true);
    stage.empty_boxes();
    let again = stage.join_with(opened.room, "Host", opened.key);
    assert_eq!((again.id, again.session == host.session), (host.id, false));
    assert_eq!(stage.told_once(host, "removed")["reason"], "replaced");
    assert_eq!(stage.orders, [Order::Remove(host.voice, host.session)]);
    let changed = stage.told_once(anna, "participant_changed");
    assert_eq!((&changed["participant"]["host"], &changed["participant"]["talking"]), (&true.into(), &false.into()));
    assert_eq!(stage.rooms.info(opened.room).map(|room| room.participants), Some(3));
    // The old connection ends only now: the new one is not touched by that.
    stage.leave(host.session, LeaveReason::Gone);
    assert_eq!(stage.names(opened.room).len(), 3);
    assert_eq!(stage.rooms.may_talk(host.session), Err(TalkError::NotJoined));
    assert_eq!(stage.rooms.may_talk(again.session), Ok(()));
}

#[test]
fn who_was_kicked_stays_out_for_a_minute_by_key_and_by_address() {
    let mut stage = TestHouse::new();
    let (opened, [host, ..]) = stage.company(RoomKind::Intercom);
    let room = opened.room;
    let carl = stage.try_join(at([10, 0, 0, 7]), room, "Carl", None, None).expect("let in");
    let key = stage.key_of(carl);
    let neighbour = stage.try_join(at([10, 0, 0, 7]), room, "Dora", None, None).expect("let in");
    let dora = stage.key_of(neighbour);
    stage.host(host, HostAction::Kick { who: carl.id }).expect("the host may");
    assert_eq!(stage.told_once(carl, "removed")["reason"], "kicked");
    assert_eq!(stage.told_once(host, "participant_left")["reason"], "kicked");
    let mut refused = |asker, key| stage.try_join(asker, room, "Carl", None, key).map_err(JoinError::code).err();
    assert_eq!(refused(at([10, 0, 0, 7]), None), Some("kicked"));
    assert_eq!(refused(at([10, 0, 0, 8]), Some(key)), Some("kicked"));
    assert_eq!(refused(Asker::default(), Some(key)), Some("kicked"));
    assert_eq!(refused(at([10, 0, 0, 7]), Some(dora)), None, "one at the same address who was not kicked");
    stage.pass(KICKED_FOR);
    let back = stage.try_join(at([10, 0, 0, 7]), room, "Carl", None, Some(key)).expect("a minute is over");
    assert_ne!(back.id, carl.id);
}

#[test]
fn those_who_come_through_home_assistant_are_not_kept_out_for_another() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, _]) = stage.company(RoomKind::Intercom);
    stage.host(host, HostAction::Kick { who: anna.id }).expect("the host may");
    stage.join(opened.room, "Another");
}
