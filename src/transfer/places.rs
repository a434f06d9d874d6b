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
pub struct FileServerLimits {
    /// All together.
    pub clients: usize,
    /// From one address.
    pub per_address: usize,
    /// Without anything sent or said.
    pub idle: Duration,
}

/// What the file_server counts.
#[derive(Debug, Default)]
pub struct FileServerStats {
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
pub enum ClientRefused {
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
pub(super) struct ClientPlaces {
    pub(super) limits: FileServerLimits,
    pub(super) stats: Arc<FileServerStats>,
    /// By address, how many are taken.
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A client's place, given back when it goes.
pub(super) struct ClientPlace {
    places: ClientPlaces,
    address: IpAddr,
}

impl ClientPlaces {
    pub(super) fn new(limits: FileServerLimits) -> Self {
        Self { limits, stats: Arc::default(), taken: Arc::default() }
    }

    /// A place for one more client from this address.
    pub(super) fn take(&self, address: IpAddr) -> Result<ClientPlace, ClientRefused> {
        let (limits, stats, address) = (&self.limits, &self.stats, network(address));
        let mut places = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if places.values().sum::<usize>() >= limits.clients {
            stats.refused.fetch_add(1, Ordering::Relaxed);
            return Err(ClientRefused::Full(limits.clients));
        }
        let taken = places.entry(address).or_default();
        if *taken >= limits.per_address {
            stats.refused_by_address.fetch_add(1, Ordering::Relaxed);
            return Err(ClientRefused::FullForAddress(limits.per_address));
        }
        *taken += 1;
        stats.clients.fetch_add(1, Ordering::Relaxed);
        Ok(ClientPlace { places: self.clone(), address })
    }
}

impl Drop for ClientPlace {
    fn drop(&mut self) {
        let mut places = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = places.get_mut(&self.address) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.address);
            }
        }
        self.places.stats.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_by_address_and_in_all_and_come_back() {
        let places = ClientPlaces::new(FileServerLimits { clients: 3, per_address: 2, idle: Duration::ZERO });
        let (here, there) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let taken = [places.take(here), places.take(here)].map(|place| place.expect("a place"));
        assert!(matches!(places.take(here), Err(ClientRefused::FullForAddress(2))));
        let other = places.take(there).expect("a place");
        assert!(matches!(places.take(there), Err(ClientRefused::Full(3))));
        drop((taken, other));
        assert!(places.take(here).is_ok());
        assert!(places.taken.lock().expect("whole").is_empty());
        assert_eq!(places.stats.refused.load(Ordering::Relaxed), 1);
    }
    #[test]
    fn one_device_is_one_client_however_many_addresses_of_its_network_it_has() {
        let places = ClientPlaces::new(FileServerLimits { clients: 3, per_address: 1, idle: Duration::ZERO });
        let [first, second] = ["fd00::1", "fd00::2"].map(|address| places.take(address.parse().expect("an address")));
        assert!(first.is_ok() && matches!(second, Err(ClientRefused::FullForAddress(1))));
    }
}
