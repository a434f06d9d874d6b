//! Pipes: packets for another core, which has consumers of its own for them. Each crosses once, and is sealed over there
//! for everybody: so that several processors can.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::Track;

use super::{Delivery, Port, PortId};
use crate::core::Event;
use crate::core::packet::{Packet, Position};

/// Packet on its way to another core, with its place in its track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemotePacket {
    pub(in crate::core) stream: Track,
    pub(in crate::core) place: Position,
    pub(in crate::core) payload: Arc<[u8]>,
    pub(in crate::core) level: Option<i8>,
    pub(in crate::core) voice: Option<bool>,
    pub(in crate::core) marker: bool,
}

impl RemotePacket {
    /// Track that it is of.
    pub fn stream(&self) -> Track {
        self.stream
    }
}

/// Port that tells of each packet as [`Event::Piped`], under its own name.
pub(in crate::core) struct Pipe(pub(in crate::core) PortId);

impl Port for Pipe {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Option<Event> {
        let Delivery { stream, place, packet, .. } = *delivery;
        let Packet { payload, level, voice, marker, .. } = packet.clone();
        Some(Event::Piped(self.0, RemotePacket { stream, place, payload, level, voice, marker }))
    }
}
