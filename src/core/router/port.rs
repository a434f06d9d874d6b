//! Ports as consumers: what each takes is looked up when a track begins, and not for every packet.

use crate::domain::StreamId;

use super::Router;
use crate::core::ports::{Attached, Interest, Port, PortId};

impl Router {
    /// Place of the port that is attached next.
    pub(in crate::core) fn next_port(&self) -> PortId {
        PortId(self.ports.vacant_key())
    }

    /// A port takes what it is interested in from now on.
    pub(in crate::core) fn attach_port(&mut self, interest: Interest, port: Box<dyn Port>) -> PortId {
        let attached = Attached::new(interest, port);
        let key = self.ports.vacant_key();
        for track in self.tracks.values_mut().filter(|track| attached.wants(track.stream)) {
            track.ports.push(key);
        }
        PortId(self.ports.insert(attached))
    }

    /// Whether a port takes this track. False when it is not live.
    pub(in crate::core) fn set_port_interest(&mut self, PortId(key): PortId, id: StreamId, interested: bool) -> bool {
        let Some(track) = self.tracks.get_mut(&id) else { return false };
        track.ports.retain(|port| *port != key);
        if interested {
            track.ports.push(key);
        }
        true
    }

    /// A port takes nothing any more.
    pub(in crate::core) fn detach_port(&mut self, PortId(key): PortId) {
        if self.ports.try_remove(key).is_some() {
            self.tracks.values_mut().for_each(|track| track.ports.retain(|port| *port != key));
        }
    }
}
