//! A stream's packets behind one question: the next samples, please. There is always an answer.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::OpusPacket;

use super::SAMPLE_RATE;
use super::decoder::Decoder;
use super::jitter::{JitterBuffer, Playing, duration};
use super::stats::{AudioStats, count};
use super::stretch;

/// Delay may be off the target by so many samples, 5 ms, before time is stretched.
const TOLERANCE: i64 = SAMPLE_RATE as i64 / 200;

/// From here on, 40 ms, time is stretched at every packet, and whether or not it is heard.
const FAR_OFF: i64 = SAMPLE_RATE as i64 / 25;

/// Otherwise there are so many samples, 60 ms, from one stretching to the next.
const REST: usize = SAMPLE_RATE as usize * 60 / 1_000;

/// Samples over which a step between two pieces of sound is smoothed: 2.5 ms.
const SEAM: usize = SAMPLE_RATE as usize / 400;

/// Jitter buffer and decoder of one stream.
pub(crate) struct Playout {
    jitter: JitterBuffer,
    decoder: Decoder,
    /// Decoded and not yet asked for: about one packet's worth.
    pcm: Vec<i16>,
    /// The last sample that was put there, and of what kind of sound it was.
    last: (i16, SoundKind),
    /// Samples since time was last stretched.
    rested: usize,
    stats: Arc<AudioStats>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SoundKind {
    Speech,
    Filler,
    Silence,
}

impl Playout {
    pub(crate) fn new(stats: &Arc<AudioStats>) -> Self {
        Self {
            jitter: JitterBuffer::new(Arc::clone(stats)),
            decoder: Decoder::new(Arc::clone(stats)),
            pcm: Vec::new(),
            last: (0, SoundKind::Silence),
            rested: 0,
            stats: Arc::clone(stats),
        }
    }

    /// Takes a packet as it arrives.
    pub(crate) fn push(&mut self, packet: OpusPacket) {
        self.jitter.push(packet);
    }

    /// Fills `out` with what is to be heard from `now` on.
    pub(crate) fn fill(&mut self, now: Instant, out: &mut [i16]) {
        while self.pcm.len() < out.len() {
            let at = now + duration(self.pcm.len() as u64);
            let missing = out.len() - self.pcm.len();
            self.decode_next(at, missing as u64);
            self.keep_delay(now);
        }
        out.copy_from_slice(&self.pcm[..out.len()]);
        self.pcm.drain(..out.len());
        self.rested += out.len();
    }

    /// Everything received has been heard.
    pub(crate) fn is_drained(&self) -> bool {
        self.jitter.is_empty() && self.pcm.is_empty()
    }

    fn decode_next(&mut self, at: Instant, missing: u64) {
        let start = self.pcm.len();
        let frame = self.jitter.frame() as usize;
        let (sound, cut) = match self.jitter.next(at, missing) {
            Playing::Packet { payload, skip } => {
                let decoded = self.decoder.decode(&payload, frame);
                self.pcm.extend_from_slice(&decoded[(skip as usize).min(decoded.len())..]);
                (SoundKind::Speech, skip > 0)
            }
            Playing::Lost { samples, successor: Some(successor) } => {
                self.pcm.extend_from_slice(self.decoder.recover(&successor, samples as usize));
                (SoundKind::Speech, false)
            }
            Playing::Lost { samples, successor: None } | Playing::Bridge(samples) => {
                self.pcm.extend_from_slice(self.decoder.conceal(samples as usize));
                (SoundKind::Filler, false)
            }
            Playing::Silence(samples) => {
                self.pcm.resize(start + samples as usize, 0);
                (SoundKind::Silence, false)
            }
        };
        self.smooth(start, sound, cut);
    }

    /// Where one kind of sound follows another, or a packet begins in its middle, takes the step out.
    fn smooth(&mut self, start: usize, sound: SoundKind, cut: bool) {
        let (before, kind) = self.last;
        let Some(first) = self.pcm.get(start).copied() else { return };
        if cut || kind != sound {
            let step = i32::from(before) - i32::from(first);
            for (index, sample) in self.pcm[start..].iter_mut().take(SEAM).enumerate() {
                let offset = step * (SEAM - index) as i32 / SEAM as i32;
                *sample = (i32::from(*sample) + offset).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            }
        }
        self.last = (self.pcm[self.pcm.len() - 1], sound);
    }

    /// Brings the delay back to its target, some milliseconds at a time.
    fn keep_delay(&mut self, now: Instant) {
        if self.last.1 == SoundKind::Silence {
            return;
        }
        let Some(excess) = self.jitter.excess(now + duration(self.pcm.len() as u64)) else { return };
        let far_off = excess.abs() > FAR_OFF;
        if excess.abs() < TOLERANCE || (self.rested < REST && !far_off) {
            return;
        }
        let most = excess.unsigned_abs() as usize;
        let stretch = if excess > 0 { stretch::shorten } else { stretch::lengthen };
        if stretch(&mut self.pcm, most, far_off) > 0 {
            self.rested = 0;
            self.last.0 = self.pcm.last().copied().unwrap_or_default();
            count(&self.stats.stretched);
        }
    }
}

#[cfg(test)]
mod tests;
