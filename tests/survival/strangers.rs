//! What comes to the core's port from those who do not belong, in simulated time. In the house there is a call.

use std::net::SocketAddr;
use std::time::Duration;

use voice_relay::core::{CONNECT_TIMEOUT, CloseReason, Input, Output, RelayConfig};

use crate::support::network::{Conditions, Datagram};
use crate::support::world::{Who, World, relay_address};

/// So many requests come in one second.
pub const FLOOD: u64 = 10_000;

/// An attribute of STUN that says who signed (RFC 8489 14.5), and its length.
const MESSAGE_INTEGRITY: [u8; 4] = [0, 8, 0, 20];

pub fn stranger() -> SocketAddr {
    SocketAddr::from(([192, 168, 1, 66], 4_000))
}

pub fn is_check(datagram: &Datagram) -> bool {
    datagram.destination == relay_address() && datagram.payload.starts_with(&[0, 1])
}

/// The first record of a DTLS handshake that is a ClientHello (RFC 6347 4.3.2).
pub fn is_client_hello(datagram: &Datagram) -> bool {
    datagram.destination == relay_address() && datagram.payload[0] == 22 && datagram.payload[13] == 1
}

/// Waits until such a datagram is under way; it arrives all the same.
pub fn overhear(world: &mut World, wanted: impl Fn(&Datagram) -> bool) -> Datagram {
    for _ in 0..40_000 {
        let horizon = world.now + Duration::from_secs(1);
        let under_way: Vec<_> = std::iter::from_fn(|| world.network.arrive(horizon)).collect();
        for datagram in &under_way {
            world.network.send(world.now, datagram.clone(), Conditions::default());
        }
        if let Some(found) = under_way.into_iter().find(&wanted) {
            return found;
        }
        // Shorter than anything is under way.
        world.run_for(Duration::from_micros(300));
    }
    panic!("nothing of the kind was sent");
}

/// Hands a datagram to the relay; gives the bytes that it sends at once.
pub fn answered(world: &mut World, source: SocketAddr, payload: &[u8]) -> usize {
    let now = world.now;
    world.relay.handle(now, Input::Datagram { source, destination: relay_address(), payload });
    let mut bytes = 0;
    while let Some(output) = world.relay.poll() {
        if let Output::Transmit(transmit) = output {
            bytes += transmit.payload.len();
        }
    }
    bytes
}

pub fn dropped(world: &World) -> u64 {
    world.relay.stats().dropped.iter().sum()
}

/// Runs for two seconds, in which this listener must hear every packet.
pub fn the_call_goes_on(world: &mut World, listener: Who) {
    let before = world[listener].client.received.len();
    world.run_for(Duration::from_secs(2));
    let packets = &world[listener].client.received[before - 1..];
    assert!(packets.len() > 95, "{} packets in two seconds", packets.len());
    assert!(packets.windows(2).all(|pair| pair[1].number() == pair[0].number() + 1), "none is lost");
    assert_eq!(world.relay.stats().peer_panics, 0);
}

/// A check with something of it changed.
fn forged(check: &[u8], index: u64) -> Vec<u8> {
    let signature = check.windows(4).position(|window| window == MESSAGE_INTEGRITY).expect("a signature") + 4;
    let mut forged = check.to_vec();
    match index % 4 {
        // The transaction, and with it the signature; the signature; the username; many attributes nobody knows.
        0 => forged[8..16].copy_from_slice(&index.to_be_bytes()),
        1 => forged[signature] ^= 1 + (index % 255) as u8,
        2 => forged[24..28].copy_from_slice(b"nope"),
        _ => {
            // What stands behind the signature would not be looked at.
            let attribute = [0xc0, 0x01, 0x04, 0x00].into_iter().chain([index as u8; 1_024]);
            forged.splice(20..20, attribute);
            let length = (forged.len() - 20) as u16;
            forged[2..4].copy_from_slice(&length.to_be_bytes());
        }
    }
    forged
}

#[test]
fn ten_thousand_forged_checks_a_second_get_no_answer_and_leave_no_trace() {
    let mut world = World::new(1);
    let (_, listeners) = world.talk_with(1);
    let check = overhear(&mut world, is_check).payload;
    let before = (world.relay.stats(), dropped(&world));
    for index in 0..FLOOD {
        assert_eq!(
            answered(&mut world, stranger(), &forged(&check, index)),
            0,
            "a forged check ({index}) was answered"
        );
    }
    let after = world.relay.stats();
    assert_eq!(after.peers, before.0.peers);
    assert_eq!(after.address_changes, before.0.address_changes, "no address was learned");
    assert_eq!(dropped(&world) - before.1, FLOOD, "each is counted");
    the_call_goes_on(&mut world, listeners[0]);
}

#[test]
fn a_check_that_is_repeated_ten_thousand_times_is_not_answered_with_more_bytes_than_it_has() {
    let mut world = World::new(2);
    let (_, listeners) = world.talk_with(1);
    let check = overhear(&mut world, is_check);
    let sent = (0..FLOOD).map(|_| answered(&mut world, check.source, &check.payload)).sum::<usize>();
    let came = check.payload.len() * FLOOD as usize;
    assert!(sent <= came, "{sent} bytes for {came}");
    assert_eq!(world.relay.stats().peers, 2);
    the_call_goes_on(&mut world, listeners[0]);
}

#[test]
fn a_handshake_from_an_address_that_ice_does_not_know_is_not_answered_and_its_owner_connects() {
    let mut world = World::new(3);
    let (_, listeners) = world.talk_with(1);
    let late = world.publisher();
    let hello = overhear(&mut world, is_client_hello).payload;
    let before = dropped(&world);
    for _ in 0..100 {
        assert_eq!(answered(&mut world, stranger(), &hello), 0);
    }
    assert_eq!(dropped(&world) - before, 100);
    world.run_until("it connects", |world| world[late].client.connected);
    the_call_goes_on(&mut world, listeners[0]);
}

#[test]
fn a_handshake_that_is_repeated_and_full_of_empty_records_completes() {
    let mut world = World::new(4);
    let (_, listeners) = world.talk_with(1);
    let late = world.publisher();
    let hello = overhear(&mut world, is_client_hello).payload;
    let address = world[late].seen_as;
    let empty = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut sent = 0;
    for _ in 0..100 {
        sent += answered(&mut world, address, &hello) + answered(&mut world, address, &empty);
    }
    let came = 100 * (hello.len() + empty.len());
    assert!(sent < 3 * came, "{sent} bytes for {came} (RFC 9147 5.1)");
    world.run_until("it connects", |world| world[late].client.connected);
    the_call_goes_on(&mut world, listeners[0]);
}

#[test]
fn a_thousand_handshakes_that_are_never_finished_are_given_up_and_counted() {
    let config = RelayConfig { max_peers: 2_000, max_streams: 2_000, ..RelayConfig::default() };
    let mut world = World::with_config(5, config);
    let (_, listeners) = world.talk_with(1);
    for _ in 0..1_000 {
        let who = world.publisher();
        let address = world[who].seen_as;
        overhear(&mut world, |datagram| datagram.source == address && is_client_hello(datagram));
        world[who].cut_off = true;
    }
    assert_eq!(world.relay.stats().peers, 1_002);
    the_call_goes_on(&mut world, listeners[0]);
    world.run_for(CONNECT_TIMEOUT + Duration::from_secs(1));
    let after = world.relay.stats();
    assert_eq!((after.peers, after.joins_failed), (2, 1_000));
    assert_eq!(world.close_reason(Who(500)), Some(CloseReason::ConnectTimeout));
    the_call_goes_on(&mut world, listeners[0]);
}
