//! The rooms' HTTP interface, against the real daemon on real sockets.

mod support;

use std::net::SocketAddr;

use serde_json::{Value, json};
use support::http::{Answer, get, request};
use support::live::{PATIENCE, program, start, start_program};

async fn post(to: SocketAddr, path: &str, body: &str) -> Answer {
    let headers =
        ["Content-Type: application/json", &format!("Content-Length: {}", body.len()), &format!("\r\n{body}")];
    request(to, &format!("POST {path} HTTP/1.1"), &headers, PATIENCE).await
}

async fn delete(to: SocketAddr, path: &str, headers: &[&str]) -> u16 {
    request(to, &format!("DELETE {path} HTTP/1.1"), headers, PATIENCE).await.status
}

async fn bearer(to: SocketAddr, path: &str, key: &str) -> Answer {
    request(to, &format!("GET {path} HTTP/1.1"), &[&format!("Authorization: Bearer {key}")], PATIENCE).await
}

#[tokio::test]
async fn the_rooms_of_the_configuration_are_listed_with_home_first() {
    let app = start(&["--rooms-intercom=Küche, Nursery", "--rooms-broadcast=Stage", "--rooms-home=Zuhause"]);
    let list = get(app.ports.http, "/api/rooms").await;
    assert_eq!(list.header("cache-control"), Some("no-store"));
    let list = list.json();
    let ids: Vec<_> = list["rooms"].as_array().expect("a list").iter().map(|room| &room["id"]).collect();
    assert_eq!(ids, ["home", "kueche", "nursery", "stage"]);
    let mut home = list["rooms"][0].clone();
    assert!(home["createdAt"].take().as_u64().is_some_and(|at| at > 1_700_000_000));
    let expected = json!({
        "id": "home", "name": "Zuhause", "kind": "intercom", "permanent": true, "locked": false, "pin": false, "host": null,
        "pinned": null, "station": null, "doNotDisturb": false, "talkTones": true, "halfDuplex": false, "dropIn": false, "max": 100, "participants": 0, "talking": 0, "listeners": 0, "hearing": 0, "createdAt": null, "url": "stream/room/home.mp3",
        "guestCount": 0, "isLive": false,
    });
    assert_eq!(home, expected);
    assert_eq!(list["rooms"][3]["max"], 500);
    app.stop().await;
}

#[tokio::test]
async fn a_room_is_opened_shown_and_closed_and_its_key_told_once() {
    let app = start(&[]);
    let http = app.ports.http;
    let opened = post(http, "/api/rooms", r#"{"roomName":" Party\n","kind":"broadcast","max":9}"#).await;
    assert_eq!((opened.status, opened.header("cache-control")), (201, Some("no-store")));
    let opened = opened.json();
    let expected = (&json!("party"), &json!("Party"), &json!("broadcast"), &json!(9));
    assert_eq!((&opened["roomId"], &opened["roomName"], &opened["kind"], &opened["max"]), expected);
    assert_eq!((&opened["id"], &opened["name"]), (&opened["roomId"], &opened["roomName"]));
    let key = opened["hostId"].as_str().expect("a key").to_owned();
    assert_ne!(opened["hostId"], opened["host"]);

    let shown = get(http, "/api/rooms/party").await;
    assert!(!shown.text().contains(&key) && !get(http, "/api/rooms").await.text().contains(&key));
    let shown = shown.json();
    assert_eq!((&shown["participants"], &shown["guestCount"]), (&json!([]), &json!(0)));
    let stats = get(http, "/api/rooms/party/stats").await.json();
    let unknown = json!({
        "bitrate": null, "latency": null, "guestCount": 0, "duration": stats["duration"], "bufferLevel": null, "loss": null,
        "jitter": null, "history": [], "guests": [],
    });
    assert_eq!((&stats, &shown["stats"]["history"]), (&unknown, &json!([])));

    assert_eq!(delete(http, "/api/rooms/party", &[&format!("Authorization: Bearer {key}")]).await, 204);
    for path in ["/api/rooms/party", "/api/rooms/party/stats"] {
        assert_eq!(get(http, path).await.status, 404);
    }
    assert_eq!(delete(http, "/api/rooms/party", &[]).await, 404);
    assert_eq!(delete(http, "/api/rooms/home", &[]).await, 403, "everybody's room is nobody's to empty");
    assert_eq!(get(http, "/api/rooms/home").await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_room_to_be_opened_gets_an_error_that_says_why() {
    let app = start(&["--rooms-max=1"]);
    let http = app.ports.http;
    for (body, why) in [
        (r#"{"roomName":"\u202e "}"#, "needs a name"),
        (r#"{"roomName":"x","pin":"12"}"#, "4 to 12 digits"),
        (r#"{"roomName":"x","max":101}"#, "2 to 100"),
        (r#"{"roomName":"x","max":1}"#, "2 to 100"),
        (r#"{"roomName":"x","bitrate":300}"#, "16 to 128"),
        (r#"{"roomName":"x","kind":"disco"}"#, "disco"),
        (r#"{"roomName":"x","colour":"red"}"#, "colour"),
        (r#"{}"#, "roomName"),
        ("[", ""),
    ] {
        let refused = post(http, "/api/rooms", body).await;
        assert_eq!((refused.status, refused.text().contains(why)), (400, true), "{body}: {}", refused.text());
    }
    let long = format!(r#"{{"roomName":"{}"}}"#, "x".repeat(2_000));
    assert_eq!(post(http, "/api/rooms", &long).await.status, 413);
    assert_eq!(post(http, "/api/rooms", r#"{"roomName":"x"}"#).await.status, 201);
    let refused = post(http, "/api/rooms", r#"{"roomName":"x"}"#).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    let metrics = get(http, "/metrics").await.text();
    assert!(metrics.contains("voice_relay_rooms_refused_total 1") && metrics.contains("voice_relay_rooms 2"));
    app.stop().await;
}

#[tokio::test]
async fn of_a_room_with_a_pin_those_alone_see_who_is_there_who_know_it_or_are_the_host() {
    let app = start(&[]);
    let http = app.ports.http;
    let opened = post(http, "/api/rooms", r#"{"roomName":"Secret","pin":"4711"}"#).await.json();
    let key = opened["hostId"].as_str().expect("a key");
    assert_eq!(get(http, "/api/rooms").await.json()["rooms"][1]["pin"], true);
    for path in ["/api/rooms/secret", "/api/rooms/secret/stats"] {
        assert_eq!(get(http, path).await.status, 403);
        assert_eq!(get(http, &format!("{path}?pin=4711")).await.status, 200);
        assert_eq!(bearer(http, path, key).await.status, 200);
        assert_eq!(get(http, &format!("{path}?hostId={key}")).await.status, 200);
        assert_eq!(bearer(http, path, "00000000-0000-0000-0000-000000000001").await.status, 403);
    }
    for _ in 0..5 {
        assert_eq!(get(http, "/api/rooms/secret?pin=0000").await.status, 403);
    }
    assert_eq!(get(http, "/api/rooms/secret?pin=4711").await.status, 429, "nor is it said that this one is right");
    assert_eq!(bearer(http, "/api/rooms/secret", key).await.status, 200);
    let metrics = get(http, "/metrics").await.text();
    for line in ["voice_relay_room_wrong_pins_total 5", "voice_relay_room_pins_too_fast_total 1"] {
        assert!(metrics.contains(line), "{line}");
    }
    app.stop().await;
}

#[tokio::test]
async fn who_may_talk_opens_rooms_and_closes_his_own_and_who_may_listen_sees_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let (_daemon, ports) = start_program(&["--access=token", &data]).await;
    let token = async |scope: &str| {
        let output = program().args(["token", "--scope", scope, &data]).output().await.expect("run");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().next().expect("a token").to_owned()
    };
    let (talks, listens) = (token("listen,talk").await, token("listen").await);
    let room = r#"{"roomName":"Party"}"#;
    assert_eq!(post(ports.http, "/api/rooms", room).await.status, 401);
    assert_eq!(post(ports.http, &format!("/t/{listens}/api/rooms"), room).await.status, 401);
    let opened: Value = post(ports.http, &format!("/t/{talks}/api/rooms"), room).await.json();
    let key = opened["hostId"].as_str().expect("a key");
    assert_eq!(get(ports.http, &format!("/t/{listens}/api/rooms/party")).await.status, 200);
    let path = format!("/t/{talks}/api/rooms/party");
    assert_eq!(delete(ports.http, &path, &[]).await, 403);
    assert_eq!(
        delete(ports.http, &format!("{path}?hostId={}", opened["host"].as_str().expect("an id")), &[]).await,
        403
    );
    assert_eq!(delete(ports.http, "/api/rooms/party", &[&format!("Authorization: Bearer {key}")]).await, 401);
    assert_eq!(delete(ports.http, &path, &[&format!("Authorization: Bearer {key}")]).await, 204);
}

#[tokio::test]
async fn another_sites_page_opens_no_room() {
    let app = start(&[]);
    let headers = ["Origin: https://evil.example", "Content-Type: application/json", "Content-Length: 2", "\r\n{}"];
    assert_eq!(request(app.ports.http, "POST /api/rooms HTTP/1.1", &headers, PATIENCE).await.status, 403);
    let form = ["Content-Type: text/plain", "Content-Length: 2", "\r\n{}"];
    assert_eq!(request(app.ports.http, "POST /api/rooms HTTP/1.1", &form, PATIENCE).await.status, 415);
    app.stop().await;
}
