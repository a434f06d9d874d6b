//! Rooms as media players of Home Assistant's, by ESPHome's native API over a real socket.

#[path = "hass_esphome/lan.rs"]
mod lan;
mod support;

use std::path::Path;

use prost::Message;
use serde_json::json;
use support::broker::Broker;
use support::core::{StandInCore, TOKEN};
use support::esphome::*;
use support::http::{get, post_json};
use support::live::{Signalling, metric, metric_becomes, participant, program, start_command, until};
use support::sound::wav;
use tokio::process::Child;
use voice_relay::app::Ports;

/// Key of each player, and of the entities of the table in their order.
const SPEAKER: u32 = 1;
const TALKING: u32 = 10;
const VOLUME: u32 = 15;
const STOP: u32 = 16;
const RING: u32 = 18;
const DO_NOT_DISTURB: u32 = 19;

struct Lab {
    core: StandInCore,
    child: Child,
    ports: Ports,
    node: u16,
}

/// A core, and the program linked to it, with a node and with these flags.
async fn lab(folder: &Path, flags: &[&str]) -> Lab {
    let sounds = folder.join("sounds");
    std::fs::create_dir_all(&sounds).expect("made");
    std::fs::write(sounds.join("long.wav"), wav(8_000, 440.0, 30.0)).expect("written");
    std::fs::write(sounds.join("gong.wav"), wav(8_000, 440.0, 0.6)).expect("written");
    let (core, node) = (StandInCore::start().await, free_port());
    core.add("media_player.radio", "cast", None, "idle", 0.3);
    let mut command = program();
    command.env("VOICE_RELAY__HASS__URL", &core.url).env("VOICE_RELAY__HASS__TOKEN", TOKEN);
    let data = format!("--data-dir={}", folder.join("data").display());
    let (files, listen) = (format!("--files-folders={}", sounds.display()), format!("--esphome-listen={node}"));
    let ours = [&*data, &files, &listen, "--tls-mode=off", "--log-level=error", "--rooms-intercom=Kitchen"];
    let (child, ports) = start_command(command, &[&ours, flags].concat()).await;
    until(async || get(ports.http, "/api/players").await.json()["speech"] == true).await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 2).await;
    Lab { core, child, ports, node }
}

/// The device that is the room of this name.
async fn device(client: &mut NodeClient, area: &str) -> u32 {
    client.send(DEVICE, &()).await;
    let device: Device = client.expect(DEVICE_ANSWER).await;
    let area = device.areas.iter().find(|one| one.name == area).expect("an area").id;
    device.devices.iter().find(|one| one.area == area).expect("a device").id
}

/// Somebody who wants to know everything.
async fn watcher(lab: &Lab) -> (NodeClient, u32) {
    let mut client = NodeClient::connect(lab.node).await;
    let kitchen = device(&mut client, "Kitchen").await;
    client.send(SUBSCRIBE, &()).await;
    client.player(kitchen, |player| player.state == 1).await;
    (client, kitchen)
}

/// A sentence that Home Assistant has spoken, for a room.
fn announcement(lab: &Lab, device: u32) -> Play {
    let url = lab.core.speech("Dinner is ready");
    Play { key: SPEAKER, has_url: true, url, has_announcement: true, announcement: true, device, ..Play::default() }
}

#[tokio::test]
async fn every_room_is_a_player_in_its_area_and_the_node_is_the_same_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut macs = Vec::new();
    for _ in 0..2 {
        let mut lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
        let mut client = NodeClient::connect(lab.node).await;
        client.send(DEVICE, &()).await;
        let device: Device = client.expect(DEVICE_ANSWER).await;
        let names: Vec<_> = device.devices.iter().map(|one| (&*one.name, one.area != 0)).collect();
        assert_eq!(names, [("Home intercom", false), ("Intercom", true)]);
        assert_eq!(device.mac.split(':').count(), 6, "{}", device.mac);
        let players = client.list().await.into_iter().filter(|(kind, _)| *kind == PLAYER);
        let players: Vec<_> = players.map(|(_, player)| (player.key, player.device)).collect();
        let expected = [(SPEAKER, 0), (SPEAKER, device.devices[0].id), (SPEAKER, device.devices[1].id)];
        assert_eq!(players, expected);
        macs.push((device.mac, device.devices));
        lab.child.kill().await.expect("killed");
    }
    assert_eq!(macs[0], macs[1]);
}

#[tokio::test]
async fn what_home_assistant_plays_on_a_room_is_heard_there_and_the_player_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let (mut client, kitchen) = watcher(&lab).await;
    let mut anna = participant(lab.ports, json!({ "type": "join", "room": "kitchen", "name": "Anna" })).await;
    client.send(PLAY, &announcement(&lab, kitchen)).await;
    client.player(kitchen, |player| player.state == 2).await;
    client.player(kitchen, |player| player.state == 1).await;
    anna.signalling.expect("participant_joined").await;
    metric_becomes(lab.ports, "announcements_played", 1).await;
    metric_becomes(lab.ports, "entity_commands", 1).await;
}

#[tokio::test]
async fn a_player_is_turned_and_stopped_and_the_whole_house_is_one_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let (mut client, kitchen) = watcher(&lab).await;
    client.send(PLAY, &Play { key: SPEAKER, has_volume: true, volume: 0.4, device: kitchen, ..Play::default() }).await;
    let turned = client.player(kitchen, |player| player.volume < 0.9).await;
    assert!((turned.volume - 0.4).abs() < 0.001);
    let wish = json!({ "to": "everybody", "file": "long" });
    assert_eq!(post_json(lab.ports.http, "/api/announce", &wish).await.status, 202);
    client.player(kitchen, |player| player.state == 2).await;
    client.send(PLAY, &Play { key: SPEAKER, has_command: true, command: 2, device: 0, ..Play::default() }).await;
    client.player(kitchen, |player| player.state == 1).await;
    metric_becomes(lab.ports, "announcements_stopped", 2).await;
}

#[tokio::test]
async fn without_a_broker_the_node_has_the_entities_of_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let (mut client, kitchen) = watcher(&lab).await;
    let mut anna = participant(lab.ports, json!({ "type": "join", "room": "kitchen", "name": "Anna" })).await;
    anna.talk().await;
    loop {
        let state: Switched = client.expect(BINARY_STATE).await;
        if (state.device, state.key, state.on) == (kitchen, TALKING, true) {
            break;
        }
    }
    client.send(SET_NUMBER, &SetNumber { key: VOLUME, value: 70.0, device: kitchen }).await;
    client.player(kitchen, |player| (player.volume - 0.7).abs() < 0.001).await;
    post_json(lab.ports.http, "/api/announce", &json!({ "room": "kitchen", "file": "long" })).await;
    client.player(kitchen, |player| player.state == 2).await;
    client.send(PRESS, &Press { key: STOP, device: kitchen }).await;
    client.player(kitchen, |player| player.state == 1).await;
}

#[tokio::test]
async fn a_switch_of_the_node_keeps_a_room_from_being_disturbed_and_shows_whether_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let (mut client, kitchen) = watcher(&lab).await;
    for on in [true, false] {
        client.send(TURN, &Turned { key: DO_NOT_DISTURB, on, device: kitchen }).await;
        loop {
            let state: Turned = client.expect(SWITCH_STATE).await;
            if (state.device, state.key, state.on) == (kitchen, DO_NOT_DISTURB, on) {
                break;
            }
        }
        let places = get(lab.ports.http, "/api/do-not-disturb").await.json()["places"].clone();
        assert_eq!(places.get("kitchen").is_some(), on);
    }
    client.send(TURN, &Turned { key: STOP, on: true, device: kitchen }).await;
    metric_becomes(lab.ports, "entity_commands_refused", 1).await;
}

#[tokio::test]
async fn with_a_broker_it_has_the_players_alone_so_that_nothing_is_there_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start().await;
    let lab = lab(folder.path(), &[&broker.flag()]).await;
    let mut client = NodeClient::connect(lab.node).await;
    let listed = client.list().await;
    assert_eq!(listed.iter().filter(|(kind, _)| *kind == PLAYER).count(), 3);
    assert!(listed.iter().all(|(kind, _)| *kind != BINARY_SENSOR), "{listed:?}");
    client.send(PRESS, &Press { key: STOP, device: 0 }).await;
    metric_becomes(lab.ports, "entity_commands_refused", 1).await;
}

#[tokio::test]
async fn whoever_uses_the_node_by_an_entity_or_an_action_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("data")).expect("made");
    std::fs::write(folder.path().join("data/entities.json"), r#"{"instance":"ab12cd34"}"#).expect("written");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let (mut client, kitchen) = watcher(&lab).await;
    let ring = format!("02:56:AB:12:CD:34/{kitchen}/button/Ring");
    lab.core.add_person("user-of-anna", "Anna");
    lab.core.register("button.ring_the_kitchen", "esphome", &ring);
    // All is asked for anew by a new link.
    lab.core.throw_out();
    let mut hall = Signalling::connect(lab.ports.http, "/ws").await;
    hall.send(json!({ "type": "station", "name": "Hall", "rooms": ["kitchen"] })).await;
    hall.expect("station").await;
    let press = || lab.core.note_call("button.press", Some("button.ring_the_kitchen"), Some("user-of-anna"));
    // Once it is known who there is.
    until(async || {
        until(async || press()).await;
        client.send(PRESS, &Press { key: RING, device: kitchen }).await;
        let call = hall.expect("call").await["call"].clone();
        hall.send(json!({ "type": "answer_call", "call": call["id"] })).await;
        while hall.expect("call").await["call"]["state"] != "over" {}
        call["from"]["name"] == "Anna"
    })
    .await;
    // Who calls is told before the call; here to somebody who has heard of none before.
    let (mut client, kitchen) = watcher(&lab).await;
    assert!(press(), "it is linked");
    client.send(PRESS, &Press { key: RING, device: kitchen }).await;
    let call = hall.expect("call").await["call"]["id"].clone();
    assert_eq!(happens(&mut client, kitchen, "ring").await.as_deref(), Some("Anna"));
    hall.send(json!({ "type": "answer_call", "call": call })).await;
    happens(&mut client, kitchen, "answered").await;
}

/// Waits until this happens to a call in a room; who calls there, as it was told last before.
async fn happens(client: &mut NodeClient, device: u32, wanted: &str) -> Option<String> {
    let mut caller = None;
    loop {
        let (kind, body) = client.next().await.expect("the connection goes on");
        match kind {
            TEXT_STATE => {
                let told = Written::decode(&body[..]).expect("a text");
                caller = if told.device == device { Some(told.text) } else { caller };
            }
            HAPPENED => {
                let event = Named::decode(&body[..]).expect("an event");
                if (event.device, &*event.name) == (device, wanted) {
                    return caller;
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_room_is_in_the_area_where_somebody_has_put_it_and_is_no_player_besides() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("data")).expect("made");
    std::fs::write(folder.path().join("data/entities.json"), r#"{"instance":"ab12cd34"}"#).expect("written");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let (_client, kitchen) = watcher(&lab).await;
    let announce = async |area: &str| {
        let wish = json!({ "to": [format!("area:{area}")], "file": "gong" });
        let answer = post_json(lab.ports.http, "/api/announce", &wish).await;
        let parts = if answer.status == 202 { answer.json()["parts"].clone() } else { json!(answer.text()) };
        (answer.status, parts)
    };
    assert_eq!(announce("bedroom").await.0, 404, "nothing is there");
    // Somebody has put the kitchen's device into the bedroom, where nothing else is.
    lab.core.add("media_player.kitchen_intercom_speaker", "esphome", Some("bedroom"), "idle", 1.0);
    lab.core.identify(
        "media_player.kitchen_intercom_speaker",
        &format!("02:56:AB:12:CD:34/{kitchen}/media_player/Speaker"),
    );
    lab.core.throw_out();
    until(async || announce("bedroom").await.0 == 202).await;
    let (_, parts) = announce("Bedroom").await;
    assert_eq!((parts[0]["room"].as_str(), parts.as_array().map(Vec::len)), (Some("kitchen"), Some(1)), "{parts}");
    let players = get(lab.ports.http, "/api/players").await.json();
    let listed: Vec<_> =
        players["players"].as_array().expect("a list").iter().map(|it| it["entity_id"].clone()).collect();
    assert_eq!(listed, ["media_player.radio"], "it would be heard twice");
}

#[tokio::test]
async fn a_call_is_answered_with_what_became_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let (mut client, _) = watcher(&lab).await;
    let texts = |all: &[&str]| all.iter().map(|text| Argument { text: (*text).into() }).collect::<Vec<_>>();
    for (id, (key, arguments, error)) in [
        (0, texts(&["kitchen", "Dinner is ready"]), ""),
        (1, texts(&["", "gong"]), ""),
        (2, texts(&[""]), ""),
        (0, texts(&["attic", "Dinner is ready"]), "no room"),
        (0, texts(&["kitchen", ""]), "1 to 1000 characters"),
        (1, texts(&["kitchen", "klaxon"]), "no tone"),
        (0, texts(&["kitchen"]), "no such action"),
        (9, texts(&[]), "no such action"),
    ]
    .into_iter()
    .enumerate()
    {
        client.send(CALL, &Call { key, arguments, id: id as u32 }).await;
        let called: Called = client.expect(CALLED).await;
        assert_eq!((called.id, called.success), (id as u32, error.is_empty()), "{called:?}");
        assert!(called.error.contains(error), "{called:?}");
    }
    assert_eq!(lab.core.spoken(), ["tts.piper?message=Dinner+is+ready"]);
}

#[tokio::test]
async fn what_is_not_the_protocol_costs_its_connection_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    for wrong in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x01\x00\x00", b"\x00\xff\xff\xff\xff\x0f\x01", &[0xff; 70_000]] {
        let mut client = NodeClient::connect(lab.node).await;
        client.send_bytes(wrong).await;
        assert_eq!(client.next().await, None);
    }
    let mut client = NodeClient::connect(lab.node).await;
    for body in [&b"\xff\xff"[..], b"", b"\x0d\x01\x00\x00\x00\x10\x63"] {
        for kind in [42, 51, 62, 65, 99_999] {
            let mut frame = vec![0];
            prost::encoding::encode_varint(body.len() as u64, &mut frame);
            prost::encoding::encode_varint(kind, &mut frame);
            client.send_bytes(&[&frame, body].concat()).await;
        }
    }
    // It is served all the same.
    assert!(!client.list().await.is_empty());
    let refused = metric(lab.ports, "entity_commands_refused").await;
    assert!((12..=13).contains(&refused), "{refused}");
}

#[tokio::test]
async fn an_address_that_cannot_be_fetched_is_refused_and_nothing_is_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let (mut client, kitchen) = watcher(&lab).await;
    for url in ["", "file:///etc/passwd", "https://127.0.0.1/x.mp3", "http://127.0.0.1:1/x.mp3", "media-source://x"] {
        let url = url.to_owned();
        client.send(PLAY, &Play { key: SPEAKER, has_url: true, url, device: kitchen, ..Play::default() }).await;
    }
    metric_becomes(lab.ports, "entity_commands_refused", 5).await;
    assert_eq!(metric(lab.ports, "announcements_played").await, 0);
}

#[tokio::test]
async fn whoever_goes_is_told_and_tells() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let mut client = NodeClient::connect(lab.node).await;
    client.send(DISCONNECT, &()).await;
    assert_eq!(client.next().await.map(|(kind, _)| kind), Some(DISCONNECT + 1));
    assert_eq!(client.next().await, None);
    let mut client = NodeClient::connect(lab.node).await;
    let pid = lab.child.id().expect("it runs").to_string();
    assert!(tokio::process::Command::new("kill").arg(pid).status().await.is_ok_and(|status| status.success()));
    assert_eq!(client.next().await.map(|(kind, _)| kind), Some(DISCONNECT));
}

#[tokio::test]
async fn home_assistant_connects_to_the_node_when_somebody_asks_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off"]).await;
    let state = async || get(lab.ports.http, "/api/home-assistant").await.json();
    let expected = json!({
        "configured": true,
        "linked": true,
        "speech": true,
        "broker": null,
        "node": { "port": lab.node, "on_lan": false, "connected": false },
    });
    assert_eq!(state().await, expected);
    let connect = async || post_json(lab.ports.http, "/api/home-assistant/node", &json!({})).await;
    let answer = connect().await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "added": true })));
    until(async || state().await["node"]["connected"] == true).await;
    assert_eq!(connect().await.json(), json!({ "added": false }), "it has it already");
    lab.core.forget_nodes();
    until(async || state().await["node"]["connected"] == false).await;
}

#[tokio::test]
async fn where_home_assistant_cannot_connect_one_is_told_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = program();
    command.arg("--log-level=error").arg(format!("--data-dir={}", folder.path().display()));
    let (mut child, ports) = start_command(command, &["--tls-mode=off"]).await;
    let connect = async |ports: Ports| post_json(ports.http, "/api/home-assistant/node", &json!({})).await;
    let answer = connect(ports).await;
    assert_eq!((answer.status, answer.text().contains("hass.url")), (409, true), "{}", answer.text());
    assert_eq!(get(ports.http, "/api/home-assistant").await.json()["configured"], false);
    child.kill().await.expect("killed");

    let lab = lab(folder.path(), &["--mqtt-broker=off", "--esphome-listen=off"]).await;
    let answer = connect(lab.ports).await;
    assert_eq!((answer.status, answer.text().contains("esphome.listen")), (409, true), "{}", answer.text());

    let mut command = program();
    command.env("VOICE_RELAY__HASS__URL", &lab.core.url).env("VOICE_RELAY__HASS__TOKEN", "of somebody else");
    let listen = format!("--esphome-listen={}", free_port());
    let flags = ["--tls-mode=off", "--log-level=error", "--mqtt-broker=off", &listen];
    let (mut child, ports) = start_command(command, &flags).await;
    let answer = connect(ports).await;
    assert_eq!((answer.status, answer.text().contains("administrator")), (502, true), "{}", answer.text());
    child.kill().await.expect("killed");

    // Somebody else has the port, and has gone when Home Assistant comes.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let lab = self::lab(folder.path(), &["--mqtt-broker=off", &format!("--esphome-listen={port}")]).await;
    drop(taken);
    let answer = connect(lab.ports).await;
    assert_eq!((answer.status, answer.text().contains("connection_error")), (502, true), "{}", answer.text());
}
