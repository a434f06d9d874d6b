//! The yardstick: a relay as one writes it in an afternoon with str0m and tokio, to measure ours against.
//!
//! ICE-lite and RTP mode; all else is str0m's default. Every packet is handed to every receiver's session and sent by a
//! call of its own. WHIP and WHEP as far as `voice-relay-bench --via whip` needs them:
//!
//! ```sh
//! cargo run --release --bin plain-relay             # prints where it listens, on loopback
//! ```

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::format::Codec;
use str0m::media::{Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};
use warp::http::{Response, StatusCode};
use warp::{Filter, Reply};

/// Sessions are told the time so often, when they want it.
const TICK: Duration = Duration::from_millis(10);

/// SDP is shorter than this.
const MAX_OFFER: u64 = 65_536;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(Ipv4Addr::LOCALHOST.into());
    let relay = Relay::bind(address).await?;
    let listener = TcpListener::bind((address, 0)).await?;
    println!("plain-relay listens: http={} media={}/udp", listener.local_addr()?.port(), relay.address.port());
    let (asks, asked) = mpsc::channel(64);
    tokio::spawn(warp::serve(routes(asks)).incoming(listener).run());
    relay.run(asked).await
}

/// What HTTP asks of the relay.
enum Ask {
    Join { role: Role, stream: String, offer: String, reply: oneshot::Sender<Result<(u64, String), String>> },
    Leave(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Sender,
    Receiver,
}

fn routes(asks: mpsc::Sender<Ask>) -> impl Filter<Extract = (impl Reply,), Error = warp::Rejection> + Clone {
    let (joins, leaves) = (asks.clone(), asks);
    let role = warp::path("whip").map(|| Role::Sender).or(warp::path("whep").map(|| Role::Receiver)).unify();
    let join = role
        .and(warp::path::param())
        .and(warp::path::end())
        .and(warp::post())
        .and(warp::body::content_length_limit(MAX_OFFER))
        .and(warp::body::bytes())
        .then(move |role, stream, body: bytes::Bytes| join(joins.clone(), role, stream, body));
    let leave = warp::path!("session" / u64).and(warp::delete()).then(move |id| {
        let asks = leaves.clone();
        async move {
            let _ = asks.send(Ask::Leave(id)).await;
            StatusCode::OK
        }
    });
    join.or(leave)
}

async fn join(asks: mpsc::Sender<Ask>, role: Role, stream: String, body: bytes::Bytes) -> Response<String> {
    let offer = String::from_utf8_lossy(&body).into_owned();
    let (reply, answer) = oneshot::channel();
    let _ = asks.send(Ask::Join { role, stream, offer, reply }).await;
    let response = match answer.await {
        Ok(Ok((id, answer))) => Response::builder()
            .status(StatusCode::CREATED)
            .header("content-type", "application/sdp")
            .header("location", format!("/session/{id}"))
            .body(answer),
        Ok(Err(why)) => Response::builder().status(StatusCode::BAD_REQUEST).body(why),
        Err(_) => Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).body(String::new()),
    };
    response.expect("a well-formed response")
}

/// A session, and the stream that it sends or hears.
struct Client {
    rtc: Rtc,
    role: Role,
    stream: String,
    /// Where packets go, once that is negotiated.
    lane: Option<(Mid, Pt)>,
    deadline: Instant,
}

struct Relay {
    socket: UdpSocket,
    address: SocketAddr,
    clients: HashMap<u64, Client>,
    by_address: HashMap<SocketAddr, u64>,
    /// By stream.
    receivers: HashMap<String, Vec<u64>>,
    next: u64,
}

impl Relay {
    async fn bind(address: IpAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((address, 0)).await?;
        let address = socket.local_addr()?;
        let (clients, by_address, receivers) = (HashMap::new(), HashMap::new(), HashMap::new());
        Ok(Self { socket, address, clients, by_address, receivers, next: 0 })
    }

    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) -> io::Result<()> {
        let mut buffer = vec![0; 2_000];
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => {
                    // An error is that of an earlier datagram, which nobody was there to take.
                    if let Ok((length, source)) = received {
                        self.receive(source, &buffer[..length]).await;
                    }
                }
                Some(ask) = asked.recv() => self.answer(ask).await,
                _ = tick.tick() => self.advance().await,
            }
        }
    }

    async fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Join { role, stream, offer, reply } => {
                let _ = reply.send(self.join(role, stream, &offer).map_err(|error| error.to_string()));
            }
            Ask::Leave(id) => {
                if let Some(client) = self.clients.get_mut(&id) {
                    let _ = client.rtc.close();
                    self.poll(id).await;
                    self.remove(id);
                }
            }
        }
    }

    fn join(&mut self, role: Role, stream: String, offer: &str) -> Result<(u64, String), RtcError> {
        let mut rtc = Rtc::builder().set_ice_lite(true).set_rtp_mode(true).build(Instant::now());
        rtc.add_local_candidate(Candidate::host(self.address, "udp").expect("a bound address"));
        let answer = rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(offer)?)?.to_sdp_string();
        self.next += 1;
        if role == Role::Receiver {
            self.receivers.entry(stream.clone()).or_default().push(self.next);
        }
        self.clients.insert(self.next, Client { rtc, role, stream, lane: None, deadline: Instant::now() });
        Ok((self.next, answer))
    }

    async fn receive(&mut self, source: SocketAddr, datagram: &[u8]) {
        let Ok(datagram) = Receive::new(Protocol::Udp, source, self.address, datagram) else { return };
        let input = Input::Receive(Instant::now(), datagram);
        let id = match self.by_address.get(&source) {
            Some(id) => *id,
            None => {
                let Some((id, _)) = self.clients.iter().find(|(_, client)| client.rtc.accepts(&input)) else { return };
                self.by_address.insert(source, *id);
                *id
            }
        };
        self.feed(id, input).await;
    }

    async fn advance(&mut self) {
        let now = Instant::now();
        let due = self.clients.iter().filter(|(_, client)| client.deadline <= now).map(|(id, _)| *id);
        for id in due.collect::<Vec<_>>() {
            self.feed(id, Input::Timeout(now)).await;
        }
        let gone = self.clients.iter().filter(|(_, client)| !client.rtc.is_alive()).map(|(id, _)| *id);
        gone.collect::<Vec<_>>().into_iter().for_each(|id| self.remove(id));
    }

    async fn feed(&mut self, id: u64, input: Input<'_>) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.rtc.handle_input(input).is_err() {
            return self.remove(id);
        }
        let packets = self.poll(id).await;
        let Some(client) = self.clients.get(&id).filter(|client| client.role == Role::Sender) else { return };
        let receivers = self.receivers.get(&client.stream).cloned().unwrap_or_default();
        for packet in packets {
            for id in &receivers {
                self.forward(*id, &packet).await;
            }
        }
    }

    async fn forward(&mut self, id: u64, packet: &RtpPacket) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some((mid, payload_type)) = client.lane else { return };
        let mut api = client.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(mid, None) else { return };
        let header = &packet.header;
        stream.write_rtp(
            RtpWrite::new(payload_type, packet.seq_no, header.timestamp, packet.timestamp, packet.payload.clone())
                .marker(header.marker)
                .ext_vals(header.ext_vals.clone()),
        );
        if client.rtc.handle_input(Input::Timeout(Instant::now())).is_ok() {
            self.poll(id).await;
        }
    }

    /// Sends what a session has to send, until it waits; gives the packets that came.
    async fn poll(&mut self, id: u64) -> Vec<RtpPacket> {
        let mut packets = Vec::new();
        let Some(client) = self.clients.get_mut(&id) else { return packets };
        loop {
            match client.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    client.deadline = at;
                    return packets;
                }
                Ok(Output::Transmit(transmit)) => {
                    let _ = self.socket.send_to(&transmit.contents, transmit.destination).await;
                }
                Ok(Output::Event(Event::RtpPacket(packet))) => packets.push(packet),
                Ok(Output::Event(Event::MediaAdded(added))) => client.lane = lane(&client.rtc, added.mid),
                Ok(Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected))) => {
                    client.rtc.disconnect();
                }
                Ok(Output::Event(_)) => {}
                Err(_) => return packets,
            }
        }
    }

    fn remove(&mut self, id: u64) {
        if let Some(client) = self.clients.remove(&id) {
            self.receivers.entry(client.stream).or_default().retain(|receiver| *receiver != id);
            self.by_address.retain(|_, owner| *owner != id);
        }
    }
}

/// Opus, as this client wants it.
fn lane(rtc: &Rtc, mid: Mid) -> Option<(Mid, Pt)> {
    let wanted = rtc.media(mid)?.remote_pts();
    let is_opus = |pt: &&Pt| {
        rtc.codec_config().params().iter().any(|params| params.pt() == **pt && params.spec().codec == Codec::Opus)
    };
    wanted.iter().find(is_opus).map(|pt| (mid, *pt))
}
