//! Video, packet by packet, in simulated time: who sees what in which slot, over ways that are wide and ways that are not.

mod support;

use std::time::Duration;

use support::video::Company;
use voice_relay::core::{Event, ViewState};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// So many who show their cameras, and one more who sees all of them in tiles of this height.
fn watched(cameras: usize, height: u16) -> (Company, usize) {
    let mut company = Company::new(cameras + 1, 8);
    (0..cameras).for_each(|person| company.show(person));
    let tiles: Vec<_> = (0..cameras).map(|person| (person, height)).collect();
    company.watch(cameras, &tiles);
    company.speak_to(cameras);
    (company, cameras)
}

#[test]
fn every_frame_is_seen_once_and_in_time() {
    let (mut company, viewer) = watched(1, 180);
    company.run(secs(3));
    let since = company.now;
    company.run(secs(10));
    let frames = company.frames(viewer, 0, since);
    assert!((298..=302).contains(&frames.len()), "{}", frames.len());
    assert!(company.longest_gap(viewer, 0, since) < millis(50));
    assert!(frames.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) == 3_000));
}

#[test]
fn twenty_four_switches_between_layers_freeze_nothing() {
    let (mut company, viewer) = watched(1, 180);
    company.run(secs(12));
    for round in 0..24 {
        let height = [180, 720, 360][round % 3];
        let since = company.now;
        company.watch(viewer, &[(0, height)]);
        company.run(secs(4));
        let frames = company.frames(viewer, 0, since);
        let arrived = frames.iter().find(|frame| frame.lines == height).map(|frame| frame.at - since);
        assert!(arrived.is_some_and(|after| after < millis(3_300)), "round {round}: {arrived:?} to {height} lines");
        let gap = company.longest_gap(viewer, 0, since);
        assert!(gap < millis(120), "round {round}: {gap:?}");
        let steps = frames.windows(2).map(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32);
        assert!(steps.clone().all(|step| step > 0), "round {round}: never back");
    }
}

#[test]
fn five_cameras_are_seen_at_their_best_on_a_wide_way() {
    let (mut company, viewer) = watched(5, 720);
    company.run(secs(20));
    let since = company.now;
    company.run(secs(2));
    let lines: Vec<_> =
        (0..5).map(|slot| company.frames(viewer, slot, since).last().map(|frame| frame.lines)).collect();
    assert_eq!(lines, [Some(720); 5]);
}

#[test]
fn a_way_of_500_kbits_leaves_the_first_picture_and_gives_it_back() {
    let (mut company, viewer) = watched(2, 720);
    company.run(secs(20));
    company.people[viewer].link.bits = 500_000;
    let since = company.now;
    company.run(secs(20));
    let gap = company.longest_gap(viewer, 0, since);
    let link = &company.people[viewer].link;
    println!("gap {gap:?}, {} dropped, {} of the voice", link.dropped, link.voice_dropped);
    assert!(gap < secs(1), "{gap:?}");
    company.people[viewer].link.bits = u64::MAX;
    let since = company.now;
    company.run(secs(10));
    let back = company.frames(viewer, 0, since).iter().find(|frame| frame.lines == 720).map(|frame| frame.at - since);
    println!("top layer again after {back:?}");
    assert!(back.is_some());
}

#[test]
fn a_way_of_150_kbits_leaves_the_voice_alone_and_says_so() {
    let (mut company, viewer) = watched(2, 720);
    company.run(secs(10));
    company.people[viewer].link.bits = 150_000;
    company.run(secs(15));
    assert!(company.people[viewer].views.contains(&ViewState::TooNarrow), "{:?}", company.people[viewer].views);
    company.people[viewer].link.bits = u64::MAX;
    company.run(secs(40));
    let since = company.now;
    company.run(secs(2));
    assert!(!company.frames(viewer, 0, since).is_empty(), "it is tried again");
}

#[test]
fn one_small_picture_on_a_way_that_does_not_even_bear_that_is_given_up_and_tried_again() {
    let (mut company, viewer) = watched(1, 360);
    company.run(secs(5));
    company.people[viewer].link.bits = 100_000;
    company.events.clear();
    company.run(secs(15));
    let too_narrow = |event: &Event| matches!(event, Event::Views(_, states) if states[0].2 == ViewState::TooNarrow);
    assert!(company.events.iter().any(too_narrow), "{:?}", company.people[viewer].views);
    company.people[viewer].link.bits = u64::MAX;
    company.run(secs(40));
    assert!(matches!(company.people[viewer].views[..], [ViewState::Playing(_)]), "{:?}", company.people[viewer].views);
}

#[test]
fn whoever_comes_late_sees_the_next_frames_without_a_keyframe_for_each() {
    let mut company = Company::new(21, 8);
    company.show(0);
    company.run(secs(2));
    let before = company.people[0].keyframes;
    for viewer in 1..21 {
        company.watch(viewer, &[(0, 180)]);
    }
    let since = company.now;
    company.run(secs(2));
    for viewer in 1..21 {
        let first = company.frames(viewer, 0, since).first().map(|frame| frame.at - since);
        assert!(first.is_some_and(|after| after < millis(700)), "{first:?}");
    }
    let keyframes = company.people[0].keyframes - before;
    assert!(keyframes <= 3, "{keyframes}");
}
