//! Those who are heard, or hear, without having joined: they are seen, muted, and sent out.

use super::*;
use crate::domain::{GrantId, Owner, StreamId, Track};

fn granted(grant: u64, address: u8) -> Granted {
    Granted { grant: GrantId(grant), owner: Owner::from([10, 0, 0, address]) }
}

fn stream(number: u128, room: RoomId) -> Track {
    Track::voice(StreamId::of_connection(uuid::Uuid::from_u128(number)), room)
}

/// A room with its host, a talker and two listeners who have not joined it.
fn room() -> (TestHouse, RoomId, Joined, ParticipantId, [ParticipantId; 2]) {
    let mut stage = TestHouse::new();
    let opened = stage.open(RoomKind::Intercom);
    let host = stage.join_with(opened.room, "Host", opened.key);
    stage.rooms.talker_came(stage.now, stream(1, opened.room), "Doorbell", Some(granted(1, 1)));
    let came = [(2, 2, "Kitchen tablet"), (3, 3, "10.0.0.3")].map(|(grant, address, name)| {
        let listener = granted(grant, address);
        stage.rooms.listener_came(stage.now, opened.room, listener, name, ListenerKind::Player).expect("there")
    });
    stage.pass(LIST_INTERVAL);
    let (talker, _) = stage.rooms.who_is(stream(1, opened.room).id).expect("known");
    stage.orders.clear();
    (stage, opened.room, host, talker, came)
}

#[test]
fn those_in_the_room_are_told_who_listens_and_the_list_how_many() {
    let (mut stage, room, host, _, [tablet, _]) = room();
    let told = stage.told(host);
    let listeners = told.iter().rfind(|message| message["type"] == "listeners").expect("told");
    assert_eq!((&listeners["count"], &listeners["listeners"][0]["name"]), (&2.into(), &"Kitchen tablet".into()));
    assert_eq!(listeners["listeners"][0]["kind"], "player");
    assert_eq!(stage.info(room).listeners, 2);
    stage.rooms.listener_left(stage.now, room, tablet);
    stage.pass(LIST_INTERVAL);
    assert_eq!(stage.told_once(host, "listeners")["count"], 1);
    let late = stage.join(room, "Anna");
    assert_eq!(stage.told_once(late, "joined")["listeners"][0]["name"], "10.0.0.3");
}

#[test]
fn a_crowd_of_listeners_is_told_twice_a_second_and_by_its_first() {
    let (mut stage, room, host, ..) = room();
    stage.told(host);
    for number in 0..2_000_u64 {
        stage.rooms.listener_came(stage.now, room, granted(number + 10, 9), "Player", ListenerKind::Player);
        stage.pass(MOMENT);
    }
    stage.pass(LIST_INTERVAL);
    let told = stage.told(host);
    let lists: Vec<_> = told.iter().filter(|message| message["type"] == "listeners").collect();
    assert!((4..=6).contains(&lists.len()), "{}", lists.len());
    assert_eq!(lists.last().map(|list| &list["count"]), Some(&2_002.into()));
    assert!(lists.iter().all(|list| list["listeners"].as_array().is_some_and(|list| list.len() <= MAX_LISTED)));
}

#[test]
fn the_host_mutes_who_has_not_joined() {
    let (mut stage, room, host, talker, _) = room();
    stage.rooms.note_talking(stage.now, talker, true, false);
    stage.deliver();
    stage.told(host);
    stage.host(host, HostAction::Mute { who: talker }).expect("the host may");
    let changed = stage.told_once(host, "participant_changed");
    let seen = &changed["participant"];
    assert_eq!((&seen["muted"], &seen["talking"], &seen["joined"]), (&true.into(), &false.into(), &false.into()));
    assert_eq!(stage.orders, [Order::Silence(stream(1, room).id, true)]);
    stage.host(host, HostAction::Unmute { who: talker }).expect("the host may");
    assert_eq!(stage.orders.last(), Some(&Order::Silence(stream(1, room).id, false)));
}

#[test]
fn the_host_sends_out_who_has_not_joined_with_all_that_is_theirs_there() {
    let (mut stage, room, host, talker, [tablet, other]) = room();
    // The doorbell hears, too.
    stage.rooms.listener_came(stage.now, room, granted(4, 1), "Doorbell", ListenerKind::Client);
    stage.host(host, HostAction::Kick { who: talker }).expect("the host may");
    assert_eq!(stage.orders, [Order::End(GrantId(4)), Order::End(GrantId(1))]);
    stage.orders.clear();
    stage.host(host, HostAction::Kick { who: tablet }).expect("the host may");
    assert_eq!(stage.orders, [Order::End(GrantId(2))]);
    for (address, may) in [(1, false), (2, false), (3, true)] {
        assert_eq!(stage.rooms.may_stay(stage.now, &at([10, 0, 0, address]), room), may, "{address}");
        assert_eq!(stage.rooms.authorize_talk(stage.now, &at([10, 0, 0, address]), room).is_ok(), may, "{address}");
        let hears = stage.rooms.authorize_listen(stage.now, &at([10, 0, 0, address]), room, None);
        assert_eq!(hears.is_ok(), may, "{address}");
    }
    stage.pass(KICKED_FOR);
    assert!(stage.rooms.authorize_talk(stage.now, &at([10, 0, 0, 1]), room).is_ok());
    let guest = stage.join(room, "Anna");
    assert_eq!(stage.host(guest, HostAction::Kick { who: other }), Err(HostError::NotHost));
}

#[test]
fn who_had_joined_and_is_sent_out_hears_on_by_no_other_way() {
    let (mut stage, room, host, ..) = room();
    let guest = stage.try_join(at([10, 0, 0, 3]), room, "Anna", None, None).expect("let in");
    stage.orders.clear();
    stage.host(host, HostAction::Kick { who: guest.id }).expect("the host may");
    assert_eq!(stage.orders, [Order::Remove(guest.voice, guest.session), Order::End(GrantId(3))]);
}

#[test]
fn the_sound_card_is_sent_out_and_keeps_nobody_else_out() {
    let (mut stage, room, host, ..) = room();
    let card = Granted { grant: GrantId(7), owner: Owner::Machine };
    let who = stage.rooms.listener_came(stage.now, room, card, "Loudspeaker", ListenerKind::Loudspeaker);
    stage.host(host, HostAction::Kick { who: who.expect("there") }).expect("the host may");
    assert_eq!(stage.orders, [Order::End(GrantId(7))]);
    assert!(stage.rooms.may_stay(stage.now, &Asker { owner: Some(Owner::Machine), admin: false }, room));
}

#[test]
fn ids_of_participants_say_nothing_of_their_streams() {
    let (mut stage, room, host, talker, _) = room();
    let streams = [host.voice, host.music, stream(1, room).id];
    let ids: Vec<_> = stage.rooms.participants(room).expect("there").iter().map(|one| one.id.0).collect();
    assert!(ids.contains(&talker.0) && ids.contains(&host.id.0));
    assert!(streams.iter().all(|stream| !ids.contains(&stream.uuid())));
    let told = serde_json::to_string(&stage.told(host)).expect("JSON");
    assert!(streams.iter().all(|stream| !told.contains(&stream.uuid().to_string())), "{told}");
}
