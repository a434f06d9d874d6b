//! Several media threads behind the one door: the first has the senders and the rooms, and receivers of streams take
//! turns. Packets cross to those threads alone on which somebody hears them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::domain::{PeerId, StreamId};

use super::command::ReplyTo;
use super::{Command, EngineGone};

/// Names of peers that one thread gives before they would be those of the next.
const PEERS_OF_THREAD: u64 = 1 << 48;

/// One of the media threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ThreadId(usize);

impl ThreadId {
    /// The one with the senders and the rooms.
    pub const FIRST: Self = Self(0);

    /// The first name of a peer there: no two peers of a house have the same.
    pub fn first_peer(self) -> u64 {
        self.0 as u64 * PEERS_OF_THREAD
    }
}

impl From<usize> for ThreadId {
    fn from(number: usize) -> Self {
        Self(number)
    }
}

/// Peer connection, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerAddress {
    pub(super) thread: ThreadId,
    pub(super) peer: PeerId,
}

/// Ways to all threads.
#[derive(Clone)]
pub(super) struct Threads {
    all: Arc<[Thread]>,
    turn: Arc<AtomicUsize>,
}

/// Way to one thread.
#[derive(Clone)]
pub(super) struct Thread {
    pub(super) id: ThreadId,
    commands: mpsc::Sender<Command>,
}

impl Threads {
    pub(super) fn new(all: Vec<Thread>) -> Self {
        Self { all: all.into(), turn: Arc::default() }
    }

    /// The one with the senders and the rooms.
    pub(super) fn first(&self) -> &Thread {
        &self.all[0]
    }

    pub(super) fn all(&self) -> &[Thread] {
        &self.all
    }

    /// The one of this name, if there is one.
    pub(super) fn get(&self, id: ThreadId) -> Option<&Thread> {
        self.all.get(id.0)
    }

    /// Where a peer is.
    pub(super) fn of(&self, peer: PeerAddress) -> &Thread {
        &self.all[peer.thread.0]
    }

    /// All, beginning with the one whose turn it is.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &Thread> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.all.len();
        self.all.iter().cycle().skip(first).take(self.all.len())
    }
}

impl Thread {
    pub(super) fn new(id: ThreadId, commands: mpsc::Sender<Command>) -> Self {
        Self { id, commands }
    }

    /// What comes of a command there.
    pub(super) async fn ask<T, C: Into<Command>>(
        &self,
        command: impl FnOnce(ReplyTo<T>) -> C,
    ) -> Result<T, EngineGone> {
        let (reply, answer) = ReplyTo::channel();
        self.commands.send(command(reply).into()).await.map_err(|_| EngineGone)?;
        answer.await.map_err(|_| EngineGone)
    }

    /// Waits until there is room for a command. An engine that is gone needs to be told nothing.
    pub(super) async fn tell(&self, command: impl Into<Command>) {
        let _ = self.commands.send(command.into()).await;
    }

    /// Without waiting, from any thread. False: it is too busy, or gone.
    pub(super) fn try_tell(&self, command: impl Into<Command>) -> bool {
        self.commands.try_send(command.into()).is_ok()
    }

    /// Commands that wait there.
    pub(super) fn waiting(&self) -> usize {
        self.commands.max_capacity() - self.commands.capacity()
    }
}

/// How many receivers streams have on all threads.
pub(super) fn sum(mut receivers: HashMap<StreamId, usize>, more: HashMap<StreamId, usize>) -> HashMap<StreamId, usize> {
    for (stream, count) in more {
        *receivers.entry(stream).or_default() += count;
    }
    receivers
}
