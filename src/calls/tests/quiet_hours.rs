//! Hours of each day in which a place is not to be disturbed, on a clock that is stepped, and set.

use super::quiet_hours::KeptHours;
use super::*;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Midnight of some day.
const MIDNIGHT: u64 = 20_000 * DAY;

fn hours(from: &str, until: &str) -> QuietHours {
    let time = |text: &str| text.parse().expect("a time");
    QuietHours { from: time(from), until: time(until), passes: Passes::Urgent }
}

/// A house with a hall in which it is this hour, since the hall has these quiet hours.
fn since(hour: u64, from: &str, until: &str) -> TestCalls {
    let (mut calls, _) = TestCalls::with(&["hall"]);
    calls.at = SystemTime::UNIX_EPOCH + Duration::from_secs(MIDNIGHT + hour * HOUR);
    calls.calls.set_quiet_hours(calls.now, calls.at, "hall", Some(hours(from, until)));
    calls.deliver();
    calls
}

impl TestCalls {
    fn is_quiet_for(&mut self, seconds: u64) -> Vec<bool> {
        (0..seconds / HOUR)
            .map(|_| {
                let is_quiet = self.calls.is_quiet("hall", Priority::Normal);
                self.pass(Duration::from_secs(HOUR));
                is_quiet
            })
            .collect()
    }

    /// The clock on the wall is set, and runs on.
    fn set_clock(&mut self, by: i64) {
        let step = Duration::from_secs(by.unsigned_abs());
        self.at = if by < 0 { self.at - step } else { self.at + step };
    }
}

fn kept(calls: &Calls) -> KeptHours {
    calls.hours["hall"]
}

#[test]
fn quiet_hours_begin_and_end_every_day_also_across_midnight() {
    let mut night = since(12, "22:00", "07:00");
    let day: Vec<_> = (12..36).map(|hour| (22..31).contains(&hour)).collect();
    assert_eq!(night.is_quiet_for(2 * DAY), [day.clone(), day].concat());
    let mut noon = since(12, "13:00", "15:00");
    assert_eq!(noon.is_quiet_for(5 * HOUR), [false, true, true, false, false]);
    let mut always = since(12, "08:00", "08:00");
    assert!(always.is_quiet_for(2 * DAY).iter().all(|is_quiet| *is_quiet));
}

#[test]
fn they_begin_at_once_in_their_midst_and_end_with_them_when_they_are_given_up() {
    let mut calls = since(23, "22:00", "07:00");
    assert!(calls.calls.is_quiet("hall", Priority::Normal));
    assert!(!calls.calls.is_quiet("hall", Priority::Urgent), "it passes");
    calls.calls.set_quiet_hours(calls.now, calls.at, "hall", Some(hours("23:30", "06:00")));
    assert!(!calls.calls.is_quiet("hall", Priority::Normal), "later, by the new ones");
    calls.pass(Duration::from_secs(HOUR));
    assert!(calls.calls.is_quiet("hall", Priority::Normal));
    calls.calls.set_quiet_hours(calls.now, calls.at, "hall", None);
    assert!(!calls.calls.is_quiet("hall", Priority::Normal));
    assert_eq!(calls.calls.deadline(), None, "nobody looks at the clock for nothing");
}

#[test]
fn who_turns_it_off_is_disturbed_until_the_next_night_and_who_has_turned_it_on_for_longer_is_not() {
    let mut calls = since(23, "22:00", "07:00");
    assert!(calls.calls.disturb("hall"));
    assert_eq!(calls.is_quiet_for(DAY), [vec![false; 23], vec![true]].concat(), "off until 22:00");

    let mut calls = since(12, "13:00", "15:00");
    calls.calls.disturb_not(calls.now, calls.at, "hall", Passes::Nothing, None);
    calls.pass(Duration::from_secs(5 * HOUR));
    assert!(calls.calls.is_quiet("hall", Priority::Urgent), "until it is turned off, and nothing passes");

    let mut calls = since(12, "13:00", "15:00");
    calls.calls.disturb_not(calls.now, calls.at, "hall", Passes::Urgent, Some(Duration::from_secs(2 * HOUR)));
    assert_eq!(calls.is_quiet_for(4 * HOUR), [true, true, true, false], "as long as the longer of both");
}

#[test]
fn a_clock_that_is_set_moves_their_end_and_begins_them_once() {
    for (by, quiet) in [(-(HOUR as i64), 5), (HOUR as i64, 3)] {
        // Three hours of the night are over, and four are left.
        let mut calls = since(20, "21:00", "04:00");
        calls.pass(Duration::from_secs(4 * HOUR));
        calls.set_clock(by);
        calls.pass(Duration::from_secs(60));
        let is_quiet = calls.is_quiet_for(8 * HOUR).into_iter().take_while(|is_quiet| *is_quiet).count();
        assert_eq!(is_quiet, quiet, "{by}");
    }
    let mut calls = since(20, "21:00", "04:00");
    calls.pass(Duration::from_secs(2 * HOUR));
    assert!(calls.calls.disturb("hall"));
    calls.set_clock(-(HOUR as i64) / 2);
    assert!(!calls.is_quiet_for(3 * HOUR).contains(&true), "who has turned it off is not silenced by a clock");
}

#[test]
fn after_a_restart_they_are_the_same_and_what_was_turned_off_stays_so() {
    for is_off in [false, true] {
        let mut before = since(23, "22:00", "07:00");
        if is_off {
            before.calls.disturb("hall");
        }
        let kept = kept(&before.calls);
        let quiet: Vec<_> = before.calls.quiet_places().map(|(_, set)| set).collect();
        let (mut after, _) = TestCalls::with(&["hall"]);
        after.at = before.at + Duration::from_secs(HOUR);
        for set in quiet {
            after.calls.restore_quiet(after.now, after.at, "hall", set);
        }
        after.calls.restore_quiet_hours(after.now, after.at, "hall", kept);
        assert_eq!(after.calls.is_quiet("hall", Priority::Normal), !is_off);
        after.pass(Duration::from_secs(22 * HOUR));
        assert!(after.calls.is_quiet("hall", Priority::Normal), "the next night as ever");
    }
}

#[test]
fn a_place_that_is_gone_takes_its_hours_with_it() {
    let mut calls = since(12, "22:00", "07:00");
    calls.calls.set_quiet_hours(calls.now, calls.at, "study", Some(hours("22:00", "07:00")));
    calls.calls.forget_quiet(|place| place == "hall");
    assert_eq!(calls.calls.quiet_hours().map(|(place, _)| place).collect::<Vec<_>>(), ["hall"]);
    assert!(calls.calls.forget(calls.now, &id("hall")));
    assert_eq!(calls.calls.quiet_hours().count(), 0);
}

#[test]
fn a_time_of_day_is_read_as_it_is_written() {
    for text in ["00:00", "07:05", "23:59"] {
        assert_eq!(text.parse::<TimeOfDay>().expect(text).to_string(), text);
    }
    for text in ["", "7:05", "24:00", "12:60", "12", "1a:00", "+1:00", "12:00:00", "-1:00"] {
        assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
    }
    let written = r#"{"from":"22:00","until":"07:00","passes":"nothing"}"#;
    let read: QuietHours = serde_json::from_str(written).expect("read");
    assert_eq!(serde_json::to_string(&read).expect("written"), written);
    assert!(serde_json::from_str::<QuietHours>(r#"{"from":"22:00","until":"7"}"#).is_err());
}
