//! What the decoded side counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counters and gauges of all streams together.
#[derive(Debug, Default)]
pub struct AudioStats {
    /// Encoders at work now.
    pub encoders: AtomicI64,
    /// MP3 frames encoded.
    pub mp3_frames: AtomicU64,
    /// Messages that were dropped because whoever writes them to sockets was too slow.
    pub frames_skipped: AtomicU64,
    /// Opus packets decoded.
    pub decoded: AtomicU64,
    /// Lost packets restored from the next one (in-band FEC).
    pub fec_recovered: AtomicU64,
    /// Stretches filled by packet loss concealment.
    pub concealed: AtomicU64,
    /// Packets that were not Opus.
    pub undecodable: AtomicU64,
    /// Packets that came after their time, or twice.
    pub late: AtomicU64,
    /// Times that speech was made shorter or longer by a few milliseconds, to keep the delay.
    pub stretched: AtomicU64,
    /// Packets dropped because the jitter buffer was full.
    pub overflow: AtomicU64,
}

impl AudioStats {
    pub(crate) fn add_frames(&self, frames: u64) {
        self.mp3_frames.fetch_add(frames, Ordering::Relaxed);
    }

    pub(crate) fn skip_frames(&self, skipped: u64) {
        self.frames_skipped.fetch_add(skipped, Ordering::Relaxed);
    }
}

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Keeps a gauge one higher for as long as it lives.
pub(crate) struct Gauged {
    stats: Arc<AudioStats>,
}

impl Gauged {
    pub(crate) fn encoder(stats: &Arc<AudioStats>) -> Self {
        stats.encoders.fetch_add(1, Ordering::Relaxed);
        Self { stats: Arc::clone(stats) }
    }
}

impl Drop for Gauged {
    fn drop(&mut self) {
        self.stats.encoders.fetch_sub(1, Ordering::Relaxed);
    }
}
