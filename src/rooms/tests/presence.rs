//! Who is there and who hears: what everybody may know of each room who may know which there are.

use serde_json::json;

use super::*;
use crate::domain::{GrantId, Owner};

impl TestHouse {
    /// What the list says of this room.
    fn listing(&self, room: RoomId) -> Value {
        let id = self.rooms.slug(room).expect("it is there");
        let listed = self.rooms.listing(Some(id)).pop().expect("listed");
        serde_json::to_value(listed).expect("can be written")
    }

    fn connect(&mut self, who: Joined) {
        self.rooms.note_connected(self.now, who.session);
        self.deliver();
    }
}

#[test]
fn whoever_has_joined_hears_once_they_are_connected_and_until_they_want_to_hear_nobody() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    assert_eq!(stage.listing(RoomId::HOME)["hearing"], 0);
    stage.connect(anna);
    assert_eq!(stage.listing(RoomId::HOME)["hearing"], 1);
    assert_eq!(stage.listing(RoomId::HOME)["people"][0]["hears"], true);
    stage.rooms.note_listening(stage.now, anna.session, false);
    assert_eq!(stage.listing(RoomId::HOME)["hearing"], 0);
    stage.rooms.note_listening(stage.now, anna.session, true);
    assert_eq!(stage.listing(RoomId::HOME)["hearing"], 1);
    stage.leave(anna.session, LeaveReason::Gone);
    assert_eq!(stage.listing(RoomId::HOME)["hearing"], 0);
}

#[test]
fn those_in_the_room_and_those_who_watch_are_told_who_hears_and_only_when_it_changes() {
    let mut stage = TestHouse::new();
    let [anna, bert] = ["Anna", "Bert"].map(|name| stage.join(RoomId::HOME, name));
    stage.pass(LIST_INTERVAL);
    stage.empty_boxes();
    stage.watched.clear();
    stage.connect(anna);
    stage.connect(anna);
    assert_eq!(stage.told_once(bert, "participant_changed")["participant"]["hears"], true);
    stage.pass(LIST_INTERVAL);
    assert_eq!(stage.watched.len(), 1);
    assert_eq!(stage.watched[0].1["rooms"][0]["hearing"], 1);
}

#[test]
fn those_who_hear_without_having_joined_are_counted_by_how_they_hear() {
    let mut stage = TestHouse::new();
    let kinds = [ListenerKind::Player, ListenerKind::Player, ListenerKind::Client, ListenerKind::Loudspeaker];
    for (grant, kind) in (1..).zip(kinds) {
        let granted = Granted { grant: GrantId(grant), owner: Owner::from([10, 0, 0, 1]) };
        stage.rooms.listener_came(stage.now, RoomId::HOME, granted, "Somebody", kind);
    }
    let home = stage.listing(RoomId::HOME);
    assert_eq!(home["hearing"], 4);
    assert_eq!(home["listening"], json!({ "players": 2, "clients": 1, "loudspeakers": 1 }));
}

#[test]
fn who_is_in_a_room_with_a_pin_is_not_in_the_list_but_how_many_hear_is() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Intercom, Some("1234"), None);
    let host = stage.join_with(opened.room, "Host", opened.key);
    stage.connect(host);
    assert_eq!(stage.listing(opened.room)["people"], json!([]));
    assert_eq!(stage.listing(opened.room)["hearing"], 1);
}

#[test]
fn the_list_names_the_first_of_a_crowd() {
    let mut stage = TestHouse::new();
    let opened = stage.open_with(RoomKind::Broadcast, None, Some(50));
    stage.join_with(opened.room, "Host", opened.key);
    for number in 0..MAX_LISTED as u128 {
        let stream = crate::domain::StreamId::of_connection(uuid::Uuid::from_u128(number));
        stage.rooms.talker_came(stage.now, crate::domain::Track::voice(stream, opened.room), "Door", None);
    }
    let people = stage.listing(opened.room)["people"].clone();
    assert_eq!(people.as_array().map(Vec::len), Some(MAX_LISTED));
    assert_eq!(people[0]["name"], "Host");
}

#[test]
fn whoever_is_renamed_is_told_to_all_and_never_called_like_somebody_else_or_nothing() {
    let mut stage = TestHouse::new();
    let [anna, bert] = ["Anna", "Bert"].map(|name| stage.join(RoomId::HOME, name));
    stage.empty_boxes();
    stage.rooms.rename(stage.now, bert.session, "  Kitchen\u{202e} tablet ");
    stage.deliver();
    assert_eq!(stage.told_once(anna, "participant_changed")["participant"]["name"], "Kitchen tablet");
    for (wanted, called) in [("anna", "anna 2"), ("", "anna 2"), ("\u{200b}", "anna 2"), ("Bert", "Bert")] {
        stage.rooms.rename(stage.now, bert.session, wanted);
        assert_eq!(stage.listing(RoomId::HOME)["people"][1]["name"], called, "{wanted:?}");
    }
}
