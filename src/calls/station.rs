//! Stations: devices with a name, which can be called. One is known by a key that it alone has, also after it was away.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::Owner;
use crate::rooms::{StationPresence, clean_name, unique_name};

use super::phone::Phone;
use super::{Calls, Effect};

/// Rooms that a station may say it belongs to.
pub const MAX_ROOMS: usize = 64;

/// When a station was last there is kept to so many seconds: whoever comes and goes all the time wears no disk out.
const KEPT_AGAIN: u64 = 60;

/// Identity of a station: the id of its room on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StationId(pub String);

impl fmt::Display for StationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a station comes back with; told to it alone, since whoever has it is it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StationKey(Uuid);

impl StationKey {
    /// Of a new station.
    pub(super) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Reads what a client shows; what was never a key of ours is none.
    pub fn of_text(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Debug for StationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StationKey")
    }
}

/// One connection of a station: the same page may be open twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(super) u64);

/// One station.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) name: String,
    pub(super) key: StationKey,
    /// When it was last there, in seconds since 1970.
    pub(super) seen: u64,
    /// The same, as it is kept: see [`KEPT_AGAIN`].
    kept: u64,
    /// Its connections, each with the rooms that it listens to: whoever calls the room calls it.
    pub(super) connections: BTreeMap<ConnectionId, Vec<String>>,
    /// Since when it has none.
    pub(super) gone: Option<Instant>,
    /// Where it rings besides, also while it has none.
    pub(super) phone: Option<Phone>,
    /// Who answers for it, since the start.
    maker: Option<Owner>,
}

impl Station {
    pub(super) fn is_here(&self) -> bool {
        !self.connections.is_empty()
    }

    /// Whether it listens to this room, or, of all, to any.
    pub(super) fn listens_to(&self, room: Option<&str>) -> bool {
        let of_phone = self.phone.iter().filter(|_| !self.is_here()).flat_map(|phone| &phone.rooms);
        room.is_none_or(|room| self.connections.values().flatten().chain(of_phone).any(|it| it == room))
    }

    fn presence(&self) -> StationPresence {
        match &self.phone {
            _ if self.is_here() => StationPresence::Here,
            Some(_) => StationPresence::Phone,
            None => StationPresence::Away,
        }
    }
}

/// A station as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StationInfo {
    /// Which.
    pub id: StationId,
    /// How people call it.
    pub name: String,
    /// Whether it is there.
    pub presence: StationPresence,
    /// When it was last there, in seconds since 1970.
    pub seen: u64,
    /// The phone on which it rings besides, by what Home Assistant calls it.
    pub phone: Option<String>,
}

/// A device does not become a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnterError {
    /// Nobody could call it anything.
    #[error("A device needs a name before it can be called")]
    NoName,
    /// Whoever it belongs to has enough of them.
    #[error("This address has {0} devices with names, as many as limits.share leaves to one; remove one of them first")]
    TooManyOfOne(usize),
    /// All that there may be are here.
    #[error("There are {0} devices with names, as many as calls.stations allows; remove one of them first")]
    TooMany(usize),
}

impl EnterError {
    /// For programs, as the protocol has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoName => "bad_message",
            Self::TooManyOfOne(_) | Self::TooMany(_) => "full",
        }
    }
}

impl Calls {
    /// Whose key this is.
    pub fn station_of(&self, key: StationKey) -> Option<&StationId> {
        self.stations.iter().find(|(_, station)| station.key == key).map(|(id, _)| id)
    }

    /// A station that was kept.
    pub fn restore(&mut self, id: StationId, name: String, key: StationKey, seen: u64) {
        let (connections, gone, phone, maker) = (BTreeMap::new(), None, None, None);
        self.stations.insert(id, Station { name, key, seen, kept: seen, connections, gone, phone, maker });
    }

    /// Name that a station may have which wants to be called so: `key` is what it has itself.
    ///
    /// # Errors
    /// When nothing is left of it.
    pub fn free_name(&self, wanted: &str, key: Option<StationKey>) -> Result<String, EnterError> {
        if clean_name(wanted).is_empty() {
            return Err(EnterError::NoName);
        }
        let others = self.stations.values().filter(|station| Some(station.key) != key);
        Ok(unique_name(wanted, others.map(|station| station.name.as_str())))
    }

    /// Makes room for one more station: the one that was away the longest goes, if there must be one.
    ///
    /// # Errors
    /// When its owner has enough of them, or all are here.
    pub fn make_room(&mut self, now: Instant, owner: &Owner) -> Result<(), EnterError> {
        let (most, share) = (self.settings.stations, self.share(self.settings.stations));
        if self.stations.values().filter(|station| station.maker.as_ref() == Some(owner)).count() >= share {
            return Err(EnterError::TooManyOfOne(share));
        }
        if self.stations.len() < most {
            return Ok(());
        }
        let away = self.stations.iter().filter(|(_, station)| !station.is_here());
        let longest = away.min_by_key(|(_, station)| station.seen).map(|(id, _)| id.clone());
        let longest = longest.ok_or(EnterError::TooMany(most))?;
        self.counters.displaced += 1;
        self.forget(now, &longest);
        Ok(())
    }

    /// A new station.
    pub fn add(&mut self, id: &StationId, name: String, owner: Owner) -> StationKey {
        let key = StationKey::random();
        self.restore(id.clone(), name, key, 0);
        self.stations.entry(id.clone()).and_modify(|station| station.maker = Some(owner));
        key
    }

    /// A station is there by one more connection, under this name; it listens to these rooms.
    pub fn come(&mut self, at: SystemTime, id: &StationId, name: &str, rooms: Vec<String>) -> ConnectionId {
        let connection = ConnectionId(self.next_connection);
        self.next_connection += 1;
        if let Some(station) = self.stations.get_mut(id) {
            let is_renamed = station.name != name;
            name.clone_into(&mut station.name);
            station.gone = None;
            let rooms: Vec<_> = rooms.into_iter().take(MAX_ROOMS).collect();
            let listens_elsewhere = station.phone.as_mut().is_some_and(|phone| phone.listen_to(&rooms));
            station.connections.insert(connection, rooms);
            self.note_seen(at, id, is_renamed || listens_elsewhere);
        }
        connection
    }

    /// One of its connections is over.
    pub fn go(&mut self, now: Instant, at: SystemTime, id: &StationId, connection: ConnectionId) {
        let Some(station) = self.stations.get_mut(id) else { return };
        if station.connections.remove(&connection).is_some() && !station.is_here() {
            station.gone = Some(now);
            self.note_seen(at, id, false);
        }
    }

    /// A station is there, or was until now.
    fn note_seen(&mut self, at: SystemTime, id: &StationId, is_changed: bool) {
        let Some(station) = self.stations.get_mut(id) else { return };
        station.seen = unix(at);
        // The clock on the wall may have been set back.
        if is_changed || station.seen.abs_diff(station.kept) >= KEPT_AGAIN {
            station.kept = station.seen;
            self.effects.push_back(Effect::KeepStation(id.clone()));
        }
        self.effects.push_back(Effect::Show(id.clone()));
    }

    /// Forgets a station; `false` where there is none. Whoever has its key is another one from then on.
    pub fn forget(&mut self, now: Instant, id: &StationId) -> bool {
        let is_known = self.stations.contains_key(id);
        if is_known {
            self.hang_up_everywhere(now, id);
            self.stations.remove(id);
            self.disturb(&id.0);
            self.forget_hours(|place| place != id.0);
            self.effects.push_back(Effect::Forget(id.clone()));
        }
        is_known
    }

    /// How others see a station.
    pub fn station(&self, id: &StationId) -> Option<StationInfo> {
        let station = self.stations.get(id)?;
        let (name, presence) = (station.name.clone(), station.presence());
        let phone = station.phone.as_ref().map(|phone| phone.service.clone());
        Some(StationInfo { id: id.clone(), name, presence, seen: station.seen, phone })
    }

    /// What a station comes back with, for whoever keeps it.
    pub fn key(&self, id: &StationId) -> Option<StationKey> {
        Some(self.stations.get(id)?.key)
    }

    /// All stations, by their ids.
    pub fn stations(&self) -> Vec<StationInfo> {
        self.stations.keys().filter_map(|id| self.station(id)).collect()
    }

    /// How a station is called, also one that is no more.
    pub(super) fn name_of(&self, id: &StationId) -> String {
        self.stations.get(id).map_or_else(|| id.0.clone(), |station| station.name.clone())
    }
}

/// Seconds since 1970.
pub(super) fn unix(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
