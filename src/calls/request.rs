//! A call that is to be made: by whom, to whom; and why one is not.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::domain::{Owner, Priority};
use crate::rooms::clean_name;

use super::call::Caller;
use super::{EVERYBODY, MAX_TARGETS};

/// Seconds for which a call may ring.
const RING_SECONDS: RangeInclusive<u64> = 5..=600;

/// Who calls, where they do not say.
const NAMELESS: &str = "Doorbell";

/// Whom one may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All stations.
    Everybody,
    /// One station, or all that listen to a room: by its id.
    Place(String),
}

/// Whom one calls, as a list, or in one text with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTargets(pub Vec<Target>);

impl From<&str> for Target {
    fn from(written: &str) -> Self {
        match written.trim() {
            EVERYBODY => Self::Everybody,
            place => Self::Place(place.strip_prefix("room:").unwrap_or(place).to_owned()),
        }
    }
}

impl From<&str> for CallTargets {
    fn from(written: &str) -> Self {
        Self(written.split(',').map(Target::from).collect())
    }
}

impl<'de> Deserialize<'de> for CallTargets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Several(Vec<String>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::One(text) => text.as_str().into(),
            Written::Several(texts) => Self(texts.iter().map(|text| Target::from(text.as_str())).collect()),
        })
    }
}

/// A call as a program, an automation or a doorbell asks for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    to: CallTargets,
    /// How people call whoever calls.
    name: Option<String>,
    /// Where whoever answers is heard, by the id of the room.
    room: Option<String>,
    /// For how long it rings.
    seconds: Option<u64>,
    /// Whether it gets through to those who do not want to be disturbed.
    #[serde(default)]
    priority: Priority,
}

impl CallRequest {
    /// Of nobody in particular, to one place.
    pub fn to(place: &str) -> Self {
        Self { to: place.into(), name: None, room: None, seconds: None, priority: Priority::Normal }
    }

    /// Of a doorbell of this name, to these places.
    pub fn of_doorbell(name: &str, to: &[String]) -> Self {
        let to = CallTargets(to.iter().map(|place| place.as_str().into()).collect());
        Self { to, name: Some(name.to_owned()), room: None, seconds: None, priority: Priority::Normal }
    }

    /// The same, of whoever is called so, where it does not say who calls.
    pub fn or_named(self, name: Option<&str>) -> Self {
        Self { name: self.name.or_else(|| name.map(str::to_owned)), ..self }
    }

    /// Its priority.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// The call that it asks for; `is_room` says which rooms there are.
    ///
    /// # Errors
    /// When there can be no such call.
    pub fn ring(self, owner: Owner, is_room: impl FnOnce(&str) -> bool) -> Result<Ring, CallError> {
        let Self { to, name, room, seconds, priority } = self;
        if seconds.is_some_and(|seconds| !RING_SECONDS.contains(&seconds)) {
            return Err(CallError::Seconds);
        }
        if let Some(room) = room.as_deref().filter(|room| !is_room(room)) {
            return Err(CallError::NoRoom(room.to_owned()));
        }
        let name = name.map(|name| clean_name(&name)).filter(|name| !name.is_empty());
        let from = Caller::Other { name: name.unwrap_or_else(|| NAMELESS.to_owned()), room };
        Ok(Ring { ring: seconds.map(Duration::from_secs), ..Ring::new(from, to.0, priority, owner) })
    }
}

/// A call that is to be made.
#[derive(Debug, Clone)]
pub struct Ring {
    /// By whom.
    pub from: Caller,
    /// To whom.
    pub to: Vec<Target>,
    /// How long it rings, if not as long as usual.
    pub ring: Option<Duration>,
    /// Whether it gets through to those who do not want to be disturbed.
    pub priority: Priority,
    /// Who answers for it.
    pub owner: Owner,
    /// Rooms in which devices may answer it by themselves.
    pub drop_in: BTreeSet<String>,
}

impl Ring {
    /// Rings as long as usual, and nobody answers it by themselves.
    pub fn new(from: Caller, to: Vec<Target>, priority: Priority, owner: Owner) -> Self {
        Self { from, to, ring: None, priority, owner, drop_in: BTreeSet::new() }
    }
}

/// Something cannot be done to a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Nobody is named, or nobody who could be called.
    #[error("Nobody is called {0:?}; GET /api/stations lists who can be called")]
    NoStation(String),
    /// Nobody at all could be called.
    #[error("There is no device with a name that could be called")]
    Nobody,
    /// More than one call may be to.
    #[error("A call is for {MAX_TARGETS} places at most")]
    TooManyTargets,
    /// It would ring for too short or too long.
    #[error("A call rings from 5 to 600 seconds")]
    Seconds,
    /// Whoever answers would be nowhere.
    #[error("There is no room {0:?}; GET /api/rooms lists those there are")]
    NoRoom(String),
    /// Who calls is no station.
    #[error("Give this device a name before you call somebody")]
    NotStation,
    /// Who calls is in another call.
    #[error("End the call that you are in first")]
    Engaged,
    /// One at a time would be too many.
    #[error("Too many calls; wait a few seconds")]
    TooFast,
    /// There are too many.
    #[error("There are {0} calls at once, as many as calls.max allows")]
    Full(usize),
    /// Whoever calls makes as many as one may.
    #[error("This address makes {0} calls at once, as many as limits.share leaves to one")]
    TooManyOfOne(usize),
    /// It is over, or never was.
    #[error("This call is over")]
    Over,
    /// Somebody else was faster.
    #[error("Somebody else has answered")]
    Answered,
    /// It is between others.
    #[error("This call is for others")]
    NotYours,
}

impl CallError {
    /// For programs, as the protocol has it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoStation(_) | Self::Nobody => "no_station",
            Self::TooManyTargets | Self::Seconds => "bad_message",
            Self::NoRoom(_) => "no_room",
            Self::NotStation => "out_of_order",
            Self::Engaged => "engaged",
            Self::TooFast => "too_fast",
            Self::Full(_) | Self::TooManyOfOne(_) => "full",
            Self::Over => "call_over",
            Self::Answered => "call_answered",
            Self::NotYours => "not_permitted",
        }
    }
}
