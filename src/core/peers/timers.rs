//! When each peer wants to be woken. A peer's deadline moves with every packet, so the heap keeps
//! at most one entry that matters for each peer and learns of later deadlines only when it fires.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::domain::PeerId;

/// Wake-ups of peers, earliest first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, PeerId)>>,
}

impl Timers {
    /// Wakes `peer` at `deadline`, unless `scheduled`, its entry so far, comes first.
    pub(super) fn schedule(&mut self, peer: PeerId, deadline: Instant, scheduled: &mut Option<Instant>) {
        if scheduled.is_none_or(|at| deadline < at) {
            *scheduled = Some(deadline);
            self.heap.push(Reverse((deadline, peer)));
        }
    }

    /// The earliest wake-up.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one entry that is due. The caller ignores it unless it is the one the peer has scheduled.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Instant, PeerId)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_later_deadline_adds_no_entry_and_an_earlier_one_does() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        let mut scheduled = None;
        timers.schedule(PeerId(1), at(20), &mut scheduled);
        timers.schedule(PeerId(1), at(40), &mut scheduled);
        assert_eq!(timers.heap.len(), 1);
        timers.schedule(PeerId(1), at(10), &mut scheduled);
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop_due(at(9)), None);
        assert_eq!(timers.pop_due(at(10)), Some((at(10), PeerId(1))));
        assert_eq!(scheduled, Some(at(10)));
    }
}
