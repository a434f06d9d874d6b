//! Stations that ring on a phone while their page is closed.

use super::*;
use crate::rooms::StationPresence;

impl TestCalls {
    fn set_phone(&mut self, name: &str, phone: Option<&str>) {
        self.calls.set_phone(self.now, &id(name), phone.map(str::to_owned)).expect("a station");
        self.deliver();
    }

    fn presence(&self, name: &str) -> StationPresence {
        self.calls.station(&id(name)).expect("a station").presence
    }

    /// Anna's page, which was open and is closed; her phone is with her.
    fn with_phone_of_anna() -> Self {
        let (mut calls, connections) = Self::with(&["anna", "hall"]);
        calls.set_phone("anna", Some("mobile_app_pixel_8"));
        calls.go("anna", connections[0]);
        calls.pass(GRACE);
        calls
    }
}

#[test]
fn a_station_with_a_phone_is_called_while_its_page_is_closed_alone_and_with_the_rooms_that_it_listened_to() {
    let mut calls = TestCalls::with_phone_of_anna();
    assert_eq!(calls.presence("anna"), StationPresence::Phone);
    for to in ["anna", "kitchen", "everybody"] {
        let call = calls.doorbell(&[to]).expect("it rings");
        assert_eq!(calls.callees(&call)[0], CalleeState::Ringing, "{to}");
        calls.calls.cancel(calls.now, call.id).expect("given up");
        calls.deliver();
        calls.pass(INTERVAL);
    }
    assert!(matches!(calls.doorbell(&["yard"]), Err(CallError::NoStation(_))), "she never listened there");
    assert!(calls.is_quiet());
}

#[test]
fn a_phone_rings_for_one_device_alone_and_for_the_rooms_of_its_last_visit_whoever_chooses_it() {
    let mut calls = TestCalls::with_phone_of_anna();
    calls.set_phone("anna", Some("mobile_app_pixel_9"));
    assert!(calls.doorbell(&["kitchen"]).is_ok_and(|call| call.to.len() == 2), "another one, from elsewhere");
    calls.set_phone("hall", Some("mobile_app_pixel_9"));
    assert_eq!((calls.presence("anna"), calls.calls.phone(&id("anna"))), (StationPresence::Away, None));
    assert_eq!(calls.calls.phone(&id("hall")).map(|phone| &*phone.service), Some("mobile_app_pixel_9"));
}

#[test]
fn whoever_answers_on_the_phone_comes_back_with_the_page_and_answers_there() {
    let mut calls = TestCalls::with_phone_of_anna();
    let call = calls.ring("hall", &["anna"]).expect("it rings");
    calls.pass(GRACE * 2);
    assert_eq!(calls.callees(&call), [CalleeState::Ringing], "nobody waits for her page");
    let connection = calls.come("anna");
    calls.answer(&call, "anna").expect("answered");
    calls.go("anna", connection);
    calls.pass(GRACE);
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Answered), "who talks and goes has ended it, phone or not");
    assert!(calls.is_quiet());
}

#[test]
fn a_call_that_rings_on_a_phone_is_declined_there_or_missed_in_its_time_and_then_nothing_is_declined() {
    let mut calls = TestCalls::with_phone_of_anna();
    let call = calls.ring("hall", &["anna"]).expect("it rings");
    calls.calls.decline(calls.now, call.id, &id("anna")).expect("declined");
    calls.deliver();
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Declined));
    let call = calls.ring("hall", &["anna"]).expect("it rings");
    calls.pass(Duration::from_secs(30));
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Missed));
    assert_eq!(calls.calls.decline(calls.now, call.id, &id("anna")), Err(CallError::Over));
    let call = calls.ring("hall", &["anna"]).expect("it rings");
    calls.come("anna");
    calls.answer(&call, "anna").expect("answered");
    assert_eq!(
        calls.calls.decline(calls.now, call.id, &id("anna")),
        Err(CallError::Over),
        "a stale button ends no talk"
    );
    assert_eq!(calls.calls.current().len(), 1);
}

#[test]
fn a_page_that_goes_while_it_rings_rings_on_where_there_is_a_phone() {
    let (mut calls, connections) = TestCalls::with(&["anna", "hall"]);
    calls.set_phone("anna", Some("mobile_app_pixel_8"));
    let call = calls.ring("hall", &["anna"]).expect("it rings");
    calls.go("anna", connections[0]);
    calls.pass(GRACE);
    assert_eq!(calls.callees(&call), [CalleeState::Ringing]);
    calls.set_phone("anna", None);
    assert_eq!(calls.callees(&call), [CalleeState::Away], "and not where that is taken away");
    assert!(calls.is_quiet());
}

#[test]
fn a_phone_that_cannot_be_reached_is_not_there_unless_the_page_is() {
    let mut calls = TestCalls::with_phone_of_anna();
    let call = calls.ring("hall", &["anna"]).expect("it rings");
    calls.calls.note_unreachable(calls.now, call.id, &id("anna"));
    calls.deliver();
    assert_eq!((calls.callees(&call), calls.outcome(&call)), (vec![CalleeState::Away], Some(CallOutcome::Missed)));
    calls.come("anna");
    let call = calls.ring("hall", &["anna"]).expect("it rings");
    calls.calls.note_unreachable(calls.now, call.id, &id("anna"));
    calls.deliver();
    assert_eq!(calls.callees(&call), [CalleeState::Ringing]);
}
