//! How many clients are served at once, and what is counted of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::network;
use crate::engine::{ChannelStats, ConnectError};

/// How many clients, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct CourierLimits {
    /// All together.
    pub clients: usize,
    /// From one address.
    pub per_address: usize,
    /// Without anything sent or said.
    pub idle: Duration,
}

/// What the courier counts.
#[derive(Debug, Default)]
pub struct CourierStats {
    /// Clients now.
    pub clients: AtomicUsize,
    /// Clients over the limit.
    pub refused: AtomicU64,
    /// Clients over the limit of their address.
    pub refused_by_address: AtomicU64,
    /// Clients that did not open their channel in time.
    pub timed_out: AtomicU64,
    /// Clients that were idle for too long.
    pub idled_out: AtomicU64,
    /// Files that were sent to their last chunk.
    pub completed: AtomicU64,
    /// Files that were replaced or deleted while they were sent, or could not be read.
    pub failed: AtomicU64,
    /// Of the channels.
    pub channels: Arc<ChannelStats>,
    /// Messages of clients that talk faster than they read.
    pub dropped: AtomicU64,
}

/// A client is not served.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// `files.clients` are served.
    #[error("Too many clients at once: {0}; files.clients sets how many may be")]
    Full(usize),
    /// `files.per_address` of its address are.
    #[error("Too many connections from this address at once: {0}; files.per_address sets how many may be")]
    FullForAddress(usize),
    /// Its connection was not opened.
    #[error("{0}")]
    Connection(#[from] ConnectError),
}

/// The places that there are. Cheap to clone.
#[derive(Clone)]
pub(super) struct Seats {
    pub(super) limits: CourierLimits,
    pub(super) stats: Arc<CourierStats>,
    /// By address, how many are taken.
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A client's place, given back when it goes.
pub(super) struct Seat {
    seats: Seats,
    address: IpAddr,
}

impl Seats {
    pub(super) fn new(limits: CourierLimits) -> Self {
        Self { limits, stats: Arc::default(), taken: Arc::default() }
    }

    /// A place for one more client from this address.
    pub(super) fn take(&self, address: IpAddr) -> Result<Seat, Refused> {
        let (limits, stats, address) = (&self.limits, &self.stats, network(address));
        let mut seats = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if seats.values().sum::<usize>() >= limits.clients {
            stats.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Refused::Full(limits.clients));
        }
        let taken = seats.entry(address).or_default();
        if *taken >= limits.per_address {
            stats.refused_by_address.fetch_add(1, Ordering::Relaxed);
            return Err(Refused::FullForAddress(limits.per_address));
        }
        *taken += 1;
        stats.clients.fetch_add(1, Ordering::Relaxed);
        Ok(Seat { seats: self.clone(), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.get_mut(&self.address) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.address);
            }
        }
        self.seats.stats.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_by_address_and_in_all_and_come_back() {
        let seats = Seats::new(CourierLimits { clients: 3, per_address: 2, idle: Duration::ZERO });
        let (here, there) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let taken = [seats.take(here), seats.take(here)].map(|seat| seat.expect("a place"));
        assert!(matches!(seats.take(here), Err(Refused::FullForAddress(2))));
        let other = seats.take(there).expect("a place");
        assert!(matches!(seats.take(there), Err(Refused::Full(3))));
        drop((taken, other));
        assert!(seats.take(here).is_ok());
        assert!(seats.taken.lock().expect("whole").is_empty());
        assert_eq!(seats.stats.refused.load(Ordering::Relaxed), 1);
    }
    #[test]
    fn one_device_is_one_client_however_many_addresses_of_its_network_it_has() {
        let seats = Seats::new(CourierLimits { clients: 3, per_address: 1, idle: Duration::ZERO });
        let [first, second] = ["fd00::1", "fd00::2"].map(|address| seats.take(address.parse().expect("an address")));
        assert!(first.is_ok() && matches!(second, Err(Refused::FullForAddress(1))));
    }
}
