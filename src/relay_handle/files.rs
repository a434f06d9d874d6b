//! The door for those who send files: a peer's data channel, from one end to the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

use crate::access::{Action, Permit};
use crate::core::{ChannelEvent, Role};
use crate::domain::PeerId;

use super::{ConnectError, Media, RelayGone, RelayHandle};

/// Messages of a client that may wait to be looked at; with the length of one bounded, half a megabyte at most.
/// Further ones are dropped.
const MESSAGE_QUEUE: usize = 16;

/// What the media thread keeps of every channel.
#[derive(Default)]
pub(super) struct Channels {
    lines: HashMap<PeerId, Line>,
}

/// What channels count.
#[derive(Debug, Default)]
pub struct ChannelStats {
    /// Bytes of messages to clients.
    pub written: AtomicU64,
    /// Messages of clients that came faster than they were read.
    pub dropped: AtomicU64,
}

struct Line {
    said: mpsc::Sender<Said>,
    writable: Arc<Notify>,
    stats: Arc<ChannelStats>,
}

/// What a client's channel says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It can be written to.
    Opened,
    /// It is of no use for files: it may lose some, or change their order.
    Unfit,
    /// The client says something.
    Text(String),
}

/// A client's data channel. The connection ends with it.
pub struct Channel {
    /// SDP for the client.
    pub answer: String,
    /// Bytes of the longest message that it takes.
    pub longest: usize,
    /// What it says.
    pub said: mpsc::Receiver<Said>,
    /// The way to it.
    pub writer: ChannelWriter,
}

/// The way to a client.
pub struct ChannelWriter {
    relay: RelayHandle,
    peer: PeerId,
    writable: Arc<Notify>,
    stats: Arc<ChannelStats>,
}

impl RelayHandle {
    /// Answers the offer of a client that wants files; see [`Relay::accept`](crate::core::Relay::accept).
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn open_channel(
        &self,
        permit: Permit,
        offer: String,
        stats: Arc<ChannelStats>,
    ) -> Result<Channel, ConnectError> {
        let relay = self.clone();
        self.call(move |media, now| {
            if !permit.permits(Action::ReadFiles) {
                return Err(ConnectError::NotPermitted);
            }
            let local = permit.visitor().is_local();
            let place = media.place_of_peer(&permit, false)?;
            let accepted = media.relay.accept(now, Role::Files, &offer, local)?;
            let (peer, answer, longest) = (accepted.peer, accepted.answer, accepted.longest_message);
            media.keep(peer, permit, place);
            let (sender, said) = mpsc::channel(MESSAGE_QUEUE);
            let writable = Arc::<Notify>::default();
            let line = Line { said: sender, writable: Arc::clone(&writable), stats: Arc::clone(&stats) };
            media.channels.lines.insert(peer, line);
            Ok(Channel { answer, longest, said, writer: ChannelWriter { relay, peer, writable, stats } })
        })
        .await?
    }
}

impl ChannelWriter {
    /// Writes a message as soon as there is room for it.
    ///
    /// # Errors
    /// When the relay is shutting down. That a client is gone is told where its messages come from.
    pub async fn write(&self, binary: bool, message: Bytes) -> Result<(), RelayGone> {
        loop {
            let (peer, copy) = (self.peer, message.clone());
            if self.relay.call(move |media, now| media.relay.write(now, peer, binary, &copy)).await? {
                self.stats.written.fetch_add(message.len() as u64, Ordering::Relaxed);
                return Ok(());
            }
            self.writable.notified().await;
        }
    }
}

impl Drop for ChannelWriter {
    fn drop(&mut self) {
        let peer = self.peer;
        // Where the media thread is too busy to be told, the client will find the silence too long.
        let _ = self.relay.threads.first().try_tell(move |media, now| media.relay.close(now, peer));
    }
}

impl Media {
    pub(super) fn tell_channel(&mut self, peer: PeerId, event: ChannelEvent) {
        let Some(line) = self.channels.lines.get(&peer) else { return };
        let said = match event {
            ChannelEvent::Writable => return line.writable.notify_one(),
            ChannelEvent::Closed => return self.forget_channel(peer),
            ChannelEvent::Opened => Said::Opened,
            ChannelEvent::Unfit => Said::Unfit,
            ChannelEvent::Text(text) => Said::Text(text),
        };
        if line.said.try_send(said).is_err() {
            line.stats.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whoever serves the channel learns of its end by this.
    pub(super) fn forget_channel(&mut self, peer: PeerId) {
        self.channels.lines.remove(&peer);
    }
}
