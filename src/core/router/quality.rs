//! What bitrate a receiver can bear, by the losses that it reports; and what that means for those it hears.
//!
//! One sender has one encoding for all: it sends what the weakest of its receivers can bear. Down at once, when
//! much is lost; up again only after a while without loss, and more slowly each time that was too early.

use std::time::{Duration, Instant};

/// Bits a second of a sender's encoding, from the best to what speech is still well understood at.
pub const BITRATES: [u32; 4] = [128_000, 64_000, 32_000, 16_000];

/// Losses above which the next lower step is tried.
const TOO_MUCH: f32 = 0.08;

/// Losses above which it is one more at once.
const FAR_TOO_MUCH: f32 = 0.15;

/// Losses below which the way is as good as any on Wi-Fi.
const HARDLY_ANY: f32 = 0.02;

/// A step needs so long to show in the reports, before the next one down.
const SETTLE: Duration = Duration::from_secs(3);

/// So long without loss before the next higher step is tried; doubled whenever that was too early.
const PATIENCE: Duration = Duration::from_secs(8);

/// The longest such wait.
const MAX_PATIENCE: Duration = Duration::from_secs(60);

/// Estimate of the bitrate that one receiver can bear.
#[derive(Debug)]
pub(super) struct BitrateEstimate {
    step: usize,
    changed: Option<Instant>,
    /// Since when hardly anything was lost.
    good_since: Option<Instant>,
    timeout: Duration,
    /// The last change was one up: if that was too early, the next one takes longer.
    on_trial: bool,
}

impl Default for BitrateEstimate {
    fn default() -> Self {
        Self { step: 0, changed: None, good_since: None, timeout: PATIENCE, on_trial: false }
    }
}

impl BitrateEstimate {
    /// Bits a second.
    pub(super) fn bitrate(&self) -> u32 {
        BITRATES[self.step]
    }

    /// Takes a report of the share of packets lost since the last one. True when it changes the estimate.
    pub(super) fn note_loss(&mut self, lost: f32, now: Instant) -> bool {
        let before = self.step;
        if lost > TOO_MUCH {
            self.good_since = None;
            self.step_down(if lost > FAR_TOO_MUCH { 2 } else { 1 }, now);
        } else if lost > HARDLY_ANY {
            self.good_since = None;
        } else {
            self.step_up(now);
        }
        self.step != before
    }

    fn step_down(&mut self, steps: usize, now: Instant) {
        let settling = self.changed.is_some_and(|at| now.saturating_duration_since(at) < SETTLE);
        // One that was tried and found to be too much is taken back without waiting.
        if settling && !self.on_trial {
            return;
        }
        if std::mem::take(&mut self.on_trial) {
            self.timeout = (self.timeout * 2).min(MAX_PATIENCE);
        }
        self.step = (self.step + steps).min(BITRATES.len() - 1);
        self.changed = Some(now);
    }

    fn step_up(&mut self, now: Instant) {
        let since = *self.good_since.get_or_insert(now);
        if self.step == 0 || now.saturating_duration_since(since) < self.timeout {
            return;
        }
        self.step -= 1;
        self.changed = Some(now);
        self.good_since = Some(now);
        self.on_trial = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hearer {
        estimate: BitrateEstimate,
        now: Instant,
    }

    impl Hearer {
        fn new() -> Self {
            Self { estimate: BitrateEstimate::default(), now: Instant::now() }
        }

        /// Reports of this loss, one every two seconds; gives the bitrates after each.
        fn loses(&mut self, lost: f32, seconds: u64) -> Vec<u32> {
            let reports = (0..seconds / 2).map(|_| {
                self.now += Duration::from_secs(2);
                self.estimate.note_loss(lost, self.now);
                self.estimate.bitrate() / 1_000
            });
            reports.collect()
        }
    }

    impl Hearer {
        fn reports_until_it_rises(&mut self) -> usize {
            let before = self.estimate.bitrate();
            (1..1_000).find(|_| self.loses(0.0, 2)[0] * 1_000 > before).expect("it rises some day")
        }
    }

    #[test]
    fn a_fifth_lost_steps_down_two_at_once_and_then_further() {
        assert_eq!(Hearer::new().loses(0.2, 8), [32, 32, 16, 16]);
    }

    #[test]
    fn a_tenth_lost_steps_down_one_by_one() {
        assert_eq!(Hearer::new().loses(0.1, 12), [64, 64, 32, 32, 16, 16]);
    }

    #[test]
    fn a_little_loss_changes_nothing_either_way() {
        let mut receiver = Hearer::new();
        assert_eq!(receiver.loses(0.05, 20), [128; 10]);
        receiver.loses(0.2, 2);
        assert_eq!(receiver.loses(0.05, 60), [32; 30]);
    }

    #[test]
    fn without_loss_it_goes_up_again_step_by_step_and_not_at_once() {
        let mut receiver = Hearer::new();
        receiver.loses(0.2, 2);
        let up = receiver.loses(0.0, 30);
        assert_eq!(up[..4], [32; 4]);
        assert_eq!(up.last(), Some(&128));
        assert!(up.is_sorted());
    }

    #[test]
    fn a_step_up_that_was_too_early_is_taken_back_at_once_and_tried_later_the_next_time() {
        let mut receiver = Hearer::new();
        receiver.loses(0.1, 2);
        let waits: Vec<_> = (0..5)
            .map(|_| {
                let quiet_reports = receiver.reports_until_it_rises();
                assert_eq!(receiver.loses(0.1, 2), [64]);
                quiet_reports
            })
            .collect();
        assert_eq!(waits, [5, 9, 17, 31, 31]);
    }
}
