//! How long the relay itself holds a packet, and what a forwarded packet costs.
//!
//! The delay is the daemon's own histogram: from the packet's arrival in the kernel until the copy
//! for one receiver was sent, over real sockets on loopback, to full clients in the same process. The cost
//! is the core's CPU time in the simulator, its clients' left out. Machines differ and are noisy:
//! compare lines of one run only.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::http::get;
use support::live::{receiver, sender, start};
use support::world::{Who, World, relay_address};
use voice_relay::core::{Input, Output};

const RECEIVERS: [usize; 3] = [1, 50, 200];
const ROUNDS: usize = 3;
const SECONDS: u64 = 5;

fn main() {
    println!("receivers   p50      p90      p99      (forward delay, upper bounds of histogram classes)");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    for _ in 0..ROUNDS {
        for receivers in RECEIVERS {
            runtime.block_on(delay(receivers));
        }
    }
    println!("receivers   CPU of the core for each forwarded packet   the same for guests of a room   ratio");
    for _ in 0..ROUNDS {
        for receivers in RECEIVERS {
            let [alone, in_room] = [cost(talk_with(receivers)), cost(broadcast_to(receivers))];
            let [alone, in_room] = [alone, in_room].map(|cost| cost.as_secs_f64() * 1e6);
            println!("{receivers:>9}   {alone:<43.2} us   {in_room:<27.2} us   {:.2}", in_room / alone);
        }
    }
}

/// A sender, and so many who hear it by a connection each.
fn talk_with(receivers: usize) -> (World, Who) {
    let mut world = World::new(1);
    let (speaker, _) = world.talk_with(receivers);
    (world, speaker)
}

/// The host of a room, and so many guests with four slots each.
fn broadcast_to(guests: usize) -> (World, Who) {
    let mut world = World::new(1);
    let (host, _) = world.broadcast_to(guests);
    (world, host)
}

/// Measures the delay with so many receivers, and prints a line.
async fn delay(receivers: usize) {
    let app = start(&["--limits-peers=10000"]);
    let sender = sender(app.ports, None, 0.0).await;
    let mut listeners = Vec::new();
    for _ in 0..receivers {
        listeners.push(receiver(app.ports, Some(&sender.stream)).await);
    }
    for (_, peer) in &listeners {
        peer.wait_for_packets(1).await;
    }
    let before = classes(&get(app.ports.http, "/metrics").await.text());
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    let after = classes(&get(app.ports.http, "/metrics").await.text());
    let counts: Vec<_> =
        before.iter().zip(&after).map(|((bound, before), (_, after))| (*bound, after - before)).collect();
    let quantile = |share: f64| {
        let wanted = counts.last().expect("classes").1 as f64 * share;
        counts.iter().find(|(_, count)| *count as f64 >= wanted).expect("a class").0 * 1e3
    };
    println!("{receivers:>9}   {:.2} ms  {:.2} ms  {:.2} ms", quantile(0.5), quantile(0.9), quantile(0.99));
    app.stop().await;
}

/// (upper bound in seconds, how many came no later) of the daemon's histogram.
fn classes(metrics: &str) -> Vec<(f64, u64)> {
    let prefix = "voice_relay_forward_delay_seconds_bucket{le=\"";
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(prefix)?.split_once("\"} "));
    lines.map(|(bound, count)| (bound.parse().unwrap_or(f64::INFINITY), count.parse().expect("a count"))).collect()
}

/// CPU time of the core for each packet sealed: datagrams of a real sender, receivers that were connected.
fn cost((mut world, speaker): (World, Who)) -> Duration {
    world.run_for(Duration::from_secs(1));
    let (mut spent, mut sealed) = (Duration::ZERO, 0_u32);
    for _ in 0..200 {
        world.now += Duration::from_millis(20);
        let now = world.now;
        world[speaker].client.advance(now);
        while let Some((_, payload)) = world[speaker].client.poll() {
            let source = world[speaker].seen_as;
            let before = Instant::now();
            world.relay.handle(now, Input::Datagram { source, destination: relay_address(), payload: &payload });
            while let Some(output) = world.relay.poll() {
                if let Output::Transmit(transmit) = output {
                    sealed += u32::from(transmit.forwarded);
                    world.relay.recycle(transmit.payload);
                }
            }
            spent += before.elapsed();
        }
    }
    spent / sealed.max(1)
}
