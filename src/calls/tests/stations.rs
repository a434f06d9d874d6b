//! Who is a station, how it is called, and when it is forgotten.

use super::*;
use crate::rooms::StationPresence;

#[test]
fn a_station_is_known_by_its_key_and_keeps_its_id_when_it_is_called_otherwise() {
    let mut calls = TestCalls::new();
    let key = calls.calls.add(&id("hall-tablet"), "Hall tablet".into(), owner());
    assert_eq!(calls.calls.station_of(key), Some(&id("hall-tablet")));
    assert_eq!(calls.calls.station_of(StationKey::random()), None);
    let name = calls.calls.free_name("Stairs", Some(key)).expect("a name");
    calls.calls.come(calls.at, &id("hall-tablet"), &name, Vec::new());
    let station = calls.calls.station(&id("hall-tablet")).expect("there");
    assert_eq!((station.name.as_str(), station.presence), ("Stairs", StationPresence::Here));
}

#[test]
fn names_are_told_apart_and_what_cannot_be_seen_is_none() {
    let mut calls = TestCalls::new();
    let key = calls.calls.add(&id("anna"), "Anna".into(), owner());
    assert_eq!(calls.calls.free_name("anna", None).as_deref(), Ok("anna 2"));
    assert_eq!(calls.calls.free_name(" Anna ", Some(key)).as_deref(), Ok("Anna"), "its own is free for it");
    for unseen in ["", "  ", "\u{200B}\u{202E}"] {
        assert_eq!(calls.calls.free_name(unseen, None), Err(EnterError::NoName));
    }
}

#[test]
fn a_station_that_is_renamed_while_it_rings_is_called_by_its_new_name_and_rings_on() {
    let (mut calls, _) = TestCalls::with(&["hall", "anna"]);
    let call = calls.ring("anna", &["hall"]).expect("it rings");
    calls.calls.come(calls.at, &id("hall"), "Stairs", Vec::new());
    calls.answer(&call, "hall").expect("answered");
    let last = calls.told.last().expect("told");
    assert_eq!((last.to[0].name.as_str(), last.to[0].state), ("Stairs", CalleeState::Answered));
}

#[test]
fn a_station_that_is_removed_while_it_rings_is_out_of_it() {
    let (mut calls, _) = TestCalls::with(&["hall", "attic", "anna"]);
    let call = calls.ring("anna", &["hall", "attic"]).expect("it rings");
    assert!(calls.calls.forget(calls.now, &id("hall")));
    assert!(!calls.calls.forget(calls.now, &id("hall")));
    calls.deliver();
    assert_eq!(calls.callees(&call), [CalleeState::Away, CalleeState::Ringing]);
    assert!(calls.calls.forget(calls.now, &id("anna")));
    calls.deliver();
    assert_eq!(calls.outcome(&call), Some(CallOutcome::Cancelled));
    assert!(calls.is_quiet());
}

#[test]
fn where_there_are_too_many_the_one_goes_that_was_away_the_longest() {
    let mut calls = TestCalls::new();
    let names: Vec<_> = (0..12).map(|number| format!("s{number:02}")).collect();
    for name in &names {
        let connection = calls.come(name);
        calls.pass(Duration::from_secs(10));
        if name != "s00" {
            calls.go(name, connection);
        }
    }
    calls.calls.settings.share = 100;
    let stranger = [10, 0, 0, 2].into();
    assert_eq!(calls.calls.make_room(calls.now, &stranger), Ok(()));
    let gone: Vec<_> = names.iter().filter(|name| calls.calls.station(&id(name)).is_none()).collect();
    assert_eq!(gone, ["s01"], "and not the one that was always there");
    assert_eq!(calls.calls.counters().displaced, 1);
}

#[test]
fn no_one_takes_the_place_of_those_who_are_there_and_one_owner_does_not_take_all() {
    let names: Vec<_> = (0..12).map(|number| format!("s{number:02}")).collect();
    let (mut calls, _) = TestCalls::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let stranger = [10, 0, 0, 2].into();
    assert_eq!(calls.calls.make_room(calls.now, &stranger), Err(EnterError::TooMany(12)));
    calls.calls.settings.stations = 40;
    calls.calls.settings.share = 25;
    assert_eq!(calls.calls.make_room(calls.now, &owner()), Err(EnterError::TooManyOfOne(10)));
    assert_eq!(calls.calls.make_room(calls.now, &stranger), Ok(()));
}

#[test]
fn one_that_comes_and_goes_all_the_time_is_kept_now_and_then_and_a_new_name_at_once() {
    let mut calls = TestCalls::new();
    let key = calls.calls.add(&id("hall"), "Hall".into(), owner());
    let kept = |calls: &mut TestCalls, name: &str| {
        let connection = calls.calls.come(calls.at, &id("hall"), name, Vec::new());
        calls.calls.go(calls.now, calls.at, &id("hall"), connection);
        std::iter::from_fn(|| calls.calls.poll()).filter(|effect| matches!(effect, Effect::KeepStation(_))).count()
    };
    assert_eq!(kept(&mut calls, "Hall"), 1, "the first time");
    assert_eq!((0..100).map(|_| kept(&mut calls, "Hall")).sum::<usize>(), 0);
    assert_eq!(kept(&mut calls, "Stairs"), 1);
    calls.at += Duration::from_secs(60);
    assert_eq!(kept(&mut calls, "Stairs"), 1);
    assert_eq!(calls.calls.station_of(key), Some(&id("hall")));
}
