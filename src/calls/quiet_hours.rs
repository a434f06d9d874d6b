//! Quiet hours: those of each day, by the clock on the wall, in which a place is not to be disturbed. When they begin, *Do not
//! disturb* is turned on until they end; whoever turns it off is disturbed until they begin the next time.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::do_not_disturb::Passes;
use super::station::unix;
use super::{Calls, Effect};

const DAY: u64 = 86_400;

/// The clock on the wall may be set, and is looked at so often.
const LOOK: u64 = 60;

/// Two beginnings that are less apart are the same one: a clock was set, or summer ends.
const APART: u64 = DAY / 2;

/// Seconds since midnight where the house is.
pub type LocalClock = fn(SystemTime) -> u32;

/// A time of each day, in minutes since midnight; written `22:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

/// What is written is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is written 22:00")]
pub struct NoTime;

/// The quiet hours of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// When they begin.
    pub from: TimeOfDay,
    /// When they end; on the next day, if that is earlier.
    pub until: TimeOfDay,
    /// What gets through.
    #[serde(default)]
    pub passes: Passes,
}

/// The same, with what became of them last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptHours {
    pub(super) hours: QuietHours,
    /// When they began last, in seconds since 1970.
    begun: u64,
    /// When that ends, by which they know what they have turned on.
    ends: u64,
}

impl TimeOfDay {
    fn seconds(self) -> u64 {
        u64::from(self.0) * 60
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = NoTime;

    fn try_from(text: String) -> Result<Self, NoTime> {
        text.parse()
    }
}

impl FromStr for TimeOfDay {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        let (hours, minutes) = text.split_once(':').ok_or(NoTime)?;
        let number = |digits: &str, most: u16| {
            let is_number = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
            let number = digits.parse::<u16>().ok().filter(|number| is_number && *number <= most);
            number.ok_or(NoTime)
        };
        Ok(Self(number(hours, 23)? * 60 + number(minutes, 59)?))
    }
}

impl QuietHours {
    /// How long they are, in seconds: all day where they end when they begin.
    fn length(&self) -> u64 {
        match (self.until.seconds() + DAY - self.from.seconds()) % DAY {
            0 => DAY,
            length => length,
        }
    }
}

impl KeptHours {
    /// Those that have never begun.
    fn new(hours: QuietHours) -> Self {
        Self { hours, begun: 0, ends: 0 }
    }

    /// Those that go on at this time of the day: since when and until when.
    fn current(&self, at: u64, second: u64) -> Option<(u64, u64)> {
        let since = (second + DAY - self.hours.from.seconds()) % DAY;
        let left = self.hours.length().checked_sub(since).filter(|left| *left > 0)?;
        Some((at.saturating_sub(since), at + left))
    }
}

impl Calls {
    /// A place has these quiet hours from now on, or none. In the midst of them it is not to be disturbed at once.
    pub fn set_quiet_hours(&mut self, now: Instant, at: SystemTime, place: &str, hours: Option<QuietHours>) {
        let before = match hours {
            Some(hours) => self.hours.insert(place.to_owned(), KeptHours::new(hours)),
            None => self.hours.remove(place),
        };
        // What the former ones have turned on goes with them.
        let turned_on = before.is_some_and(|before| self.until(place) == Some(before.ends));
        if turned_on {
            self.disturb(place);
        }
        self.effects.push_back(Effect::QuietHours(place.to_owned(), hours.map(KeptHours::new)));
        self.follow_hours(now, at);
    }

    /// As they were kept.
    pub fn restore_quiet_hours(&mut self, now: Instant, at: SystemTime, place: &str, kept: KeptHours) {
        self.hours.insert(place.to_owned(), kept);
        self.follow_hours(now, at);
    }

    /// The quiet hours of all places that have some.
    pub fn quiet_hours(&self) -> impl Iterator<Item = (&str, QuietHours)> {
        self.hours.iter().map(|(place, kept)| (place.as_str(), kept.hours))
    }

    /// Forgets places that are no more.
    pub(super) fn forget_hours(&mut self, is_there: impl Fn(&str) -> bool) {
        let gone: Vec<_> = self.hours.keys().filter(|place| !is_there(place)).cloned().collect();
        for place in gone {
            self.hours.remove(&place);
            self.effects.push_back(Effect::QuietHours(place, None));
        }
    }

    /// Looks at the clock: those that begin turn *Do not disturb* on.
    pub(super) fn follow_hours(&mut self, now: Instant, at: SystemTime) {
        let (second, at_unix) = (u64::from((self.settings.second_of_day)(at)), unix(at));
        self.hours_due = (!self.hours.is_empty()).then(|| now + Duration::from_secs(LOOK - second % LOOK));
        let current = self.hours.iter().filter_map(|(place, kept)| {
            let (begun, ends) = kept.current(at_unix, second)?;
            Some((place.clone(), *kept, KeptHours { begun, ends, ..*kept }))
        });
        let current: Vec<_> = current.collect();
        for (place, before, after) in current {
            let time = Duration::from_secs(after.ends - at_unix);
            let is_new = after.begun.abs_diff(before.begun) >= APART;
            // The clock was set meanwhile, or it is another hour since summer has ended.
            let is_moved = self.until(&place) == Some(before.ends) && self.ends_apart_from(&place, now + time);
            if is_new || is_moved {
                self.hours.insert(place.clone(), after);
                self.effects.push_back(Effect::QuietHours(place.clone(), Some(after)));
            }
            if is_moved || is_new && !self.lasts_until(&place, after.ends) {
                self.disturb_not(now, at, &place, after.hours.passes, Some(time));
            }
        }
    }

    /// Whether *Do not disturb* is on for a place that long, or until it is turned off.
    fn lasts_until(&self, place: &str, ends: u64) -> bool {
        self.quiet.get(place).is_some_and(|timed| timed.set.until.is_none_or(|until| until >= ends))
    }

    /// Whether it ends at another time than this.
    fn ends_apart_from(&self, place: &str, ends: Instant) -> bool {
        let known = self.quiet.get(place).and_then(|timed| timed.ends);
        let apart = |known: Instant| known.max(ends) - known.min(ends);
        known.is_some_and(|known| apart(known) >= Duration::from_secs(LOOK))
    }

    /// Until when a place is not to be disturbed, where that has an end.
    fn until(&self, place: &str) -> Option<u64> {
        self.quiet.get(place)?.set.until
    }
}
