//! The mix of a room for players, against the real daemon: who talks there is heard, and nobody else.

mod support;

use std::time::Duration;

use serde_json::json;
use support::http::{get, request};
use support::live::{PATIENCE, sender, start, tone, url};
use support::sound::{Player, usual_share_at};

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
