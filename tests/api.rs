//! The small JSON interfaces beside the streams: who is live, and how loud each is in the mix.

mod support;

use std::time::Duration;

use serde_json::json;
use support::http::{get, put_json, request};
use support::live::{PATIENCE, receiver, sender, start, tone};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_listed_with_its_name_and_its_loudness_can_be_set() {
    let app = start(&[]);
    let sender = sender(app.ports, Some(tone(440.0)), 0.0).await;
    let path = format!("/api/streams/{}", sender.stream);
    let expected = |gain: f64| json!({ "id": sender.stream, "name": null, "gain_db": gain, "listeners": 0 });
    let list = get(app.ports.http, "/api/streams").await.json();
    assert_eq!(list["streams"], json!([expected(0.0)]));
    let set = put_json(app.ports.http, &path, r#"{"gain_db":-6}"#).await;
    assert_eq!((set.status, set.json()), (200, expected(-6.0)));
    let list = get(app.ports.http, "/api/streams").await.json();
    assert_eq!(list["streams"][0]["gain_db"], -6.0);
    for (body, status) in [(r#"{"gain_db":99}"#, 400), (r#"{"gain":1}"#, 400), ("", 400), ("[", 400)] {
        assert_eq!(put_json(app.ports.http, &path, body).await.status, status, "{body}");
    }
    let (_signalling, _peer) = receiver(app.ports, Some(&sender.stream)).await;
    let (ports, time) = (app.ports, Duration::from_secs(2));
    let players = ["latest.mp3", "all.wav"].map(|file| {
        tokio::spawn(async move { request(ports.mp3, &format!("GET /stream/{file} HTTP/1.1"), &[], time).await })
    });
    tokio::time::sleep(time / 2).await;
    assert_eq!(get(app.ports.http, "/api/streams").await.json()["streams"][0]["listeners"], 3);
    for player in players {
        player.await.expect("no panic");
    }
    let unknown = "/api/streams/stream_00000000-0000-0000-0000-000000000009";
    assert_eq!(put_json(app.ports.http, unknown, r#"{"gain_db":0}"#).await.status, 404);
    let info = get(app.ports.http, "/api/info").await.json();
    assert_eq!((&info["mp3_port"], &info["streams"]), (&json!(app.ports.mp3.port()), &json!(1)));
    assert_eq!(info["media_addresses"][0], app.ports.media.to_string());
    assert_eq!(
        (&info["http_port"], &info["may"]),
        (&json!(app.ports.http.port()), &json!(["listen", "talk", "admin", "urgent"]))
    );
    app.stop().await;
}

#[tokio::test]
async fn what_another_site_could_send_without_asking_changes_nothing() {
    let app = start(&[]);
    // A form of another site can say this much; JSON it may not.
    let headers = ["Content-Type: text/plain", "Content-Length: 2", "\r\n{}"];
    let answer = request(app.ports.http, "PUT /api/sound HTTP/1.1", &headers, PATIENCE).await;
    assert_eq!(answer.status, 415);
    app.stop().await;
}
