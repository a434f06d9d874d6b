//! What cards count.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters of one card, for metrics and the API.
#[derive(Debug, Default)]
pub struct CardStats {
    /// A stream is open on the device.
    pub running: AtomicBool,
    /// Times that the stream was opened anew after it had been lost.
    pub reopened: AtomicU64,
    /// Times that the loudspeaker wanted more than there was, and played silence.
    pub underruns: AtomicU64,
    /// Times that the microphone brought more than was taken, and sound was dropped.
    pub overruns: AtomicU64,
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
