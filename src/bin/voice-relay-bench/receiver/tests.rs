//! What a receiver of the load generator makes of packets.

use std::time::Duration;

use str0m::media::Direction;

use super::*;
use crate::peer::certificate;
use crate::voice::{PTIME, SAMPLES_PER_PACKET, payload};

/// A sender and a receiver without a relay between them, and a network without delay.
struct Pair {
    sender: ClientPeer,
    receiver: LoadReceiver,
    meter: Meter,
    now: Instant,
    said: u64,
}

const ADDRESSES: [&str; 2] = ["127.0.0.1:1", "127.0.0.1:2"];

impl Pair {
    fn connected() -> Self {
        let now = Instant::now();
        let [ours, theirs] = ADDRESSES.map(|address| address.parse::<SocketAddr>().expect("an address"));
        let (mut sender, mut hearer) =
            (ClientPeer::new(ours, &certificate(), now), ClientPeer::new(theirs, &certificate(), now));
        let answer = hearer.accept_offer(&sender.offer(Direction::SendOnly), ours.ip()).expect("an answer");
        sender.accept_answer(&answer, theirs.ip()).expect("its answer");
        let log = Arc::new(SentLog::new(0, now));
        let receiver = LoadReceiver::new(hearer, log, Group::Standing, now, true);
        let mut pair = Self { sender, receiver, meter: Meter::default(), now, said: 0 };
        let mut connected = false;
        while !connected {
            pair.now += Duration::from_millis(5);
            connected = pair.step(None);
            assert!(pair.now - now < Duration::from_secs(10), "they do not connect");
        }
        pair
    }

    /// Lets the sender say this, and all datagrams come; tells whether it got connected.
    fn step(&mut self, said: Option<&[u8]>) -> bool {
        let [ours, theirs] = ADDRESSES.map(|address| address.parse::<SocketAddr>().expect("an address"));
        let (mut out, mut effect, now) = (PeerOutput::default(), ReceiverOutput::default(), self.now);
        if let Some(said) = said {
            self.receiver.log.note(self.said, now);
            let timestamp = self.said as u32 * SAMPLES_PER_PACKET;
            self.sender.send(self.said, timestamp, said.to_vec(), now, &mut out);
            self.said += 1;
        }
        self.sender.advance(now, &mut out);
        self.receiver.advance(now, &mut effect);
        loop {
            for (_, datagram) in std::mem::take(&mut out.transmits) {
                let header = RtpHeader::read(&datagram);
                if !header.is_some_and(|header| self.receiver.hear(header, now, &mut self.meter)) {
                    self.receiver.receive(ours, &datagram, header, now, now, &mut effect);
                    self.receiver.account(&mut effect, &mut self.meter);
                }
            }
            let replies = std::mem::take(&mut effect.outcome.transmits);
            if replies.is_empty() {
                return out.connected;
            }
            for (_, datagram) in replies {
                self.sender.receive(theirs, &datagram, now, &mut out);
            }
        }
    }

    fn say(&mut self, said: &[u8]) {
        self.now += PTIME;
        self.step(Some(said));
    }
}

#[test]
fn what_was_said_is_proved_and_anything_else_is_corrupt() {
    let mut pair = Pair::connected();
    pair.say(&payload(0, 0));
    pair.receiver.log.open_window();
    for number in 1..5 {
        pair.say(&payload(number, 0));
    }
    assert_eq!((pair.meter.proved, pair.meter.corrupt), (4, 0));
    pair.say(&payload(6, 0));
    pair.say(&payload(6, 1));
    pair.say(b"noise");
    assert_eq!((pair.meter.proved, pair.meter.corrupt), (4, 3), "another packet, another sender, and neither");
}

#[test]
fn whoever_hears_only_noise_hears_nothing() {
    let mut pair = Pair::connected();
    pair.say(b"noise");
    assert!(!pair.receiver.hears());
    pair.say(&payload(1, 0));
    assert!(pair.receiver.hears());
}

#[test]
fn most_receivers_decrypt_only_when_they_are_asked_to() {
    let mut pair = Pair::connected();
    pair.receiver.decrypts_all = false;
    for number in 0..10 {
        pair.receiver.decrypts_next = number == 7;
        pair.say(&payload(number, 0));
    }
    assert_eq!((pair.meter.proved, pair.meter.corrupt), (1, 0));
}

#[test]
fn all_of_a_window_is_expected_and_what_does_not_come_is_lost() {
    let mut pair = Pair::connected();
    pair.say(&payload(0, 0));
    pair.receiver.log.open_window();
    for number in 1..11 {
        if number == 5 {
            pair.receiver.log.note(number, pair.now);
            pair.said += 1;
        } else {
            pair.say(&payload(number, 0));
        }
    }
    pair.receiver.log.close_window();
    pair.receiver.settle(&mut pair.meter);
    // The packet that may be on its way when the window opens is not counted.
    assert_eq!((pair.meter.expected, pair.meter.heard), (9, 8));
    assert!((pair.meter.loss() - 1.0 / 9.0).abs() < 1e-9);
}
