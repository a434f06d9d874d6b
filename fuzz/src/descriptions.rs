//! SDP as it comes from clients: offers, answers and candidates, through the relay.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use uuid::Uuid;
use voice_relay::core::{LocalPacket, Relay, RelayConfig, Role};
use voice_relay::domain::{PeerId, StreamId};

/// Stands for the m-line id of our offer, which is rolled anew for each.
const MID: &str = "{mid}";

/// Senders: one on this machine, whom others can hear, and one that offers.
const HEARD: StreamId = StreamId::of_connection(Uuid::from_u128(1));
const OFFERED: StreamId = StreamId::of_connection(Uuid::from_u128(2));

thread_local! {
    /// Made once: its certificate takes longer to make than all the rest.
    static RELAY: RefCell<Stage> = RefCell::new(Stage::new());
}

/// The first byte says what the rest is: an offer, an offer twice, an answer, or a candidate.
pub fn descriptions(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    RELAY.with_borrow_mut(|stage| match kind % 4 {
        0 => stage.offer(&text, 1),
        1 => stage.offer(&text, 2),
        2 => stage.answer(&text),
        _ => stage.candidate(&text),
    });
}

struct Stage {
    relay: Relay,
    now: Instant,
}

impl Stage {
    fn new() -> Self {
        let now = Instant::now();
        let addresses = vec![SocketAddr::from(([192, 168, 1, 2], 8082)), SocketAddr::from(([127, 0, 0, 1], 8082))];
        Self { relay: Relay::new(RelayConfig { addresses, ..RelayConfig::default() }, now), now }
    }

    /// Answered or refused; the same offer again renews the connection.
    fn offer(&mut self, offer: &str, times: usize) {
        let answers =
            (0..times).filter_map(|_| self.relay.accept(self.now, Role::Publish(OFFERED.into()), offer, true).ok());
        if let Some(accepted) = answers.last() {
            assert!(accepted.answer.starts_with("v=0\r\n"));
            self.close(accepted.peer);
        }
    }

    fn answer(&mut self, answer: &str) {
        let (peer, offer) = self.subscribe();
        let mid = offer.lines().find_map(|line| line.strip_prefix("a=mid:")).expect("an offer has a mid");
        let _ = self.relay.answer(self.now, peer, &answer.replace(MID, mid));
        self.close(peer);
    }

    fn candidate(&mut self, candidate: &str) {
        let (peer, _) = self.subscribe();
        self.relay.add_candidate(self.now, peer, candidate);
        self.close(peer);
    }

    fn subscribe(&mut self) -> (PeerId, String) {
        let packet = LocalPacket { timestamp: 0, level: -30, payload: [0xfc].into() };
        self.relay.feed(self.now, HEARD, packet).expect("room for one");
        let subscribed = self.relay.subscribe(self.now, Some(HEARD), true).expect("somebody speaks");
        (subscribed.peer, subscribed.offer)
    }

    /// Nothing of it stays.
    fn close(&mut self, peer: PeerId) {
        self.relay.close(self.now, peer);
        self.relay.end_local(self.now, HEARD);
        while self.relay.poll().is_some() {}
        let left = self.relay.stats();
        assert_eq!((left.peers, left.streams, left.peer_panics), (0, 0, 0));
        self.now += Duration::from_millis(1);
    }
}
