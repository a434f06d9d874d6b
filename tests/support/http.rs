//! HTTP by hand: a request as bytes, and the answer.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::live::PATIENCE;

/// An HTTP answer: status line, headers in lower case, body.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// Sends a request line with these header lines and reads until the end, or until the time is up.
pub async fn request(to: SocketAddr, line: &str, headers: &[&str], time: Duration) -> Answer {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    exchange(to, &format!("{line}\r\nHost: {to}\r\nConnection: close\r\n{headers}\r\n"), time).await
}

/// Sends these bytes and reads until the end, or until the time is up.
pub async fn exchange(to: SocketAddr, request: &str, time: Duration) -> Answer {
    let mut stream = TcpStream::connect(to).await.expect("a listening port");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(time, stream.read_to_end(&mut bytes)).await;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// GET over HTTP/1.1, to the end.
pub async fn get(to: SocketAddr, path: &str) -> Answer {
    request(to, &format!("GET {path} HTTP/1.1"), &[], PATIENCE).await
}

/// PUT of a JSON text over HTTP/1.1, to the end.
pub async fn put_json(to: SocketAddr, path: &str, body: &str) -> Answer {
    send_json(to, "PUT", path, body).await
}

/// POST of one.
pub async fn post_json(to: SocketAddr, path: &str, body: &Value) -> Answer {
    send_json(to, "POST", path, &body.to_string()).await
}

async fn send_json(to: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    // The body follows the line that is empty, as one more header would.
    let body = format!("\r\n{body}");
    let headers = ["Content-Type: application/json", &length, &body];
    request(to, &format!("{method} {path} HTTP/1.1"), &headers, PATIENCE).await
}
