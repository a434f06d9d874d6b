//! Who may answer by themselves.

use super::*;

/// Those who may, of a call that is made so where these rooms allow it.
fn drop_in(from: Caller, to: &[&str], rooms: &[&str]) -> Vec<String> {
    let (mut calls, _) = TestCalls::with(&["anna", "attic", "hall"]);
    let to = to.iter().map(|written| Target::from(*written)).collect();
    let rooms = rooms.iter().map(ToString::to_string).collect();
    let ring = Ring { drop_in: rooms, ..Ring::new(from, to, Priority::Normal, owner()) };
    let call = calls.calls.ring(calls.now, calls.at, ring).expect("it rings");
    call.to.into_iter().filter(|callee| callee.drop_in).map(|callee| callee.station.0).collect()
}

fn anna() -> Caller {
    Caller::Station(id("anna"))
}

#[test]
fn a_device_that_is_called_alone_may_answer_by_itself_and_those_of_a_room_only_where_it_allows_that() {
    assert_eq!(drop_in(anna(), &["hall"], &[]), ["hall"]);
    assert!(drop_in(anna(), &["room:kitchen"], &[]).is_empty());
    assert_eq!(drop_in(anna(), &["room:kitchen"], &["kitchen"]), ["attic", "hall"]);
    assert_eq!(drop_in(anna(), &["room:kitchen", "attic"], &[]), ["attic"]);
}

#[test]
fn nobody_answers_a_doorbell_by_themselves_or_a_call_to_everybody() {
    let door = Caller::Other { name: "Door".into(), room: Some("yard".into()) };
    assert!(drop_in(door, &["hall", "room:kitchen"], &["kitchen"]).is_empty());
    assert!(drop_in(anna(), &["everybody"], &["everybody", "kitchen"]).is_empty());
}
