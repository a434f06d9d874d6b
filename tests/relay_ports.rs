//! Consumers that are no peers, of a kind that the core does not know: whoever writes one needs no more than this.

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::world::World;
use voice_relay::core::{Delivery, Event, Interest, Port};
use voice_relay::domain::RoomId;

/// Counts the packets that it is given.
#[derive(Default, Clone)]
struct Counter(Arc<AtomicUsize>);

impl Port for Counter {
    fn deliver(&mut self, _: &Delivery<'_>) -> Option<Event> {
        self.0.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl Counter {
    /// How many packets come while half a second passes: 25 of each who talks.
    fn counts(&self, world: &mut World) -> usize {
        let before = self.0.load(Ordering::Relaxed);
        world.run_for(Duration::from_millis(500));
        self.0.load(Ordering::Relaxed) - before
    }
}

#[test]
fn a_port_takes_all_streams_of_a_room_from_their_first_packet_on() {
    let mut world = World::new(1);
    let counter = Counter::default();
    world.relay.attach(Interest::Room(RoomId(1)), Box::new(counter.clone()));
    let (host, _) = world.broadcast_to(1);
    let at_home = world.publisher();
    world.run_for(Duration::from_secs(1));
    assert_eq!(counter.counts(&mut world), 25, "of the host alone");
    let stats = world.relay.stats();
    assert!(stats.packets_in > counter.0.load(Ordering::Relaxed) as u64, "somebody talks at home as well");
    assert_ne!(world[host].stream, world[at_home].stream);
}

#[test]
fn a_port_takes_one_stream_for_as_long_as_it_wants() {
    let mut world = World::new(2);
    let counter = Counter::default();
    let port = world.relay.attach(Interest::None, Box::new(counter.clone()));
    let (speaker, _) = world.talk_with(1);
    assert_eq!(counter.counts(&mut world), 0, "it has asked for nothing");
    let stream = world[speaker].stream;
    assert!(world.relay.set_interest(port, stream, true));
    assert!(world.relay.set_interest(port, stream, true), "asking twice is asking once");
    assert_eq!(counter.counts(&mut world), 25);
    assert!(world.relay.set_interest(port, stream, false));
    assert_eq!(counter.counts(&mut world), 0);
}

#[test]
fn a_port_that_was_detached_takes_nothing_and_its_place_is_for_another() {
    let mut world = World::new(3);
    let (former, next) = (Counter::default(), Counter::default());
    let port = world.relay.attach(Interest::All, Box::new(former.clone()));
    world.talk_with(1);
    assert_eq!(former.counts(&mut world), 25);
    world.relay.detach(port);
    world.relay.attach(Interest::None, Box::new(next.clone()));
    assert_eq!((former.counts(&mut world), next.counts(&mut world)), (0, 0));
}
