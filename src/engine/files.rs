//! Files at the door: a peer's data channel, from one end to the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};

use crate::access::{Action, Permit};
use crate::core::{Accepted, ChannelEvent, Role};
use crate::domain::PeerId;

use super::command::ReplyTo;
use super::peers::PeerCommand;
use super::{ConnectError, Engine, EngineGone, Media};

/// Messages of a client that may wait to be looked at; with the length of one bounded, half a megabyte at most.
/// Further ones are dropped.
const MESSAGE_QUEUE: usize = 16;

/// What the media thread keeps of every channel.
#[derive(Default)]
pub(super) struct Channels {
    lines: HashMap<PeerId, ChannelLine>,
}

/// What channels count.
#[derive(Debug, Default)]
pub struct ChannelStats {
    /// Bytes of messages to clients.
    pub written: AtomicU64,
    /// Messages of clients that came faster than they were read.
    pub dropped: AtomicU64,
}

struct ChannelLine {
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
    engine: Engine,
    peer: PeerId,
    writable: Arc<Notify>,
    stats: Arc<ChannelStats>,
}

/// Something to do with a data channel.
#[derive(Debug, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FilesCommand {
    OpenChannel {
        #[serde(skip)]
        permit: Option<Permit>,
        offer: String,
        #[serde(skip)]
        stats: Arc<ChannelStats>,
        #[serde(skip)]
        reply: ReplyTo<Result<OpenedChannel, ConnectError>>,
    },
    WriteChannel {
        peer: PeerId,
        binary: bool,
        message: Bytes,
        #[serde(skip)]
        reply: ReplyTo<bool>,
    },
}

/// Data channel as its media thread gives it away.
#[derive(Debug)]
pub struct OpenedChannel {
    peer: PeerId,
    answer: String,
    longest: usize,
    said: mpsc::Receiver<Said>,
    writable: Arc<Notify>,
}

impl Engine {
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
        let counted = Arc::clone(&stats);
        let open = |reply| FilesCommand::OpenChannel { permit: Some(permit), offer, stats: counted, reply };
        let OpenedChannel { peer, answer, longest, said, writable } = self.threads.first().ask(open).await??;
        let writer = ChannelWriter { engine: self.clone(), peer, writable, stats };
        Ok(Channel { answer, longest, said, writer })
    }
}

impl ChannelWriter {
    /// Writes a message as soon as there is room for it.
    ///
    /// # Errors
    /// When the relay is shutting down. That a client is gone is told where its messages come from.
    pub async fn write(&self, binary: bool, message: Bytes) -> Result<(), EngineGone> {
        loop {
            let (peer, message) = (self.peer, message.clone());
            let length = message.len() as u64;
            let write = |reply| FilesCommand::WriteChannel { peer, binary, message, reply };
            if self.engine.threads.first().ask(write).await? {
                self.stats.written.fetch_add(length, Ordering::Relaxed);
                return Ok(());
            }
            self.writable.notified().await;
        }
    }
}

impl Drop for ChannelWriter {
    fn drop(&mut self) {
        // Where the media thread is too busy to be told, the client will find the silence too long.
        let _ = self.engine.threads.first().try_tell(PeerCommand::Close { peer: self.peer });
    }
}

impl Media {
    pub(super) fn run_files_command(&mut self, command: FilesCommand, now: Instant) {
        match command {
            FilesCommand::OpenChannel { permit, offer, stats, reply } => {
                reply.send(self.open_channel(now, permit, &offer, stats));
            }
            FilesCommand::WriteChannel { peer, binary, message, reply } => {
                reply.send(self.relay.write(now, peer, binary, &message));
            }
        }
    }

    fn open_channel(
        &mut self,
        now: Instant,
        permit: Option<Permit>,
        offer: &str,
        stats: Arc<ChannelStats>,
    ) -> Result<OpenedChannel, ConnectError> {
        let permit = permit.filter(|permit| permit.permits(Action::ReadFiles)).ok_or(ConnectError::NotPermitted)?;
        let place = self.place_of_peer(&permit, false)?;
        let Accepted { peer, answer, longest_message: longest, .. } =
            self.relay.accept(now, Role::Files, offer, permit.visitor().is_local())?;
        self.keep(peer, permit, place);
        let (sender, said) = mpsc::channel(MESSAGE_QUEUE);
        let writable = Arc::<Notify>::default();
        self.channels.lines.insert(peer, ChannelLine { said: sender, writable: Arc::clone(&writable), stats });
        Ok(OpenedChannel { peer, answer, longest, said, writable })
    }

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
