//! One device of the house that takes whatever it can get, by every way there is at once.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use voice_relay::app::Ports;

use crate::support::channel::{Offering, audio_stream};
use crate::support::live::{Peer, Signalling, offer_to_send, tone};

/// Where it is; the family is at 127.0.0.1.
const ADDRESS: [u8; 4] = [127, 0, 0, 66];

/// What this test itself may hold of one kind.
const MOST_KEPT: usize = 1_500;

/// How many it lets talk. More would be refused as well, and cost this test's own processors.
const VOICES: usize = 12;

/// What it knows, and until when it tries.
#[derive(Clone)]
pub struct Greedy {
    pub ports: Ports,
    /// A room with a PIN that it does not know.
    pub secret: String,
    /// A file that can be announced.
    pub file: String,
    pub until: Instant,
}

impl Greedy {
    /// Everything at once. Whatever it gets it keeps.
    pub async fn take_everything(self) {
        // Streams that are really sent, and recorded.
        let mut voices = Vec::new();
        for _ in 0..VOICES {
            let peer = Peer::new(0.0).await;
            let mut socket = Signalling::connect_from(ADDRESS, self.ports.http, "/ws").await;
            offer_to_send(&mut socket, &peer, Some(tone(300.0))).await;
            voices.push((socket, peer));
        }
        let mut ways = JoinSet::new();
        ways.spawn(self.clone().sockets());
        ways.spawn(self.clone().players());
        ways.spawn(self.clone().heads_without_end());
        ways.spawn(self.clone().recordings());
        ways.spawn(self.clone().announcements());
        ways.spawn(self.clone().rooms());
        ways.spawn(self.clone().guesses());
        ways.spawn(self.clone().offers());
        ways.spawn(self.clone().handshakes());
        ways.spawn(self.clone().participants());
        ways.spawn(self.clone().messages());
        while let Some(ended) = ways.join_next().await {
            ended.expect("no panic");
        }
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    /// WebSockets that say nothing.
    async fn sockets(self) {
        let upgrade = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        let mut kept = Kept::default();
        while self.goes_on() {
            kept.add(ask(self.ports.http, upgrade).await).await;
        }
    }

    /// Players that read nothing: with bursts, of every bitrate, and of the largest format.
    async fn players(self) {
        let mut kept = Kept::default();
        for number in 0.. {
            if !self.goes_on() {
                return;
            }
            let rate = [64, 96, 128, 160, 192, 256, 320][number % 7];
            for file in [format!("all.mp3?burst={}&bitrate={rate}", number % 11), "latest.wav?burst=10".into()] {
                let request = format!("GET /stream/{file} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
                kept.add(ask(self.ports.mp3, &request).await).await;
            }
        }
    }

    /// Requests whose heads never end, at each port.
    async fn heads_without_end(self) {
        let mut kept = Kept::default();
        while self.goes_on() {
            for port in [self.ports.http, self.ports.mp3] {
                kept.add(begin(port, &format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(64 << 10))).await).await;
            }
        }
    }

    /// Recordings that never come, and such as are nonsense.
    async fn recordings(self) {
        let (mut kept, mut random) = (Kept::default(), StdRng::seed_from_u64(14));
        while self.goes_on() {
            let path = "/api/announce/clip?room=home";
            let head = format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 8000000\r\n\r\n");
            kept.add(begin(self.ports.http, &head).await).await;
            let mut nonsense = vec![0; 20_000];
            random.fill_bytes(&mut nonsense);
            nonsense[..4].copy_from_slice(b"OggS");
            let head = format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", nonsense.len());
            if let Some(mut stream) = begin(self.ports.http, &head).await {
                let _ = stream.write_all(&nonsense).await;
                kept.add(Some(stream)).await;
            }
        }
    }

    /// Announcements in a room of its own, as many as that takes.
    async fn announcements(self) {
        let opened = self.post("/api/rooms", &json!({ "roomName": "Loud" })).await;
        let room = opened.as_ref().map_or("home", |room| room["roomId"].as_str().unwrap_or("home")).to_owned();
        while self.goes_on() {
            self.post("/api/announce", &json!({ "room": room, "file": self.file })).await;
        }
    }

    async fn rooms(self) {
        for number in 0.. {
            if !self.goes_on() {
                return;
            }
            self.post("/api/rooms", &json!({ "roomName": format!("Mine {number}") })).await;
        }
    }

    /// PINs, one after the other.
    async fn guesses(self) {
        let mut kept = Kept::default();
        for number in 0.. {
            if !self.goes_on() {
                return;
            }
            let path = format!("/api/rooms/{}?pin={:04}", self.secret, number % 10_000);
            kept.add(ask(self.ports.http, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).await).await;
        }
    }

    /// Offers of connections that are never made: to send, to hear, for files.
    async fn offers(self) {
        while self.goes_on() {
            let mut peer = crate::support::client::Client::new(([127, 0, 0, 66], 9).into(), Instant::now());
            let to_send = peer.offer(false);
            for (path, offer) in [("/whip/home", &to_send), ("/whep/latest", &to_send.replace("sendonly", "recvonly"))]
            {
                self.send("POST", path, "application/sdp", offer).await;
            }
            let offer = Offering::new(audio_stream()).await.body();
            self.send("POST", "/api/offer", "application/json", &offer).await;
        }
    }

    /// TLS that is begun and not gone on with.
    async fn handshakes(self) {
        let (mut kept, mut random) = (Kept::default(), StdRng::seed_from_u64(15));
        let port = self.ports.https.expect("TLS");
        while self.goes_on() {
            let Some(mut stream) = connect(port).await else { continue };
            let length: u8 = random.random_range(1..=200);
            let _ = stream.write_all(&[22, 3, 1, 1, length]).await;
            kept.add(Some(stream)).await;
        }
    }

    /// Sockets that join, leave, and ask for streams that they never connect to.
    async fn participants(self) {
        let mut kept = VecDeque::new();
        while self.goes_on() {
            let Some(mut socket) = Signalling::try_connect_from(ADDRESS, self.ports.http, "/ws").await else {
                continue;
            };
            for _ in 0..10 {
                let wishes =
                    [json!({ "type": "join", "room": "home", "name": "G" }), json!({ "type": "start_receiving" })];
                for wish in wishes {
                    socket.try_send(&wish.to_string()).await;
                }
            }
            kept.push_back(socket);
            kept.drain(..kept.len().saturating_sub(100));
        }
    }

    /// Messages and requests as fast as they go.
    async fn messages(self) {
        while self.goes_on() {
            let Some(mut socket) = Signalling::try_connect_from(ADDRESS, self.ports.http, "/ws").await else {
                continue;
            };
            while self.goes_on() && socket.try_send(r#"{"type":"get_available_streams"}"#).await {
                ask(self.ports.http, "GET /api/streams HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").await;
            }
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Option<Value> {
        let answer = self.send("POST", path, "application/json", &body.to_string()).await?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The whole answer, if there is one.
    async fn send(&self, method: &str, path: &str, kind: &str, body: &str) -> Option<String> {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
        let head = format!("{head}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
        let mut stream = begin(self.ports.http, &head).await?;
        let mut answer = Vec::new();
        tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await.ok()?.ok()?;
        String::from_utf8(answer).ok()
    }
}

/// Connections that are kept open, the newest of them.
#[derive(Default)]
struct Kept(VecDeque<TcpStream>);

impl Kept {
    async fn add(&mut self, stream: Option<TcpStream>) {
        self.0.extend(stream);
        self.0.drain(..self.0.len().saturating_sub(MOST_KEPT));
        // Others of this test have something to do as well.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A connection, if there is still one to be had.
async fn connect(port: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind((Ipv4Addr::from(ADDRESS), 0).into()).ok()?;
    tokio::time::timeout(Duration::from_secs(2), socket.connect(port)).await.ok()?.ok()
}

/// Says this much, and waits for nothing.
async fn begin(port: SocketAddr, text: &str) -> Option<TcpStream> {
    let mut stream = connect(port).await?;
    tokio::time::timeout(Duration::from_secs(2), stream.write_all(text.as_bytes())).await.ok()?.ok()?;
    Some(stream)
}

/// Asks, and waits for the beginning of an answer.
async fn ask(port: SocketAddr, request: &str) -> Option<TcpStream> {
    let mut stream = begin(port, request).await?;
    let mut beginning = [0; 12];
    tokio::time::timeout(Duration::from_secs(2), stream.read_exact(&mut beginning)).await.ok()?.ok()?;
    Some(stream)
}
