//! What is told on its way to the clients' sockets. Each message is written once, however many it is for; a client
//! that does not read is given up, and no other waits for it.

use std::collections::HashMap;
use std::sync::Arc;

use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::Rooms;
use super::super::notice::{Departure, Notice, Order, Recipients, RoomMessage};
use super::super::participant::Visit;

/// Messages that wait for one client's socket; one more, and the client is given up.
pub const WIRE_CAPACITY: usize = 256;

/// Orders that wait for the media side: a full room that is closed is 500 at once.
const ORDERS_CAPACITY: usize = 4_096;

/// The way to one client's socket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Wire {
    queue: mpsc::Sender<Arc<str>>,
    cut: CancellationToken,
}

impl Wire {
    /// A wire, and its other end: frames to be sent as they are.
    pub fn new() -> (Self, mpsc::Receiver<Arc<str>>) {
        let (queue, frames) = mpsc::channel(WIRE_CAPACITY);
        (Self { queue, cut: CancellationToken::new() }, frames)
    }

    /// Waits until the client is given up, because it does not read: its socket is to be closed.
    pub async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Whether the client keeps up.
    pub(super) fn send(&self, frame: &Arc<str>) -> bool {
        match self.queue.try_send(Arc::clone(frame)) {
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.cut.cancel();
                false
            }
            // A socket that has just been closed: whoever it belongs to says so himself.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => true,
        }
    }
}

/// Whoever is told the list of rooms.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) wire: Wire,
    /// The only room of which they are told.
    pub(super) only: Option<String>,
}

/// The post office: the rooms, and the ways to everybody whom they tell something.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) rooms: Rooms,
    pub(super) wires: HashMap<Visit, Wire>,
    pub(super) watchers: HashMap<u64, Watcher>,
    pub(super) next_watcher: u64,
    /// To whoever carries them out; before there is somebody, there is no media to order about.
    orders: Option<mpsc::Sender<Order>>,
    /// Clients that were given up.
    pub(super) too_slow: u64,
    /// Orders for which the media side was too slow.
    pub(super) orders_lost: u64,
}

impl Post {
    pub(super) fn new(rooms: Rooms) -> Self {
        let (wires, watchers) = (HashMap::new(), HashMap::new());
        Self { rooms, wires, watchers, next_watcher: 0, orders: None, too_slow: 0, orders_lost: 0 }
    }

    pub(super) fn orders(&mut self) -> mpsc::Receiver<Order> {
        let (sender, orders) = mpsc::channel(ORDERS_CAPACITY);
        self.orders = Some(sender);
        orders
    }

    /// Delivers whatever has come of an operation.
    pub(super) fn deliver(&mut self, now: Instant) {
        while let Some(Notice { to, message }) = self.rooms.poll_notice() {
            self.send(now, &to, &message.to_json().into());
        }
        while let Some(order) = self.rooms.poll_order() {
            self.order(order);
        }
    }

    /// Sends one frame; for the others, whoever does not keep up is gone.
    pub(super) fn send(&mut self, now: Instant, to: &Recipients, frame: &Arc<str>) {
        for visit in self.slow_ones(to, frame) {
            self.too_slow += 1;
            self.wires.remove(&visit);
            self.rooms.leave(now, visit, Departure::Gone);
        }
    }

    fn slow_ones(&mut self, to: &Recipients, frame: &Arc<str>) -> Vec<Visit> {
        let Self { rooms, wires, watchers, too_slow, .. } = self;
        let is_slow = |visit: &Visit| wires.get(visit).is_some_and(|wire| !wire.send(frame));
        match to {
            Recipients::One(visit) => Some(*visit).into_iter().filter(is_slow).collect(),
            Recipients::Those(visits) => visits.iter().copied().filter(is_slow).collect(),
            Recipients::Room(room) => rooms.visits(*room).filter(is_slow).collect(),
            Recipients::RoomBut(room, but) => {
                rooms.visits(*room).filter(|visit| visit != but).filter(is_slow).collect()
            }
            Recipients::Watchers => {
                let before = watchers.len();
                watchers.retain(|_, watcher| match &watcher.only {
                    None => watcher.wire.send(frame),
                    Some(only) => {
                        let rooms = rooms.list().into_iter().filter(|room| room.id == *only).collect();
                        watcher.wire.send(&RoomMessage::Rooms { rooms }.to_json().into())
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
