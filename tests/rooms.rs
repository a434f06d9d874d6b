//! Rooms on real sockets: what each is told, and what that means for who is heard.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::http::{get, post_json};
use support::live::{Participant, Peer, Signalling, connect_participant, participant, start};
use voice_relay::app::App;

/// Long enough for anything wrong to show, on loopback.
const A_MOMENT: Duration = Duration::from_millis(300);

const KITCHEN: [&str; 1] = ["--rooms-intercom=Kitchen"];

async fn in_kitchen(app: &App, name: &str) -> Participant {
    participant(app.ports, json!({ "type": "join", "room": "kitchen", "name": name })).await
}

/// Opens a room; gives its id and the host's key.
async fn open(app: &App, wish: Value) -> (String, String) {
    let reply = post_json(app.ports.http, "/api/rooms", &wish).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let opened: Value = serde_json::from_str(&reply.text()).expect("JSON");
    let text = |field: &str| opened[field].as_str().expect("a text").to_owned();
    (text("roomId"), text("hostId"))
}

async fn guest(app: &App, room: &str, name: &str) -> Participant {
    participant(app.ports, json!({ "type": "join", "room": room, "name": name })).await
}

async fn host(app: &App, room: &str, key: &str) -> Participant {
    participant(app.ports, json!({ "type": "join", "room": room, "name": "Host", "key": key })).await
}

/// A room that was opened so, with its host and a guest.
async fn company(app: &App, wish: Value) -> (String, Participant, Participant) {
    let (room, key) = open(app, wish).await;
    let host = host(app, &room, &key).await;
    let guest = guest(app, &room, "Ben").await;
    (room, host, guest)
}

async fn assert_hears_no_more(peer: &Peer) {
    tokio::time::sleep(A_MOMENT).await;
    let before = peer.packets_received().await;
    tokio::time::sleep(A_MOMENT).await;
    assert_eq!(peer.packets_received().await, before);
}

async fn assert_goes_on_hearing(peer: &Peer) {
    peer.wait_for_packets(peer.packets_received().await + 20).await;
}

#[tokio::test]
async fn who_talks_is_heard_by_the_others_who_are_told_in_which_slot() {
    let app = start(&KITCHEN);
    let mut anna = in_kitchen(&app, "Anna").await;
    let mut ben = in_kitchen(&app, "Ben").await;
    assert_eq!(anna.signalling.expect("participant_joined").await["participant"]["name"], "Ben");
    ben.talk().await;
    let slots = anna.signalling.expect("slots").await;
    assert_eq!(slots["slots"][0]["who"], *ben.id);
    let talking = ben.signalling.expect("talking").await;
    assert_eq!((talking["who"].as_str(), talking["on"].as_bool()), (Some(&*ben.id), Some(true)));
    anna.peer.wait_for_packets(20).await;
    assert_eq!(anna.signalling.expect("levels").await["levels"][&ben.id], -30);
    ben.peer.with(|client, _| client.pause()).await;
    ben.say(json!({ "type": "talk", "on": false })).await;
    let silent = ben.signalling.expect("talking").await;
    assert_eq!((silent["who"].as_str(), silent["on"].as_bool()), (Some(&*ben.id), Some(false)));
    app.stop().await;
}

#[tokio::test]
async fn a_sender_of_the_older_protocol_is_heard_in_the_room_that_it_names_and_seen_there() {
    let app = start(&KITCHEN);
    let mut anna = in_kitchen(&app, "Anna").await;
    let mut old = Signalling::connect(app.ports.http, "/ws").await;
    old.send(json!({ "type": "start_sending", "name": "Card", "room": "kitchen" })).await;
    let connection = old.expect("sender_ready").await["connection_id"].clone();
    let peer = Peer::new(0.0).await;
    let offer = peer.with(|client, _| client.offer(false)).await;
    old.send(json!({ "type": "webrtc_offer", "offer": { "type": "offer", "sdp": offer } })).await;
    let answer = old.expect("webrtc_answer").await["answer"]["sdp"].as_str().expect("SDP").to_owned();
    peer.with(move |client, now| {
        client.accept_answer(&answer, now);
        client.talk(now);
    })
    .await;
    let joined = anna.signalling.expect("participant_joined").await;
    let id = joined["participant"]["id"].clone();
    let seen = &joined["participant"];
    assert_eq!((&seen["name"], &seen["joined"]), (&json!("Card"), &json!(false)));
    assert_ne!(id, connection, "by what is told of it nobody hears it");
    assert_eq!(anna.signalling.expect("slots").await["slots"][0]["who"], id);
    anna.peer.wait_for_packets(20).await;
    assert!(app_streams(&app).await.is_empty(), "it is not at home");
    old.close().await;
    assert_eq!(anna.signalling.expect("participant_left").await["who"], id);
    app.stop().await;
}

async fn app_streams(app: &App) -> Vec<Value> {
    let status: Value = serde_json::from_str(&get(app.ports.mp3, "/stream/status").await.text()).expect("JSON");
    status["active_streams"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_room_that_is_not_there_is_told_and_nothing_is_done_before_joining() {
    let app = start(&[]);
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    socket.send(json!({ "type": "join", "room": "attic", "name": "Anna" })).await;
    assert_eq!(socket.expect("error").await["code"], "no_room");
    for message in [json!({ "type": "chat", "text": "hi" }), json!({ "type": "offer", "sdp": "v=0" })] {
        socket.send(message).await;
        assert_eq!(socket.expect("error").await["code"], "not_joined");
    }
    socket.send(json!({ "type": "listen", "who": "nobody" })).await;
    assert_eq!(socket.expect("error").await["code"], "bad_message");
    socket.send(json!({ "type": "ping" })).await;
    socket.expect("pong").await;
    socket.send(json!({ "type": "start_sending", "room": "attic" })).await;
    assert_eq!(socket.expect("error").await["code"], "no_room");
    app.stop().await;
}

#[tokio::test]
async fn an_offer_that_cannot_be_used_is_told_and_a_good_one_is_taken_then() {
    let app = start(&KITCHEN);
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    socket.send(json!({ "type": "join", "room": "kitchen" })).await;
    assert_eq!(socket.expect("joined").await["participants"][0]["name"], "Guest");
    socket.send(json!({ "type": "offer", "sdp": "v=0" })).await;
    assert_eq!(socket.expect("error").await["code"], "bad_description");
    let peer = Peer::new(0.0).await;
    let answer = connect_participant(&mut socket, &peer).await;
    assert_eq!(answer["slots"].as_array().map(Vec::len), Some(4));
    app.stop().await;
}

#[tokio::test]
async fn whoever_the_host_mutes_is_not_heard_whatever_its_client_sends() {
    let app = start(&[]);
    let (_, mut host, mut guest) = company(&app, json!({ "roomName": "Party" })).await;
    guest.talk().await;
    host.peer.wait_for_packets(20).await;
    host.host("mute", &guest.id.clone()).await;
    assert_hears_no_more(&host.peer).await;
    guest.say(json!({ "type": "talk", "on": true })).await;
    assert_eq!(guest.signalling.expect("error").await["code"], "muted");
    host.host("unmute", &guest.id.clone()).await;
    assert_goes_on_hearing(&host.peer).await;
    app.stop().await;
}

#[tokio::test]
async fn a_guest_who_is_sent_out_hears_nothing_more_and_is_not_heard() {
    let app = start(&[]);
    let (room, mut host, mut guest) = company(&app, json!({ "roomName": "Party" })).await;
    host.talk().await;
    guest.peer.wait_for_packets(20).await;
    host.host("kick", &guest.id.clone()).await;
    assert_eq!(guest.signalling.expect("removed").await["reason"], "kicked");
    assert_hears_no_more(&guest.peer).await;
    guest.say(json!({ "type": "chat", "text": "why?" })).await;
    assert_eq!(guest.signalling.expect("error").await["code"], "not_joined");
    guest.say(json!({ "type": "join", "room": room, "name": "Ben" })).await;
    assert_eq!(guest.signalling.expect("error").await["code"], "kicked");
    app.stop().await;
}

#[tokio::test]
async fn in_a_broadcast_guests_are_heard_only_with_the_word() {
    let app = start(&[]);
    let (_, mut host, mut guest) = company(&app, json!({ "roomName": "Radio", "kind": "broadcast" })).await;
    guest.say(json!({ "type": "talk", "on": true })).await;
    assert_eq!(guest.signalling.expect("error").await["code"], "no_word");
    guest.peer.with(support::client::Client::talk).await;
    assert_hears_no_more(&host.peer).await;
    assert_eq!(host.peer.packets_received().await, 0);
    host.host("give_word", &guest.id.clone()).await;
    assert_goes_on_hearing(&host.peer).await;
    host.host("take_word", &guest.id.clone()).await;
    assert_hears_no_more(&host.peer).await;
    app.stop().await;
}

#[tokio::test]
async fn who_comes_back_with_the_key_is_the_same_and_the_former_connection_is_out() {
    let app = start(&KITCHEN);
    let mut anna = in_kitchen(&app, "Anna").await;
    let mut ben = in_kitchen(&app, "Ben").await;
    let again = json!({ "type": "join", "room": "kitchen", "name": "Ben", "key": ben.key });
    let mut again = participant(app.ports, again).await;
    assert_eq!(again.id, ben.id);
    assert_eq!(ben.signalling.expect("removed").await["reason"], "replaced");
    drop(ben);
    again.talk().await;
    anna.peer.wait_for_packets(20).await;
    assert_eq!(anna.signalling.expect("slots").await["slots"][0]["who"], *again.id);
    app.stop().await;
}

#[tokio::test]
async fn a_closed_room_closes_all_connections_of_it() {
    let app = start(&[]);
    let (_, mut host, mut guest) = company(&app, json!({ "roomName": "Party" })).await;
    host.talk().await;
    guest.peer.wait_for_packets(20).await;
    host.say(json!({ "type": "host", "action": "close" })).await;
    assert_eq!(guest.signalling.expect("room_closed").await["reason"], "closed");
    assert_hears_no_more(&guest.peer).await;
    let closed = guest.peer.with(|client, _| client.closed).await;
    assert!(closed, "the media connection was closed");
    app.stop().await;
}

#[tokio::test]
async fn who_comes_into_a_room_with_a_bitrate_of_its_own_is_told_it() {
    let app = start(&["--rooms-bitrate=64"]);
    for (wish, wanted) in
        [(json!({ "roomName": "Usual" }), 64_000), (json!({ "roomName": "Low", "bitrate": 24 }), 24_000)]
    {
        let (room, key) = open(&app, wish).await;
        let told = host(&app, &room, &key).await.signalling.expect("bitrate").await;
        assert_eq!((&told["voice"], &told["music"]), (&json!(wanted), &json!(wanted)));
    }
    app.stop().await;
}

#[tokio::test]
async fn what_is_measured_is_told_to_those_who_are_there() {
    let app = start(&KITCHEN);
    let mut anna = in_kitchen(&app, "Anna").await;
    let mut ben = in_kitchen(&app, "Ben").await;
    ben.talk().await;
    anna.say(json!({ "type": "report", "delay_ms": 55.0, "concealed": 0.0 })).await;
    // The first look has nothing to compare with; the connection reports of itself a little later.
    let stats = loop {
        let stats = anna.signalling.expect("stats").await;
        let bitrate = stats["bitrate"].as_u64().unwrap_or_default();
        if bitrate > 0
            && stats["guests"]
                .as_array()
                .is_some_and(|all| all.iter().any(|of| of["delay"].is_number() && of["loss"].is_number()))
        {
            break stats;
        }
        anna.say(json!({ "type": "report", "delay_ms": 55.0, "concealed": 0.0 })).await;
    };
    // 160 bytes, 50 times a second.
    let bitrate = stats["bitrate"].as_f64().expect("measured");
    assert!((bitrate - 64_000.0).abs() < 16_000.0, "{stats}");
    let guests = stats["guests"].as_array().expect("a list");
    let of_anna = guests.iter().find(|of| of["id"] == *anna.id).expect("measured");
    assert!((75.0..80.0).contains(&of_anna["delay"].as_f64().expect("known")), "{of_anna}");
    assert_eq!(of_anna["loss"], 0.0);
    app.stop().await;
}
