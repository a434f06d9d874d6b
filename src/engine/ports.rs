//! Ports at the door: senders on this machine, decoders, and packets that cross from thread to thread.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::access::{Action, Permit};
use crate::core::{LocalPacket, RemotePacket, TooManyStreams};
use crate::domain::{OpusPacket, StreamId, Track, TrackKind};

use super::command::ReplyTo;
use super::{Engine, Media, ThreadId};

/// Something to do with what comes and goes by no connection.
#[derive(Debug, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PortCommand {
    Feed {
        #[serde(skip)]
        permit: Option<Permit>,
        stream: Track,
        name: String,
        packet: LocalPacket,
        #[serde(skip)]
        fate: Arc<Fate>,
    },
    EndLocal {
        stream: StreamId,
    },
    Tap {
        stream: StreamId,
        #[serde(skip)]
        reply: ReplyTo<Option<mpsc::Receiver<OpusPacket>>>,
    },
    /// A packet of a sender on the first thread, for those who hear it on this one.
    Pipe {
        packet: RemotePacket,
        /// When it came from the network.
        #[serde(skip)]
        arrived: Option<Instant>,
    },
    /// Whether somebody on that thread hears this stream.
    SetInterest {
        thread: ThreadId,
        stream: StreamId,
        wanted: bool,
    },
}

/// A sender on this machine; see [`Relay::feed`](crate::core::Relay::feed). Its stream ends with it.
pub struct LocalSender {
    engine: Engine,
    permit: Permit,
    stream: StreamId,
    kind: TrackKind,
    name: String,
    sent: AtomicU64,
    fate: Arc<Fate>,
}

/// What became of the packets of a sender, as the media thread tells it.
#[derive(Debug, Default)]
pub struct Fate {
    taken: AtomicU64,
    /// How many streams there were when the first was refused, of as many as there may be.
    refused: OnceLock<TooManyStreams>,
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
        let stream = Track { id: self.stream, kind: self.kind, room };
        let (permit, name, fate) = (Some(self.permit.clone()), self.name.clone(), Arc::clone(&self.fate));
        let told = self.engine.threads.first().try_tell(PortCommand::Feed { permit, stream, name, packet, fate });
        self.sent.fetch_add(u64::from(told), Ordering::Relaxed);
        told
    }
}

impl Drop for LocalSender {
    fn drop(&mut self) {
        // Where the media thread is gone, so is the stream; where it is too busy, the stream ends by its silence.
        let _ = self.engine.threads.first().try_tell(PortCommand::EndLocal { stream: self.stream });
    }
}

impl Engine {
    /// A sender on this machine, of a stream with this identity and kind, and this name for people; it is heard where its
    /// permit says.
    pub fn local_sender(&self, permit: Permit, stream: StreamId, kind: TrackKind, name: String) -> LocalSender {
        LocalSender { engine: self.clone(), permit, stream, kind, name, sent: AtomicU64::new(0), fate: Arc::default() }
    }
}

impl Engine {
    /// Packets of a stream from now on, over a bounded channel that closes when the stream ends. `None`: there is no such
    /// live stream.
    pub async fn tap(&self, stream: StreamId) -> Option<mpsc::Receiver<OpusPacket>> {
        self.threads.first().ask(|reply| PortCommand::Tap { stream, reply }).await.ok().flatten()
    }

    /// Live tracks, oldest first, and whenever they change. Taps of one are closed before it leaves the list.
    pub fn tracks(&self) -> watch::Receiver<Arc<[Track]>> {
        self.streams.clone()
    }
}

impl Media {
    pub(super) fn run_port_command(&mut self, command: PortCommand, now: Instant) {
        match command {
            PortCommand::Feed { permit, stream, name, packet, fate } => {
                self.feed(now, permit, stream, &name, packet, &fate);
            }
            PortCommand::EndLocal { stream } => self.relay.end_local(now, stream),
            PortCommand::Tap { stream, reply } => reply.send(self.tap(stream)),
            PortCommand::Pipe { packet, .. } => {
                // One that was under way when its stream ended must not begin it anew.
                if self.relay.room_of(packet.stream().id).is_some() {
                    self.relay.ingest_remote(now, packet);
                }
            }
            PortCommand::SetInterest { thread, stream, wanted } => self.set_interest(thread, stream, wanted),
        }
    }

    fn feed(
        &mut self,
        now: Instant,
        permit: Option<Permit>,
        stream: Track,
        name: &str,
        packet: LocalPacket,
        fate: &Fate,
    ) {
        let Some(permit) = permit else { return };
        self.note_sender(stream.id, &permit);
        match self.relay.feed(now, stream, packet) {
            Ok(()) => {
                self.name(stream.id, name);
                fate.taken.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => drop(fate.refused.set(error)),
        }
    }
}
