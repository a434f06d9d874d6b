//! What goes over the TLS port, as ffmpeg (GnuTLS) and rustls hear it, and what must not get through.

mod support;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use support::house::{House, ask, secure};
use support::http::get;
use support::live::{PATIENCE, sender, tone};
use support::sound::usual_share_at;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn signalling_runs_over_tls() {
    let house = House::new(&[]).await;
    let (mut socket, _) =
        tokio_tungstenite::client_async("wss://localhost/ws", house.connect().await).await.expect("a WebSocket");
    let first = socket.next().await.expect("a frame").expect("whole");
    assert!(matches!(&first, Message::Text(text) if text.contains("available_streams")), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn players_hear_live_audio_and_clips_over_tls() {
    let house = House::new(&[]).await;
    let sender = sender(house.ports, Some(tone(440.0)), 0.0).await;
    for file in ["latest.mp3", "all.wav", "latest.mp3?profile=close"] {
        let pcm = play(&house, &format!("/stream/{file}")).await;
        assert!(pcm.len() > 48_000, "{file}: {} samples", pcm.len());
        assert!(usual_share_at(440.0, &pcm[pcm.len() - 24_000..]) > 0.9, "{file}");
    }
    sender.signalling.close().await;
    let limit = Instant::now() + PATIENCE;
    while get(house.ports.http, "/clip/latest.mp3").await.status != 200 {
        assert!(Instant::now() < limit, "a clip");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let pcm = play(&house, "/clip/latest.mp3").await;
    assert!(usual_share_at(440.0, &pcm[24_000..48_000]) > 0.9);
}

/// Two seconds as ffmpeg plays them, which checks the certificate.
async fn play(house: &House, path: &str) -> Vec<i16> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-loglevel", "error", "-tls_verify", "1", "-ca_file"]).arg(&house.authority);
    ffmpeg.args(["-i", &format!("https://localhost:{}{path}", house.https().port())]);
    ffmpeg.args(["-t", "2", "-f", "s16le", "-ac", "1", "-ar", "48000", "-"]);
    let output = tokio::time::timeout(PATIENCE, ffmpeg.output()).await.expect("in time").expect("ffmpeg");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_says_so_in_tls_too() {
    let house = House::new(&[]).await;
    let sender = sender(house.ports, None, 0.0).await;
    let mut listener = house.connect().await;
    let request = format!("GET /stream/{}.mp3?profile=close HTTP/1.1\r\nHost: localhost\r\n\r\n", sender.stream);
    listener.write_all(request.as_bytes()).await.expect("sent");
    let listener = tokio::spawn(async move { listener.read_to_end(&mut Vec::new()).await });
    house.wait_for_metric("mp3_listeners", 1).await;
    sender.signalling.close().await;
    // An end without TLS's own word for it would be an error: somebody could have cut it short.
    let read = tokio::time::timeout(PATIENCE, listener).await.expect("ends").expect("no panic");
    assert!(read.expect("a whole body") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_over_tls_that_stops_reading_is_dropped_and_the_others_notice_nothing() {
    let house = House::new(&[]).await;
    let _sender = sender(house.ports, Some(tone(440.0)), 0.0).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("set");
    let deaf = socket.connect(house.https()).await.expect("a listening port");
    let mut deaf = secure(deaf, &house.authority).await;
    deaf.write_all(b"GET /stream/latest.mp3?bitrate=320 HTTP/1.0\r\n\r\n").await.expect("sent");
    house.wait_for_metric("mp3_listeners", 1).await;
    let dropped = async {
        while house.metric("mp3_dropped").await == 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let (heard, ()) = tokio::join!(play(&house, "/stream/latest.mp3"), async {
        tokio::time::timeout(3 * PATIENCE, dropped).await.expect("dropped");
    });
    assert!(usual_share_at(440.0, &heard[24_000..]) > 0.9);
    assert!(house.metric("mp3_skipped").await > 0);
    house.wait_for_metric("mp3_dropped", 1).await;
}

/// Reads until the other side closes; gives what came.
async fn read_to_close(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("closed in time");
    // A reset is an end, too.
    let _ = read;
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_speaks_plain_http_to_the_tls_port_is_shown_the_way() {
    let house = House::new(&[]).await;
    let found = get(house.https(), "/stream/status?x=1").await;
    let address = format!("https://{}/stream/status?x=1", house.https());
    assert_eq!((found.status, found.header("location")), (307, Some(address.as_str())));
    for request in
        ["POST / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(house.https()).await.expect("a listening port");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let answer = String::from_utf8_lossy(&read_to_close(stream).await).into_owned();
        assert!(answer.contains(" 400 ") && !answer.contains("ocation"), "{request}: {answer}");
    }
    house.wait_for_metric("handshakes_plain", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_half_a_handshake_are_ended_and_counted() {
    let house = House::new(&["--limits-handshake-timeout=300"]).await;
    for garbage in [&[0_u8; 64][..], &[22; 4_096], b"\x16\x03\x01\x00\x05hello", &[0xff; 16]] {
        let mut stream = TcpStream::connect(house.https()).await.expect("a listening port");
        stream.write_all(garbage).await.expect("sent");
        read_to_close(stream).await;
    }
    house.wait_for_metric("handshakes_failed", 3).await;
    // The beginning of a handshake, and not a byte.
    for beginning in [&[22_u8, 3, 1, 2, 0, 1][..], &[]] {
        let before = house.metric("handshakes_timed_out").await;
        let mut stream = TcpStream::connect(house.https()).await.expect("a listening port");
        stream.write_all(beginning).await.expect("sent");
        read_to_close(stream).await;
        house.wait_for_metric("handshakes_timed_out", before + 1).await;
    }
    assert!(ask(&mut house.connect().await, "/health").await.contains("healthy"));
    assert_eq!(house.metric("handshakes").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_handshakes_that_nobody_finishes_are_bounded_and_pass() {
    let house = House::new(&["--limits-handshakes=50", "--limits-handshake-timeout=2000"]).await;
    let mut unfinished = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(house.https()).await.expect("a listening port");
        // One that was refused may be gone already.
        let _ = stream.write_all(&[22, 3, 1, 2, 0, 1]).await;
        unfinished.push(stream);
    }
    house.wait_for_metric("handshakes_refused", 150).await;
    assert_eq!(get(house.ports.http, "/health").await.status, 200, "the plain port goes on");
    house.wait_for_metric("handshakes_timed_out", 50).await;
    assert!(ask(&mut house.connect().await, "/health").await.contains("healthy"));
    assert_eq!(house.metric("https_connections").await, 201);
}
