//! How fast files go over data channels, to one client and to fifty, and what live voice beside them suffers.
//!
//! Daemon and clients share this machine's cores: with fifty clients, most of the work is the clients'. What counts
//! is the voice's delay in the daemon, from a packet's arrival in the kernel until its copy was sent.

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use support::channel::{FileClient, Sent};
use support::http::get;
use support::live::{receiver, sender, start, tone};
use voice_relay::app::App;

const MEGABYTES: usize = 100;
const CLIENTS: usize = 50;
const SECONDS: u64 = 20;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    make_file(&folder.path().join("noise.wav"));
    let folders = format!("--files-folders={}", folder.path().display());
    let data = format!("--data-dir={}", folder.path().join(".data").display());
    let app = start(&[&folders, &data, "--files-per-address=100"]);
    let file = known_file(&app).await;
    one(app.ports.http, &file).await;
    let sender = sender(app.ports, Some(tone(440.0)), 0.0).await;
    let (_signalling, _peer) = receiver(app.ports, Some(&sender.stream)).await;
    tokio::spawn(sender.stay());
    println!("voice, alone for {SECONDS} s: {}", voice(&app).await);
    let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(endless(app.ports.http, file.clone()))).collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = bytes_sent(&app).await;
    println!("voice, beside {CLIENTS} clients: {}", voice(&app).await);
    let rate = (bytes_sent(&app).await - before) * 8.0 / SECONDS as f64 / 1e6;
    println!("{CLIENTS} clients together: {rate:.0} Mbit/s");
    clients.into_iter().for_each(|client| client.abort());
    app.stop().await;
}

/// A WAV file; what is in it is no matter.
fn make_file(path: &std::path::Path) {
    let mut file = File::create(path).expect("made");
    let length = (MEGABYTES << 20) as u32;
    file.write_all(b"RIFF").expect("written");
    file.write_all(&(length - 8).to_le_bytes()).expect("written");
    file.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data").expect("written");
    file.write_all(&(length - 44).to_le_bytes()).expect("written");
    file.set_len(length.into()).expect("a disk with room");
}

async fn known_file(app: &App) -> String {
    loop {
        let listed = get(app.ports.http, "/api/files").await.json();
        if let Some(id) = listed["files"][0]["id"].as_str() {
            return id.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn one(http: SocketAddr, file: &str) {
    let mut client = FileClient::connect(http).await;
    client.say(&json!({ "type": "play", "file": file }));
    client.expect("metadata").await;
    let began = Instant::now();
    let mut bytes = 0;
    while let Some(Sent::Chunk(chunk)) = client.next().await {
        bytes += chunk.len();
    }
    let rate = bytes as f64 * 8.0 / began.elapsed().as_secs_f64() / 1e6;
    println!("one client: {rate:.0} Mbit/s, {bytes} bytes");
}

/// Takes the file, again and again.
async fn endless(http: SocketAddr, file: String) {
    let mut client = FileClient::connect(http).await;
    loop {
        client.say(&json!({ "type": "play", "file": file }));
        while !matches!(client.next().await, Some(Sent::Text(text)) if text["type"] == "complete") {}
    }
}

/// The delay of voice in the daemon, over some seconds: the class that half of the packets are in, and 99 %.
async fn voice(app: &App) -> String {
    let before = classes(app).await;
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    let after = classes(app).await;
    let new: Vec<_> = after.iter().map(|(bound, count)| (bound.clone(), count - count_of(&before, bound))).collect();
    let total = new.last().map_or(0.0, |(_, count)| *count);
    let quantile = |share: f64| new.iter().find(|(_, count)| *count >= total * share).map(|(bound, _)| bound.clone());
    let [half, most] = [0.5, 0.99].map(|share| quantile(share).unwrap_or_default());
    format!("{total} packets, p50 under {half} s, p99 under {most} s")
}

fn count_of(classes: &[(String, f64)], bound: &str) -> f64 {
    classes.iter().find(|(own, _)| own == bound).map_or(0.0, |(_, count)| *count)
}

/// The histogram's classes, each with all before it.
async fn classes(app: &App) -> Vec<(String, f64)> {
    let page = get(app.ports.http, "/metrics").await.text();
    let line = |line: &str| {
        let rest = line.strip_prefix("voice_relay_forward_delay_seconds_bucket{le=\"")?;
        let (bound, count) = rest.split_once("\"} ")?;
        Some((bound.to_owned(), count.parse().ok()?))
    };
    page.lines().filter_map(line).collect()
}

async fn bytes_sent(app: &App) -> f64 {
    let page = get(app.ports.http, "/metrics").await.text();
    let line = page.lines().find_map(|line| line.strip_prefix("voice_relay_files_bytes_total "));
    line.and_then(|value| value.parse().ok()).expect("a counter")
}
