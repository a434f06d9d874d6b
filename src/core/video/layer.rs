//! Simulcast layers of a track: the same picture in several sizes, each a stream of its own (RFC 8853).

use std::time::{Duration, Instant};

use crate::core::packet::{Rid, SenderReport, VideoCodec, VideoPacket};

/// A layer of which nothing came for so long is not sent at present, while another one is. A still screen is sent once a
/// second.
const IDLE_AFTER: Duration = Duration::from_millis(700);

/// Span over which a layer's bitrate is measured.
const BUCKETS: usize = 15;
const BUCKET: Duration = Duration::from_millis(100);

/// Layers of one track that are known; no sender has more.
pub(super) const MAX_LAYERS: usize = 4;

/// Layer of a track.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) rid: Option<Rid>,
    pub(super) ssrc: u32,
    pub(super) codec: VideoCodec,
    /// Lines of the picture, as its last keyframe said.
    pub(super) height: Option<u16>,
    pub(super) report: Option<SenderReport>,
    /// A keyframe of it has come, ever.
    pub(super) has_keyframe: bool,
    rate: Rate,
    last_packet: Instant,
}

impl Layer {
    pub(super) fn new(packet: &VideoPacket, now: Instant) -> Self {
        Self {
            rid: packet.rid,
            ssrc: packet.sequence.ssrc,
            codec: packet.codec,
            height: None,
            report: None,
            has_keyframe: false,
            rate: Rate::new(now),
            last_packet: now,
        }
    }

    /// Takes note of a packet of it.
    pub(super) fn note(&mut self, packet: &VideoPacket, now: Instant) {
        self.last_packet = now;
        self.codec = packet.codec;
        self.report = packet.report.or(self.report);
        self.rate.add(packet.payload.len(), now);
        if let Some(keyframe) = packet.keyframe {
            self.has_keyframe = true;
            self.height = keyframe.height.or(self.height);
        }
    }

    /// Whether its sender sends it now.
    pub(super) fn is_active(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_packet) < IDLE_AFTER
    }

    /// Bits a second of late.
    pub(super) fn bitrate(&self, now: Instant) -> u64 {
        self.rate.bits_a_second(now)
    }
}

/// Bytes of the last second and a half.
#[derive(Debug)]
struct Rate {
    begun: Instant,
    bytes: [u32; BUCKETS],
    /// Number of the newest bucket since it began.
    newest: u64,
}

impl Rate {
    fn new(now: Instant) -> Self {
        Self { begun: now, bytes: [0; BUCKETS], newest: 0 }
    }

    fn add(&mut self, bytes: usize, now: Instant) {
        let number = self.number(now).max(self.newest);
        for skipped in self.newest + 1..=number.min(self.newest + BUCKETS as u64) {
            self.bytes[skipped as usize % BUCKETS] = 0;
        }
        self.newest = number;
        self.bytes[number as usize % BUCKETS] += bytes as u32;
    }

    fn bits_a_second(&self, now: Instant) -> u64 {
        let oldest = (self.number(now) + 1).saturating_sub(BUCKETS as u64);
        let bytes: u64 = (oldest..=self.newest).map(|number| u64::from(self.bytes[number as usize % BUCKETS])).sum();
        let span = now.saturating_duration_since(self.begun).clamp(BUCKET, BUCKET * BUCKETS as u32);
        bytes * 8_000 / span.as_millis() as u64
    }

    fn number(&self, now: Instant) -> u64 {
        (now.saturating_duration_since(self.begun).as_millis() / BUCKET.as_millis()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitrate_is_that_of_the_last_second_and_a_half() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for milliseconds in (0..3_000).step_by(10) {
            rate.add(1_250, at(milliseconds));
        }
        let measured = rate.bits_a_second(at(2_999));
        assert!((990_000..=1_010_000).contains(&measured), "{measured}");
        assert!(rate.bits_a_second(at(3_750)) < 520_000, "half of the span is silent");
        assert_eq!(rate.bits_a_second(at(60_000)), 0);
    }

    #[test]
    fn the_first_moments_are_not_taken_for_a_second_and_a_half() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for milliseconds in (0..300).step_by(10) {
            rate.add(1_250, start + Duration::from_millis(milliseconds));
        }
        let measured = rate.bits_a_second(start + Duration::from_millis(299));
        assert!((950_000..=1_050_000).contains(&measured), "{measured}");
    }

    #[test]
    fn a_long_silence_forgets_all_that_was_before() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        rate.add(1_000_000, start);
        rate.add(1_250, start + Duration::from_secs(100));
        assert_eq!(rate.bits_a_second(start + Duration::from_secs(100)), 1_250 * 8_000 / 1_500);
    }
}
