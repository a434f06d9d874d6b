//! How a call goes from one state to the next.

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use uuid::Uuid;

use crate::domain::{Owner, Priority};

use super::call::{Call, CallId, CallInfo, CallOutcome, CallRecord, CallState, CalleeState, Caller};
use super::request::{CallError, Ring, Target};
use super::station::{StationId, unix};
use super::{Calls, EVERYBODY, Effect, MAX_TARGETS};

impl Calls {
    /// Begins a call. It may be over at once, when nobody who is called could answer it.
    ///
    /// # Errors
    /// When it is not begun, and why.
    pub fn ring(&mut self, now: Instant, at: SystemTime, ring: Ring) -> Result<CallInfo, CallError> {
        let Ring { from, to, ring, priority, owner, drop_in } = ring;
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
        let drop_in = self.who_may_drop_in(&from, &to, &drop_in);
        let to = self.resolve(&from, &to, priority)?;
        self.admit(now, &owner).inspect_err(|_| self.counters.refused += 1)?;
        self.counters.rung += 1;
        let id = CallId(Uuid::new_v4());
        let until = now + ring.unwrap_or(self.settings.ring);
        let state = CallState::Ringing;
        let call = Call { id, from, owner, to, drop_in, state, at: unix(at), until, answered: None };
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
        let call = self.calls.get(&id).ok_or(CallError::Over)?;
        if !call.engages(station) {
            return Err(CallError::NotYours);
        }
        match call.state {
            CallState::Answered { .. } => drop(self.end(now, id, CallOutcome::Answered)),
            _ if call.is_from(station) => drop(self.end(now, id, CallOutcome::Cancelled)),
            _ => self.decline(now, id, station)?,
        }
        Ok(())
    }

    /// Somebody who is called does not want to answer.
    ///
    /// # Errors
    /// When it does not ring there, or no more.
    pub fn decline(&mut self, now: Instant, id: CallId, station: &StationId) -> Result<(), CallError> {
        let call = self.calls.get_mut(&id).filter(|call| call.rings_at(station)).ok_or(CallError::Over)?;
        call.set_callee(station, CalleeState::Declined);
        self.note(id);
        self.judge(now, id);
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
            let Some(call) = self.calls.get(&id) else { continue };
            if call.rings_at(station) {
                self.note_away(now, id, station);
            } else {
                drop(self.hang_up(now, id, station));
            }
        }
    }

    /// Who calls a station that listens to this room, or any, just now: by their names.
    pub fn callers(&self, room: Option<&str>) -> Vec<(CallId, String)> {
        let rings = |call: &&Call| call.to.iter().any(|(id, _)| call.rings_at(id) && self.listens(id, room));
        self.calls.values().filter(rings).map(|call| (call.id, self.describe(call).from.name)).collect()
    }

    /// Whether a station listens to this room; to any, if none is named.
    pub fn listens(&self, id: &StationId, room: Option<&str>) -> bool {
        self.stations.get(id).is_some_and(|station| station.listens_to(room))
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
        priority: Priority,
    ) -> Result<Vec<(StationId, CalleeState)>, CallError> {
        let mut callees: Vec<(StationId, CalleeState)> = Vec::new();
        for target in to {
            let (place, named) = self.named(target);
            if let (Target::Place(place), true) = (target, named.is_empty()) {
                return Err(CallError::NoStation(place.clone()));
            }
            let is_caller = |id: &StationId| matches!(from, Caller::Station(caller) if caller == id);
            for id in named.into_iter().filter(|id| !is_caller(id)) {
                let is_quiet = self.is_quiet(place, priority);
                let state = if is_quiet { CalleeState::DoNotDisturb } else { self.reach(id, priority) };
                match callees.iter_mut().find(|(other, _)| other == id) {
                    // Whoever is named twice is reached in one way or the other.
                    Some((_, known)) if *known == CalleeState::DoNotDisturb => *known = state,
                    Some(_) => {}
                    None => callees.push((id.clone(), state)),
                }
            }
        }
        if callees.is_empty() { Err(CallError::Nobody) } else { Ok(callees) }
    }

    /// Those who may answer by themselves: who is called alone, or in one of these rooms; by stations only.
    fn who_may_drop_in(&self, from: &Caller, to: &[Target], rooms: &BTreeSet<String>) -> BTreeSet<StationId> {
        if !matches!(from, Caller::Station(_)) {
            return BTreeSet::new();
        }
        let places = to.iter().filter_map(|target| match target {
            Target::Place(place) => Some((place, self.named(target).1)),
            Target::Everybody => None,
        });
        let allowed = |(place, named): (&String, Vec<&StationId>)| {
            named.into_iter().filter(|id| id.0 == *place || rooms.contains(place)).cloned().collect::<Vec<_>>()
        };
        places.flat_map(allowed).collect()
    }

    /// The place that is called, and the stations that it stands for: itself, or all that listen there.
    fn named<'a>(&'a self, target: &'a Target) -> (&'a str, Vec<&'a StationId>) {
        let Target::Place(place) = target else { return (EVERYBODY, self.stations.keys().collect()) };
        if let Some((id, _)) = self.stations.iter().find(|(id, _)| id.0 == *place) {
            return (place, vec![id]);
        }
        let listening = self.stations.iter().filter(|(_, station)| station.listens_to(Some(place)));
        (place, listening.map(|(id, _)| id).collect())
    }

    fn reach(&self, id: &StationId, priority: Priority) -> CalleeState {
        match self.stations.get(id) {
            _ if self.is_quiet(&id.0, priority) => CalleeState::DoNotDisturb,
            Some(_) if self.is_engaged(id) => CalleeState::Busy,
            Some(station) if station.is_here() || station.phone.is_some() => CalleeState::Ringing,
            _ => CalleeState::Away,
        }
    }

    /// Somebody who is called is not there after all.
    pub(super) fn note_away(&mut self, now: Instant, id: CallId, station: &StationId) {
        let ringing = self.calls.get_mut(&id).filter(|call| call.rings_at(station));
        if let Some(call) = ringing {
            call.set_callee(station, CalleeState::Away);
            self.note(id);
            self.judge(now, id);
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
