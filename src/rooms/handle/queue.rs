//! Events on their way to those who are told. What says how something is now takes the place of what said how it was, if
//! that was not read yet; whoever does not read even so is given up, and no other waits for them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, mpsc};

use crate::domain::RoomId;

use super::super::Rooms;
use super::super::event::{LeaveReason, Notice, Recipients, RoomEvent, Topic};
use super::super::order::Order;
use super::super::participant::SessionId;

/// Events that wait for one who is told; one more, and they are given up.
pub const QUEUE_CAPACITY: usize = 256;

/// Orders that wait for the media side: a full room that is closed is 500 at once.
const ORDERS_CAPACITY: usize = 4_096;

/// Event as it is given to all whom it is for.
#[derive(Debug)]
pub struct Published {
    room: Option<RoomId>,
    event: RoomEvent,
    text: OnceLock<Box<str>>,
}

impl Published {
    pub(super) fn new(room: Option<RoomId>, event: RoomEvent) -> Arc<Self> {
        Arc::new(Self { room, event, text: OnceLock::new() })
    }

    /// Room in which it happened; `None` where it is about the list of them.
    pub fn room(&self) -> Option<RoomId> {
        self.room
    }

    /// What happened.
    pub fn event(&self) -> &RoomEvent {
        &self.event
    }

    /// The event as a text, written by the first who asks: a room of 500 does not write it 500 times.
    pub fn text(&self, write: impl FnOnce(&RoomEvent) -> String) -> &str {
        self.text.get_or_init(|| write(&self.event).into())
    }

    /// What a later one replaces, if it was not read by then.
    fn replaces(&self) -> Option<(Option<RoomId>, Topic)> {
        Some((self.room, self.event.topic()?))
    }
}

/// The end of a queue that rooms write to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EventSender(Arc<Queue>);

/// The end of a queue that is read by whoever is told.
#[derive(Debug)]
pub struct EventReceiver(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    unread: Mutex<Unread>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Unread {
    events: VecDeque<Arc<Published>>,
    state: QueueState,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum QueueState {
    #[default]
    Open,
    /// Nobody will read it any more.
    Closed,
    /// Its reader did not keep up, and is given up.
    Overflown,
}

impl Queue {
    /// The events are in order at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventReceiver {
    /// The next one, as soon as there is one; nothing is lost when this is not waited for to its end. `None` for whoever
    /// has not kept up, and is told nothing more.
    pub async fn next(&mut self) -> Option<Arc<Published>> {
        loop {
            if let Some(event) = self.next_waiting() {
                return Some(event);
            }
            if self.0.lock().state == QueueState::Overflown {
                return None;
            }
            self.0.came.notified().await;
        }
    }

    /// The next one, if one waits.
    pub fn next_waiting(&mut self) -> Option<Arc<Published>> {
        self.0.lock().events.pop_front()
    }
}

impl Drop for EventReceiver {
    fn drop(&mut self) {
        *self.0.lock() = Unread { events: VecDeque::new(), state: QueueState::Closed };
    }
}

impl EventSender {
    /// Both ends of an empty queue.
    pub fn new() -> (Self, EventReceiver) {
        let queue = Arc::<Queue>::default();
        (Self(Arc::clone(&queue)), EventReceiver(queue))
    }

    /// Whether whoever reads it keeps up.
    pub(super) fn send(&self, event: &Arc<Published>) -> bool {
        let mut unread = self.0.lock();
        match unread.state {
            QueueState::Open => {}
            // Of a connection that has just ended, whoever it belongs to says so themselves.
            QueueState::Closed => return true,
            QueueState::Overflown => return false,
        }
        if let Some(replaced) = event.replaces() {
            unread.events.retain(|other| other.replaces() != Some(replaced));
        }
        let keeps_up = unread.events.len() < QUEUE_CAPACITY;
        match keeps_up {
            true => unread.events.push_back(Arc::clone(event)),
            false => *unread = Unread { events: VecDeque::new(), state: QueueState::Overflown },
        }
        drop(unread);
        self.0.came.notify_one();
        keeps_up
    }

    /// Whether somebody may still read it.
    fn is_open(&self) -> bool {
        self.0.lock().state == QueueState::Open
    }
}

/// Whoever is told the list of rooms.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) sender: EventSender,
    /// The only room of which they are told.
    pub(super) only: Option<String>,
}

/// Rooms, and the queues of everybody whom they tell something.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) rooms: Rooms,
    pub(super) senders: HashMap<SessionId, EventSender>,
    pub(super) watchers: HashMap<u64, Watcher>,
    pub(super) next_watcher: u64,
    /// Told what happens in every room.
    observers: Vec<EventSender>,
    /// To whoever carries them out; before there is somebody, there is no media to order about.
    orders: Option<mpsc::Sender<Order>>,
    /// Clients that were given up.
    pub(super) too_slow: u64,
    /// Orders for which the media side was too slow.
    pub(super) orders_lost: u64,
}

impl Outbox {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self {
            rooms,
            senders: HashMap::new(),
            watchers: HashMap::new(),
            next_watcher: 0,
            observers: Vec::new(),
            orders: None,
            too_slow: 0,
            orders_lost: 0,
        }
    }

    pub(super) fn orders(&mut self) -> mpsc::Receiver<Order> {
        let (sender, orders) = mpsc::channel(ORDERS_CAPACITY);
        self.orders = Some(sender);
        orders
    }

    pub(super) fn observe(&mut self) -> EventReceiver {
        let (sender, receiver) = EventSender::new();
        self.observers.retain(EventSender::is_open);
        self.observers.push(sender);
        receiver
    }

    /// Delivers whatever has come of an operation.
    pub(super) fn deliver(&mut self, now: Instant) {
        while let Some(notice) = self.rooms.poll_notice() {
            self.send(now, notice);
        }
        while let Some(order) = self.rooms.poll_order() {
            self.order(order);
        }
    }

    /// Tells of one event; for the others, whoever does not keep up is gone.
    pub(super) fn send(&mut self, now: Instant, Notice { to, event }: Notice) {
        let event = Published::new(to.room(), event);
        if event.room.is_some() {
            self.send_observers(&event);
        }
        for session in self.slow_ones(&to, &event) {
            self.too_slow += 1;
            self.senders.remove(&session);
            self.rooms.leave(now, session, LeaveReason::Gone);
        }
    }

    fn send_observers(&mut self, event: &Arc<Published>) {
        let before = self.observers.len();
        self.observers.retain(|observer| observer.send(event));
        self.too_slow += (before - self.observers.len()) as u64;
    }

    fn slow_ones(&mut self, to: &Recipients, event: &Arc<Published>) -> Vec<SessionId> {
        let Self { rooms, senders, watchers, too_slow, .. } = self;
        let is_slow = |session: &SessionId| senders.get(session).is_some_and(|sender| !sender.send(event));
        match to {
            Recipients::One(session) => Some(*session).into_iter().filter(is_slow).collect(),
            Recipients::Those(_, sessions) => sessions.iter().copied().filter(is_slow).collect(),
            Recipients::Room(room) => rooms.sessions(*room).filter(is_slow).collect(),
            Recipients::RoomBut(room, but) => {
                rooms.sessions(*room).filter(|session| session != but).filter(is_slow).collect()
            }
            Recipients::Watchers => {
                let before = watchers.len();
                watchers.retain(|_, watcher| match &watcher.only {
                    None => watcher.sender.send(event),
                    Some(only) => {
                        let rooms = rooms.listing(Some(only));
                        watcher.sender.send(&Published::new(None, RoomEvent::Rooms { rooms }))
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
