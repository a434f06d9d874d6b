//! The door for senders on this machine, which have no connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::access::{Action, Permit};
use crate::core::{LocalPacket, TooManyStreams};
use crate::domain::{LiveStream, StreamId};

use super::RelayHandle;

/// A sender on this machine; see [`Relay::feed`](crate::core::Relay::feed). Its stream ends with it.
pub struct LocalSender {
    pub(super) relay: RelayHandle,
    pub(super) permit: Permit,
    pub(super) stream: StreamId,
    pub(super) name: String,
    pub(super) sent: AtomicU64,
    pub(super) fate: Arc<Fate>,
}

/// What became of the packets, as the media thread tells it.
#[derive(Debug, Default)]
pub(super) struct Fate {
    taken: AtomicU64,
    /// How many streams there were when the first was refused, of as many as there may be.
    refused: std::sync::OnceLock<TooManyStreams>,
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

    /// Why its packets are not taken: there is no place for its stream.
    pub fn refusal(&self) -> Option<TooManyStreams> {
        self.fate.refused.get().copied()
    }

    /// Whether the media thread has taken every packet that was sent.
    pub fn has_all_arrived(&self) -> bool {
        self.fate.taken.load(Ordering::Relaxed) == self.sent.load(Ordering::Relaxed)
    }

    /// Sends a packet without waiting, from any thread. False: it is not permitted any more, or the media thread is too
    /// busy, or gone.
    pub fn send(&self, packet: LocalPacket) -> bool {
        let Some(room) = self.permit.room().filter(|_| self.is_permitted()) else { return false };
        let feeds = LiveStream { id: self.stream, room, music: false };
        let (permit, name, fate) = (self.permit.clone(), self.name.clone(), Arc::clone(&self.fate));
        let told = self.relay.threads.first().try_tell(move |media, now| {
            media.note_sender(feeds.id, &permit);
            match media.relay.feed(now, feeds, packet) {
                Ok(()) => {
                    media.name(feeds.id, &name);
                    fate.taken.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => drop(fate.refused.set(error)),
            }
        });
        self.sent.fetch_add(u64::from(told), Ordering::Relaxed);
        told
    }
}

impl Drop for LocalSender {
    fn drop(&mut self) {
        let stream = self.stream;
        // Where the media thread is gone, so is the stream; where it is too busy, the stream ends by its silence.
        let _ = self.relay.threads.first().try_tell(move |media, now| media.relay.end_local(now, stream));
    }
}
