//! What happens to calls in a place, as an entity tells it: that it begins to ring there, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::calls::{CallEvent, CallId, CallOutcome, CallState, CalleeState};

use super::house::{House, Place};

/// All that can happen.
pub(super) const KINDS: [&str; 5] = ["ring", "answered", "declined", "missed", "cancelled"];

/// Something has happened to a call in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RingEvent {
    pub(super) place: Place,
    /// One of [`KINDS`].
    pub(super) kind: &'static str,
    pub(super) call: CallId,
    /// Who calls, by their name.
    pub(super) from: String,
}

/// Which calls ring in each place, as it was last told.
#[derive(Debug)]
pub(super) struct Ringing(BTreeMap<Place, BTreeSet<CallId>>);

impl Ringing {
    /// As it is now: nothing is told of what rings already.
    pub(super) fn now(house: &House) -> Self {
        let calls = |place: &Place| house.calls_in(place).into_iter().map(|(call, _)| call).collect();
        Self(house.places().into_iter().map(|(place, _)| (place.clone(), calls(&place))).collect())
    }

    /// What has happened in each place by this event: as it says itself, since more may have happened by now.
    pub(super) fn follow(&mut self, house: &House, event: &CallEvent) -> Vec<RingEvent> {
        let CallEvent::Call(call) = event else { return Vec::new() };
        let ringing: Vec<_> = call.to.iter().filter(|callee| callee.state == CalleeState::Ringing).collect();
        let mut happened = Vec::new();
        for (place, known) in &mut self.0 {
            let rings = ringing.iter().any(|callee| house.calls.listens(&callee.station, place.room()));
            let kind = match (known.contains(&call.id), rings) {
                (false, true) => {
                    known.insert(call.id);
                    "ring"
                }
                (true, false) => {
                    known.remove(&call.id);
                    outcome(&call.state)
                }
                _ => continue,
            };
            happened.push(RingEvent { place: place.clone(), kind, call: call.id, from: call.from.name.clone() });
        }
        happened
    }
}

/// What came of a call that rings no more where it did.
fn outcome(state: &CallState) -> &'static str {
    match state {
        // All who are there declined, and others have not yet.
        CallState::Ringing | CallState::Over { outcome: CallOutcome::Declined } => "declined",
        CallState::Answered { .. } | CallState::Over { outcome: CallOutcome::Answered } => "answered",
        CallState::Over { outcome: CallOutcome::Missed | CallOutcome::Busy } => "missed",
        CallState::Over { outcome: CallOutcome::Cancelled } => "cancelled",
    }
}
