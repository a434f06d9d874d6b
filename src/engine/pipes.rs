//! What crosses between media threads. The first has all senders and rooms; on each further one there are receivers of
//! streams. A packet crosses once to each thread on which somebody hears its stream, and to no other.
//!
//! Which streams there are is read from the one list that everybody reads; so nothing is lost when a thread is busy, and a
//! stream that has ended is over everywhere. Who is heard where is told by [`PortCommand::SetInterest`].

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::core::{Interest, PortId, RemotePacket};
use crate::domain::{StreamId, Track};

use super::Media;
use super::ports::PortCommand;
use super::thread::{Thread, ThreadId};

/// Links of one thread to the others.
pub(super) struct Links {
    own: ThreadId,
    /// Streams that are live.
    streams: watch::Receiver<Arc<[Track]>>,
    /// From the first thread to the further ones; none elsewhere.
    pipes: Vec<ThreadPipe>,
    /// The way back; only of further threads.
    first: Option<Thread>,
    overflows: u64,
}

/// Way of packets to a further thread.
struct ThreadPipe {
    port: PortId,
    thread: Thread,
    /// Streams that somebody hears there.
    wanted: HashSet<StreamId>,
}

impl Links {
    pub(super) fn new(own: ThreadId, streams: watch::Receiver<Arc<[Track]>>) -> Self {
        Self { own, streams, pipes: Vec::new(), first: None, overflows: 0 }
    }

    /// Whether senders are elsewhere.
    pub(super) fn is_further(&self) -> bool {
        self.first.is_some()
    }

    /// Packets that a thread was too busy to take.
    pub(super) fn overflows(&self) -> u64 {
        self.overflows
    }

    /// Lets a further thread have a packet that came from the network then.
    pub(super) fn carry(&mut self, port: PortId, packet: RemotePacket, arrived: Instant) {
        let Some(pipe) = self.pipes.iter().find(|pipe| pipe.port == port) else { return };
        let told = pipe.thread.try_tell(PortCommand::Pipe { packet, arrived: Some(arrived) });
        self.overflows += u64::from(!told);
    }

    /// Tells the first thread whether somebody hears this stream here. It must not be lost, and nobody waits for it: so a
    /// task of its own waits where the first thread is busy, in the order in which they are told.
    pub(super) fn ask_for(&self, stream: StreamId, wanted: bool) {
        let Some(first) = self.first.clone() else { return };
        let thread = self.own;
        tokio::spawn(async move { first.tell(PortCommand::SetInterest { thread, stream, wanted }).await });
    }
}

impl Media {
    /// Is one of these threads from now on.
    pub(super) fn join_threads(&mut self, all: &[Thread]) {
        let [first, further @ ..] = all else { return };
        if self.links.own != ThreadId::FIRST {
            self.links.first = Some(first.clone());
            return;
        }
        for thread in further {
            let port = self.relay.attach_pipe(Interest::None);
            self.links.pipes.push(ThreadPipe { port, thread: thread.clone(), wanted: HashSet::new() });
        }
    }

    /// Waits until streams came or went, on threads that have to look for themselves.
    pub async fn streams_changed(&mut self) {
        if !self.links.is_further() || self.links.streams.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Makes the streams of the first thread known to the core of this one.
    pub fn note_streams(&mut self, now: Instant) {
        if !self.links.is_further() {
            return;
        }
        let live = Arc::clone(&self.links.streams.borrow_and_update());
        for known in self.relay.live() {
            if !live.contains(&known) {
                self.relay.end_remote(now, known.id);
            }
        }
        for stream in live.iter() {
            if self.relay.room_of(stream.id).is_none() {
                self.relay.begin_remote(now, *stream);
            }
        }
    }

    /// Somebody on that thread hears this stream, or nobody any more.
    pub(super) fn set_interest(&mut self, thread: ThreadId, stream: StreamId, wanted: bool) {
        let Some(pipe) = self.links.pipes.iter_mut().find(|pipe| pipe.thread.id == thread) else { return };
        if wanted {
            pipe.wanted.insert(stream);
        } else {
            pipe.wanted.remove(&stream);
        }
        self.relay.set_interest(pipe.port, stream, wanted);
    }

    /// A stream begins, which may be one that was there before: those who wait for it elsewhere hear it.
    pub(super) fn renew_interest(&mut self, stream: StreamId) {
        for pipe in self.links.pipes.iter().filter(|pipe| pipe.wanted.contains(&stream)) {
            self.relay.set_interest(pipe.port, stream, true);
        }
    }
}
