//! A call: who calls whom, how far it is, and what came of it.

use std::collections::BTreeSet;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::Owner;

use super::Calls;
use super::station::StationId;

/// Identity of a call, the same everywhere: on pages, in events, in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub Uuid);

/// Whoever calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A station: whoever answers talks with it, in its room.
    Station(StationId),
    /// A doorbell, an automation, a program.
    Other {
        /// How people call it.
        name: String,
        /// Where whoever answers is heard, if anywhere.
        room: Option<String>,
    },
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) from: Caller,
    /// Who answers for it.
    pub(super) owner: Owner,
    /// Whoever is called, in the order in which they were named.
    pub(super) to: Vec<(StationId, CalleeState)>,
    /// Those of them who may answer by themselves.
    pub(super) drop_in: BTreeSet<StationId>,
    pub(super) state: CallState,
    /// When it began, in seconds since 1970.
    pub(super) at: u64,
    /// It rings no longer than this.
    pub(super) until: Instant,
    /// When it was answered.
    pub(super) answered: Option<Instant>,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CallState {
    /// It rings.
    Ringing,
    /// Somebody has answered, and talks.
    Answered {
        /// Who.
        by: StationId,
    },
    /// It is over.
    Over {
        /// What came of it.
        outcome: CallOutcome,
    },
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// It was answered.
    Answered,
    /// All who could have answered declined.
    Declined,
    /// Nobody answered in time, or nobody was there.
    Missed,
    /// Whoever called gave it up.
    Cancelled,
    /// All who were there talk with others.
    Busy,
}

/// How a call goes for one who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalleeState {
    /// It rings there.
    Ringing,
    /// They have answered.
    Answered,
    /// They do not want to.
    Declined,
    /// It rings no longer there: it took too long, it was given up, or somebody else answered.
    Stopped,
    /// They talk with somebody else.
    Busy,
    /// They do not want to be disturbed.
    DoNotDisturb,
    /// They are not there.
    Away,
}

/// A call as everybody sees it who has to do with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallInfo {
    /// Which.
    pub id: CallId,
    /// Who calls.
    pub from: CallerInfo,
    /// Who is called.
    pub to: Vec<CalleeInfo>,
    /// How far it is.
    #[serde(flatten)]
    pub state: CallState,
    /// When it began, in seconds since 1970.
    pub at: u64,
    /// Where those who answer talk, by the id of the room; `None` of a call that only rings.
    pub room: Option<String>,
}

/// Whoever calls, as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallerInfo {
    /// The station, if it is one.
    pub station: Option<StationId>,
    /// How people call them.
    pub name: String,
}

/// One who is called, as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalleeInfo {
    /// Which.
    pub station: StationId,
    /// How people call them.
    pub name: String,
    /// How it goes for them.
    pub state: CalleeState,
    /// Whether they may answer by themselves: they are called alone, or in a room that allows it, by another station.
    pub drop_in: bool,
}

/// A call that is over, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Which.
    pub id: CallId,
    /// Who called.
    pub from: String,
    /// Who was called.
    pub to: Vec<String>,
    /// When it began, in seconds since 1970.
    pub at: u64,
    /// What came of it.
    pub outcome: CallOutcome,
    /// Who answered.
    pub answered_by: Option<String>,
    /// How long they talked, in seconds.
    pub seconds: u64,
}

impl CallInfo {
    /// Whether a station calls, or is called.
    pub fn concerns(&self, station: &StationId) -> bool {
        self.from.station.as_ref() == Some(station) || self.to.iter().any(|callee| callee.station == *station)
    }
}

impl Call {
    /// Whether it rings at this station.
    pub(super) fn rings_at(&self, station: &StationId) -> bool {
        self.state == CallState::Ringing && self.callee(station) == Some(CalleeState::Ringing)
    }

    /// How it goes for a station that is called.
    pub(super) fn callee(&self, station: &StationId) -> Option<CalleeState> {
        self.to.iter().find(|(callee, _)| callee == station).map(|(_, state)| *state)
    }

    /// Whether this station calls.
    pub(super) fn is_from(&self, station: &StationId) -> bool {
        matches!(&self.from, Caller::Station(caller) if caller == station)
    }

    /// Whether a station calls, is called just now, or talks.
    pub(super) fn engages(&self, station: &StationId) -> bool {
        let talks = matches!(&self.state, CallState::Answered { by } if by == station);
        self.is_from(station) || self.rings_at(station) || talks
    }

    pub(super) fn set_callee(&mut self, station: &StationId, state: CalleeState) {
        self.to.iter_mut().filter(|(callee, _)| callee == station).for_each(|(_, known)| *known = state);
    }

    /// It rings nowhere any more.
    pub(super) fn stop_ringing(&mut self) {
        let ringing = self.to.iter_mut().filter(|(_, state)| *state == CalleeState::Ringing);
        ringing.for_each(|(_, state)| *state = CalleeState::Stopped);
    }

    fn room(&self) -> Option<String> {
        match &self.from {
            Caller::Station(station) => Some(station.0.clone()),
            Caller::Other { room, .. } => room.clone(),
        }
    }
}

impl Calls {
    pub(super) fn describe(&self, call: &Call) -> CallInfo {
        let callee = |(id, state): &(StationId, _)| {
            let (station, name) = (id.clone(), self.name_of(id));
            CalleeInfo { station, name, state: *state, drop_in: call.drop_in.contains(id) }
        };
        let from = match &call.from {
            Caller::Station(id) => CallerInfo { station: Some(id.clone()), name: self.name_of(id) },
            Caller::Other { name, .. } => CallerInfo { station: None, name: name.clone() },
        };
        let to = call.to.iter().map(callee).collect();
        CallInfo { id: call.id, from, to, state: call.state.clone(), at: call.at, room: call.room() }
    }
}
