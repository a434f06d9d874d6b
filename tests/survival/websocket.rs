//! WebSockets that are used as no browser uses them, and descriptions that no browser makes.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::bystanders::Call;
use crate::support::live::{PATIENCE, Signalling, metric, start};

/// Sockets that do nothing, in a test that anybody can run; the limit is 5,000.
const IDLE: usize = 400;

async fn socket(http: SocketAddr) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(http).await.expect("a listening port");
    client_async(format!("ws://{http}/ws"), stream).await.expect("a WebSocket").0
}

/// The text of the next frame that has one; `None` when the socket was closed.
async fn next_text(socket: &mut WebSocketStream<TcpStream>) -> Option<String> {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.expect("in time")? {
            Ok(Message::Text(text)) => return Some(text.to_string()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// A text in fragments of one byte each.
async fn send_in_bytes(socket: &mut WebSocketStream<TcpStream>, text: &[u8]) -> bool {
    for (index, byte) in text.iter().enumerate() {
        let kind = if index == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(vec![*byte], OpCode::Data(kind), index + 1 == text.len());
        if socket.feed(Message::Frame(frame)).await.is_err() {
            return false;
        }
    }
    socket.flush().await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_of_one_byte_are_a_message_up_to_the_limit() {
    let app = start(&["--limits-message-bytes=2048"]);
    let mut call = Call::begin(app.ports).await;
    let mut patient = socket(app.ports.http).await;
    next_text(&mut patient).await.expect("the list");
    assert!(send_in_bytes(&mut patient, br#"{"type":"get_available_streams"}"#).await);
    assert!(next_text(&mut patient).await.expect("an answer").contains("available_streams"));
    send_in_bytes(&mut patient, &[b' '; 4_096]).await;
    assert_eq!(next_text(&mut patient).await, None, "it is closed");
    assert_eq!(metric(app.ports, "websockets_failed_total").await, 1);
    call.goes_on().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_holds_up_nobody() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let mut flood = socket(app.ports.http).await;
    for _ in 0..20_000 {
        flood.feed(Message::Ping(vec![0; 100].into())).await.expect("an open socket");
    }
    flood.flush().await.expect("sent");
    let mut other = Signalling::connect(app.ports.http, "/ws").await;
    let asked = Instant::now();
    other.next().await.expect("the list");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    call.goes_on().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_idle_sockets_hold_up_nobody_and_leave_nothing() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(socket(app.ports.http).await);
    }
    assert_eq!(metric(app.ports, "websockets").await, IDLE as u64 + 2);
    call.goes_on().await;
    drop(idle);
    let limit = Instant::now() + PATIENCE;
    while metric(app.ports, "websockets").await > 2 {
        assert!(Instant::now() < limit, "sockets are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    call.goes_on().await;
    app.stop().await;
}

/// Asks and asks, and reads nothing of what comes.
async fn deaf_socket(http: SocketAddr) -> TcpStream {
    let small = TcpSocket::new_v4().expect("a socket");
    small.set_recv_buffer_size(4_096).expect("set");
    let stream = small.connect(http).await.expect("a listening port");
    let (mut socket, _) = client_async(format!("ws://{http}/ws"), stream).await.expect("a WebSocket");
    let ask = json!({ "type": "get_available_streams" }).to_string();
    for _ in 0..20_000 {
        let asked = tokio::time::timeout(Duration::from_secs(1), socket.send(Message::text(ask.as_str()))).await;
        if !matches!(asked, Ok(Ok(()))) {
            break;
        }
    }
    socket.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_is_given_up_and_counted() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let deaf = deaf_socket(app.ports.http).await;
    let limit = Instant::now() + PATIENCE * 2;
    while metric(app.ports, "websockets_timed_out_total").await == 0 {
        assert!(Instant::now() < limit, "it is still waited for");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(metric(app.ports, "websockets").await, 2);
    call.goes_on().await;
    drop(deaf);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_not_utf8_closes_its_own_socket_only() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let mut wrong = socket(app.ports.http).await;
    next_text(&mut wrong).await.expect("the list");
    let frame = Frame::message(vec![b'{', 0xff, 0xfe], OpCode::Data(Data::Text), true);
    wrong.send(Message::Frame(frame)).await.expect("sent");
    assert_eq!(next_text(&mut wrong).await, None, "it is closed");
    call.goes_on().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_cut_off_in_its_middle_leaves_nothing() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let mut broken = socket(app.ports.http).await.into_inner();
    // A text of 100 bytes is announced, and one comes.
    broken.write_all(&[0x81, 0xe4, 0, 0, 0, 0, b'{']).await.expect("sent");
    drop(broken);
    let limit = Instant::now() + PATIENCE;
    while metric(app.ports, "websockets").await > 2 {
        assert!(Instant::now() < limit, "a socket is left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    call.goes_on().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn descriptions_of_monstrous_size_are_refused_within_a_second_and_leave_no_peer() {
    let app = start(&["--limits-message-bytes=4194304"]);
    let mut call = Call::begin(app.ports).await;
    let mut socket = Signalling::connect(app.ports.http, "/ws").await;
    let known = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
                 a=fingerprint:sha-256 00\r\n";
    let candidate = "a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n";
    for (what, sdp) in [
        ("1 MB of nothing", " ".repeat(1_000_000)),
        ("1 MB in one line", format!("{known}a={}\r\n", "x".repeat(1_000_000))),
        ("10,000 lines", format!("{known}{}", "a=x:y\r\n".repeat(10_000))),
        ("10,000 candidates", format!("{known}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n{}", candidate.repeat(10_000))),
        ("500 m-lines", format!("{known}{}", "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(500))),
        ("10,000 payload types", format!("{known}m=audio 9 UDP/TLS/RTP/SAVPF{}\r\n", " 111".repeat(10_000))),
        ("no ufrag", known.replace("a=ice-ufrag:abcd\r\n", "")),
        ("a NUL", format!("{known}a=mid:\0\r\n")),
    ] {
        socket.send(json!({ "type": "start_sending" })).await;
        socket.expect("sender_ready").await;
        let asked = Instant::now();
        socket.send(json!({ "type": "webrtc_offer", "offer": { "type": "offer", "sdp": sdp } })).await;
        assert_eq!(socket.expect("error").await["code"], "bad_description", "{what}");
        assert!(asked.elapsed() < Duration::from_secs(1), "{what}: {:?}", asked.elapsed());
        assert_eq!(metric(app.ports, "peers").await, 2, "{what}");
    }
    call.goes_on().await;
    app.stop().await;
}
