//! Senders on the machine itself, in simulated time: heard as any other, and gone when nothing comes.

mod support;

use std::time::Duration;

use support::world::World;
use uuid::Uuid;
use voice_relay::core::{Event, LocalPacket, PUBLISHER_TIMEOUT, RelayConfig, TooManyStreams};
use voice_relay::domain::{RoomId, StreamId, Track};

const FRAME: Duration = Duration::from_millis(20);

fn stream() -> StreamId {
    StreamId::of_connection(Uuid::from_u128(77))
}

/// Feeds packets at their pace.
fn speak(world: &mut World, packets: std::ops::Range<u64>) {
    for number in packets {
        let payload = number.to_be_bytes().into();
        let packet = LocalPacket { timestamp: number * 960, level: -20, payload };
        world.relay.feed(world.now, stream(), packet).expect("room");
        world.flush();
        world.run_for(FRAME);
    }
}

#[test]
fn a_local_sender_is_heard_like_any_other() {
    let mut world = World::new(1);
    speak(&mut world, 0..5);
    assert_eq!((world.relay.streams(), world.available()), (vec![stream()], vec![stream()]));
    assert!(world.relay.has_publisher(stream()));
    let listener = world.subscriber(stream());
    speak(&mut world, 5..200);
    let received = &world[listener].client.received;
    assert!(received.len() > 150, "{} packets", received.len());
    let numbers: Vec<_> = received.iter().map(|packet| packet.payload.clone()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "in order");
    let now = world.now;
    world.relay.end_local(now, stream());
    world.flush();
    assert_eq!(world.ended(), [stream()]);
    assert!(!world.relay.has_publisher(stream()));
}

#[test]
fn a_local_sender_that_falls_silent_has_ended_and_may_begin_again() {
    let mut world = World::new(2);
    speak(&mut world, 0..50);
    world.run_for(PUBLISHER_TIMEOUT - FRAME * 2);
    assert!(world.ended().is_empty());
    world.run_for(FRAME * 4);
    assert_eq!(world.ended(), [stream()]);
    speak(&mut world, 500..510);
    assert_eq!(world.available(), [stream(), stream()]);
}

#[test]
fn a_local_sender_that_goes_to_another_room_is_heard_there_and_not_where_it_was() {
    let mut world = World::new(5);
    speak(&mut world, 0..5);
    let moved = Track::voice(stream(), RoomId(1));
    for number in 5..10_u64 {
        let packet = LocalPacket { timestamp: number * 960, level: -20, payload: [0; 3].into() };
        world.relay.feed(world.now, moved, packet).expect("room");
        world.flush();
    }
    assert_eq!((world.ended(), world.available()), (vec![stream()], vec![stream(); 2]));
    assert_eq!((world.relay.live(), world.relay.streams()), (vec![moved], vec![]));
}

#[test]
fn a_local_sender_takes_one_of_the_places_for_streams() {
    let mut world = World::with_config(3, RelayConfig { max_streams: 1, ..RelayConfig::default() });
    let (speaker, _) = world.talk_with(0);
    let packet = LocalPacket { timestamp: 0, level: -20, payload: [0; 3].into() };
    assert_eq!(world.relay.feed(world.now, stream(), packet), Err(TooManyStreams(1)));
    assert_eq!(world.relay.streams(), [world[speaker].stream]);
}

#[test]
fn where_all_is_recorded_the_very_first_packet_is_too() {
    let mut world = World::with_config(4, RelayConfig { tap_all: true, ..RelayConfig::default() });
    speak(&mut world, 0..10);
    let tapped = world.events.iter().filter(|(_, event)| matches!(event, Event::Tapped(..))).count();
    assert_eq!(tapped, 10);
}
