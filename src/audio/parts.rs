//! A door for `fuzz/` and `benches/` alone: parts of the way from packets to players, one by one.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::domain::OpusPacket;

use super::mixer::{Fader, Limiter};
use super::stats::AudioStats;
use super::{Bitrate, mp3, playout};

/// Jitter buffer and decoder of one stream.
pub struct PlayoutPart(playout::Playout);

impl Default for PlayoutPart {
    fn default() -> Self {
        Self(playout::Playout::new(&Arc::<AudioStats>::default()))
    }
}

impl PlayoutPart {
    /// Takes a packet as it arrives.
    pub fn push(&mut self, packet: OpusPacket) {
        self.0.push(packet);
    }

    /// Fills `out` with what is to be heard from `now` on.
    pub fn fill(&mut self, now: Instant, out: &mut [i16]) {
        self.0.fill(now, out);
    }
}

/// The MP3 encoder of one mount.
pub struct Mp3(mp3::Mp3Encoder);

impl Mp3 {
    /// An encoder of this bitrate.
    pub fn new(bitrate: Bitrate) -> Self {
        Self(mp3::Mp3Encoder::new(bitrate, Arc::default()))
    }

    /// Takes samples; gives the frames that are complete.
    pub fn encode(&mut self, pcm: &[i16]) -> Bytes {
        self.0.encode(pcm)
    }
}

/// What mixes the voices of a room.
pub struct Mixer {
    faders: Vec<Fader>,
    limiter: Limiter,
}

impl Mixer {
    /// A mixer of so many voices.
    pub fn new(voices: usize) -> Self {
        Self { faders: (0..voices).map(|_| Fader::default()).collect(), limiter: Limiter::default() }
    }

    /// Mixes the same samples of all, at half their strength.
    pub fn mix(&mut self, pcm: &[i16], mix: &mut [f32], out: &mut [i16]) {
        mix.fill(0.0);
        for fader in &mut self.faders {
            fader.add(pcm, 0.5, mix);
        }
        self.limiter.apply(mix, out);
    }
}
