//! What is told on its way to the clients' sockets. Each message is written once, however many it is for. What says how
//! something is now takes the place of what said how it was, if that was not read yet; a client that does not read
//! even so is given up, and no other waits for it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Instant;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::super::Rooms;
use super::super::notice::{Departure, Notice, Order, Recipients, RoomMessage, Topic};
use super::super::participant::SessionId;

/// Messages that wait for one client's socket; one more, and the client is given up.
pub const WIRE_CAPACITY: usize = 256;

/// Orders that wait for the media side: a full room that is closed is 500 at once.
const ORDERS_CAPACITY: usize = 4_096;

/// A message as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    text: Arc<str>,
    topic: Option<Topic>,
}

impl Frame {
    /// One that is the media side's to make.
    pub(super) fn of_media(topic: Topic, message: &serde_json::Value) -> Self {
        Self { text: message.to_string().into(), topic: Some(topic) }
    }
}

impl From<&RoomMessage> for Frame {
    fn from(message: &RoomMessage) -> Self {
        Self { text: message.to_json().into(), topic: message.topic() }
    }
}

/// The way to one client's socket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ClientSender {
    queue: Arc<Queue>,
    cut: CancellationToken,
}

/// The other end of a wire.
#[derive(Debug)]
pub struct Frames(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    /// Nobody will read them any more.
    is_closed: bool,
}

impl Queue {
    /// The frames are in order at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Frames {
    /// The next one, as soon as there is one; nothing is lost when this is not waited for to its end.
    pub async fn next(&mut self) -> Arc<str> {
        loop {
            if let Some(frame) = self.next_waiting() {
                return frame;
            }
            self.0.came.notified().await;
        }
    }

    /// The next one, if one waits.
    pub fn next_waiting(&mut self) -> Option<Arc<str>> {
        self.0.lock().frames.pop_front().map(|frame| frame.text)
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.is_closed = true;
        waiting.frames.clear();
    }
}

impl ClientSender {
    /// A wire, and its other end: frames to be sent as they are.
    pub fn new() -> (Self, Frames) {
        let queue = Arc::<Queue>::default();
        (Self { queue: Arc::clone(&queue), cut: CancellationToken::new() }, Frames(queue))
    }

    /// Waits until the client is given up, because it does not read: its socket is to be closed.
    pub async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Whether the client keeps up.
    pub(super) fn send(&self, frame: &Frame) -> bool {
        let mut waiting = self.queue.lock();
        // Of a socket that has just been closed, whoever it belongs to says so themselves.
        if waiting.is_closed {
            return true;
        }
        if frame.topic.is_some() {
            waiting.frames.retain(|other| other.topic != frame.topic);
        }
        if waiting.frames.len() == WIRE_CAPACITY {
            self.cut.cancel();
            return false;
        }
        waiting.frames.push_back(frame.clone());
        drop(waiting);
        self.queue.came.notify_one();
        true
    }
}

/// Whoever is told the list of rooms.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) wire: ClientSender,
    /// The only room of which they are told.
    pub(super) only: Option<String>,
}

/// The post office: the rooms, and the ways to everybody whom they tell something.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) rooms: Rooms,
    pub(super) senders: HashMap<SessionId, ClientSender>,
    pub(super) watchers: HashMap<u64, Watcher>,
    pub(super) next_watcher: u64,
    /// To whoever carries them out; before there is somebody, there is no media to order about.
    orders: Option<mpsc::Sender<Order>>,
    /// Clients that were given up.
    pub(super) too_slow: u64,
    /// Orders for which the media side was too slow.
    pub(super) orders_lost: u64,
}

impl Outbox {
    pub(super) fn new(rooms: Rooms) -> Self {
        let (senders, watchers) = (HashMap::new(), HashMap::new());
        Self { rooms, senders, watchers, next_watcher: 0, orders: None, too_slow: 0, orders_lost: 0 }
    }

    pub(super) fn orders(&mut self) -> mpsc::Receiver<Order> {
        let (sender, orders) = mpsc::channel(ORDERS_CAPACITY);
        self.orders = Some(sender);
        orders
    }

    /// Delivers whatever has come of an operation.
    pub(super) fn deliver(&mut self, now: Instant) {
        while let Some(Notice { to, message }) = self.rooms.poll_notice() {
            self.send(now, &to, &Frame::from(&message));
        }
        while let Some(order) = self.rooms.poll_order() {
            self.order(order);
        }
    }

    /// Sends one frame; for the others, whoever does not keep up is gone.
    pub(super) fn send(&mut self, now: Instant, to: &Recipients, frame: &Frame) {
        for session in self.slow_ones(to, frame) {
            self.too_slow += 1;
            self.senders.remove(&session);
            self.rooms.leave(now, session, Departure::Gone);
        }
    }

    fn slow_ones(&mut self, to: &Recipients, frame: &Frame) -> Vec<SessionId> {
        let Self { rooms, senders, watchers, too_slow, .. } = self;
        let is_slow = |session: &SessionId| senders.get(session).is_some_and(|wire| !wire.send(frame));
        match to {
            Recipients::One(session) => Some(*session).into_iter().filter(is_slow).collect(),
            Recipients::Those(sessions) => sessions.iter().copied().filter(is_slow).collect(),
            Recipients::Room(room) => rooms.sessions(*room).filter(is_slow).collect(),
            Recipients::RoomBut(room, but) => {
                rooms.sessions(*room).filter(|session| session != but).filter(is_slow).collect()
            }
            Recipients::Watchers => {
                let before = watchers.len();
                watchers.retain(|_, watcher| match &watcher.only {
                    None => watcher.wire.send(frame),
                    Some(only) => {
                        let rooms = rooms.list().into_iter().filter(|room| room.id == *only).collect();
                        watcher.wire.send(&Frame::from(&RoomMessage::Rooms { rooms }))
                    }
                });
                *too_slow += (before - watchers.len()) as u64;
                Vec::new()
            }
        }
    }

    fn order(&mut self, order: Order) {
        let Some(orders) = &self.orders else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = orders.try_send(order) {
            self.orders_lost += 1;
            tracing::error!(?order, "the media side does not keep up with the rooms' orders");
        }
    }
}
