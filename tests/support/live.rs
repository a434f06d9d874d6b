//! The real daemon on real sockets, and clients for it: WebSocket and UDP, with the same sans-IO
//! peer connection that the simulator uses.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use voice_relay::app::{App, Ports};
use voice_relay::config::{self, Config};
use voice_relay::hass::Home;

use super::client::{Client, Voice};
use super::http::get;

/// Anything on loopback is done by then, on the busiest machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// All clients of a test have one address.
pub const UNHURRIED: [&str; 4] =
    ["--limits-requests=1000000", "--limits-messages=1000000", "--limits-joins=1000000", "--limits-share=100"];

/// A configuration on free ports of the loopback, with these flags besides.
pub fn loopback_config(flags: &[&str]) -> Config {
    let ours = ["voice-relay", "--bind=127.0.0.1", "--http-port=0", "--mp3-port=0", "--media-port=0", "--tls-mode=off"];
    let files = ["--files-port=0", "--video-port=0", "--files-folders=off", &format!("--data-dir={}", data_folder())];
    let arguments = ours.iter().chain(&files).chain(&UNHURRIED).chain(flags).map(Into::into);
    // Those who want a node of ESPHome's say so by flags, which go before.
    config::load(arguments, [("VOICE_RELAY__ESPHOME__LISTEN".into(), "off".into())])
        .expect("a valid configuration")
        .config
}

/// A folder for what one daemon keeps, and no other. It is made when there is something to keep.
fn data_folder() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    format!("{}/data-{process}-{number}", env!("CARGO_TARGET_TMPDIR"))
}

/// A daemon in this process.
pub fn start(flags: &[&str]) -> App {
    read_files();
    App::start(&loopback_config(flags), &Home::default()).expect("free ports")
}

/// Audio files are read by the program, and not by the test.
pub fn read_files() {
    voice_relay::library::read_by(env!("CARGO_BIN_EXE_voice-relay").into());
}

/// The program itself, on the loopback; killed when its handle is dropped.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_voice-relay"));
    // Those who want files, or a node of ESPHome's, say so by flags, which go before.
    command
        .env("VOICE_RELAY__FILES__PORT", "0")
        .env("VOICE_RELAY__VIDEO__PORT", "0")
        .env("VOICE_RELAY__FILES__FOLDERS", "off");
    command.env("VOICE_RELAY__ESPHOME__LISTEN", "off");
    command.env("VOICE_RELAY__DATA_DIR", data_folder());
    command.env("VOICE_RELAY__BIND", "127.0.0.1").kill_on_drop(true).stdout(Stdio::piped());
    command
}

/// The program on free ports without TLS, with these flags besides, once it says where it listens.
pub async fn start_program(flags: &[&str]) -> (Child, Ports) {
    run_program(&[flags, &["--tls-mode=off", "--log-level=warn"]].concat()).await
}

/// The program on free ports, with TLS and its keys in this folder, once it says where it listens.
pub async fn start_tls_program(data_dir: &Path, flags: &[&str]) -> (Child, Ports) {
    let data_dir = format!("--data-dir={}", data_dir.display());
    run_program(&[flags, &[&data_dir, "--http-tls-port=0"]].concat()).await
}

async fn run_program(flags: &[&str]) -> (Child, Ports) {
    start_command(program(), flags).await
}

/// This command of the program on free ports, with these flags besides, once it says where it listens.
pub async fn start_command(mut command: Command, flags: &[&str]) -> (Child, Ports) {
    let ours = ["--http-port=0", "--mp3-port=0", "--media-port=0"];
    let mut child = command.args(ours).args(UNHURRIED).args(flags).spawn().expect("the program");
    let ports = ports_of(&mut child).await;
    (child, ports)
}

/// Ends the program as its supervisor does, and waits until it has.
pub async fn end(child: &mut Child) {
    let pid = child.id().expect("running").to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill is installed");
    assert!(told.success(), "it runs");
    tokio::time::timeout(PATIENCE, child.wait()).await.expect("in time").expect("ended");
}

/// Where a program that was just started says that it listens.
pub async fn ports_of(child: &mut Child) -> Ports {
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line =
        tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("read").expect("a line");
    let port = |name: &str| {
        let value = line.split(' ').find_map(|word| word.strip_prefix(name))?;
        let port: u16 = value.trim_end_matches("/udp").parse().expect("a number");
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    };
    let at = |name| port(name).expect("a port");
    Ports {
        http: at("http="),
        mp3: at("mp3="),
        media: at("media="),
        files: at("files="),
        video: at("video="),
        https: port("https="),
        ingress: None,
    }
}

/// Where a file of `/stream/` is.
pub fn url(app: &App, file: &str) -> String {
    format!("http://{}/stream/{file}", app.ports.mp3)
}

/// A metric's value; counters may be named without their `_total`.
pub async fn metric(ports: Ports, name: &str) -> u64 {
    let page = get(ports.http, "/metrics").await.text();
    let value = page.lines().find_map(|line| {
        let rest = line.strip_prefix("voice_relay_")?.strip_prefix(name)?;
        rest.strip_prefix("_total").unwrap_or(rest).strip_prefix(' ')?.parse().ok()
    });
    value.unwrap_or_else(|| panic!("{name}"))
}

/// Waits until a metric has this value.
pub async fn metric_becomes(ports: Ports, name: &str, wanted: u64) {
    let limit = Instant::now() + PATIENCE;
    while metric(ports, name).await != wanted {
        assert!(Instant::now() < limit, "{name} is {}, not {wanted}", metric(ports, name).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A signalling connection.
pub struct Signalling {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Signalling {
    /// Connects at this path.
    pub async fn connect(http: SocketAddr, path: &str) -> Self {
        let (socket, _) = tokio_tungstenite::connect_async(format!("ws://{http}{path}")).await.expect("a WebSocket");
        Self { socket }
    }

    /// Connects from this address of the loopback.
    pub async fn connect_from(from: [u8; 4], http: SocketAddr, path: &str) -> Self {
        Self::try_connect_from(from, http, path).await.expect("a WebSocket")
    }

    /// The same, where it may be refused.
    pub async fn try_connect_from(from: [u8; 4], http: SocketAddr, path: &str) -> Option<Self> {
        let request = format!("ws://{http}{path}").into_client_request().expect("an address");
        Self::ask_from(from, http, request).await
    }

    /// The same, with headers of its own.
    pub async fn ask_from(from: [u8; 4], http: SocketAddr, request: Request) -> Option<Self> {
        let connect = async {
            let socket = TcpSocket::new_v4().ok()?;
            socket.bind(SocketAddr::from((from, 0))).ok()?;
            let stream = MaybeTlsStream::Plain(socket.connect(http).await.ok()?);
            let (socket, _) = tokio_tungstenite::client_async(request, stream).await.ok()?;
            Some(Self { socket })
        };
        tokio::time::timeout(PATIENCE, connect).await.ok()?
    }

    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        assert!(self.try_send(text).await, "an open socket");
    }

    /// Whether it could be sent.
    pub async fn try_send(&mut self, text: &str) -> bool {
        self.socket.send(Message::text(text)).await.is_ok()
    }

    /// The next frame; `None` when the socket was closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a frame in time");
            match frame {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame of this type; others are passed over.
    pub async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.expect("an open socket");
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Whether a frame of this type comes within the time.
    pub async fn hears_within(&mut self, time: Duration, kind: &str) -> bool {
        tokio::time::timeout(time, self.expect(kind)).await.is_ok()
    }

    /// Reads what the daemon says, and so answers its pings, until it closes the socket.
    pub async fn stay(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    pub async fn close(mut self) {
        self.socket.close(None).await.expect("closed");
    }
}

/// A peer connection over a real UDP socket, driven by a task of its own.
pub struct Peer {
    acts: mpsc::UnboundedSender<Act>,
}

type Act = Box<dyn FnOnce(&mut Client, Instant) + Send>;

impl Peer {
    /// `loss` is the share of its own packets, RTP and all, that the network loses.
    pub async fn new(loss: f64) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let client = Client::new(socket.local_addr().expect("bound"), Instant::now());
        let (acts, receiver) = mpsc::unbounded_channel();
        tokio::spawn(drive(socket, client, receiver, loss));
        Self { acts }
    }

    /// Does something with the connection, now.
    pub async fn with<T: Send + 'static>(&self, act: impl FnOnce(&mut Client, Instant) -> T + Send + 'static) -> T {
        let (reply, answer) = oneshot::channel();
        let act: Act = Box::new(move |client, now| drop(reply.send(act(client, now))));
        self.acts.send(act).expect("the driver lives");
        answer.await.expect("the driver lives")
    }

    pub async fn packets_received(&self) -> usize {
        self.with(|client, _| client.received.len()).await
    }

    /// Waits until this many packets have come.
    pub async fn wait_for_packets(&self, count: usize) {
        let limit = Instant::now() + PATIENCE;
        while self.packets_received().await < count {
            assert!(Instant::now() < limit, "{count} packets did not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn drive(socket: UdpSocket, mut client: Client, mut acts: mpsc::UnboundedReceiver<Act>, loss: f64) {
    let mut random = StdRng::seed_from_u64(7);
    let mut buffer = [0; 2_048];
    loop {
        tokio::select! {
            act = acts.recv() => match act {
                Some(act) => act(&mut client, Instant::now()),
                None => return,
            },
            received = socket.recv_from(&mut buffer) => {
                if let Ok((length, source)) = received {
                    client.receive(source, &buffer[..length], Instant::now());
                }
            }
            () = tokio::time::sleep_until(client.deadline().into()) => client.advance(Instant::now()),
        }
        while let Some((destination, payload)) = client.poll() {
            let is_media = payload[0] >= 128;
            if !(is_media && random.random_bool(loss)) {
                let _ = socket.send_to(&payload, destination).await;
            }
        }
    }
}

/// A sender: its signalling, its connection, its stream.
pub struct Sender {
    pub signalling: Signalling,
    pub peer: Peer,
    pub stream: String,
}

impl Sender {
    /// Reads what the daemon says, and so answers its pings, until it closes the socket.
    pub async fn stay(self) {
        self.signalling.stay().await;
    }
}

/// Connects a sender that talks, and waits until it can be heard.
pub async fn sender(ports: Ports, voice: Option<Voice>, loss: f64) -> Sender {
    send_from(ports, json!({ "type": "start_sending" }), voice, loss).await
}

/// The same, of a sender that says its name.
pub async fn named_sender(ports: Ports, name: &str, voice: Option<Voice>) -> Sender {
    send_from(ports, json!({ "type": "start_sending", "name": name }), voice, 0.0).await
}

/// The same, in this room, once it is heard there.
pub async fn sender_in(ports: Ports, room: &str, voice: Option<Voice>) -> Sender {
    sender_with(ports, "", room, voice).await
}

async fn send_from(ports: Ports, start: Value, voice: Option<Voice>, loss: f64) -> Sender {
    let mut signalling = Signalling::connect(ports.http, "/ws").await;
    let peer = Peer::new(loss).await;
    let stream = negotiate(&mut signalling, start, &peer, voice).await;
    loop {
        if signalling.expect("stream_available").await["stream_id"] == *stream {
            return Sender { signalling, peer, stream };
        }
    }
}

/// The same, with what is before the paths of its token.
pub async fn sender_with(ports: Ports, prefix: &str, room: &str, voice: Option<Voice>) -> Sender {
    let mut signalling = Signalling::connect(ports.http, &format!("{prefix}/ws")).await;
    let peer = Peer::new(0.0).await;
    let stream = negotiate(&mut signalling, json!({ "type": "start_sending", "room": room }), &peer, voice).await;
    let (status, limit) = (format!("{prefix}/stream/room/{room}/status"), Instant::now() + PATIENCE);
    while !get(ports.mp3, &status).await.text().contains(&stream) {
        assert!(Instant::now() < limit, "{stream} is not heard in {room}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Sender { signalling, peer, stream }
}

/// Signals a sender up to its answer; gives its stream's id.
pub async fn offer_to_send(signalling: &mut Signalling, peer: &Peer, voice: Option<Voice>) -> String {
    negotiate(signalling, json!({ "type": "start_sending" }), peer, voice).await
}

async fn negotiate(signalling: &mut Signalling, start: Value, peer: &Peer, voice: Option<Voice>) -> String {
    signalling.send(start).await;
    let ready = signalling.expect("sender_ready").await;
    let offer = peer.with(|client, _| client.offer(false)).await;
    signalling.send(json!({ "type": "webrtc_offer", "offer": { "type": "offer", "sdp": offer } })).await;
    let answer = sdp_of(&signalling.expect("webrtc_answer").await["answer"]);
    peer.with(move |client, now| {
        client.accept_answer(&answer, now);
        client.voice = voice;
        client.talk(now);
    })
    .await;
    format!("stream_{}", ready["connection_id"].as_str().expect("an id"))
}

/// Connects a receiver of this stream, or of the newest.
pub async fn receiver(ports: Ports, stream: Option<&str>) -> (Signalling, Peer) {
    let mut signalling = Signalling::connect(ports.http, "/").await;
    let peer = Peer::new(0.0).await;
    signalling.send(json!({ "type": "start_receiving", "stream_id": stream })).await;
    let offer = signalling.expect("webrtc_offer").await;
    answer_offer(&mut signalling, &peer, &offer).await;
    (signalling, peer)
}

/// Answers an offer to receive.
pub async fn answer_offer(signalling: &mut Signalling, peer: &Peer, offer: &Value) {
    let offer = sdp_of(&offer["offer"]);
    let answer = peer.with(move |client, now| client.accept_offer(&offer, now)).await;
    signalling.send(json!({ "type": "webrtc_answer", "answer": { "type": "answer", "sdp": answer } })).await;
}

/// Somebody in a room.
pub struct Participant {
    pub signalling: Signalling,
    pub peer: Peer,
    /// Its id, and what it comes back with.
    pub id: String,
    pub key: String,
}

/// Joins a room with this message, and connects with four slots; says nothing yet.
pub async fn participant(ports: Ports, join: Value) -> Participant {
    participant_at(ports, "/ws", join).await
}

/// The same, by a socket at this path, which may hold a token.
pub async fn participant_at(ports: Ports, path: &str, join: Value) -> Participant {
    join_by(Signalling::connect(ports.http, path).await, join).await
}

/// The same, of somebody who is connected.
pub async fn join_by(mut signalling: Signalling, join: Value) -> Participant {
    signalling.send(join).await;
    let joined = signalling.expect("joined").await;
    let text = |field: &str| joined[field].as_str().expect("a text").to_owned();
    let (id, key) = (text("you"), text("key"));
    let peer = Peer::new(0.0).await;
    connect_participant(&mut signalling, &peer).await;
    Participant { signalling, peer, id, key }
}

/// Offers a participant's connection, and takes the answer; gives it.
pub async fn connect_participant(signalling: &mut Signalling, peer: &Peer) -> Value {
    let offer = peer.with(|client, _| client.offer_to_join(4)).await;
    signalling.send(json!({ "type": "offer", "sdp": offer })).await;
    let answer = signalling.expect("answer").await;
    let sdp = sdp_of(&answer);
    peer.with(move |client, now| client.accept_answer(&sdp, now)).await;
    answer
}

impl Participant {
    pub async fn say(&mut self, message: Value) {
        self.signalling.send(message).await;
    }

    /// Talks from now on.
    pub async fn talk(&mut self) {
        self.say(json!({ "type": "talk", "on": true })).await;
        self.peer.with(super::client::Client::talk).await;
    }

    /// Does what a host may.
    pub async fn host(&mut self, action: &str, who: &str) {
        self.say(json!({ "type": "host", "action": action, "who": who })).await;
    }
}

fn sdp_of(description: &Value) -> String {
    description["sdp"].as_str().expect("SDP").to_owned()
}

/// A tone of this frequency as Opus, 20 ms a packet.
pub fn tone(frequency: f64) -> Voice {
    let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).expect("an encoder");
    encoder.set_inband_fec(true).expect("set");
    encoder.set_packet_loss_perc(10).expect("set");
    let sample = move |n: u64| ((n as f64 * frequency * std::f64::consts::TAU / 48_000.0).sin() * 12_000.0) as i16;
    Box::new(move |number| {
        let pcm: Vec<_> = (number * 960..(number + 1) * 960).map(sample).collect();
        encoder.encode_vec(&pcm, 1_500).expect("encoded")
    })
}

/// Waits until this holds.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "not in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
