//! Rooms, packet by packet, in simulated time: who hears whom in which slot, and what each is told to send.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use support::client::Received;
use support::network::Conditions;
use support::world::{Who, World};
use voice_relay::core::{DropReason, Event, ParticipantTracks, RelayConfig, Wanted};
use voice_relay::domain::{RoomId, StreamId, Track};

const KITCHEN: RoomId = RoomId(1);
const LOUD: i8 = -20;
const SILENT: i8 = -90;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// So many participants of the kitchen, connected, with so many slots each.
fn kitchen(seed: u64, participants: usize, slots: usize) -> (World, Vec<Who>) {
    let mut world = World::new(seed);
    let all: Vec<_> = (0..participants).map(|_| world.participant(KITCHEN, slots)).collect();
    world.run_until("all are connected", |world| all.iter().all(|who| world[*who].client.connected));
    (world, all)
}

/// Whom a participant heard since then, and how many packets of each.
fn heard(world: &World, who: Who, since: usize) -> BTreeMap<u8, usize> {
    let mut heard = BTreeMap::new();
    for packet in &world[who].client.received[since..] {
        *heard.entry(packet.tag()).or_default() += 1;
    }
    heard
}

fn names(heard: &BTreeMap<u8, usize>) -> BTreeSet<u8> {
    heard.keys().copied().collect()
}

fn so_far(world: &World, who: Who) -> usize {
    world[who].client.received.len()
}

/// Packets by the m-line that they came on.
fn by_slot(packets: &[Received]) -> BTreeMap<u32, Vec<&Received>> {
    let mut slots = BTreeMap::<_, Vec<_>>::new();
    for packet in packets {
        slots.entry(packet.ssrc).or_default().push(packet);
    }
    slots
}

fn dropped(world: &World, reason: DropReason) -> u64 {
    world.relay.stats().dropped[reason as usize]
}

fn music_of(who: Who) -> StreamId {
    StreamId::of_connection(uuid::Uuid::from_u128(1_000 + who.0 as u128))
}

/// The last slots that a participant was told of.
fn slots_told(world: &World, who: Who) -> Vec<StreamId> {
    let voice = world[who].stream;
    let told = world.events.iter().rev().find_map(|(_, event)| match event {
        Event::Slots(of, taken) if *of == voice => Some(taken.iter().map(|(_, stream)| *stream).collect()),
        _ => None,
    });
    told.unwrap_or_default()
}

/// The bitrates that somebody was told to send, in the order in which that was.
fn bitrates_told(world: &World, who: Who) -> Vec<u32> {
    let voice = world[who].stream;
    let told = |event: &Event| match event {
        Event::Bitrate(of, bitrate) if *of == voice => Some(*bitrate / 1_000),
        _ => None,
    };
    world.events.iter().filter_map(|(_, event)| told(event)).collect()
}

#[test]
fn everybody_is_heard_by_all_others_and_by_nobody_twice() {
    let (mut world, all) = kitchen(1, 5, 4);
    for who in &all {
        world.say(*who, LOUD);
    }
    world.run_for(secs(2));
    for who in &all {
        let heard = heard(&world, *who, 0);
        let others: BTreeSet<_> = (0..5).filter(|tag| usize::from(*tag) != who.0).collect();
        assert_eq!(names(&heard), others);
        assert!(heard.values().all(|packets| (95..=101).contains(packets)), "{heard:?}");
    }
}

#[test]
fn the_first_packet_of_a_press_is_heard_without_negotiation() {
    let (mut world, all) = kitchen(2, 2, 4);
    world.run_for(secs(60));
    let pressed = world.now;
    world.say(all[0], LOUD);
    world.run_for(millis(100));
    let first = &world[all[1]].client.received[0];
    assert_eq!(first.number(), 0);
    assert!(first.at - pressed <= millis(2), "{:?}", first.at - pressed);
}

#[test]
fn of_twenty_each_hears_four_and_those_are_who_talk() {
    let (mut world, all) = kitchen(3, 20, 4);
    for who in &all {
        world.say(*who, SILENT);
    }
    world.run_for(secs(1));
    for talkers in [[0, 5, 10, 15], [3, 6, 9, 12], [16, 17, 18, 19]] {
        for who in &all {
            world[*who].client.audio_level = if talkers.contains(&who.0) { LOUD } else { SILENT };
        }
        world.run_for(secs(1));
        let since: Vec<_> = all.iter().map(|who| so_far(&world, *who)).collect();
        world.run_for(secs(1));
        for who in &all {
            let heard = heard(&world, *who, since[who.0]);
            let wanted: BTreeSet<_> = talkers.iter().filter(|talker| **talker != who.0).map(|it| *it as u8).collect();
            assert!(names(&heard).is_superset(&wanted) && heard.len() <= 4, "{who:?} hears {heard:?}");
            assert!(wanted.iter().all(|talker| heard[talker] >= 48), "{who:?} hears {heard:?}");
        }
    }
    assert!(dropped(&world, DropReason::NoSlot) > 0);
}

#[test]
fn a_fifth_voice_waits_until_one_of_four_has_paused_and_gives_the_slot_back() {
    let (mut world, all) = kitchen(4, 6, 4);
    let listener = all[5];
    for who in &all[..5] {
        world.say(*who, LOUD);
        world.run_for(millis(100));
    }
    world.run_for(secs(1));
    assert_eq!(names(&heard(&world, listener, 0)), BTreeSet::from([0, 1, 2, 3]));
    world[all[1]].client.pause();
    world.run_for(secs(1));
    let since = so_far(&world, listener);
    world.run_for(secs(1));
    assert_eq!(names(&heard(&world, listener, since)), BTreeSet::from([0, 2, 3, 4]), "stolen");
    world[all[4]].client.pause();
    world.say(all[1], LOUD);
    world.run_for(secs(1));
    let since = so_far(&world, listener);
    world.run_for(secs(1));
    assert_eq!(names(&heard(&world, listener, since)), BTreeSet::from([0, 1, 2, 3]), "returned");
    assert_eq!(slots_told(&world, listener).len(), 4);
}

#[test]
fn a_slot_goes_on_counting_whoever_is_in_it() {
    let (mut world, all) = kitchen(5, 4, 1);
    for turn in 0..9 {
        let talker = all[turn % 3];
        world.say(talker, LOUD);
        world.run_for(millis(1_700));
        world[talker].client.pause();
        world.run_for(millis(900));
    }
    let packets = &world[all[3]].client.received;
    let slots = by_slot(packets);
    assert_eq!(slots.len(), 1);
    assert_eq!(names(&heard(&world, all[3], 0)), BTreeSet::from([0, 1, 2]));
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        let (ahead, passed) = (pair[1].timestamp.wrapping_sub(pair[0].timestamp), pair[1].at - pair[0].at);
        assert!((f64::from(ahead) / 48.0 - passed.as_secs_f64() * 1_000.0).abs() < 25.0, "{ahead} for {passed:?}");
        assert!(pair[0].tag() == pair[1].tag() || pair[1].marker, "another voice begins with a marker");
    }
}

#[test]
fn the_pinned_voice_is_heard_at_once_where_all_slots_are_taken() {
    let (mut world, all) = kitchen(6, 6, 2);
    world.relay.pin(KITCHEN, Some(world[all[4]].stream));
    for who in &all[..3] {
        world.say(*who, LOUD);
    }
    world.run_for(secs(1));
    world.say(all[4], LOUD);
    world.run_for(millis(200));
    let since = so_far(&world, all[5]);
    world.run_for(secs(1));
    assert!(heard(&world, all[5], since)[&4] >= 49);
}

#[test]
fn rooms_hear_nothing_of_each_other() {
    let mut world = World::new(7);
    let kitchen: Vec<_> = (0..2).map(|_| world.participant(KITCHEN, 4)).collect();
    let nursery: Vec<_> = (0..2).map(|_| world.participant(RoomId(2), 4)).collect();
    world.run_for(secs(1));
    world.say(kitchen[0], LOUD);
    world.say(nursery[0], LOUD);
    world.run_for(secs(1));
    assert_eq!(names(&heard(&world, kitchen[1], 0)), BTreeSet::from([0]));
    assert_eq!(names(&heard(&world, nursery[1], 0)), BTreeSet::from([2]));
    assert!(world.relay.streams().is_empty(), "nothing of it is at home");
}

#[test]
fn those_who_know_no_rooms_are_at_home_with_those_who_do() {
    let mut world = World::new(8);
    let participant = world.participant(RoomId::HOME, 4);
    world.run_for(secs(1));
    let sender = world.publisher();
    world.run_for(secs(1));
    assert!(!world[participant].client.received.is_empty());
    world[sender].client.pause();
    world.say(participant, LOUD);
    world.run_until("it is a stream like any other", |world| world.relay.streams().len() == 2);
    let listener = world.subscriber(world[participant].stream);
    world.run_for(secs(1));
    assert!(world[listener].client.received.len() > 40);
}

#[test]
fn what_is_said_ends_when_it_was_said_so_or_by_silence_and_begins_anew() {
    let (mut world, all) = kitchen(9, 2, 4);
    let voice = world[all[0]].stream;
    world.say(all[0], LOUD);
    world.run_for(secs(1));
    world[all[0]].client.pause();
    world.run_for(millis(10));
    world.relay.end_said(world.now, voice);
    world.flush();
    assert_eq!((world.available().len(), world.ended().len()), (1, 1));
    assert!(slots_told(&world, all[1]).is_empty());
    world.say(all[0], LOUD);
    world.run_for(secs(1));
    world[all[0]].client.pause();
    world.run_for(secs(3));
    assert_eq!((world.available().len(), world.ended().len()), (2, 2));
}

#[test]
fn packets_under_way_when_it_was_said_that_it_ends_begin_nothing_anew() {
    let (mut world, all) = kitchen(9, 2, 4);
    let voice = world[all[0]].stream;
    world.say(all[0], LOUD);
    world.run_for(secs(1));
    world.relay.end_said(world.now, voice);
    // The word that it ends came by another way, and overtook the last packets.
    world.run_for(millis(100));
    world[all[0]].client.pause();
    world.run_for(secs(1));
    assert_eq!((world.available().len(), world.ended().len()), (1, 1));
    let received = world[all[1]].client.received.len();
    world.say(all[0], LOUD);
    world.run_for(secs(1));
    assert_eq!((world.available().len(), world.ended().len()), (2, 1));
    assert!(world[all[1]].client.received.len() >= received + 49);
}

#[test]
fn whoever_talks_is_told_of_and_so_is_who_stopped() {
    let (mut world, all) = kitchen(10, 2, 4);
    world.say(all[0], SILENT);
    world.run_for(secs(1));
    world[all[0]].client.audio_level = LOUD;
    world.run_for(secs(1));
    world[all[0]].client.audio_level = SILENT;
    world.run_for(secs(1));
    world[all[0]].client.audio_level = LOUD;
    world.run_for(secs(1));
    world[all[0]].client.close();
    world.run_for(secs(1));
    let told = |event: &Event| match event {
        Event::Talks(stream, on) if stream.room == KITCHEN => Some(*on),
        _ => None,
    };
    let told: Vec<_> = world.events.iter().filter_map(|(_, event)| told(event)).collect();
    assert_eq!(told, [true, false, true, false]);
}

#[test]
fn who_is_silenced_is_heard_by_nobody_and_again_when_that_ends() {
    let (mut world, all) = kitchen(11, 2, 4);
    let voice = world[all[0]].stream;
    world.say(all[0], LOUD);
    world.run_for(secs(1));
    world.relay.set_silenced(world.now, voice, true);
    world.flush();
    world.run_for(millis(50));
    let since = so_far(&world, all[1]);
    world.run_for(secs(2));
    assert_eq!(so_far(&world, all[1]), since);
    assert!(dropped(&world, DropReason::Silenced) > 90);
    world.relay.set_silenced(world.now, voice, false);
    world.run_for(secs(1));
    assert!(so_far(&world, all[1]) > since + 40);
}

#[test]
fn who_may_only_listen_is_not_heard_whoever_ends_its_silence() {
    let mut world = World::new(20);
    let of = |number| StreamId::of_connection(uuid::Uuid::from_u128(number));
    let membership = ParticipantTracks { room: KITCHEN, voice: of(501), music: of(502), only_listens: true };
    let quiet = world.try_join(membership, 4).expect("room");
    let other = world.participant(KITCHEN, 4);
    world.relay.set_silenced(world.now, of(501), false);
    world.say(quiet, LOUD);
    world.say(other, LOUD);
    world.run_for(secs(2));
    assert!(world[other].client.received.is_empty() && so_far(&world, quiet) > 40);
    assert!(dropped(&world, DropReason::Silenced) > 40);
}

#[test]
fn a_participant_hears_only_whom_it_wants_to() {
    let (mut world, all) = kitchen(12, 4, 4);
    for who in &all[..3] {
        world.say(*who, LOUD);
    }
    world.run_for(secs(1));
    let wanted = Wanted::Only(vec![world[all[1]].stream]);
    world.relay.set_wanted(world.now, world[all[3]].stream, wanted);
    world.flush();
    world.run_for(millis(50));
    assert_eq!(slots_told(&world, all[3]), [world[all[1]].stream]);
    let since = so_far(&world, all[3]);
    world.run_for(secs(1));
    assert_eq!(names(&heard(&world, all[3], since)), BTreeSet::from([1]));
    world.relay.set_wanted(world.now, world[all[3]].stream, Wanted::All);
    world.run_for(secs(1));
    assert_eq!(names(&heard(&world, all[3], since)), BTreeSet::from([0, 1, 2]));
}

#[test]
fn music_is_a_stream_of_its_own_that_no_voice_displaces() {
    let (mut world, all) = kitchen(13, 5, 2);
    let now = world.now;
    world[all[0]].client.play_music(now);
    world.run_for(secs(1));
    for who in &all[1..4] {
        world.say(*who, LOUD);
    }
    world.run_for(secs(3));
    assert!(slots_told(&world, all[4]).contains(&music_of(all[0])));
    let of_music = world.relay.live().into_iter().find(Track::is_music).expect("live");
    assert_eq!((of_music.id, of_music.room), (music_of(all[0]), KITCHEN));
    assert!(heard(&world, all[4], 0)[&0] >= 195);
}

#[test]
fn more_slots_and_a_change_of_network_keep_the_connection() {
    let (mut world, all) = kitchen(14, 5, 1);
    for who in &all[..4] {
        world.say(*who, LOUD);
    }
    world.run_for(secs(1));
    assert_eq!(heard(&world, all[4], 0).len(), 1);
    world.change_address(all[4]);
    world.rejoin(all[4], KITCHEN, 3);
    world.run_for(secs(1));
    let since = so_far(&world, all[4]);
    world.run_for(secs(1));
    assert_eq!(names(&heard(&world, all[4], since)), BTreeSet::from([0, 1, 2, 3]));
    assert_eq!(world.close_reason(all[4]), None);
}

#[test]
fn who_leaves_or_is_lost_makes_room_and_leaves_nothing_behind() {
    let (mut world, all) = kitchen(15, 4, 1);
    world.say(all[0], LOUD);
    world.run_for(secs(1));
    world.relay.leave(world.now, world[all[0]].stream);
    world.flush();
    world.say(all[1], LOUD);
    world.run_for(secs(1));
    assert!(heard(&world, all[3], 0)[&1] > 40);
    world[all[1]].cut_off = true;
    world.run_for(secs(30));
    world.relay.remove_room(world.now, KITCHEN);
    world.run_for(secs(1));
    let stats = world.relay.stats();
    assert_eq!((stats.peers, stats.streams), (0, 0));
    assert_eq!(world.available().len(), world.ended().len());
}

#[test]
fn a_guest_who_loses_a_fifth_makes_all_others_send_less_and_more_again_when_that_is_over() {
    let (mut world, all) = kitchen(16, 3, 4);
    world.say(all[0], LOUD);
    world.run_for(secs(20));
    assert!(bitrates_told(&world, all[0]).is_empty());
    world[all[2]].conditions = Conditions { loss: 0.2, ..Conditions::LAN };
    world.run_for(secs(30));
    let down = bitrates_told(&world, all[0]);
    assert!(down.is_sorted_by(|a, b| a > b) && down.last() == Some(&16), "{down:?}");
    assert!(bitrates_told(&world, all[2]).is_empty(), "the guest itself may send as before");
    world[all[2]].conditions = Conditions::LAN;
    world.run_for(secs(120));
    let up = &bitrates_told(&world, all[0])[down.len()..];
    assert!(up.is_sorted() && up.last() == Some(&128), "{up:?}");
    let stats = world.relay.member_stats();
    assert!(stats.iter().filter(|of| of.voice != world[all[0]].stream).all(|of| of.loss == Some(0.0)));
    assert!(stats.iter().any(|of| of.round_trip.is_some() && of.jitter.is_some()));
}

#[test]
fn the_cap_of_a_room_holds_whatever_its_guests_can_bear() {
    let (mut world, all) = kitchen(17, 2, 4);
    world.relay.set_cap(world.now, KITCHEN, 64_000);
    world.run_for(secs(1));
    assert_eq!(bitrates_told(&world, all[0]), [64]);
    let late = world.participant(KITCHEN, 4);
    world.run_for(secs(1));
    assert_eq!(bitrates_told(&world, late), [64], "who comes later is told, too");
}

#[test]
fn two_hundred_guests_hear_their_host() {
    let (mut world, all) = kitchen(18, 201, 2);
    let before = world.relay.stats();
    world.say(all[0], LOUD);
    world.run_for(secs(2));
    let after = world.relay.stats();
    assert!(all[1..].iter().all(|guest| so_far(&world, *guest) >= 95));
    let packets = after.packets_in - before.packets_in;
    assert_eq!(after.packets_forwarded - before.packets_forwarded, packets * 200);
    assert_eq!(dropped(&world, DropReason::NoSlot), 0);
}

#[test]
fn where_no_more_streams_fit_a_participant_is_not_heard_and_that_is_counted() {
    let mut world = World::with_config(19, RelayConfig { max_streams: 1, ..RelayConfig::default() });
    let all: Vec<_> = (0..2).map(|_| world.participant(KITCHEN, 4)).collect();
    world.run_for(secs(1));
    world.say(all[0], LOUD);
    world.run_for(millis(100));
    world.say(all[1], LOUD);
    world.run_for(secs(1));
    assert!(world[all[0]].client.received.is_empty());
    assert!(dropped(&world, DropReason::TooManyStreams) > 40);
}
