//! How much sound waits for the card: enough for its next callback, and hardly more, since all of it
//! is delay.

use std::time::{Duration, Instant};

/// Blocks kept beyond what a callback takes, at most: 20 ms.
const CUSHION: usize = 2;

/// After so long without an underrun, less is kept; sizes of callbacks are forgotten as slowly.
const CALM: Duration = Duration::from_secs(10);

/// The wanted fill of the ring, in frames of the card.
#[derive(Debug)]
pub(super) struct Depth {
    /// 10 ms.
    block: usize,
    /// The largest callback in this span and in the one before.
    largest: [usize; 2],
    /// Blocks kept in reserve since the last underrun.
    cushion: usize,
    /// When this span began.
    since: Instant,
}

impl Depth {
    /// For a card of this many frames in 10 ms.
    pub(super) fn new(now: Instant, block: usize) -> Self {
        Self { block, largest: [block; 2], cushion: 0, since: now }
    }

    /// Learns of the callbacks since the last time: the largest, and whether one found too little.
    pub(super) fn observe(&mut self, now: Instant, largest: usize, underrun: bool) {
        let foreseen = largest <= self.frames();
        self.largest[0] = self.largest[0].max(largest);
        if underrun {
            // A callback that was larger than any before explains it, and is provided for now.
            self.cushion = (self.cushion + usize::from(foreseen)).min(CUSHION);
            self.since = now;
        } else if now.duration_since(self.since) >= CALM {
            self.cushion = self.cushion.saturating_sub(1);
            self.largest = [self.block, self.largest[0]];
            self.since = now;
        }
    }

    /// Frames to have ready for the next callback.
    pub(super) fn frames(&self) -> usize {
        self.largest[0].max(self.largest[1]) + self.cushion * self.block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_callback_is_kept_ready() {
        let now = Instant::now();
        let mut depth = Depth::new(now, 480);
        assert_eq!(depth.frames(), 480);
        depth.observe(now, 128, false);
        assert_eq!(depth.frames(), 480);
        depth.observe(now, 1_024, false);
        assert_eq!(depth.frames(), 1_024);
    }

    #[test]
    fn underruns_deepen_it_by_twenty_milliseconds_at_most() {
        let now = Instant::now();
        let mut depth = Depth::new(now, 480);
        let deepened = [1, 2, 3, 4].map(|_| {
            depth.observe(now, 480, true);
            depth.frames()
        });
        assert_eq!(deepened, [960, 1_440, 1_440, 1_440]);
    }

    #[test]
    fn an_underrun_by_a_larger_callback_is_answered_by_its_size_only() {
        let now = Instant::now();
        let mut depth = Depth::new(now, 480);
        depth.observe(now, 960, true);
        assert_eq!(depth.frames(), 960);
    }

    #[test]
    fn it_gets_shallow_again_when_all_is_calm() {
        let start = Instant::now();
        let mut depth = Depth::new(start, 480);
        depth.observe(start, 960, true);
        depth.observe(start, 960, true);
        let later = [1, 10, 19, 20, 30].map(|second| {
            depth.observe(start + Duration::from_secs(second), 480, false);
            depth.frames()
        });
        assert_eq!(later, [1_440, 960, 960, 480, 480]);
    }
}
