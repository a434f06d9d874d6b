//! A simulated network: seeded loss, delay, jitter (and with it reordering), duplication.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What a link does to each datagram, in each direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions {
    /// Share lost, 0 to 1.
    pub loss: f64,
    /// Delivered twice, 0 to 1.
    pub duplicate: f64,
    pub delay: Duration,
    /// Up to so much more delay, evenly spread: datagrams overtake each other.
    pub jitter: Duration,
}

impl Conditions {
    /// A cable: half a millisecond.
    pub const LAN: Self = Self { loss: 0.0, duplicate: 0.0, delay: Duration::from_micros(500), jitter: Duration::ZERO };

    /// A bad corner of the house.
    pub const BAD_WIFI: Self =
        Self { loss: 0.05, duplicate: 0.02, delay: Duration::from_millis(3), jitter: Duration::from_millis(30) };
}

/// A datagram under way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Datagram {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub payload: Vec<u8>,
}

/// Everything that is under way.
pub struct Network {
    random: StdRng,
    under_way: BinaryHeap<Reverse<(Instant, u64, Datagram)>>,
    sent: u64,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), under_way: BinaryHeap::new(), sent: 0 }
    }

    pub fn send(&mut self, now: Instant, datagram: Datagram, conditions: Conditions) {
        let copies = 1 + usize::from(self.random.random_bool(conditions.duplicate));
        for _ in 0..copies {
            if self.random.random_bool(conditions.loss) {
                continue;
            }
            let delay = conditions.delay + conditions.jitter.mul_f64(self.random.random());
            self.sent += 1;
            self.under_way.push(Reverse((now + delay, self.sent, datagram.clone())));
        }
    }

    /// When the next datagram arrives.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse((at, ..))| *at)
    }

    pub fn arrive(&mut self, now: Instant) -> Option<Datagram> {
        if self.next_arrival()? > now {
            return None;
        }
        self.under_way.pop().map(|Reverse((_, _, datagram))| datagram)
    }
}
