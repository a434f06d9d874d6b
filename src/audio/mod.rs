//! The decoded side of the house: Opus packets in, PCM and MP3 out, only while somebody wants them.
//!
//! `jitter` puts packets in order and decides what is played next; `decoder` makes PCM of them and
//! fills what is missing; `playout` is both behind one question, "the next samples, please"; `mp3`
//! encodes; `mount` runs one encoder for all listeners of a stream, at the pace of the clock.
//! Nothing here knows HTTP, sockets or WebRTC: packets come through a [`PacketSource`].

mod decoder;
mod jitter;
mod lame;
mod mount;
mod mp3;
mod playout;
mod stats;
mod stretch;

use std::future::Future;

use tokio::sync::mpsc;

use crate::domain::{OpusPacket, StreamId};

pub use mount::{Listener, Mounts, Silence};
pub use stats::AudioStats;

/// PCM samples a second, everywhere in this module: the rate of Opus.
pub const SAMPLE_RATE: u32 = 48_000;

/// Where the decoded side gets its packets.
pub trait PacketSource: Send + Sync + 'static {
    /// Packets of `stream` from now on, over a bounded channel that closes when the stream ends.
    /// `None`: there is no such live stream.
    fn tap(&self, stream: StreamId) -> impl Future<Output = Option<mpsc::Receiver<OpusPacket>>> + Send;
}
