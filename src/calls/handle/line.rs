//! A station's being there, as the connection holds it that serves it.

use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;

use super::super::call::CallId;
use super::super::do_not_disturb::Passes;
use super::super::quiet_hours::QuietHours;
use super::super::request::CallError;
use super::super::station::{ConnectionId, StationId};
use super::{CallsHandle, State, StationEvent};

/// A station's being there, by one connection: over when it is dropped.
pub struct Line {
    pub(super) calls: CallsHandle,
    pub(super) station: StationId,
    pub(super) connection: ConnectionId,
    pub(super) events: mpsc::Receiver<StationEvent>,
}

impl Line {
    /// Which station it is.
    pub fn station(&self) -> &StationId {
        &self.station
    }

    /// How people call it.
    pub fn name(&self) -> String {
        self.calls.lock().calls.station(&self.station).map_or_else(|| self.station.0.clone(), |station| station.name)
    }

    /// The next event; `None` for a station that is no more, or that did not read.
    pub async fn next(&mut self) -> Option<StationEvent> {
        self.events.recv().await
    }

    /// Answers a call.
    ///
    /// # Errors
    /// When there is nothing to be answered by it.
    pub fn answer(&self, call: CallId) -> Result<(), CallError> {
        self.calls.with(|state, now| state.calls.answer(now, call, &self.station))
    }

    /// It is not to be disturbed, or is again.
    pub fn set_do_not_disturb(&self, passes: Option<Passes>, time: Option<Duration>) {
        // It has a room as long as it is there.
        let _ = self.calls.set_do_not_disturb(&self.station.0, passes, time);
    }

    /// It has these quiet hours from now on, or none.
    pub fn set_quiet_hours(&self, hours: Option<QuietHours>) {
        // It has a room as long as it is there.
        let _ = self.calls.set_quiet_hours(&self.station.0, hours);
    }

    /// Gives up a call, declines it, or ends it.
    ///
    /// # Errors
    /// When it has nothing to do with it, or it is over.
    pub fn hang_up(&self, call: CallId) -> Result<(), CallError> {
        self.calls.with(|state, now| state.calls.hang_up(now, call, &self.station))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.calls.with(|State { calls, lines, .. }, now| {
            lines.remove(&self.connection);
            calls.go(now, SystemTime::now(), &self.station, self.connection);
        });
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}
