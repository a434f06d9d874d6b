//! Pipes: packets for another core, which has consumers of its own for them. Each crosses once, and is sealed over there
//! for everybody: so that several processors can.

use crate::domain::LiveStream;

use super::{Delivery, Port};
use crate::core::Event;
use crate::core::packet::{Packet, Position};

/// Packet on its way to another core.
#[derive(Debug, Clone)]
pub struct RemotePacket {
    pub(in crate::core) stream: LiveStream,
    pub(in crate::core) place: Position,
    pub(in crate::core) packet: Packet,
}

/// Port that tells of each packet as [`Event::Piped`].
pub(in crate::core) struct Pipe;

impl Port for Pipe {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Option<Event> {
        let Delivery { stream, place, packet, .. } = *delivery;
        Some(Event::Piped(RemotePacket { stream, place, packet: packet.clone() }))
    }
}
