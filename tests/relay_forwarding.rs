//! What receivers get, packet by packet, in simulated time: numbers, levels, and all of it whatever
//! the network and the sender do.

mod support;

use std::time::Duration;

use support::client::{Numbering, Received};
use support::network::Conditions;
use support::world::{Who, World, relay_address};
use voice_relay::core::Input;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn received(world: &World, who: Who) -> &[Received] {
    &world[who].client.received
}

/// Steps of (sender's count, sequence, timestamp) from each packet to the next.
fn steps(packets: &[Received]) -> Vec<(i64, i64, i64)> {
    let step = |pair: &[Received]| {
        let (before, after) = (&pair[0], &pair[1]);
        (
            after.number() as i64 - before.number() as i64,
            after.sequence as i64 - before.sequence as i64,
            i64::from(after.timestamp.wrapping_sub(before.timestamp) as i32),
        )
    };
    packets.windows(2).map(step).collect()
}

#[test]
fn every_packet_reaches_every_receiver_unchanged_and_in_order() {
    let mut world = World::new(1);
    let (_, listeners) = world.talk_with(5);
    world.run_for(secs(10));
    for who in listeners {
        let packets = received(&world, who);
        assert!(packets.len() >= 495);
        assert!(steps(packets).iter().all(|step| *step == (1, 1, 960)));
        assert!(packets.iter().all(|packet| packet.payload.len() == 160 && packet.ssrc == packets[0].ssrc));
    }
}

#[test]
fn receivers_get_the_audio_level_that_the_sender_measured() {
    let mut world = World::new(2);
    let (speaker, listeners) = world.talk_with(1);
    world.run_for(secs(1));
    world[speaker].client.audio_level = -7;
    world.run_for(secs(1));
    let levels: Vec<_> = received(&world, listeners[0]).iter().map(|packet| packet.audio_level).collect();
    assert_eq!((levels[0], levels[levels.len() - 1]), (Some(-30), Some(-7)));
}

#[test]
fn a_receiver_that_joins_after_sixty_five_thousand_packets_hears_the_next_one() {
    let mut world = World::new(3);
    let speaker = world.publisher();
    world[speaker].client.next = Numbering { sequence: 65_500, timestamp: 4_294_960_000 };
    world.run_for(secs(30));
    let stream = world[speaker].stream;
    let early = world.subscriber(stream);
    world.run_for(secs(1_400));
    let late = world.subscriber(stream);
    world.run_for(secs(2));
    assert!(received(&world, late)[0].sequence < 65_536);
    assert!(received(&world, late).len() >= 80, "{} packets", received(&world, late).len());
    assert!(received(&world, early).len() > 70_000, "one that stays passes the rollover, too");
    assert!(steps(received(&world, early)).iter().all(|step| *step == (1, 1, 960)));
}

#[test]
fn a_pause_of_dtx_is_passed_on_as_a_pause() {
    let mut world = World::new(4);
    let (speaker, listeners) = world.talk_with(1);
    world.run_for(secs(1));
    world[speaker].client.pause();
    world.run_for(Duration::from_millis(400));
    world[speaker].client.skip(0, 19_200);
    let now = world.now;
    world[speaker].client.talk(now);
    world.run_for(secs(1));
    let steps = steps(received(&world, listeners[0]));
    let pauses: Vec<_> = steps.iter().filter(|step| **step != (1, 1, 960)).collect();
    assert_eq!(pauses, [&(1, 1, 19_200 + 960)]);
}

#[test]
fn a_sender_that_leaves_and_returns_goes_on_in_the_receivers_numbers() {
    let mut world = World::new(5);
    let (first, listeners) = world.talk_with(1);
    world.run_for(secs(2));
    let stream = world[first].stream;
    let second = world.try_publish(stream).expect("taken over");
    world[second].client.next = Numbering { sequence: 9, timestamp: 3_000_000_000 };
    world.run_for(secs(3));
    let packets = received(&world, listeners[0]);
    assert!(packets.iter().all(|packet| packet.ssrc == packets[0].ssrc));
    assert!(steps(packets).iter().all(|(_, sequence, timestamp)| *sequence == 1 && (960..96_000).contains(timestamp)));
    assert!(world.now - packets[packets.len() - 1].at < Duration::from_millis(50));
}

#[test]
fn a_lost_packet_is_a_gap_for_the_receiver_and_nothing_else() {
    let mut world = World::new(6);
    let (speaker, listeners) = world.talk_with(1);
    world.run_for(secs(1));
    world[speaker].client.skip(1, 960);
    world.run_for(secs(1));
    let steps = steps(received(&world, listeners[0]));
    assert_eq!(steps.iter().filter(|step| **step != (1, 1, 960)).collect::<Vec<_>>(), [&(1, 2, 1_920)]);
}

#[test]
fn on_bad_wifi_what_arrives_has_the_right_numbers() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        world.conditions = Conditions::BAD_WIFI;
        let (_, listeners) = world.talk_with(2);
        world.run_for(secs(30));
        for who in listeners {
            let packets = received(&world, who);
            assert!(packets.len() > 1_250, "seed {seed}: {} packets", packets.len());
            // Reordered or lost, each packet keeps its distance from the first.
            let first = &packets[0];
            for packet in packets {
                let count = packet.number() as i64 - first.number() as i64;
                assert_eq!(packet.sequence as i64 - first.sequence as i64, count, "seed {seed}");
                let passed = packet.timestamp.wrapping_sub(first.timestamp) as i32;
                assert_eq!(i64::from(passed), count * 960, "seed {seed}");
            }
        }
    }
}

#[test]
fn hundreds_of_receivers_hear_one_sender() {
    let mut world = World::new(7);
    let (_, listeners) = world.talk_with(300);
    world.run_for(secs(2));
    for who in &listeners {
        assert!(received(&world, *who).len() >= 95);
    }
    assert_eq!(world.relay.stats().receivers, 300);
}

#[test]
fn every_receiver_hears_its_own_stream_only() {
    let mut world = World::new(8);
    let speakers: Vec<_> = (0..10).map(|_| world.publisher()).collect();
    world.run_for(secs(1));
    for (index, speaker) in speakers.iter().enumerate() {
        world[*speaker].client.audio_level = -10 - index as i8;
    }
    let listeners: Vec<_> = speakers.iter().map(|speaker| world.subscriber(world[*speaker].stream)).collect();
    world.run_for(secs(2));
    for (index, who) in listeners.iter().enumerate() {
        let packets = received(&world, *who);
        assert!(packets.len() > 80);
        assert!(packets.iter().all(|packet| packet.audio_level == Some(-10 - index as i8)));
    }
}

#[test]
fn nothing_that_strangers_send_makes_an_answer_or_a_trace() {
    let mut world = World::new(9);
    let (speaker, _) = world.talk_with(1);
    let stranger = "192.168.1.66:4000".parse().expect("an address");
    let known = world[speaker].seen_as;
    let before = world.relay.stats();
    for first_byte in 0..=255_u8 {
        for length in [0, 1, 3, 20, 100, 1_500, 65_507] {
            for source in [stranger, known] {
                let mut payload = vec![first_byte; length];
                payload.iter_mut().skip(1).enumerate().for_each(|(index, byte)| *byte = (index * 31) as u8);
                let input = Input::Datagram { source, destination: relay_address(), payload: &payload };
                let now = world.now;
                world.relay.handle(now, input);
            }
        }
    }
    assert!(world.relay.poll().is_none(), "garbage was answered");
    world.run_for(secs(2));
    let after = world.relay.stats();
    assert_eq!((after.peers, after.streams, after.peer_panics), (before.peers, before.streams, 0));
    assert!(after.packets_forwarded >= before.packets_forwarded + 95, "the call goes on");
}

#[test]
fn a_replayed_packet_is_not_forwarded_twice() {
    let mut world = World::new(10);
    world.conditions = Conditions { duplicate: 1.0, ..Conditions::LAN };
    let (_, listeners) = world.talk_with(1);
    world.run_for(secs(5));
    assert!(steps(received(&world, listeners[0])).iter().all(|step| *step == (1, 1, 960)));
}

#[test]
fn a_fan_out_sends_one_datagram_for_each_receiver_and_packet() {
    let mut world = World::new(11);
    let (_, _) = world.talk_with(50);
    world.run_for(secs(5));
    let before = world.relay.stats();
    world.run_for(secs(10));
    let after = world.relay.stats();
    let packets = after.packets_in - before.packets_in;
    assert!((495..=505).contains(&packets));
    assert_eq!(after.packets_forwarded - before.packets_forwarded, packets * 50);
    // Besides the packets: RTCP reports and answers to ICE checks, a few a second for each peer.
    let others = (after.datagrams_out - before.datagrams_out) - (after.packets_forwarded - before.packets_forwarded);
    assert!(others < 51 * 10 * 3, "{others}");
}

#[test]
fn reports_and_checks_that_change_nothing_leave_packets_on_the_fast_path() {
    let mut world = World::new(20);
    let (_, listeners) = world.talk_with(3);
    world.run_for(secs(5));
    let before = world.relay.stats();
    world.run_for(secs(20));
    let after = world.relay.stats();
    let forwarded = after.packets_forwarded - before.packets_forwarded;
    let slow = forwarded - (after.packets_fast - before.packets_fast);
    assert!(forwarded >= 2_900, "{forwarded}");
    // A pattern holds for two seconds: ten in twenty, and one that was half over.
    assert!(slow <= 11 * listeners.len() as u64, "{slow} of {forwarded} went through str0m");
}
