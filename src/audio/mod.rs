//! Sound as samples: Opus packets in, PCM and streams of bytes out. No task, no clock, no socket.
//!
//! `jitter` puts packets in order and in time; `decoder` makes PCM of them and fills what is missing;
//! `playout` is both behind one question, "the next samples, please", and keeps the delay by
//! `stretch`. `mixer` and `ducking` make one of several. `format` is the shapes that come out, made by `mp3`, `wav` and
//! `ogg`; `resample` is for whatever comes at another rate. Who hears which of it, and when, is `live`'s business.

mod decoder;
mod ducking;
mod format;
mod jitter;
mod lame;
mod mixer;
mod mp3;
mod ogg;
#[doc(hidden)]
pub mod parts;
mod playout;
mod resample;
mod stats;
mod stretch;
#[cfg(test)]
mod tone;
mod wav;

use std::time::Duration;

pub use format::{BITRATES, Bitrate, Format, prelude};
pub use mixer::{GAIN_RANGE, Gains};
pub use mp3::Mp3File;
pub use resample::Resampler;
pub use stats::AudioStats;

pub(crate) use decoder::Decoder;
pub(crate) use ducking::{Ducker, is_speech};
pub(crate) use format::Encoder;
pub(crate) use jitter::{duration, samples};
pub(crate) use mixer::{Fader, Limiter};
pub(crate) use mp3::Mp3Encoder;
pub(crate) use ogg::{OggStream, OggWriter, packets_of_ogg};
pub(crate) use playout::Playout;
pub(crate) use stats::Gauged;
#[cfg(test)]
pub(crate) use tone::tone;

/// PCM samples a second, everywhere in this module: the rate of Opus.
pub const SAMPLE_RATE: u32 = 48_000;

/// Sound is made in pieces of this length: each piece waits for its end, so they are short.
pub(crate) const TICK: Duration = Duration::from_millis(10);
pub(crate) const TICK_SAMPLES: usize = (SAMPLE_RATE / 100) as usize;
