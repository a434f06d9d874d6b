//! Do not disturb: a station, a room, or the whole house, for a while or until it is turned off. What passes is said with
//! it: what is urgent, or nothing.

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::domain::Priority;

use super::station::unix;
use super::{Calls, EVERYBODY, Effect};

/// The longest that it can be for a while.
pub const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// What gets through to those who are not to be disturbed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passes {
    /// What is urgent.
    #[default]
    Urgent,
    /// Nothing at all.
    Nothing,
}

/// That a place is not to be disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoNotDisturb {
    /// What gets through.
    pub passes: Passes,
    /// Until when, in seconds since 1970; `None`: until it is turned off.
    pub until: Option<u64>,
}

/// The same, with the end by the clock that nobody sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timed {
    pub(super) set: DoNotDisturb,
    pub(super) ends: Option<Instant>,
}

impl Calls {
    /// Turns it on for a place, for so long or until it is turned off: [`EVERYBODY`], or the id of a room or station.
    pub fn disturb_not(&mut self, now: Instant, at: SystemTime, place: &str, passes: Passes, time: Option<Duration>) {
        let time = time.map(|time| time.min(LONGEST));
        let set = DoNotDisturb { passes, until: time.map(|time| unix(at + time)) };
        self.quiet.insert(place.to_owned(), Timed { set, ends: time.map(|time| now + time) });
        self.effects.push_back(Effect::DoNotDisturb(place.to_owned(), Some(set)));
    }

    /// Turns it off; `false` where it was not on.
    pub fn disturb(&mut self, place: &str) -> bool {
        let was_on = self.quiet.remove(place).is_some();
        if was_on {
            self.effects.push_back(Effect::DoNotDisturb(place.to_owned(), None));
        }
        was_on
    }

    /// As it was kept. What has ended meanwhile is off.
    pub fn restore_quiet(&mut self, now: Instant, at: SystemTime, place: &str, kept: DoNotDisturb) {
        match kept.until {
            Some(until) if until <= unix(at) => self.effects.push_back(Effect::DoNotDisturb(place.to_owned(), None)),
            until => {
                let ends = until.map(|until| now + Duration::from_secs(until - unix(at)).min(LONGEST));
                self.quiet.insert(place.to_owned(), Timed { set: kept, ends });
            }
        }
    }

    /// Forgets places that are no more.
    pub fn forget_quiet(&mut self, is_there: impl Fn(&str) -> bool) {
        let gone: Vec<_> = self.quiet.keys().filter(|place| !is_there(place)).cloned().collect();
        for place in gone {
            self.disturb(&place);
        }
        self.forget_hours(is_there);
    }

    /// All places that are not to be disturbed.
    pub fn quiet_places(&self) -> impl Iterator<Item = (&str, DoNotDisturb)> {
        self.quiet.iter().map(|(place, timed)| (place.as_str(), timed.set))
    }

    /// Whether something of this priority does not get through to a place, or to the whole house.
    pub fn is_quiet(&self, place: &str, priority: Priority) -> bool {
        let keeps_out = |timed: &Timed| priority != Priority::Urgent || timed.set.passes == Passes::Nothing;
        [place, EVERYBODY].iter().filter_map(|place| self.quiet.get(*place)).any(keeps_out)
    }

    /// Turns off what has ended.
    pub(super) fn end_quiet(&mut self, now: Instant) {
        let is_over = |timed: &Timed| timed.ends.is_some_and(|ends| ends <= now);
        let over: Vec<_> = self.quiet.iter().filter(|(_, it)| is_over(it)).map(|(place, _)| place.clone()).collect();
        for place in over {
            self.disturb(&place);
        }
    }
}
