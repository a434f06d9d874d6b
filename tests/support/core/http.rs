//! What the core's stand-in answers by HTTP: speech, images, and the flow by which a node is added.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voice_relay::audio::Mp3File;

use super::super::noise::shake_hands;
use super::{SPOKEN_HZ, StandInCore, TOKEN};

impl StandInCore {
    /// Speech, as the real one has it: MP3 in chunks, of a length that nobody says, and for nobody twice.
    pub(super) async fn serve_speech(&self, mut socket: TcpStream, name: &str) -> Option<()> {
        // What is not read when the socket is closed takes the answer with it.
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(socket.read_u8().await.ok()?);
        }
        let is_known = self.house().spoken.contains_key(&format!("/api/tts_proxy/{name}"));
        if !is_known {
            return socket.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.ok();
        }
        let mut file = Mp3File::default();
        let sample = |at: u32| (f64::from(at) / 48_000.0 * SPOKEN_HZ * std::f64::consts::TAU).sin() * 9_000.0;
        file.add(&(0..48_000).map(|at| sample(at) as i16).collect::<Vec<_>>());
        let head = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n";
        socket.write_all(head.as_bytes()).await.ok()?;
        for piece in file.finish().chunks(1_000) {
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            socket.write_all(&chunk).await.ok()?;
        }
        socket.write_all(b"0\r\n\r\n").await.ok()
    }

    pub(super) async fn serve_image(&self, mut socket: TcpStream, path: &str) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.ok()?);
        }
        let image = self.house().images.get(path).cloned();
        let (status, (kind, bytes)) =
            image.map_or(("404 Not Found", ("text/plain", Vec::new())), |image| ("200 OK", image));
        let length = format!("content-length: {}\r\nconnection: close\r\n\r\n", bytes.len());
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{length}");
        socket.write_all(&[head.into_bytes(), bytes].concat()).await.ok()
    }

    /// A step of the flow that adds a node of ESPHome's: at the end it connects, as the real one does, and refuses what
    /// does not speak.
    pub(super) async fn serve_flow(&self, mut socket: TcpStream, flow: &str) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
        let mut body = vec![0; length];
        socket.read_exact(&mut body).await.ok()?;
        let body: Value = serde_json::from_slice(&body).ok()?;
        let is_known = head.contains(&format!("authorization: bearer {}\r\n", TOKEN.to_lowercase()));
        let (status, answer) = match (is_known, flow) {
            (false, _) => ("401 Unauthorized", json!({})),
            (true, "") if body["handler"] == "esphome" => {
                ("200 OK", json!({ "type": "form", "flow_id": "1", "step_id": "user", "errors": {} }))
            }
            (true, "/1") => ("200 OK", self.add_node(&body).await),
            _ => ("404 Not Found", json!({ "message": "Invalid handler specified" })),
        };
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
        socket.write_all([head, answer].concat().as_bytes()).await.ok()
    }

    async fn add_node(&self, step: &Value) -> Value {
        let asked = self.house().wants_key.take();
        if let (Some((host, port)), Some(key)) = (asked, step["noise_psk"].as_str()) {
            let mut node = TcpStream::connect((&*host, port as u16)).await.expect("it was there");
            return match shake_hands(&mut node, key).await {
                Ok(_) => self.keep_node(port, node),
                Err(_) => json!({ "type": "form", "step_id": "encryption_key", "errors": { "base": "invalid_psk" } }),
            };
        }
        let (host, port) = (step["host"].as_str().expect("a host").to_owned(), step["port"].as_u64().expect("a port"));
        if self.house().nodes.contains_key(&port) {
            return json!({ "type": "abort", "reason": "already_configured" });
        }
        let greeted = async {
            let mut node = TcpStream::connect((&*host, port as u16)).await.ok()?;
            // A greeting without a word; what comes back begins with a zero, where nothing is encrypted.
            node.write_all(&[0, 0, 1]).await.ok()?;
            Some((node.read_u8().await.ok()?, node))
        };
        match tokio::time::timeout(Duration::from_secs(3), greeted).await.ok().flatten() {
            Some((0, node)) => self.keep_node(port, node),
            Some((1, _)) => {
                self.house().wants_key = Some((host, port));
                json!({ "type": "form", "step_id": "encryption_key", "errors": {} })
            }
            _ => json!({ "type": "form", "step_id": "user", "errors": { "base": "connection_error" } }),
        }
    }

    fn keep_node(&self, port: u64, node: TcpStream) -> Value {
        self.house().nodes.insert(port, node);
        json!({ "type": "create_entry", "title": "Voice Relay" })
    }
}
