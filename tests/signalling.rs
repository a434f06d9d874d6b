//! The fixed WebSocket protocol, against the real daemon on real sockets.

mod support;

use std::time::Duration;

use serde_json::json;
use support::client::Received;
use support::http::get;
use support::live::{Peer, Signalling, answer_offer, metric, offer_to_send, receiver, sender, start};

/// Long enough for anything wrong to show, on loopback.
const A_MOMENT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn every_socket_begins_with_the_list_of_streams() {
    let app = start(&[]);
    for path in ["/ws", "/"] {
        let mut socket = Signalling::connect(app.ports.http, path).await;
        assert_eq!(socket.next().await, Some(json!({ "type": "available_streams", "streams": [] })));
        socket.send(json!({ "type": "get_available_streams" })).await;
        assert_eq!(socket.next().await, Some(json!({ "type": "available_streams", "streams": [] })));
    }
    app.stop().await;
}

#[tokio::test]
async fn one_sender_is_heard_by_many_receivers() {
    let app = start(&[]);
    let sender = sender(app.ports, None, 0.0).await;
    let mut receivers = Vec::new();
    for stream in [None, Some(""), Some(sender.stream.as_str())] {
        receivers.push(receiver(app.ports, stream).await);
    }
    for (_, peer) in &receivers {
        peer.wait_for_packets(50).await;
        let numbers = peer.with(|client, _| client.received.iter().map(Received::number).collect::<Vec<_>>()).await;
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "in order: {numbers:?}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_stream_is_announced_to_all_when_it_can_be_heard_and_its_end_once() {
    let app = start(&[]);
    let mut witness = Signalling::connect(app.ports.http, "/ws").await;
    let mut sender = sender(app.ports, None, 0.0).await;
    assert_eq!(witness.expect("stream_available").await["stream_id"], *sender.stream);
    let mut late = Signalling::connect(app.ports.http, "/ws").await;
    assert_eq!(late.next().await, Some(json!({ "type": "available_streams", "streams": [sender.stream] })));
    sender.signalling.send(json!({ "type": "stop_stream" })).await;
    for socket in [&mut witness, &mut late, &mut sender.signalling] {
        assert_eq!(socket.expect("stream_ended").await["stream_id"], *sender.stream);
    }
    sender.signalling.close().await;
    assert!(!witness.hears_within(A_MOMENT, "stream_ended").await, "an end is told once");
    app.stop().await;
}

#[tokio::test]
async fn a_sender_that_is_only_connected_is_not_announced() {
    let app = start(&[]);
    let mut witness = Signalling::connect(app.ports.http, "/ws").await;
    let mut signalling = Signalling::connect(app.ports.http, "/ws").await;
    let peer = Peer::new(0.0).await;
    offer_to_send(&mut signalling, &peer, None).await;
    peer.with(|client, _| client.pause()).await;
    assert!(!witness.hears_within(A_MOMENT, "stream_available").await);
    app.stop().await;
}

#[tokio::test]
async fn a_socket_that_closes_ends_its_stream_at_once() {
    let app = start(&[]);
    let mut witness = Signalling::connect(app.ports.http, "/ws").await;
    let sender = sender(app.ports, None, 0.0).await;
    drop(sender.signalling);
    assert_eq!(witness.expect("stream_ended").await["stream_id"], *sender.stream);
    app.stop().await;
}

#[tokio::test]
async fn a_receiver_before_the_sender_is_told_so_and_hears_when_there_is_one() {
    let app = start(&[]);
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    socket.send(json!({ "type": "start_receiving" })).await;
    let error = socket.expect("error").await;
    assert_eq!((&error["message"], &error["code"]), (&json!("No audio stream available"), &json!("no_stream")));
    let _sender = sender(app.ports, None, 0.0).await;
    let available = socket.expect("stream_available").await;
    socket.send(json!({ "type": "start_receiving", "stream_id": available["stream_id"] })).await;
    let offer = socket.expect("webrtc_offer").await;
    let peer = Peer::new(0.0).await;
    answer_offer(&mut socket, &peer, &offer).await;
    peer.wait_for_packets(10).await;
    app.stop().await;
}

#[tokio::test]
async fn a_request_repeated_within_milliseconds_gives_one_offer_and_one_working_connection() {
    let app = start(&[]);
    let sender = sender(app.ports, None, 0.0).await;
    let mut socket = Signalling::connect(app.ports.http, "/").await;
    socket.send(json!({ "type": "start_receiving" })).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    socket.send(json!({ "type": "start_receiving", "stream_id": sender.stream })).await;
    let offer = socket.expect("webrtc_offer").await;
    let peer = Peer::new(0.0).await;
    answer_offer(&mut socket, &peer, &offer).await;
    peer.wait_for_packets(60).await;
    assert!(!socket.hears_within(Duration::from_secs(1), "error").await, "no answer was refused");
    assert_eq!(metric(app.ports, "peers").await, 2);
    app.stop().await;
}

#[tokio::test]
async fn a_request_repeated_in_vain_gets_a_new_offer() {
    let app = start(&[]);
    let _sender = sender(app.ports, None, 0.0).await;
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    socket.send(json!({ "type": "start_receiving" })).await;
    let lost = socket.expect("webrtc_offer").await;
    socket.send(json!({ "type": "start_receiving" })).await;
    let offer = socket.expect("webrtc_offer").await;
    let (peer, late) = (Peer::new(0.0).await, Peer::new(0.0).await);
    // The answer to the first one comes after all: it is passed over, not refused.
    answer_offer(&mut socket, &late, &lost).await;
    answer_offer(&mut socket, &peer, &offer).await;
    peer.wait_for_packets(10).await;
    assert!(!socket.hears_within(A_MOMENT, "error").await);
    assert_eq!(metric(app.ports, "peers").await, 2);
    app.stop().await;
}

#[tokio::test]
async fn another_request_replaces_the_first_and_leaks_nothing() {
    let app = start(&[]);
    let first = sender(app.ports, None, 0.0).await;
    let second = sender(app.ports, None, 0.0).await;
    let (mut socket, old) = receiver(app.ports, Some(&first.stream)).await;
    old.wait_for_packets(5).await;
    socket.send(json!({ "type": "start_receiving", "stream_id": second.stream })).await;
    let offer = socket.expect("webrtc_offer").await;
    let new = Peer::new(0.0).await;
    answer_offer(&mut socket, &new, &offer).await;
    new.wait_for_packets(5).await;
    assert_eq!(metric(app.ports, "peers").await, 3);
    assert!(old.with(|client, _| client.closed).await, "the old connection was closed");
    app.stop().await;
}

#[tokio::test]
async fn a_sender_that_starts_again_ends_its_first_stream_only() {
    let app = start(&[]);
    let mut sender = sender(app.ports, None, 0.0).await;
    let peer = Peer::new(0.0).await;
    let second = offer_to_send(&mut sender.signalling, &peer, None).await;
    assert_ne!(second, sender.stream);
    loop {
        if sender.signalling.expect("stream_available").await["stream_id"] == *second {
            break;
        }
    }
    assert_eq!(get(app.ports.http, "/stream/status").await.json(), json!({ "active_streams": [second] }));
    assert!(!sender.signalling.hears_within(A_MOMENT, "stream_ended").await);
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_message_gets_an_error_and_the_socket_stays_open() {
    let app = start(&[]);
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    for text in ["", "{", "[]", r#"{"type":1}"#, r#"{"type":"webrtc_offer"}"#, &"[".repeat(50_000)] {
        socket.send_text(text).await;
        assert_eq!(socket.expect("error").await["code"], "bad_message");
    }
    socket.send(json!({ "type": "local_ip", "ip": "10.0.0.1" })).await;
    socket.send(json!({ "type": "ice_candidate", "candidate": null })).await;
    socket.send(json!({ "type": "get_available_streams" })).await;
    assert_eq!(socket.expect("available_streams").await["streams"], json!([]));
    assert_eq!(metric(app.ports, "malformed_messages_total").await, 6);
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_description_gets_an_error_that_says_why() {
    let app = start(&[]);
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    socket.send(json!({ "type": "webrtc_offer", "offer": { "type": "offer", "sdp": "" } })).await;
    assert_eq!(socket.expect("error").await["code"], "out_of_order");
    socket.send(json!({ "type": "webrtc_answer", "answer": { "type": "answer", "sdp": "" } })).await;
    assert_eq!(socket.expect("error").await["code"], "out_of_order");
    let credentials = "a=ice-ufrag:abcd\r\na=ice-pwd:secretsecretsecretsecret\r\na=fingerprint:sha-256 00\r\n";
    for sdp in ["", "v=0", &"m=audio 9 X 0\r\n".repeat(500), credentials, &"a=x\r\n".repeat(5_000)] {
        socket.send(json!({ "type": "start_sending" })).await;
        socket.expect("sender_ready").await;
        socket.send(json!({ "type": "webrtc_offer", "offer": { "type": "offer", "sdp": sdp } })).await;
        assert_eq!(socket.expect("error").await["code"], "bad_description");
    }
    assert_eq!(metric(app.ports, "peers").await, 0);
    app.stop().await;
}

#[tokio::test]
async fn an_unknown_stream_gets_an_error() {
    let app = start(&[]);
    let _sender = sender(app.ports, None, 0.0).await;
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    for id in ["nonsense", "../../etc/passwd", "stream_00000000-0000-0000-0000-000000000000"] {
        socket.send(json!({ "type": "start_receiving", "stream_id": id })).await;
        assert_eq!(socket.expect("error").await["message"], "No audio stream available");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_message_over_the_limit_closes_its_own_socket_only() {
    let app = start(&["--limits-message-bytes=2048"]);
    let mut other = Signalling::connect(app.ports.http, "/ws").await;
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    other.next().await;
    socket.next().await;
    socket.send_text(&"x".repeat(4_096)).await;
    assert_eq!(socket.next().await, None);
    other.send(json!({ "type": "get_available_streams" })).await;
    other.expect("available_streams").await;
    app.stop().await;
}

#[tokio::test]
async fn sockets_beyond_the_limit_are_refused() {
    let app = start(&["--limits-sockets=1"]);
    let _first = Signalling::connect(app.ports.http, "/ws").await;
    let second = tokio_tungstenite::connect_async(format!("ws://{}/ws", app.ports.http)).await;
    assert!(second.is_err_and(|error| error.to_string().contains("503")));
    app.stop().await;
}

#[tokio::test]
async fn receivers_are_told_the_level_a_few_times_a_second() {
    let app = start(&[]);
    let sender = sender(app.ports, None, 0.0).await;
    let (mut socket, _peer) = receiver(app.ports, None).await;
    let level = socket.expect("audio_data").await;
    assert_eq!((&level["stream_id"], &level["level"]), (&json!(sender.stream), &json!(-30)));
    assert!(level["timestamp"].as_f64().is_some_and(|time| time > 1.7e9));
    app.stop().await;
}

#[tokio::test]
async fn a_shutdown_tells_every_client_and_is_quick() {
    let app = start(&[]);
    let sender = sender(app.ports, None, 0.0).await;
    let (mut socket, peer) = receiver(app.ports, None).await;
    peer.wait_for_packets(5).await;
    let before = std::time::Instant::now();
    app.stop().await;
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    while socket.next().await.is_some() {}
    for peer in [&peer, &sender.peer] {
        tokio::time::timeout(Duration::from_secs(2), async {
            while !peer.with(|client, _| client.closed).await {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the peer was told");
    }
}
