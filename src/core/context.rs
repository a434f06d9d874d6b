//! What every layer of the core works with: the time as last told, what is to be said, and what is counted.

use std::collections::VecDeque;
use std::time::Instant;

use super::stats::{DropReason, RelayStats};
use super::{Event, Output, Transmit};

/// State that belongs to no layer. Lent to each call, so that no layer needs to borrow another.
pub(super) struct Context {
    /// Time as last told; never read from a clock here.
    pub(super) now: Instant,
    /// What is to be said and sent, in order.
    pub(super) outbox: VecDeque<Output>,
    /// Counters of all layers.
    pub(super) stats: RelayStats,
}

impl Context {
    pub(super) fn new(now: Instant) -> Self {
        Self { now, outbox: VecDeque::new(), stats: RelayStats::default() }
    }

    /// Tells whoever holds the core.
    pub(super) fn tell(&mut self, event: Event) {
        self.outbox.push_back(Output::Event(event));
    }

    /// Puts a datagram on its way.
    pub(super) fn transmit(&mut self, transmit: Transmit) {
        self.outbox.push_back(Output::Transmit(transmit));
    }

    /// Counts what went no further.
    pub(super) fn count_drop(&mut self, reason: DropReason) {
        self.stats.count_drop(reason);
    }
}
