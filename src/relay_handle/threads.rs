//! Several media threads behind the one door: the first has the senders and the rooms, and receivers of streams take
//! turns. What is known of a peer, or of a connection with an address, says on which thread it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use crate::core::RemotePacket;
use crate::domain::{PeerId, StreamId};

use super::{Command, Media, RelayGone};

/// Names of the peers of one thread differ in so many bits.
const PEERS_OF_THREAD: u32 = 48;

/// The first name of a peer on this thread.
pub fn first_peer_of(thread: usize) -> u64 {
    (thread as u64) << PEERS_OF_THREAD
}

/// The ways to all threads.
#[derive(Clone)]
pub(super) struct Threads {
    all: Arc<[Thread]>,
    turn: Arc<AtomicUsize>,
}

/// The way to one.
#[derive(Clone)]
pub(super) struct Thread(pub(super) mpsc::Sender<Command>);

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

    /// Where a peer is.
    pub(super) fn of(&self, peer: PeerId) -> &Thread {
        &self.all[(peer.0 >> PEERS_OF_THREAD) as usize % self.all.len()]
    }

    /// All, beginning with the one whose turn it is.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = (usize, &Thread)> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.all.len();
        self.all.iter().enumerate().cycle().skip(first).take(self.all.len())
    }
}

impl Thread {
    /// What comes of it there.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Media, Instant) -> T + Send + 'static,
    ) -> Result<T, RelayGone> {
        let (reply, answer) = oneshot::channel();
        let command = Command::run(move |media, now| drop(reply.send(run(media, now))));
        self.0.send(command).await.map_err(|_| RelayGone)?;
        answer.await.map_err(|_| RelayGone)
    }

    pub(super) async fn tell(&self, run: impl FnOnce(&mut Media, Instant) + Send + 'static) {
        // A relay that is gone needs to be told nothing.
        drop(self.0.send(Command::run(run)).await);
    }

    /// Without waiting, from any thread. False: it is too busy, or gone.
    pub(super) fn try_tell(&self, run: impl FnOnce(&mut Media, Instant) + Send + 'static) -> bool {
        self.0.try_send(Command::run(run)).is_ok()
    }

    /// Commands that wait there.
    pub(super) fn waiting(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }
}

/// The first thread's ways to the others.
#[derive(Default)]
pub(super) struct Branches {
    threads: Vec<Thread>,
    /// Packets, and ends of streams, that a thread was too busy to take.
    pub(super) overflows: u64,
}

impl Branches {
    pub(super) fn new(threads: Vec<Thread>) -> Self {
        Self { threads, overflows: 0 }
    }

    /// Lets all have a packet that came from the network then.
    pub(super) fn carry(&mut self, packet: &RemotePacket, arrived: Instant) {
        for thread in &self.threads {
            self.overflows += u64::from(thread.0.try_send(Command::Carry(packet.clone(), arrived)).is_err());
        }
    }

    /// A stream is over.
    pub(super) fn prune(&mut self, stream: StreamId) {
        for thread in &self.threads {
            let told = thread.try_tell(move |media, now| media.relay.end_remote(now, stream));
            self.overflows += u64::from(!told);
        }
    }
}

/// How many receivers streams have on all threads.
pub(super) fn sum(mut receivers: HashMap<StreamId, usize>, more: HashMap<StreamId, usize>) -> HashMap<StreamId, usize> {
    for (stream, count) in more {
        *receivers.entry(stream).or_default() += count;
    }
    receivers
}
