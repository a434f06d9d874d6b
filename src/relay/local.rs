//! Senders on this very machine, such as its own microphone: no session, no peer, packets as they are.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::{LiveStream, StreamId};

use super::Relay;
use super::forwarding::Packet;
use super::timeline::Numbered;

/// Packets of local senders carry no SSRC on any wire; their streams never change it.
const SSRC: u32 = 0;

/// An Opus packet of a local sender.
#[derive(Debug, Clone)]
pub struct LocalPacket {
    /// Of its first sample, at 48 kHz.
    pub timestamp: u64,
    /// How loud it is, in dBov (RFC 6464).
    pub level: i8,
    /// The Opus packet.
    pub payload: Arc<[u8]>,
}

/// What is known of a local sender.
#[derive(Debug)]
pub(super) struct Local {
    next_sequence: u64,
    last_packet: Instant,
}

/// `limits.streams` are being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The relay is full: {0} streams at once")]
pub struct TooManyStreams(pub usize);

impl Relay {
    /// Takes a packet of a local sender; the first one begins its stream. A sender of whom nothing comes
    /// for [`publisher_timeout`](super::RelayConfig::publisher_timeout) has ended it, and may begin it again.
    /// So does one that goes to another room: its words are not heard where it was any more.
    ///
    /// # Errors
    /// When there is no room for another stream; nothing has changed then.
    pub fn feed(
        &mut self,
        now: Instant,
        feeds: impl Into<LiveStream>,
        packet: LocalPacket,
    ) -> Result<(), TooManyStreams> {
        self.now = now;
        let feeds = feeds.into();
        let stream = feeds.id;
        if self.streams.get(&stream).is_some_and(|known| known.heard() != feeds) {
            self.end_local(now, stream);
        }
        if !self.streams.contains_key(&stream) && self.streams.len() >= self.config.max_streams {
            return Err(TooManyStreams(self.config.max_streams));
        }
        let local = self.locals.entry(stream).or_insert(Local { next_sequence: 0, last_packet: now });
        let sequence = local.next_sequence;
        local.next_sequence += 1;
        local.last_packet = now;
        let numbered = Numbered { ssrc: SSRC.into(), sequence, timestamp: packet.timestamp };
        let LocalPacket { level, payload, .. } = packet;
        self.ingest(
            feeds,
            None,
            numbered,
            Packet { payload, level: Some(level), voice: None, marker: false, arrived: now },
        );
        Ok(())
    }

    /// Ends a local sender's stream, if it has one.
    pub fn end_local(&mut self, now: Instant, stream: StreamId) {
        self.now = now;
        self.silenced.remove(&stream);
        if self.locals.remove(&stream).is_some() {
            self.end_stream(stream);
        }
    }

    /// When the first of the local senders will have vanished.
    pub(super) fn locals_deadline(&self) -> Option<Instant> {
        self.locals.values().map(|local| local.last_packet + self.config.publisher_timeout).min()
    }

    /// Ends the streams of local senders that have vanished.
    pub(super) fn wake_locals(&mut self) {
        let (now, timeout) = (self.now, self.config.publisher_timeout);
        let vanished = self.locals.iter().filter(|(_, local)| now >= local.last_packet + timeout);
        for stream in vanished.map(|(stream, _)| *stream).collect::<Vec<_>>() {
            self.end_local(now, stream);
        }
    }
}
