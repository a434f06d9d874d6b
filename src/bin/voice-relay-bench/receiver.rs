//! One receiver: its peer connection, and what it hears.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::crowd::Group;
use super::hearing::{Header, Heard, Hearing};
use super::meter::Meter;
use super::peer::{Outcome, Peer};
use super::voice::{SentLog, number_in};

/// What came of one act of a receiver, until it is accounted for.
#[derive(Default)]
pub(crate) struct Effect {
    pub(crate) outcome: Outcome,
    /// The RTP packet that was fed, if it was one, and when it came.
    fed: Option<(Header, Instant)>,
}

/// Whoever listens to one sender.
pub(crate) struct Receiver {
    peer: Peer,
    hearing: Hearing,
    log: Arc<SentLog>,
    pub(crate) group: Group,
    asked: Instant,
    /// Every packet, or the next one only.
    decrypts_all: bool,
    pub(crate) decrypts_next: bool,
    /// Why nothing more will come.
    pub(crate) over: Option<String>,
}

impl Receiver {
    /// Of a connection that is negotiated; `asked` is when that began.
    pub(crate) fn new(peer: Peer, log: Arc<SentLog>, group: Group, asked: Instant, decrypts_all: bool) -> Self {
        let hearing = Hearing::default();
        Self { peer, hearing, log, group, asked, decrypts_all, decrypts_next: false, over: None }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.peer.deadline
    }

    /// Whether it has heard something, and will hear more.
    pub(crate) fn hears(&self) -> bool {
        self.hearing.is_anchored() && self.over.is_none()
    }

    /// Forgets what it counted.
    pub(crate) fn count_anew(&mut self) {
        self.hearing.counted = 0;
    }

    /// Takes note of a packet; false when the session is to see it as well.
    pub(crate) fn hear(&mut self, header: Header, arrived: Instant, meter: &mut Meter) -> bool {
        if !self.hearing.is_anchored() {
            return false;
        }
        match self.hearing.hear(header) {
            Heard::Packet(number) => self.count(number, arrived, meter),
            Heard::Again => {
                meter.again += u64::from(self.hearing.number_of(header).is_some_and(|number| self.counts(number)));
                return true;
            }
            Heard::Strange => meter.corrupt += 1,
        }
        !(self.decrypts_all || std::mem::take(&mut self.decrypts_next))
    }

    /// Whether it is of the window.
    fn counts(&self, number: u64) -> bool {
        let (from, to) = self.log.window();
        (from..to).contains(&number)
    }

    fn count(&mut self, number: u64, arrived: Instant, meter: &mut Meter) {
        if self.counts(number) {
            self.hearing.counted += 1;
            if let Some(sent) = self.log.time_of(number) {
                meter.delay.note(arrived.saturating_duration_since(sent));
            }
        }
    }

    /// Feeds the session; `header` is that of an RTP packet.
    pub(crate) fn receive(
        &mut self,
        source: SocketAddr,
        datagram: &[u8],
        header: Option<Header>,
        arrived: Instant,
        now: Instant,
        effect: &mut Effect,
    ) {
        effect.fed = header.map(|header| (header, arrived));
        self.peer.receive(source, datagram, now, &mut effect.outcome);
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, now: Instant, effect: &mut Effect) {
        self.peer.advance(now, &mut effect.outcome);
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, effect: &mut Effect) {
        self.peer.close(&mut effect.outcome);
        effect.outcome.over = None;
    }

    /// Accounts for what an act led to; its datagrams are left to be sent.
    pub(crate) fn account(&mut self, effect: &mut Effect, meter: &mut Meter) {
        if let Some(reason) = effect.outcome.over.take()
            && self.over.is_none()
        {
            meter.ended += 1;
            self.over = Some(reason);
        }
        let fed = effect.fed.take();
        let Some((header, arrived)) = fed else { return };
        let number = effect.outcome.packets.drain(..).find_map(|packet| number_in(&packet.payload, self.log.sender));
        match (number, self.hearing.is_anchored()) {
            (Some(number), false) => self.begin(header, number, arrived, meter),
            (None, false) => {}
            (Some(number), true) if self.hearing.number_of(header) == Some(number) => meter.proved += 1,
            (_, true) => meter.corrupt += 1,
        }
    }

    /// The first packet is there.
    fn begin(&mut self, header: Header, number: u64, arrived: Instant, meter: &mut Meter) {
        self.hearing.anchor(header, number);
        self.peer.never_ask_again(header.ssrc.into());
        meter.join.note(arrived.saturating_duration_since(self.asked));
        self.count(number, arrived, meter);
    }

    /// What it was to hear in the window, and heard.
    pub(crate) fn settle(&self, meter: &mut Meter) {
        self.settle_until(self.log.window().1, meter);
    }

    /// The same, for one that leaves before the window closes.
    pub(crate) fn settle_early(&self, meter: &mut Meter) {
        self.settle_until(self.log.window().1.min(self.hearing.next()), meter);
    }

    fn settle_until(&self, to: u64, meter: &mut Meter) {
        meter.expected += self.hearing.expected((self.log.window().0, to));
        meter.heard += self.hearing.counted;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use str0m::media::Direction;

    use super::*;
    use crate::peer::certificate;
    use crate::voice::{PTIME, SAMPLES_PER_PACKET, payload};

    /// A sender and a receiver without a relay between them, and a network without delay.
    struct Pair {
        sender: Peer,
        receiver: Receiver,
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
                (Peer::new(ours, &certificate(), now), Peer::new(theirs, &certificate(), now));
            let answer = hearer.accept_offer(&sender.offer(Direction::SendOnly), ours.ip()).expect("an answer");
            sender.accept_answer(&answer, theirs.ip()).expect("its answer");
            let log = Arc::new(SentLog::new(0, now));
            let receiver = Receiver::new(hearer, log, Group::Standing, now, true);
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
            let (mut out, mut effect, now) = (Outcome::default(), Effect::default(), self.now);
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
                    let header = Header::read(&datagram);
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
}
