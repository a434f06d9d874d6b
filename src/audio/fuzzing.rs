//! A door for `fuzz/` alone: one stream's way from packets to samples, without the relay before it.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::OpusPacket;

use super::playout;
use super::stats::AudioStats;

/// Jitter buffer and decoder of one stream.
pub struct Playout(playout::Playout);

impl Default for Playout {
    fn default() -> Self {
        Self(playout::Playout::new(&Arc::<AudioStats>::default()))
    }
}

impl Playout {
    /// Takes a packet as it arrives.
    pub fn push(&mut self, packet: OpusPacket) {
        self.0.push(packet);
    }

    /// Fills `out` with what is to be heard from `now` on.
    pub fn fill(&mut self, now: Instant, out: &mut [i16]) {
        self.0.fill(now, out);
    }
}
