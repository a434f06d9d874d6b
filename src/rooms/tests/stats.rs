//! How well a room goes, as far as it was measured.

use super::*;

fn stats(bitrate: u64, guest: ParticipantId) -> RoomStats {
    let whole = Measures { bitrate: Some(bitrate), loss: Some(0.25), ..Measures::default() };
    RoomStats { whole, guests: vec![GuestStats { id: guest, rtt: Some(12.5), loss: None, jitter: None, delay: None }] }
}

#[test]
fn what_nobody_has_measured_is_null() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    stage.pass(Duration::from_secs(90));
    let told = serde_json::to_value(stage.rooms.stats_of(stage.now, RoomId::HOME)).expect("JSON");
    let nothing = serde_json::json!({
        "bitrate": null, "latency": null, "bufferLevel": null, "loss": null, "jitter": null, "guestCount": 1,
        "duration": 90, "history": [],
        "guests": [{ "id": anna.id, "name": "Anna", "rtt": null, "loss": null, "jitter": null, "delay": null, "quality": null }],
    });
    assert_eq!(told, nothing);
}

#[test]
fn all_in_an_intercom_room_are_told_what_was_measured() {
    let mut stage = TestHouse::new();
    let (anna, bert) = (stage.join(RoomId::HOME, "Anna"), stage.join(RoomId::HOME, "Bert"));
    stage.empty_boxes();
    for _ in 0..QUALITY_SAMPLES {
        stage.rooms.note_quality(anna.id, Quality::Fair);
    }
    stage.rooms.note_stats(stage.now, stage.at, RoomId::HOME, stats(64_000, anna.id));
    stage.deliver();
    let told = stage.told(bert);
    assert_eq!(told[0]["participant"]["quality"], "fair");
    assert_eq!((&told[1]["type"], &told[1]["bitrate"]), (&"stats".into(), &64_000.into()));
    let guest = &told[1]["guests"][0];
    assert_eq!((&guest["rtt"], &guest["quality"], &guest["loss"]), (&12.5.into(), &"fair".into(), &Value::Null));
    assert_eq!(told[1]["history"][0]["at"], 1_000);
}

#[test]
fn in_a_broadcast_the_host_alone_is_told_of_each_guest() {
    let mut stage = TestHouse::new();
    let (opened, [host, anna, _]) = stage.company(RoomKind::Broadcast);
    stage.rooms.note_stats(stage.now, stage.at, opened.room, stats(1, anna.id));
    stage.deliver();
    let (hosts, annas) = (stage.told_once(host, "stats"), stage.told_once(anna, "stats"));
    assert_eq!((hosts["guests"].as_array().map(Vec::len), hosts["guestCount"].as_u64()), (Some(3), Some(2)));
    assert_eq!((&annas["guests"], &annas["bitrate"]), (&serde_json::json!([]), &1.into()));
}

#[test]
fn the_history_has_a_point_every_ten_seconds_and_sixty_at_most() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    for step in 0..500 {
        stage.rooms.note_stats(stage.now, stage.at, RoomId::HOME, stats(step, anna.id));
        stage.deliver();
        stage.pass(Duration::from_secs(2));
    }
    let history = stage.rooms.stats_of(stage.now, RoomId::HOME).expect("there").history;
    assert_eq!(history.len(), HISTORY_POINTS);
    assert!(history.windows(2).all(|two| two[1].at - two[0].at == 10));
    assert_eq!(history.last().and_then(|point| point.whole.bitrate), Some(495));
}

#[test]
fn a_connection_is_judged_only_after_some_looks_at_it() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    let quality = |stage: &TestHouse| stage.rooms.participants(RoomId::HOME).expect("there")[0].quality;
    for _ in 1..QUALITY_SAMPLES {
        stage.rooms.note_quality(anna.id, Quality::Poor);
        assert_eq!(quality(&stage), None);
    }
    stage.rooms.note_quality(anna.id, Quality::Good);
    assert_eq!(quality(&stage), Some(Quality::Good));
    stage.rooms.note_quality(anna.id, Quality::Poor);
    assert_eq!(quality(&stage), Some(Quality::Poor));
}
