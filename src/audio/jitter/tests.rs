//! The buffer under every weather, with a stepped clock: who is played when, and how late.

use std::sync::atomic::Ordering;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const FRAME: Duration = Duration::from_millis(20);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A sender's packets on their way, and the buffer at the end of it.
struct Rig {
    start: Instant,
    now: Instant,
    buffer: JitterBuffer,
    stats: Arc<AudioStats>,
    /// By arrival.
    under_way: Vec<OpusPacket>,
    /// Packets played, with the delay from being sent to being played.
    played: Vec<(u64, Duration)>,
    /// What else was played, for each tick.
    lost: usize,
    bridged: usize,
    silent: usize,
}

impl Rig {
    fn new() -> Self {
        let (start, stats) = (Instant::now(), Arc::<AudioStats>::default());
        let buffer = JitterBuffer::new(Arc::clone(&stats));
        let (under_way, played) = (Vec::new(), Vec::new());
        Self { start, now: start, buffer, stats, under_way, played, lost: 0, bridged: 0, silent: 0 }
    }

    /// Packets `range`, sent every 20 ms, each arriving after the delay that `network` gives it, if any.
    fn send(&mut self, range: std::ops::Range<u64>, mut network: impl FnMut(u64) -> Option<Duration>) {
        for sequence in range {
            if let Some(delay) = network(sequence) {
                let arrival = self.sent_at(sequence) + delay;
                let payload = Arc::from(sequence.to_be_bytes());
                self.under_way.push(OpusPacket { sequence, timestamp: sequence * 960, arrival, payload });
            }
        }
        self.under_way.sort_by_key(|packet| packet.arrival);
    }

    fn sent_at(&self, sequence: u64) -> Instant {
        self.start + FRAME * sequence as u32
    }

    /// Plays for so long, by ticks of the length of a packet, a little out of step with the sender.
    fn play(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.now += FRAME;
            let tick = self.now + ms(7);
            while self.under_way.first().is_some_and(|packet| packet.arrival <= tick) {
                let packet = self.under_way.remove(0);
                self.buffer.push(packet);
            }
            self.note(tick);
        }
    }

    fn note(&mut self, tick: Instant) {
        match self.buffer.next(tick) {
            Playing::Packet(payload) => {
                let sequence = u64::from_be_bytes(payload[..].try_into().expect("eight bytes"));
                self.played.push((sequence, tick - self.sent_at(sequence)));
            }
            Playing::Lost(_) => self.lost += 1,
            Playing::Late => self.bridged += 1,
            Playing::Silence => self.silent += 1,
        }
    }

    fn last_delay(&self) -> Duration {
        self.played.last().expect("something was played").1
    }

    fn assert_in_order(&self) {
        assert!(self.played.windows(2).all(|pair| pair[0].0 < pair[1].0), "played out of order");
    }
}

#[test]
fn on_a_quiet_network_the_delay_is_forty_milliseconds() {
    let mut rig = Rig::new();
    rig.send(1..500, |_| Some(ms(1)));
    rig.play(ms(9_900));
    rig.assert_in_order();
    assert!(rig.last_delay() <= ms(50), "{:?}", rig.last_delay());
    assert_eq!((rig.lost, rig.bridged), (0, 0));
}

#[test]
fn one_lost_packet_leaves_the_delay_as_it_was() {
    let mut rig = Rig::new();
    rig.send(1..500, |sequence| (sequence != 100).then_some(ms(1)));
    rig.play(ms(1_500));
    let before = rig.last_delay();
    rig.play(ms(3_000));
    assert_eq!(rig.lost, 1);
    assert!(rig.last_delay() <= before);
}

#[test]
fn a_burst_after_a_stall_is_drained_at_once() {
    let mut rig = Rig::new();
    // Everything sent within half a second arrives at its end.
    rig.send(1..500, |sequence| {
        Some(if (100..125).contains(&sequence) { FRAME * (125 - sequence) as u32 } else { ms(1) })
    });
    rig.play(ms(1_900));
    let before = rig.last_delay();
    rig.play(ms(3_000));
    rig.assert_in_order();
    assert!(rig.last_delay() <= before + FRAME, "{:?} after {before:?}", rig.last_delay());
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
        assert!(worst < ms(200), "seed {seed}: {worst:?}");
    }
}

#[test]
fn five_percent_loss_is_passed_over_in_time() {
    let mut random = StdRng::seed_from_u64(5);
    let mut rig = Rig::new();
    rig.send(1..3_000, |_| (!random.random_bool(0.05)).then_some(ms(2)));
    rig.play(ms(59_000));
    assert!(rig.last_delay() <= ms(70), "{:?}", rig.last_delay());
    assert!((100..250).contains(&(rig.lost + rig.bridged)), "{} lost, {} bridged", rig.lost, rig.bridged);
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
    assert_eq!(rig.lost, 0);
    // What was more than the target has been drained, at most a packet or two a stretch.
    assert!((295..=299).contains(&rig.played.len()), "{} played", rig.played.len());
    assert!(rig.last_delay() <= ms(50), "{:?}", rig.last_delay());
}

#[test]
fn clock_drift_never_adds_up() {
    for drift in [-200e-6, 200e-6] {
        let mut rig = Rig::new();
        rig.send(1..180_000, |_| Some(ms(60)));
        for packet in &mut rig.under_way {
            let sent = FRAME.mul_f64(packet.sequence as f64 * (1.0 + drift));
            packet.arrival = rig.start + sent + ms(1);
        }
        rig.under_way.reverse();
        let mut longest = 0;
        for tick in 1..170_000_u32 {
            let now = rig.start + FRAME * tick + ms(7);
            while rig.under_way.last().is_some_and(|packet| packet.arrival <= now) {
                let packet = rig.under_way.pop().expect("seen above");
                rig.buffer.push(packet);
            }
            longest = longest.max(rig.buffer.packets.len());
            rig.note(now);
        }
        assert!(longest <= 6, "drift {drift}: {longest} packets waited");
        assert!(rig.played.len() > 169_000, "drift {drift}: {} played", rig.played.len());
    }
}

#[test]
fn a_sender_that_jumps_far_ahead_is_followed_at_once() {
    let mut rig = Rig::new();
    rig.send(1..100, |_| Some(ms(1)));
    rig.play(ms(1_900));
    for index in 0..50 {
        let arrival = rig.now + FRAME * index;
        let sequence = 1_000_000 + u64::from(index);
        let timestamp = 7_000_000_000 + u64::from(index) * 960;
        rig.under_way.push(OpusPacket { sequence, timestamp, arrival, payload: Arc::from(100_u64.to_be_bytes()) });
    }
    let before = rig.played.len();
    rig.under_way.retain(|packet| packet.sequence >= 1_000_000);
    rig.play(ms(900));
    assert!(rig.played.len() >= before + 40, "{} played", rig.played.len() - before);
}

#[test]
fn doubles_and_latecomers_are_dropped_and_counted() {
    let mut rig = Rig::new();
    rig.send(1..100, |_| Some(ms(1)));
    rig.send(1..100, |_| Some(ms(2)));
    rig.play(ms(2_500));
    rig.assert_in_order();
    assert!(rig.played.len() >= 97, "{} played", rig.played.len());
    assert_eq!(rig.stats.late.load(Ordering::Relaxed), 99);
}

#[test]
fn a_flood_is_bounded() {
    let mut rig = Rig::new();
    for sequence in 1..=100_000 {
        let packet =
            OpusPacket { sequence, timestamp: sequence * 960, arrival: rig.now, payload: Arc::from([0_u8; 3]) };
        rig.buffer.push(packet);
        assert!(rig.buffer.packets.len() <= CAPACITY);
    }
    let kept = rig.buffer.packets.len() as u64;
    assert_eq!(rig.stats.overflow.load(Ordering::Relaxed) + kept, 100_000);
}

#[test]
fn the_length_of_packets_is_learnt() {
    for (samples, expected) in [(120, 2_500), (480, 10_000), (960, 20_000), (2_880, 60_000)] {
        let mut buffer = JitterBuffer::new(Arc::default());
        let arrival = Instant::now();
        for sequence in 0..3 {
            buffer.push(OpusPacket { sequence, timestamp: sequence * samples, arrival, payload: Arc::from([]) });
        }
        assert_eq!(buffer.frame(), Duration::from_micros(expected));
    }
}
