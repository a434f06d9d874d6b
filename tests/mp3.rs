//! Streams as MP3, against the real daemon, decoded by the players that people use.

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::http::{get, request};
use support::live::{PATIENCE, Peer, Signalling, offer_to_send, sender, start, tone, url};
use support::sound::{Player, usual_share_at};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voice_relay::app::App;

const TONE_HZ: f64 = 440.0;

/// MP3 at 128 kbit/s.
const BYTES_PER_SECOND: f64 = 16_000.0;

#[tokio::test(flavor = "multi_thread")]
async fn the_tone_sent_is_the_tone_that_ffmpeg_and_mpg123_hear() {
    let app = start(&[]);
    let sender = sender(app.ports, Some(tone(TONE_HZ)), 0.0).await;
    let (latest, named) = (url(&app, "latest.mp3"), url(&app, &format!("{}.mp3", sender.stream)));
    let (by_ffmpeg, by_mpg123) = tokio::join!(Player::Ffmpeg.hear(&latest, 3.0), Player::Mpg123.hear(&named, 3.0));
    for heard in [by_ffmpeg, by_mpg123] {
        let steady = &heard[48_000..heard.len() - 4_800];
        assert!(usual_share_at(TONE_HZ, steady) > 0.9, "{}", usual_share_at(TONE_HZ, steady));
        assert!(usual_share_at(660.0, steady) < 0.01);
    }
    app.stop().await;
}

/// Reads a live MP3 for so long by the clock; gives the seconds of sound that came after the first byte.
async fn sound_within(app: &App, file: &str, time: Duration) -> f64 {
    let mut stream = TcpStream::connect(app.ports.mp3).await.expect("a listening port");
    let request = format!("GET /stream/{file} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut buffer = vec![0; 65_536];
    let mut bytes = 0;
    let head = stream.read(&mut buffer).await.expect("a head");
    assert!(buffer[..head].starts_with(b"HTTP/1.0 200 OK"), "{}", String::from_utf8_lossy(&buffer[..head]));
    let mut began = None;
    loop {
        let left = began.map_or(PATIENCE, |at: Instant| time.saturating_sub(at.elapsed()));
        match tokio::time::timeout(left, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => panic!("the stream ended"),
            Ok(Ok(length)) if began.is_some() => bytes += length,
            Ok(Ok(_)) => began = Some(Instant::now()),
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => return bytes as f64 / BYTES_PER_SECOND,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_stream_is_a_minute_of_audio_also_with_loss_and_with_a_silent_sender() {
    let app = start(&[]);
    let well = sender(app.ports, Some(tone(TONE_HZ)), 0.0).await;
    let lossy = sender(app.ports, Some(tone(TONE_HZ)), 0.05).await;
    let muted = sender(app.ports, Some(tone(TONE_HZ)), 0.0).await;
    muted.peer.with(|client, _| client.pause()).await;
    let minute = Duration::from_secs(60);
    let files = [&well, &lossy, &muted].map(|sender| format!("{}.mp3", sender.stream));
    for sender in [well, lossy, muted] {
        // A browser answers pings by itself; here somebody must read for that.
        tokio::spawn(sender.stay());
    }
    let (first, second, third) = tokio::join!(
        sound_within(&app, &files[0], minute),
        sound_within(&app, &files[1], minute),
        sound_within(&app, &files[2], minute)
    );
    for (seconds, which) in [(first, "well"), (second, "lossy"), (third, "muted")] {
        assert!((59.95..=60.05).contains(&seconds), "{which}: {seconds}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_ends_for_its_listeners_when_the_sender_stops() {
    let app = start(&[]);
    let mut sender = sender(app.ports, Some(tone(TONE_HZ)), 0.0).await;
    let path = format!("/stream/{}.mp3", sender.stream);
    let ports = app.ports;
    let listener = tokio::spawn(async move { get(ports.mp3, &path).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    sender.signalling.send(json!({ "type": "stop_stream" })).await;
    let answer = tokio::time::timeout(Duration::from_secs(3), listener).await.expect("ends").expect("no panic");
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("transfer-encoding: chunked") && answer.body.ends_with(b"0\r\n\r\n"), "a clean end");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_comes_before_the_speaker_gets_silence_and_then_the_speaker() {
    let app = start(&[]);
    let address = url(&app, "latest.mp3");
    let player = tokio::spawn(async move { Player::Ffmpeg.hear(&address, 5.0).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let _sender = sender(app.ports, Some(tone(TONE_HZ)), 0.0).await;
    let heard = player.await.expect("no panic");
    assert!(usual_share_at(TONE_HZ, &heard[..24_000]) < 0.1, "silence first");
    assert!(usual_share_at(TONE_HZ, &heard[heard.len() - 48_000..]) > 0.9, "then the tone");
    app.stop().await;
}

#[tokio::test]
async fn without_a_stream_a_browser_gets_a_page_and_a_player_never_html() {
    let app = start(&[]);
    let page = request(app.ports.mp3, "GET /stream/latest.mp3 HTTP/1.1", &["Accept: text/html,*/*"], PATIENCE).await;
    assert!(page.head.contains("content-type: text/html") && page.text().contains("starts by itself"));
    let short = Duration::from_millis(400);
    let audio = request(app.ports.http, "GET /stream/latest.mp3 HTTP/1.1", &["Accept: */*"], short).await;
    assert!(audio.head.contains("content-type: audio/mpeg") && audio.body.len() > 1_000);
    app.stop().await;

    let app = start(&["--mp3-when-idle=unavailable"]);
    let refused = get(app.ports.mp3, "/stream/latest.mp3").await;
    assert_eq!(refused.status, 503);
    assert!(refused.head.contains("retry-after: 5"));
    app.stop().await;
}

#[tokio::test]
async fn head_answers_at_once_and_starts_no_encoder() {
    let app = start(&["--clips-count=0"]);
    let sender = sender(app.ports, None, 0.0).await;
    for file in ["latest.mp3".to_owned(), format!("{}.mp3", sender.stream)] {
        let answer = request(app.ports.mp3, &format!("HEAD /stream/{file} HTTP/1.1"), &[], PATIENCE).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert!(answer.head.contains("content-type: audio/mpeg") && answer.head.contains("accept-ranges: none"));
        assert!(!answer.head.contains("\r\ncontent-length"), "{}", answer.head);
    }
    let metrics = get(app.ports.http, "/metrics").await.text();
    assert!(metrics.contains("voice_relay_mp3_frames_total 0\n") && metrics.contains("voice_relay_taps 0\n"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_share_one_encoder_which_stops_after_the_last() {
    let app = start(&["--clips-count=0"]);
    let sender = sender(app.ports, Some(tone(TONE_HZ)), 0.0).await;
    let path = format!("GET /stream/{}.mp3 HTTP/1.1", sender.stream);
    let time = Duration::from_secs(1);
    let listeners: Vec<_> = (0..10)
        .map(|_| {
            let (ports, path) = (app.ports, path.clone());
            tokio::spawn(async move { request(ports.mp3, &path, &[], time).await })
        })
        .collect();
    tokio::time::sleep(time / 2).await;
    let during = get(app.ports.http, "/metrics").await.text();
    assert!(during.contains("voice_relay_mp3_encoders 1\n") && during.contains("voice_relay_mp3_listeners 10\n"));
    for listener in listeners {
        listener.await.expect("no panic");
    }
    tokio::time::sleep(time).await;
    let after = get(app.ports.http, "/metrics").await.text();
    for gone in ["mp3_encoders", "mp3_listeners", "taps"] {
        assert!(after.contains(&format!("voice_relay_{gone} 0\n")), "{gone}");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_other_answers_are_as_the_protocol_says() {
    let app = start(&[]);
    for port in [app.ports.http, app.ports.mp3] {
        assert_eq!(get(port, "/stream/status").await.json(), json!({ "active_streams": [] }));
        for wrong in ["/stream/x.mp3", "/stream/latest.ogg", "/stream/..%2f..%2fetc.mp3"] {
            assert_eq!(get(port, wrong).await.status, 404, "{wrong}");
        }
    }
    assert_eq!(get(app.ports.mp3, "/health").await.text(), "OK");
    let health = get(app.ports.http, "/health").await.json();
    assert_eq!(health["status"], "healthy");
    assert_eq!((&health["webrtc_available"], &health["audio_server_running"]), (&json!(true), &json!(true)));
    assert_eq!((&health["active_streams"], &health["connected_clients"]), (&json!(0), &json!(0)));
    assert_eq!(health["mp3_port"], app.ports.mp3.port());
    let metrics =
        request(app.ports.http, "GET /metrics HTTP/1.1", &["Accept: application/json"], PATIENCE).await.json();
    for key in ["uptime_seconds", "active_connections", "active_streams", "total_audio_bytes", "webrtc_available"] {
        assert!(!metrics[key].is_null(), "{key}");
    }
    app.stop().await;
}

#[tokio::test]
async fn listeners_beyond_the_limit_are_turned_away() {
    let app = start(&["--limits-mp3-listeners=1"]);
    let (ports, time) = (app.ports, Duration::from_secs(2));
    let first = tokio::spawn(async move { request(ports.mp3, "GET /stream/latest.mp3 HTTP/1.1", &[], time).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(get(app.ports.mp3, "/stream/latest.mp3").await.status, 503);
    assert_eq!(first.await.expect("no panic").status, 200);
    app.stop().await;
}

#[tokio::test]
async fn packets_that_are_no_opus_are_silence_and_harm_nobody() {
    let app = start(&[]);
    let mut signalling = Signalling::connect(app.ports.http, "/ws").await;
    let peer = Peer::new(0.0).await;
    offer_to_send(&mut signalling, &peer, Some(Box::new(|number| vec![0xff; number as usize % 40]))).await;
    signalling.expect("stream_available").await;
    let time = Duration::from_secs(1);
    let heard = request(app.ports.mp3, "GET /stream/latest.mp3 HTTP/1.1", &[], time).await;
    assert!(heard.body.len() > 8_000, "{} bytes", heard.body.len());
    assert_eq!(get(app.ports.http, "/health").await.status, 200);
    app.stop().await;
}
