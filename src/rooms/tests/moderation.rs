//! What a host may do, each a test; and how they keep their room.

use super::*;

#[test]
fn a_guest_may_do_none_of_it_and_an_admin_all() {
    let mut stage = TestHouse::new();
    let (_, [host, anna, bert]) = stage.company(RoomKind::Broadcast);
    let who = host.id;
    for action in [
        HostAction::Mute { who },
        HostAction::Unmute { who },
        HostAction::Kick { who },
        HostAction::HandOver { who },
        HostAction::GrantFloor { who },
        HostAction::RevokeFloor { who },
        HostAction::Pin { who: Some(who) },
        HostAction::Lock,
        HostAction::Unlock,
        HostAction::Close,
    ] {
        assert_eq!(stage.host(anna, action).map_err(HostError::code), Err("not_host"), "{action:?}");
    }
    assert_eq!(stage.host_as(ADMIN, anna, HostAction::Mute { who: bert.id }), Ok(()));
    assert_eq!(stage.host_as(ADMIN, anna, HostAction::Close), Ok(()));
}

#[test]
fn what_is_about_somebody_who_is_not_there_is_an_error() {
    let mut stage = TestHouse::new();
    let (_, [host, ..]) = stage.company(RoomKind::Intercom);
    let elsewhere = stage.join(RoomId::HOME, "Carl");
    for action in [HostAction::Mute { who: elsewhere.id }, HostAction::Pin { who: Some(elsewhere.id) }] {
        assert_eq!(stage.host(host, action).map_err(HostError::code), Err("no_participant"));
    }
    stage.leave(host.session, LeaveReason::Left);
    assert_eq!(stage.host(host, HostAction::Lock).map_err(HostError::code), Err("not_joined"));
}

#[test]
fn who_is_muted_is_silenced_at_once_and_may_talk_again_later() {
    let mut stage = TestHouse::new();
    let (_, [host, anna, bert]) = stage.company(RoomKind::Intercom);
    stage.talk(anna, true);
    stage.empty_boxes();
    stage.host(host, HostAction::Mute { who: anna.id }).expect("the host may");
    assert_eq!(stage.orders, [Order::Silence(anna.voice, true)]);
    assert_eq!(stage.rooms.may_talk(anna.session).map_err(TalkError::code), Err("muted"));
    let told = stage.told(bert);
    assert_eq!((&told[0]["type"], &told[0]["on"]), (&"talking".into(), &false.into()));
    assert_eq!(told[1]["participant"]["muted"], true);
    stage.talk(anna, true);
    assert_eq!(stage.told(bert), Vec::<Value>::new(), "what is still on its way is not heard");
    stage.host(host, HostAction::Unmute { who: anna.id }).expect("the host may");
    assert_eq!(
        (stage.orders.last(), stage.rooms.may_talk(anna.session)),
        (Some(&Order::Silence(anna.voice, false)), Ok(()))
    );
}

#[test]
fn in_a_broadcast_the_host_gives_the_word_and_takes_it() {
    let mut stage = TestHouse::new();
    let (_, [host, anna, bert]) = stage.company(RoomKind::Broadcast);
    assert_eq!(stage.rooms.may_talk(host.session), Ok(()));
    assert_eq!(stage.rooms.may_talk(anna.session).map_err(TalkError::code), Err("no_word"));
    stage.host(host, HostAction::GrantFloor { who: anna.id }).expect("the host may");
    assert_eq!((stage.rooms.may_talk(anna.session), stage.rooms.may_talk(bert.session).is_ok()), (Ok(()), false));
    assert_eq!(stage.told_once(bert, "participant_changed")["participant"]["word"], true);
    stage.host(host, HostAction::RevokeFloor { who: anna.id }).expect("the host may");
    let given_and_taken =
        [false, true].map(|taken| [Order::Silence(anna.voice, taken), Order::Hide(anna.voice, taken)]);
    assert_eq!(stage.orders, given_and_taken.concat());
}

#[test]
fn the_room_is_handed_over_with_the_word_and_the_key() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, bert]) = stage.company(RoomKind::Broadcast);
    stage.host(host, HostAction::HandOver { who: anna.id }).expect("the host may");
    assert_eq!(stage.info(opened.room).host, Some(anna.id));
    let taken_from = [(host.voice, true), (anna.voice, false)];
    let orders = taken_from.map(|(voice, taken)| [Order::Silence(voice, taken), Order::Hide(voice, taken)]);
    assert_eq!(stage.orders, orders.concat());
    let told = stage.told(bert);
    assert_eq!(told[0]["room"]["host"], anna.id.0.to_string());
    assert_eq!((&told[1]["participant"]["host"], &told[2]["participant"]["host"]), (&false.into(), &true.into()));
    assert_eq!(stage.host(host, HostAction::Lock), Err(HostError::NotHost));
    let closed = stage.rooms.close(stage.now, &Asker::default(), opened.room, Some(opened.key));
    assert_eq!(closed, Err(HostError::NotHost));
}

#[test]
fn one_participant_is_pinned_until_he_goes() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, bert]) = stage.company(RoomKind::Intercom);
    stage.host(host, HostAction::Pin { who: Some(anna.id) }).expect("the host may");
    assert_eq!(stage.orders, [Order::Pin(opened.room, Some(anna.voice))]);
    assert_eq!(stage.told_once(bert, "room_changed")["room"]["pinned"], anna.id.0.to_string());
    stage.leave(anna.session, LeaveReason::Gone);
    assert_eq!((stage.orders.last(), stage.info(opened.room).pinned), (Some(&Order::Pin(opened.room, None)), None));
    stage.host(host, HostAction::Pin { who: Some(bert.id) }).expect("the host may");
    stage.host(host, HostAction::Pin { who: None }).expect("the host may");
    assert_eq!(stage.info(opened.room).pinned, None);
}

#[test]
fn the_host_closes_the_room_and_all_are_told() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, bert]) = stage.company(RoomKind::Intercom);
    stage.host(host, HostAction::Close).expect("the host may");
    for one in [host, anna, bert] {
        let told = stage.told_once(one, "room_closed");
        assert_eq!((&told["reason"], told["message"].is_string()), (&"closed".into(), true));
    }
    assert!(stage.rooms.info(opened.room).is_none());
}

#[test]
fn a_host_who_comes_back_in_time_is_the_host_again() {
    for kind in [RoomKind::Intercom, RoomKind::Broadcast] {
        let mut stage = TestHouse::new();
        let (opened, [host, anna, _]) = stage.company(kind);
        stage.leave(host.session, LeaveReason::Gone);
        assert_eq!(stage.info(opened.room).host, Some(host.id), "it is still his");
        assert_eq!(stage.host(anna, HostAction::Claim), Err(HostError::HasHost));
        stage.pass(GRACE - MOMENT);
        stage.empty_boxes();
        let back = stage.join_with(opened.room, "Host", opened.key);
        assert_eq!(back.id, host.id);
        assert_eq!(stage.told(anna)[0]["participant"]["host"], true);
        assert_eq!(stage.host(back, HostAction::Lock), Ok(()));
    }
}

#[test]
fn after_the_grace_an_intercom_room_is_the_longest_presents() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, bert]) = stage.company(RoomKind::Intercom);
    stage.leave(host.session, LeaveReason::Gone);
    stage.empty_boxes();
    stage.pass(GRACE);
    assert_eq!(stage.info(opened.room).host, Some(anna.id));
    let told = stage.told(bert);
    assert_eq!((&told[0]["type"], &told[1]["participant"]["host"]), (&"room_changed".into(), &true.into()));
    let late = stage.join_with(opened.room, "Host", opened.key);
    assert_ne!(late.id, host.id);
    assert_eq!(stage.host(late, HostAction::Lock), Err(HostError::NotHost));
    assert_eq!(stage.host(anna, HostAction::Lock), Ok(()));
}

#[test]
fn after_the_grace_a_broadcast_is_over() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, _]) = stage.company(RoomKind::Broadcast);
    stage.leave(host.session, LeaveReason::Gone);
    stage.pass(GRACE);
    assert_eq!(stage.told_once(anna, "room_closed")["reason"], "host_left");
    assert!(stage.rooms.info(opened.room).is_none());
}

#[test]
fn a_host_who_leaves_gives_the_room_up_at_once() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, _]) = stage.company(RoomKind::Intercom);
    stage.leave(host.session, LeaveReason::Left);
    assert_eq!(stage.info(opened.room).host, Some(anna.id));
    let (_, [host, anna, _]) = stage.company(RoomKind::Broadcast);
    stage.leave(host.session, LeaveReason::Left);
    assert_eq!(stage.told_once(anna, "room_closed")["reason"], "host_left");
}

#[test]
fn a_host_who_was_alone_and_left_finds_his_room_again() {
    let mut stage = TestHouse::new();
    let opened = stage.open(RoomKind::Intercom);
    let host = stage.join_with(opened.room, "Host", opened.key);
    stage.leave(host.session, LeaveReason::Left);
    stage.pass(GRACE - MOMENT);
    assert_eq!(stage.join_with(opened.room, "Host", opened.key).id, host.id);
    assert_eq!(stage.info(opened.room).host, Some(host.id));
}

#[test]
fn a_room_whose_host_never_came_is_somebody_elses() {
    let mut stage = TestHouse::new();
    let opened = stage.open(RoomKind::Intercom);
    let anna = stage.join(opened.room, "Anna");
    stage.pass(EMPTY_TIMEOUT - MOMENT);
    assert_ne!(stage.info(opened.room).host, Some(anna.id));
    stage.pass(MOMENT);
    assert_eq!(stage.info(opened.room).host, Some(anna.id));
}

#[test]
fn a_stage_without_a_host_is_his_who_claims_it_and_stays_when_he_has_gone() {
    let mut stage = TestHouse::new();
    let room = stage.rooms.find("stage").expect("there");
    let (anna, bert) = (stage.join(room, "Anna"), stage.join(room, "Bert"));
    assert_eq!(stage.host(anna, HostAction::Claim), Ok(()));
    assert_eq!(stage.host(bert, HostAction::Claim).map_err(HostError::code), Err("not_host"));
    assert_eq!(stage.rooms.may_talk(anna.session), Ok(()));
    stage.leave(anna.session, LeaveReason::Gone);
    stage.pass(GRACE);
    assert_eq!((stage.info(room).host, stage.names(room)), (None, vec!["Bert".to_owned()]));
    assert_eq!(stage.host(bert, HostAction::Claim), Ok(()));
}

#[test]
fn nobody_is_the_host_of_a_permanent_intercom_room() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    assert_eq!(stage.host(anna, HostAction::Claim), Err(HostError::Everybodys));
    assert_eq!(stage.host_as(ADMIN, anna, HostAction::HandOver { who: anna.id }), Err(HostError::Everybodys));
    assert_eq!(stage.info(RoomId::HOME).host, None);
}

#[test]
fn a_host_who_is_kicked_by_an_admin_is_the_host_no_more() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, bert]) = stage.company(RoomKind::Intercom);
    stage.host_as(ADMIN, bert, HostAction::Kick { who: host.id }).expect("admins may");
    assert_eq!(stage.info(opened.room).host, Some(anna.id));
    let back = stage.try_join(Asker::default(), opened.room, "Host", None, Some(opened.key));
    assert_eq!(back.map_err(JoinError::code), Err("kicked"));
}

#[test]
fn actions_are_read_as_the_protocol_writes_them() {
    let who = ParticipantId(uuid::Uuid::from_u128(1));
    let read = |text: &str| serde_json::from_str::<HostAction>(text);
    let id = "00000000-0000-0000-0000-000000000001";
    assert_eq!(read(&format!(r#"{{"action":"hand_over","who":"{id}"}}"#)).ok(), Some(HostAction::HandOver { who }));
    assert_eq!(read(r#"{"action":"pin","who":null}"#).ok(), Some(HostAction::Pin { who: None }));
    assert_eq!(read(r#"{"action":"pin"}"#).ok(), Some(HostAction::Pin { who: None }));
    assert_eq!(read(r#"{"action":"lock","type":"host"}"#).ok(), Some(HostAction::Lock));
    for wrong in [r#"{"action":"mute"}"#, r#"{"action":"explode"}"#, r#"{"action":"mute","who":"x"}"#, "{}"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
