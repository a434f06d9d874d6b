//! Who may come into a room. Looking at a PIN takes its time, so there are two steps: `authorize_join` says whether one may
//! come in, or what to look at; whoever has a [`JoinPermit`] may `join`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::{Owner, RoomId};

use super::Rooms;
use super::event::{Recipients, RoomEvent};
use super::participant::ParticipantKey;
use super::pin::{FREE_GUESSES, Pin, PinHash};
use super::room::Room;

/// Who was kicked stays out for so long.
pub const KICKED_FOR: Duration = Duration::from_secs(60);

/// Kicked ones whom one room keeps in mind; the oldest may come back early.
pub const MAX_BANS: usize = 64;

/// Who asks, and what they may do whosever the room is.
#[derive(Debug, Clone, Default)]
pub struct Asker {
    /// Who answers for them, where that is known.
    pub owner: Option<Owner>,
    /// Whether they may do what a host may.
    pub admin: bool,
}

/// The permission to join one room, or to look into it.
#[derive(Debug)]
pub struct JoinPermit {
    pub(super) room: RoomId,
    /// By a PIN, rather than because there is none.
    guessed: bool,
}

/// Whether one may come in.
#[derive(Debug)]
pub enum JoinDecision {
    /// Yes.
    Open(JoinPermit),
    /// If the PIN is right.
    PinChallenge(PinChallenge),
}

/// A PIN that is still to be looked at.
#[derive(Debug)]
pub struct PinChallenge {
    pass: JoinPermit,
    /// Not even a PIN, if it is none.
    pin: Option<Pin>,
    hash: Arc<PinHash>,
}

impl PinChallenge {
    /// Looks at it. Takes about a millisecond.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn check(self) -> Result<JoinPermit, JoinError> {
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
    /// It is a station's, which alone hears what is said to it; others have to be seen there.
    #[error("This is said to one device: join it to hear it")]
    OfStation,
    /// Only those who have joined talk there.
    #[error("This room has a PIN, is locked, or is a broadcast: join it to talk there")]
    NotOpen,
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
            Self::OfStation | Self::NotOpen => "not_permitted",
        }
    }
}

/// Who may not come in for a while.
#[derive(Debug)]
pub(super) struct Ban {
    until: Instant,
    owner: Option<Owner>,
    /// Of somebody who had joined.
    key: Option<ParticipantKey>,
}

impl Room {
    /// Keeps somebody out for a while.
    pub(super) fn ban(&mut self, now: Instant, owner: Option<Owner>, key: Option<ParticipantKey>) {
        if self.bans.len() == MAX_BANS {
            self.bans.pop_front();
        }
        self.bans.push_back(Ban { until: now + KICKED_FOR, owner, key });
    }

    /// Whether somebody was sent out a moment ago, and may not come back yet.
    fn bans_out(&self, now: Instant, asker: &Asker, key: Option<ParticipantKey>) -> bool {
        let fits =
            |ban: &&Ban| ban.key.is_some() && ban.key == key || asker.owner.is_some() && ban.owner == asker.owner;
        self.bans.iter().filter(|ban| ban.until > now).any(|ban| fits(&ban))
    }

    /// Whoever has a key of somebody who is there, or is expected back, needs neither PIN nor an unlocked door.
    fn knows(&self, key: Option<ParticipantKey>) -> bool {
        let is_absent = |key| self.absent.iter().any(|absent| absent.who.key == key);
        key.is_some_and(|key| self.session_of_key(key).is_some() || is_absent(key))
    }

    /// Whether the host, the size of the room, or its lock keep somebody out.
    pub(super) fn admit(&mut self, now: Instant, asker: &Asker, key: Option<ParticipantKey>) -> Result<(), JoinError> {
        self.bans.retain(|ban| ban.until > now);
        let is_banned = self.bans_out(now, asker, key);
        let is_expected = key.is_some_and(|key| self.is_host_key(key) || self.session_of_key(key).is_some());
        match self.knows(key) {
            // Others at the same address may have been kicked: not this one.
            false if is_banned => Err(JoinError::Kicked),
            false if self.locked => Err(JoinError::Locked),
            _ if !is_expected && self.is_full_for(asker.owner.as_ref()) => Err(JoinError::Full),
            _ => Ok(()),
        }
    }
}

impl Rooms {
    /// Whether somebody may join, or what has to be looked at first.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn authorize_join(
        &mut self,
        now: Instant,
        asker: &Asker,
        room: RoomId,
        pin: Option<&str>,
        key: Option<ParticipantKey>,
    ) -> Result<JoinDecision, JoinError> {
        let found = self.rooms.get_mut(&room).ok_or(JoinError::NoRoom)?;
        if let Err(error) = found.admit(now, asker, key) {
            self.counters.full += u64::from(error == JoinError::Full);
            return Err(error);
        }
        self.authorize_look(now, asker, room, pin, key)
    }

    /// Whether somebody may hear what is said there without joining, or what has to be looked at first. It takes no
    /// place, so a full room keeps nobody out.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn authorize_listen(
        &mut self,
        now: Instant,
        asker: &Asker,
        room: RoomId,
        pin: Option<&str>,
    ) -> Result<JoinDecision, JoinError> {
        let found = self.rooms.get_mut(&room).ok_or(JoinError::NoRoom)?;
        if found.station.is_some() {
            return Err(JoinError::OfStation);
        }
        match found.admit(now, asker, None) {
            Err(error) if error != JoinError::Full => Err(error),
            _ => self.authorize_look(now, asker, room, pin, None),
        }
    }

    /// Whether somebody may be heard there without having joined, as players of recordings and programs are.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn authorize_talk(&self, now: Instant, asker: &Asker, room: RoomId) -> Result<(), JoinError> {
        let found = self.rooms.get(&room).ok_or(JoinError::NoRoom)?;
        match found.bans_out(now, asker, None) {
            true => Err(JoinError::Kicked),
            false if found.is_open() || asker.admin => Ok(()),
            false => Err(JoinError::NotOpen),
        }
    }

    /// Whether somebody who was let in to hear or talk without joining may go on: the room is there, and nobody sent
    /// them out. Locks and PINs are for those who come.
    pub fn may_stay(&self, now: Instant, asker: &Asker, room: RoomId) -> bool {
        self.rooms.get(&room).is_some_and(|room| !room.bans_out(now, asker, None))
    }

    /// Whether somebody may know who is there, or what has to be looked at first.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn authorize_look(
        &mut self,
        now: Instant,
        asker: &Asker,
        room: RoomId,
        pin: Option<&str>,
        key: Option<ParticipantKey>,
    ) -> Result<JoinDecision, JoinError> {
        let found = self.rooms.get_mut(&room).ok_or(JoinError::NoRoom)?;
        let hash = match &found.pin {
            Some(hash) if !found.knows(key) => Arc::clone(hash),
            _ => return Ok(JoinDecision::Open(JoinPermit { room, guessed: false })),
        };
        let pin = pin.ok_or(JoinError::PinNeeded)?.parse().ok();
        if !found.guesses.note(now, asker.owner.as_ref()) {
            self.counters.guesses_refused += 1;
            return Err(JoinError::TooFast);
        }
        Ok(JoinDecision::PinChallenge(PinChallenge { pass: JoinPermit { room, guessed: true }, pin, hash }))
    }

    /// What came of a guess: a right one is not held against whoever made it.
    pub fn note_guess(&mut self, asker: &Asker, guessed: &Result<JoinPermit, JoinError>) {
        match guessed {
            Ok(pass) if pass.guessed => {
                if let Some(room) = self.rooms.get_mut(&pass.room) {
                    room.guesses.forgive(asker.owner.as_ref());
                }
            }
            Ok(_) => {}
            Err(_) => self.counters.guesses_wrong += 1,
        }
    }

    /// Tells the host of a room when many guesses at its PIN were wrong: at ten, and each time they have doubled.
    pub fn tell_of_guesses(&mut self, room: RoomId) {
        let Some(found) = self.rooms.get(&room) else { return };
        let (wrong, host) = (found.guesses.wrong(), found.host_session());
        let is_told = wrong >= FREE_GUESSES && wrong % FREE_GUESSES == 0 && (wrong / FREE_GUESSES).is_power_of_two();
        if let Some(host) = host.filter(|_| is_told) {
            self.tell(Recipients::One(host), RoomEvent::PinGuessed { wrong });
        }
    }
}
