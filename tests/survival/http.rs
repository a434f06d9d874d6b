//! HTTP that comes too slowly, or asks for what is outside of the house.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant};

use crate::bystanders::Call;
use crate::support::http::exchange;
use crate::support::live::{PATIENCE, metric, start};

/// Clients that send their request a byte at a time.
const SLOW: usize = 50;

/// Sends a byte of a header every half second, until the other side has enough; how long that took.
async fn drip(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nX: ").await;
    while began.elapsed() < PATIENCE * 2 {
        if stream.write_all(b"x").await.is_err() {
            break;
        }
        let mut answer = [0; 512];
        let read = tokio::time::timeout(Duration::from_millis(500), stream.read(&mut answer)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            break;
        }
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_come_a_byte_at_a_time_are_given_ten_seconds() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let mut slow = Vec::new();
    for port in [app.ports.http, app.ports.mp3] {
        for _ in 0..SLOW {
            slow.push(tokio::spawn(drip(TcpStream::connect(port).await.expect("a listening port"))));
        }
    }
    for connection in slow {
        let took = connection.await.expect("no panic");
        assert!((9..18).contains(&took.as_secs()), "{took:?}");
    }
    call.goes_on().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_given_half_a_minute_and_counted() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let head = format!(
        "PUT /api/sound HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\
         Connection: close\r\n\r\n{{",
        app.ports.http
    );
    let began = Instant::now();
    let answer = exchange(app.ports.http, &head, PATIENCE * 3).await;
    assert_eq!(answer.status, 408, "{}", answer.head);
    assert!((29..50).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(metric(app.ports, "too_slow_total").await, 1);
    call.goes_on().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_house() {
    let app = start(&[]);
    for path in [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..\\..\\etc\\passwd",
        "/..%5c..%5cetc%5cpasswd",
        "/assets/../../Cargo.toml",
        "/index.html%00.js",
        "//etc/passwd",
        "/stream/..%2f..%2fetc%2fpasswd.mp3",
        "/clip/..%2f..%2fetc%2fpasswd.mp3",
        "/clip/%00.mp3",
        "/t/../api/clips",
    ] {
        for port in [app.ports.http, app.ports.mp3] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {port}\r\nConnection: close\r\n\r\n");
            let answer = exchange(port, &request, PATIENCE).await;
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.head);
            assert!(!answer.text().contains("root:"), "{path}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_no_http_are_refused_and_hold_up_nobody() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let endless = format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(100_000));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1_000_000));
    for port in [app.ports.http, app.ports.mp3] {
        for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"\0\0\0\0\r\n\r\n", endless.as_bytes(), long.as_bytes()] {
            let mut stream = TcpStream::connect(port).await.expect("a listening port");
            // It may be closed before all of it is written.
            let _ = stream.write_all(bytes).await;
            let mut answer = Vec::new();
            let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it is closed");
            assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
        }
    }
    call.goes_on().await;
    app.stop().await;
}
