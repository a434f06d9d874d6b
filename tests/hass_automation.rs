//! What automations of Home Assistant hear of the relay, and what they ask of it, over a real socket against a stand-in for
//! its core.

mod support;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::core::{StandInCore, TOKEN};
use support::http::{get, post_json, put_json, request};
use support::live::{Signalling, metric, metric_becomes, participant, program, start_command, until};
use support::mailbox::leave;
use support::sound::wav;
use tokio::process::Child;
use voice_relay::app::Ports;

const PAGE: &str = "--hass-page=https://relay.example/";

const SPEAKER: &str = "media_player.kitchen_speaker";

/// A core, and the program linked to it with a file to be announced; it ends with the child.
async fn house(folder: &Path) -> (StandInCore, Child, Ports) {
    house_with(folder, |_| {}).await
}

/// The same, of a core that has more.
async fn house_with(folder: &Path, add: impl FnOnce(&StandInCore)) -> (StandInCore, Child, Ports) {
    std::fs::write(folder.join("long.wav"), wav(8_000, 440.0, 30.0)).expect("written");
    std::fs::write(folder.join("dinner.wav"), wav(8_000, 440.0, 0.5)).expect("written");
    let core = StandInCore::start().await;
    core.add(SPEAKER, "cast", Some("kitchen"), "idle", 0.3);
    add(&core);
    let mut command = program();
    command.env("VOICE_RELAY__HASS__URL", &core.url).env("VOICE_RELAY__HASS__TOKEN", TOKEN);
    let data = format!("--data-dir={}", folder.join("data").display());
    let files = format!("--files-folders={}", folder.display());
    let flags = [&*data, &files, "--tls-mode=off", "--log-level=error", "--rooms-intercom=Kitchen", PAGE];
    let (child, ports) = start_command(command, &flags).await;
    until(async || get(ports.http, "/api/players").await.json()["players"][0]["state"] == "idle").await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 2).await;
    (core, child, ports)
}

/// Fires a command, once the relay listens to them.
async fn command(core: &StandInCore, data: Value) {
    until(async || core.fire("voice_relay_command", data.clone(), Some("anna"))).await;
}

/// What automations were told of this type.
fn told(core: &StandInCore, kind: &str) -> Vec<Value> {
    let fired = core.fired().into_iter().filter(|(event, _)| event == "voice_relay");
    fired.map(|(_, data)| data).filter(|data| data["type"] == kind).collect()
}

#[tokio::test]
async fn an_automation_announces_in_a_room_and_on_a_player_and_is_told_how_it_went() {
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) = house(folder.path()).await;
    let wish = json!({ "do": "announce", "to": ["room:kitchen", SPEAKER], "message": "Dinner", "language": "de" });
    command(&core, wish).await;
    until(async || !told(&core, "announcement_ended").is_empty()).await;
    let (started, ended) = (&told(&core, "announcement_started")[0], &told(&core, "announcement_ended")[0]);
    assert_eq!(ended["announcement"], started["announcement"]);
    assert_eq!((&ended["to"], &ended["name"]), (&json!(["room:kitchen", SPEAKER]), &json!("Dinner")));
    assert_eq!(ended["state"], "played");
    assert_eq!(core.spoken(), ["tts.piper?message=Dinner&language=de"]);
    assert_eq!(metric(ports, "automation_commands").await, 1);
}

#[tokio::test]
async fn an_automation_stops_what_is_announced_in_one_place_or_everywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) = house(folder.path()).await;
    for room in ["home", "kitchen"] {
        let wish = json!({ "room": room, "file": "long" });
        assert_eq!(post_json(ports.http, "/api/announce", &wish).await.status, 202);
    }
    command(&core, json!({ "do": "announce", "to": SPEAKER, "file": "long" })).await;
    until(async || core.state(SPEAKER).0 == "playing").await;
    command(&core, json!({ "do": "stop", "room": "kitchen" })).await;
    until(async || told(&core, "announcement_ended").len() == 1).await;
    assert_eq!(told(&core, "announcement_ended")[0]["to"], json!(["room:kitchen"]));
    command(&core, json!({ "do": "stop" })).await;
    until(async || told(&core, "announcement_ended").len() == 3).await;
    assert!(told(&core, "announcement_ended").iter().all(|ended| ended["state"] == "stopped"));
    until(async || core.state(SPEAKER) == ("idle".into(), Some(0.3))).await;
}

#[tokio::test]
async fn a_command_that_cannot_be_obeyed_is_told_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) = house(folder.path()).await;
    let wrong = [
        (json!({ "do": "explode" }), "unknown variant"),
        (json!({ "room": "kitchen", "message": "Dinner" }), "missing field `do`"),
        (json!({ "do": "announce", "room": "attic", "file": "dinner" }), "no such room"),
        (json!({ "do": "announce", "to": "{{ states('x') }}", "file": "dinner" }), "no destination"),
        (json!({ "do": "announce", "room": "kitchen", "file": "lunch" }), "no file"),
        (json!({ "do": "announce", "room": "kitchen", "file": "dinner", "volume": 99 }), "from -60 to 20"),
        (json!({ "do": "announce", "room": "kitchen", "message": "x", "language": "xx" }), "not supported"),
        (json!({ "do": "stop", "to": "area:attic" }), "no area"),
    ];
    for (number, (data, why)) in wrong.iter().enumerate() {
        command(&core, data.clone()).await;
        until(async || told(&core, "command_failed").len() > number).await;
        let failed = &told(&core, "command_failed")[number];
        assert_eq!(&failed["command"], data);
        assert!(failed["message"].as_str().expect("a sentence").contains(why), "{failed}");
    }
    assert_eq!(metric(ports, "automation_commands_refused").await, wrong.len() as u64);
}

#[tokio::test]
async fn an_automation_announces_where_others_need_a_pin_as_the_panel_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) = house(folder.path()).await;
    let opened = post_json(ports.http, "/api/rooms", &json!({ "roomName": "Secret", "pin": "4711" })).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let wish = json!({ "room": "secret", "file": "dinner" });
    assert_eq!(post_json(ports.http, "/api/announce", &wish).await.status, 403, "others may not");
    command(&core, json!({ "do": "announce", "room": "secret", "file": "dinner" })).await;
    until(async || !told(&core, "announcement_ended").is_empty()).await;
    assert_eq!(told(&core, "announcement_ended")[0]["state"], "played");
}

#[tokio::test]
async fn automations_hear_who_comes_talks_and_leaves_also_after_a_restart_of_home_assistant() {
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) = house(folder.path()).await;
    command(&core, json!({ "do": "stop" })).await;
    core.throw_out();
    until(async || get(ports.http, "/api/players").await.json()["linked"] == false).await;
    until(async || get(ports.http, "/api/players").await.json()["linked"] == true).await;
    let mut anna = participant(ports, json!({ "type": "join", "room": "kitchen", "name": "Anna" })).await;
    until(async || !told(&core, "joined").is_empty()).await;
    anna.talk().await;
    until(async || !told(&core, "talk_started").is_empty()).await;
    anna.say(json!({ "type": "leave" })).await;
    until(async || !told(&core, "left").is_empty()).await;
    let all: Vec<_> = ["joined", "talk_started", "left"].iter().map(|kind| told(&core, kind)[0].clone()).collect();
    for event in &all {
        assert_eq!((&event["room"], &event["name"]), (&json!("kitchen"), &json!("Anna")), "{event}");
        assert_eq!(event["participant"], all[0]["participant"]);
    }
    metric_becomes(ports, "automation_events_lost", 0).await;
}

#[tokio::test]
async fn an_automation_rings_and_is_told_who_answered_and_one_that_rings_without_end_is_told_to_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) = house(folder.path()).await;
    let mut hall = Signalling::connect(ports.http, "/ws").await;
    hall.send(json!({ "type": "station", "name": "Hall", "rooms": ["kitchen"] })).await;
    hall.expect("station").await;
    command(&core, json!({ "do": "ring", "to": "room:kitchen", "name": "Front door" })).await;
    let rung = hall.expect("call").await["call"].clone();
    assert_eq!(rung["from"]["name"], "Front door");
    hall.send(json!({ "type": "answer_call", "call": rung["id"] })).await;
    until(async || !told(&core, "call_ended").is_empty()).await;
    let (ringing, ended) = (&told(&core, "call_ringing")[0], &told(&core, "call_ended")[0]);
    assert_eq!((&ringing["call"], &ringing["from"]["name"]), (&rung["id"], &json!("Front door")));
    assert_eq!(
        (&ended["outcome"], &told(&core, "call_answered")[0]["answered_by"]),
        (&json!("answered"), &json!("hall"))
    );
    for _ in 0..10 {
        command(&core, json!({ "do": "ring", "to": "hall" })).await;
    }
    until(async || {
        told(&core, "command_failed").iter().any(|it| it["message"] == "Too many calls; wait a few seconds")
    })
    .await;
    let live = get(ports.http, "/api/calls").await.json()["calls"][0]["id"].clone();
    command(&core, json!({ "do": "hang_up", "call": live })).await;
    until(async || told(&core, "call_ended").iter().any(|it| it["outcome"] == "cancelled")).await;
}

#[tokio::test]
async fn automations_are_told_of_a_voice_message_and_when_it_was_heard_but_not_how_to_hear_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) = house(folder.path()).await;
    let mut anna = Signalling::connect(ports.http, "/ws").await;
    anna.send(json!({ "type": "station", "name": "Anna" })).await;
    let (left, _) = leave(&mut anna, "kitchen", 440.0, 60).await;
    until(async || !told(&core, "voice_message_left").is_empty()).await;
    let wanted = |kind: &str| json!({ "type": kind, "from": { "station": "anna", "name": "Anna" }, "to": "kitchen", "seconds": 2 });
    assert_eq!(told(&core, "voice_message_left"), [wanted("voice_message_left")]);
    let path = format!("/api/voice-messages/{}", left["id"].as_str().expect("an id"));
    for _ in 0..2 {
        assert_eq!(put_json(ports.http, &path, r#"{"heard":true}"#).await.status, 204);
    }
    until(async || !told(&core, "voice_message_heard").is_empty()).await;
    assert_eq!(told(&core, "voice_message_heard"), [wanted("voice_message_heard")]);
}

#[tokio::test]
async fn a_phone_rings_whose_page_is_closed_and_answers_or_declines() {
    const PHONE: &str = "mobile_app_pixel_8";
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) = house_with(folder.path(), |core| core.add_phone(PHONE)).await;
    let listed = get(ports.http, "/api/phones").await.json();
    assert_eq!(listed, json!({ "page": true, "phones": [{ "id": PHONE, "name": "Pixel 8" }] }));
    let enter = async |key: Value| {
        let mut anna = Signalling::connect(ports.http, "/ws").await;
        anna.send(json!({ "type": "station", "name": "Anna", "key": key, "rooms": ["kitchen"] })).await;
        let station = anna.expect("station").await;
        (anna, station)
    };
    let (anna, station) = enter(Value::Null).await;
    for (id, phone, status) in [("anna", "mobile_app_none", 404), ("bert", PHONE, 404), ("anna", PHONE, 204)] {
        let path = format!("/api/stations/{id}/phone");
        let answer = put_json(ports.http, &path, &json!({ "phone": phone }).to_string()).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    drop(anna);
    until(async || get(ports.http, "/api/stations").await.json()["stations"][0]["presence"] == "phone").await;
    let ring = async |to: &str| {
        let wish = json!({ "to": to, "name": "Front door", "room": "kitchen" });
        let rung = post_json(ports.http, "/api/calls", &wish).await;
        assert_eq!(rung.status, 201, "{}", rung.text());
        rung.json()["id"].as_str().expect("an id").to_owned()
    };
    let told = async |count: usize| {
        until(async || core.notified(PHONE).len() == count).await;
        core.notified(PHONE)[count - 1].clone()
    };

    // Declined, by the button of the notification.
    let call = ring("anna").await;
    let rings = told(1).await;
    assert_eq!((&rings["title"], &rings["message"]), (&json!("Front door"), &json!("ruft an")));
    assert_eq!((&rings["data"]["tag"], &rings["data"]["ttl"]), (&json!(call), &json!(0)));
    let opens = format!("https://relay.example/?call={call}");
    assert_eq!((&rings["data"]["clickAction"], &rings["data"]["url"]), (&json!(opens), &json!(opens)));
    let [answer, decline] = [0, 1].map(|button| rings["data"]["actions"][button].clone());
    assert_eq!(answer, json!({ "action": "URI", "title": "Annehmen", "uri": opens }));
    for wrong in ["VR_DECLINE", "VR_DECLINE_x_anna", "SOMETHING_ELSE"] {
        assert!(core.fire("mobile_app_notification_action", json!({ "action": wrong }), Some("anna")));
    }
    assert!(core.fire("mobile_app_notification_action", json!({ "action": decline["action"] }), Some("anna")));
    let over = async |call: &str| get(ports.http, &format!("/api/calls/{call}")).await.json()["outcome"].clone();
    until(async || over(&call).await == "declined").await;
    assert_eq!(told(2).await, json!({ "message": "clear_notification", "data": { "tag": call } }));

    // Answered, by the page that the other button opens.
    let call = ring("kitchen").await;
    told(3).await;
    let (mut anna, again) = enter(station["key"].clone()).await;
    assert_eq!((&again["id"], &again["calls"][0]["id"]), (&json!("anna"), &json!(call)));
    anna.send(json!({ "type": "answer_call", "call": call })).await;
    assert_eq!(told(4).await["message"], "clear_notification");
    anna.send(json!({ "type": "hang_up", "call": call })).await;
    until(async || over(&call).await == "answered").await;

    // Given up: whoever has the phone sees who it was.
    drop(anna);
    let call = ring("everybody").await;
    told(5).await;
    assert_eq!(
        request(ports.http, &format!("DELETE /api/calls/{call} HTTP/1.1"), &[], Duration::from_secs(5)).await.status,
        204
    );
    let missed = told(6).await;
    assert_eq!((&missed["title"], &missed["message"]), (&json!("Front door"), &json!("Verpasster Anruf")));
    assert_eq!(missed["data"]["tag"], json!(call));
    metric_becomes(ports, "phones_rung", 3).await;

    // A phone that is no more is nobody who could be waited for.
    core.remove_phone(PHONE);
    let call = ring("anna").await;
    until(async || over(&call).await == "missed").await;
    metric_becomes(ports, "phones_unreachable", 1).await;
}

#[tokio::test]
async fn a_doorbell_of_home_assistant_rings_without_an_automation_those_who_are_chosen_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (core, _child, ports) =
        house_with(folder.path(), |core| core.add_doorbell("event.front_door", "Front door")).await;
    let device = async |name: &str, room: &str| {
        let mut device = Signalling::connect(ports.http, "/ws").await;
        device.send(json!({ "type": "station", "name": name, "rooms": [room] })).await;
        device.expect("station").await;
        device
    };
    let (mut hall, mut attic) = (device("Hall", "home").await, device("Attic", "kitchen").await);
    let known = || async { get(ports.http, "/api/doorbells").await.json()["doorbells"].clone() };
    until(async || known().await[0]["name"] == "Front door").await;
    assert_eq!(
        known().await,
        json!([{ "entity": "event.front_door", "name": "Front door", "available": true, "to": ["everybody"] }])
    );
    core.set_state("event.front_door", "2026-11-30T11:00:00.000+00:00");
    for device in [&mut hall, &mut attic] {
        assert_eq!(device.expect("call").await["call"]["from"]["name"], "Front door");
    }
    let choose = async |to: &str, status: u16| {
        let answer = put_json(ports.http, "/api/doorbells/event.front_door", to).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    };
    choose(r#"{"to":"kitchen"}"#, 400).await;
    choose(r#"{"to":["room:kitchen"]}"#, 204).await;
    assert_eq!(put_json(ports.http, "/api/doorbells/event.none", r#"{"to":[]}"#).await.status, 404);
    let live = get(ports.http, "/api/calls").await.json()["calls"][0]["id"].clone();
    command(&core, json!({ "do": "hang_up", "call": live })).await;
    until(async || get(ports.http, "/api/calls").await.json()["calls"] == json!([])).await;
    // Its integration goes and comes back, and so does Home Assistant: nobody has pressed it.
    core.set_state("event.front_door", "unavailable");
    core.set_state("event.front_door", "2026-11-30T11:00:00.000+00:00");
    core.throw_out();
    until(async || known().await[0]["available"] == false).await;
    until(async || known().await[0]["available"] == true).await;
    core.set_state("event.front_door", "2026-11-30T12:00:00.000+00:00");
    until(async || get(ports.http, "/api/calls").await.json()["calls"][0]["to"].as_array().map(Vec::len) == Some(1))
        .await;
    let log = get(ports.http, "/api/calls").await.json();
    assert_eq!((&log["calls"][0]["to"][0]["name"], log["log"].as_array().map(Vec::len)), (&json!("Attic"), Some(1)));
    choose(r#"{"to":[]}"#, 204).await;
    assert_eq!(known().await[0]["to"], json!([]));
}
