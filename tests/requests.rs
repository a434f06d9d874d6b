//! How devices ask for live audio, byte for byte, and what they must be told: each of them gives up on
//! something else. The requests are as their users' logs have them, or as the programs send them here.

mod support;

use std::time::{Duration, Instant};

use support::http::{Answer, exchange, get, request};
use support::listener::{listen, without_chunks, without_metadata};
use support::live::{metric, named_sender, sender, start, tone};
use support::sound::{decoded, usual_share_at};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use voice_relay::app::App;

const SONOS: &[&str] = &["USER-AGENT: Linux UPnP/1.0 Sonos/79.1 (ZPS9)", "CONNECTION: close", "HOST: 10.0.0.2:8081"];

const CAST: &[&str] = &[
    "Host: 10.0.0.2:8081",
    "Connection: keep-alive",
    "User-Agent: Mozilla/5.0 (Linux; Android 5.1; Build/LMY47D) Chrome/43.0.2357.90 Safari/537.36 CrKey/1.17.46918",
    "Origin: https://www.gstatic.com",
    "Range: bytes=0-1",
    "Accept: */*",
    "Accept-Encoding: gzip, deflate",
    "CAST-DEVICE-CAPABILITIES: {\"bluetooth_supported\":false,\"display_supported\":true}",
];

const IOS: &[&str] = &[
    "Host: 10.0.0.2:8081",
    "Range: bytes=0-1",
    "X-Playback-Session-Id: 9D5C2A5E-6F4C-4E0B-8C4B-3D4A4B0E1F2A",
    "Accept: */*",
    "Icy-MetaData: 1",
    "Accept-Encoding: identity",
    "User-Agent: AppleCoreMedia/1.0.0.15E216 (iPhone; U; CPU OS 11_3 like Mac OS X; en_us)",
    "Connection: keep-alive",
];

const FFMPEG: &[&str] = &[
    "User-Agent: Lavf/59.27.100",
    "Accept: */*",
    "Range: bytes=0-",
    "Connection: close",
    "Host: 127.0.0.1:8081",
    "Icy-MetaData: 1",
];

const MPG123: &[&str] = &[
    "User-Agent: mpg123/1.31.2",
    "Host: 127.0.0.1:8081",
    "Icy-MetaData: 1",
    "Accept: audio/mpeg, audio/x-mpeg, audio/mp3, audio/mpegurl, application/octet-stream, */*",
];

const GSTREAMER: &[&str] = &[
    "Host: 127.0.0.1:8081",
    "User-Agent: GStreamer souphttpsrc 1.22.0 libsoup/2.74.3",
    "icy-metadata: 1",
    "Accept-Encoding: identity",
    "Connection: Keep-Alive",
];

const CHROMIUM: &[&str] = &[
    "Host: localhost:8081",
    "Connection: keep-alive",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Accept-Encoding: identity",
    "Accept: */*",
    "Sec-Fetch-Site: same-site",
    "Sec-Fetch-Mode: no-cors",
    "Sec-Fetch-Dest: audio",
    "Accept-Language: en-US,en;q=0.9",
    "Range: bytes=0-",
];

/// Bytes of a frame at 128 kbit/s.
const FRAME: usize = 384;

/// Long enough for some frames.
const MOMENT: Duration = Duration::from_millis(400);

async fn replay(app: &App, line: &str, headers: &[&str]) -> Answer {
    exchange(app.ports.mp3, &format!("{line}\r\n{}\r\n\r\n", headers.join("\r\n")), MOMENT).await
}

fn assert_headers(answer: &Answer, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(answer.header(name), Some(*value), "{name} in {}", answer.head);
    }
}

/// 200, and the headers that every live stream has; those that would promise a file are not there.
fn assert_live_headers(answer: &Answer, version: &str) {
    assert!(answer.head.starts_with(&format!("{version} 200 ok\r\n")), "{}", answer.head);
    let always = [("content-type", "audio/mpeg"), ("cache-control", "no-store"), ("accept-ranges", "none")];
    assert_headers(answer, &always);
    for name in ["content-length", "content-range", "content-encoding", "etag", "icy-metaint"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

fn assert_frames(audio: &[u8]) {
    assert!(audio.len() > 4 * FRAME, "{} bytes", audio.len());
    assert!(audio.chunks(FRAME).all(|frame| frame.starts_with(&[0xff, 0xfb]) || frame.len() < 2), "frames alone");
}

/// A live stream in chunks, or else up to the end of the connection.
fn assert_live(answer: &Answer, version: &str, is_chunked: bool) {
    assert_live_headers(answer, version);
    assert_headers(answer, &[("connection", "close")]);
    assert_eq!(answer.header("transfer-encoding"), is_chunked.then_some("chunked"), "{}", answer.head);
    assert_frames(&if is_chunked { without_chunks(&answer.body) } else { answer.body.clone() });
}

#[tokio::test(flavor = "multi_thread")]
async fn sonos_asks_for_the_headers_first_and_then_gets_three_seconds_at_once() {
    let app = start(&[]);
    let _sender = sender(app.ports, Some(tone(440.0)), 0.0).await;
    let head = replay(&app, "HEAD /stream/latest.mp3?profile=sonos HTTP/1.1", SONOS).await;
    assert_live_headers(&head, "http/1.1");
    assert!(head.body.is_empty());
    let answer = replay(&app, "GET /stream/latest.mp3?profile=sonos HTTP/1.1", SONOS).await;
    assert_live(&answer, "http/1.1", false);
    assert!(answer.body.len() >= 3 * 16_000, "{} bytes", answer.body.len());
    let radio = [SONOS, &["ICY-METADATA: 1"]].concat();
    assert_live(&replay(&app, "GET /stream/all.mp3?profile=sonos HTTP/1.1", &radio).await, "http/1.1", false);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cast_may_read_the_stream_from_its_own_origin() {
    let app = start(&[]);
    let preflight = ["Access-Control-Request-Method: GET", "Access-Control-Request-Headers: range"];
    let preflight = [CAST, &preflight, &["Connection: close"]].concat();
    let allowed = replay(&app, "OPTIONS /stream/latest.mp3?profile=cast HTTP/1.1", &preflight).await;
    assert_eq!(allowed.status, 204);
    let cross_origin = [
        ("access-control-allow-origin", "https://www.gstatic.com"),
        ("access-control-allow-methods", "get, head, options"),
        ("access-control-allow-headers", "range, icy-metadata, content-type, accept-encoding"),
        ("access-control-expose-headers", "content-length, content-range, accept-ranges"),
    ];
    assert_headers(&allowed, &cross_origin);
    for line in ["HEAD /stream/latest.mp3?profile=cast HTTP/1.1", "GET /stream/latest.mp3?profile=cast HTTP/1.1"] {
        let answer = replay(&app, line, CAST).await;
        assert_live_headers(&answer, "http/1.1");
        assert_headers(&answer, &cross_origin);
    }
    assert_live(&replay(&app, "GET /stream/all.mp3?profile=cast HTTP/1.1", CAST).await, "http/1.1", false);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ios_asks_for_two_bytes_and_learns_that_the_stream_has_no_ranges() {
    let app = start(&[]);
    for line in ["GET /stream/latest.mp3 HTTP/1.1", "GET /stream/all.mp3 HTTP/1.1"] {
        assert_live(&replay(&app, line, IOS).await, "http/1.1", true);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_and_the_version_say_how_the_body_ends() {
    let app = start(&[]);
    for (shape, profile, version, is_chunked) in [
        (FFMPEG, "default", "http/1.1", true),
        (FFMPEG, "esphome", "http/1.1", false),
        (MPG123, "default", "http/1.0", false),
        (MPG123, "sonos", "http/1.0", false),
        (GSTREAMER, "default", "http/1.1", true),
        (GSTREAMER, "close", "http/1.1", false),
        (CHROMIUM, "default", "http/1.1", true),
        (CHROMIUM, "cast", "http/1.1", false),
    ] {
        let line = format!("GET /stream/latest.mp3?profile={profile} {}", version.to_uppercase());
        assert_live(&replay(&app, &line, shape).await, version, is_chunked);
    }
    let oldest = exchange(app.ports.mp3, "GET /stream/latest.mp3 HTTP/1.0\r\n\r\n", MOMENT).await;
    assert_live(&oldest, "http/1.0", false);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wav_and_opus_say_what_they_are() {
    let app = start(&[]);
    let sender = sender(app.ports, Some(tone(440.0)), 0.0).await;
    for (kind, name, begins) in [("wav", "audio/wav", b"RIFF"), ("opus", "audio/ogg", b"OggS")] {
        let line = format!("GET /stream/{}.{kind}?profile=close HTTP/1.1", sender.stream);
        let answer = replay(&app, &line, CHROMIUM).await;
        assert_headers(&answer, &[("content-type", name), ("accept-ranges", "none"), ("cache-control", "no-store")]);
        assert!(answer.body.starts_with(begins));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_query_is_answered_with_the_choices() {
    let app = start(&[]);
    for (mistake, choices) in [
        ("bitrate=65", "64, 80, 96, 112, 128, 160, 192, 224, 256, 320"),
        ("profile=x", "default, close, browser, sonos, cast or esphome"),
        ("burst=99", "from 0 to 10"),
        ("chunk=9s", "from 0 to 1000"),
        ("start=bell", "silence or chime"),
    ] {
        let answer = get(app.ports.mp3, &format!("/stream/latest.mp3?{mistake}")).await;
        assert_eq!(answer.status, 400, "{mistake}");
        let (name, _) = mistake.split_once('=').expect("a pair");
        assert!(answer.text().starts_with(name) && answer.text().contains(choices), "{}", answer.text());
        assert_headers(&answer, &[("content-type", "text/plain; charset=utf-8")]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_asks_is_told_who_talks_if_that_is_enabled() {
    let app = start(&["--mp3-icy=true"]);
    let _sender = named_sender(app.ports, "Anna’s kitchen", Some(tone(440.0))).await;
    let (line, time) = ("GET /stream/latest.mp3?profile=close&bitrate=320 HTTP/1.1", Duration::from_secs(2));
    let told = request(app.ports.mp3, line, &["Icy-MetaData: 1"], time).await;
    assert_headers(&told, &[("icy-metaint", "16000"), ("icy-name", "voice relay"), ("content-type", "audio/mpeg")]);
    let (audio, texts) = without_metadata(&told.body);
    assert!(texts.len() >= 4, "{texts:?}");
    assert_eq!(texts[0], "StreamTitle='Anna’s kitchen';");
    assert!(texts[1..].iter().all(String::is_empty), "said once: {texts:?}");
    let heard = decoded(&audio).await;
    assert!(usual_share_at(440.0, &heard[heard.len() - 48_000..]) > 0.9, "the tone alone");
    assert_live(&replay(&app, "GET /stream/latest.mp3 HTTP/1.1", CHROMIUM).await, "http/1.1", true);
    app.stop().await;
}

/// A listener whose buffers are small, and who does not read.
async fn deaf_listener(app: &App, file: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("set");
    let mut stream = socket.connect(app.ports.mp3).await.expect("a listening port");
    stream.write_all(format!("GET /stream/{file} HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n").as_bytes()).await.expect("sent");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_stops_reading_skips_and_is_dropped_and_the_others_notice_nothing() {
    let app = start(&[]);
    let sender = sender(app.ports, Some(tone(440.0)), 0.0).await;
    let file = format!("{}.mp3?bitrate=320", sender.stream);
    let deaf = deaf_listener(&app, &file).await;
    let (port, began) = (app.ports.mp3, Instant::now());
    let others = tokio::spawn(async move { listen(port, &file, Duration::from_secs(18)).await });
    while metric(app.ports, "mp3_dropped_total").await == 0 {
        assert!(began.elapsed() < Duration::from_secs(25), "it is dropped");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(10), "it was given time");
    assert!(metric(app.ports, "mp3_skipped_total").await > 0);
    assert_eq!(metric(app.ports, "mp3_listeners").await, 1, "the other one");
    let others = others.await.expect("no panic");
    let gain = others.gain(|body| body.len() as f64 / 40_000.0);
    assert!(gain.abs() < 0.06, "{gain}");
    assert!(others.longest_pause() < Duration::from_millis(500), "{:?}", others.longest_pause());
    assert_eq!(metric(app.ports, "mp3_dropped_total").await, 1);
    drop(deaf);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_skips_still_finds_the_metadata_where_it_is_due() {
    let app = start(&["--mp3-icy=true"]);
    let mut slow = deaf_listener(&app, "latest.mp3?bitrate=320").await;
    while metric(app.ports, "mp3_skipped_total").await == 0 {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(2), slow.read_to_end(&mut bytes)).await;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let (audio, texts) = without_metadata(&bytes[end + 4..]);
    assert!(audio.len() > 100_000, "{} bytes", audio.len());
    assert!(texts.iter().all(|text| text.is_empty() || text == "StreamTitle='';"), "nobody talks: {texts:?}");
    assert!(audio.chunks(960).all(|frame| frame.starts_with(&[0xff, 0xfb]) || frame.len() < 960), "whole frames");
    app.stop().await;
}
