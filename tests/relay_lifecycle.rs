//! How streams and peers come, go on and end, in simulated time.

mod support;

use std::time::Duration;

use support::world::{Who, World};
use uuid::Uuid;
use voice_relay::core::{
    CLEANUP_INTERVAL, CONNECT_TIMEOUT, CloseReason, DropReason, Event, NegotiationError, RelayConfig, STALE_AFTER,
};
use voice_relay::domain::StreamId;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A sender that is heard by nobody yet.
fn live_publisher(world: &mut World) -> Who {
    world.talk_with(0).0
}

#[test]
fn a_stream_is_available_with_its_first_decrypted_packet_and_not_before() {
    let mut world = World::new(1);
    let speaker = world.publisher();
    world[speaker].client.pause();
    world.run_for(secs(2));
    assert!(world[speaker].client.connected);
    assert_eq!(world.available(), []);
    let now = world.now;
    world[speaker].client.talk(now);
    world.run_for(secs(1));
    assert_eq!(world.available(), [world[speaker].stream]);
    assert_eq!(world.relay.streams(), [world[speaker].stream]);
}

#[test]
fn streams_are_listed_oldest_first() {
    let mut world = World::new(2);
    let speakers: Vec<_> = (0..5).map(|_| live_publisher(&mut world)).collect();
    world.run_for(secs(1));
    let streams: Vec<_> = speakers.iter().map(|speaker| world[*speaker].stream).collect();
    assert_eq!(world.relay.streams(), streams);
}

#[test]
fn a_receiver_without_a_stream_gets_the_newest_or_an_error() {
    let mut world = World::new(3);
    assert_eq!(world.try_subscribe(None), Err(NegotiationError::NoStream));
    let _first = live_publisher(&mut world);
    let second = world.publisher();
    world.run_for(secs(1));
    let listener = world.try_subscribe(None).expect("a stream");
    assert_eq!(world[listener].stream, world[second].stream);
    let unknown = StreamId::of_connection(Uuid::from_u128(99));
    assert_eq!(world.try_subscribe(Some(unknown)), Err(NegotiationError::NoStream));
}

#[test]
fn a_stream_ends_at_once_and_once_when_its_signalling_connection_closes() {
    let mut world = World::new(4);
    let (speaker, listeners) = world.talk_with(2);
    let (now, peer) = (world.now, world[speaker].peer);
    world.relay.close(now, peer);
    world.relay.close(now, peer);
    world.flush();
    assert_eq!(world.ended(), [world[speaker].stream]);
    world.run_for(secs(1));
    assert_eq!(world.ended(), [world[speaker].stream]);
    for who in listeners {
        assert_eq!(world.close_reason(who), Some(CloseReason::StreamEnded));
        assert!(world[who].client.closed, "the receiver was told");
    }
    assert!(world[speaker].client.closed, "the sender was told");
    assert_eq!(world.relay.stats().peers, 0);
}

#[test]
fn a_stream_ends_when_the_peer_connection_closes() {
    let mut world = World::new(5);
    let speaker = live_publisher(&mut world);
    world[speaker].client.close();
    world.flush();
    world.run_for(Duration::from_millis(100));
    assert_eq!(world.ended(), [world[speaker].stream]);
    assert_eq!(world.close_reason(speaker), Some(CloseReason::RemoteClosed));
}

#[test]
fn a_vanished_sender_is_noticed_within_five_seconds() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        let speaker = live_publisher(&mut world);
        world.run_for(Duration::from_millis(1_000 + 137 * seed));
        world[speaker].cut_off = true;
        let vanished_at = world.now;
        world.run_for(secs(10));
        let ended_at = world.time_of(|event| matches!(event, Event::StreamEnded(_))).expect("ended");
        assert!(ended_at - vanished_at < secs(5), "seed {seed}: after {:?}", ended_at - vanished_at);
        assert_eq!(world.close_reason(speaker), Some(CloseReason::Vanished));
    }
}

#[test]
fn a_sender_on_bad_wifi_has_not_vanished() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        world.conditions = support::network::Conditions::BAD_WIFI;
        live_publisher(&mut world);
        world.run_for(secs(600));
        assert_eq!(world.ended(), [], "seed {seed}");
    }
}

#[test]
fn a_paused_sender_is_kept_while_its_signalling_connection_lives() {
    let mut world = World::new(6);
    let speaker = live_publisher(&mut world);
    world[speaker].client.pause();
    for _ in 0..60 {
        world.run_for(secs(2));
        let (now, peer) = (world.now, world[speaker].peer);
        world.relay.keep_alive(now, peer);
    }
    assert_eq!(world.ended(), []);
    world[speaker].cut_off = true;
    let vanished_at = world.now;
    world.run_for(secs(30));
    let ended_at = world.time_of(|event| matches!(event, Event::StreamEnded(_))).expect("ended");
    assert!(ended_at - vanished_at < secs(5), "after {:?}", ended_at - vanished_at);
}

#[test]
fn a_paused_sender_without_a_signalling_connection_is_kept_while_its_checks_come() {
    let mut world = World::new(6);
    let speaker = live_publisher(&mut world);
    let peer = world[speaker].peer;
    world.relay.set_unattended(peer);
    world[speaker].client.pause();
    world.run_for(secs(120));
    assert_eq!(world.ended(), []);
    world[speaker].cut_off = true;
    world.run_for(secs(30));
    assert_eq!(world.close_reason(speaker), Some(CloseReason::ConsentLost));
    let talker = live_publisher(&mut world);
    let peer = world[talker].peer;
    world.relay.set_unattended(peer);
    world.run_for(secs(5));
    world[talker].cut_off = true;
    world.run_for(secs(20));
    assert_eq!(world.close_reason(talker), Some(CloseReason::ConsentLost), "nobody else could tell");
}

#[test]
fn a_sender_that_never_spoke_and_checks_every_six_seconds_is_kept() {
    let mut world = World::new(6);
    let speaker = world.publisher();
    world[speaker].client.pause();
    world.run_for(secs(2));
    let peer = world[speaker].peer;
    world.relay.set_unattended(peer);
    for _ in 0..10 {
        // Nothing but its checks, as seldom as RFC 7675 allows.
        world[speaker].cut_off = true;
        world.run_for(secs(5) + Duration::from_millis(500));
        world[speaker].cut_off = false;
        world.run_for(Duration::from_millis(3_000));
    }
    assert_eq!(world.close_reason(speaker), None);
}

#[test]
fn a_sender_that_sends_no_checks_is_heard_while_it_talks_and_missed_when_it_stops() {
    let mut world = World::new(8);
    let (speaker, listeners) = world.talk_with(1);
    let peer = world[speaker].peer;
    world.relay.set_unattended(peer);
    world[speaker].checks_nothing = true;
    let before = world[listeners[0]].client.received.len();
    world.run_for(secs(60));
    assert!(world[listeners[0]].client.received.len() - before > 2_900, "it is heard all the time");
    world[speaker].client.pause();
    world.run_for(secs(10));
    assert_eq!(world.close_reason(speaker), Some(CloseReason::Vanished));
}

#[test]
fn a_vanished_receiver_is_forgotten_and_the_others_hear_on() {
    let mut world = World::new(7);
    let (_, listeners) = world.talk_with(3);
    world[listeners[0]].cut_off = true;
    world.run_for(secs(40));
    assert_eq!(world.close_reason(listeners[0]), Some(CloseReason::ConsentLost));
    assert_eq!(world.relay.stats().receivers, 2);
    assert!(world[listeners[1]].client.received.len() > 1_900);
}

#[test]
fn a_peer_that_never_connects_is_given_up() {
    let mut world = World::new(8);
    let speaker = world.publisher();
    world[speaker].cut_off = true;
    world.run_for(CONNECT_TIMEOUT + secs(1));
    assert_eq!(world.close_reason(speaker), Some(CloseReason::ConnectTimeout));
    assert_eq!(world.relay.stats().joins_failed, 1);
    assert_eq!(world.relay.stats().peers, 0);
}

#[test]
fn the_clean_up_removes_a_stream_that_nobody_fed_for_ten_minutes() {
    let mut world = World::new(9);
    let (speaker, listeners) = world.talk_with(1);
    world[speaker].client.pause();
    let paused_at = world.now;
    while world.ended().is_empty() && world.now - paused_at < secs(3_600) {
        world.run_for(secs(2));
        let (now, peer) = (world.now, world[speaker].peer);
        world.relay.keep_alive(now, peer);
    }
    let ended_at = world.time_of(|event| matches!(event, Event::StreamEnded(_))).expect("ended");
    assert!(ended_at - paused_at >= STALE_AFTER);
    assert!(ended_at - paused_at <= STALE_AFTER + CLEANUP_INTERVAL);
    assert_eq!(world.close_reason(speaker), Some(CloseReason::Stale));
    assert_eq!(world.close_reason(listeners[0]), Some(CloseReason::StreamEnded));
    assert_eq!(world.relay.stats().stale_removed, 1);
}

#[test]
fn the_clean_up_removes_a_sender_that_connected_and_never_spoke() {
    let mut world = World::new(10);
    let speaker = world.publisher();
    world[speaker].client.pause();
    for _ in 0..600 {
        world.run_for(secs(2));
        let (now, peer) = (world.now, world[speaker].peer);
        world.relay.keep_alive(now, peer);
    }
    assert_eq!(world.close_reason(speaker), Some(CloseReason::Stale));
    assert_eq!((world.available(), world.ended()), (vec![], vec![]), "what was never available does not end");
}

#[test]
fn the_clean_up_leaves_a_stream_that_is_fed() {
    let config = RelayConfig { cleanup_interval: secs(5), stale_after: secs(10), ..RelayConfig::default() };
    let mut world = World::with_config(11, config);
    live_publisher(&mut world);
    world.run_for(secs(60));
    assert_eq!(world.ended(), []);
}

#[test]
fn a_second_sender_takes_the_stream_over_and_the_first_ones_end_does_not_end_it() {
    let mut world = World::new(12);
    let (first, listeners) = world.talk_with(1);
    let stream = world[first].stream;
    let second = world.try_publish(stream).expect("taken over");
    world.run_for(secs(2));
    assert_eq!(world.close_reason(first), Some(CloseReason::Replaced));
    assert_eq!(world.available(), [stream]);
    assert_eq!(world.ended(), []);
    let heard = &world[listeners[0]].client.received;
    assert!(heard.iter().any(|packet| packet.number() > 40 && packet.at > world.now - secs(1)));
    assert!(world[second].client.connected);
}

#[test]
fn an_ice_restart_keeps_the_stream() {
    let mut world = World::new(13);
    let (speaker, listeners) = world.talk_with(1);
    world.change_address(speaker);
    world.restart_ice(speaker);
    world.run_for(secs(3));
    assert_eq!(world.ended(), []);
    let latest = world[listeners[0]].client.received.last().expect("heard").at;
    assert!(world.now - latest < Duration::from_millis(100));
}

#[test]
fn a_sender_whose_address_changes_is_heard_again_within_seconds() {
    let mut world = World::new(14);
    let (speaker, listeners) = world.talk_with(1);
    world.run_for(secs(5));
    world.change_address(speaker);
    world.run_for(secs(8));
    assert_eq!(world.ended(), []);
    let latest = world[listeners[0]].client.received.last().expect("heard").at;
    assert!(world.now - latest < Duration::from_millis(100), "heard last {:?} ago", world.now - latest);
    assert!(world.relay.stats().address_changes > 0);
}

#[test]
fn a_receiver_whose_address_changes_hears_on_at_the_new_one_within_sixteen_seconds() {
    let mut world = World::new(16);
    let (_, listeners) = world.talk_with(2);
    world.run_for(secs(5));
    world.change_address(listeners[0]);
    // ICE-lite takes the other nominated pair once the old one had no check for 15 s (is: RECENT_BINDING_REQUEST).
    world.run_for(secs(16));
    let (forwarded, shortened) = (world.relay.stats().packets_forwarded, world.relay.stats().packets_fast);
    world.run_for(secs(2));
    for listener in listeners {
        let latest = world[listener].client.received.last().expect("heard").at;
        assert!(world.now - latest < Duration::from_millis(100), "heard last {:?} ago", world.now - latest);
    }
    let stats = world.relay.stats();
    let (forwarded, shortened) = (stats.packets_forwarded - forwarded, stats.packets_fast - shortened);
    assert!(shortened > forwarded * 9 / 10, "{shortened} of {forwarded} by the short way, also to the new address");
}

#[test]
fn a_thousand_joins_and_leaves_leave_nothing_behind() {
    let mut world = World::new(15);
    let speaker = live_publisher(&mut world);
    let stream = world[speaker].stream;
    for _ in 0..1_000 {
        let listener = world.subscriber(stream);
        world.run_for(Duration::from_millis(400));
        assert!(!world[listener].client.received.is_empty());
        let (now, peer) = (world.now, world[listener].peer);
        world.relay.close(now, peer);
        world[listener].cut_off = true;
    }
    let stats = world.relay.stats();
    assert_eq!((stats.peers, stats.receivers, stats.streams), (1, 0, 1));
    assert_eq!(stats.joins, 1_001);
}

#[test]
fn offers_beyond_the_limits_are_refused() {
    let config = RelayConfig { max_streams: 2, max_peers: 3, ..RelayConfig::default() };
    let mut world = World::with_config(16, config);
    let first = live_publisher(&mut world);
    let second = world.publisher();
    world[second].client.pause();
    world.run_for(secs(1));
    // Whoever is connected and says nothing has no place among those who do.
    let third = world.publisher();
    world.run_for(secs(1));
    assert_eq!(world.relay.stats().streams, 2);
    let fourth = StreamId::of_connection(Uuid::from_u128(4));
    assert_eq!(world.try_publish(fourth), Err(NegotiationError::TooManyPeers(3)));
    let (now, peer) = (world.now, world[third].peer);
    world.relay.close(now, peer);
    world.run_for(secs(1));
    world.publisher();
    world.run_for(secs(1));
    assert_eq!(world.relay.stats().streams, 2);
    let (now, peer) = (world.now, world[second].peer);
    world.relay.close(now, peer);
    assert_eq!(world.try_publish(fourth), Err(NegotiationError::TooManyStreams(2)));
    let stream = world[first].stream;
    world.subscriber(stream);
    assert_eq!(world.try_subscribe(Some(stream)), Err(NegotiationError::TooManyPeers(3)));
    assert_eq!(world.relay.stats().peers, 3);
}

/// The offer without lines that begin so.
fn without(offer: &str, starts: &[&str]) -> String {
    let is_kept = |line: &&str| !starts.iter().any(|start| line.starts_with(start));
    offer.lines().filter(is_kept).map(|line| format!("{}\r\n", line.trim_end())).collect()
}

#[test]
fn who_declares_no_source_and_names_no_m_line_is_heard_by_its_payload_type() {
    let mut world = World::new(7);
    let stream = StreamId::of_connection(Uuid::from_u128(77));
    let bare = |offer: String| without(&offer, &["a=ssrc", "a=extmap:4 "]);
    let speaker = world.try_publish_as(stream, bare).expect("a good offer");
    world.run_until("heard", |world| world.available() == [stream]);
    let listener = world.subscriber(stream);
    world.run_for(secs(1));
    assert!(world[listener].client.received.len() > 30, "{}", world[listener].client.received.len());
    assert_eq!(world.close_reason(speaker), None);
}

#[test]
fn checks_without_a_priority_are_answered() {
    let mut world = World::new(8);
    let stream = StreamId::of_connection(Uuid::from_u128(78));
    let speaker = world.try_publish(stream).expect("a good offer");
    world[speaker].client.pause();
    world[speaker].without_priority = Some("another password of twenty-two".into());
    world.run_for(secs(3));
    assert!(!world[speaker].client.connected, "who does not know the password is no more let in than before");
    let (mut world, mut password) = (World::new(8), String::new());
    let speaker = world.try_publish_with_answer(stream, |answer| {
        password = answer.lines().find_map(|line| line.strip_prefix("a=ice-pwd:")).expect("a password").to_owned();
    });
    world[speaker].without_priority = Some(password);
    world.run_until("heard", |world| world.available() == [stream]);
}

#[test]
fn the_address_of_a_live_peer_is_not_taken_over_by_the_checks_of_another() {
    let mut world = World::new(9);
    let (victim, listeners) = world.talk_with(1);
    let thief = live_publisher(&mut world);
    world.run_for(secs(1));
    let before = world[listeners[0]].client.received.len();
    // As one who writes another's address into the datagrams of their own.
    world[thief].seen_as = world[victim].seen_as;
    world[thief].client.pause();
    world.run_for(secs(10));
    let heard = world[listeners[0]].client.received.len() - before;
    assert!(heard >= 498, "{heard} of 500");
    assert!(world.relay.stats().dropped[DropReason::AddressInUse as usize] > 0);
    // Whoever comes after one that has gone may have its address.
    world[victim].cut_off = true;
    world.run_for(secs(20));
    let late = world.publisher();
    world[late].seen_as = world[victim].seen_as;
    let address = world[late].seen_as;
    world.claim(address, late);
    world.run_for(secs(5));
    assert!(world[late].client.connected);
}
