//! What Home Assistant's entities and actions may do, and on whose behalf: each of them by an automation, by a user, and by a
//! user whom the host of the attic has sent out of it.

use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use voice_relay::app::App;
use voice_relay::hass::Home;

use super::SUPERVISOR;
use super::support::core::{StandInCore, TOKEN};
use super::support::esphome::*;
use super::support::http::get;
use super::support::live::{Signalling, loopback_config, metric, until};
use super::table::About;

/// How something is used.
#[derive(Debug, Clone, Copy)]
enum Use {
    /// It shows something, and does nothing.
    Nothing,
    /// A button is pressed.
    Press,
    /// A switch is turned off.
    Turn,
    /// A number is set.
    Set,
    /// One of several things is chosen.
    Choose,
    /// A player of ours is told to play, to stop, or how loud it is to be.
    Play,
    PlayerStop,
    PlayerVolume,
    /// An action of this number is called; with these texts after the room.
    Call(u32, &'static [&'static str]),
    /// Only a broker has it: what it does is done by an action as well, which has a row here.
    ByAction,
}

/// Every entity of the table, in its order; then the players and the actions. What each is about: `None` where it does nothing.
const THINGS: [(&str, Use, Option<About>); 20] = [
    ("talking", Use::Nothing, None),
    ("people", Use::Nothing, None),
    ("announcing", Use::Nothing, None),
    ("announce", Use::ByAction, None),
    ("bell", Use::ByAction, None),
    ("volume", Use::Set, Some(About::Talking)),
    ("stop", Use::Press, Some(About::Talking)),
    ("ringing", Use::Nothing, None),
    ("ring", Use::Press, Some(About::House)),
    ("do_not_disturb", Use::Turn, Some(About::House)),
    ("messages", Use::Nothing, None),
    ("let_through", Use::Choose, Some(About::House)),
    ("caller", Use::Nothing, None),
    ("call", Use::Nothing, None),
    ("media_player play", Use::Play, Some(About::Talking)),
    ("media_player stop", Use::PlayerStop, Some(About::Talking)),
    ("media_player volume", Use::PlayerVolume, Some(About::Talking)),
    ("action announce", Use::Call(0, &["Dinner"]), Some(About::Talking)),
    ("action ring", Use::Call(1, &["gong"]), Some(About::Talking)),
    ("action stop", Use::Call(2, &[]), Some(About::Talking)),
];

const PLAYER: u32 = 1;
const FIRST_ROW: u32 = 10;
const STOP: u32 = 16;

/// Who uses it: a user, and how the test calls them.
const USERS: [(Option<&str>, &str); 3] =
    [(None, "an automation"), (Some("user-of-anna"), "Anna"), (Some("user-of-ben"), "Ben")];

/// Somebody at the panel, as this user of Home Assistant.
async fn at_the_panel(app: &App, user: &str) -> Signalling {
    let port = app.ports.ingress.expect("a panel");
    let mut request = format!("ws://{port}/ws").into_client_request().expect("an address");
    request.headers_mut().insert("x-remote-user-id", user.parse().expect("a word"));
    Signalling::ask_from(SUPERVISOR, port, request).await.expect("a WebSocket")
}

/// Has the host of the attic send Ben out.
async fn send_ben_out(app: &App) -> Signalling {
    let join = |name: &str| json!({ "type": "join", "room": "attic", "name": name });
    let mut host = at_the_panel(app, "user-of-anna").await;
    host.send(join("Anna")).await;
    host.expect("joined").await;
    let mut ben = at_the_panel(app, "user-of-ben").await;
    ben.send(join("Ben")).await;
    let who = ben.expect("joined").await["you"].clone();
    host.send(json!({ "type": "host", "action": "kick", "who": who })).await;
    ben.expect("removed").await;
    host
}

#[test]
fn every_entity_of_the_table_has_its_row() {
    let source = std::fs::read_to_string("src/entities/table.rs").expect("read");
    let keys: Vec<_> = source.split("key: \"").skip(1).map(|rest| rest.split('"').next().expect("a word")).collect();
    let rows: Vec<_> = THINGS.iter().map(|(key, ..)| *key).collect();
    assert_eq!(keys, rows[..keys.len()], "each in its order");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entity_does_for_everybody_what_the_table_says() {
    let (core, port) = (StandInCore::start().await, free_port());
    let (url, token) = (format!("--hass-url={}", core.url), format!("--hass-token={TOKEN}"));
    let flags =
        [&*url, &token, &format!("--esphome-listen={port}"), "--mqtt-broker=off", "--rooms-intercom=Kitchen,Attic"];
    let home = Home { ingress_port: Some(0), supervisor: SUPERVISOR.into(), ..Home::default() };
    super::support::live::read_files();
    let app =
        App::start(&loopback_config(&[&flags[..], &["--files-folders=auto"]].concat()), &home).expect("free ports");
    let ports = app.ports;
    until(async || get(ports.http, "/api/players").await.json()["speech"] == true).await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 4).await;
    let _host = send_ben_out(&app).await;
    let mut hall = Signalling::connect(ports.http, "/ws").await;
    hall.send(json!({ "type": "station", "name": "Hall", "rooms": ["kitchen", "attic"] })).await;
    hall.expect("station").await;

    let mut client = NodeClient::connect(port).await;
    client.send(DEVICE, &()).await;
    let listed: Device = client.expect(DEVICE_ANSWER).await;
    let device = |name: &str| {
        let area = listed.areas.iter().find(|area| area.name == name).expect("an area").id;
        listed.devices.iter().find(|device| device.area == area).expect("a device").id
    };
    let rooms = [("kitchen", device("Kitchen")), ("attic", device("Attic"))];
    // As it is known once all is listed; each is registered under a name of its own.
    let mac = listed.mac.clone();
    for (room, device) in rooms {
        for (domain, name) in [
            ("button", "Stop"),
            ("button", "Ring"),
            ("switch", "Do not disturb"),
            ("select", "Let through"),
            ("number", "Announcement volume"),
            ("media_player", "Speaker"),
        ] {
            core.register(
                &format!("{domain}.{room}_{}", name.replace(' ', "_")),
                "esphome",
                &format!("{mac}/{device}/{domain}/{name}"),
            );
        }
    }
    core.throw_out();
    until(async || core.note_call("light.turn_on", None, None)).await;
    until(async || get(ports.http, "/api/players").await.json()["speech"] == true).await;

    let counted = async || (metric(ports, "entity_commands").await, metric(ports, "entity_commands_refused").await);
    let mut wrong = Vec::new();
    for (index, (thing, used, about)) in THINGS.into_iter().enumerate() {
        let Some(about) = about else { continue };
        for (room, device) in rooms {
            for (user, called) in USERS {
                let (entity, service) = match used {
                    Use::Press if thing == "ring" => (format!("button.{room}_Ring"), "button.press"),
                    Use::Press => (format!("button.{room}_Stop"), "button.press"),
                    Use::Turn => (format!("switch.{room}_Do_not_disturb"), "switch.turn_off"),
                    Use::Choose => (format!("select.{room}_Let_through"), "select.select_option"),
                    Use::Set => (format!("number.{room}_Announcement_volume"), "number.set_value"),
                    Use::Call(0, _) => (String::new(), "esphome.voice_relay_announce"),
                    Use::Call(1, _) => (String::new(), "esphome.voice_relay_ring"),
                    Use::Call(..) => (String::new(), "esphome.voice_relay_stop"),
                    _ => (format!("media_player.{room}_Speaker"), "media_player.play_media"),
                };
                let before = counted().await;
                assert!(core.note_call(service, Some(&*entity), user), "it is linked");
                let key = FIRST_ROW + index as u32;
                let play = Play { key: PLAYER, device, ..Play::default() };
                match used {
                    Use::Press => client.send(PRESS, &Press { key, device }).await,
                    Use::Turn => client.send(TURN, &Turned { key, on: false, device }).await,
                    Use::Choose => {
                        client.send(CHOOSE, &Named { key, name: "Everything".into(), device }).await;
                    }
                    Use::Set => client.send(SET_NUMBER, &SetNumber { key, value: 70.0, device }).await,
                    Use::Play => {
                        let url = core.speech("Dinner is ready");
                        client.send(PLAY, &Play { has_url: true, url, ..play }).await;
                    }
                    Use::PlayerStop => client.send(PLAY, &Play { has_command: true, command: 2, ..play }).await,
                    Use::PlayerVolume => client.send(PLAY, &Play { has_volume: true, volume: 0.7, ..play }).await,
                    Use::Call(key, texts) => {
                        let arguments =
                            [room].iter().chain(texts).map(|text| Argument { text: (*text).into() }).collect();
                        client.send(CALL, &Call { key, arguments, id: 1 }).await;
                    }
                    Use::Nothing | Use::ByAction => unreachable!("it does nothing"),
                }
                until(async || counted().await != before).await;
                let refused = counted().await.1 > before.1;
                let wanted = about == About::Talking && room == "attic" && called == "Ben";
                if refused != wanted {
                    wrong.push(format!("{thing} of the {room} by {called}: refused {refused}"));
                }
                // Nothing waits when the next is said.
                let before = counted().await;
                client.send(PRESS, &Press { key: STOP, device: 0 }).await;
                until(async || counted().await != before).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    app.stop().await;
}
