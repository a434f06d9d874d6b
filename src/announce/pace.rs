//! When the next packet is due: by the clock alone, so that nothing adds up, however late each one is.

use std::time::{Duration, Instant};

/// So much sound is in one packet.
pub(super) const FRAME: Duration = Duration::from_millis(20);

/// Whoever is later than this, since the machine slept or was very busy, does not catch up: it goes on from now.
const MAX_LAG: Duration = Duration::from_millis(200);

/// Packets at the pace of the clock.
#[derive(Debug)]
pub(super) struct Pace {
    due: Instant,
}

impl Pace {
    /// The first one is due now.
    pub(super) fn new(now: Instant) -> Self {
        Self { due: now }
    }

    /// When the present one is due.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// It was sent; gives how long to wait for the next.
    pub(super) fn advance(&mut self, now: Instant) -> Duration {
        self.due += FRAME;
        if now > self.due + MAX_LAG {
            self.due = now;
        }
        self.due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_does_not_add_up() {
        let start = Instant::now();
        let (mut pace, mut now) = (Pace::new(start), start);
        for late in (0..1_000).map(|n| Duration::from_micros(n * 7_919 % 9_000)) {
            now += pace.advance(now) + late;
        }
        assert_eq!(pace.due(), start + FRAME * 1_000);
    }

    #[test]
    fn a_short_hold_up_is_made_up_for_and_a_long_one_is_not() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let held_up = start + Duration::from_millis(100);
        assert!((0..4).all(|_| pace.advance(held_up) == Duration::ZERO));
        assert_eq!(pace.due(), start + FRAME * 4);
        let asleep = start + Duration::from_secs(3_600);
        assert_eq!((pace.advance(asleep), pace.due()), (Duration::ZERO, asleep));
        assert_eq!(pace.advance(asleep), FRAME);
    }
}
