//! What the core asks of the allocator: nothing for a packet that is forwarded, and little for who listens.

mod support;

use std::time::Duration;

use support::world::{Who, World, relay_address};
use voice_relay::core::{Input, Output};

/// Packets of the sender that are looked at.
const PACKETS: usize = 40;

/// The core does its part for so many packets of the sender, whose clients hear nothing of it. Gives how many copies
/// were sealed, and how often the allocator was asked.
fn forward(world: &mut World, speaker: Who) -> (u64, u64) {
    let (mut sealed, mut asked) = (0, 0);
    for _ in 0..PACKETS {
        world.now += Duration::from_millis(20);
        let now = world.now;
        world[speaker].client.advance(now);
        while let Some((_, payload)) = world[speaker].client.poll() {
            let source = world[speaker].seen_as;
            let measured = allocation_counter::measure(|| {
                world.relay.handle(now, Input::Datagram { source, destination: relay_address(), payload: &payload });
                while let Some(output) = world.relay.poll() {
                    if let Output::Transmit(transmit) = output {
                        sealed += u64::from(transmit.forwarded);
                        world.relay.recycle(transmit.payload);
                    }
                }
            });
            asked += measured.count_total;
        }
    }
    (sealed, asked)
}

/// Allocations for each packet of the sender, once all is as it stays.
fn steady(mut world: World, speaker: Who, receivers: u64) -> u64 {
    // The first of them show how all are to be sealed, for two seconds.
    forward(&mut world, speaker);
    let before = world.relay.stats();
    let (sealed, asked) = forward(&mut world, speaker);
    let after = world.relay.stats();
    assert_eq!(sealed, PACKETS as u64 * receivers, "everybody was sent everything");
    assert_eq!(after.packets_fast - before.packets_fast, sealed, "all by the fast path");
    asked / PACKETS as u64
}

fn talk_with(receivers: usize) -> u64 {
    let mut world = World::new(1);
    let (speaker, _) = world.talk_with(receivers);
    steady(world, speaker, receivers as u64)
}

fn room_of(guests: usize) -> u64 {
    let mut world = World::new(1);
    let (host, guests) = world.broadcast_to(guests);
    steady(world, host, guests.len() as u64)
}

#[test]
fn a_forwarded_packet_allocates_nothing() {
    let (one, ten, hundred) = (talk_with(1), talk_with(10), talk_with(100));
    println!("allocations for a sender's packet: {one}, {ten} and {hundred} with 1, 10 and 100 receivers");
    assert!(ten <= one + 1 && hundred <= one + 1, "{one}, {ten}, {hundred}: they grow with the receivers");
}

#[test]
fn a_packet_forwarded_to_the_guests_of_a_room_allocates_nothing() {
    let (one, fifty) = (room_of(1), room_of(50));
    println!("allocations for a participant's packet: {one} and {fifty} with 1 and 50 guests");
    assert!(fifty <= one + 1, "{one}, {fifty}: they grow with the guests");
}

#[test]
fn a_receiver_takes_little_memory() {
    let mut world = World::new(1);
    let (_, receivers) = world.talk_with(20);
    world.run_for(Duration::from_secs(10));
    let now = world.now;
    let peers: Vec<_> = receivers.iter().map(|receiver| world[*receiver].peer).collect();
    let measured = allocation_counter::measure(|| {
        for peer in &peers {
            world.relay.close(now, *peer);
            while let Some(output) = world.relay.poll() {
                drop(output);
            }
        }
    });
    let each = -measured.bytes_current / peers.len() as i64;
    println!("bytes that are given back when a receiver leaves: {each}");
    assert!(each < 64 * 1024, "{each} bytes");
}
