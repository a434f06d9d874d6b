//! Two cores as one: the first has the senders, the further one is piped their packets, and serves receivers of its own.

mod support;

use std::time::Duration;

use support::client::Received;
use support::world::{Who, World};
use voice_relay::core::{CloseReason, Event, Interest, RelayConfig, STALE_AFTER};
use voice_relay::domain::StreamId;

const FRAME: Duration = Duration::from_millis(20);

/// A house with two media threads.
struct House {
    first: World,
    further: World,
    /// The further one is too busy to be told of the end of streams.
    busy: bool,
}

impl House {
    fn new(seed: u64) -> Self {
        let world = |first_peer| World::with_config(seed, RelayConfig { first_peer, ..RelayConfig::default() });
        let mut house = Self { first: world(0), further: world(1_000_000), busy: false };
        house.first.relay.attach_pipe(Interest::All);
        house
    }

    fn run_for(&mut self, duration: Duration) {
        for _ in 0..duration.as_millis() / FRAME.as_millis() {
            self.first.run_for(FRAME);
            self.cross();
            self.further.run_for(FRAME);
        }
    }

    /// What media threads tell each other.
    fn cross(&mut self) {
        let now = self.further.now;
        for (_, event) in self.first.events.drain(..) {
            match event {
                Event::Piped(_, packet) => self.further.relay.ingest_remote(now, packet),
                Event::StreamEnded(stream) if !self.busy => self.further.relay.end_remote(now, stream.id),
                _ => {}
            }
            self.further.flush();
        }
    }

    /// A sender, a receiver at the first and one at the further one.
    fn talk(&mut self) -> (Who, Who, Who) {
        let sender = self.first.publisher();
        self.run_for(Duration::from_secs(1));
        let stream = self.first[sender].stream;
        assert_eq!((self.first.relay.streams(), self.further.relay.streams()), (vec![stream], vec![stream]));
        let hearers = (self.first.subscriber(stream), self.further.subscriber(stream));
        self.run_for(Duration::from_secs(1));
        (sender, hearers.0, hearers.1)
    }
}

fn payloads(received: &[Received]) -> Vec<&[u8]> {
    received.iter().map(|packet| &*packet.payload).collect()
}

fn assert_goes_on(received: &[Received]) {
    for pair in received.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        assert!(pair[1].timestamp > pair[0].timestamp);
    }
}

#[test]
fn receivers_at_a_further_core_hear_every_packet_as_those_at_the_first_do() {
    let mut house = House::new(1);
    let (_, near, far) = house.talk();
    house.run_for(Duration::from_secs(4));
    let (near, far) = (&house.first[near].client.received, &house.further[far].client.received);
    assert!(far.len() > 200, "{}", far.len());
    assert_goes_on(far);
    // They joined at one moment; a packet may have been under way.
    let common = near.len().min(far.len()) - 2;
    assert_eq!(
        payloads(&near[near.len() - 1 - common..][..common]),
        payloads(&far[far.len() - 1 - common..][..common])
    );
    assert_eq!(near.last().map(|packet| packet.audio_level), far.last().map(|packet| packet.audio_level));
}

#[test]
fn a_sender_that_is_replaced_goes_on_at_the_further_core() {
    let mut house = House::new(2);
    let (sender, _, far) = house.talk();
    let stream = house.first[sender].stream;
    house.first.try_publish(stream).expect("taken over");
    house.run_for(Duration::from_secs(2));
    let received = &house.further[far].client.received;
    let latest = received.last().expect("heard").at;
    assert!(house.further.now - latest < Duration::from_millis(100));
    assert_goes_on(received);
}

#[test]
fn the_end_of_a_stream_ends_those_who_hear_it_at_the_further_core() {
    let mut house = House::new(3);
    let (sender, _, far) = house.talk();
    let now = house.first.now;
    let peer = house.first[sender].peer;
    house.first.relay.close(now, peer);
    house.first.flush();
    house.run_for(Duration::from_secs(1));
    assert_eq!(house.further.close_reason(far), Some(CloseReason::StreamEnded));
    let left = house.further.relay.stats();
    assert_eq!((left.peers, left.streams, left.receivers), (0, 0, 0));
}

#[test]
fn a_sender_that_pauses_is_not_over_at_the_further_core() {
    let mut house = House::new(4);
    let (sender, _, far) = house.talk();
    house.first[sender].client.pause();
    house.run_for(Duration::from_secs(60));
    assert_eq!(house.further.close_reason(far), None);
    house.first.say(sender, -20);
    house.run_for(Duration::from_secs(1));
    let latest = house.further[far].client.received.last().expect("heard").at;
    assert!(house.further.now - latest < Duration::from_millis(100), "it is heard again");
}

#[test]
fn a_stream_of_whose_end_a_further_core_was_not_told_is_cleaned_up() {
    let mut house = House::new(5);
    let (sender, _, far) = house.talk();
    house.busy = true;
    let (now, peer) = (house.first.now, house.first[sender].peer);
    house.first.relay.close(now, peer);
    house.first.flush();
    house.run_for(Duration::from_secs(500));
    assert_eq!(house.further.relay.streams().len(), 1);
    house.run_for(Duration::from_secs(500));
    assert_eq!(house.further.relay.streams().len(), 0);
    assert_eq!(house.further.close_reason(far), Some(CloseReason::StreamEnded));
}

#[test]
fn no_two_peers_of_one_house_have_the_same_name() {
    let mut house = House::new(6);
    let (sender, near, far) = house.talk();
    let stream = house.first[sender].stream;
    let further = [house.first.subscriber(stream), house.first.subscriber(stream)];
    let first: Vec<_> = [sender, near].iter().chain(&further).map(|who| house.first[*who].peer.0).collect();
    let further = [far, house.further.subscriber(stream)].map(|who| house.further[who].peer.0);
    assert_eq!(first, [0, 1, 2, 3]);
    assert_eq!(further, [1_000_000, 1_000_001]);
}

#[test]
fn what_further_cores_count_is_added_but_for_the_streams() {
    let mut house = House::new(7);
    house.talk();
    let (first, further) = (house.first.relay.stats(), house.further.relay.stats());
    let mut sum = first.clone();
    sum.add_remote(&further);
    assert_eq!((sum.peers, sum.receivers, sum.streams), (3, 2, 1));
    assert_eq!(sum.packets_in, first.packets_in);
    assert_eq!(sum.packets_forwarded, first.packets_forwarded + further.packets_forwarded);
    assert!(further.packets_forwarded > 0 && sum.join_duration.count() == 3);
}

#[test]
fn a_relay_without_further_cores_gives_no_packets_away() {
    let mut world = World::new(8);
    world.talk_with(1);
    let given: Vec<_> = world
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Piped(_, packet) => Some(packet),
            _ => None,
        })
        .collect();
    assert!(given.is_empty());
}

/// The last thing that a world was told of whether this stream is wanted there.
fn wanted(world: &World, stream: StreamId) -> Vec<bool> {
    let told = world.events.iter().filter_map(|(_, event)| match event {
        Event::Wanted(of, wanted) if *of == stream => Some(*wanted),
        _ => None,
    });
    told.collect()
}

fn piped(world: &World) -> usize {
    world.events.iter().filter(|(_, event)| matches!(event, Event::Piped(..))).count()
}

#[test]
fn packets_cross_only_while_somebody_over_there_hears_them() {
    let (mut first, mut further) = (World::new(7), World::new(8));
    let pipe = first.relay.attach_pipe(Interest::None);
    let sender = first.publisher();
    first.run_until("it is live", |world| !world.relay.streams().is_empty());
    let stream = first[sender].stream;
    further.relay.begin_remote(further.now, stream.into());
    further.run_for(STALE_AFTER * 2);
    assert_eq!(further.relay.streams(), [stream], "it is not over because nobody wants it");
    first.run_for(Duration::from_secs(1));
    assert_eq!((piped(&first), wanted(&further, stream)), (0, vec![]));

    let listeners = [further.subscriber(stream), further.subscriber(stream)];
    assert_eq!(wanted(&further, stream), [true], "once, however many hear it");
    assert!(first.relay.set_interest(pipe, stream, true));
    first.run_for(Duration::from_secs(1));
    assert_eq!(piped(&first), 50);

    for listener in listeners {
        let (now, peer) = (further.now, further[listener].peer);
        further.relay.close(now, peer);
        further.flush();
    }
    assert_eq!(wanted(&further, stream), [true, false]);
}

#[test]
fn whoever_hears_a_stream_of_another_core_that_ends_wants_it_no_more() {
    let mut further = World::new(9);
    let stream = StreamId::of_connection(uuid::Uuid::from_u128(9));
    further.relay.begin_remote(further.now, stream.into());
    let listener = further.subscriber(stream);
    let now = further.now;
    further.relay.end_remote(now, stream);
    further.flush();
    assert_eq!(wanted(&further, stream), [true, false]);
    assert_eq!(further.close_reason(listener), Some(CloseReason::StreamEnded));
}
