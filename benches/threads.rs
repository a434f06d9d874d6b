//! What a second media thread brings: how fast one stream's packets are carried to many receivers, with one and with two.
//!
//! Receivers join as real ones do, and are deaf from then on: their sockets are read no more, and leave the processors to
//! the relay. The sender is one of this machine and waits only where the relay's queue is full.

#[path = "../tests/support/mod.rs"]
mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use support::live::{Peer, loopback_config};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voice_relay::access::{Access, Action, Tokens};
use voice_relay::config;
use voice_relay::core::{LocalPacket, Relay, RelayConfig};
use voice_relay::critical::Critical;
use voice_relay::data::DataFolder;
use voice_relay::domain::{RoomId, StreamId, TrackKind};
use voice_relay::engine::{self, Connected, Engine, LocalSender};
use voice_relay::net::{Admission, Carries, MediaSocket, MediaThread};
use voice_relay::rooms::{Rooms, RoomsHandle};

const ROUNDS: usize = 5;
const RECEIVERS: usize = 400;
const PACKETS: u64 = 1_000;
const PAYLOAD: usize = 160;
/// They come faster than a voice; a millisecond apart, none of them runs ahead of the clock too far.
const SAMPLES: u64 = 48;
const PACE: Duration = Duration::from_millis(20);

fn main() {
    println!("round   copies a second, one thread   two threads   ratio");
    for round in 1..=ROUNDS {
        let [one, two] = [1, 2].map(copies_a_second);
        println!("{round:>5}   {one:>27.0}   {two:>11.0}   {:.2}", two / one);
    }
}

fn copies_a_second(threads: usize) -> f64 {
    let (media, relay) = start(threads);
    let stream = StreamId::of_connection(Uuid::from_u128(1));
    let access = access();
    let talk = access.of_the_machine(Action::Talk, Some(RoomId::HOME));
    let mut speaker = Speaker { sender: relay.local_sender(talk, stream, TrackKind::Voice, String::new()), next: 0 };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (hearing, counting) = (runtime(), runtime());
    // From then on nobody lets the receivers run.
    let _receivers = hearing.block_on(join(&relay, &access, &mut speaker, stream));
    let forwarded = || counting.block_on(relay.stats()).expect("a relay").relay.packets_forwarded;
    let (before, began) = (forwarded(), Instant::now());
    for _ in 0..PACKETS {
        while !speaker.speak() {
            thread::yield_now();
        }
    }
    let copies = PACKETS * RECEIVERS as u64;
    while forwarded() < before + copies {
        assert!(began.elapsed() < Duration::from_secs(60), "packets were lost between the threads");
        thread::sleep(Duration::from_millis(1));
    }
    let rate = copies as f64 / began.elapsed().as_secs_f64();
    media.into_iter().for_each(MediaThread::stop);
    rate
}

fn start(threads: usize) -> (Vec<MediaThread>, Engine) {
    let localhost = IpAddr::from(Ipv4Addr::LOCALHOST);
    let sockets: Vec<_> = (0..threads).map(|_| MediaSocket::bind(localhost, 0).expect("a port")).collect();
    let relay = |(thread, socket): (usize, &MediaSocket)| {
        let addresses: Vec<SocketAddr> = vec![socket.bound()];
        let first_peer = engine::ThreadId::from(thread).first_peer();
        Relay::new(RelayConfig { addresses, first_peer, ..RelayConfig::default() }, Instant::now())
    };
    let mut relays = sockets.iter().enumerate().map(relay);
    let first = relays.next().expect("a thread");
    let Connected { engine: handle, threads, .. } = engine::connect(first, relays.collect());
    let (critical, _ended) = Critical::new(CancellationToken::default());
    let admission = Arc::new(Admission::new(config::AccessMode::Open));
    (MediaThread::start_all(Carries::Voices, sockets, threads, &admission, &critical).expect("threads"), handle)
}

/// Whoever gives the permits.
fn access() -> Access {
    let config = loopback_config(&[]);
    let rooms = RoomsHandle::new(Rooms::new(config.house(), Instant::now(), SystemTime::now()));
    Access::new(Tokens::new(DataFolder::new(config.data_dir)), rooms)
}

/// Everybody, once they hear.
async fn join(relay: &Engine, access: &Access, speaker: &mut Speaker, stream: StreamId) -> Vec<Peer> {
    let hear = access.of_the_machine(Action::Hear, Some(RoomId::HOME));
    speaker.speak();
    let mut receivers = Vec::new();
    while receivers.len() < RECEIVERS {
        let receiver = Peer::new(0.0).await;
        let (peer, subscribed) = relay.subscribe(hear.clone(), Some(stream)).await.expect("a stream");
        let answer = receiver.with(move |client, now| client.accept_offer(&subscribed.offer, now)).await;
        relay.answer(peer, answer).await.expect("a relay").expect("an answer");
        receivers.push(receiver);
        speaker.speak();
    }
    for receiver in &receivers {
        while receiver.packets_received().await == 0 {
            speaker.speak();
            tokio::time::sleep(PACE).await;
        }
    }
    receivers
}

struct Speaker {
    sender: LocalSender,
    next: u64,
}

impl Speaker {
    /// False: the relay is too busy.
    fn speak(&mut self) -> bool {
        let packet = LocalPacket { timestamp: self.next * SAMPLES, level: -20, payload: Arc::new([7; PAYLOAD]) };
        let sent = self.sender.send(packet);
        self.next += u64::from(sent);
        sent
    }
}
