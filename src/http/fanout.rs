//! Live audio on its way to the players: one task for each program and format writes every piece to
//! all of its listeners' sockets.
//!
//! A listener's connection has left hyper by then. It has no task, no buffer and no wake-up of its
//! own, so that a listener costs little more than its system calls.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Action, Permit};
use crate::audio::Format;
use crate::domain::{StreamId, Track};
use crate::engine::Engine;
use crate::limits::{Full, Place, Places};
use crate::live::{Listener, Mounts, Program};
use crate::rooms::RoomsHandle;

use super::listener_socket::{ListenerGone, ListenerSocket, Piece};

/// Listeners that may wait to join; whoever brings one more waits.
const JOIN_QUEUE: usize = 64;

/// Writes in a row, after which other tasks have their turn.
const WRITES_A_TURN: usize = 128;

/// The table of fan-outs. Cheap to clone.
#[derive(Clone)]
pub struct Fanouts {
    mounts: Mounts<Engine>,
    rooms: RoomsHandle,
    relay: Engine,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    running: RunningFanouts,
}

type FanoutKey = (Program, Format);
type RunningFanouts = Arc<Mutex<HashMap<FanoutKey, FanoutEntry>>>;

/// A fan-out, as the table knows it.
struct FanoutEntry {
    queue: mpsc::Sender<Joining>,
    listeners: Arc<AtomicUsize>,
}

/// A listener on the doorstep.
struct Joining {
    listener_socket: ListenerSocket,
    prelude: Option<Piece>,
}

/// The way into one fan-out. While it is held, the fan-out goes on.
#[derive(Clone)]
pub(super) struct JoinQueue(mpsc::Sender<Joining>);

impl JoinQueue {
    /// Brings a listener in, who hears `prelude` first.
    pub(super) async fn admit(self, listener_socket: ListenerSocket, prelude: Option<Piece>) {
        if let Err(mpsc::error::SendError(joining)) = self.0.send(Joining { listener_socket, prelude }).await {
            // The program ended in this very moment.
            joining.listener_socket.end();
        }
    }
}

impl Fanouts {
    /// None yet. Each is a task of `tracker`, and ends with `shutdown`.
    pub fn new(
        mounts: Mounts<Engine>,
        rooms: RoomsHandle,
        relay: Engine,
        shutdown: CancellationToken,
        tracker: TaskTracker,
    ) -> Self {
        Self { mounts, rooms, relay, shutdown, tracker, running: RunningFanouts::default() }
    }

    /// The way to the listeners of a program. `None`: it is not to be had; see [`Mounts::listen`]. Or it is of another
    /// room than this permits to hear. Whoever is its first listener has an encoder for it.
    ///
    /// # Errors
    /// When there are as many encoders as may be.
    pub(super) async fn enter(
        &self,
        permit: &Permit,
        encoders: &Places,
        program: Program,
        format: Format,
    ) -> Result<Option<JoinQueue>, Full> {
        let room = match program {
            Program::Room(room) | Program::Latest(room) => Some(room),
            Program::Stream(_) => program.of(&self.relay.live()).first().map(|live| live.room),
        };
        if !room.is_some_and(|room| permit.permits_in(Action::Hear, room)) {
            return Ok(None);
        }
        let key = (program, format);
        if let Some(queue) = enter(&lock(&self.running), key) {
            return Ok(Some(queue));
        }
        let encoder = encoders.take(&permit.owner())?;
        let Some(source) = self.mounts.listen(program, format).await else { return Ok(None) };
        let mut table = lock(&self.running);
        // Somebody else may have started it meanwhile.
        Ok(Some(enter(&table, key).unwrap_or_else(|| self.start(&mut table, key, (source, encoder)))))
    }

    /// How many hear a stream just now, of those that are live, oldest first.
    pub(super) fn listeners(&self, stream: StreamId, live: &[Track]) -> usize {
        let table = lock(&self.running);
        let hearing = table.iter().filter(|((program, _), _)| program.of(live).iter().any(|live| live.id == stream));
        hearing.map(|(_, entry)| entry.listeners.load(Ordering::Relaxed)).sum()
    }

    fn start(
        &self,
        table: &mut HashMap<FanoutKey, FanoutEntry>,
        key: FanoutKey,
        (source, encoder): (Listener, Place),
    ) -> JoinQueue {
        let ((sender, joins), listeners) = (mpsc::channel(JOIN_QUEUE), Arc::<AtomicUsize>::default());
        table.retain(|_, entry| !entry.queue.is_closed());
        table.insert(key, FanoutEntry { queue: sender.clone(), listeners: Arc::clone(&listeners) });
        let fanout = ProgramFanout {
            key,
            source,
            _encoder: encoder,
            joins,
            outlets: Vec::new(),
            listeners,
            packs: BTreeMap::new(),
            relay: self.relay.clone(),
            rooms: self.rooms.clone(),
            title: Arc::from(""),
            running: Arc::clone(&self.running),
        };
        self.tracker.spawn(fanout.run(self.shutdown.clone()));
        JoinQueue(sender)
    }
}

fn enter(table: &HashMap<FanoutKey, FanoutEntry>, key: FanoutKey) -> Option<JoinQueue> {
    table.get(&key).filter(|entry| !entry.queue.is_closed()).map(|entry| JoinQueue(entry.queue.clone()))
}

/// The table is whole at every moment, also after a panic.
fn lock(running: &RunningFanouts) -> MutexGuard<'_, HashMap<FanoutKey, FanoutEntry>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One program's listeners.
struct ProgramFanout {
    key: FanoutKey,
    source: Listener,
    _encoder: Place,
    joins: mpsc::Receiver<Joining>,
    outlets: Vec<ListenerSocket>,
    /// How many they are, for the table.
    listeners: Arc<AtomicUsize>,
    /// Messages on their way to those who want several at once, by how many.
    packs: BTreeMap<usize, Pack>,
    relay: Engine,
    rooms: RoomsHandle,
    /// Who talks, for those who are told.
    title: Arc<str>,
    running: RunningFanouts,
}

/// Messages that are collected, to be written at once.
#[derive(Default)]
struct Pack {
    collected: BytesMut,
    messages: usize,
    /// Complete with the last message.
    piece: Option<Piece>,
}

impl Pack {
    fn add(&mut self, message: &Bytes, messages_a_write: usize) {
        self.collected.extend_from_slice(message);
        self.messages += 1;
        let is_complete = self.messages >= messages_a_write;
        self.piece = is_complete.then(|| Piece::new(self.collected.split().freeze()));
        self.messages = if is_complete { 0 } else { self.messages };
    }
}

impl ProgramFanout {
    async fn run(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(joining) = self.joins.recv() => self.admit(joining),
                message = self.source.next_message() => match message {
                    Some(message) => {
                        self.publish(&message).await;
                        if self.leave_if_unheard() {
                            return;
                        }
                        if self.is_closed() {
                            break;
                        }
                    }
                    None => break,
                }
            }
        }
        // Those who come from now on are told at the door.
        self.joins.close();
        while let Ok(joining) = self.joins.try_recv() {
            self.outlets.push(joining.listener_socket);
        }
        self.outlets.into_iter().for_each(ListenerSocket::end);
    }

    fn admit(&mut self, Joining { mut listener_socket, prelude }: Joining) {
        let header = self.source.header();
        // Whoever wants much at once gets what is collected so far, and is in step from then on.
        let pack = self.packs.entry(listener_socket.messages_a_write).or_default();
        let collected = Bytes::copy_from_slice(&pack.collected);
        let first = [Piece::new(header), prelude.unwrap_or_default(), Piece::new(collected)];
        self.update_title();
        if listener_socket.begin(&first, &self.title).is_ok() {
            self.outlets.push(listener_socket);
            self.listeners.store(self.outlets.len(), Ordering::Relaxed);
        }
    }

    /// Writes a message to everybody who is to have it now.
    async fn publish(&mut self, message: &Bytes) {
        for (messages_a_write, pack) in &mut self.packs {
            pack.add(message, *messages_a_write);
        }
        self.update_title();
        let mut index = 0;
        while index < self.outlets.len() {
            index = self.write_some(index);
            tokio::task::yield_now().await;
        }
        self.listeners.store(self.outlets.len(), Ordering::Relaxed);
        let outlets = &self.outlets;
        self.packs.retain(|size, _| outlets.iter().any(|listener_socket| listener_socket.messages_a_write == *size));
    }

    /// Writes to the next listeners; gives the index of the first who waits still.
    fn write_some(&mut self, mut index: usize) -> usize {
        for _ in 0..WRITES_A_TURN {
            let Some(listener_socket) = self.outlets.get_mut(index) else { break };
            if listener_socket.is_over() {
                self.outlets.swap_remove(index).end();
                continue;
            }
            let piece = self.packs.get(&listener_socket.messages_a_write).and_then(|pack| pack.piece.as_ref());
            match piece.map(|piece| listener_socket.write(piece, &self.title)) {
                Some(Err(ListenerGone)) => drop(self.outlets.swap_remove(index)),
                Some(Ok(())) | None => index += 1,
            }
        }
        index
    }

    fn update_title(&mut self) {
        let streams = self.relay.live();
        let heard = self.key.0.of(&streams);
        let names: Vec<_> = heard.into_iter().filter_map(|live| self.relay.name(live.id)).collect();
        let title = names.join(", ");
        if *self.title != *title {
            self.title = title.into();
        }
    }

    /// The room is there no more: nobody will ever speak in it again.
    fn is_closed(&self) -> bool {
        matches!(self.key.0, Program::Room(room) if !self.rooms.exists(room))
    }

    /// Ends the fan-out when nobody listens, and nobody is about to.
    fn leave_if_unheard(&mut self) -> bool {
        if !self.outlets.is_empty() {
            return false;
        }
        let mut table = lock(&self.running);
        // The table's own sender is the last one.
        let unheard = self.joins.is_empty() && self.joins.sender_strong_count() == 1;
        if unheard {
            table.remove(&self.key);
        }
        unheard
    }
}
