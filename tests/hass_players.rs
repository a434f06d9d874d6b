//! The house's media players over a real socket, held against a stand-in for Home Assistant's core: the list, and what is
//! announced on them. What happens to one player in every order is told by the tests of `src/players`.

mod support;

use std::time::{Duration, SystemTime};

use serde_json::json;
use support::core::{SPOKEN_HZ, StandInCore, TOKEN};
use support::http::{get, post_json, request};
use support::live::{PATIENCE, metric, program, start_command, until};
use support::sound::{between, decoded, share_at, wav};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use voice_relay::access::{Claims, Scopes, Tokens};
use voice_relay::data::DataFolder;
use voice_relay::domain::Owner;
use voice_relay::hass::{ClipProgress, CoreEndpoint, CoreLink, HousePlayers, NewClip, PlayerError};
use voice_relay::players::{Mode, Outcome, PlayerKind, Trouble, VolumeRule};
use voice_relay::tls::Trust;

const SPEAKER: &str = "media_player.kitchen_speaker";
const SONOS: &str = "media_player.living_room";
const CLIP: &str = "http://relay.home:8081/clip/1.mp3";
const CHIME_HZ: f64 = 1_000.0;
const SPEECH_HZ: f64 = 440.0;
const LENGTH: Duration = Duration::from_millis(400);

/// Players that follow this core, and keep what they must in this folder; they end with the guard.
fn follow(core: &StandInCore, folder: &std::path::Path) -> (HousePlayers, DropGuard) {
    follow_with(core, folder, TOKEN)
}

fn follow_with(core: &StandInCore, folder: &std::path::Path, token: &str) -> (HousePlayers, DropGuard) {
    let shutdown = CancellationToken::new();
    let endpoint = CoreEndpoint::new(&core.url, token.into(), Trust::none()).expect("an address");
    let (link, mut task) = CoreLink::new(endpoint);
    let (players, followers) =
        HousePlayers::new(link.clone(), task.feed(&link), DataFolder::new(folder.into()), 25, None);
    tokio::spawn(task.run(shutdown.clone()));
    tokio::spawn(followers.run(shutdown.clone()));
    (players, shutdown.drop_guard())
}

async fn house() -> (StandInCore, tempfile::TempDir) {
    let core = StandInCore::start().await;
    core.add(SPEAKER, "cast", Some("kitchen"), "idle", 0.3);
    core.add(SONOS, "sonos", None, "playing", 0.4);
    core.add("media_player.echo", "alexa_devices", None, "idle", 0.4);
    core.has_clip(CLIP, LENGTH);
    (core, tempfile::tempdir().expect("a folder"))
}

async fn known(players: &HousePlayers, count: usize) {
    until(async || players.list().iter().filter(|player| player.mode != Mode::Unavailable).count() == count).await;
}

fn clip(volume: VolumeRule) -> NewClip {
    NewClip { url: CLIP.into(), length: Some(LENGTH), volume, is_urgent: false, is_live: false, owner: Owner::Machine }
}

async fn outcome(mut progress: watch::Receiver<ClipProgress>) -> Outcome {
    let over = progress.wait_for(|progress| matches!(progress, ClipProgress::Over(_)));
    let over = tokio::time::timeout(PATIENCE, over).await.expect("in time").expect("told").clone();
    let ClipProgress::Over(outcome) = over else { unreachable!("waited for") };
    outcome
}

#[tokio::test]
async fn players_are_known_with_their_area_and_kind_but_for_those_that_play_no_address() {
    let (core, folder) = house().await;
    let (players, _guard) = follow(&core, folder.path());
    known(&players, 2).await;
    let list = players.list();
    let seen: Vec<_> = list
        .iter()
        .map(|it| (&*it.entity, it.kind, it.area.as_ref().map(|area| &*area.name), it.mode, it.volume))
        .collect();
    assert_eq!(
        seen,
        [
            (SPEAKER, PlayerKind::Plain, Some("Kitchen"), Mode::Idle, Some(0.3)),
            (SONOS, PlayerKind::Sonos, None, Mode::Playing, Some(0.4)),
        ]
    );
}

#[tokio::test]
async fn a_clip_is_heard_on_each_in_its_own_way_and_the_volume_is_as_it_was() {
    let (core, folder) = house().await;
    let (players, _guard) = follow(&core, folder.path());
    known(&players, 2).await;
    let (_, plain) = players.announce(SPEAKER, clip(VolumeRule::Absolute(0.8))).await.expect("there");
    let (_, sonos) = players.announce(SONOS, clip(VolumeRule::Absolute(0.5))).await.expect("there");
    until(async || core.state(SPEAKER) == ("playing".into(), Some(0.8))).await;
    assert_eq!((outcome(plain).await, outcome(sonos).await), (Outcome::Played, Outcome::Played));
    until(async || core.state(SPEAKER) == ("idle".into(), Some(0.3))).await;
    assert_eq!(core.state(SONOS).1, Some(0.4));
    let called = core.called();
    let sonos = called.iter().find(|(_, entity, _)| entity == SONOS).expect("called");
    assert_eq!(
        sonos.2,
        json!({
            "media_content_id": CLIP, "media_content_type": "music", "announce": true, "extra": { "volume": 50 }
        })
    );
    until(async || !folder.path().join("players.json").exists() || kept(folder.path()) == json!({})).await;
}

fn kept(folder: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("players.json")).expect("there")).expect("JSON")
}

#[tokio::test]
async fn what_cannot_be_is_said() {
    let (core, folder) = house().await;
    core.add("media_player.gone", "cast", None, "unavailable", 0.3);
    let (players, _guard) = follow(&core, folder.path());
    assert_eq!(players.announce(SPEAKER, clip(VolumeRule::Keep)).await.expect_err("not yet"), PlayerError::Away);
    known(&players, 2).await;
    let unknown = players.announce("media_player.attic", clip(VolumeRule::Keep)).await.expect_err("unknown");
    assert_eq!(unknown, PlayerError::Unknown("media_player.attic".into()));
    let (_, gone) = players.announce("media_player.gone", clip(VolumeRule::Keep)).await.expect("known");
    assert_eq!(outcome(gone).await, Outcome::Failed(Trouble::Unavailable));
}

#[tokio::test]
async fn a_core_that_restarts_in_the_middle_finds_the_player_put_back() {
    let (core, folder) = house().await;
    let (players, _guard) = follow(&core, folder.path());
    known(&players, 2).await;
    let (_, progress) = players.announce(SPEAKER, clip(VolumeRule::Absolute(0.9))).await.expect("there");
    until(async || core.state(SPEAKER).0 == "playing").await;
    core.throw_out();
    assert_eq!(outcome(progress).await, Outcome::Failed(Trouble::Vanished));
    until(async || core.state(SPEAKER) == ("idle".into(), Some(0.3))).await;
}

#[tokio::test]
async fn a_daemon_that_was_killed_in_the_middle_puts_back_what_it_left_loud() {
    let (core, folder) = house().await;
    let (players, guard) = follow(&core, folder.path());
    known(&players, 2).await;
    players.announce(SPEAKER, clip(VolumeRule::Absolute(0.9))).await.expect("there");
    until(async || core.state(SPEAKER) == ("playing".into(), Some(0.9))).await;
    drop(guard);
    drop(players);
    let (players, _guard) = follow(&core, folder.path());
    until(async || core.state(SPEAKER) == ("idle".into(), Some(0.3))).await;
    assert_eq!(players.stats().recovered.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
async fn whoever_turns_the_knob_has_the_last_word() {
    let (core, folder) = house().await;
    let (players, _guard) = follow(&core, folder.path());
    known(&players, 2).await;
    let (_, progress) = players.announce(SPEAKER, clip(VolumeRule::Absolute(0.9))).await.expect("there");
    until(async || core.state(SPEAKER).0 == "playing").await;
    core.by_hand(SPEAKER, "volume_level", json!(0.1));
    assert_eq!(outcome(progress).await, Outcome::Played);
    known(&players, 2).await;
    until(async || players.list().iter().all(|player| !player.announcing)).await;
    until(async || core.state(SPEAKER) == ("idle".into(), Some(0.1)) && kept(folder.path()) == json!({})).await;
}

/// The program, linked to this core, with files of this folder; it ends with the child.
async fn daemon(core: &StandInCore, folder: &std::path::Path) -> (tokio::process::Child, voice_relay::app::Ports) {
    daemon_with(core, folder, "--announce-clip-bytes=10000000").await
}

async fn daemon_with(
    core: &StandInCore,
    folder: &std::path::Path,
    flag: &str,
) -> (tokio::process::Child, voice_relay::app::Ports) {
    daemon_for(core, folder, &[flag], "").await
}

/// For whoever asks below this path, which may have a token.
async fn daemon_for(
    core: &StandInCore,
    folder: &std::path::Path,
    flags: &[&str],
    below: &str,
) -> (tokio::process::Child, voice_relay::app::Ports) {
    let mut command = program();
    command.env("VOICE_RELAY__HASS__URL", &core.url).env("VOICE_RELAY__HASS__TOKEN", TOKEN);
    let (data, files) =
        (format!("--data-dir={}", folder.join("data").display()), format!("--files-folders={}", folder.display()));
    let flags = [&[&*data, &files, "--tls-mode=off", "--log-level=warn"], flags].concat();
    let (child, ports) = start_command(command, &flags).await;
    let players = format!("{below}/api/players");
    until(async || get(ports.http, &players).await.json()["players"][0]["state"] == "idle").await;
    (child, ports)
}

#[tokio::test]
async fn the_daemon_lists_them_for_whoever_may_listen() {
    let (core, folder) = house().await;
    let (_child, ports) = daemon(&core, folder.path()).await;
    let list = async || get(ports.http, "/api/players").await.json();
    assert_eq!(
        list().await["players"][0],
        json!({
            "entity_id": SPEAKER, "name": "kitchen speaker", "area": "Kitchen", "area_id": "kitchen", "members": [],
            "state": "idle", "volume": 0.3, "announces_itself": false, "announcing": false
        })
    );
    core.throw_out();
    until(async || list().await["linked"] == false).await;
    until(async || list().await["linked"] == true).await;
}

#[tokio::test]
async fn a_file_is_announced_on_a_player_with_its_chime_whole_and_as_loud_as_was_wished() {
    let (core, folder) = house().await;
    std::fs::write(folder.path().join("bell.wav"), wav(48_000, CHIME_HZ, 0.6)).expect("written");
    std::fs::write(folder.path().join("dinner.wav"), wav(22_050, SPEECH_HZ, 1.0)).expect("written");
    let (_child, ports) = daemon(&core, folder.path()).await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 2).await;
    let wish = json!({ "to": SPEAKER, "file": "dinner.wav", "chime": "bell.wav", "player_volume": 80 });
    let answer = post_json(ports.http, "/api/announce", &wish).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let path = format!("/api/announce/{}", answer.json()["id"].as_str().expect("an id"));
    let told = async || get(ports.http, &path).await.json();
    until(async || told().await["state"] == "playing").await;
    assert_eq!(core.state(SPEAKER), ("playing".into(), Some(0.8)));
    assert!(told().await["parts"][0]["late"].as_f64().expect("measured") > 0.0);
    until(async || told().await["state"] == "played").await;
    until(async || core.state(SPEAKER) == ("idle".into(), Some(0.3))).await;
    let (url, file) = core.fetched().pop_first().expect("fetched");
    let pcm = decoded(&file).await;
    assert!(share_at(CHIME_HZ, between(0.2..0.6, &pcm)) > 0.9, "the chime");
    assert!(share_at(SPEECH_HZ, between(0.9..1.5, &pcm)) > 0.9, "what is said");
    // Nobody gets it any more.
    assert_eq!(get(ports.mp3, &url[url.rfind("/announce").expect("a path")..]).await.status, 404);
}

#[tokio::test]
async fn an_announcement_on_a_player_is_stopped_and_what_cannot_be_is_said() {
    let (core, folder) = house().await;
    std::fs::write(folder.path().join("long.wav"), wav(8_000, SPEECH_HZ, 30.0)).expect("written");
    let (_child, ports) = daemon(&core, folder.path()).await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 1).await;
    let announce = async |wish: serde_json::Value| post_json(ports.http, "/api/announce", &wish).await;
    let answer = announce(json!({ "to": SPEAKER, "file": "long.wav", "player_volume": 80 })).await;
    let path = format!("/api/announce/{}", answer.json()["id"].as_str().expect("an id"));
    until(async || core.state(SPEAKER).0 == "playing").await;
    assert_eq!(request(ports.http, &format!("DELETE {path} HTTP/1.1"), &[], PATIENCE).await.status, 204);
    until(async || get(ports.http, &path).await.json()["state"] == "stopped").await;
    until(async || core.state(SPEAKER) == ("idle".into(), Some(0.3))).await;
    let itself = announce(json!({ "to": SONOS, "file": "long.wav" })).await.json();
    let stop = format!("DELETE /api/announce/{} HTTP/1.1", itself["id"].as_str().expect("an id"));
    until(async || core.called().iter().any(|(_, entity, _)| entity == SONOS)).await;
    assert_eq!(request(ports.http, &stop, &[], PATIENCE).await.status, 409);
    for (wish, status) in [
        (json!({ "to": "media_player.attic", "file": "long.wav" }), 404),
        (json!({ "to": SPEAKER, "file": "none.wav" }), 404),
        (json!({ "to": SPEAKER, "room": "home", "file": "long.wav" }), 400),
        (json!({ "file": "long.wav" }), 400),
        (json!({ "to": SPEAKER, "file": "long.wav", "player_volume": 101 }), 400),
        (json!({ "to": [], "file": "long.wav" }), 400),
        (json!({ "to": "the kitchen", "file": "long.wav" }), 400),
        (json!({ "to": "area:attic", "file": "long.wav" }), 404),
        (json!({ "to": ["room:home", "room:attic"], "file": "long.wav" }), 404),
        (json!({ "to": "everybody", "file": "long.wav", "text": "x" }), 400),
        (json!({ "to": "everybody", "text": " " }), 400),
        (json!({ "to": "everybody", "text": "x".repeat(1_001) }), 400),
        (json!({ "to": "everybody", "text": "x", "language": "xx" }), 502),
    ] {
        assert_eq!(announce(wish.clone()).await.status, status, "{wish}");
    }
}

#[tokio::test]
async fn one_announcement_is_heard_in_a_room_and_on_all_players_of_an_area_and_of_a_group_each_once() {
    let (core, folder) = house().await;
    core.add("media_player.downstairs", "group", Some("hall"), "idle", 0.2);
    core.group("media_player.downstairs", &[SPEAKER, SONOS]);
    std::fs::write(folder.path().join("dinner.wav"), wav(22_050, SPEECH_HZ, 1.0)).expect("written");
    let (_child, ports) = daemon(&core, folder.path()).await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 1).await;
    until(async || get(ports.http, "/api/players").await.json()["players"][0]["members"][0] == SPEAKER).await;
    let to = ["room:home", "area:KITCHEN", "media_player.downstairs", "everybody"];
    let answer = post_json(ports.http, "/api/announce", &json!({ "to": to, "file": "dinner" })).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let wish = answer.json();
    let places: Vec<_> = wish["parts"].as_array().expect("parts").iter().map(|part| &part["id"]).collect();
    assert_eq!(places.len(), 3, "{wish}");
    let path = format!("/api/announce/{}", wish["id"].as_str().expect("an id"));
    let told = async || get(ports.http, &path).await.json();
    let told_of = |told: &serde_json::Value, key: &str| {
        told["parts"].as_array().expect("parts").iter().map(|part| part[key].clone()).collect::<Vec<_>>()
    };
    assert_eq!(told_of(&told().await, "room")[0], "home");
    assert_eq!(told_of(&told().await, "player")[1..], [SPEAKER, SONOS]);
    until(async || told().await["state"] == "played").await;
    assert_eq!(told_of(&told().await, "state"), ["played"; 3]);
    assert!(core.called().iter().all(|(_, entity, _)| entity != "media_player.downstairs"));
}

#[tokio::test]
async fn one_stop_ends_it_everywhere_but_where_a_player_announces_by_itself_which_is_said() {
    let (core, folder) = house().await;
    std::fs::write(folder.path().join("long.wav"), wav(8_000, SPEECH_HZ, 30.0)).expect("written");
    let (_child, ports) = daemon(&core, folder.path()).await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 1).await;
    let announce = async |to: &[&str]| {
        let answer = post_json(ports.http, "/api/announce", &json!({ "to": to, "file": "long" })).await;
        format!("/api/announce/{}", answer.json()["id"].as_str().expect("an id"))
    };
    let stop = async |path: &str| request(ports.http, &format!("DELETE {path} HTTP/1.1"), &[], PATIENCE).await;
    let all = announce(&["room:home", SPEAKER]).await;
    until(async || core.state(SPEAKER).0 == "playing").await;
    assert_eq!(stop(&all).await.status, 204);
    until(async || get(ports.http, &all).await.json()["state"] == "stopped").await;
    assert_eq!(stop(&all).await.status, 404, "it is over");
    let mixed = announce(&["room:home", SONOS]).await;
    until(async || core.called().iter().any(|(_, entity, _)| entity == SONOS)).await;
    let refused = stop(&mixed).await;
    assert!(refused.status == 409 && refused.text().contains(SONOS), "{}", refused.text());
    let parts = get(ports.http, &mixed).await.json()["parts"].clone();
    assert_eq!((&parts[0]["state"], parts[1]["state"] == "stopped"), (&json!("stopped"), false));
}

#[tokio::test]
async fn where_one_of_several_places_refuses_it_that_is_told_and_the_others_hear_it() {
    let (core, folder) = house().await;
    std::fs::write(folder.path().join("long.wav"), wav(8_000, SPEECH_HZ, 30.0)).expect("written");
    let (_child, ports) = daemon_with(&core, folder.path(), "--limits-share=25").await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 1).await;
    let announce =
        async |to: &[&str]| post_json(ports.http, "/api/announce", &json!({ "to": to, "file": "long" })).await;
    // As many as one address may have of the 21 that a player takes.
    for _ in 0..11 {
        assert_eq!(announce(&[SPEAKER]).await.status, 202);
    }
    assert_eq!(announce(&[SPEAKER]).await.status, 503);
    assert_eq!(metric(ports, "player_clips_refused").await, 1);
    let answer = announce(&["room:home", SPEAKER]).await;
    assert_eq!(answer.status, 202);
    let path = format!("/api/announce/{}", answer.json()["id"].as_str().expect("an id"));
    let told = get(ports.http, &path).await.json();
    assert_eq!((&told["state"], &told["parts"][0]["state"]), (&json!("playing"), &json!("playing")));
    assert_eq!((&told["parts"][1]["state"], &told["parts"][1]["destination"]), (&json!("failed"), &json!(SPEAKER)));
    assert!(told["parts"][1]["message"].as_str().expect("why").contains("Too many"), "{told}");
}

#[tokio::test]
async fn what_is_too_large_for_players_is_heard_in_rooms_all_the_same() {
    let (core, folder) = house().await;
    std::fs::write(folder.path().join("long.wav"), wav(8_000, SPEECH_HZ, 30.0)).expect("written");
    let (_child, ports) = daemon_with(&core, folder.path(), "--announce-clip-bytes=100000").await;
    until(async || get(ports.http, "/api/files").await.json()["total"] == 1).await;
    let announce =
        async |to: &[&str]| post_json(ports.http, "/api/announce", &json!({ "to": to, "file": "long" })).await;
    assert_eq!(announce(&[SPEAKER]).await.status, 413);
    let answer = announce(&["room:home", SPEAKER]).await;
    assert_eq!(answer.status, 202);
    let told = get(ports.http, &format!("/api/announce/{}", answer.json()["id"].as_str().expect("an id"))).await.json();
    assert_eq!((&told["parts"][0]["state"], &told["parts"][1]["state"]), (&json!("playing"), &json!("failed")));
    assert!(told["parts"][1]["message"].as_str().expect("why").contains("announce.clip_bytes"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_spoken_by_home_assistant_in_a_room_and_on_a_player() {
    let (core, folder) = house().await;
    let (_child, ports) = daemon(&core, folder.path()).await;
    until(async || get(ports.http, "/api/players").await.json()["speech"] == true).await;
    let port = format!("--http-port={}", ports.http.port());
    let to = format!("--to=room:home,{SPEAKER}");
    let said = program()
        .args(["say", &port, &to, "--text=Tea & cake", "--language=en_GB"])
        .stderr(std::process::Stdio::piped())
        .output()
        .await
        .expect("run");
    let told = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(said.status.success() && told.contains("played in 2 of 2"), "{told}");
    assert_eq!(core.spoken(), ["tts.piper?message=Tea+%26+cake&language=en_GB"], "no engine that is not an entity");
    let (_, file) = core.fetched().pop_first().expect("fetched");
    let pcm = decoded(&file).await;
    assert!(share_at(SPOKEN_HZ, between(0.3..0.9, &pcm)) > 0.9);
}

#[tokio::test]
async fn a_room_is_live_on_players_until_it_is_stopped_and_has_been_heard_to_its_end() {
    for access in ["lan", "token"] {
        let (core, folder) = house().await;
        let tokens = Tokens::new(DataFolder::new(folder.path().join("data")));
        let claims = Claims::new(Scopes::all(), None, None, SystemTime::now(), PATIENCE);
        let below = match access {
            "token" => format!("/t/{}", tokens.sign(&claims).expect("signed")),
            _ => String::new(),
        };
        let flags = ["--rooms-intercom=Kitchen", &format!("--access={access}")];
        let (_child, ports) = daemon_for(&core, folder.path(), &flags, &below).await;
        let api = |path: &str| format!("{below}/api/{path}");
        let wish = json!({ "to": [SPEAKER, SONOS], "live": "kitchen", "player_volume": 70 });
        let placed = post_json(ports.http, &api("announce"), &wish).await;
        assert_eq!(placed.status, 202, "{}", placed.text());
        let id = placed.json()["id"].as_str().expect("an id").to_owned();
        let look = async || get(ports.http, &api(&format!("announce/{id}"))).await.json();
        for player in [SPEAKER, SONOS] {
            until(async || core.state(player) == ("playing".into(), Some(0.7))).await;
        }
        until(async || look().await["state"] == "playing").await;
        let fetched = core.fetched();
        assert!(fetched.keys().all(|url| url.ends_with("/stream/room/kitchen.mp3")), "{:?}", fetched.keys());
        assert!(fetched.values().all(|bytes| bytes[0] == 0xFF), "MP3");
        assert!(!core.called().iter().any(|(_, _, data)| data["announce"] == true), "nobody could stop that");
        let stop = format!("DELETE {} HTTP/1.1", api(&format!("announce/{id}")));
        assert_eq!(request(ports.http, &stop, &[], PATIENCE).await.status, 204);
        assert_eq!(look().await["state"], "playing", "what is in its buffer is heard still");
        if access == "token" {
            assert_eq!(request(ports.http, &stop, &[], PATIENCE).await.status, 204, "but who cannot wait need not");
        }
        until(async || look().await["state"] == "stopped").await;
        until(async || core.state(SPEAKER) == ("idle".into(), Some(0.3))).await;
        until(async || core.state(SONOS).1 == Some(0.4)).await;
    }
}

#[tokio::test]
async fn what_cannot_be_live_is_refused_with_the_reason() {
    let (core, folder) = house().await;
    let (_child, ports) = daemon_with(&core, folder.path(), "--rooms-intercom=Kitchen").await;
    let opened = post_json(ports.http, "/api/rooms", &json!({ "roomName": "Secret", "pin": "4711" })).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    for (wish, status, why) in [
        (json!({ "to": SPEAKER, "live": "attic" }), 404, "no such room"),
        (json!({ "to": SPEAKER, "live": "secret" }), 403, "PIN"),
        (json!({ "to": ["room:home", SPEAKER], "live": "kitchen" }), 400, "media players"),
        (json!({ "room": "home", "live": "kitchen" }), 400, "media players"),
        (json!({ "to": SPEAKER, "live": "kitchen", "text": "Dinner" }), 400, "alone"),
        (json!({ "to": SPEAKER, "live": "kitchen", "chime": "gong" }), 400, "alone"),
        (json!({ "to": SPEAKER, "live": "kitchen", "repeat": 2 }), 400, "alone"),
        (json!({ "to": SPEAKER, "live": "kitchen", "volume": 3 }), 400, "alone"),
        (json!({ "to": SPEAKER, "live": "kitchen", "player_volume": 101 }), 400, "percentage"),
    ] {
        let refused = post_json(ports.http, "/api/announce", &wish).await;
        assert_eq!((refused.status, refused.text().contains(why)), (status, true), "{wish}: {}", refused.text());
    }
    assert!(core.called().is_empty());
}

#[tokio::test]
async fn of_more_players_than_are_followed_the_first_by_name_are_and_can_be_announced_on() {
    let (core, folder) = (StandInCore::start().await, tempfile::tempdir().expect("a folder"));
    for number in 0..510 {
        core.add(&format!("media_player.one_{number:03}"), "cast", None, "idle", 0.3);
    }
    core.has_clip(CLIP, LENGTH);
    let (players, _guard) = follow(&core, folder.path());
    known(&players, 500).await;
    let (_, progress) = players.announce("media_player.one_499", clip(VolumeRule::Keep)).await.expect("known");
    assert_eq!(outcome(progress).await, Outcome::Played);
    let beyond = players.announce("media_player.one_500", clip(VolumeRule::Keep)).await;
    assert!(matches!(beyond, Err(PlayerError::Unknown(_))));
}

#[tokio::test]
async fn a_wrong_token_is_no_link() {
    let (core, folder) = house().await;
    let (players, _guard) = follow_with(&core, folder.path(), "another");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(players.list(), []);
}
