//! One receiver: its peer connection, and what it hears.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::crowd::Group;
use super::hearing::{PacketFate, RtpHeader, StreamHearing};
use super::meter::Meter;
use super::peer::{ClientPeer, PeerOutput};
use super::voice::{SentLog, number_in};

/// What came of one act of a receiver, until it is accounted for.
#[derive(Default)]
pub(crate) struct ReceiverOutput {
    pub(crate) outcome: PeerOutput,
    /// The RTP packet that was fed, if it was one, and when it came.
    fed: Option<(RtpHeader, Instant)>,
}

/// Whoever listens to one sender.
pub(crate) struct LoadReceiver {
    peer: ClientPeer,
    hearing: StreamHearing,
    log: Arc<SentLog>,
    pub(crate) group: Group,
    asked: Instant,
    /// Every packet, or the next one only.
    decrypts_all: bool,
    pub(crate) decrypts_next: bool,
    /// Why nothing more will come.
    pub(crate) over: Option<String>,
}

impl LoadReceiver {
    /// Of a connection that is negotiated; `asked` is when that began.
    pub(crate) fn new(peer: ClientPeer, log: Arc<SentLog>, group: Group, asked: Instant, decrypts_all: bool) -> Self {
        let hearing = StreamHearing::default();
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
    pub(crate) fn hear(&mut self, header: RtpHeader, arrived: Instant, meter: &mut Meter) -> bool {
        if !self.hearing.is_anchored() {
            return false;
        }
        match self.hearing.hear(header) {
            PacketFate::Packet(number) => self.count(number, arrived, meter),
            PacketFate::Again => {
                meter.again += u64::from(self.hearing.number_of(header).is_some_and(|number| self.counts(number)));
                return true;
            }
            PacketFate::Strange => meter.corrupt += 1,
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
        header: Option<RtpHeader>,
        arrived: Instant,
        now: Instant,
        effect: &mut ReceiverOutput,
    ) {
        effect.fed = header.map(|header| (header, arrived));
        self.peer.receive(source, datagram, now, &mut effect.outcome);
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, now: Instant, effect: &mut ReceiverOutput) {
        self.peer.advance(now, &mut effect.outcome);
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, effect: &mut ReceiverOutput) {
        self.peer.close(&mut effect.outcome);
        effect.outcome.over = None;
    }

    /// Accounts for what an act led to; its datagrams are left to be sent.
    pub(crate) fn account(&mut self, effect: &mut ReceiverOutput, meter: &mut Meter) {
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
    fn begin(&mut self, header: RtpHeader, number: u64, arrived: Instant, meter: &mut Meter) {
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
mod tests;
