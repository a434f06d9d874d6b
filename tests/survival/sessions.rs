//! What those who do belong send wrongly, or what is sent in their name: packets, in simulated time.

use std::time::Duration;

use crate::strangers::{answered, dropped, overhear, the_call_goes_on};
use crate::support::network::Datagram;
use crate::support::world::{Who, World, relay_address};

fn is_packet_of(world: &World, who: Who) -> impl Fn(&Datagram) -> bool + use<> {
    let source = world[who].seen_as;
    // A payload type of Opus, as opposed to RTCP (RFC 5761 4).
    move |datagram| {
        datagram.source == source
            && datagram.destination == relay_address()
            && datagram.payload[0] & 0xc0 == 0x80
            && !(64..96).contains(&(datagram.payload[1] & 0x7f))
    }
}

#[test]
fn packets_that_were_sent_before_or_sealed_with_another_key_are_not_heard_and_are_counted() {
    let mut world = World::new(21);
    let (speaker, listeners) = world.talk_with(1);
    let other = world.publisher();
    world.run_until("it connects", |world| world[other].client.connected);
    let is_own = is_packet_of(&world, speaker);
    let own = overhear(&mut world, is_own).payload;
    let is_foreign = is_packet_of(&world, other);
    let foreign = overhear(&mut world, is_foreign).payload;
    world.run_for(Duration::from_millis(100));
    let (address, before) = (world[speaker].seen_as, (world.relay.stats(), dropped(&world)));
    for _ in 0..500 {
        answered(&mut world, address, &own);
        answered(&mut world, address, &foreign);
    }
    assert_eq!(world.relay.stats().packets_in, before.0.packets_in, "none of them was taken");
    assert_eq!(dropped(&world) - before.1, 1_000, "each is counted");
    the_call_goes_on(&mut world, listeners[0]);
}

#[test]
fn a_sender_that_uses_a_thousand_sources_is_one_stream() {
    let mut world = World::new(22);
    let (speaker, listeners) = world.talk_with(1);
    for source in 0..1_000 {
        world[speaker].client.change_source(0x1000 + source);
        world.run_for(Duration::from_millis(20));
    }
    assert_eq!((world.relay.stats().streams, world.ended().len()), (1, 0));
    let packets = &world[listeners[0]].client.received;
    assert!(packets.windows(2).all(|pair| pair[0].ssrc == pair[1].ssrc), "one source for the listener");
    assert_eq!(world.relay.stats().peer_panics, 0);
}

#[test]
fn numbers_that_jump_and_payloads_that_are_empty_are_passed_on_and_end_nothing() {
    let mut world = World::new(23);
    let (speaker, listeners) = world.talk_with(1);
    // More packets than half of a rollover cannot be bridged by anybody (RFC 3711 3.3.1).
    for (packets, samples) in [(1, 1 << 31), (30_000, 0), (20_000, 1 << 30), (0, u64::from(u32::MAX)), (32_000, 7)] {
        world[speaker].client.skip(packets, samples);
        world.run_for(Duration::from_millis(200));
    }
    the_call_goes_on(&mut world, listeners[0]);
    world[speaker].client.voice = Some(Box::new(|_| Vec::new()));
    let before = world.relay.stats();
    world.run_for(Duration::from_secs(1));
    let after = world.relay.stats();
    assert_eq!((after.peers, after.streams, after.peer_panics), (2, 1, 0));
    assert!(after.datagrams_in >= before.datagrams_in + 45, "they came");
    world[speaker].client.voice = None;
    world.run_for(Duration::from_millis(100));
    the_call_goes_on(&mut world, listeners[0]);
}

#[test]
fn control_packets_that_are_garbage_end_nothing() {
    let mut world = World::new(24);
    let (speaker, listeners) = world.talk_with(1);
    for who in [speaker, listeners[0]] {
        let address = world[who].seen_as;
        for kind in 192..=223_u8 {
            for length in [2, 8, 30, 1_200] {
                let mut payload = vec![kind; length];
                payload[0] = 0x9f;
                assert_eq!(answered(&mut world, address, &payload), 0);
            }
        }
    }
    the_call_goes_on(&mut world, listeners[0]);
}

#[test]
fn who_says_a_word_every_few_minutes_and_who_waits_for_it_are_still_there_after_a_day() {
    let mut world = World::new(25);
    let (speaker, listeners) = world.talk_with(1);
    for second in (0..86_400).step_by(2) {
        let now = world.now;
        match second % 500 {
            0 => world[speaker].client.talk(now),
            _ => world[speaker].client.pause(),
        }
        // As its signalling connection does every two seconds.
        let peer = world[speaker].peer;
        world.relay.keep_alive(now, peer);
        world.run_for(Duration::from_secs(2));
    }
    assert_eq!((world.relay.stats().peers, world.ended().len()), (2, 0));
    let now = world.now;
    world[speaker].client.talk(now);
    world.run_for(Duration::from_millis(200));
    the_call_goes_on(&mut world, listeners[0]);
}
