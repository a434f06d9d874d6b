//! The decoded side of the house: Opus packets in, PCM and streams of bytes out, only while somebody
//! wants them.
//!
//! `jitter` puts packets in order and in time; `decoder` makes PCM of them and fills what is missing;
//! `playout` is both behind one question, "the next samples, please", and keeps the delay by
//! `stretch`. `program` says what there is to hear, and mixes it with `mixer` and `ducking`. `format` is the shapes
//! that come out, made by `mp3`, `wav` and `ogg`; `mount` runs one of those for all listeners of the
//! same, at the pace of the clock. `clips` keeps what was said for a while;
//! `host` is the machine's own loudspeaker and microphone; `resample` is for whatever comes at another rate. Nothing here knows HTTP, sockets or WebRTC: packets come through a
//! [`PacketSource`].

mod clips;
mod decoder;
mod ducking;
mod format;
mod host;
mod jitter;
mod lame;
mod mixer;
mod mount;
mod mp3;
mod ogg;
#[doc(hidden)]
pub mod parts;
mod playout;
mod program;
mod resample;
mod stats;
mod stretch;
#[cfg(test)]
mod tone;
mod wav;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::domain::{LiveStream, OpusPacket, Owner, StreamId};

pub use clips::{Clip, ClipLimits, ClipStats, Clips};
pub use format::{BITRATES, Bitrate, Format, prelude};
pub use host::{Dial, Speech, Spoken};
pub use mixer::{GAIN_RANGE, Gains};
pub use mount::{Listener, Mounts};
pub use program::Program;
pub use resample::Resampler;
pub use stats::AudioStats;

/// PCM samples a second, everywhere in this module: the rate of Opus.
pub const SAMPLE_RATE: u32 = 48_000;

/// Sound is made in pieces of this length: each piece waits for its end, so they are short.
const TICK: Duration = Duration::from_millis(10);
const TICK_SAMPLES: usize = (SAMPLE_RATE / 100) as usize;

/// A stream from its first packet on.
pub struct NewTrack {
    /// Which it is.
    pub stream: StreamId,
    /// Whoever answers for it.
    pub owner: Owner,
    /// All of its packets; see [`PacketSource::tap`].
    pub packets: mpsc::Receiver<OpusPacket>,
}

/// Every stream that begins.
pub type NewTracks = mpsc::Receiver<NewTrack>;

/// Where the decoded side gets its packets.
pub trait PacketSource: Clone + Send + Sync + 'static {
    /// Packets of `stream` from now on, over a bounded channel that closes when the stream ends.
    /// `None`: there is no such live stream.
    fn tap(&self, stream: StreamId) -> impl Future<Output = Option<mpsc::Receiver<OpusPacket>>> + Send;

    /// The live streams, oldest first. A stream's taps are closed before it leaves the list.
    fn live(&self) -> watch::Receiver<Arc<[LiveStream]>>;
}
