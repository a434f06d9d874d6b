//! What is heard, with a stepped clock, of packets of a tone.

use std::time::Duration;

use super::*;
use crate::audio::format::Bitrate;
use crate::audio::mp3::Mp3Encoder;

const TICK: Duration = Duration::from_millis(20);

/// Packets of a tone, sent every 20 ms.
fn tone(frequency: f64, count: u64, start: Instant) -> Vec<OpusPacket> {
    let packets = (0..count).zip(crate::audio::tone::tone(frequency));
    packets
        .map(|(sequence, payload)| {
            let arrival = start + TICK * sequence as u32;
            OpusPacket { sequence, timestamp: sequence * 960, arrival, payload }
        })
        .collect()
}

/// Plays the packets as they arrive, in ticks of 20 ms.
fn play(packets: Vec<OpusPacket>, start: Instant, ticks: u32) -> Vec<i16> {
    let mut playout = Playout::new(&Arc::default());
    let mut heard = Vec::new();
    let mut packets = packets.into_iter().peekable();
    for tick in 0..ticks {
        let now = start + TICK * tick;
        while let Some(packet) = packets.next_if(|packet| packet.arrival <= now) {
            playout.push(packet);
        }
        let mut pcm = [0; 960];
        playout.fill(now, &mut pcm);
        heard.extend_from_slice(&pcm);
    }
    heard
}

/// Share of the signal's power at this frequency (Goertzel).
fn share_at(frequency: f64, pcm: &[i16]) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency / f64::from(SAMPLE_RATE)).cos();
    let (mut before, mut now, mut power) = (0.0, 0.0, 0.0);
    for sample in pcm.iter().map(|sample| f64::from(*sample)) {
        (before, now) = (now, sample + coefficient * now - before);
        power += sample * sample;
    }
    let magnitude = now * now + before * before - coefficient * now * before;
    magnitude * 2.0 / (pcm.len() as f64 * power.max(1.0))
}

#[test]
fn the_tone_sent_is_the_tone_heard() {
    let start = Instant::now();
    let heard = play(tone(440.0, 100, start), start, 100);
    assert!(share_at(440.0, &heard[48_000..]) > 0.9);
    assert!(share_at(660.0, &heard[48_000..]) < 0.01);
}

#[test]
fn a_lost_packet_leaves_no_hole() {
    let start = Instant::now();
    let mut packets = tone(440.0, 100, start);
    packets.remove(60);
    let heard = play(packets, start, 100);
    let loudness = |pcm: &[i16]| pcm.iter().map(|sample| i64::from(*sample).pow(2)).sum::<i64>();
    let quietest = heard[48_000..].chunks_exact(960).map(loudness).min().expect("chunks");
    assert!(quietest > loudness(&heard[48_000..48_960]) / 20, "concealment fills the hole");
}

#[test]
fn garbage_among_the_packets_costs_only_its_own_time() {
    let start = Instant::now();
    let mut packets = tone(440.0, 200, start);
    for index in (50..100).step_by(7) {
        packets[index].payload = Arc::from([0xff; 40]);
    }
    let heard = play(packets, start, 200);
    assert!(share_at(440.0, &heard[120_000..]) > 0.9);
}

#[test]
fn a_minute_is_a_minute_whatever_the_sender_does() {
    let start = Instant::now();
    for packets in [Vec::new(), tone(440.0, 3_000, start), tone(440.0, 1_000, start)] {
        let mut encoder = Mp3Encoder::new(Bitrate::DEFAULT, Arc::default());
        let mut bytes = 0;
        for pcm in play(packets, start, 3_000).chunks(960) {
            bytes += encoder.encode(pcm).len();
        }
        bytes += encoder.finish().len();
        // 16 bytes a millisecond; the last frame may be incomplete.
        assert!((59_960..=60_040).contains(&(bytes / 16)), "{} ms", bytes / 16);
    }
}

/// How late, in milliseconds, `heard` is after a sender that changes between 400 and 800 Hz every half second.
fn delay_of(heard: &[i16]) -> usize {
    const HOP: usize = 120;
    const WINDOW: usize = 480;
    let is_high: Vec<_> = (0..(heard.len() - WINDOW) / HOP)
        .map(|index| &heard[index * HOP..][..WINDOW])
        .map(|pcm| share_at(800.0, pcm) > share_at(400.0, pcm))
        .collect();
    let agreement = |lag: usize| {
        let sent_high = |index: usize| index.checked_sub(lag).is_some_and(|at| (at * HOP / 24_000) % 2 == 1);
        is_high.iter().enumerate().filter(|(index, high)| sent_high(*index) == **high).count()
    };
    (0..120).max_by_key(|lag| agreement(*lag)).expect("lags") * HOP / 48 + WINDOW / 96
}

#[test]
fn after_ten_minutes_of_loss_jitter_and_drift_the_delay_is_what_it_was() {
    use rand::{Rng, SeedableRng};
    // A second of sound, over and over.
    let start = Instant::now();
    let (low, high) = (tone(400.0, 50, start), tone(800.0, 50, start));
    let payload = |n: u64| if n % 50 < 25 { &low[25].payload } else { &high[25].payload };
    for drift in [-200e-6, 200e-6] {
        let mut random = rand::rngs::StdRng::seed_from_u64(1);
        let mut packets = Vec::new();
        for sequence in (0..31_000).filter(|_| !random.random_bool(0.1)).collect::<Vec<u64>>() {
            let sent = start + TICK.mul_f64(sequence as f64 * (1.0 + drift));
            let arrival = sent + Duration::from_micros(random.random_range(0..80_000));
            let payload = Arc::clone(payload(sequence));
            packets.push(OpusPacket { sequence, timestamp: sequence * 960, arrival, payload });
        }
        packets.sort_by_key(|packet| packet.arrival);
        let heard = play(packets, start, 30_200);
        // Twenty seconds from where a second of the sender begins, by our clock.
        let from = |second: f64| &heard[(second * 48_000.0 * (1.0 + drift)) as usize..][..20 * 48_000];
        let (before, after) = (delay_of(from(20.0)), delay_of(from(580.0)));
        assert!((80..=130).contains(&before), "{before} ms");
        assert!(after.abs_diff(before) <= 20, "drift {drift}: {before} ms, then {after} ms");
    }
}

#[test]
fn a_delay_that_is_too_long_is_shortened_without_a_click() {
    let start = Instant::now();
    let mut packets = tone(300.0, 500, start);
    // The first packets took 60 ms longer than the others.
    for packet in &mut packets[..20] {
        packet.arrival += Duration::from_millis(60);
    }
    let stats = Arc::<AudioStats>::default();
    let mut playout = Playout::new(&stats);
    packets.sort_by_key(|packet| packet.arrival);
    let mut packets = packets.into_iter().peekable();
    let mut heard = Vec::new();
    for tick in 0..900 {
        let now = start + Duration::from_millis(10) * tick;
        while let Some(packet) = packets.next_if(|packet| packet.arrival <= now) {
            playout.push(packet);
        }
        let mut pcm = [0; 480];
        playout.fill(now, &mut pcm);
        heard.extend_from_slice(&pcm);
    }
    assert!(stats.stretched.load(std::sync::atomic::Ordering::Relaxed) > 5);
    let excess = playout.jitter.excess(start + Duration::from_secs(9) + duration(playout.pcm.len() as u64));
    assert!(excess.expect("plays").abs() <= TOLERANCE, "{excess:?}");
    let steady = &heard[48_000..9 * 48_000 - 960];
    let steepest = steady.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max();
    // Of a sine of 300 Hz and 12,000: 471.
    assert!(steepest.expect("samples") < 900, "{steepest:?}");
    assert!(share_at(300.0, &steady[96_000..]) > 0.9);
}
