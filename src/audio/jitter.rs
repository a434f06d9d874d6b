//! The jitter buffer: packets in whatever order and rhythm the network gives them, out in time.
//!
//! Sans-IO. Its one rule: what goes wrong costs a moment of sound, never lasting delay. The playhead
//! moves through the sender's timestamps at the pace of whoever asks; a packet that is not there at
//! its time is passed over. How far the playhead stays behind the network is the target, which
//! [`Transit`] learns from the packets. The distance between the two, [`JitterBuffer::excess`], is for
//! the playout to close by stretching time; so it also takes up what the clocks drift apart.

mod transit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::OpusPacket;

use super::SAMPLE_RATE;
use super::stats::{AudioStats, count};

use transit::Transit;

/// Packets kept at once: with 20 ms each, two seconds. A burst of more drops the oldest.
const CAPACITY: usize = 100;

/// An empty buffer is bridged by concealment for so long; then the sender counts as silent.
const MAX_BRIDGE: u64 = samples(Duration::from_millis(100));

/// Packets that are all late for so long are not late: the sender's time has changed.
const SETTLE: u64 = samples(Duration::from_millis(60));

/// A packet so far ahead of the others' time is the beginning of something new.
const MAX_LEAD: i64 = samples(Duration::from_millis(300)) as i64;

/// What to play next. Lengths are samples.
#[derive(Debug, PartialEq)]
pub(crate) enum Playing {
    /// This packet, without the first `skip` samples: their time is over.
    Packet { payload: Arc<[u8]>, skip: u64 },
    /// A packet that is lost; its successor, if it is here, may carry a copy (FEC).
    Lost { samples: u64, successor: Option<Arc<[u8]>> },
    /// Nothing came, or not yet: the sender pauses, or the network does.
    Bridge(u64),
    /// Nobody speaks, or the first packet waits for its time.
    Silence(u64),
}

/// Packets of one stream, waiting for their time.
pub(crate) struct JitterBuffer {
    packets: BTreeMap<u64, Waiting>,
    playhead: Playhead,
    transit: Transit,
    /// Samples in a packet, as the last one tells.
    frame: u64,
    /// Times are counted in samples from here.
    epoch: Option<Instant>,
    stats: Arc<AudioStats>,
}

struct Waiting {
    payload: Arc<[u8]>,
    timestamp: u64,
    samples: u64,
    /// On our clock.
    arrival: i64,
}

impl Waiting {
    fn end(&self) -> u64 {
        self.timestamp + self.samples
    }
}

#[derive(Debug, Clone, Copy)]
enum Playhead {
    /// Waits for packets to play, none below `from`: those have had their time.
    Idle { from: u64 },
    /// Is at `timestamp`; the packet `sequence` is expected there. `bridged` samples had no packet just now.
    Running { sequence: u64, timestamp: u64, bridged: u64 },
}

impl JitterBuffer {
    pub(crate) fn new(stats: Arc<AudioStats>) -> Self {
        Self {
            packets: BTreeMap::new(),
            playhead: Playhead::Idle { from: 0 },
            transit: Transit::default(),
            frame: u64::from(SAMPLE_RATE) / 50,
            epoch: None,
            stats,
        }
    }

    /// Takes a packet as it arrives.
    pub(crate) fn push(&mut self, packet: OpusPacket) {
        let (Playhead::Idle { from: due } | Playhead::Running { sequence: due, .. }) = self.playhead;
        let arrival = self.clock(packet.arrival);
        let transit = arrival - packet.timestamp as i64;
        if transit < self.transit.fastest().unwrap_or(transit) - MAX_LEAD {
            self.packets.clear();
            self.transit = Transit::default();
            self.playhead = Playhead::Idle { from: packet.sequence };
        } else if packet.sequence < due || self.packets.contains_key(&packet.sequence) {
            self.transit.note(transit);
            return count(&self.stats.late);
        }
        self.transit.note(transit);
        self.frame = samples_in(&packet.payload).unwrap_or(self.frame);
        let waiting = Waiting { payload: packet.payload, timestamp: packet.timestamp, samples: self.frame, arrival };
        self.packets.insert(packet.sequence, waiting);
        if self.packets.len() > CAPACITY {
            self.packets.pop_first();
            count(&self.stats.overflow);
        }
    }

    /// What is to be heard from `now` on; where there is no packet, no more than `wanted` samples.
    pub(crate) fn next(&mut self, now: Instant, wanted: u64) -> Playing {
        let now = self.clock(now);
        if let Playhead::Idle { .. } = self.playhead
            && let Err(silence) = self.begin(now, wanted)
        {
            return Playing::Silence(silence);
        }
        self.advance(now, wanted)
    }

    /// By how many samples the playhead, if it is reached at `now`, is further behind than the target.
    pub(crate) fn excess(&mut self, now: Instant) -> Option<i64> {
        let now = self.clock(now);
        let Playhead::Running { timestamp, .. } = self.playhead else { return None };
        self.excess_at(now, timestamp)
    }

    /// Samples in a packet of this stream.
    pub(crate) fn frame(&self) -> u64 {
        self.frame
    }

    /// Nothing waits to be played.
    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Sets the playhead to what is due now. The error: so many samples of silence come before.
    fn begin(&mut self, now: i64, wanted: u64) -> Result<(), u64> {
        let first = self.packets.values().next().ok_or(wanted)?;
        let newest = self.packets.values().next_back().expect("there is a first");
        if self.is_over(newest, now) {
            if now - first.arrival < SETTLE as i64 {
                return Err(wanted);
            }
            self.transit = Transit::default();
            for packet in self.packets.values() {
                self.transit.note(packet.arrival - packet.timestamp as i64);
            }
        }
        let (sequence, first) = self.packets.first_key_value().expect("as above");
        let early = self.due(first.timestamp) - now;
        if early > 0 {
            return Err(wanted.min(early as u64));
        }
        let timestamp = first.timestamp + early.unsigned_abs();
        self.playhead = Playhead::Running { sequence: *sequence, timestamp, bridged: 0 };
        Ok(())
    }

    fn advance(&mut self, now: i64, wanted: u64) -> Playing {
        let Playhead::Running { mut sequence, timestamp, bridged } = self.playhead else {
            return Playing::Silence(wanted);
        };
        while let Some(entry) = self.packets.first_entry().filter(|entry| entry.get().end() <= timestamp) {
            sequence = entry.key() + 1;
            entry.remove();
            count(&self.stats.late);
        }
        self.playhead = Playhead::Running { sequence, timestamp, bridged };
        let Some((first, packet)) = self.packets.first_key_value() else {
            return self.bridge_emptiness(now, wanted);
        };
        let Some(gap) = packet.timestamp.checked_sub(timestamp).filter(|gap| *gap > 0) else {
            return self.play(timestamp);
        };
        if *first == sequence {
            return self.bridge_pause(wanted.min(gap));
        }
        // Of several lost packets, the last one is what the successor may have a copy of.
        let is_last = gap <= self.frame;
        let successor = is_last.then(|| Arc::clone(&packet.payload));
        let samples = if is_last { gap } else { self.frame.min(gap - self.frame) };
        let sequence = if is_last { *first } else { sequence };
        self.playhead = Playhead::Running { sequence, timestamp: timestamp + samples, bridged };
        Playing::Lost { samples, successor }
    }

    /// The first packet's time is now.
    fn play(&mut self, timestamp: u64) -> Playing {
        let (sequence, packet) = self.packets.pop_first().expect("the caller saw it");
        self.playhead = Playhead::Running { sequence: sequence + 1, timestamp: packet.end(), bridged: 0 };
        Playing::Packet { payload: packet.payload, skip: timestamp - packet.timestamp }
    }

    /// The sender left time between two packets (DTX).
    fn bridge_pause(&mut self, wanted: u64) -> Playing {
        let Playhead::Running { sequence, timestamp, bridged } = self.playhead else {
            return Playing::Silence(wanted);
        };
        self.playhead = Playhead::Running { sequence, timestamp: timestamp + wanted, bridged: bridged + wanted };
        if bridged < MAX_BRIDGE { Playing::Bridge(wanted) } else { Playing::Silence(wanted) }
    }

    /// Nothing is here. As far as there is too little delay, the playhead waits.
    fn bridge_emptiness(&mut self, now: i64, wanted: u64) -> Playing {
        let Playhead::Running { sequence, timestamp, bridged } = self.playhead else {
            return Playing::Silence(wanted);
        };
        if bridged >= MAX_BRIDGE {
            self.playhead = Playhead::Idle { from: sequence };
            return Playing::Silence(wanted);
        }
        let wanted = wanted.min(MAX_BRIDGE - bridged);
        let lacking = self.excess_at(now, timestamp).map_or(0, |excess| (-excess).max(0) as u64);
        let timestamp = timestamp + wanted - lacking.min(wanted);
        self.playhead = Playhead::Running { sequence, timestamp, bridged: bridged + wanted };
        Playing::Bridge(wanted)
    }

    fn is_over(&self, packet: &Waiting, now: i64) -> bool {
        self.due(packet.end()) <= now
    }

    /// When this timestamp is to be heard.
    fn due(&self, timestamp: u64) -> i64 {
        timestamp as i64 + self.transit.fastest().unwrap_or(0) + self.transit.target()
    }

    fn excess_at(&self, now: i64, timestamp: u64) -> Option<i64> {
        self.transit.fastest().map(|_| now - self.due(timestamp))
    }

    fn clock(&mut self, at: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(at);
        match at.checked_duration_since(epoch) {
            Some(passed) => samples(passed) as i64,
            None => -(samples(epoch - at) as i64),
        }
    }
}

/// A time in samples, rounded down.
pub(crate) const fn samples(duration: Duration) -> u64 {
    (duration.as_nanos() * SAMPLE_RATE as u128 / 1_000_000_000) as u64
}

/// Samples as a time.
pub(crate) const fn duration(samples: u64) -> Duration {
    Duration::from_nanos(samples * 1_000_000_000 / SAMPLE_RATE as u64)
}

/// As an Opus packet says itself (RFC 6716 3.1).
fn samples_in(payload: &[u8]) -> Option<u64> {
    let samples = opus::packet::get_nb_samples(payload, SAMPLE_RATE).ok()?;
    (samples > 0).then_some(samples as u64)
}

#[cfg(test)]
mod tests;
