//! The door for senders on this machine, which have no connection.

use crate::access::{Action, Permit};
use crate::domain::{LiveStream, StreamId};
use crate::relay::LocalPacket;

use super::RelayHandle;

/// A sender on this machine; see [`Relay::feed`](crate::relay::Relay::feed). Its stream ends with it.
pub struct LocalSender {
    pub(super) relay: RelayHandle,
    pub(super) permit: Permit,
    pub(super) stream: StreamId,
    pub(super) name: String,
}

impl LocalSender {
    /// Is heard where this permits, from the next packet on.
    pub fn turn_to(&mut self, permit: Permit) {
        self.permit = permit;
    }

    /// Whether it may be heard, there where it is.
    pub fn is_permitted(&self) -> bool {
        self.permit.permits(Action::Talk) || self.permit.permits(Action::Announce)
    }

    /// Sends a packet without waiting, from any thread. False: it is not permitted any more, or the media thread is too
    /// busy, or gone.
    pub fn send(&self, packet: LocalPacket) -> bool {
        let Some(room) = self.permit.room().filter(|_| self.is_permitted()) else { return false };
        let feeds = LiveStream { id: self.stream, room, music: false };
        let (grant, name) = (self.permit.id(), self.name.clone());
        self.relay.threads.first().try_tell(move |media, now| {
            media.senders.insert(feeds.id, grant);
            match media.relay.feed(now, feeds, packet) {
                Ok(()) => media.name(feeds.id, &name),
                Err(error) => tracing::debug!(%error, "a packet of this machine's own sender is dropped"),
            }
        })
    }
}

impl Drop for LocalSender {
    fn drop(&mut self) {
        let stream = self.stream;
        // Where the media thread is gone, so is the stream; where it is too busy, the stream ends by its silence.
        let _ = self.relay.threads.first().try_tell(move |media, now| media.relay.end_local(now, stream));
    }
}
