//! Places, of which there are so many in all, and so many for one owner: nobody takes what is there for everybody.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::Owner;

/// However small a part of the whole is, one device may have so many: a page open twice, a player, a phone in a pocket.
const LEAST_SHARE: usize = 8;

/// How many of so many one owner may have, of a percentage of them.
pub fn share_of(most: usize, percent: u8) -> usize {
    (most * usize::from(percent) / 100).max(LEAST_SHARE).min(most)
}

/// There is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// For anybody.
    #[error("there are {0} already, as many as there may be at once")]
    All(u64),
    /// For this owner.
    #[error("this address has {0} already, as many as one may have at once; limits.share sets how many")]
    Share(u64),
}

/// Places of one kind; what is held may be a thing or bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: u64,
    share: u64,
    taken: Mutex<TakenPlaces>,
    refused: AtomicU64,
    refused_share: AtomicU64,
}

#[derive(Debug, Default)]
struct TakenPlaces {
    all: u64,
    by_owner: HashMap<Owner, u64>,
}

impl Places {
    /// So many, of which one owner may have this percentage.
    pub fn new(most: usize, percent: u8) -> Self {
        Self::shared(most as u64, share_of(most, percent) as u64)
    }

    /// So many, of which one owner may have that many.
    pub fn shared(most: u64, share: u64) -> Self {
        let (refused, refused_share) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { most, share: share.min(most), taken: Mutex::default(), refused, refused_share }))
    }

    /// So many, for whomever.
    pub fn unshared(most: usize) -> Self {
        Self::shared(most as u64, most as u64)
    }

    /// Takes one, to be held as long as what it is for.
    ///
    /// # Errors
    /// When there is none; counted.
    pub fn take(&self, owner: &Owner) -> Result<Place, Full> {
        self.take_many(owner, 1)
    }

    /// Takes several at once, such as bytes.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_many(&self, owner: &Owner, amount: u64) -> Result<Place, Full> {
        self.reserve(owner, amount)?;
        Ok(Place { places: self.clone(), owner: owner.clone(), amount })
    }

    fn reserve(&self, owner: &Owner, amount: u64) -> Result<(), Full> {
        let Inner { most, refused, refused_share, .. } = &*self.0;
        let share = self.share_of(owner);
        let mut taken = self.lock();
        let own = taken.by_owner.get(owner).copied().unwrap_or(0);
        if taken.all.saturating_add(amount) > *most {
            refused.fetch_add(1, Ordering::Relaxed);
            return Err(Full::All(*most));
        }
        if own.saturating_add(amount) > share {
            refused_share.fetch_add(1, Ordering::Relaxed);
            return Err(Full::Share(share));
        }
        taken.all += amount;
        *taken.by_owner.entry(owner.clone()).or_default() += amount;
        Ok(())
    }

    /// How many are taken.
    pub fn taken(&self) -> u64 {
        self.lock().all
    }

    /// How often there was none, for whatever reason.
    pub fn refused_ever(&self) -> u64 {
        self.refused() + self.refused_share()
    }

    /// How often there was none left for anybody.
    fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// How often there was none for an owner who had all that one may have.
    pub fn refused_share(&self) -> u64 {
        self.0.refused_share.load(Ordering::Relaxed)
    }

    /// This machine answers for itself.
    fn share_of(&self, owner: &Owner) -> u64 {
        if *owner == Owner::Machine { self.0.most } else { self.0.share }
    }

    /// The numbers are right at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, TakenPlaces> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken; free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    owner: Owner,
    amount: u64,
}

impl Place {
    /// Takes so many more, to be held as long.
    ///
    /// # Errors
    /// As [`Places::take`]; what is held stays so.
    pub fn grow(&mut self, amount: u64) -> Result<(), Full> {
        self.places.reserve(&self.owner, amount)?;
        self.amount += amount;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= self.amount;
        if let Some(own) = taken.by_owner.get_mut(&self.owner) {
            *own -= self.amount;
            if *own == 0 {
                taken.by_owner.remove(&self.owner);
            }
        }
    }
}

/// Places of what the daemon holds for clients. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Allotments {
    /// Connections of the main port.
    pub http: Places,
    /// Of its twin with TLS.
    pub https: Places,
    /// Of the MP3 port.
    pub mp3: Places,
    /// TLS handshakes.
    pub handshakes: Places,
    /// WebSockets.
    pub sockets: Places,
    /// Listeners to live audio.
    pub listeners: Places,
    /// Encoders of it.
    pub encoders: Places,
    /// What the media threads hold.
    pub media: MediaPlaces,
    /// Clients of files.
    pub files: Places,
    /// Connections for video.
    pub video: Places,
}

/// Places of what media threads hold, for all of them together.
#[derive(Debug, Clone)]
pub struct MediaPlaces {
    /// Peer connections.
    pub peers: Places,
    /// Live streams of those who send them alone: participants have theirs by being there.
    pub streams: Places,
}

/// Without a bound of their own, but that of the core.
impl Default for MediaPlaces {
    fn default() -> Self {
        let unbounded = || Places::unshared(usize::MAX);
        Self { peers: unbounded(), streams: unbounded() }
    }
}

impl Allotments {
    /// Each with its name.
    pub fn all(&self) -> [(&'static str, &Places); 11] {
        [
            ("http_connections", &self.http),
            ("https_connections", &self.https),
            ("mp3_connections", &self.mp3),
            ("handshakes", &self.handshakes),
            ("sockets", &self.sockets),
            ("mp3_listeners", &self.listeners),
            ("encoders", &self.encoders),
            ("peers", &self.media.peers),
            ("streams", &self.media.streams),
            ("file_clients", &self.files),
            ("video_peers", &self.video),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};

    use super::*;

    fn device(number: u16) -> Owner {
        IpAddr::from([192, 168, (number >> 8) as u8, number as u8]).into()
    }

    #[test]
    fn one_owner_takes_a_share_and_the_rest_is_for_the_others() {
        let places = Places::new(100, 25);
        let greedy: Vec<_> = (0..100).map_while(|_| places.take(&device(1)).ok()).collect();
        assert_eq!((greedy.len(), places.refused_share()), (25, 1));
        assert_eq!(places.take(&device(1)).err(), Some(Full::Share(25)));
        let others: Vec<_> = (2..100).map_while(|number| places.take(&device(number)).ok()).collect();
        assert_eq!((others.len(), places.taken()), (75, 100));
        assert_eq!((places.take(&device(200)).err(), places.refused()), (Some(Full::All(100)), 2));
        drop(greedy);
        assert!(places.take(&device(1)).is_ok());
        drop(others);
        assert!(places.lock().by_owner.is_empty(), "nobody is remembered who has nothing");
    }

    #[test]
    fn addresses_of_one_network_are_one_owner_and_users_are_owners_wherever_they_are() {
        let places = Places::shared(100, 2);
        let neighbour = |last: u16| Owner::from(IpAddr::from(Ipv6Addr::new(0xfd00, 1, 2, 3, 9, 9, 9, last)));
        let _held = [places.take(&neighbour(1)), places.take(&neighbour(2))];
        assert!(places.take(&neighbour(3)).is_err());
        let user = |name: &str| Owner::User(name.into());
        let _held = [places.take(&user("a")), places.take(&user("a"))];
        assert!(places.take(&user("a")).is_err() && places.take(&user("b")).is_ok());
    }

    #[test]
    fn bytes_are_places_too_and_a_small_limit_leaves_a_household_its_share() {
        let memory = Places::shared(1_000, 600);
        let first = memory.take_many(&device(1), 600).expect("room");
        assert_eq!(memory.take_many(&device(1), 1).err(), Some(Full::Share(600)));
        assert_eq!(memory.take_many(&device(2), 401).err(), Some(Full::All(1_000)));
        assert_eq!(memory.take_many(&device(2), u64::MAX).err(), Some(Full::All(1_000)));
        drop(first);
        assert_eq!(memory.taken(), 0);
        let mut growing = memory.take_many(&device(1), 500).expect("room");
        assert_eq!((growing.grow(100), growing.grow(1)), (Ok(()), Err(Full::Share(600))));
        assert_eq!(memory.taken(), 600);
        drop(growing);
        assert_eq!(memory.taken(), 0);
        let few = Places::new(10, 25);
        assert_eq!((0..10).map_while(|_| few.take(&device(1)).ok()).collect::<Vec<_>>().len(), 8);
        assert!(memory.take_many(&Owner::Machine, 1_000).is_ok(), "this machine itself has no share");
    }
}
