//! How much a viewer's way bears, as far as can be told: the estimate of its session, and a brake.
//!
//! The estimate is the mean of three seconds, and for so long says of a way that has just become narrow what was true before.
//! What cannot leave shows it at once: so when packets grow old in our own queue, all but the most wanted picture stops,
//! and that one is sent at its lowest, until the queue has drained.

use std::time::{Duration, Instant};

/// Share of the estimate that video may have, in percent: voices come first, and estimates are too good now and then.
const USABLE: u64 = 90;

/// Age of the oldest packet that waits to be sent, from which on the brake is pulled. Half of it would do so for no reason
/// now and then.
const TOO_OLD: Duration = Duration::from_millis(250);

/// For so long it brakes.
const BRAKES_FOR: Duration = Duration::from_millis(1_500);

/// The brake is pulled again at the earliest so long after it was.
const BRAKES_AGAIN: Duration = Duration::from_millis(700);

/// After a step down nothing goes up for so long; and longer, when the one before was not long ago.
const COOLS: Duration = Duration::from_secs(3);
const COOLS_LONGER: Duration = Duration::from_secs(10);

/// Without any picture, the lowest one is tried again after so long, and each time later.
const RETRIES: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];

/// A try that holds for so long was none too early.
const HOLDS: Duration = Duration::from_secs(10);

/// What a viewer's way bears.
#[derive(Debug)]
pub(super) struct ViewerPath {
    /// Bits a second, as the session estimates.
    estimate: u64,
    braked: Option<Instant>,
    lowered: Option<Instant>,
    cools_until: Option<Instant>,
    /// Since when there is no picture at all, though some are wanted.
    dark_since: Option<Instant>,
    retries: usize,
    tried: Option<Instant>,
}

impl ViewerPath {
    /// One of which nothing is known but this.
    pub(super) fn new(estimate: u64) -> Self {
        Self { estimate, braked: None, lowered: None, cools_until: None, dark_since: None, retries: 0, tried: None }
    }

    /// Takes a new estimate, in bits a second.
    pub(super) fn note_estimate(&mut self, estimate: u64) {
        self.estimate = estimate;
    }

    /// Takes note of how old the oldest packet is that waits to be sent. True when the brake is pulled.
    pub(super) fn note_queue(&mut self, age: Duration, now: Instant) -> bool {
        let is_recent = self.braked.is_some_and(|at| now.saturating_duration_since(at) < BRAKES_AGAIN);
        if age < TOO_OLD || is_recent {
            return false;
        }
        self.braked = Some(now);
        self.note_lowered(now);
        true
    }

    /// Whether it brakes.
    pub(super) fn is_braking(&self, now: Instant) -> bool {
        self.braked.is_some_and(|at| now.saturating_duration_since(at) < BRAKES_FOR)
    }

    /// Bits a second that may be sent.
    pub(super) fn budget(&self) -> u64 {
        self.estimate * USABLE / 100
    }

    /// Something was taken from the viewer that it had.
    pub(super) fn note_lowered(&mut self, now: Instant) {
        let is_second = self.lowered.replace(now).is_some_and(|at| {
            let since = now.saturating_duration_since(at);
            since > BRAKES_FOR && since < COOLS_LONGER
        });
        let until = now + if is_second { COOLS_LONGER } else { COOLS };
        self.cools_until = self.cools_until.max(Some(until));
    }

    /// Whether the viewer may have something better than it has.
    pub(super) fn may_rise(&self, now: Instant) -> bool {
        self.cools_until.is_none_or(|until| now >= until)
    }

    /// Takes note of whether the viewer sees anything, where it wants to. True: the lowest picture is to be tried, whatever
    /// the estimate says, since it tells little of a way on which nothing is sent.
    pub(super) fn note_picture(&mut self, is_dark: bool, now: Instant) -> bool {
        if !is_dark {
            self.dark_since = None;
            if self.tried.is_some_and(|at| now.saturating_duration_since(at) >= HOLDS) {
                (self.tried, self.retries) = (None, 0);
            }
            return false;
        }
        let since = *self.dark_since.get_or_insert(now);
        if now.saturating_duration_since(since) < RETRIES[self.retries] {
            return false;
        }
        self.retries = (self.retries + 1).min(RETRIES.len() - 1);
        (self.dark_since, self.tried) = (None, Some(now));
        true
    }

    /// Whether a try is under way, which is given the time to show.
    pub(super) fn is_trying(&self, now: Instant) -> bool {
        self.tried.is_some_and(|at| now.saturating_duration_since(at) < COOLS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_packet_that_waits_for_a_quarter_of_a_second_pulls_the_brake_once() {
        let start = Instant::now();
        let mut path = ViewerPath::new(1_000_000);
        assert!(!path.note_queue(Duration::from_millis(249), start));
        assert!(path.note_queue(Duration::from_millis(250), start));
        assert!(!path.note_queue(Duration::from_millis(400), start + SECOND / 2), "it takes a while to drain");
        assert!(path.is_braking(start + SECOND));
        assert!(!path.is_braking(start + 2 * SECOND));
    }

    #[test]
    fn nothing_rises_for_three_seconds_after_a_step_down_and_for_ten_after_two() {
        let start = Instant::now();
        let mut path = ViewerPath::new(1_000_000);
        assert!(path.may_rise(start));
        path.note_lowered(start);
        assert!(!path.may_rise(start + 2 * SECOND));
        assert!(path.may_rise(start + 3 * SECOND));
        path.note_lowered(start + 4 * SECOND);
        assert!(!path.may_rise(start + 13 * SECOND));
        assert!(path.may_rise(start + 14 * SECOND));
    }

    #[test]
    fn who_sees_nothing_is_tried_after_five_seconds_then_ten_then_twenty() {
        let start = Instant::now();
        let mut path = ViewerPath::new(0);
        let tries: Vec<_> = (0..80).filter(|second| path.note_picture(true, start + SECOND * *second)).collect();
        assert_eq!(tries, [5, 16, 37, 58, 79]);
    }

    #[test]
    fn a_try_that_held_is_forgotten() {
        let start = Instant::now();
        let mut path = ViewerPath::new(0);
        assert!((0..=5).any(|second| path.note_picture(true, start + SECOND * second)));
        assert!(path.is_trying(start + 6 * SECOND));
        for second in 6..20 {
            assert!(!path.note_picture(false, start + SECOND * second));
        }
        let tries: Vec<_> = (20..30).filter(|second| path.note_picture(true, start + SECOND * *second)).collect();
        assert_eq!(tries, [25], "as after the first time");
    }
}
