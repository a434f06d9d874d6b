//! Live programs: what is said and played just now, decoded only while somebody wants samples.
//!
//! A `program` says what there is to hear, and mixes it; a `mount` makes one format of it for all listeners of the same, at
//! the pace of the clock. `recorded` is speech as its sender's own packets, of which `clips` keeps what was said for a while; `host` is a dial, and a voice, for sound that is heard
//! or made on this machine. Packets come from a [`PacketSource`]; nothing here knows HTTP or WebRTC.

mod clips;
mod host;
mod mount;
mod program;
mod recorded;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::domain::{OpusPacket, StreamId, Track};
use crate::engine::Engine;

pub use clips::{Clip, ClipLimits, ClipStats, Clips};
pub use host::{Dial, Speech, Spoken};
pub use mount::{Listener, Mounts};
pub use program::Program;
pub(crate) use recorded::{Packets, Take, mp3_of_ogg, ogg_file, peaks_of_ogg};

/// Where programs get their packets.
pub trait PacketSource: Clone + Send + Sync + 'static {
    /// Packets of `stream` from now on, over a bounded channel that closes when the stream ends.
    /// `None`: there is no such live stream.
    fn tap(&self, stream: StreamId) -> impl Future<Output = Option<mpsc::Receiver<OpusPacket>>> + Send;

    /// Live streams, oldest first. A stream's taps are closed before it leaves the list.
    fn live(&self) -> watch::Receiver<Arc<[Track]>>;
}

impl PacketSource for Engine {
    async fn tap(&self, stream: StreamId) -> Option<mpsc::Receiver<OpusPacket>> {
        Engine::tap(self, stream).await
    }

    fn live(&self) -> watch::Receiver<Arc<[Track]>> {
        self.tracks()
    }
}
