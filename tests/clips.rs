//! Clips over HTTP, from the real daemon: what was said is kept, whole, and can be fetched as players fetch files.

mod support;

use std::time::Duration;

use serde_json::json;
use support::http::{Answer, get, request};
use support::live::{PATIENCE, Peer, Signalling, join_by, metric_becomes, offer_to_send, sender, start, tone};
use support::whip::Session;
use tokio::process::Command;
use voice_relay::app::App;

/// A daemon with one clip, of about so long.
async fn daemon_with_clip(length: Duration) -> App {
    let app = start(&[]);
    let mut sender = sender(app.ports, Some(tone(440.0)), 0.0).await;
    tokio::time::sleep(length).await;
    sender.signalling.send(json!({ "type": "stop_stream" })).await;
    sender.signalling.expect("stream_ended").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    app
}

async fn ask(app: &App, method: &str, headers: &[&str]) -> Answer {
    request(app.ports.mp3, &format!("{method} /clip/latest.mp3 HTTP/1.1"), headers, PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_a_file_with_length_ranges_and_tag() {
    let app = daemon_with_clip(Duration::from_secs(1)).await;
    let whole = ask(&app, "GET", &[]).await;
    let length = whole.body.len();
    assert_eq!(whole.status, 200);
    for line in [
        &format!("content-length: {length}"),
        "content-type: audio/mpeg",
        "accept-ranges: bytes",
        "cache-control: no-store",
    ] {
        assert!(whole.head.contains(line), "{line} in {}", whole.head);
    }
    let head = ask(&app, "HEAD", &[]).await;
    assert!(head.body.is_empty() && head.head.contains(&format!("content-length: {length}")), "{}", head.head);

    let probe = ask(&app, "GET", &["Range: bytes=0-1"]).await;
    assert_eq!((probe.status, &probe.body[..]), (206, &whole.body[..2]));
    assert!(probe.head.contains(&format!("content-range: bytes 0-1/{length}")));
    let tail = ask(&app, "GET", &["Range: bytes=1000-"]).await;
    assert_eq!((tail.status, &tail.body[..]), (206, &whole.body[1_000..]));
    let beyond = ask(&app, "GET", &[&format!("Range: bytes={length}-")]).await;
    assert_eq!(beyond.status, 416);
    assert!(beyond.head.contains(&format!("content-range: bytes */{length}")));

    let tag = whole.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag").to_owned();
    assert_eq!(ask(&app, "GET", &[&format!("If-None-Match: {tag}")]).await.status, 304);
    assert_eq!(ask(&app, "GET", &["Range: bytes=0-1", &format!("If-Range: {tag}")]).await.status, 206);
    assert_eq!(ask(&app, "GET", &["Range: bytes=0-1", "If-Range: \"other\""]).await.status, 200);
    let preflight = ask(&app, "OPTIONS", &["Origin: https://www.gstatic.com"]).await;
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-origin")),
        (204, Some("https://www.gstatic.com"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_holds_every_word() {
    let said = Duration::from_secs(2);
    let app = daemon_with_clip(said).await;
    let url = format!("http://{}/clip/latest.mp3", app.ports.mp3);
    let decoded = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-i", &url, "-f", "s16le", "-ac", "1", "-ar", "48000", "-"])
        .output();
    let decoded = tokio::time::timeout(PATIENCE, decoded).await.expect("ffmpeg ends").expect("ffmpeg is installed");
    assert!(decoded.stderr.is_empty(), "{}", String::from_utf8_lossy(&decoded.stderr));
    let pcm: Vec<_> = decoded.stdout.chunks_exact(2).map(|it| i16::from_le_bytes([it[0], it[1]])).collect();
    let loud = |pcm: &&[i16]| pcm.iter().any(|sample| sample.abs() > 6_000);
    let spoken = pcm.chunks(480).filter(loud).count() * 10;
    let clip = get(app.ports.http, "/api/clips").await.json()["clips"][0].clone();
    let recorded = (clip["seconds"].as_f64().expect("seconds") * 1_000.0) as usize;
    assert!(spoken.abs_diff(recorded) <= 30, "{spoken} ms of {recorded} ms are heard");
    assert!(recorded.abs_diff(said.as_millis() as usize) <= 200, "{recorded} ms of {said:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clips_are_listed_found_and_forgotten() {
    let app = daemon_with_clip(Duration::from_millis(300)).await;
    let list = get(app.ports.http, "/api/clips").await.json();
    let (url, id) = (list["clips"][0]["url"].as_str().expect("a url"), list["clips"][0]["id"].as_str().expect("an id"));
    assert_eq!(get(app.ports.http, url).await.status, 200);
    let delete = format!("DELETE /api/clips/{id} HTTP/1.1");
    assert_eq!(request(app.ports.http, &delete, &[], PATIENCE).await.status, 204);
    assert_eq!(request(app.ports.http, &delete, &[], PATIENCE).await.status, 404);
    for gone in [url, "/clip/latest.mp3", "/clip/x.mp3", "/clip/latest.wav", "/clip/..%2fsecret.mp3"] {
        assert_eq!(get(app.ports.mp3, gone).await.status, 404, "{gone}");
    }
    app.stop().await;
}

/// Says something at home in one of the ways there are, from this address, and ends.
async fn say(app: &App, way: &str, from: [u8; 4]) {
    let ports = app.ports;
    if way == "whip" {
        let session = Session::publish(ports, "/whip/home", None).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        session.end().await;
        return;
    }
    let mut signalling = Signalling::connect_from(from, ports.http, "/ws").await;
    if way == "sender" {
        let peer = Peer::new(0.0).await;
        offer_to_send(&mut signalling, &peer, Some(tone(440.0))).await;
        signalling.expect("stream_available").await;
        signalling.send(json!({ "type": "stop_stream" })).await;
        signalling.expect("stream_ended").await;
        return;
    }
    let mut participant = join_by(signalling, json!({ "type": "join", "room": "home", "name": "A" })).await;
    participant.talk().await;
    while participant.signalling.expect("talking").await["who"] != *participant.id {}
    participant.say(json!({ "type": "talk", "on": false })).await;
    participant.signalling.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clips_of_one_device_do_not_push_out_those_of_another_by_whatever_way_both_talk() {
    for first in ["participant", "sender", "whip"] {
        let app = start(&["--clips-count=3"]);
        say(&app, first, [127, 0, 0, 1]).await;
        metric_becomes(app.ports, "clips_recorded", 1).await;
        let kept = get(app.ports.http, "/api/clips").await.json()["clips"][0]["id"].clone();
        for (number, way) in ["participant", "sender", "participant", "sender"].into_iter().enumerate() {
            say(&app, way, [127, 0, 0, 66]).await;
            metric_becomes(app.ports, "clips_recorded", number as u64 + 2).await;
        }
        let list = get(app.ports.http, "/api/clips").await.json();
        let clips = list["clips"].as_array().expect("a list");
        assert!(clips.len() == 3 && clips.iter().any(|clip| clip["id"] == kept), "{first}: {list}");
        app.stop().await;
    }
}
