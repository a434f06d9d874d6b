//! Who is not called, and by whom all the same; and for how long.

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

impl TestCalls {
    fn quiet(&mut self, place: &str, passes: Passes, time: Option<Duration>) {
        self.calls.disturb_not(self.now, self.at, place, passes, time);
        self.deliver();
    }

    /// How it goes for those who are called, who are left alone afterwards.
    fn reached(&mut self, to: &[&str], priority: Priority) -> Vec<CalleeState> {
        let targets = to.iter().map(|written| Target::from(*written)).collect();
        let from = Caller::Other { name: "Door".into(), room: None };
        let ring = Ring::new(from, targets, priority, owner());
        let call = self.calls.ring(self.now, self.at, ring).expect("begun");
        self.deliver();
        let states = self.callees(&call);
        let _ = self.calls.cancel(self.now, call.id);
        self.deliver();
        self.now += INTERVAL;
        states
    }
}

#[test]
fn a_station_that_is_not_to_be_disturbed_does_not_ring_but_for_what_passes() {
    for (passes, urgent) in [(Passes::Urgent, CalleeState::Ringing), (Passes::Nothing, CalleeState::DoNotDisturb)] {
        let (mut calls, _) = TestCalls::with(&["hall", "attic"]);
        calls.quiet("hall", passes, None);
        let both = [CalleeState::Ringing, CalleeState::DoNotDisturb];
        assert_eq!(calls.reached(&["everybody"], Priority::Normal), both, "the attic, and the hall");
        assert_eq!(calls.reached(&["hall"], Priority::Urgent), [urgent]);
        let call = calls.doorbell(&["hall"]).expect("begun");
        assert_eq!(calls.outcome(&call), Some(CallOutcome::Missed), "nobody is waited for");
        assert!(calls.calls.disturb("hall"));
        assert!(!calls.calls.disturb("hall"));
        assert_eq!(calls.reached(&["hall"], Priority::Normal), [CalleeState::Ringing]);
    }
}

#[test]
fn a_room_is_not_rung_and_its_devices_can_be_called_by_themselves() {
    let (mut calls, _) = TestCalls::with(&["hall"]);
    calls.quiet("kitchen", Passes::Urgent, None);
    assert_eq!(calls.reached(&["room:kitchen"], Priority::Normal), [CalleeState::DoNotDisturb]);
    assert_eq!(calls.reached(&["room:kitchen"], Priority::Urgent), [CalleeState::Ringing]);
    for to in [&["hall"][..], &["hall", "room:kitchen"], &["room:kitchen", "hall"]] {
        assert_eq!(calls.reached(to, Priority::Normal), [CalleeState::Ringing], "{to:?}");
    }
}

#[test]
fn the_whole_house_is_everybody_in_it() {
    let (mut calls, _) = TestCalls::with(&["hall", "attic"]);
    calls.quiet(EVERYBODY, Passes::Nothing, None);
    for to in ["everybody", "room:kitchen"] {
        assert_eq!(calls.reached(&[to], Priority::Urgent), [CalleeState::DoNotDisturb; 2]);
    }
    assert!(calls.calls.is_quiet("study", Priority::Normal), "a room that nobody is in, too");
}

#[test]
fn it_ends_when_it_was_to_also_after_a_restart_and_whatever_the_clock_on_the_wall_does() {
    let (mut calls, _) = TestCalls::with(&["hall"]);
    calls.quiet("hall", Passes::Urgent, Some(HOUR));
    calls.at += HOUR * 5;
    calls.pass(HOUR - Duration::from_secs(1));
    assert!(calls.calls.is_quiet("hall", Priority::Normal));
    calls.pass(Duration::from_secs(1));
    assert!(!calls.calls.is_quiet("hall", Priority::Normal));
    let until = |seconds| DoNotDisturb { passes: Passes::Urgent, until: Some(unix(calls.at) + seconds) };
    let mut again = Calls::new(settings(), Vec::new());
    again.restore_quiet(calls.now, calls.at, "hall", until(60));
    again.restore_quiet(calls.now, calls.at + HOUR, "attic", until(60));
    assert!(again.is_quiet("hall", Priority::Normal) && !again.is_quiet("attic", Priority::Normal));
    again.tick(calls.now + Duration::from_secs(60), calls.at);
    assert!(!again.is_quiet("hall", Priority::Normal));
    let forgotten = std::iter::from_fn(|| again.poll()).filter(|it| matches!(it, Effect::DoNotDisturb(_, None)));
    assert_eq!(forgotten.count(), 2, "neither is kept any longer");
}

#[test]
fn nothing_is_quiet_for_longer_than_a_month_unless_it_is_until_it_is_turned_off() {
    let (mut calls, _) = TestCalls::with(&["hall"]);
    calls.quiet("hall", Passes::Urgent, Some(Duration::from_secs(u64::MAX / 4)));
    calls.pass(LONGEST);
    assert!(!calls.calls.is_quiet("hall", Priority::Normal));
    calls.quiet("hall", Passes::Urgent, None);
    calls.pass(LONGEST * 3);
    assert!(calls.calls.is_quiet("hall", Priority::Normal));
    assert!(calls.calls.forget(calls.now, &id("hall")));
    assert!(!calls.calls.is_quiet("hall", Priority::Normal), "who is gone leaves nothing behind");
}

#[test]
fn a_place_that_is_no_more_is_forgotten_and_whatever_is_called_so_next_is_not_quiet() {
    let (mut calls, _) = TestCalls::with(&["hall"]);
    for place in ["kitchen", "party", EVERYBODY] {
        calls.quiet(place, Passes::Urgent, None);
    }
    calls.calls.forget_quiet(|place| place != "party");
    let left: Vec<_> = calls.calls.quiet_places().map(|(place, _)| place).collect();
    assert_eq!(left, [EVERYBODY, "kitchen"]);
}
