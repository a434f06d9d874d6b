//! How much a viewer's way bears, as far as can be told: the estimate of its session, and a brake.
//!
//! At home a way bears more than a session that sends little can know, and its estimate wanders by as much as it is: so a way is
//! taken to bear [`AT_HOME`], and nothing is paced, until much is lost or comes late. From then on the estimate counts for a while.
//! It is the mean of three seconds, and for so long says of a way that has just become narrow what was true before; what cannot
//! leave shows it at once: packets that grow old in our own queue.
//!
//! Each of these signs pulls the brake: all but the most wanted picture stops, and that one is sent at its lowest, until what was
//! under way has drained.

use std::time::{Duration, Instant};

/// What a way at home is taken to bear, in bits a second: five cameras at their best.
const AT_HOME: u64 = 10_000_000;

/// After a sign that it does not, the estimate alone is believed for so long.
const DOUBTS_FOR: Duration = Duration::from_secs(60);

/// Share of packets lost in a second that means that the way has become narrow; so does so much more time to the viewer and
/// back than it took when it was quickest.
const TOO_MUCH_LOST: f32 = 0.1;
const TOO_LATE: Duration = Duration::from_millis(250);

/// The brake is pulled for either no more often than this.
const BRAKES_SELDOM: Duration = Duration::from_secs(10);

/// Share of packets lost in a second with which not even the smallest picture is seen.
const MOST_LOST: f32 = 0.3;

/// For so long after a brake losses may be of what was sent before.
const SETTLES_FOR: Duration = Duration::from_secs(3);

/// What a way is taken to bear once the brake was pulled, in bits a second: enough for the smallest picture.
pub(super) const AFTER_BRAKE: u64 = 300_000;

/// So many brakes, each so soon after the one before: the way does not even bear the smallest picture.
const IN_VAIN: u32 = 3;
const SOON_AFTER: Duration = Duration::from_secs(4);

/// Share of the estimate that video may have, in percent: voices come first, and estimates are too good now and then.
const USABLE: u64 = 90;

/// Age of the oldest packet that waits to be sent, from which on the brake is pulled. Half of it would do so for no reason
/// now and then.
const TOO_OLD: Duration = Duration::from_millis(250);

/// For so long it brakes.
const BRAKES_FOR: Duration = Duration::from_millis(1_500);

/// The brake is pulled again at the earliest so long after it was.
const BRAKES_AGAIN: Duration = Duration::from_millis(1_200);

/// By then all that was under way when the brake was pulled has come or is lost, and has been reported of: it says nothing of
/// what is sent since.
const REPORTED_AFTER: Duration = Duration::from_millis(400);

/// It is tried whether a way bears more no more often than this.
const PROBES_AGAIN: Duration = Duration::from_secs(2);

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
    /// When it was last tried whether it bears more.
    probed: Option<Instant>,
    /// Time to the viewer and back, when it was quickest.
    shortest_trip: Option<Duration>,
    /// Bits a second that are sent.
    used: u64,
    doubted: Option<Instant>,
    braked: Option<Instant>,
    /// How often, each time soon after the one before.
    brakes: u32,
    /// What is reported still is of what was sent before.
    is_recovering: bool,
    /// It was pulled in vain: no picture is sent until one is tried again.
    is_hopeless: bool,
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
        Self {
            estimate,
            probed: None,
            shortest_trip: None,
            used: 0,
            doubted: None,
            braked: None,
            brakes: 0,
            is_recovering: false,
            is_hopeless: false,
            lowered: None,
            cools_until: None,
            dark_since: None,
            retries: 0,
            tried: None,
        }
    }

    /// Takes a new estimate, in bits a second.
    pub(super) fn note_estimate(&mut self, estimate: u64) {
        self.estimate = estimate;
    }

    /// Takes note of the share of packets that were lost in the last second. True when the brake is pulled: much is lost, and
    /// less can be sent; or so much that not even the smallest picture is seen.
    pub(super) fn note_loss(&mut self, lost: f32, now: Instant) -> bool {
        if self.used > AFTER_BRAKE {
            return lost > TOO_MUCH_LOST && !self.has_braked_lately(now) && self.brake(now);
        }
        // What was lost before the brake is no sign any more.
        let is_settled = self.braked.is_none_or(|at| now.saturating_duration_since(at) > SETTLES_FOR);
        let gives_up = lost > MOST_LOST && self.used > 0 && is_settled && !self.is_hopeless;
        if gives_up {
            (self.is_hopeless, self.doubted) = (true, Some(now));
            self.note_lowered(now);
        }
        gives_up
    }

    fn has_braked_lately(&self, now: Instant) -> bool {
        self.braked.is_some_and(|at| now.saturating_duration_since(at) < BRAKES_SELDOM)
    }

    /// Takes note of what is sent from now on, in bits a second.
    pub(super) fn note_used(&mut self, used: u64) {
        self.used = used;
    }

    /// Takes note of the time from us to the viewer and back. True when the brake is pulled: what is sent queues up somewhere.
    pub(super) fn note_round_trip(&mut self, round_trip: Duration, now: Instant) -> bool {
        let shortest = self.shortest_trip.map_or(round_trip, |shortest| shortest.min(round_trip));
        self.shortest_trip = Some(shortest);
        round_trip > shortest + TOO_LATE && self.used > AFTER_BRAKE && !self.has_braked_lately(now) && self.brake(now)
    }

    /// Whether the way is taken to bear all that is wanted, and what is sent need not be paced.
    pub(super) fn is_trusted(&self, now: Instant) -> bool {
        self.doubted.is_none_or(|at| now.saturating_duration_since(at) > DOUBTS_FOR)
    }

    /// Takes note of how old the oldest packet is that waits to be sent. True when the brake is pulled.
    pub(super) fn note_queue(&mut self, age: Duration, now: Instant) -> bool {
        age >= TOO_OLD && self.brake(now)
    }

    fn brake(&mut self, now: Instant) -> bool {
        if self.braked.is_some_and(|at| now.saturating_duration_since(at) < BRAKES_AGAIN) {
            return false;
        }
        let is_soon = self.braked.is_some_and(|at| now.saturating_duration_since(at) < SOON_AFTER);
        self.brakes = if is_soon { self.brakes + 1 } else { 1 };
        self.is_hopeless = self.brakes >= IN_VAIN;
        (self.braked, self.doubted, self.is_recovering) = (Some(now), Some(now), true);
        self.estimate = AFTER_BRAKE;
        self.note_lowered(now);
        true
    }

    /// Whether it brakes.
    pub(super) fn is_braking(&self, now: Instant) -> bool {
        self.braked.is_some_and(|at| now.saturating_duration_since(at) < BRAKES_FOR)
    }

    /// The estimate with which the session is to begin anew, once reports of what was sent before the brake have ruined it.
    pub(super) fn take_recovery(&mut self, now: Instant) -> Option<u64> {
        let is_due = self.is_recovering && self.recovers_at().is_some_and(|at| now >= at);
        if is_due {
            self.is_recovering = false;
            self.estimate = AFTER_BRAKE;
        }
        is_due.then_some(AFTER_BRAKE)
    }

    /// When that is.
    fn recovers_at(&self) -> Option<Instant> {
        self.braked.filter(|_| self.is_recovering).map(|at| at + REPORTED_AFTER)
    }

    /// Whether the session is to try if the way bears more, since more is wanted.
    pub(super) fn take_probe(&mut self, desired: u64, now: Instant) -> bool {
        let is_recent = self.probed.is_some_and(|at| now.saturating_duration_since(at) < PROBES_AGAIN);
        let is_due = !is_recent && !self.is_braking(now) && self.estimate < desired && self.may_rise(now);
        if is_due {
            self.probed = Some(now);
        }
        is_due
    }

    /// Whether not even the smallest picture is to be sent for now.
    pub(super) fn is_hopeless(&self) -> bool {
        self.is_hopeless
    }

    /// Bits a second that may be sent.
    pub(super) fn budget(&self, now: Instant) -> u64 {
        let believed = if self.is_trusted(now) { self.estimate.max(AT_HOME) } else { self.estimate };
        believed * USABLE / 100
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
        (self.dark_since, self.tried, self.is_hopeless) = (None, Some(now), false);
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
    fn a_way_at_home_is_trusted_until_much_is_lost_at_once() {
        let start = Instant::now();
        let mut path = ViewerPath::new(2_000_000);
        assert_eq!(path.budget(start), AT_HOME * USABLE / 100);
        path.note_used(3_000_000);
        path.note_estimate(900_000);
        assert_eq!(path.budget(start), AT_HOME * USABLE / 100, "an estimate alone says little");
        assert!(!path.note_loss(0.03, start));
        assert!(path.note_loss(0.3, start));
        assert_eq!(path.budget(start), AFTER_BRAKE * USABLE / 100);
        assert!(!path.is_trusted(start + SECOND));
        assert_eq!(path.budget(start + DOUBTS_FOR + SECOND), AT_HOME * USABLE / 100);
    }

    #[test]
    fn packets_that_queue_up_on_the_way_pull_the_brake_too() {
        let mut path = ViewerPath::new(2_000_000);
        path.note_used(3_000_000);
        let now = Instant::now();
        assert!(!path.note_round_trip(Duration::from_millis(300), now), "it is far away");
        assert!(!path.note_round_trip(Duration::from_millis(80), now));
        assert!(!path.note_round_trip(Duration::from_millis(300), now));
        assert!(path.note_round_trip(Duration::from_millis(331), now));
    }

    #[test]
    fn the_smallest_picture_is_given_up_only_when_it_cannot_be_seen() {
        let start = Instant::now();
        let mut path = ViewerPath::new(2_000_000);
        path.note_used(150_000);
        assert!((0..100).all(|second| !path.note_loss(0.2, start + SECOND * second)), "what is lost is sent again");
        assert!(path.note_loss(0.4, start + 100 * SECOND));
        assert!(path.is_hopeless());
        assert!(!path.note_loss(0.4, start + 101 * SECOND), "once");
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
