//! How fast one may call: a few at once, then one now and then. It is what ends a circle of automations that call because
//! they are called.

use std::time::{Duration, Instant};

use crate::domain::Owner;

use super::Calls;

/// Calls that one may make at once; then one each [`INTERVAL`].
pub const BURST: u32 = 5;

/// See [`BURST`].
pub const INTERVAL: Duration = Duration::from_secs(4);

/// How fast one calls.
#[derive(Debug)]
pub(super) struct Rate {
    /// When all of [`BURST`] may be made again.
    full_at: Instant,
}

impl Calls {
    /// Whether this owner may call once more now; counts it if so.
    pub(super) fn may_call(&mut self, now: Instant, owner: &Owner) -> bool {
        self.rates.retain(|_, rate| rate.full_at > now);
        let rate = self.rates.entry(owner.clone()).or_insert(Rate { full_at: now });
        let full_at = rate.full_at.max(now) + INTERVAL;
        let is_fine = full_at.duration_since(now) <= INTERVAL * BURST;
        if is_fine {
            rate.full_at = full_at;
        }
        is_fine
    }
}
