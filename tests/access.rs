//! Who may do what, against the real daemon on real sockets.

mod support;

use std::net::SocketAddr;

use serde_json::json;
use support::http::{exchange, get, post_json, request};
use support::live::{PATIENCE, Peer, Signalling, offer_to_send, program, start, start_program};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};

/// Tries to open a WebSocket with this header; gives the status it was refused with.
async fn refused_socket(http: SocketAddr, name: &'static str, value: &'static str) -> Option<u16> {
    let mut asked = format!("ws://{http}/ws").into_client_request().expect("a request");
    asked.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    match tokio_tungstenite::connect_async(asked).await {
        Ok(_) => None,
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Some(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_web_page_of_another_site_cannot_open_a_socket_nor_can_a_name_that_was_rebound() {
    let app = start(&[]);
    assert_eq!(refused_socket(app.ports.http, "origin", "https://evil.example").await, Some(403));
    assert_eq!(refused_socket(app.ports.http, "origin", "null").await, Some(403));
    assert_eq!(refused_socket(app.ports.http, "host", "evil.example").await, Some(421));
    for origin in ["http://127.0.0.1:8123", "http://homeassistant.local:8123"] {
        assert_eq!(refused_socket(app.ports.http, "origin", origin).await, None, "{origin}");
    }
    let old_player = exchange(app.ports.mp3, "HEAD /stream/latest.mp3 HTTP/1.0\r\n\r\n", PATIENCE).await;
    assert_eq!(old_player.status, 200, "a player of HTTP/1.0 names no host");
    let metrics = get(app.ports.http, "/metrics").await.text();
    for line in ["voice_relay_foreign_origins_total 2", "voice_relay_foreign_hosts_total 1"] {
        assert!(metrics.contains(line), "{line}");
    }
    app.stop().await;
}

#[tokio::test]
async fn with_access_token_nothing_is_to_be_had_without_one_and_with_one_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let (_daemon, ports) = start_program(&["--access=token", &data]).await;
    assert_eq!(refused_socket(ports.http, "x-nothing", "").await, Some(401));
    assert_eq!(get(ports.http, "/api/streams").await.status, 401);
    assert_eq!(get(ports.mp3, "/stream/latest.mp3").await.status, 401);
    assert_eq!(get(ports.http, "/health").await.status, 200);

    let make = async |scope: &str| {
        let output = program().args(["token", "--scope", scope, &data]).output().await.expect("run");
        let text = String::from_utf8(output.stdout).expect("text");
        let id = text.trim_end().rsplit(' ').next().expect("an id").to_owned();
        (text.lines().next().expect("a token").to_owned(), id)
    };
    let (talks, id) = make("talk").await;
    let mut socket = Signalling::connect(ports.http, &format!("/t/{talks}/ws")).await;
    socket.send(json!({ "type": "start_receiving" })).await;
    assert_eq!(socket.expect("error").await["code"], "not_permitted");
    socket.send(json!({ "type": "start_sending" })).await;
    socket.expect("sender_ready").await;
    let (listens, _) = make("listen").await;
    let head = request(ports.mp3, &format!("HEAD /t/{listens}/stream/latest.mp3 HTTP/1.1"), &[], PATIENCE).await;
    assert_eq!(head.status, 200);

    let revoked = program().args(["token", "--revoke", &id, &data]).output().await.expect("run");
    assert!(revoked.status.success(), "{revoked:?}");
    assert_eq!(get(ports.http, &format!("/t/{talks}/")).await.status, 401);
    assert_eq!(get(ports.http, &format!("/t/{listens}/api/streams")).await.status, 200);
}

#[tokio::test]
async fn a_link_is_shared_by_those_who_may_and_gives_no_more_than_they_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let (_daemon, ports) = start_program(&[&data]).await;
    let wish = json!({ "scope": ["listen"], "name": "Grandma", "days": 7 });
    assert_eq!(post_json(ports.http, "/api/tokens", &wish).await.status, 401, "in the house, but not signed in");
    let output = program().args(["token", "--scope=share,listen", &data]).output().await.expect("run");
    let sharer = String::from_utf8(output.stdout).expect("text").lines().next().expect("a token").to_owned();
    let path = format!("/t/{sharer}/api/tokens");
    let made = post_json(ports.http, &path, &wish).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let link = made.json();
    assert_eq!(get(ports.http, &format!("{}api/streams", link["path"].as_str().expect("a path"))).await.status, 200);
    assert_eq!(post_json(ports.http, &path, &json!({ "scope": ["admin"] })).await.status, 403);
    for wrong in
        [json!({ "scope": [] }), json!({ "scope": ["fly"] }), json!({ "scope": ["listen"], "days": 0 }), json!({})]
    {
        assert_eq!(post_json(ports.http, &path, &wrong).await.status, 400, "{wrong}");
    }
    let revoke = format!("DELETE {path}/{} HTTP/1.1", link["id"].as_str().expect("an id"));
    assert_eq!(request(ports.http, &revoke, &[], PATIENCE).await.status, 204);
    assert_eq!(get(ports.http, &format!("{}api/streams", link["path"].as_str().expect("a path"))).await.status, 401);
}

#[tokio::test]
async fn messages_and_joins_that_come_too_fast_are_refused_and_nothing_else_suffers() {
    let app = start(&["--limits-messages=1", "--limits-joins=3"]);
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    for _ in 0..4 {
        socket.send(json!({ "type": "start_sending" })).await;
    }
    let mut kinds = Vec::new();
    while kinds.len() < 4 {
        let frame = socket.next().await.expect("open");
        if frame["type"] != "available_streams" {
            kinds.push(frame.get("code").unwrap_or(&frame["type"]).as_str().expect("a word").to_owned());
        }
    }
    assert_eq!(kinds, ["sender_ready", "sender_ready", "sender_ready", "too_fast"]);
    for _ in 0..20 {
        socket.send(json!({ "type": "get_available_streams" })).await;
    }
    assert_eq!(socket.expect("error").await["code"], "too_fast");
    assert_eq!(get(app.ports.http, "/health").await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn whoever_has_a_name_from_its_token_is_called_by_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let (_daemon, ports) = start_program(&[&data]).await;
    let output = program().args(["token", "--name=Grandma", &data]).output().await.expect("run");
    let token = String::from_utf8(output.stdout).expect("text").lines().next().expect("a token").to_owned();
    let mut signalling = Signalling::connect(ports.http, &format!("/t/{token}/ws")).await;
    let peer = Peer::new(0.0).await;
    offer_to_send(&mut signalling, &peer, None).await;
    signalling.expect("stream_available").await;
    assert_eq!(get(ports.http, "/api/streams").await.json()["streams"][0]["name"], "Grandma");
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_and_there_is_room_again_when_others_leave() {
    let app = start(&["--limits-connections=10"]);
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(Signalling::connect(app.ports.http, "/ws").await);
    }
    // An upgraded connection is counted by limits.sockets; ten that say nothing fill the port.
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(app.ports.http).await.expect("a listening port"));
    }
    let mut over = TcpStream::connect(app.ports.http).await.expect("a listening port");
    let closed = tokio::time::timeout(PATIENCE, over.read(&mut [0; 1])).await.expect("in time");
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    silent.clear();
    while reached(app.ports.http).await.is_none() {}
    let metrics = get(app.ports.http, "/metrics").await.text();
    assert!(!metrics.contains("voice_relay_http_full_total 0"), "it is counted");
    app.stop().await;
}

/// Whether a request is answered at all.
async fn reached(to: SocketAddr) -> Option<()> {
    let mut stream = TcpStream::connect(to).await.ok()?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.ok()?;
    (stream.read(&mut [0; 1]).await.ok()? == 1).then_some(())
}

#[tokio::test]
async fn a_token_for_one_room_opens_that_one_and_may_do_there_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let (_daemon, ports) = start_program(&["--access=token", "--rooms-intercom=Kitchen,Nursery", &data]).await;
    let output = program().args(["token", "--scope=listen", "--room=kitchen", &data]).output().await.expect("run");
    let token = String::from_utf8(output.stdout).expect("text").lines().next().expect("a token").to_owned();
    let mut socket = Signalling::connect(ports.http, &format!("/t/{token}/ws")).await;
    for room in ["nursery", "home"] {
        socket.send(json!({ "type": "join", "room": room })).await;
        assert_eq!(socket.expect("error").await["code"], "not_permitted");
    }
    socket.send(json!({ "type": "join", "room": "kitchen" })).await;
    socket.expect("joined").await;
    socket.send(json!({ "type": "talk", "on": true })).await;
    assert_eq!(socket.expect("error").await["code"], "not_permitted");
}
