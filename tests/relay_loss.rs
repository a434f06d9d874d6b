//! Receivers that lose packets, and are sent them again.

mod support;

use std::collections::HashSet;
use std::time::Duration;

use support::client::Received;
use support::network::Conditions;
use support::world::{Who, World};

/// Share of a minute's packets that a receiver lacks for good, where so many are lost each way.
fn missing(seed: u64, loss: f64, asks_again: bool) -> (f64, World, Who) {
    let mut world = World::new(seed);
    let (speaker, listeners) = world.talk_with(1);
    let listener = listeners[0];
    world[listener].client.asks_again = asks_again;
    world[listener].conditions = Conditions { loss, ..Conditions::LAN };
    let before = world[speaker].client.sent;
    world.run_for(Duration::from_secs(60));
    let sent = world[speaker].client.sent - before;
    world[listener].conditions = Conditions::LAN;
    world.run_for(Duration::from_secs(1));
    let received: HashSet<_> = world[listener].client.received.iter().map(Received::number).collect();
    let missing = (before..before + sent).filter(|number| !received.contains(number)).count();
    (missing as f64 / sent as f64, world, listener)
}

#[test]
fn of_ten_lost_packets_nine_are_had_by_asking_again() {
    for (seed, loss) in [(1, 0.05), (2, 0.10)] {
        let (without, ..) = missing(seed, loss, false);
        let (with, world, _) = missing(seed, loss, true);
        println!(
            "lost {:.1} %: lacking {:.2} % without asking, {:.2} % with",
            loss * 100.0,
            without * 100.0,
            with * 100.0
        );
        assert!(without > loss / 2.0, "{without}: the network loses packets");
        assert!(with < without / 10.0, "{with} with, {without} without");
        assert!(world.relay.stats().packets_retransmitted > 0);
    }
}

#[test]
fn what_is_sent_again_comes_once_and_soon() {
    let (_, world, listener) = missing(3, 0.10, true);
    let received = &world[listener].client.received;
    let mut numbers = HashSet::new();
    assert!(received.iter().all(|packet| numbers.insert(packet.number())), "a packet came twice");
    let mut furthest = None;
    for packet in received {
        let late = furthest.filter(|(number, _)| *number > packet.number());
        if let Some((_, at)) = late {
            let after = packet.at.saturating_duration_since(at);
            assert!(after < Duration::from_millis(250), "packet {} came {after:?} after a later one", packet.number());
        }
        if late.is_none() {
            furthest = Some((packet.number(), packet.at));
        }
    }
}

#[test]
fn who_never_asks_is_sent_nothing_again() {
    let (_, world, _) = missing(4, 0.05, false);
    let stats = world.relay.stats();
    assert_eq!((stats.packets_retransmitted, stats.retransmissions_refused), (0, 0));
}
