//! Those who talk without having joined, and what the media side is told.

use uuid::Uuid;

use crate::domain::Track;

use super::*;

fn stream(room: RoomId) -> Track {
    Track::voice(StreamId::of_connection(Uuid::from_u128(7)), room)
}

#[test]
fn who_talks_without_having_joined_is_seen_heard_and_seen_to_go() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    stage.empty_boxes();
    stage.rooms.talker_came(stage.now, stream(RoomId::HOME), "Anna", None);
    let (who, kind) = stage.rooms.who_is(stream(RoomId::HOME).id).expect("known");
    assert_eq!(kind, TrackKind::Voice);
    stage.rooms.note_talking(stage.now, who, true, false);
    stage.rooms.note_talking(stage.now, who, true, false);
    assert_eq!(stage.rooms.participants(RoomId::HOME).map(|all| all.len()), Some(2));
    stage.rooms.talker_left(stream(RoomId::HOME).id);
    stage.rooms.talker_left(stream(RoomId::HOME).id);
    stage.deliver();
    let told = &stage.boxes[&anna.session];
    let kinds: Vec<_> = told.iter().map(|message| message["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds, ["participant_joined", "talking", "participant_left"]);
    assert_eq!(told[0]["participant"]["name"], "Anna 2");
    assert!(stage.rooms.who_is(stream(RoomId::HOME).id).is_none());
}

#[test]
fn nothing_is_kept_of_who_talked_in_a_room_that_is_no_more() {
    let mut stage = TestHouse::new();
    let (opened, [host, ..]) = stage.company(RoomKind::Intercom);
    stage.rooms.talker_came(stage.now, stream(opened.room), "Card", None);
    stage.host(host, HostAction::Close).expect("his");
    assert!(stage.rooms.who_is(stream(opened.room).id).is_none());
    stage.rooms.talker_left(stream(opened.room).id);
}

#[test]
fn one_talks_without_having_joined_only_where_all_may() {
    let mut stage = TestHouse::new();
    assert!(stage.rooms.is_open(RoomId::HOME));
    let with_pin = stage.open_with(RoomKind::Intercom, Some("1234"), None);
    let broadcast = stage.open(RoomKind::Broadcast);
    let (opened, [host, ..]) = stage.company(RoomKind::Intercom);
    assert!(stage.rooms.is_open(opened.room));
    stage.host(host, HostAction::Lock).expect("his");
    for room in [with_pin.room, broadcast.room, opened.room, RoomId(99)] {
        assert!(!stage.rooms.is_open(room));
    }
}

#[test]
fn the_media_side_forgets_what_a_closed_room_had_pinned_and_the_room_itself() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, _]) = stage.company(RoomKind::Intercom);
    stage.host(host, HostAction::Pin { who: Some(anna.id) }).expect("his");
    stage.orders.clear();
    stage.host(host, HostAction::Close).expect("his");
    assert_eq!(stage.orders[..2], [Order::Pin(opened.room, None), Order::Forget(opened.room)]);
}

#[test]
fn whether_somebody_may_be_heard_is_ordered_anew_when_his_connection_is_there() {
    let mut stage = TestHouse::new();
    let (_, [host, anna, _]) = stage.company(RoomKind::Intercom);
    stage.host(host, HostAction::Mute { who: anna.id }).expect("his");
    stage.orders.clear();
    stage.rooms.note_connected(stage.now, anna.session);
    stage.rooms.note_connected(stage.now, host.session);
    stage.deliver();
    assert_eq!(stage.orders, [Order::Silence(anna.voice, true), Order::Silence(host.voice, false)]);
}

#[test]
fn whom_one_wants_to_hear_is_heard_with_his_music_and_who_has_not_joined_has_a_voice_alone() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    stage.rooms.talker_came(stage.now, stream(RoomId::HOME), "Card", None);
    let (talker, _) = stage.rooms.who_is(stream(RoomId::HOME).id).expect("known");
    assert_eq!(stage.rooms.streams_of(anna.id), [anna.voice, anna.music]);
    assert_eq!(stage.rooms.streams_of(talker), [stream(RoomId::HOME).id]);
    assert!(stage.rooms.streams_of(ParticipantId(Uuid::from_u128(99))).is_empty());
}
