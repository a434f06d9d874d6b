//! Devices with names, and calls between them, over real sockets: what each of them is told, and what programs may do.

mod support;

use serde_json::{Value, json};
use support::http::{get, post_json, put_json, request};
use support::live::{PATIENCE, Signalling, end, metric, participant, program, start, start_command, until};
use voice_relay::app::Ports;

/// A device of this name, once it is known by it; and what it was told of itself.
async fn device(ports: Ports, name: &str) -> (Signalling, Value) {
    device_with(ports, json!({ "type": "station", "name": name, "rooms": ["kitchen"] })).await
}

async fn device_with(ports: Ports, station: Value) -> (Signalling, Value) {
    let mut signalling = Signalling::connect(ports.http, "/ws").await;
    signalling.send(station).await;
    let told = signalling.expect("station").await;
    (signalling, told)
}

/// The next that a device is told of a call.
async fn call(signalling: &mut Signalling) -> Value {
    signalling.expect("call").await["call"].clone()
}

async fn delete(ports: Ports, path: &str) -> u16 {
    request(ports.http, &format!("DELETE {path} HTTP/1.1"), &[], PATIENCE).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_calls_another_which_answers_and_both_are_told_where_they_talk() {
    let app = start(&["--rooms-intercom=Kitchen"]);
    let (mut hall, known) = device(app.ports, "Hall tablet").await;
    let (mut anna, _) = device(app.ports, "Anna").await;
    assert_eq!(
        (&known["id"], &known["name"], &known["calls"]),
        (&json!("hall-tablet"), &json!("Hall tablet"), &json!([]))
    );
    anna.send(json!({ "type": "ring", "to": ["hall-tablet"] })).await;
    let rung = call(&mut hall).await;
    assert_eq!(rung["state"], "ringing");
    assert_eq!(rung["from"], json!({ "station": "anna", "name": "Anna" }));
    let callee = json!({ "station": "hall-tablet", "name": "Hall tablet", "state": "ringing", "drop_in": true });
    assert_eq!(rung["to"], json!([callee]));
    assert_eq!(rung["room"], "anna", "they talk in the room of whoever calls");
    assert_eq!(call(&mut anna).await["id"], rung["id"]);
    hall.send(json!({ "type": "answer_call", "call": rung["id"] })).await;
    for device in [&mut hall, &mut anna] {
        let answered = call(device).await;
        assert_eq!((&answered["state"], &answered["by"]), (&json!("answered"), &json!("hall-tablet")));
    }
    let path = format!("/api/calls/{}", rung["id"].as_str().expect("a text"));
    assert_eq!(get(app.ports.http, &path).await.json()["state"], "answered");
    anna.send(json!({ "type": "hang_up", "call": rung["id"] })).await;
    assert_eq!(call(&mut hall).await["outcome"], "answered");
    let over = get(app.ports.http, &path).await.json();
    assert_eq!((&over["state"], &over["answered_by"]), (&json!("over"), &json!("Hall tablet")));
    assert_eq!(metric(app.ports, "calls_answered").await, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_rings_all_who_listen_to_a_room_and_may_end_it() {
    let app = start(&["--rooms-intercom=Kitchen"]);
    let (mut hall, _) = device(app.ports, "Hall").await;
    let wish = json!({ "to": "room:kitchen", "name": "Front door", "seconds": 60 });
    let rung = post_json(app.ports.http, "/api/calls", &wish).await;
    assert_eq!((rung.status, &rung.json()["from"]["name"]), (201, &json!("Front door")));
    assert_eq!(call(&mut hall).await["from"], json!({ "station": null, "name": "Front door" }));
    let id = rung.json()["id"].as_str().expect("a text").to_owned();
    assert_eq!(delete(app.ports, &format!("/api/calls/{id}")).await, 204);
    assert_eq!(delete(app.ports, &format!("/api/calls/{id}")).await, 404);
    assert_eq!(call(&mut hall).await["outcome"], "cancelled");
    let calls = get(app.ports.http, "/api/calls").await.json();
    assert_eq!((&calls["calls"], &calls["log"][0]["outcome"]), (&json!([]), &json!("cancelled")));
    assert_eq!(delete(app.ports, "/api/calls").await, 204);
    assert_eq!(get(app.ports.http, "/api/calls").await.json()["log"], json!([]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_is_refused_with_the_reason_and_rings_nowhere() {
    let app = start(&[]);
    let (mut hall, _) = device(app.ports, "Hall").await;
    for (body, status, why) in [
        (json!({ "to": "attic" }), 404, "Nobody is called \"attic\""),
        (json!({ "to": "hall", "room": "cellar" }), 404, "no room \"cellar\""),
        (json!({ "to": "hall", "seconds": 0 }), 400, "from 5 to 600"),
        (json!({ "to": "hall", "colour": "red" }), 400, ""),
        (json!({ "to": 7 }), 400, ""),
        (json!([]), 400, ""),
    ] {
        let answer = post_json(app.ports.http, "/api/calls", &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert!(answer.text().contains(why), "{body}: {}", answer.text());
    }
    let nameless = json!({ "type": "ring", "to": ["hall"] });
    let mut signalling = Signalling::connect(app.ports.http, "/ws").await;
    for (message, code) in [
        (nameless, "out_of_order"),
        (json!({ "type": "answer_call", "call": "00000000-0000-4000-8000-000000000001" }), "out_of_order"),
        (json!({ "type": "station", "name": "\u{200B}" }), "bad_message"),
        (json!({ "type": "station" }), "bad_message"),
        (json!({ "type": "ring", "to": 7 }), "bad_message"),
        (json!({ "type": "hang_up", "call": "x" }), "bad_message"),
    ] {
        signalling.send(message.clone()).await;
        assert_eq!(signalling.expect("error").await["code"], code, "{message}");
    }
    hall.send(json!({ "type": "ring", "to": ["everybody"] })).await;
    assert_eq!(hall.expect("error").await["code"], "no_station", "nobody else is there");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_a_second_from_one_address_ring_a_few_times() {
    let app = start(&[]);
    let (_hall, _) = device(app.ports, "Hall").await;
    let mut statuses = Vec::new();
    for _ in 0..200 {
        statuses.push(post_json(app.ports.http, "/api/calls", &json!({ "to": "everybody" })).await.status);
    }
    let begun = statuses.iter().filter(|status| **status == 201).count();
    assert!((1..20).contains(&begun), "{begun}");
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(metric(app.ports, "calls_refused").await, 200 - begun as u64);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_shown_to_all_as_a_room_of_its_own_and_says_when_it_is_away() {
    let app = start(&[]);
    let mut watcher = Signalling::connect(app.ports.http, "/ws").await;
    watcher.send(json!({ "type": "watch_rooms", "on": true })).await;
    let (hall, known) = device(app.ports, "Hall").await;
    let shown = async |watcher: &mut Signalling, wanted: Value| loop {
        let rooms = watcher.expect("rooms").await["rooms"].clone();
        let found = rooms.as_array().expect("a list").iter().find(|room| room["id"] == "hall").cloned();
        if found.as_ref().map(|room| room["station"].clone()).unwrap_or_default() == wanted {
            return found;
        }
    };
    assert_eq!(shown(&mut watcher, json!("here")).await.expect("there")["name"], "Hall");
    hall.close().await;
    shown(&mut watcher, json!("away")).await;
    let again = json!({ "type": "station", "name": "Stairs", "key": known["key"] });
    let (mut hall, told) = device_with(app.ports, again).await;
    assert_eq!(told["id"], "hall", "it is the same one");
    assert_eq!(shown(&mut watcher, json!("here")).await.expect("there")["name"], "Stairs");
    assert_eq!(delete(app.ports, "/api/stations/hall").await, 204);
    hall.expect("station_removed").await;
    shown(&mut watcher, Value::Null).await;
    assert_eq!(delete(app.ports, "/api/stations/hall").await, 404);
    hall.send(json!({ "type": "ping" })).await;
    hall.expect("pong").await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_a_device_is_heard_by_nobody_who_is_not_seen_there() {
    let app = start(&[]);
    let (_hall, _) = device(app.ports, "Hall").await;
    let inside = participant(app.ports, json!({ "type": "join", "room": "hall", "name": "Hall" })).await;
    let mut anna = participant(app.ports, json!({ "type": "join", "room": "hall", "name": "Anna" })).await;
    anna.talk().await;
    inside.peer.wait_for_packets(25).await;
    let said = app.live().first().expect("it is live").id;
    for path in ["/stream/room/hall.mp3", &format!("/stream/{said}.mp3")] {
        assert_eq!(get(app.ports.mp3, path).await.status, 403, "{path}");
    }
    let mut other = Signalling::connect(app.ports.http, "/ws").await;
    other.send(json!({ "type": "start_receiving", "stream_id": said.to_string() })).await;
    assert_eq!(other.expect("error").await["code"], "no_stream");
    app.stop().await;
}

#[tokio::test]
async fn the_command_line_rings_and_says_who_answered() {
    let (mut child, ports) = start_command(program(), &["--tls-mode=off", "--log-level=warn"]).await;
    let (mut hall, _) = device(ports, "Hall").await;
    let ring = |arguments: &[&str]| {
        let port = format!("--http-port={}", ports.http.port());
        let mut command = program();
        command.arg("ring").args(arguments).arg(port);
        async move { command.output().await.expect("it ran") }
    };
    let asked = tokio::spawn(ring(&["everybody", "--name", "Gate"]));
    let rung = call(&mut hall).await;
    assert_eq!(rung["from"]["name"], "Gate");
    hall.send(json!({ "type": "answer_call", "call": rung["id"] })).await;
    let answered = asked.await.expect("no panic");
    assert!(answered.status.success());
    assert!(String::from_utf8_lossy(&answered.stdout).contains("answered by Hall"), "{answered:?}");
    let asked = tokio::spawn(ring(&["hall"]));
    until(async || get(ports.http, "/api/calls").await.json()["calls"][0]["state"] == "ringing").await;
    let live = get(ports.http, "/api/calls").await.json()["calls"][0]["id"].clone();
    hall.send(json!({ "type": "hang_up", "call": live })).await;
    let declined = asked.await.expect("no panic");
    assert!(!declined.status.success());
    assert!(String::from_utf8_lossy(&declined.stderr).contains("declined"), "{declined:?}");
    let unknown = ring(&["attic"]).await;
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("Nobody is called"), "{unknown:?}");
    child.kill().await.expect("killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_does_not_want_to_be_disturbed_says_so_itself_and_is_rung_by_what_is_urgent() {
    let app = start(&[]);
    let (mut hall, _) = device(app.ports, "Hall").await;
    let ring = async |priority: &str| {
        let wish = json!({ "to": "hall", "priority": priority });
        post_json(app.ports.http, "/api/calls", &wish).await.json()
    };
    hall.send(json!({ "type": "do_not_disturb", "passes": "urgent", "seconds": 600 })).await;
    until(async || !get(app.ports.http, "/api/do-not-disturb").await.json()["places"]["hall"].is_null()).await;
    let refused = ring("normal").await;
    assert_eq!((&refused["outcome"], &refused["to"][0]["state"]), (&json!("missed"), &json!("do_not_disturb")));
    assert_eq!(ring("urgent").await["state"], "ringing");
    hall.send(json!({ "type": "do_not_disturb" })).await;
    until(async || get(app.ports.http, "/api/do-not-disturb").await.json()["places"]["hall"].is_null()).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_of_a_house_and_of_a_device_hold_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let flags = [&*data, "--tls-mode=off", "--rooms-intercom=Kitchen"];
    let (mut child, ports) = start_command(program(), &flags).await;
    let (mut hall, known) = device(ports, "Hall").await;
    // All day, whatever the time is.
    let hours = json!({ "from": "22:00", "until": "22:00", "passes": "urgent" });
    hall.send(json!({ "type": "quiet_hours", "hours": hours })).await;
    assert_eq!(hall.expect("quiet_hours").await["hours"], hours);
    let put = put_json(ports.http, "/api/quiet-hours/kitchen", &hours.to_string()).await;
    assert_eq!(put.status, 204, "{}", put.text());
    assert_eq!(put_json(ports.http, "/api/quiet-hours/cellar", &hours.to_string()).await.status, 404);
    for wrong in [r#"{"from":"22:00"}"#, r#"{"from":"22","until":"7"}"#, r#"{"from":"22:00","until":"07:00","on":1}"#] {
        assert_eq!(put_json(ports.http, "/api/quiet-hours/kitchen", wrong).await.status, 400, "{wrong}");
    }
    let quiet = async |ports: Ports| {
        let places = get(ports.http, "/api/do-not-disturb").await.json()["places"].clone();
        places.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(quiet(ports).await, ["hall", "kitchen"]);
    assert_eq!(delete(ports, "/api/do-not-disturb/kitchen").await, 204);
    end(&mut child).await;

    let (_child, ports) = start_command(program(), &flags).await;
    let places = get(ports.http, "/api/quiet-hours").await.json()["places"].clone();
    assert_eq!(places, json!({ "hall": hours, "kitchen": hours }));
    assert_eq!(quiet(ports).await, ["hall"], "what was turned off stays so");
    let back = json!({ "type": "station", "name": "Hall", "key": known["key"] });
    let (mut hall, _) = device_with(ports, back).await;
    hall.send(json!({ "type": "quiet_hours", "hours": null })).await;
    assert_eq!(hall.expect("quiet_hours").await["hours"], Value::Null);
    assert_eq!(delete(ports, "/api/quiet-hours/kitchen").await, 204);
    assert_eq!(get(ports.http, "/api/quiet-hours").await.json()["places"], json!({}));
    assert_eq!(quiet(ports).await, [] as [&str; 0]);
}
