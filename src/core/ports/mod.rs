//! Ports: ways into and out of the core that are no peers. Senders on this machine and other cores feed tracks here; whoever
//! implements [`Port`] takes packets of tracks without the router knowing what for.

mod pipe;
mod tap;

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::domain::{OpusPacket, RoomId, Track};

use super::Event;
use super::packet::{Packet, Position};

pub use pipe::RemotePacket;

pub(super) use pipe::Pipe;
pub(super) use tap::Tap;

/// Opus packet of a sender on this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LocalPacket {
    /// Timestamp of its first sample, at 48 kHz.
    pub timestamp: u64,
    /// Loudness in dBov (RFC 6464).
    pub level: i8,
    /// The Opus packet.
    pub payload: Arc<[u8]>,
}

/// Consumer of tracks that is no peer: it takes packets as they are, as soon as they have their place.
pub trait Port: Send {
    /// Takes a packet; what it gives is told to whoever holds the core.
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Option<Event>;
}

/// Packet for a [`Port`].
#[derive(Debug)]
pub struct Delivery<'a> {
    /// Track that it is of.
    pub stream: Track,
    pub(super) place: Position,
    pub(super) packet: &'a Packet,
    pub(super) at: Instant,
}

impl Delivery<'_> {
    /// The packet, for consumers of PCM.
    pub fn opus(&self) -> OpusPacket {
        OpusPacket {
            sequence: self.place.sequence,
            timestamp: self.place.timestamp,
            arrival: self.at,
            payload: Arc::clone(&self.packet.payload),
        }
    }
}

/// Tracks that a [`Port`] takes from their first packet on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// None, until it is told of some.
    None,
    /// All of a room.
    Room(RoomId),
    /// All there are.
    All,
}

impl Interest {
    fn includes(self, stream: Track) -> bool {
        match self {
            Self::None => false,
            Self::Room(room) => room == stream.room,
            Self::All => true,
        }
    }
}

/// Place of a [`Port`] at its core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortId(pub(super) usize);

/// Port, and what it takes.
pub(super) struct Attached {
    interest: Interest,
    port: Box<dyn Port>,
}

impl Attached {
    pub(super) fn new(interest: Interest, port: Box<dyn Port>) -> Self {
        Self { interest, port }
    }

    /// Whether it takes this track from its first packet on.
    pub(super) fn wants(&self, stream: Track) -> bool {
        self.interest.includes(stream)
    }

    pub(super) fn deliver(&mut self, delivery: &Delivery<'_>) -> Option<Event> {
        self.port.deliver(delivery)
    }
}
