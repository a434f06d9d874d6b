//! How far down it could go: what a bare loop spends on a packet that does nothing but send, or seal and send, at the
//! pace and in the batches of the relay, by the relay's own socket. The rest of what `voice-relay-bench` measures is ours.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use voice_relay::core::Transmit;
use voice_relay::engine::SocketStats;
use voice_relay::net::{MediaSocket, Outgoing};

const RECEIVERS: [usize; 5] = [10, 50, 100, 200, 500];
const ROUNDS: usize = 3;
/// One packet each, every 20 ms.
const PACKETS: u32 = 150;
const PACE: Duration = Duration::from_millis(20);
/// Receivers that share a socket, as those of the load generator do.
const SHARE: usize = 32;
/// Header, payload and tag of a packet.
const HEADER: usize = 20;
const PAYLOAD: usize = 160;
const TAG: usize = 16;

fn main() {
    println!("receivers   send      seal and send   (µs of CPU for each packet, the kernel's receiving half included)");
    for _ in 0..ROUNDS {
        for receivers in RECEIVERS {
            let [bare, sealed] = [false, true].map(|seals| spent(receivers, seals));
            println!("{receivers:>9}   {:<7.2}   {:<7.2}", bare.as_secs_f64() * 1e6, sealed.as_secs_f64() * 1e6);
        }
    }
}

/// CPU time for each packet.
fn spent(receivers: usize, seals: bool) -> Duration {
    let sockets: Vec<_> = (0..receivers.div_ceil(SHARE)).map(|_| ear()).collect();
    let addresses: Vec<_> = sockets.iter().map(|socket| socket.local_addr().expect("bound")).collect();
    let over = Arc::new(AtomicBool::new(false));
    let reader = {
        let over = Arc::clone(&over);
        thread::spawn(move || drain(&sockets, &over))
    };
    let cost = thread::spawn(move || speak(receivers, &addresses, seals)).join().expect("no panic");
    over.store(true, Ordering::Relaxed);
    reader.join().expect("no panic");
    cost
}

fn ear() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    socket.set_nonblocking(true).expect("a socket");
    socket
}

fn drain(sockets: &[UdpSocket], over: &AtomicBool) {
    let mut buffer = [0; 2_048];
    while !over.load(Ordering::Relaxed) {
        for socket in sockets {
            while socket.recv(&mut buffer).is_ok() {}
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn speak(receivers: usize, addresses: &[SocketAddr], seals: bool) -> Duration {
    let socket = MediaSocket::bind(Ipv4Addr::LOCALHOST.into(), 0).expect("a port");
    let source = socket.bound();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("a key"));
    let (mut outgoing, mut stats, mut spares) = (Outgoing::default(), SocketStats::default(), Vec::new());
    let (before, start) = (cpu_time(), Instant::now());
    for packet in 0..PACKETS {
        thread::sleep((start + PACE * packet).saturating_duration_since(Instant::now()));
        for receiver in 0..receivers {
            let mut payload: Vec<u8> = spares.pop().unwrap_or_default();
            payload.clear();
            payload.resize(HEADER + PAYLOAD, 1);
            if seals {
                seal(&key, packet, receiver, &mut payload);
            } else {
                payload.resize(HEADER + PAYLOAD + TAG, 1);
            }
            let destination = addresses[receiver / SHARE];
            outgoing.push(Transmit { source, destination, payload, forwarded: true }, start);
            if outgoing.is_full() {
                socket.send(&mut outgoing, &mut stats);
                spares.extend(outgoing.spent());
            }
        }
        socket.send(&mut outgoing, &mut stats);
        spares.extend(outgoing.spent());
    }
    (cpu_time() - before) / (PACKETS * receivers as u32)
}

fn seal(key: &LessSafeKey, packet: u32, receiver: usize, datagram: &mut Vec<u8>) {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&packet.to_be_bytes());
    nonce[4..].copy_from_slice(&(receiver as u64).to_be_bytes());
    let (header, body) = datagram.split_at_mut(HEADER);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&*header), body).expect("sealed");
    datagram.extend_from_slice(tag.as_ref());
}

/// What this thread has used, as the scheduler counts it.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    Duration::from_nanos(text.split(' ').next().and_then(|field| field.parse().ok()).expect("a number"))
}
