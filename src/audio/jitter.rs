//! The jitter buffer: packets in whatever order and rhythm the network gives them, out in sequence.
//!
//! Sans-IO. Its one rule: what goes wrong costs a moment of sound, never lasting delay. A lost packet
//! is passed over at its time; after a stall the backlog is thrown away down to the target; a
//! surplus that stays is drained packet by packet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::OpusPacket;

use super::SAMPLE_RATE;
use super::stats::{AudioStats, count};

/// Delay that the buffer aims at: the least, the one it begins with, and the most.
const MIN_TARGET: Duration = Duration::from_millis(20);
const INITIAL_TARGET: Duration = Duration::from_millis(40);
const MAX_TARGET: Duration = Duration::from_millis(120);

/// Packets kept at once: with 20 ms each, two seconds. A burst of more drops the oldest.
const CAPACITY: usize = 100;

/// A packet so far ahead of the next one is the beginning of something new.
const MAX_GAP: u64 = CAPACITY as u64;

/// An empty buffer is bridged by concealment for so long; then it fills anew.
const MAX_BRIDGE: Duration = Duration::from_millis(60);

/// A surplus must last so long before it is drained: it may be the crest of a wave.
const SURPLUS_WINDOW: Duration = Duration::from_secs(1);

/// What to play next.
#[derive(Debug)]
pub(super) enum Playing {
    /// This packet.
    Packet(Arc<[u8]>),
    /// A packet that is lost; its successor, if it is here, may carry a copy (FEC).
    Lost(Option<Arc<[u8]>>),
    /// The packet is not here yet: bridge the time.
    Late,
    /// Nobody speaks, or the buffer fills.
    Silence,
}

/// Packets of one stream, waiting for their time.
pub(super) struct JitterBuffer {
    packets: BTreeMap<u64, Waiting>,
    state: State,
    target: Duration,
    jitter: Jitter,
    /// Length of a packet, as the last two in sequence tell.
    frame: Duration,
    /// Fewest packets waiting since the beginning of the window.
    least: usize,
    window_ends: Option<Instant>,
    stats: Arc<AudioStats>,
}

struct Waiting {
    payload: Arc<[u8]>,
    timestamp: u64,
    arrival: Instant,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Collects until the target is reached. Packets below `from` have had their time.
    Filling { from: u64 },
    /// Plays `next`; has bridged `bridged` of emptiness just now.
    Playing { next: u64, bridged: Duration },
}

impl JitterBuffer {
    pub(super) fn new(stats: Arc<AudioStats>) -> Self {
        Self {
            packets: BTreeMap::new(),
            state: State::Filling { from: 0 },
            target: INITIAL_TARGET,
            jitter: Jitter::default(),
            frame: Duration::from_millis(20),
            least: usize::MAX,
            window_ends: None,
            stats,
        }
    }

    /// Takes a packet as it arrives.
    pub(super) fn push(&mut self, packet: OpusPacket) {
        let (State::Filling { from: due } | State::Playing { next: due, .. }) = self.state;
        if packet.sequence < due || self.packets.contains_key(&packet.sequence) {
            return count(&self.stats.late);
        }
        if due > 0 && packet.sequence > due + MAX_GAP {
            self.packets.clear();
            self.state = State::Filling { from: packet.sequence };
        }
        self.follow(&packet);
        let waiting = Waiting { payload: packet.payload, timestamp: packet.timestamp, arrival: packet.arrival };
        self.packets.insert(packet.sequence, waiting);
        if self.packets.len() > CAPACITY {
            self.packets.pop_first();
            count(&self.stats.overflow);
        }
    }

    /// What to play at `now`, for the length of one packet.
    pub(super) fn next(&mut self, now: Instant) -> Playing {
        match self.state {
            State::Filling { .. } if !self.is_filled(now) => Playing::Silence,
            State::Filling { .. } => {
                self.trim();
                self.begin_window(now);
                let next = self.packets.keys().next().copied().unwrap_or_default();
                self.play(next, Duration::ZERO)
            }
            State::Playing { next, bridged } => {
                self.drain_surplus(next, now);
                let next = match self.state {
                    State::Playing { next, .. } => next,
                    State::Filling { from } => from,
                };
                self.play(next, bridged)
            }
        }
    }

    /// Length of the packets of this stream.
    pub(super) fn frame(&self) -> Duration {
        self.frame
    }

    /// Nothing waits to be played.
    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    fn play(&mut self, next: u64, bridged: Duration) -> Playing {
        if let Some(packet) = self.packets.remove(&next) {
            self.state = State::Playing { next: next + 1, bridged: Duration::ZERO };
            return Playing::Packet(packet.payload);
        }
        if let Some(first) = self.packets.keys().next() {
            let successor = (*first == next + 1).then(|| self.packets[first].payload.clone());
            self.state = State::Playing { next: next + 1, bridged: Duration::ZERO };
            return Playing::Lost(successor);
        }
        let bridged = bridged + self.frame;
        if bridged > MAX_BRIDGE {
            self.state = State::Filling { from: next };
            return Playing::Silence;
        }
        self.state = State::Playing { next, bridged };
        Playing::Late
    }

    /// Enough is here, or what is here has waited long enough.
    fn is_filled(&self, now: Instant) -> bool {
        let waited = self.packets.values().map(|packet| packet.arrival).min();
        waited.is_some_and(|since| now.saturating_duration_since(since) >= self.target)
            || self.packets.len() > self.target_packets()
    }

    /// Throws away what a stall has left over. One more than the target may stay: it came while filling.
    fn trim(&mut self) {
        while self.packets.len() > self.target_packets() + 1 {
            self.packets.pop_first();
            count(&self.stats.drained);
        }
    }

    /// When more than needed has waited for a whole window, skips one packet.
    fn drain_surplus(&mut self, next: u64, now: Instant) {
        self.least = self.least.min(self.packets.len());
        if self.window_ends.is_some_and(|end| now < end) {
            return;
        }
        if self.least > self.target_packets() && self.packets.remove(&next).is_some() {
            count(&self.stats.drained);
            self.state = State::Playing { next: next + 1, bridged: Duration::ZERO };
        }
        self.begin_window(now);
    }

    fn begin_window(&mut self, now: Instant) {
        self.least = usize::MAX;
        self.window_ends = Some(now + SURPLUS_WINDOW);
    }

    fn target_packets(&self) -> usize {
        self.target.as_nanos().div_ceil(self.frame.as_nanos()) as usize
    }

    /// Learns the packets' length and the network's jitter.
    fn follow(&mut self, packet: &OpusPacket) {
        let before = packet.sequence.checked_sub(1).and_then(|before| self.packets.get(&before));
        if let Some(before) = before {
            let length = packet.timestamp.saturating_sub(before.timestamp);
            // Opus packets are 2.5 to 120 ms long (RFC 6716 2.1.4); more is a pause.
            if (120..=5_760).contains(&length) {
                self.frame = duration(length);
            }
        }
        self.jitter.follow(packet);
        self.target = (MIN_TARGET + self.jitter.mean * 3).clamp(MIN_TARGET, MAX_TARGET);
    }
}

/// Samples at 48 kHz as a time.
fn duration(samples: u64) -> Duration {
    Duration::from_nanos(samples * 1_000_000_000 / u64::from(SAMPLE_RATE))
}

/// Mean deviation of the transit time (RFC 3550 6.4.1 and A.8).
struct Jitter {
    last: Option<(u64, Instant)>,
    mean: Duration,
}

impl Default for Jitter {
    fn default() -> Self {
        Self { last: None, mean: (INITIAL_TARGET - MIN_TARGET) / 3 }
    }
}

impl Jitter {
    fn follow(&mut self, packet: &OpusPacket) {
        if let Some((timestamp, arrival)) = self.last.replace((packet.timestamp, packet.arrival)) {
            let sent = duration(packet.timestamp.abs_diff(timestamp));
            let came = packet.arrival.saturating_duration_since(arrival);
            let deviation = sent.abs_diff(came);
            // A pause, or the end of one, says nothing about the network.
            if deviation < MAX_TARGET * 2 {
                self.mean = (self.mean * 15 + deviation) / 16;
            }
        }
    }
}

#[cfg(test)]
mod tests;
