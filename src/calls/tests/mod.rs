//! Calls under a stepped clock: who is rung, who gets through, and how each of them ends.

mod do_not_disturb;
mod drop_in;
mod phones;
mod quiet_hours;
mod random;
mod stations;
mod store;

use std::time::{Duration, Instant, SystemTime};

use super::station::unix;
use super::*;
use crate::domain::Priority;

/// Stations, their clock, and all that was said of calls.
struct TestCalls {
    calls: Calls,
    now: Instant,
    at: SystemTime,
    told: Vec<CallInfo>,
    logged: Vec<CallRecord>,
}

fn settings() -> CallsSettings {
    let second_of_day = |at| (unix(at) % 86_400) as u32;
    CallsSettings {
        stations: 12,
        calls: 4,
        log: 3,
        ring: Duration::from_secs(30),
        phones: true,
        share: 100,
        second_of_day,
    }
}

fn id(name: &str) -> StationId {
    StationId(name.to_owned())
}

fn owner() -> Owner {
    [10, 0, 0, 1].into()
}

impl TestCalls {
    fn new() -> Self {
        let (now, at) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
        Self { calls: Calls::new(settings(), Vec::new()), now, at, told: Vec::new(), logged: Vec::new() }
    }

    /// Those who are there, each in the kitchen.
    fn with(names: &[&str]) -> (Self, Vec<ConnectionId>) {
        let mut calls = Self::new();
        let connections = names.iter().map(|name| calls.come(name)).collect();
        (calls, connections)
    }

    fn come(&mut self, name: &str) -> ConnectionId {
        if self.calls.key(&id(name)).is_none() {
            self.calls.add(&id(name), name.to_owned(), owner());
        }
        let connection = self.calls.come(self.at, &id(name), name, vec!["kitchen".into()]);
        self.deliver();
        connection
    }

    fn go(&mut self, name: &str, connection: ConnectionId) {
        self.calls.go(self.now, self.at, &id(name), connection);
        self.deliver();
    }

    fn ring(&mut self, from: &str, to: &[&str]) -> Result<CallInfo, CallError> {
        self.ring_from(Caller::Station(id(from)), to)
    }

    /// A doorbell, behind which nobody is heard.
    fn doorbell(&mut self, to: &[&str]) -> Result<CallInfo, CallError> {
        self.ring_from(Caller::Other { name: "Door".into(), room: None }, to)
    }

    fn ring_from(&mut self, from: Caller, to: &[&str]) -> Result<CallInfo, CallError> {
        let to = to.iter().map(|written| Target::from(*written)).collect();
        let rung = self.calls.ring(self.now, self.at, Ring::new(from, to, Priority::Normal, owner()));
        self.deliver();
        rung
    }

    fn answer(&mut self, call: &CallInfo, by: &str) -> Result<(), CallError> {
        let answered = self.calls.answer(self.now, call.id, &id(by));
        self.deliver();
        answered
    }

    fn hang_up(&mut self, call: &CallInfo, by: &str) -> Result<(), CallError> {
        let done = self.calls.hang_up(self.now, call.id, &id(by));
        self.deliver();
        done
    }

    /// Lets time pass, doing what is due when it is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.calls.deadline().filter(|due| *due <= end) {
            let step = due.saturating_duration_since(self.now);
            (self.now, self.at) = (self.now + step, self.at + step);
            self.calls.tick(self.now, self.at);
            self.deliver();
        }
        (self.now, self.at) = (end, self.at + (end - self.now));
    }

    fn deliver(&mut self) {
        while let Some(effect) = self.calls.poll() {
            match effect {
                Effect::Call(call) => self.told.push(call),
                Effect::Log(record) => self.logged.push(record),
                Effect::KeepStation(_)
                | Effect::Forget(_)
                | Effect::Show(_)
                | Effect::DoNotDisturb(..)
                | Effect::QuietHours(..) => {}
            }
        }
    }

    /// How a call goes for everybody who is called, as it was told last.
    fn callees(&self, call: &CallInfo) -> Vec<CalleeState> {
        let last = self.told.iter().rfind(|told| told.id == call.id).expect("told");
        last.to.iter().map(|callee| callee.state).collect()
    }

    fn outcome(&self, call: &CallInfo) -> Option<CallOutcome> {
        self.calls.log().find(|record| record.id == call.id).map(|record| record.outcome)
    }

    fn is_quiet(&self) -> bool {
        self.calls.current().is_empty() && self.calls.deadline().is_none()
    }
}

#[test]
fn the_first_answer_wins_and_it_stops_ringing_everywhere_else() {
    let (mut calls, _) = TestCalls::with(&["hall", "attic", "study", "anna"]);
    let call = calls.ring("anna", &["hall", "attic", "study"]).expect("it rings");
    assert_eq!(calls.callees(&call), [CalleeState::Ringing; 3]);
    assert_eq!(calls.answer(&call, "attic"), Ok(()));
    assert_eq!(calls.answer(&call, "hall"), Err(CallError::Answered), "in the same moment");
    assert_eq!(calls.answer(&call, "attic"), Ok(()), "twice is once");
    assert_eq!(calls.callees(&call), [CalleeState::Stopped, CalleeState::Answered, CalleeState::Stopped]);
    let answers = calls.told.iter().filter(|told| told.state == CallState::Answered { by: id("attic") }).count();
    assert_eq!(answers, 1, "and everybody is told once");
    calls.pass(Duration::from_secs(60));
    assert_eq!(calls.hang_up(&call, "attic"), Ok(()));
    let record = calls.calls.log().next().expect("logged");
    assert_eq!((record.outcome, record.seconds), (CallOutcome::Answered, 60));
    assert_eq!(record.answered_by.as_deref(), Some("attic"));
    assert!(calls.is_quiet());
}

#[test]
fn a_call_is_declined_when_nobody_is_left_who_could_answer() {
    let (mut calls, _) = TestCalls::with(&["hall", "attic", "anna"]);
    let call = calls.ring("anna", &["hall", "attic"]).expect("it rings");
    assert_eq!(calls.hang_up(&call, "hall"), Ok(()));
    assert_eq!(calls.callees(&call), [CalleeState::Declined, CalleeState::Ringing], "the other may answer still");
    assert_eq!(calls.answer(&call, "hall"), Err(CallError::Over), "who declined has done so");
    assert_eq!(calls.hang_up(&call, "attic"), Ok(()));
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Declined));
    assert!(calls.is_quiet());
}

#[test]
fn what_nobody_answers_was_missed_after_its_time_and_rings_no_longer() {
    let (mut calls, _) = TestCalls::with(&["hall", "anna"]);
    let call = calls.ring("anna", &["hall"]).expect("it rings");
    calls.pass(Duration::from_millis(29_999));
    assert_eq!(calls.outcome(&call), None);
    calls.pass(Duration::from_millis(1));
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Missed));
    assert_eq!(calls.callees(&call), [CalleeState::Stopped]);
    assert_eq!(calls.answer(&call, "hall"), Err(CallError::Over));
}

#[test]
fn whoever_calls_may_give_it_up() {
    let (mut calls, _) = TestCalls::with(&["hall", "anna", "bert"]);
    let call = calls.ring("anna", &["hall"]).expect("it rings");
    assert_eq!(calls.hang_up(&call, "bert"), Err(CallError::NotYours));
    assert_eq!(calls.hang_up(&call, "anna"), Ok(()));
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Cancelled));
}

#[test]
fn who_talks_or_is_rung_is_busy_for_others() {
    let (mut calls, _) = TestCalls::with(&["hall", "anna", "bert", "cleo"]);
    let first = calls.ring("anna", &["hall"]).expect("it rings");
    let second = calls.ring("bert", &["hall"]).expect("begun");
    assert_eq!(second.state, CallState::Over { outcome: CallOutcome::Busy });
    calls.answer(&first, "hall").expect("answered");
    let third = calls.ring("bert", &["hall", "cleo"]).expect("it rings elsewhere");
    assert_eq!(calls.callees(&third), [CalleeState::Busy, CalleeState::Ringing]);
    assert_eq!(calls.ring("anna", &["cleo"]).err(), Some(CallError::Engaged));
}

#[test]
fn who_is_away_is_not_waited_for() {
    let (mut calls, connections) = TestCalls::with(&["hall", "anna"]);
    calls.go("hall", connections[0]);
    let call = calls.ring("anna", &["hall"]).expect("begun");
    assert_eq!(call.state, CallState::Over { outcome: CallOutcome::Missed });
    assert_eq!(calls.callees(&call), [CalleeState::Away]);
    assert!(calls.is_quiet());
}

#[test]
fn a_connection_that_comes_back_soon_has_its_call_still() {
    let (mut calls, connections) = TestCalls::with(&["hall", "anna"]);
    let call = calls.ring("anna", &["hall"]).expect("it rings");
    for (name, connection) in [("hall", connections[0]), ("anna", connections[1])] {
        calls.go(name, connection);
        calls.pass(GRACE / 2);
        calls.come(name);
    }
    assert_eq!(calls.calls.current_of(&id("hall")).len(), 1, "it is told of it anew");
    assert_eq!(calls.answer(&call, "hall"), Ok(()));
    calls.pass(Duration::from_secs(600));
    assert_eq!(calls.outcome(&call), None, "and nothing of the absence is left");
}

#[test]
fn a_caller_who_vanishes_while_it_rings_has_given_it_up() {
    let (mut calls, connections) = TestCalls::with(&["hall", "anna"]);
    let call = calls.ring("anna", &["hall"]).expect("it rings");
    calls.go("anna", connections[1]);
    calls.pass(GRACE);
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Cancelled));
    assert!(calls.is_quiet());
}

#[test]
fn one_who_is_called_and_vanishes_is_away_and_the_others_ring_on() {
    let (mut calls, connections) = TestCalls::with(&["hall", "attic", "anna"]);
    let call = calls.ring("anna", &["hall", "attic"]).expect("it rings");
    calls.go("hall", connections[0]);
    calls.pass(GRACE);
    assert_eq!(calls.callees(&call), [CalleeState::Away, CalleeState::Ringing]);
    calls.go("attic", connections[1]);
    calls.pass(GRACE);
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Missed));
}

#[test]
fn either_who_vanishes_while_they_talk_ends_the_call() {
    for gone in [0, 1] {
        let (mut calls, connections) = TestCalls::with(&["hall", "anna"]);
        let call = calls.ring("anna", &["hall"]).expect("it rings");
        calls.answer(&call, "hall").expect("answered");
        calls.go(["hall", "anna"][gone], connections[gone]);
        calls.pass(GRACE - Duration::from_millis(1));
        assert_eq!(calls.outcome(&call), None);
        calls.pass(Duration::from_millis(1));
        assert_eq!(calls.outcome(&call), Some(CallOutcome::Answered));
        assert!(calls.is_quiet());
    }
}

#[test]
fn one_whose_page_is_open_twice_is_there_until_both_are_closed() {
    let (mut calls, connections) = TestCalls::with(&["hall", "anna"]);
    let second = calls.come("hall");
    let call = calls.ring("anna", &["hall"]).expect("it rings");
    calls.go("hall", connections[0]);
    calls.pass(GRACE * 2);
    assert_eq!(calls.outcome(&call), None);
    calls.go("hall", second);
    calls.pass(GRACE);
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Missed));
}

#[test]
fn a_room_is_called_by_all_who_listen_there_and_everybody_by_all_that_there_are() {
    let (mut calls, _) = TestCalls::with(&["hall", "attic", "anna"]);
    calls.calls.add(&id("garage"), "garage".into(), owner());
    calls.calls.come(calls.at, &id("garage"), "garage", vec!["yard".into()]);
    let names = |call: &CallInfo| call.to.iter().map(|callee| callee.station.0.clone()).collect::<Vec<_>>();
    let kitchen = calls.ring("anna", &["room:kitchen"]).expect("it rings");
    assert_eq!(names(&kitchen), ["attic", "hall"], "and not by whoever calls");
    calls.hang_up(&kitchen, "anna").expect("given up");
    let all = calls.ring("anna", &["everybody", "hall"]).expect("it rings");
    assert_eq!(names(&all), ["attic", "garage", "hall"], "each once");
    assert_eq!(calls.doorbell(&["cellar"]).err(), Some(CallError::NoStation("cellar".into())));
}

#[test]
fn a_doorbell_only_rings_and_is_over_when_it_is_answered() {
    let (mut calls, _) = TestCalls::with(&["hall", "attic"]);
    let call = calls.doorbell(&["everybody"]).expect("it rings");
    calls.answer(&call, "hall").expect("answered");
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Answered));
    let states: Vec<_> = calls.told.iter().map(|told| told.state.clone()).collect();
    let by = CallState::Answered { by: id("hall") };
    assert_eq!(states, [CallState::Ringing, by, CallState::Over { outcome: CallOutcome::Answered }]);
    let answered_by = calls.calls.log().next().and_then(|record| record.answered_by.clone());
    assert_eq!(answered_by.as_deref(), Some("hall"));
}

#[test]
fn automations_that_call_because_they_are_called_come_to_an_end() {
    let (mut calls, _) = TestCalls::with(&["hall"]);
    let mut begun = 0;
    for _ in 0..1_000 {
        if let Ok(call) = calls.doorbell(&["hall"]) {
            begun += 1;
            calls.hang_up(&call, "hall").expect("declined");
        }
        calls.pass(Duration::from_millis(10));
    }
    // The burst, and then one for each interval of the ten seconds.
    assert_eq!(begun, 5 + 10 / 4);
    assert_eq!(calls.calls.counters().refused, 1_000 - begun);
    calls.pass(INTERVAL * BURST);
    assert!((0..5).all(|_| calls.doorbell(&["hall"]).is_ok()), "and afterwards it is as before");
}

#[test]
fn there_are_no_more_calls_at_once_than_may_be_and_no_more_in_the_log() {
    let (mut calls, _) = TestCalls::with(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
    for pair in [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]] {
        calls.ring(pair[0], &[pair[1]]).expect("it rings");
    }
    assert_eq!(calls.ring("i", &["j"]).err(), Some(CallError::Full(4)));
    calls.pass(Duration::from_secs(30));
    assert_eq!(calls.calls.log().count(), 3);
    let far: Vec<_> = (0..=MAX_TARGETS).map(|_| "a").collect();
    assert_eq!(calls.ring("i", &far).err(), Some(CallError::TooManyTargets));
}

#[test]
fn one_address_leaves_calls_to_others() {
    let settings = CallsSettings { calls: 40, share: 25, ..settings() };
    let mut calls = TestCalls::with(&[]).0;
    calls.calls = Calls::new(settings, Vec::new());
    for number in 0..11 {
        calls.come(&number.to_string());
    }
    let mut ring = |number: usize| {
        calls.pass(INTERVAL * BURST);
        let (from, to) = (Caller::Other { name: "Door".into(), room: None }, vec![Target::Place(number.to_string())]);
        let long = Ring { ring: Some(Duration::from_secs(600)), ..Ring::new(from, to, Priority::Normal, owner()) };
        calls.calls.ring(calls.now, calls.at, long)
    };
    for number in 0..10 {
        ring(number).expect("it rings");
    }
    assert_eq!(ring(10).err(), Some(CallError::TooManyOfOne(10)));
}

#[test]
fn what_is_known_of_a_call_is_kept_when_it_begins_so_that_a_killed_daemon_has_it() {
    let (mut calls, _) = TestCalls::with(&["hall", "anna"]);
    let call = calls.ring("anna", &["hall"]).expect("it rings");
    let outcomes = |calls: &TestCalls| calls.logged.iter().map(|it| (it.id, it.outcome)).collect::<Vec<_>>();
    assert_eq!(outcomes(&calls), [(call.id, CallOutcome::Cancelled)]);
    calls.answer(&call, "hall").expect("answered");
    calls.hang_up(&call, "hall").expect("ended");
    assert_eq!(outcomes(&calls)[1..], [(call.id, CallOutcome::Answered)], "in its place");
}

#[test]
fn a_clock_on_the_wall_that_jumps_changes_no_call() {
    let (mut calls, _) = TestCalls::with(&["hall", "anna"]);
    let call = calls.ring("anna", &["hall"]).expect("it rings");
    calls.at = SystemTime::UNIX_EPOCH;
    calls.pass(Duration::from_secs(29));
    assert_eq!(calls.outcome(&call), None);
    calls.at += Duration::from_secs(86_400 * 365);
    calls.pass(Duration::from_secs(1));
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Missed));
}

#[test]
fn whoever_listens_in_on_a_station_is_not_called_with_it() {
    let (mut calls, _) = TestCalls::with(&["hall", "anna"]);
    calls.calls.come(calls.at, &id("anna"), "anna", vec!["hall".into()]);
    let call = calls.doorbell(&["hall"]).expect("it rings");
    assert_eq!(call.to.iter().map(|callee| callee.station.0.as_str()).collect::<Vec<_>>(), ["hall"]);
}
