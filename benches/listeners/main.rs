//! What a listener to a live MP3 costs, and what it gets, with thousands of them: from the real daemon with
//! a real sender, and from icecast2 where it is installed.
//!
//! Machines differ and are noisy: compare lines of one run only.

mod crowd;
mod icecast;
mod listener;
mod process;
mod report;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::time::Duration;

use crowd::{Crowd, LISTENERS};
use icecast::Icecast;
use report::{HEADER, Report};
use support::http::get;
use support::live::{sender, start_program, tone};
use tokio::runtime::Runtime;

const ROUNDS: usize = 2;
const LIMIT: &str = "--limits-mp3-listeners=5000";

/// By so many seconds of sound a listener may be ahead or behind.
const TOLERANCE: f64 = 0.5;

fn main() {
    rlimit::increase_nofile_limit(rlimit::INFINITY).expect("room for sockets");
    let seconds = std::env::var("LISTENERS_SECONDS").map_or(60, |text| text.parse().expect("whole seconds"));
    let time = Duration::from_secs(seconds);
    // One thread is the sender's, this one the listeners'.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    println!("{LISTENERS} listeners for {seconds} s; a CPU of 100 % is one core");
    println!("{:<25} {HEADER}", "who");
    for _ in 0..ROUNDS {
        daemon(&runtime, "", time);
        daemon(&runtime, "?chunk=100ms", time);
        icecast(&runtime, time);
    }
}

/// Measures a daemon of its own, since one keeps the memory that listeners before had.
fn daemon(runtime: &Runtime, query: &str, time: Duration) {
    let (child, ports) = runtime.block_on(start_program(&[LIMIT]));
    let sender = runtime.block_on(sender(ports, Some(tone(440.0)), 0.0));
    let path = format!("/stream/{}.mp3{query}", sender.stream);
    runtime.spawn(sender.stay());
    let crowd = Crowd::gather(&child, ports.mp3, &path);
    let report = crowd.measure(time);
    print(&format!("voice-relay {query}"), &report);
    let metrics = runtime.block_on(get(ports.http, "/metrics")).text();
    assert!(metrics.contains("\nvoice_relay_mp3_encoders 1\n"), "one encoder for all");
    assert_eq!(report.alive, LISTENERS);
    for pace in [report.pace.least, report.pace.most] {
        assert!((pace - 1.0).abs() * time.as_secs_f64() < TOLERANCE, "the pace is {pace}");
    }
}

fn icecast(runtime: &Runtime, time: Duration) {
    match runtime.block_on(Icecast::start()) {
        Some(icecast) => {
            print("icecast2", &Crowd::gather(&icecast.server, icecast.address, icecast::PATH).measure(time));
        }
        None => println!("icecast2 is not installed"),
    }
}

fn print(who: &str, report: &Report) {
    println!("{who:<25} {report}");
    if let Some(why) = &report.ended {
        println!("{:<25} some listeners ended: {why}", "");
    }
}
