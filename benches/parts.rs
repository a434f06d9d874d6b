//! The parts of the way of a packet, one by one: `cargo bench --bench parts` prints one table. Compare lines of one run.

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use opus::{Application, Channels, Encoder};
use support::world::{Who, World, relay_address};
use voice_relay::audio::Bitrate;
use voice_relay::audio::parts::{Mixer, Mp3, PlayoutPart};
use voice_relay::core::{Input, Output, RelayConfig};
use voice_relay::domain::OpusPacket;

/// Samples of 20 ms.
const FRAME: usize = 960;

/// Packets of a second.
const SECOND: usize = 50;

fn main() {
    divan::main();
}

/// A packet through the core, to so many receivers. A line's items are the copies that were sealed.
#[divan::bench(args = [1, 10, 100, 1_000], sample_count = 50)]
fn core(bencher: Bencher<'_, '_>, receivers: usize) {
    let mut world = World::with_config(1, RelayConfig { max_peers: 2_000, ..RelayConfig::default() });
    let (speaker, _) = world.talk_with(receivers);
    bencher
        .counter(ItemsCount::new(receivers))
        .bench_local(|| assert!(carry(&mut world, speaker) >= receivers, "everybody is sent a copy"));
}

/// The next packet of the sender; gives how many copies were sealed. The client's part is measured as well: one packet
/// of its own, whoever hears it.
fn carry(world: &mut World, speaker: Who) -> usize {
    let mut sealed = 0;
    world.now += Duration::from_millis(20);
    let now = world.now;
    world[speaker].client.advance(now);
    while let Some((_, payload)) = world[speaker].client.poll() {
        let source = world[speaker].seen_as;
        world.relay.handle(now, Input::Datagram { source, destination: relay_address(), payload: &payload });
        while let Some(output) = world.relay.poll() {
            if let Output::Transmit(transmit) = output {
                sealed += usize::from(transmit.forwarded);
                world.relay.recycle(black_box(transmit.payload));
            }
        }
    }
    sealed
}

/// A second of a tone as MP3.
#[divan::bench]
fn mp3_encoder_for_a_second(bencher: Bencher<'_, '_>) {
    let tone = tone();
    let mut encoder = Mp3::new(Bitrate::DEFAULT);
    bencher.bench_local(|| tone.chunks(FRAME).map(|frame| encoder.encode(frame).len()).sum::<usize>());
}

/// A second of Opus through jitter buffer and decoder.
#[divan::bench]
fn jitter_buffer_and_decoder_for_a_second(bencher: Bencher<'_, '_>) {
    let packets = packets();
    let (mut playout, mut out) = (PlayoutPart::default(), [0; FRAME]);
    let (mut number, mut now) = (0_u64, Instant::now());
    bencher.bench_local(|| {
        for payload in &packets {
            let (sequence, timestamp) = (1_000 + number, 960 * number);
            playout.push(OpusPacket { sequence, timestamp, arrival: now, payload: Arc::clone(payload) });
            playout.fill(now, &mut out);
            number += 1;
            now += Duration::from_millis(20);
        }
        out[0]
    });
}

/// A second of so many voices at once.
#[divan::bench(args = [1, 4, 20])]
fn mixer_for_a_second(bencher: Bencher<'_, '_>, voices: usize) {
    let tone = tone();
    let (mut mixer, mut mix, mut out) = (Mixer::new(voices), [0.0; FRAME], [0; FRAME]);
    bencher.bench_local(|| {
        for frame in tone.chunks(FRAME) {
            mixer.mix(black_box(frame), &mut mix, &mut out);
        }
        out[0]
    });
}

/// A second of 440 Hz.
fn tone() -> Vec<i16> {
    let sample = |at: usize| (8_000.0 * (at as f64 * 440.0 * std::f64::consts::TAU / 48_000.0).sin()) as i16;
    (0..SECOND * FRAME).map(sample).collect()
}

fn packets() -> Vec<Arc<[u8]>> {
    let mut encoder = Encoder::new(48_000, Channels::Mono, Application::Voip).expect("an encoder");
    tone().chunks(FRAME).map(|frame| encoder.encode_vec(frame, 1_275).expect("a packet").into()).collect()
}
