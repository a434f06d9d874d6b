//! Several relays as one: the first has all senders and rooms, and its branches have nothing but receivers of streams.
//! Each packet crosses once to every branch, which seals it for its own receivers: so that several processors can.

use std::time::Instant;

use crate::domain::{LiveStream, StreamId};

use super::forwarding::Packet;
use super::timeline::{Numbered, Position};
use super::{Event, Output, Relay};

/// The packets that cross have no SSRC; their numbers are those of the stream already.
const SSRC: u32 = 0;

/// A packet on its way to a branch.
#[derive(Debug, Clone)]
pub struct Branched {
    stream: LiveStream,
    place: Position,
    packet: Packet,
}

impl Relay {
    /// Takes a packet that another relay [gave away](Event::Branched); the first one makes its stream available here.
    pub fn graft(&mut self, now: Instant, branched: Branched) {
        self.now = now;
        let Branched { stream, place: Position { sequence, timestamp }, packet } = branched;
        self.ingest(stream, None, Numbered { ssrc: SSRC.into(), sequence, timestamp }, packet);
    }

    /// The other relay's stream is over.
    pub fn prune(&mut self, now: Instant, stream: StreamId) {
        self.now = now;
        self.end_stream(stream);
    }

    /// Whether senders are elsewhere.
    pub fn is_branch(&self) -> bool {
        self.config.thread > 0
    }

    /// Gives a packet to the branches, if there are any.
    pub(super) fn branch(&mut self, stream: LiveStream, place: Position, packet: &Packet) {
        if self.config.threads > 1 && !self.is_branch() {
            let branched = Branched { stream, place, packet: packet.clone() };
            self.outbox.push_back(Output::Event(Event::Branched(branched)));
        }
    }
}
