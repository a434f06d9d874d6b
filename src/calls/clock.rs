//! What time does to calls: they do not ring for ever, and nobody waits for a station that is gone.

use std::time::{Duration, Instant, SystemTime};

use super::Calls;
use super::call::{CallId, CallOutcome, CallState};

/// A station whose connection broke may come back within this time, and its calls go on.
pub const GRACE: Duration = Duration::from_secs(5);

impl Calls {
    /// When to call [`tick`](Self::tick); `None` while there is nothing to wait for.
    pub fn deadline(&self) -> Option<Instant> {
        let ringing = self.calls.values().filter(|call| call.state == CallState::Ringing).map(|call| call.until);
        let gone = self.stations.iter().filter_map(|(id, station)| Some((id, station.gone?)));
        let given_up = gone.filter(|(id, _)| self.is_missed_by_a_call(id)).map(|(_, gone)| gone + GRACE);
        let quiet = self.quiet.values().filter_map(|timed| timed.ends);
        ringing.chain(given_up).chain(quiet).chain(self.hours_due).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant, at: SystemTime) {
        self.end_quiet(now);
        if self.hours_due.is_some_and(|due| due <= now) {
            self.follow_hours(now, at);
        }
        let is_gone = |gone: Option<Instant>| gone.is_some_and(|gone| gone + GRACE <= now);
        let gone: Vec<_> = self.stations.iter().filter(|(_, it)| is_gone(it.gone)).map(|(id, _)| id.clone()).collect();
        for station in gone {
            self.do_without(now, &station);
        }
        let is_due = |id: &CallId| self.calls[id].state == CallState::Ringing && self.calls[id].until <= now;
        let due: Vec<_> = self.calls.keys().copied().filter(is_due).collect();
        for call in due {
            self.end(now, call, CallOutcome::Missed);
        }
    }
}
