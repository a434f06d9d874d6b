//! Entities of Home Assistant's over a real MQTT broker: made known, shown, used, and taken back.

mod support;

use std::path::Path;

use serde_json::json;
use support::broker::{Broker, LOGIN, Watcher};
use support::core::{StandInCore, TOKEN};
use support::http::{get, post_json, put_json, request};
use support::live::{PATIENCE, Signalling, metric, metric_becomes, participant, program, start_command, until};
use support::mailbox::leave;
use support::sound::{Player, between, wav};
use tokio::process::{Child, Command};
use voice_relay::app::Ports;

/// The program with files to be announced, and rooms of these names, at this broker.
async fn relay(folder: &Path, broker: &Broker, rooms: &str) -> (Child, Ports) {
    start(program(), folder, broker, rooms).await
}

async fn start(command: Command, folder: &Path, broker: &Broker, rooms: &str) -> (Child, Ports) {
    let sounds = folder.join("sounds");
    std::fs::create_dir_all(&sounds).expect("made");
    std::fs::write(sounds.join("long.wav"), wav(8_000, 440.0, 30.0)).expect("written");
    std::fs::write(sounds.join("gong.wav"), wav(8_000, 440.0, 0.6)).expect("written");
    let data = format!("--data-dir={}", folder.join("data").display());
    let (files, rooms) = (format!("--files-folders={}", sounds.display()), format!("--rooms-intercom={rooms}"));
    let flags = [&*data, &files, &rooms, &broker.flag(), "--tls-mode=off", "--log-level=error"];
    let (child, ports) = start_command(command, &flags).await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 2).await;
    (child, ports)
}

/// Ends the program as a system does.
async fn end(mut child: Child) {
    let pid = child.id().expect("it runs").to_string();
    assert!(Command::new("kill").arg(pid).status().await.is_ok_and(|status| status.success()));
    child.wait().await.expect("it ends");
}

/// A broker, somebody who sees all on it, and the program.
async fn house(folder: &Path) -> (Broker, Watcher, Child, Ports) {
    let broker = Broker::start().await;
    let watcher = broker.watch().await;
    let (child, ports) = relay(folder, &broker, "Kitchen").await;
    watcher.shows("/status", "online").await;
    // The last of all that is told.
    watcher.shows("/room/kitchen/do_not_disturb", "OFF").await;
    (broker, watcher, child, ports)
}

#[tokio::test]
async fn every_room_is_a_device_with_its_entities_and_so_is_the_house() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, _ports) = house(folder.path()).await;
    let configs: Vec<_> = watcher.seen().into_iter().filter(|message| message.topic.ends_with("/config")).collect();
    let names: Vec<_> = configs
        .iter()
        .map(|config| serde_json::from_str::<serde_json::Value>(&config.payload).expect("JSON")["dev"]["name"].clone())
        .collect();
    assert_eq!(names, ["Voice Relay", "Voice Relay Home", "Voice Relay Kitchen"]);
    for place in ["house", "room/home", "room/kitchen"] {
        for (entity, state) in [("talking", "OFF"), ("people", "0"), ("announcing", "OFF"), ("bell", "OFF")] {
            watcher.shows(&format!("/{place}/{entity}"), state).await;
        }
    }
}

#[tokio::test]
async fn entities_are_there_within_a_second_of_the_broker_s_coming() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut broker, watcher, _child, ports) = house(folder.path()).await;
    for _ in 0..2 {
        broker.crash().await;
        metric_becomes(ports, "mqtt_connected", 0).await;
        watcher.forget();
        broker.serve().await;
        watcher.shows("/room/kitchen/talking", "OFF").await;
        watcher.shows("/status", "online").await;
        assert_eq!(watcher.last_json("kitchen/config")["dev"]["sa"], "Kitchen");
    }
}

#[tokio::test]
async fn who_is_there_and_who_talks_is_shown_in_their_room_and_in_the_house() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, ports) = house(folder.path()).await;
    let mut anna = participant(ports, json!({ "type": "join", "room": "kitchen", "name": "Anna" })).await;
    watcher.shows("/room/kitchen/people", "1").await;
    watcher.shows("/house/people", "1").await;
    assert_eq!(watcher.last_json("/room/kitchen/people/details"), json!({ "names": ["Anna"] }));
    anna.talk().await;
    watcher.shows("/room/kitchen/talking", "ON").await;
    watcher.shows("/house/talking", "ON").await;
    let order: Vec<_> = watcher.seen().into_iter().filter(|one| one.topic.contains("/kitchen/talking")).collect();
    let on = order.iter().position(|one| one.payload == "ON").expect("shown");
    assert_eq!(order[on - 1].payload, r#"{"who":["Anna"]}"#, "whoever waits for the state finds who it is");
    anna.say(json!({ "type": "leave" })).await;
    watcher.shows("/room/kitchen/talking", "OFF").await;
    watcher.shows("/house/people", "0").await;
    assert_eq!(watcher.last("/room/home/people").as_deref(), Some("0"));
}

#[tokio::test]
async fn a_button_rings_all_who_listen_to_a_room_and_whoever_calls_is_shown_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, ports) = house(folder.path()).await;
    let mut hall = Signalling::connect(ports.http, "/ws").await;
    hall.send(json!({ "type": "station", "name": "Hall", "rooms": ["kitchen"] })).await;
    hall.expect("station").await;
    watcher.command("room/kitchen", "ring", "PRESS").await;
    watcher.shows("/room/kitchen/ringing", "ON").await;
    watcher.shows("/house/ringing", "ON").await;
    assert_eq!(watcher.last_json("/room/kitchen/ringing/details"), json!({ "callers": ["Doorbell"] }));
    assert_eq!(watcher.last("/room/kitchen/caller").as_deref(), Some("Doorbell"));
    assert_eq!(watcher.last("/room/home/ringing").as_deref(), Some("OFF"), "nobody who listens there is called");
    let rung = hall.expect("call").await["call"]["id"].clone();
    let told = async |place: &str, kind: &str| {
        let event = json!({ "event_type": kind, "from": "Doorbell", "call": rung }).to_string();
        watcher.shows(&format!("/{place}/call"), &event).await;
    };
    told("room/kitchen", "ring").await;
    told("house", "ring").await;
    hall.send(json!({ "type": "answer_call", "call": rung })).await;
    watcher.shows("/room/kitchen/ringing", "OFF").await;
    told("room/kitchen", "answered").await;
    assert_eq!(watcher.last("/room/home/call"), None, "it rang for nobody who listens there");
    assert_eq!(watcher.last("/room/kitchen/caller").as_deref(), Some(""));
    watcher.command("room/kitchen", "ring", "PRESS").await;
    watcher.shows("/room/kitchen/ringing", "ON").await;
    let rung = loop {
        let call = hall.expect("call").await["call"].clone();
        if call["state"] == "ringing" {
            break call["id"].clone();
        }
    };
    hall.send(json!({ "type": "hang_up", "call": rung })).await;
    let declined = json!({ "event_type": "declined", "from": "Doorbell", "call": rung }).to_string();
    watcher.shows("/room/kitchen/call", &declined).await;
    let events = watcher.seen().into_iter().filter(|message| message.topic.ends_with("/room/kitchen/call"));
    assert!(events.clone().all(|event| !event.is_retained), "who comes later is not told of it");
    assert_eq!(events.count(), 4, "each once");
}

#[tokio::test]
async fn whoever_presses_a_button_is_the_one_who_calls_and_an_automation_is_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (broker, core) = (Broker::start().await, StandInCore::start().await);
    let watcher = broker.watch().await;
    core.add_person("user-of-anna", "Anna");
    core.register("button.ring_the_kitchen", "mqtt", "voice_relay_ab12cd34_kitchen_ring");
    core.register("button.somebody_else_s", "mqtt", "another");
    std::fs::create_dir_all(folder.path().join("data")).expect("made");
    std::fs::write(folder.path().join("data/entities.json"), r#"{"instance":"ab12cd34"}"#).expect("written");
    let mut command = program();
    command.env("VOICE_RELAY__HASS__URL", &core.url).env("VOICE_RELAY__HASS__TOKEN", TOKEN);
    let (_child, ports) = start(command, folder.path(), &broker, "Kitchen").await;
    let mut hall = Signalling::connect(ports.http, "/ws").await;
    hall.send(json!({ "type": "station", "name": "Hall", "rooms": ["kitchen"] })).await;
    hall.expect("station").await;
    watcher.shows("/room/kitchen/ringing", "OFF").await;
    let mut caller = async |entity: Option<&str>, user: Option<&str>| {
        if entity.is_some() {
            until(async || core.note_call("button.press", entity, user)).await;
        }
        watcher.command("room/kitchen", "ring", "PRESS").await;
        let call = hall.expect("call").await["call"].clone();
        hall.send(json!({ "type": "answer_call", "call": call["id"] })).await;
        while hall.expect("call").await["call"]["state"] != "over" {}
        call["from"]["name"].clone()
    };
    // Once it is known who there is.
    until(async || caller(Some("button.ring_the_kitchen"), Some("user-of-anna")).await == "Anna").await;
    // What was told too soon is of nothing that follows.
    until(async || caller(None, None).await == "Doorbell").await;
    for (entity, user, known) in [
        ("button.ring_the_kitchen", Some("user-of-anna"), "Anna"),
        ("button.ring_the_kitchen", None, "Doorbell"),
        ("button.somebody_else_s", Some("user-of-anna"), "Doorbell"),
        ("button.ring_the_kitchen", Some("nobody we know"), "Doorbell"),
    ] {
        assert_eq!(caller(Some(entity), user).await, known, "{entity} by {user:?}");
    }
}

#[tokio::test]
async fn a_voice_message_for_a_room_is_counted_there_and_in_the_house_until_somebody_has_heard_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, ports) = house(folder.path()).await;
    let mut anna = Signalling::connect(ports.http, "/ws").await;
    anna.send(json!({ "type": "station", "name": "Anna" })).await;
    watcher.shows("/room/kitchen/messages", "0").await;
    let (kitchen, _) = leave(&mut anna, "kitchen", 440.0, 20).await;
    leave(&mut anna, "anna", 440.0, 20).await;
    watcher.shows("/room/kitchen/messages", "1").await;
    watcher.shows("/house/messages", "2").await;
    assert_eq!(watcher.last_json("/room/kitchen/messages/details"), json!({ "from": ["Anna"] }));
    assert_eq!(watcher.last("/room/home/messages").as_deref(), Some("0"));
    let path = format!("/api/voice-messages/{}", kitchen["id"].as_str().expect("an id"));
    assert_eq!(put_json(ports.http, &path, r#"{"heard":true}"#).await.status, 204);
    watcher.shows("/room/kitchen/messages", "0").await;
    watcher.shows("/house/messages", "1").await;
}

#[tokio::test]
async fn a_switch_keeps_a_room_or_the_house_from_being_disturbed_and_shows_whether_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, ports) = house(folder.path()).await;
    let wish = json!({ "room": "kitchen", "file": "gong" });
    watcher.command("room/kitchen", "do_not_disturb", "ON").await;
    watcher.shows("/room/kitchen/do_not_disturb", "ON").await;
    assert_eq!(watcher.last("/house/do_not_disturb").as_deref(), Some("OFF"));
    assert_eq!(post_json(ports.http, "/api/announce", &wish).await.status, 409);
    watcher.command("house", "do_not_disturb", "ON").await;
    watcher.shows("/house/do_not_disturb", "ON").await;
    watcher.shows("/room/home/do_not_disturb", "ON").await;
    watcher.command("house", "do_not_disturb", "OFF").await;
    watcher.shows("/room/home/do_not_disturb", "OFF").await;
    watcher.command("room/kitchen", "do_not_disturb", "OFF").await;
    watcher.shows("/room/kitchen/do_not_disturb", "OFF").await;
    assert_eq!(post_json(ports.http, "/api/announce", &wish).await.status, 202);
    metric_becomes(ports, "entity_commands", 4).await;
    for (option, quiet, urgent) in [("Nothing", "ON", 409), ("Urgent only", "ON", 202), ("Everything", "OFF", 202)] {
        watcher.command("room/kitchen", "let_through", option).await;
        watcher.shows("/room/kitchen/let_through", option).await;
        watcher.shows("/room/kitchen/do_not_disturb", quiet).await;
        let wish = json!({ "room": "kitchen", "file": "gong", "priority": "urgent" });
        assert_eq!(post_json(ports.http, "/api/announce", &wish).await.status, urgent, "{option}");
    }
}

#[tokio::test]
async fn what_is_announced_is_shown_and_a_button_stops_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, ports) = house(folder.path()).await;
    for room in ["home", "kitchen"] {
        let wish = json!({ "room": room, "file": "long", "name": "A story" });
        assert_eq!(post_json(ports.http, "/api/announce", &wish).await.status, 202);
        watcher.shows(&format!("/room/{room}/announcing"), "ON").await;
    }
    assert_eq!(watcher.last_json("/room/kitchen/announcing/details"), json!({ "announcement": "A story" }));
    watcher.command("room/kitchen", "stop", "PRESS").await;
    watcher.shows("/room/kitchen/announcing", "OFF").await;
    assert_eq!(watcher.last("/room/home/announcing").as_deref(), Some("ON"), "another room goes on");
    watcher.command("house", "stop", "PRESS").await;
    watcher.shows("/house/announcing", "OFF").await;
    metric_becomes(ports, "entity_commands", 2).await;
}

#[tokio::test]
async fn a_bell_rings_where_it_is_turned_on_and_is_off_when_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, ports) = house(folder.path()).await;
    watcher.command("room/kitchen", "bell", r#"{"state":"ON","tone":"gong","volume_level":0.5}"#).await;
    watcher.shows("/room/kitchen/bell", "ON").await;
    watcher.shows("/house/bell", "ON").await;
    watcher.shows("/room/kitchen/bell", "OFF").await;
    assert!(watcher.seen().iter().all(|one| !one.topic.ends_with("/home/bell") || one.payload == "OFF"));
    metric_becomes(ports, "announcements_played", 1).await;
}

#[tokio::test]
async fn a_text_is_spoken_by_home_assistant_in_the_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let core = StandInCore::start().await;
    core.add("media_player.radio", "cast", None, "idle", 0.3);
    let broker = Broker::start().await;
    let watcher = broker.watch().await;
    let mut command = program();
    command.env("VOICE_RELAY__HASS__URL", &core.url).env("VOICE_RELAY__HASS__TOKEN", TOKEN);
    let (_child, ports) = start(command, folder.path(), &broker, "Kitchen").await;
    // Its engines are known a moment after the link.
    until(async || get(ports.http, "/api/players").await.json()["speech"] == true).await;
    watcher.shows("/room/kitchen/talking", "OFF").await;
    watcher.command("room/kitchen", "announce", "Das Essen ist fertig").await;
    metric_becomes(ports, "announcements_played", 1).await;
    assert_eq!(core.spoken(), ["tts.piper?message=Das+Essen+ist+fertig"]);
}

#[tokio::test]
async fn announcements_are_as_loud_as_their_room_is_set_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (broker, watcher, mut child, ports) = house(folder.path()).await;
    watcher.command("room/kitchen", "volume", "25").await;
    watcher.shows("/room/kitchen/volume", "25").await;
    assert_eq!(watcher.last("/house/volume").as_deref(), Some("100"), "the loudest");
    let [home, kitchen] = [loudness(ports, "home").await, loudness(ports, "kitchen").await];
    assert!((kitchen / home - 0.25).abs() < 0.05, "{kitchen} in the kitchen, {home} at home");
    watcher.command("house", "volume", "50").await;
    watcher.shows("/room/home/volume", "50").await;
    watcher.shows("/room/kitchen/volume", "50").await;
    child.kill().await.expect("killed");
    watcher.forget();
    let (_child, ports) = relay(folder.path(), &broker, "Kitchen").await;
    watcher.shows("/room/kitchen/volume", "50").await;
    let after = loudness(ports, "kitchen").await;
    assert!((after / home - 0.5).abs() < 0.05, "{after} in the kitchen, {home} at home");
}

/// How loud an announcement is that is heard in a room.
async fn loudness(ports: Ports, room: &str) -> f64 {
    let announced = post_json(ports.http, "/api/announce", &json!({ "room": room, "file": "long" })).await;
    assert_eq!(announced.status, 202);
    let heard = Player::Ffmpeg.hear(&format!("http://{}/stream/room/{room}.wav", ports.mp3), 3.0).await;
    let second = between(2.0..3.0, &heard);
    let power = second.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / second.len() as f64;
    let announced = format!("DELETE /api/announce/{} HTTP/1.1", announced.json()["id"].as_str().expect("an id"));
    assert!(request(ports.http, &announced, &[], PATIENCE).await.status < 300);
    power.sqrt()
}

#[tokio::test]
async fn what_is_no_command_does_nothing_and_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, ports) = house(folder.path()).await;
    let room = watcher.topic("/room/kitchen/talking").replace("/talking", "");
    for (topic, payload) in [
        ("stop/set", "stop"),
        ("stop/set", ""),
        ("bell/set", "{"),
        ("bell/set", r#"{"state":"ON","tone":"klaxon"}"#),
        ("talking/set", "ON"),
        ("volume/set", "0"),
        ("brightness/set", "5"),
        ("announce/set", "There is no Home Assistant that could speak"),
        ("announce/set", ""),
    ] {
        watcher.publish(&format!("{room}/{topic}"), false, payload).await;
    }
    watcher.publish(&room.replace("/kitchen", "/attic/stop/set"), false, "PRESS").await;
    watcher.publish(&format!("{room}/announce/set"), false, vec![0xff, 0xfe]).await;
    metric_becomes(ports, "entity_commands_refused", 11).await;
    assert_eq!(metric(ports, "entity_commands").await, 0);
    watcher.command("room/kitchen", "bell", r#"{"state":"ON","tone":"gong"}"#).await;
    metric_becomes(ports, "announcements_played", 1).await;
}

#[tokio::test]
async fn a_command_of_yesterday_is_not_obeyed_today() {
    let folder = tempfile::tempdir().expect("a folder");
    let (broker, watcher, mut child, _) = house(folder.path()).await;
    child.kill().await.expect("killed");
    let bell = watcher.topic("/room/kitchen/bell") + "/set";
    watcher.publish(&bell, true, "ON").await;
    watcher.shows("/kitchen/bell/set", "ON").await;
    let (_child, ports) = relay(folder.path(), &broker, "Kitchen").await;
    metric_becomes(ports, "entity_commands_refused", 1).await;
    assert_eq!(metric(ports, "entity_commands").await, 0);
}

#[tokio::test]
async fn a_storm_of_commands_is_bounded_and_the_relay_lives() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_broker, watcher, _child, ports) = house(folder.path()).await;
    for _ in 0..500 {
        watcher.command("room/kitchen", "bell", "ON").await;
    }
    until(async || metric(ports, "entity_commands").await + metric(ports, "entity_commands_refused").await == 500)
        .await;
    watcher.command("house", "stop", "PRESS").await;
    watcher.shows("/house/announcing", "OFF").await;
}

#[tokio::test]
async fn whoever_ends_or_is_killed_is_unavailable_and_comes_back_as_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (broker, watcher, mut child, _) = house(folder.path()).await;
    let before = watcher.topic("kitchen/config");
    child.kill().await.expect("killed");
    watcher.shows("/status", "offline").await;
    let (child, _) = relay(folder.path(), &broker, "Kitchen").await;
    watcher.shows("/status", "online").await;
    end(child).await;
    watcher.shows("/status", "offline").await;
    assert!(watcher.seen().iter().all(|one| !one.topic.ends_with("kitchen/config") || one.topic == before));
}

#[tokio::test]
async fn a_room_that_is_no_more_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let (broker, watcher, mut child, _) = house(folder.path()).await;
    child.kill().await.expect("killed");
    let (mut child, _) = relay(folder.path(), &broker, "Study").await;
    watcher.shows("/room/study/talking", "OFF").await;
    watcher.shows("kitchen/config", "").await;
    let kept = folder.path().join("data/entities.json");
    until(async || !std::fs::read_to_string(&kept).expect("there").contains("kitchen")).await;
    child.kill().await.expect("killed");
    // What is still retained comes to whoever comes anew.
    let late = broker.watch().await;
    late.shows("/room/study/people", "0").await;
    assert!(late.seen().iter().all(|one| !one.topic.contains("kitchen")), "{:?}", late.seen());
    // And it was told of once.
    watcher.forget();
    let (_child, _) = relay(folder.path(), &broker, "Study").await;
    watcher.shows("/status", "online").await;
    watcher.shows("/room/study/talking", "OFF").await;
    assert!(watcher.seen().iter().all(|one| !one.topic.contains("kitchen")), "{:?}", watcher.seen());
}

#[tokio::test]
async fn home_assistant_is_told_all_again_when_it_has_started_but_for_what_was_deleted_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (broker, watcher, mut child, _) = house(folder.path()).await;
    watcher.publish(&watcher.topic("kitchen/config"), true, "").await;
    watcher.shows("kitchen/config", "").await;
    watcher.forget();
    watcher.publish("homeassistant/status", false, "online").await;
    until(async || watcher.last("_home/config").is_some() && watcher.last("/house/bell").is_some()).await;
    until(async || watcher.last("/room/home/bell").is_some()).await;
    assert!(watcher.seen().iter().all(|one| !one.topic.contains("kitchen")), "{:?}", watcher.seen());
    child.kill().await.expect("killed");
    let (_child, _) = relay(folder.path(), &broker, "Kitchen").await;
    until(async || watcher.last_json("kitchen/config")["dev"]["sa"] == "Kitchen").await;
}

#[tokio::test]
async fn a_wrong_password_or_no_broker_hinders_nothing_and_the_right_one_helps() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut broker = Broker::guarded().await;
    let (mut child, ports) = relay(folder.path(), &broker, "Kitchen").await;
    assert_eq!(get(ports.http, "/api/health").await.status, 200);
    assert_eq!(metric(ports, "mqtt_connected").await, 0);
    broker.crash().await;
    assert_eq!(get(ports.http, "/api/health").await.status, 200);
    child.kill().await.expect("killed");
    broker.serve().await;
    let mut command = program();
    command.env("VOICE_RELAY__MQTT__USERNAME", LOGIN.0).env("VOICE_RELAY__MQTT__PASSWORD", LOGIN.1);
    let (_child, ports) = start(command, folder.path(), &broker, "Kitchen").await;
    metric_becomes(ports, "mqtt_connected", 1).await;
    broker.watch().await.shows("/status", "online").await;
}
