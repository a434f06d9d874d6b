//! When a sender is asked for a keyframe (RFC 4585 6.3.1). One answers for all its layers, and costs as much as a second of
//! video: so a sender is asked once for all who wait, whichever layer they wait for, and not again and again.

use std::time::{Duration, Instant};

/// Whoever joins within this time after a request waits for what that one brings.
const SHARED: Duration = Duration::from_millis(300);

/// Until the first request is taken for lost.
const FIRST_RETRY: Duration = Duration::from_millis(250);

const RETRY: Duration = Duration::from_millis(500);

/// Requests after which a sender is taken for one that sends keyframes when it likes, as some cameras do.
const PROMPT_TRIES: u32 = 5;

const LATE_RETRY: Duration = Duration::from_secs(10);

/// Requests for keyframes to one sender.
#[derive(Debug, Default)]
pub(super) struct KeyframeRequests {
    /// Somebody waits.
    is_wanted: bool,
    asked: Option<Instant>,
    /// Requests since somebody waits.
    tries: u32,
}

impl KeyframeRequests {
    /// Somebody cannot go on without one.
    pub(super) fn want(&mut self) {
        self.is_wanted = true;
    }

    /// One has come, and nobody waits any more.
    pub(super) fn note_satisfied(&mut self) {
        self.is_wanted = false;
        self.tries = 0;
    }

    /// When to look again.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.is_wanted.then(|| self.asked.map_or(now, |asked| asked + self.gap()))
    }

    /// Whether to ask now; notes that it is done.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let is_due = self.deadline(now).is_some_and(|at| now >= at);
        if is_due {
            self.asked = Some(now);
            self.tries += 1;
        }
        is_due
    }

    const fn gap(&self) -> Duration {
        match self.tries {
            0 => SHARED,
            1 => FIRST_RETRY,
            2..=PROMPT_TRIES => RETRY,
            _ => LATE_RETRY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sender {
        requests: KeyframeRequests,
        start: Instant,
    }

    impl Sender {
        fn new() -> Self {
            Self { requests: KeyframeRequests::default(), start: Instant::now() }
        }

        /// Milliseconds at which it is asked in this span, looked at every ten.
        fn asked_in(&mut self, span: std::ops::Range<u64>) -> Vec<u64> {
            let looks = span.step_by(10);
            looks.filter(|at| self.requests.take_due(self.start + Duration::from_millis(*at))).collect()
        }
    }

    #[test]
    fn a_sender_is_asked_at_once_and_again_while_nothing_comes_and_then_seldom() {
        let mut sender = Sender::new();
        sender.requests.want();
        assert_eq!(sender.asked_in(0..30_000), [0, 250, 750, 1_250, 1_750, 2_250, 12_250, 22_250]);
    }

    #[test]
    fn whoever_waits_at_one_time_is_asked_for_once() {
        let mut sender = Sender::new();
        for _ in 0..20 {
            sender.requests.want();
        }
        assert_eq!(sender.asked_in(0..200), [0]);
    }

    #[test]
    fn whoever_comes_after_a_keyframe_gets_another_one_but_not_at_once() {
        let mut sender = Sender::new();
        sender.requests.want();
        assert_eq!(sender.asked_in(0..50), [0]);
        sender.requests.note_satisfied();
        sender.requests.want();
        assert_eq!(sender.asked_in(50..400), [300]);
    }

    #[test]
    fn a_flood_of_requests_by_a_viewer_costs_a_sender_three_a_second() {
        let mut sender = Sender::new();
        let mut asked = 0;
        for at in (0..10_000).step_by(10) {
            sender.requests.want();
            let due = sender.asked_in(at..at + 10).len();
            asked += due;
            if due > 0 {
                sender.requests.note_satisfied();
            }
        }
        assert_eq!(asked, 34);
    }

    #[test]
    fn nobody_is_asked_where_nobody_waits() {
        let mut sender = Sender::new();
        assert!(sender.asked_in(0..1_000).is_empty());
        assert_eq!(sender.requests.deadline(sender.start), None);
    }
}
