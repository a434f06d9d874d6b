//! The buffer under every weather, with a stepped clock: what is played when, and how late.

use std::sync::atomic::Ordering;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const FRAME: Duration = Duration::from_millis(20);
const TICK: Duration = Duration::from_millis(10);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// An Opus packet of 20 ms (SILK, wideband, mono) that carries its number.
fn payload(sequence: u64) -> Arc<[u8]> {
    let mut bytes = vec![9 << 3];
    bytes.extend(sequence.to_be_bytes());
    bytes.into()
}

fn number(payload: &[u8]) -> u64 {
    u64::from_be_bytes(payload[1..9].try_into().expect("eight bytes"))
}

/// A sender's packets on their way, and the buffer at the end of it.
struct Rig {
    start: Instant,
    now: Instant,
    buffer: JitterBuffer,
    stats: Arc<AudioStats>,
    /// By arrival.
    under_way: Vec<OpusPacket>,
    /// Samples asked for in advance.
    ahead: u64,
    /// Packets played, with the delay from being sent to being played.
    played: Vec<(u64, Duration)>,
    /// Samples of what else was played.
    lost: u64,
    bridged: u64,
    silent: u64,
}

impl Rig {
    fn new() -> Self {
        let (start, stats) = (Instant::now(), Arc::<AudioStats>::default());
        let buffer = JitterBuffer::new(Arc::clone(&stats));
        let (under_way, played) = (Vec::new(), Vec::new());
        Self { start, now: start, buffer, stats, under_way, ahead: 0, played, lost: 0, bridged: 0, silent: 0 }
    }

    /// Packets `range`, sent every 20 ms, each arriving after the delay that `network` gives it, if any.
    fn send(&mut self, range: std::ops::Range<u64>, mut network: impl FnMut(u64) -> Option<Duration>) {
        for sequence in range {
            if let Some(delay) = network(sequence) {
                let arrival = self.sent_at(sequence) + delay;
                let packet = OpusPacket { sequence, timestamp: sequence * 960, arrival, payload: payload(sequence) };
                self.under_way.push(packet);
            }
        }
        self.under_way.sort_by_key(|packet| packet.arrival);
    }

    fn sent_at(&self, sequence: u64) -> Instant {
        self.start + FRAME * sequence as u32
    }

    /// Plays for so long, by ticks a little out of step with the sender.
    fn play(&mut self, length: Duration) {
        let end = self.now + length;
        while self.now < end {
            self.now += TICK;
            self.receive(self.now + ms(7));
            self.tick(self.now + ms(7));
        }
    }

    fn receive(&mut self, now: Instant) {
        while self.under_way.first().is_some_and(|packet| packet.arrival <= now) {
            let packet = self.under_way.remove(0);
            self.buffer.push(packet);
        }
    }

    fn tick(&mut self, now: Instant) {
        let wanted = samples(TICK);
        while self.ahead < wanted {
            let at = now + duration(self.ahead);
            self.ahead += match self.buffer.next(at, wanted - self.ahead) {
                Playing::Packet { payload, skip } => {
                    let sequence = number(&payload);
                    self.played
                        .push((sequence, (at - duration(skip)).saturating_duration_since(self.sent_at(sequence))));
                    960 - skip
                }
                Playing::Lost { samples, .. } => tally(&mut self.lost, samples),
                Playing::Bridge(samples) => tally(&mut self.bridged, samples),
                Playing::Silence(samples) => tally(&mut self.silent, samples),
            };
        }
        self.ahead -= wanted;
    }

    fn last_delay(&self) -> Duration {
        self.played.last().expect("something was played").1
    }

    fn assert_in_order(&self) {
        assert!(self.played.windows(2).all(|pair| pair[0].0 < pair[1].0), "played out of order");
    }
}

fn tally(total: &mut u64, samples: u64) -> u64 {
    *total += samples;
    samples
}

#[test]
fn on_a_quiet_network_the_delay_is_thirty_milliseconds_and_twenty_is_aimed_at() {
    let mut rig = Rig::new();
    rig.send(1..500, |_| Some(ms(1)));
    rig.play(ms(9_900));
    rig.assert_in_order();
    assert_eq!(rig.last_delay(), ms(31));
    assert_eq!((rig.lost, rig.bridged), (0, 0));
    assert_eq!(rig.buffer.transit.target(), samples(ms(20)) as i64);
}

#[test]
fn excess_says_how_far_the_delay_is_off() {
    let mut rig = Rig::new();
    rig.send(1..500, |_| Some(ms(1)));
    rig.play(ms(5_000));
    let at = rig.now + ms(7) + TICK + duration(rig.ahead);
    assert_eq!(rig.buffer.excess(at), Some(samples(ms(10)) as i64));
}

#[test]
fn one_lost_packet_leaves_the_delay_as_it_was() {
    let mut rig = Rig::new();
    rig.send(1..500, |sequence| (sequence != 100).then_some(ms(1)));
    rig.play(ms(1_500));
    let before = rig.last_delay();
    rig.play(ms(3_000));
    assert_eq!((rig.lost, rig.bridged), (960, 0));
    assert_eq!(rig.last_delay(), before);
}

#[test]
fn of_lost_packets_the_last_is_asked_of_its_successor() {
    let mut buffer = JitterBuffer::new(Arc::default());
    let start = Instant::now();
    for sequence in [1, 2, 5] {
        let arrival = start + FRAME * sequence as u32;
        buffer.push(OpusPacket { sequence, timestamp: sequence * 960, arrival, payload: payload(sequence) });
    }
    let mut at = start + FRAME + ms(30);
    let mut heard = Vec::new();
    for _ in 0..5 {
        let playing = buffer.next(at, 960);
        at += FRAME;
        heard.push(match playing {
            Playing::Packet { payload, .. } => number(&payload),
            Playing::Lost { samples: 960, successor: None } => 100,
            Playing::Lost { samples: 960, successor: Some(successor) } => 200 + number(&successor),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(heard, [1, 2, 100, 205, 5]);
}

#[test]
fn a_burst_after_a_stall_of_the_network_adds_no_lasting_delay() {
    for stall in [5_u64, 25, 75] {
        let mut rig = Rig::new();
        // Everything sent while it lasts arrives at its end.
        rig.send(1..1_200, |sequence| {
            Some(if (300..300 + stall).contains(&sequence) { FRAME * (300 + stall - sequence) as u32 } else { ms(1) })
        });
        rig.play(ms(5_900));
        let before = rig.last_delay();
        rig.play(ms(4_000));
        rig.assert_in_order();
        assert!(rig.last_delay() <= before + FRAME, "a stall of {stall} packets: {:?}", rig.last_delay());
        rig.play(ms(5_500));
        assert_eq!(rig.buffer.transit.target(), samples(ms(20)) as i64, "what is left of it is drained");
        let all = rig.played.len() as u64;
        assert!(all + stall >= 765, "a stall of {stall} packets, {all} played");
    }
}

#[test]
fn a_stall_of_the_player_costs_no_sound() {
    let mut rig = Rig::new();
    rig.send(1..500, |_| Some(ms(1)));
    rig.play(ms(3_000));
    // The task did not run for 300 ms; the packets are here, and the ticks are made up for.
    rig.receive(rig.now + ms(300));
    rig.play(ms(4_000));
    assert_eq!((rig.lost, rig.bridged), (0, 0));
    assert_eq!(rig.last_delay(), ms(31));
}

#[test]
fn jitter_and_reordering_lose_little_and_add_bounded_delay() {
    for seed in 0..20 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut rig = Rig::new();
        rig.send(1..3_000, |_| Some(Duration::from_micros(random.random_range(0..30_000))));
        rig.play(ms(59_000));
        rig.assert_in_order();
        assert!(rig.played.len() > 2_850, "seed {seed}: {} played", rig.played.len());
        let worst = rig.played.iter().map(|(_, delay)| *delay).max().expect("played");
        assert!(worst < ms(70), "seed {seed}: {worst:?}");
    }
}

#[test]
fn the_target_follows_the_jitter_up_and_down() {
    let mut random = StdRng::seed_from_u64(3);
    let mut rig = Rig::new();
    let mut wild = |sequence: u64| if (300..900).contains(&sequence) { random.random_range(0..80_000) } else { 500 };
    rig.send(1..1_500, |sequence| Some(Duration::from_micros(wild(sequence))));
    let mut target_after = |time| {
        rig.play(ms(time));
        duration(rig.buffer.transit.target() as u64)
    };
    let (calm, wild, calm_again) = (target_after(5_900), target_after(11_000), target_after(12_000));
    assert_eq!((calm, calm_again), (ms(20), ms(20)));
    assert!((ms(80)..ms(95)).contains(&wild), "{wild:?}");
}

#[test]
fn five_percent_loss_is_passed_over_in_time() {
    let mut random = StdRng::seed_from_u64(5);
    let mut rig = Rig::new();
    rig.send(1..3_000, |_| (!random.random_bool(0.05)).then_some(ms(2)));
    rig.play(ms(59_000));
    assert_eq!(rig.last_delay(), ms(32));
    let missing = (rig.lost + rig.bridged) / 960;
    assert!((100..250).contains(&missing), "{missing} missing");
}

#[test]
fn a_pause_of_the_sender_is_silence_and_adds_no_delay() {
    let mut rig = Rig::new();
    rig.send(1..100, |_| Some(ms(1)));
    rig.send(600..800, |_| Some(ms(1)));
    // DTX leaves no gap in the sequence.
    for packet in &mut rig.under_way {
        if packet.sequence >= 600 {
            packet.sequence -= 500;
        }
    }
    rig.play(ms(17_000));
    assert_eq!((rig.lost, rig.played.len()), (0, 299));
    assert!(rig.last_delay() <= ms(31), "{:?}", rig.last_delay());
}

#[test]
fn a_sender_whose_time_stands_still_in_a_pause_is_heard_again_soon() {
    let mut rig = Rig::new();
    rig.send(1..400, |_| Some(ms(1)));
    for packet in &mut rig.under_way {
        if packet.sequence >= 100 {
            packet.arrival += ms(5_000);
        }
    }
    rig.play(ms(13_500));
    assert!(rig.played.len() >= 399 - 6, "{} played", rig.played.len());
    assert!(rig.last_delay() <= ms(5_031), "{:?}", rig.last_delay());
}

#[test]
fn a_way_that_becomes_longer_for_good_is_followed_at_once() {
    let mut rig = Rig::new();
    rig.send(1..400, |sequence| Some(if sequence < 100 { ms(1) } else { ms(500) }));
    rig.play(ms(9_000));
    assert!(rig.played.len() >= 399 - 30, "{} played", rig.played.len());
    assert!(rig.last_delay() <= ms(531), "{:?}", rig.last_delay());
}

#[test]
fn a_sender_that_jumps_far_ahead_is_followed_at_once() {
    let mut rig = Rig::new();
    rig.send(1..100, |_| Some(ms(1)));
    rig.play(ms(1_900));
    rig.under_way.clear();
    for index in 0..50 {
        let (sequence, timestamp) = (1_000_000 + index, 7_000_000_000 + index * 960);
        let arrival = rig.now + FRAME * index as u32;
        rig.under_way.push(OpusPacket { sequence, timestamp, arrival, payload: payload(100) });
    }
    let before = rig.played.len();
    rig.play(ms(1_100));
    assert_eq!(rig.played.len(), before + 50);
}

#[test]
fn doubles_and_latecomers_are_dropped_and_counted() {
    let mut rig = Rig::new();
    rig.send(1..100, |_| Some(ms(1)));
    rig.send(1..100, |_| Some(ms(2)));
    rig.play(ms(2_500));
    rig.assert_in_order();
    assert_eq!(rig.played.len(), 99);
    assert_eq!(rig.stats.late.load(Ordering::Relaxed), 99);
}

#[test]
fn a_flood_is_bounded() {
    let mut buffer = JitterBuffer::new(Arc::default());
    let stats = Arc::clone(&buffer.stats);
    let now = Instant::now();
    for sequence in 1..=100_000 {
        buffer.push(OpusPacket { sequence, timestamp: 0, arrival: now, payload: payload(sequence) });
        assert!(buffer.packets.len() <= CAPACITY);
    }
    assert_eq!(stats.overflow.load(Ordering::Relaxed) + buffer.packets.len() as u64, 100_000);
}

#[test]
fn garbage_never_stops_the_clock() {
    let mut random = StdRng::seed_from_u64(11);
    let mut buffer = JitterBuffer::new(Arc::default());
    let start = Instant::now();
    for tick in 0..20_000_u32 {
        let now = start + TICK * tick;
        let (sequence, timestamp) = (random.random::<u64>() >> 14, random.random::<u64>() >> 14);
        let bits = random.random_range(0..50);
        let (sequence, timestamp) = (sequence >> bits, timestamp >> bits);
        let payload = vec![random.random(); random.random_range(0..4)].into();
        buffer.push(OpusPacket { sequence, timestamp, arrival: now, payload });
        let mut heard = 0;
        for _ in 0..1_000 {
            heard += match buffer.next(now + duration(heard), 480) {
                Playing::Packet { .. } => 0,
                Playing::Lost { samples, .. } | Playing::Bridge(samples) | Playing::Silence(samples) => samples,
            };
            if heard >= 480 {
                break;
            }
        }
        assert!(heard >= 480, "tick {tick}");
    }
}
