//! One device that takes whatever it can get, by every way at once, beside a family that talks.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use voice_relay::app::Ports;

use crate::bystanders::Call;
use crate::support::http::{get, request};
use crate::support::live::{Signalling, metric, participant, start_program};

/// Where the greedy device is; the family is at 127.0.0.1.
const GREEDY: [u8; 4] = [127, 0, 0, 66];

/// For how long it tries.
const TIME: Duration = Duration::from_secs(20);

/// What the daemon may take of the machine meanwhile.
const MOST_KILOBYTES: u64 = 512 << 10;

/// A connection of the greedy device, if there is still one to be had.
async fn connect(port: std::net::SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind((std::net::Ipv4Addr::from(GREEDY), 0).into()).ok()?;
    socket.connect(port).await.ok()
}

/// Sends this request, and keeps what comes of it open; the status, if one came.
async fn keep_open(port: std::net::SocketAddr, request: String, kept: &mut Vec<TcpStream>) -> Option<u16> {
    let mut stream = connect(port).await?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(2), stream.read_exact(&mut head)).await;
    read.ok()?.ok()?;
    kept.push(stream);
    std::str::from_utf8(&head[9..12]).ok()?.parse().ok()
}

/// Sockets, players with bursts, heads without end, rooms, PINs, recordings: again and again, all kept open.
async fn take_everything(ports: Ports, secret: String) {
    let until = Instant::now() + TIME;
    let (mut kept, mut sockets) = (Vec::new(), Vec::new());
    let upgrade = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    let post = |path: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    for round in 0.. {
        if Instant::now() > until {
            break;
        }
        keep_open(ports.http, upgrade.into(), &mut kept).await;
        let listen =
            format!("GET /stream/all.mp3?burst={}&bitrate=320 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", round % 11);
        keep_open(ports.mp3, listen, &mut kept).await;
        let wav = "GET /stream/latest.wav?burst=10 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        keep_open(ports.mp3, wav.into(), &mut kept).await;
        keep_open(ports.http, post("/api/rooms", "{\"roomName\":\"Mine\"}"), &mut kept).await;
        let guess = format!("GET /api/rooms/{secret}?pin={round:04} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        keep_open(ports.http, guess, &mut kept).await;
        // A head that never ends, and a recording that never comes.
        if let Some(mut stream) = connect(ports.http).await {
            let _ = stream.write_all(format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(64 << 10)).as_bytes()).await;
            kept.push(stream);
        }
        if let Some(mut stream) = connect(ports.http).await {
            let head =
                "POST /api/announce/clip?room=home HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 8000000\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            kept.push(stream);
        }
        // What this test itself may hold is bounded as well.
        kept.drain(..kept.len().saturating_sub(500));
        if round < 4 {
            let mut signalling = Signalling::connect_from(GREEDY, ports.http, "/ws").await;
            for _ in 0..20 {
                signalling.send(json!({ "type": "start_receiving" })).await;
            }
            sockets.push(signalling);
        }
    }
}

fn kilobytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a field");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_that_takes_all_it_can_get_leaves_the_others_their_calls_and_their_music() {
    let flags = [
        "--limits-share=25",
        "--limits-sockets=80",
        "--limits-connections=400",
        "--limits-mp3-listeners=40",
        "--limits-peers=80",
        "--limits-streams=20",
        "--limits-encoders=40",
        "--limits-requests=100",
        "--limits-messages=100",
        "--limits-joins=60",
        "--rooms-max=20",
    ];
    let (child, ports) = start_program(&flags).await;
    let pid = child.id().expect("running");
    let mut call = Call::begin(ports).await;
    let opened =
        crate::support::http::post_json(ports.http, "/api/rooms", &json!({ "roomName": "Secret", "pin": "471147" }))
            .await;
    let secret = opened.json()["roomId"].as_str().expect("a room").to_owned();
    let greedy = tokio::spawn(take_everything(ports, secret.clone()));
    tokio::time::sleep(TIME / 2).await;
    // Others come, in the midst of it: to talk, to listen, to open a room.
    call.goes_on().await;
    let mut third = participant(ports, json!({ "type": "join", "room": "home", "name": "Third" })).await;
    third.talk().await;
    let mut music = TcpStream::connect(ports.mp3).await.expect("a listening port");
    music.write_all(b"GET /stream/all.mp3 HTTP/1.0\r\n\r\n").await.expect("sent");
    let mut beginning = vec![0; 8_000];
    let read = tokio::time::timeout(Duration::from_secs(8), music.read_exact(&mut beginning)).await;
    read.expect("in time").expect("music");
    assert!(beginning.starts_with(b"HTTP/1.0 200"));
    let opened = request(ports.http, "GET /api/rooms HTTP/1.1", &["Connection: close"], Duration::from_secs(5)).await;
    assert_eq!(opened.status, 200);
    greedy.await.expect("no panic");
    call.goes_on().await;
    let most = kilobytes(pid);
    assert!(most < MOST_KILOBYTES, "{most} kilobytes");
    let metrics = get(ports.http, "/metrics").await.text();
    let refused = metrics.lines().filter(|line| line.contains("share_refused") && !line.ends_with(" 0"));
    let kinds = refused.filter(|line| !line.starts_with('#')).count();
    assert!(kinds >= 3, "what one address had enough of is counted: {metrics}");
    assert!(metric(ports, "rooms_refused").await > 0);
    println!("one greedy address, {TIME:?}: {most} kilobytes, {kinds} kinds of places refused");
}
