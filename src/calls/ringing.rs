//! How a call goes from one state to the next.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::domain::Owner;
use crate::rooms::clean_name;

use super::call::{Call, CallId, CallInfo, CallOutcome, CallRecord, CallState, CalleeState, Caller};
use super::do_not_disturb::Urgency;
use super::station::{StationId, unix};
use super::{Calls, EVERYBODY, Effect, MAX_TARGETS};

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
    urgent: bool,
}

impl CallRequest {
    /// Of nobody in particular, to one place.
    pub fn to(place: &str) -> Self {
        Self { to: place.into(), name: None, room: None, seconds: None, urgent: false }
    }

    /// Of a doorbell of this name, to these places.
    pub fn of_doorbell(name: &str, to: &[String]) -> Self {
        let to = CallTargets(to.iter().map(|place| place.as_str().into()).collect());
        Self { to, name: Some(name.to_owned()), room: None, seconds: None, urgent: false }
    }

    /// How urgent it is.
    pub fn urgency(&self) -> Urgency {
        if self.urgent { Urgency::Urgent } else { Urgency::Normal }
    }

    /// The call that it asks for; `is_room` says which rooms there are.
    ///
    /// # Errors
    /// When there can be no such call.
    pub fn ring(self, owner: Owner, is_room: impl FnOnce(&str) -> bool) -> Result<Ring, CallError> {
        let urgency = self.urgency();
        let Self { to, name, room, seconds, .. } = self;
        if seconds.is_some_and(|seconds| !RING_SECONDS.contains(&seconds)) {
            return Err(CallError::Seconds);
        }
        if let Some(room) = room.as_deref().filter(|room| !is_room(room)) {
            return Err(CallError::NoRoom(room.to_owned()));
        }
        let name = name.map(|name| clean_name(&name)).filter(|name| !name.is_empty());
        let from = Caller::Other { name: name.unwrap_or_else(|| NAMELESS.to_owned()), room };
        Ok(Ring { from, to: to.0, ring: seconds.map(Duration::from_secs), urgency, owner })
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
    pub urgency: Urgency,
    /// Who answers for it.
    pub owner: Owner,
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

impl Calls {
    /// Begins a call. It may be over at once, when nobody who is called could answer it.
    ///
    /// # Errors
    /// When it is not begun, and why.
    pub fn ring(&mut self, now: Instant, at: SystemTime, ring: Ring) -> Result<CallInfo, CallError> {
        let Ring { from, to, ring, urgency, owner } = ring;
        if to.len() > MAX_TARGETS {
            return Err(CallError::TooManyTargets);
        }
        if let Caller::Station(station) = &from {
            if !self.stations.contains_key(station) {
                return Err(CallError::NotStation);
            }
            if self.is_engaged(station) {
                return Err(CallError::Engaged);
            }
        }
        let to = self.resolve(&from, &to, urgency)?;
        self.admit(now, &owner).inspect_err(|_| self.counters.refused += 1)?;
        self.counters.rung += 1;
        let id = CallId(Uuid::new_v4());
        let until = now + ring.unwrap_or(self.settings.ring);
        let call = Call { id, from, owner, to, state: CallState::Ringing, at: unix(at), until, answered: None };
        // Of a daemon that is killed while it rings, this is what is known.
        let unfinished = self.record(&call, now, CallOutcome::Cancelled);
        self.effects.push_back(Effect::Log(unfinished));
        self.calls.insert(id, call);
        self.note(id);
        let begun = self.describe(&self.calls[&id]);
        match self.judge(now, id) {
            Some(over) => Ok(over),
            None => Ok(begun),
        }
    }

    /// Somebody who is called answers.
    ///
    /// # Errors
    /// When there is nothing to be answered by them.
    pub fn answer(&mut self, now: Instant, id: CallId, station: &StationId) -> Result<(), CallError> {
        let call = self.calls.get_mut(&id).ok_or(CallError::Over)?;
        match (&call.state, call.callee(station)) {
            (_, None) => return Err(CallError::NotYours),
            (CallState::Answered { by }, _) if by == station => return Ok(()),
            (CallState::Answered { .. }, _) => return Err(CallError::Answered),
            (CallState::Over { .. }, _) => return Err(CallError::Over),
            (CallState::Ringing, Some(CalleeState::Ringing)) => {}
            (CallState::Ringing, Some(_)) => return Err(CallError::Over),
        }
        call.set_callee(station, CalleeState::Answered);
        call.stop_ringing();
        (call.state, call.answered) = (CallState::Answered { by: station.clone() }, Some(now));
        let only_rings = matches!(call.from, Caller::Other { room: None, .. });
        self.counters.answered += 1;
        self.note(id);
        if only_rings {
            self.end(now, id, CallOutcome::Answered);
        }
        Ok(())
    }

    /// Somebody who has to do with a call wants no more of it: whoever calls gives it up, whoever is called declines, and
    /// either of those who talk ends it.
    ///
    /// # Errors
    /// When they have nothing to do with it, or it is over.
    pub fn hang_up(&mut self, now: Instant, id: CallId, station: &StationId) -> Result<(), CallError> {
        let call = self.calls.get_mut(&id).ok_or(CallError::Over)?;
        if !call.engages(station) {
            return Err(CallError::NotYours);
        }
        match call.state {
            CallState::Answered { .. } => drop(self.end(now, id, CallOutcome::Answered)),
            _ if call.is_from(station) => drop(self.end(now, id, CallOutcome::Cancelled)),
            _ => {
                call.set_callee(station, CalleeState::Declined);
                self.note(id);
                self.judge(now, id);
            }
        }
        Ok(())
    }

    /// Ends a call from outside: an automation that began it, or a person of the house.
    ///
    /// # Errors
    /// When it is over.
    pub fn cancel(&mut self, now: Instant, id: CallId) -> Result<(), CallError> {
        let call = self.calls.get(&id).ok_or(CallError::Over)?;
        let outcome = if call.answered.is_some() { CallOutcome::Answered } else { CallOutcome::Cancelled };
        self.end(now, id, outcome);
        Ok(())
    }

    /// A station is gone for good: its calls end, and others ring on without it.
    pub(super) fn hang_up_everywhere(&mut self, now: Instant, station: &StationId) {
        let engaged: Vec<_> = self.calls.values().filter(|call| call.engages(station)).map(|call| call.id).collect();
        for id in engaged {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            if call.rings_at(station) {
                call.set_callee(station, CalleeState::Away);
                self.note(id);
                self.judge(now, id);
            } else {
                drop(self.hang_up(now, id, station));
            }
        }
    }

    /// Who calls a station that listens to this room, or any, just now: by their names.
    pub fn callers(&self, room: Option<&str>) -> Vec<String> {
        let listens = |id: &StationId| self.stations.get(id).is_some_and(|station| station.listens_to(room));
        let rings = |call: &&Call| call.to.iter().any(|(id, _)| call.rings_at(id) && listens(id));
        self.calls.values().filter(rings).map(|call| self.describe(call).from.name).collect()
    }

    /// Whether a station calls, is called, or talks.
    pub(super) fn is_engaged(&self, station: &StationId) -> bool {
        self.calls.values().any(|call| call.engages(station))
    }

    /// Whether one more call of this owner may be begun.
    fn admit(&mut self, now: Instant, owner: &Owner) -> Result<(), CallError> {
        let (most, share) = (self.settings.calls, self.share(self.settings.calls));
        let own = self.calls.values().filter(|call| call.owner == *owner).count();
        match self.calls.len() {
            all if all >= most => Err(CallError::Full(most)),
            _ if own >= share => Err(CallError::TooManyOfOne(share)),
            _ if !self.may_call(now, owner) => Err(CallError::TooFast),
            _ => Ok(()),
        }
    }

    /// Who is meant, and whether it rings there.
    fn resolve(
        &self,
        from: &Caller,
        to: &[Target],
        urgency: Urgency,
    ) -> Result<Vec<(StationId, CalleeState)>, CallError> {
        // With the place by which each was named.
        let mut named: Vec<(&StationId, &str)> = Vec::new();
        for target in to {
            let before = named.len();
            let is_meant = |id: &StationId| match target {
                Target::Everybody => true,
                Target::Place(place) => {
                    id.0 == *place || self.stations[id].connections.values().flatten().any(|it| it == place)
                }
            };
            let place = if let Target::Place(place) = target { place } else { EVERYBODY };
            named.extend(self.stations.keys().filter(|id| is_meant(id)).map(|id| (id, place)));
            if let Target::Place(place) = target
                && named.len() == before
            {
                return Err(CallError::NoStation(place.clone()));
            }
        }
        let mut callees: Vec<(StationId, CalleeState)> = Vec::new();
        for (id, place) in named {
            let is_caller = matches!(from, Caller::Station(caller) if caller == id);
            if !is_caller && callees.iter().all(|(other, _)| other != id) {
                let state =
                    if self.is_quiet(place, urgency) { CalleeState::DoNotDisturb } else { self.reach(id, urgency) };
                callees.push((id.clone(), state));
            }
        }
        if callees.is_empty() { Err(CallError::Nobody) } else { Ok(callees) }
    }

    fn reach(&self, id: &StationId, urgency: Urgency) -> CalleeState {
        match self.stations.get(id) {
            _ if self.is_quiet(&id.0, urgency) => CalleeState::DoNotDisturb,
            Some(_) if self.is_engaged(id) => CalleeState::Busy,
            Some(station) if station.is_here() => CalleeState::Ringing,
            _ => CalleeState::Away,
        }
    }

    /// Ends a call that rings nowhere any more.
    fn judge(&mut self, now: Instant, id: CallId) -> Option<CallInfo> {
        let call = self.calls.get(&id)?;
        let is = |state: CalleeState| call.to.iter().any(|(_, callee)| *callee == state);
        let outcome = match call.state {
            CallState::Ringing if is(CalleeState::Ringing) => return None,
            CallState::Ringing if is(CalleeState::Declined) => CallOutcome::Declined,
            CallState::Ringing if is(CalleeState::Busy) => CallOutcome::Busy,
            CallState::Ringing => CallOutcome::Missed,
            _ => return None,
        };
        self.end(now, id, outcome)
    }

    /// A call is over: everybody is told, and it goes into the log.
    pub(super) fn end(&mut self, now: Instant, id: CallId, outcome: CallOutcome) -> Option<CallInfo> {
        let mut call = self.calls.remove(&id)?;
        let record = self.record(&call, now, outcome);
        call.stop_ringing();
        call.state = CallState::Over { outcome };
        let info = self.describe(&call);
        self.log.push_back(record.clone());
        if self.log.len() > self.settings.log {
            self.log.pop_front();
        }
        self.effects.extend([Effect::Call(info.clone()), Effect::Log(record)]);
        Some(info)
    }

    fn record(&self, call: &Call, now: Instant, outcome: CallOutcome) -> CallRecord {
        let answered_by = match &call.state {
            CallState::Answered { by } => Some(self.name_of(by)),
            CallState::Ringing | CallState::Over { .. } => None,
        };
        let CallInfo { id, from, to, at, .. } = self.describe(call);
        let to = to.into_iter().map(|callee| callee.name).collect();
        let seconds = call.answered.map_or(0, |answered| now.saturating_duration_since(answered).as_secs());
        CallRecord { id, from: from.name, to, at, outcome, answered_by, seconds }
    }

    /// A call is different: everybody is told who has to do with it.
    fn note(&mut self, id: CallId) {
        if let Some(call) = self.calls.get(&id) {
            let info = self.describe(call);
            self.effects.push_back(Effect::Call(info));
        }
    }
}
