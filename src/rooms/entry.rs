//! Who may come into a room. Looking at a PIN takes its time, so there are two steps: `knock` says whether one may
//! come in, or what to look at; whoever has a [`Pass`] may `join`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::RoomId;

use super::Rooms;
use super::participant::{Key, Participant};
use super::pin::{Pin, PinHash};
use super::room::Room;

/// Who was kicked stays out for so long.
pub const KICKED_FOR: Duration = Duration::from_secs(60);

/// Kicked ones whom one room keeps in mind; the oldest may come back early.
pub const MAX_BANS: usize = 64;

/// Who asks, and what he may do anywhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker {
    /// Where he is; not known of those who come through Home Assistant.
    pub address: Option<IpAddr>,
    /// Whether he may do what a host may.
    pub admin: bool,
}

/// The permission to join one room, or to look into it.
#[derive(Debug)]
pub struct Pass {
    pub(super) room: RoomId,
    /// By a PIN, rather than because there is none.
    guessed: bool,
}

/// Whether one may come in.
#[derive(Debug)]
pub enum Entry {
    /// Yes.
    Open(Pass),
    /// If the PIN is right.
    Guess(Guess),
}

/// A PIN that is still to be looked at.
#[derive(Debug)]
pub struct Guess {
    pass: Pass,
    /// Not even a PIN, if it is none.
    pin: Option<Pin>,
    hash: Arc<PinHash>,
}

impl Guess {
    /// Looks at it. Takes about a millisecond.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn check(self) -> Result<Pass, JoinError> {
        match self.pin {
            Some(pin) if self.hash.is(&pin) => Ok(self.pass),
            _ => Err(JoinError::WrongPin),
        }
    }
}

/// Somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// It is not there, or no more.
    #[error("There is no such room")]
    NoRoom,
    /// It has one, and none was said.
    #[error("This room needs a PIN")]
    PinNeeded,
    /// It has another one.
    #[error("The PIN is wrong")]
    WrongPin,
    /// Whether it was right is not said.
    #[error("Too many PINs were tried; wait a minute")]
    TooFast,
    /// By its host.
    #[error("The room is locked")]
    Locked,
    /// A moment ago.
    #[error("You were sent out of this room; come back in a minute")]
    Kicked,
    /// As many are there as may be.
    #[error("The room is full")]
    Full,
}

impl JoinError {
    /// For programs, as the protocol has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoRoom => "no_room",
            Self::PinNeeded => "pin_needed",
            Self::WrongPin => "wrong_pin",
            Self::TooFast => "too_fast",
            Self::Locked => "locked",
            Self::Kicked => "kicked",
            Self::Full => "full",
        }
    }
}

/// Who may not come in for a while.
#[derive(Debug)]
pub(super) struct Ban {
    until: Instant,
    address: Option<IpAddr>,
    key: Key,
}

impl Room {
    /// Keeps somebody out for a while.
    pub(super) fn ban(&mut self, now: Instant, participant: &Participant) {
        if self.bans.len() == MAX_BANS {
            self.bans.pop_front();
        }
        let address = participant.address.map(|address| address.to_canonical());
        self.bans.push_back(Ban { until: now + KICKED_FOR, address, key: participant.who.key });
    }

    /// Whoever has a key of somebody who is there, or is expected back, needs neither PIN nor an unlocked door.
    fn knows(&self, key: Option<Key>) -> bool {
        let is_absent = |key| self.absent.iter().any(|absent| absent.who.key == key);
        key.is_some_and(|key| self.visit_of_key(key).is_some() || is_absent(key))
    }

    /// Whether the host, the size of the room, or its lock keep somebody out.
    pub(super) fn admit(&mut self, now: Instant, asker: &Asker, key: Option<Key>) -> Result<(), JoinError> {
        self.bans.retain(|ban| ban.until > now);
        let address = asker.address.map(|address| address.to_canonical());
        let is_banned = |ban: &Ban| Some(ban.key) == key || address.is_some() && ban.address == address;
        let is_expected = key.is_some_and(|key| self.is_host_key(key) || self.visit_of_key(key).is_some());
        match self.knows(key) {
            // Others at the same address may have been kicked: not he.
            false if self.bans.iter().any(is_banned) => Err(JoinError::Kicked),
            false if self.locked => Err(JoinError::Locked),
            _ if !is_expected && self.is_full() => Err(JoinError::Full),
            _ => Ok(()),
        }
    }
}

impl Rooms {
    /// Whether somebody may join, or what has to be looked at first.
    ///
    /// # Errors
    /// When he may not, and why.
    pub fn knock(
        &mut self,
        now: Instant,
        asker: &Asker,
        room: RoomId,
        pin: Option<&str>,
        key: Option<Key>,
    ) -> Result<Entry, JoinError> {
        let found = self.rooms.get_mut(&room).ok_or(JoinError::NoRoom)?;
        if let Err(error) = found.admit(now, asker, key) {
            self.counters.full += u64::from(error == JoinError::Full);
            return Err(error);
        }
        self.look_in(now, asker, room, pin, key)
    }

    /// Whether somebody may hear what is said there without joining, or what has to be looked at first. It takes no
    /// place, so a full room keeps nobody out.
    ///
    /// # Errors
    /// When he may not, and why.
    pub fn overhear(
        &mut self,
        now: Instant,
        asker: &Asker,
        room: RoomId,
        pin: Option<&str>,
    ) -> Result<Entry, JoinError> {
        let found = self.rooms.get_mut(&room).ok_or(JoinError::NoRoom)?;
        match found.admit(now, asker, None) {
            Err(error) if error != JoinError::Full => Err(error),
            _ => self.look_in(now, asker, room, pin, None),
        }
    }

    /// Whether somebody may know who is there, or what has to be looked at first.
    ///
    /// # Errors
    /// When he may not, and why.
    pub fn look_in(
        &mut self,
        now: Instant,
        asker: &Asker,
        room: RoomId,
        pin: Option<&str>,
        key: Option<Key>,
    ) -> Result<Entry, JoinError> {
        let found = self.rooms.get_mut(&room).ok_or(JoinError::NoRoom)?;
        let hash = match &found.pin {
            Some(hash) if !found.knows(key) => Arc::clone(hash),
            _ => return Ok(Entry::Open(Pass { room, guessed: false })),
        };
        let pin = pin.ok_or(JoinError::PinNeeded)?.parse().ok();
        if !found.guesses.note(now, asker.address) {
            self.counters.guesses_refused += 1;
            return Err(JoinError::TooFast);
        }
        Ok(Entry::Guess(Guess { pass: Pass { room, guessed: true }, pin, hash }))
    }

    /// What came of a guess: a right one is not held against whoever made it.
    pub fn note_guess(&mut self, asker: &Asker, guessed: &Result<Pass, JoinError>) {
        match guessed {
            Ok(pass) if pass.guessed => {
                if let Some(room) = self.rooms.get_mut(&pass.room) {
                    room.guesses.forgive(asker.address);
                }
            }
            Ok(_) => {}
            Err(_) => self.counters.guesses_wrong += 1,
        }
    }
}
