//! Which rooms there are.

use super::*;

#[test]
fn home_and_the_rooms_of_the_configuration_are_always_there() {
    let stage = TestHouse::new();
    let list = stage.rooms.list();
    let ids: Vec<_> = list.iter().map(|room| (room.id.as_str(), room.kind, room.permanent)).collect();
    let expected = [
        ("home", RoomKind::Intercom, true),
        ("kueche", RoomKind::Intercom, true),
        ("stage", RoomKind::Broadcast, true),
    ];
    assert_eq!(ids, expected);
    assert_eq!((stage.rooms.find("home"), stage.rooms.slug(RoomId::HOME)), (Some(RoomId::HOME), Some("home")));
    assert_eq!(stage.rooms.find("cellar"), None);
}

#[test]
fn a_room_is_as_the_protocol_says() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Broadcast, Some("1234"), Some(7));
    let mut room = serde_json::to_value(stage.info(opened.room)).expect("JSON");
    assert!(room["host"].take().is_string());
    let expected = serde_json::json!({
        "id": "party", "name": "Party", "kind": "broadcast", "permanent": false, "locked": false, "pin": true,
        "host": null, "station": null, "doNotDisturb": false, "talkTones": true, "halfDuplex": false, "dropIn": false, "pinned": null, "max": 7, "participants": 0, "talking": 0, "listeners": 0, "hearing": 0,
        "createdAt": 1000, "url": "stream/room/party.mp3",
    });
    assert_eq!(room, expected);
}

#[test]
fn rooms_of_one_name_have_different_ids_and_there_are_no_more_than_may_be() {
    let mut stage = TestHouse::new();
    let rooms: Vec<_> = (0..3).map(|_| stage.open(RoomKind::Intercom).room).collect();
    let ids: Vec<_> = rooms.iter().filter_map(|room| stage.rooms.slug(*room)).collect();
    assert_eq!(ids, ["party", "party-2", "party-3"]);
    let more = Opening { name: "x".into(), kind: RoomKind::Intercom, pin: None, max: None, owner: None };
    let refused = stage.rooms.open(stage.now, stage.at, more).expect_err("too many");
    assert_eq!((refused, refused.code()), (OpenRoomError::TooMany(3), "full"));
    assert_eq!(stage.rooms.counters().rooms_refused, 1);
}

#[test]
fn a_room_needs_a_name_and_a_size_that_its_kind_may_have() {
    let mut stage = TestHouse::new();
    let mut open = |name: &str, max| {
        let opening = Opening { name: name.into(), kind: RoomKind::Intercom, pin: None, max, owner: None };
        stage.rooms.open(stage.now, stage.at, opening).map(|_| ())
    };
    assert_eq!(open(" \u{202e} ", None), Err(OpenRoomError::NoName));
    assert_eq!(open("x", Some(6)), Err(OpenRoomError::Size(5)));
    assert_eq!(open("x", Some(1)), Err(OpenRoomError::Size(5)));
    assert_eq!(open("x", Some(5)), Ok(()));
}

#[test]
fn the_host_closes_his_room_by_its_key_and_strangers_do_not() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, _]) = stage.company(RoomKind::Intercom);
    let room = opened.room;
    let annas = stage.join(room, "Anna");
    let key = stage.key_of(annas);
    for key in [None, Some(key)] {
        assert_eq!(stage.rooms.close(stage.now, &Asker::default(), room, key), Err(HostError::NotHost));
    }
    assert_eq!(stage.rooms.close(stage.now, &Asker::default(), room, Some(opened.key)), Ok(()));
    stage.deliver();
    assert_eq!(stage.told_once(anna, "room_closed")["reason"], "closed");
    assert_eq!(stage.told_once(host, "room_closed")["reason"], "closed");
    assert!(stage.orders.contains(&Order::Remove(anna.voice, anna.session)));
    assert_eq!((stage.rooms.find("party"), stage.rooms.population()), (None, 0));
    assert_eq!(stage.rooms.close(stage.now, &Asker::default(), room, None), Err(HostError::NoRoom));
}

#[test]
fn a_permanent_room_is_emptied_and_as_new_when_it_is_closed() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    stage.chat(anna, "a secret").expect("passed on");
    stage.host_as(ADMIN, anna, HostAction::Lock).expect("admins may");
    stage.rooms.close(stage.now, &ADMIN, RoomId::HOME, None).expect("admins may");
    stage.deliver();
    assert_eq!(stage.told_once(anna, "room_closed")["reason"], "closed");
    let bert = stage.join(RoomId::HOME, "Bert");
    assert_eq!(stage.told_once(bert, "joined")["chat"], serde_json::json!([]));
    assert!(!stage.info(RoomId::HOME).locked);
}

#[test]
fn it_is_known_at_once_whose_a_stream_is() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    assert_eq!(stage.rooms.who_is(anna.voice), Some((anna.id, TrackKind::Voice)));
    assert_eq!(stage.rooms.who_is(anna.music), Some((anna.id, TrackKind::Music)));
    assert_ne!(anna.music, anna.voice);
    stage.leave(anna.session, LeaveReason::Left);
    assert_eq!((stage.rooms.who_is(anna.voice), stage.rooms.who_is(anna.music)), (None, None));
}

#[test]
fn a_station_has_a_room_that_stays_is_called_as_it_is_and_is_heard_by_those_alone_who_are_seen_there() {
    let mut stage = TestHouse::new();
    stage.rooms.open_station(stage.now, stage.at, "hall", "Hall");
    let room = stage.rooms.find("hall").expect("there");
    assert_eq!((stage.info(room).station, stage.info(room).permanent), (Some(StationPresence::Away), true));
    let anna = stage.join(room, "Anna");
    stage.rooms.note_station(stage.now, "hall", "Stairs", StationPresence::Here);
    stage.deliver();
    let told = stage.told_once(anna, "room_changed");
    assert_eq!((&told["room"]["name"], &told["room"]["station"]), (&"Stairs".into(), &"here".into()));
    let listens = stage.rooms.authorize_listen(stage.now, &ADMIN, room, None);
    assert_eq!(listens.err(), Some(JoinError::OfStation));
    stage.pass(IDLE_TIMEOUT * 2);
    stage.rooms.close_station(stage.now, "hall");
    stage.deliver();
    assert_eq!(stage.told_once(anna, "room_closed")["reason"], "closed");
    assert!(stage.rooms.find("hall").is_none());
}

#[test]
fn what_is_of_a_station_is_done_to_no_other_room() {
    let mut stage = TestHouse::new();
    stage.rooms.note_station(stage.now, "kueche", "Mine", StationPresence::Here);
    stage.rooms.close_station(stage.now, "kueche");
    let kitchen = stage.rooms.find("kueche").expect("still there");
    assert_eq!((stage.info(kitchen).name, stage.info(kitchen).station), ("Küche".to_owned(), None));
}

#[test]
fn who_is_in_a_room_is_told_when_it_is_not_to_be_disturbed() {
    let mut stage = TestHouse::new();
    let kitchen = stage.rooms.find("kueche").expect("there");
    let anna = stage.join(kitchen, "Anna");
    stage.empty_boxes();
    for (is_quiet, told) in [(true, 1), (true, 0), (false, 1)] {
        stage.rooms.note_do_not_disturb(stage.now, |room| is_quiet && room == "kueche");
        stage.deliver();
        let changes: Vec<_> = stage.told(anna).into_iter().filter(|it| it["type"] == "room_changed").collect();
        assert_eq!(changes.len(), told);
        assert!(changes.iter().all(|it| it["room"]["doNotDisturb"] == is_quiet));
    }
}
