//! What is chosen of rooms.

use super::*;
use crate::data::DataFolder;

impl TestHouse {
    pub(super) fn choose(&mut self, room: RoomId, change: Value) -> RoomOptions {
        let change = serde_json::from_value(change).expect("a change");
        let options = self.rooms.set_options(self.now, room, change).expect("a room");
        self.deliver();
        options
    }
}

#[test]
fn what_is_chosen_is_told_to_those_who_are_there_and_what_is_not_named_stays() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    stage.empty_boxes();
    stage.choose(RoomId::HOME, serde_json::json!({ "dropIn": true }));
    let options = stage.choose(RoomId::HOME, serde_json::json!({ "talkTones": false }));
    assert_eq!(options, RoomOptions { talk_tones: false, half_duplex: false, drop_in: true });
    stage.choose(RoomId::HOME, serde_json::json!({ "talkTones": false }));
    let told = &stage.boxes[&anna.session];
    assert_eq!(told.len(), 2, "once for each change: {told:?}");
    let room = &told[1]["room"];
    assert_eq!([&room["talkTones"], &room["halfDuplex"], &room["dropIn"]], [false, false, true]);
    for wrong in [serde_json::json!({ "halfduplex": true }), serde_json::json!({ "dropIn": 1 })] {
        assert!(serde_json::from_value::<RoomOptionsChange>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn it_outlives_a_restart_also_of_a_station_and_is_nothing_to_the_next_room_of_that_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = || DataFolder::new(folder.path().join("data"));
    let house = || RoomsHandle::new(Rooms::new(house(), Instant::now(), SystemTime::now()));
    let change = |text: &str| serde_json::from_str(text).expect("a change");
    let first = house();
    first.open_station(Some("hall"), "Hall");
    let keeper = RoomOptionsKeeper::open(first.clone(), data());
    keeper.set("kueche", change(r#"{"halfDuplex":true}"#)).expect("kept");
    keeper.set("hall", change(r#"{"dropIn":true}"#)).expect("kept");
    assert!(matches!(keeper.set("attic", change("{}")), Err(SetRoomOptionsError::NoRoom)));

    let second = house();
    let keeper = RoomOptionsKeeper::open(second.clone(), data());
    second.open_station(Some("hall"), "Hall");
    let of = |rooms: &RoomsHandle, slug: &str| rooms.options(rooms.find(slug).expect("a room")).expect("a room");
    assert_eq!((of(&second, "kueche").half_duplex, of(&second, "hall").drop_in), (true, true));
    second.close_station("hall");
    second.open_station(Some("hall"), "Hall");
    assert_eq!(of(&second, "hall"), RoomOptions::default());
    keeper.keep().expect("kept");
    let third = house();
    RoomOptionsKeeper::open(third.clone(), data());
    third.open_station(Some("hall"), "Hall");
    assert_eq!((of(&third, "kueche").half_duplex, of(&third, "hall")), (true, RoomOptions::default()));
}

#[test]
fn a_file_that_cannot_be_read_leaves_every_room_as_usual() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("room-options.json"), "[1").expect("written");
    let rooms = RoomsHandle::new(Rooms::new(house(), Instant::now(), SystemTime::now()));
    let keeper = RoomOptionsKeeper::open(rooms.clone(), DataFolder::new(folder.path().to_owned()));
    assert_eq!(rooms.options(RoomId::HOME), Some(RoomOptions::default()));
    keeper.set("home", serde_json::from_str(r#"{"dropIn":true}"#).expect("a change")).expect("and is written anew");
}
