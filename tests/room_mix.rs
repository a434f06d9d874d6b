//! The mix of a room for players, against the real daemon: who talks there is heard, and nobody else.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::http::{get, request};
use support::live::{PATIENCE, sender, sender_in, start, tone, url};
use support::sound::{Player, usual_share_at};
use voice_relay::app::App;

const TIME: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn home_is_a_room_like_any_other_and_shares_its_encoder_with_all() {
    let app = start(&["--clips-count=0"]);
    let _low = sender(app.ports, Some(tone(440.0)), 0.0).await;
    let _high = sender(app.ports, Some(tone(1_000.0)), 0.0).await;
    let ports = app.ports;
    let all = tokio::spawn(async move { request(ports.mp3, "GET /stream/all.mp3 HTTP/1.1", &[], TIME * 6).await });
    let url = url(&app, "room/home.mp3");
    let heard = tokio::spawn(async move { Player::Ffmpeg.hear(&url, 3.0).await });
    tokio::time::sleep(TIME).await;
    let metrics = get(app.ports.http, "/metrics").await.text();
    assert!(metrics.contains("voice_relay_mp3_encoders 1\n") && metrics.contains("voice_relay_mp3_listeners 2\n"));
    let heard = heard.await.expect("no panic");
    for tone in [440.0, 1_000.0] {
        assert!(usual_share_at(tone, &heard[48_000..]) > 0.3, "{tone} Hz: {}", usual_share_at(tone, &heard[48_000..]));
    }
    assert_eq!(all.await.expect("no panic").status, 200);
    app.stop().await;
}

#[tokio::test]
async fn an_idle_room_is_silence_or_unavailable_and_a_page_that_waits() {
    let (silent, strict) = (start(&[]), start(&["--mp3-when-idle=unavailable"]));
    for port in [silent.ports.http, silent.ports.mp3] {
        let heard = request(port, "GET /stream/room/home.mp3 HTTP/1.1", &[], TIME / 2).await;
        assert!(heard.status == 200 && heard.body.len() > 1_000);
        let wav = request(port, "GET /stream/room/home.wav HTTP/1.1", &[], TIME / 2).await;
        assert!(wav.head.contains("content-type: audio/wav") && wav.body.len() > 10_000);
        let page = request(port, "GET /stream/room/home.mp3 HTTP/1.1", &["Accept: text/html,*/*"], PATIENCE).await;
        assert!(page.head.contains("content-type: text/html") && page.text().contains("starts by itself"));
        assert_eq!(get(port, "/stream/room/home/status").await.json(), json!({ "active_streams": [] }));
    }
    let refused = get(strict.ports.mp3, "/stream/room/home.mp3").await;
    assert!(refused.status == 503 && refused.head.contains("retry-after: 5"));
    silent.stop().await;
    strict.stop().await;
}

#[tokio::test]
async fn what_a_room_has_not_is_refused_and_head_starts_nothing() {
    let app = start(&["--clips-count=0"]);
    let sender = sender(app.ports, None, 0.0).await;
    for port in [app.ports.http, app.ports.mp3] {
        let opus = get(port, "/stream/room/home.opus").await;
        assert!(opus.status == 404 && opus.text().contains("Ogg is made of one stream"), "{}", opus.text());
        for wrong in ["nowhere.mp3", "home.ogg", "home", "..%2fall.mp3", "nowhere/status"] {
            assert_eq!(get(port, &format!("/stream/room/{wrong}")).await.status, 404, "{wrong}");
        }
        assert_eq!(get(port, "/stream/room/home.mp3?bitrate=65").await.status, 400);
        let options = request(port, "OPTIONS /stream/room/home.mp3 HTTP/1.1", &[], PATIENCE).await;
        assert_eq!(options.status, 204);
        let head = request(port, "HEAD /stream/room/home.mp3 HTTP/1.1", &[], PATIENCE).await;
        assert!(head.status == 200 && head.body.is_empty() && head.head.contains("content-type: audio/mpeg"));
        let status = get(port, "/stream/room/home/status").await.json();
        assert_eq!(status, json!({ "active_streams": [sender.stream] }));
    }
    let metrics = get(app.ports.http, "/metrics").await.text();
    assert!(metrics.contains("voice_relay_mp3_frames_total 0\n") && metrics.contains("voice_relay_taps 0\n"));
    app.stop().await;
}

/// Opens a room; gives its id, and the key of its host.
async fn open_room(app: &App, wish: Value) -> (String, String) {
    let wish = wish.to_string();
    let length = format!("Content-Length: {}", wish.len());
    let headers = ["Content-Type: application/json", &length, &format!("\r\n{wish}")];
    let opened = request(app.ports.http, "POST /api/rooms HTTP/1.1", &headers, PATIENCE).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let text = |key: &str| opened.json()[key].as_str().expect("a text").to_owned();
    (text("roomId"), text("hostId"))
}

/// Which of these tones make a good part of a file's sound; the others are not to be heard at all.
async fn heard_of<const N: usize>(app: &App, file: &str, tones: [f64; N]) -> [bool; N] {
    let heard = Player::Ffmpeg.hear(&url(app, file), 3.0).await;
    let shares = tones.map(|tone| usual_share_at(tone, &heard[48_000..]));
    assert!(shares.iter().all(|share| *share > 0.2 || *share < 0.01), "{file}: {shares:?}");
    shares.map(|share| share > 0.2)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_talks_in_a_room_is_in_its_mix_and_nobody_from_another() {
    let app = start(&[]);
    let (kitchen, _) = open_room(&app, json!({ "roomName": "Kitchen" })).await;
    let _low = sender_in(app.ports, &kitchen, Some(tone(440.0))).await;
    let _high = sender_in(app.ports, &kitchen, Some(tone(1_000.0))).await;
    let at_home = sender(app.ports, Some(tone(700.0)), 0.0).await;
    let tones = [440.0, 1_000.0, 700.0];
    assert_eq!(heard_of(&app, &format!("room/{kitchen}.mp3"), tones).await, [true, true, false]);
    for file in ["room/home.mp3", "all.mp3", "latest.mp3"] {
        assert_eq!(heard_of(&app, file, tones).await, [false, false, true], "{file}");
    }
    let status = get(app.ports.mp3, "/stream/status").await.json();
    assert_eq!(status, json!({ "active_streams": [at_home.stream] }), "that of home, as ever");
    app.stop().await;
}

#[tokio::test]
async fn a_room_with_a_pin_is_heard_by_those_alone_who_know_it() {
    let app = start(&[]);
    let (study, _) = open_room(&app, json!({ "roomName": "Study", "pin": "4711" })).await;
    for file in [format!("/stream/room/{study}.mp3"), format!("/stream/room/{study}/status")] {
        for (query, status) in [("", 403), ("?pin=4712", 403), ("?pin=4711", 200)] {
            let line = format!("GET {file}{query} HTTP/1.1");
            assert_eq!(request(app.ports.mp3, &line, &[], TIME / 4).await.status, status, "{line}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn the_mix_of_a_room_ends_when_the_room_is_closed() {
    let app = start(&[]);
    let (room, key) = open_room(&app, json!({ "roomName": "Attic" })).await;
    let (ports, path) = (app.ports, format!("/stream/room/{room}.mp3"));
    let listener = tokio::spawn(async move { get(ports.mp3, &path).await });
    tokio::time::sleep(TIME / 2).await;
    let bearer = format!("Authorization: Bearer {key}");
    let closed = request(ports.http, &format!("DELETE /api/rooms/{room} HTTP/1.1"), &[&bearer], PATIENCE).await;
    assert_eq!(closed.status, 204);
    let heard = tokio::time::timeout(TIME * 3, listener).await.expect("it ends").expect("no panic");
    assert!(heard.status == 200 && heard.body.ends_with(b"0\r\n\r\n"), "a clean end");
    app.stop().await;
}
