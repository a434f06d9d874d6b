//! How long packets are under way, and what delay covers nearly all of them.

use std::collections::VecDeque;
use std::time::Duration;

use super::samples;

/// Delay that the buffer aims at: the least, the one it begins with, and the most.
const MIN_TARGET: i64 = samples(Duration::from_millis(20)) as i64;
const INITIAL_TARGET: i64 = samples(Duration::from_millis(30)) as i64;
const MAX_TARGET: i64 = samples(Duration::from_millis(200)) as i64;

/// Whoever plays asks for so much at once: a packet must be there so much before it is heard.
const MARGIN: i64 = samples(Duration::from_millis(10)) as i64;

/// Packets that are remembered: five seconds of 20 ms each.
const WINDOW: usize = 250;

/// Packets that are enough to judge a network by.
const ENOUGH: usize = 25;

/// One packet in so many may come too late: those are concealed.
const LATE_ONE_IN: usize = 25;

/// Transit times of the last packets, in samples: arrival by our clock less timestamp. Their zero
/// means nothing, only their differences do.
#[derive(Debug)]
pub(super) struct Transit {
    recent: VecDeque<i64>,
    fastest: Option<i64>,
    target: i64,
    /// Reused for each selection.
    scratch: Vec<i64>,
}

impl Default for Transit {
    fn default() -> Self {
        Self { recent: VecDeque::new(), fastest: None, target: INITIAL_TARGET, scratch: Vec::new() }
    }
}

impl Transit {
    /// Takes note of a packet's transit time. What is later than any target is a stall, not jitter.
    pub(super) fn note(&mut self, transit: i64) {
        if self.fastest.is_some_and(|fastest| transit > fastest + MAX_TARGET) {
            return;
        }
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(transit);
        self.fastest = self.recent.iter().min().copied();
        let slowest = if self.recent.len() < ENOUGH { INITIAL_TARGET - MARGIN } else { self.slow() };
        self.target = (slowest + MARGIN).clamp(MIN_TARGET, MAX_TARGET);
    }

    /// The shortest of them; `None` before the first.
    pub(super) fn fastest(&self) -> Option<i64> {
        self.fastest
    }

    /// The delay to aim at, counted from the arrival of the fastest.
    pub(super) fn target(&self) -> i64 {
        self.target
    }

    /// By how much all but the slowest few are slower than the fastest.
    fn slow(&mut self) -> i64 {
        self.scratch.clear();
        self.scratch.extend(&self.recent);
        let rank = self.scratch.len() - 1 - self.scratch.len() / LATE_ONE_IN;
        let (_, slow, _) = self.scratch.select_nth_unstable(rank);
        *slow - self.fastest.unwrap_or(*slow)
    }
}
