//! How long a tone takes from entering the relay until its bytes have left the socket of a live stream, for
//! each profile; and how long a new listener waits for its first byte.
//!
//! A real sender over UDP speaks bursts of a tone into silence; what arrives over HTTP is decoded by
//! ffmpeg, and each burst found in it is traced back to the moment at which the bytes that it is in
//! arrived. Opus itself delays the tone by some milliseconds before it enters: they are included.

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::client::Voice;
use support::live::{sender, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SECONDS: u64 = 60;

/// Packets of 20 ms from one burst to the next, and in a burst. 460 ms meet MP3 frames in every phase.
const PERIOD: u64 = 23;
const BURST: u64 = 5;

const FILES: [&str; 8] = [
    "mp3",
    "mp3?profile=close",
    "mp3?profile=sonos",
    "mp3?profile=cast",
    "mp3?profile=esphome",
    "mp3?bitrate=64",
    "mp3?chunk=100ms",
    "wav",
];

/// When each burst was sent.
type Sent = Arc<Mutex<Vec<Instant>>>;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let app = start(&[]);
    let sent = Sent::default();
    let sender = sender(app.ports, Some(bursts(Arc::clone(&sent))), 0.0).await;
    let stream = sender.stream.clone();
    tokio::spawn(sender.stay());
    let path = |file: &str| format!("/stream/{stream}.{file}");
    println!("first byte of audio, ms          median    max");
    first_bytes("alone: the encoder starts", app.ports.mp3, &path("mp3")).await;
    let listeners: Vec<_> =
        FILES.map(|file| (file, tokio::spawn(listen(app.ports.mp3, path(file))))).into_iter().collect();
    first_bytes("while others listen", app.ports.mp3, &path("mp3")).await;
    println!("\ndelay of {SECONDS} s of bursts, ms    mean   median   p99    max   bursts");
    for (file, listener) in listeners {
        let heard = listener.await.expect("no panic");
        print_delays(file, &heard, &sent.lock().expect("not poisoned"));
    }
    app.stop().await;
}

/// Silence with bursts of 440 Hz; notes when it makes the first packet of each.
fn bursts(sent: Sent) -> Voice {
    let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).expect("an encoder");
    Box::new(move |number| {
        let phase = number % PERIOD;
        if phase == 0 {
            sent.lock().expect("not poisoned").push(Instant::now());
        }
        let loud = if phase < BURST { 12_000.0 } else { 0.0 };
        let sample = |n: u64| ((n as f64 * 440.0 * std::f64::consts::TAU / 48_000.0).cos() * loud) as i16;
        let pcm: Vec<_> = (number * 960..(number + 1) * 960).map(sample).collect();
        encoder.encode_vec(&pcm, 1_500).expect("encoded")
    })
}

/// The body of an answer, and how much of it had arrived when.
#[derive(Default)]
struct Heard {
    body: Vec<u8>,
    arrivals: Vec<(usize, Instant)>,
}

/// Listens for so long, as a plain client that takes no chunks.
async fn listen(to: SocketAddr, path: String) -> Heard {
    let (mut socket, mut heard) = (begin(to, &path).await, Heard::default());
    let end = Instant::now() + Duration::from_secs(SECONDS);
    let mut bytes = vec![0; 65_536];
    while Instant::now() < end {
        let length = socket.read(&mut bytes).await.expect("a live stream");
        heard.body.extend_from_slice(&bytes[..length]);
        heard.arrivals.push((heard.body.len(), Instant::now()));
    }
    heard
}

/// Asks over HTTP/1.0, and reads the head, byte by byte.
async fn begin(to: SocketAddr, path: &str) -> TcpStream {
    let mut socket = TcpStream::connect(to).await.expect("a listening port");
    socket.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.expect("a head"));
    }
    assert!(head.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&head));
    socket
}

async fn first_bytes(what: &str, to: SocketAddr, path: &str) {
    let mut times = Vec::new();
    for _ in 0..20 {
        let asked = Instant::now();
        let mut socket = begin(to, path).await;
        socket.read_u8().await.expect("audio");
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        drop(socket);
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    times.sort_unstable_by(f64::total_cmp);
    println!("{what:<30} {:>8.1} {:>6.1}", times[times.len() / 2], times[times.len() - 1]);
}

fn print_delays(file: &str, heard: &Heard, sent: &[Instant]) {
    let pcm = decode(heard);
    let bytes_per_sample = heard.body.len() as f64 / pcm.len() as f64;
    let mut delays: Vec<_> = onsets(&pcm)
        .into_iter()
        .filter_map(|sample| delay((sample as f64 * bytes_per_sample) as usize, heard, sent))
        .collect();
    delays.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize];
    let mean = delays.iter().sum::<f64>() / delays.len() as f64;
    let (median, p99, max) = (at(0.5), at(0.99), at(1.0));
    println!("{file:<26} {mean:>8.1} {median:>8.1} {p99:>6.1} {max:>6.1} {:>8}", delays.len());
}

/// From the last burst sent before the bytes came, until they came.
fn delay(byte: usize, heard: &Heard, sent: &[Instant]) -> Option<f64> {
    let came = heard.arrivals.iter().find(|(length, _)| *length > byte)?.1;
    let sent = sent.iter().rfind(|sent| **sent < came)?;
    Some((came - *sent).as_secs_f64() * 1e3)
}

fn decode(heard: &Heard) -> Vec<i16> {
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-i", "-", "-f", "s16le", "-ac", "1", "-ar", "48000", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg is installed");
    let (mut input, body) = (ffmpeg.stdin.take().expect("piped"), heard.body.clone());
    let writer = std::thread::spawn(move || input.write_all(&body));
    let output = ffmpeg.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads");
    output.stdout.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Where bursts begin: loud, after a tenth of a second without.
fn onsets(pcm: &[i16]) -> Vec<usize> {
    let (mut onsets, mut quiet_since) = (Vec::new(), 0);
    for (index, sample) in pcm.iter().enumerate() {
        if sample.abs() > 3_000 {
            if index - quiet_since > 4_800 {
                onsets.push(index);
            }
            quiet_since = index;
        }
    }
    onsets
}
