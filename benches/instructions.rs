//! Instructions of the core for each forwarded packet, counted by callgrind: the same on every machine of a kind, so
//! that what a change costs is seen in the diff of `benches/instructions.txt`.
//!
//! `cargo bench --bench instructions` prints the table; `make instructions` writes it to that file.

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use support::world::{Who, World, relay_address};
use voice_relay::core::{Input, Output, Relay};

const RECEIVERS: [usize; 4] = [1, 10, 100, 500];
const PACKETS: usize = 50;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--counted") {
        let receivers = arguments[at + 2].parse().expect("a number of receivers");
        count(if arguments[at + 1] == "room" { room_of(receivers) } else { talk_with(receivers) });
        return ExitCode::SUCCESS;
    }
    println!("receivers   a stream each   guests of a room   (instructions for each forwarded packet)");
    for receivers in RECEIVERS {
        let counts = ["stream", "room"].map(|kind| instructions(kind, receivers));
        match counts {
            [Some(stream), Some(room)] => println!("{receivers:>9}   {stream:>13}   {room:>16}"),
            _ => {
                eprintln!("valgrind is needed: apt-get install valgrind");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Runs this program under callgrind; gives instructions for each packet that was sealed.
fn instructions(kind: &str, receivers: usize) -> Option<u64> {
    let this = std::env::current_exe().expect("this program");
    let receivers = receivers.to_string();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*carry_one*"])
        .arg(this)
        .args(["--counted", kind, &receivers])
        .output()
        .ok()?;
    let (told, collected) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let sealed: u64 = told.trim().parse().ok()?;
    let (_, collected) = collected.split_once("Collected : ")?;
    let collected: u64 = collected.split_whitespace().next()?.parse().ok()?;
    Some(collected / sealed)
}

/// Lets packets pass, and prints how many copies were sealed of those that are counted.
fn count((mut world, speaker): (World, Who)) {
    let mut sealed = 0;
    for packet in 0..2 * PACKETS {
        world.now += Duration::from_millis(20);
        let now = world.now;
        world[speaker].client.advance(now);
        while let Some((_, payload)) = world[speaker].client.poll() {
            let source = world[speaker].seen_as;
            let input = Input::Datagram { source, destination: relay_address(), payload: &payload };
            // The first ones find out how all is to be sealed.
            if packet < PACKETS {
                carry(&mut world.relay, now, input);
            } else {
                sealed += carry_one(&mut world.relay, now, input);
            }
        }
    }
    println!("{sealed}");
}

/// What is counted: callgrind knows it by its name.
#[inline(never)]
fn carry_one(relay: &mut Relay, now: Instant, input: Input<'_>) -> u32 {
    carry(relay, now, input)
}

#[inline(always)]
fn carry(relay: &mut Relay, now: Instant, input: Input<'_>) -> u32 {
    relay.handle(now, input);
    let mut sealed = 0;
    while let Some(output) = relay.poll() {
        if let Output::Transmit(transmit) = output {
            sealed += u32::from(transmit.forwarded);
            relay.recycle(transmit.payload);
        }
    }
    sealed
}

fn talk_with(receivers: usize) -> (World, Who) {
    let mut world = World::new(1);
    let (speaker, _) = world.talk_with(receivers);
    (world, speaker)
}

fn room_of(guests: usize) -> (World, Who) {
    let mut world = World::new(1);
    let (host, _) = world.broadcast_to(guests);
    (world, host)
}
