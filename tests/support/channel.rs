//! A client of files: a peer connection with a data channel, over a real UDP socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::http::{Answer, request};
use super::live::PATIENCE;

/// What a client was sent.
#[derive(Debug)]
pub enum Sent {
    Text(Value),
    Chunk(Vec<u8>),
}

/// A client that is connected, or about to be.
pub struct FileClient {
    pub sent: mpsc::UnboundedReceiver<Sent>,
    says: mpsc::UnboundedSender<String>,
}

/// A file, as it came.
#[derive(Debug)]
pub struct Got {
    pub metadata: Value,
    pub bytes: Vec<u8>,
    pub complete: Value,
}

/// `POST /api/offer`.
pub async fn post_offer(http: SocketAddr, path: &str, body: &str) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    let body = format!("\r\n{body}");
    request(http, &format!("POST {path} HTTP/1.1"), &["Content-Type: application/json", &length, &body], PATIENCE).await
}

/// The usual channel.
pub fn audio_stream() -> ChannelConfig {
    ChannelConfig { label: "audioStream".into(), ..ChannelConfig::default() }
}

/// A peer connection that has offered, and its socket.
pub struct Offering {
    rtc: Rtc,
    socket: UdpSocket,
    pending: SdpPendingOffer,
    pub offer: String,
}

impl Offering {
    pub async fn new(channel: ChannelConfig) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let mut rtc = Rtc::builder().build(Instant::now());
        let address = socket.local_addr().expect("bound");
        rtc.add_local_candidate(Candidate::host(address, "udp").expect("a real address"));
        let mut changes = rtc.sdp_api();
        changes.add_channel_with_config(channel);
        let (offer, pending) = changes.apply().expect("something to offer");
        Self { rtc, socket, pending, offer: offer.to_sdp_string() }
    }

    pub fn body(&self) -> String {
        json!({ "offer": { "type": "offer", "sdp": self.offer }, "clientId": "a test" }).to_string()
    }

    /// The same of a client that is sent nothing before it asks.
    pub fn waiting_body(&self) -> String {
        let offer = json!({ "type": "offer", "sdp": self.offer });
        json!({ "offer": offer, "clientId": "a test", "waits": true }).to_string()
    }

    pub fn accept(mut self, answer: &Value) -> FileClient {
        let sdp = answer["answer"]["sdp"].as_str().expect("an answer");
        let answer = SdpAnswer::from_sdp_string(sdp).expect("SDP");
        self.rtc.sdp_api().accept_answer(self.pending, answer).expect("an answer to the offer");
        let (sender, sent) = mpsc::unbounded_channel();
        let (says, orders) = mpsc::unbounded_channel();
        tokio::spawn(drive(self.rtc, self.socket, sender, orders));
        FileClient { sent, says }
    }
}

impl FileClient {
    /// Connects, and says nothing.
    pub async fn connect(http: SocketAddr) -> Self {
        Self::connect_by(http, audio_stream()).await
    }

    pub async fn connect_by(http: SocketAddr, channel: ChannelConfig) -> Self {
        let offering = Offering::new(channel).await;
        let answer = post_offer(http, "/api/offer", &offering.body()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        offering.accept(&answer.json())
    }

    /// Says something as soon as the channel is open.
    pub fn say(&self, message: &Value) {
        self.says.send(message.to_string()).expect("the driver lives");
    }

    /// What comes next; `None` when the connection is closed.
    pub async fn next(&mut self) -> Option<Sent> {
        tokio::time::timeout(PATIENCE, self.sent.recv()).await.expect("something in time")
    }

    /// The next text of this type; whatever comes before it is passed over.
    pub async fn expect(&mut self, kind: &str) -> Value {
        loop {
            match self.next().await.unwrap_or_else(|| panic!("closed before {kind}")) {
                Sent::Text(text) if text["type"] == kind => return text,
                _ => {}
            }
        }
    }

    /// The next file, to its end.
    pub async fn file(&mut self) -> Got {
        let metadata = self.expect("metadata").await;
        let (bytes, complete) = self.chunks_until("complete").await;
        Got { metadata, bytes, complete }
    }

    /// All chunks up to the next text of this type.
    pub async fn chunks_until(&mut self, kind: &str) -> (Vec<u8>, Value) {
        let mut bytes = Vec::new();
        loop {
            match self.next().await.unwrap_or_else(|| panic!("closed before {kind}")) {
                Sent::Chunk(chunk) => bytes.extend(chunk),
                Sent::Text(text) if text["type"] == kind => return (bytes, text),
                Sent::Text(text) => panic!("{text} instead of {kind}"),
            }
        }
    }

    /// Whether the connection is closed from the other side within this time.
    pub async fn closes_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, async { while self.sent.recv().await.is_some() {} }).await.is_ok()
    }
}

async fn drive(
    mut rtc: Rtc,
    socket: UdpSocket,
    sent: mpsc::UnboundedSender<Sent>,
    mut orders: mpsc::UnboundedReceiver<String>,
) {
    let (mut channel, mut waiting) = (None, Vec::new());
    let mut buffer = [0; 2_048];
    let local = socket.local_addr().expect("bound");
    loop {
        let Some(deadline) = drain(&mut rtc, &socket, &sent, &mut channel).await else { return };
        if let Some(id) = channel
            && !waiting.is_empty()
        {
            let text: String = waiting.remove(0);
            assert!(rtc.channel(id).expect("open").write(false, text.as_bytes()).expect("written"));
            continue;
        }
        tokio::select! {
            order = orders.recv() => match order {
                Some(text) => waiting.push(text),
                None => return,
            },
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, source)) = received else { continue };
                let Ok(datagram) = Receive::new(Protocol::Udp, source, local, &buffer[..length]) else { continue };
                if rtc.handle_input(Input::Receive(Instant::now(), datagram)).is_err() {
                    return;
                }
            }
            () = tokio::time::sleep_until(deadline.into()) => {
                if rtc.handle_input(Input::Timeout(Instant::now())).is_err() {
                    return;
                }
            }
        }
    }
}

/// Until it is quiet; `None` when it is over.
async fn drain(
    rtc: &mut Rtc,
    socket: &UdpSocket,
    sent: &mpsc::UnboundedSender<Sent>,
    channel: &mut Option<ChannelId>,
) -> Option<Instant> {
    loop {
        match rtc.poll_output().ok()? {
            Output::Timeout(at) => return Some(at),
            Output::Transmit(transmit) => drop(socket.send_to(&transmit.contents, transmit.destination).await),
            Output::Event(Event::ChannelOpen(id, _)) => *channel = Some(id),
            Output::Event(Event::ChannelData(data)) if data.binary => drop(sent.send(Sent::Chunk(data.data))),
            Output::Event(Event::ChannelData(data)) => {
                let text = serde_json::from_slice(&data.data).expect("JSON");
                let _ = sent.send(Sent::Text(text));
            }
            Output::Event(Event::ChannelClose(_) | Event::Closed) => return None,
            Output::Event(_) => {}
        }
    }
}
