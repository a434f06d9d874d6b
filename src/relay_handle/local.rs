//! The door for senders on this machine, which have no connection.

use crate::domain::{LiveStream, RoomId};
use crate::relay::LocalPacket;

use super::RelayHandle;

/// A sender on this machine; see [`Relay::feed`](crate::relay::Relay::feed). Its stream ends with it.
pub struct LocalSender {
    pub(super) relay: RelayHandle,
    pub(super) feeds: LiveStream,
    pub(super) name: String,
}

impl LocalSender {
    /// Is heard in this room from the next packet on.
    pub fn turn_to(&mut self, room: RoomId) {
        self.feeds.room = room;
    }

    /// Sends a packet without waiting, from any thread. False: the media thread is too busy, or gone.
    pub fn send(&self, packet: LocalPacket) -> bool {
        let (feeds, name) = (self.feeds, self.name.clone());
        self.relay.threads.first().try_tell(move |media, now| match media.relay.feed(now, feeds, packet) {
            Ok(()) => media.name(feeds.id, &name),
            Err(error) => tracing::debug!(%error, "a packet of this machine's own sender is dropped"),
        })
    }
}

impl Drop for LocalSender {
    fn drop(&mut self) {
        let stream = self.feeds.id;
        // Where the media thread is gone, so is the stream; where it is too busy, the stream ends by its silence.
        let _ = self.relay.threads.first().try_tell(move |media, now| media.relay.end_local(now, stream));
    }
}
