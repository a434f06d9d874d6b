//! What a client does that is a station: it has a name, is called, and calls others.

use crate::access::{Action, Target};
use crate::calls::{CallError, CallTargets, Caller, Line, Ring, StationKey};
use crate::domain::Priority;

use super::mailbox::MessageWatch;
use super::messages::ServerMessage;
use super::session::ClientSession;

impl ClientSession {
    /// Becomes a station, or another one; what it is told of that goes into its queue.
    pub(super) async fn be_station(
        &mut self,
        name: &str,
        key: Option<&str>,
        rooms: Vec<String>,
    ) -> Result<(), ServerMessage> {
        let permit = self.guest.authorize(Action::BeStation, Target::House).await?;
        let calls = self.guest.house.calls(&permit);
        let entered = calls.enter(&permit.visitor().owner(), name, key.and_then(StationKey::of_text), rooms.clone());
        let line = entered.map_err(|error| ServerMessage::complaint(error.code(), error.to_string()))?;
        self.messages = Some(MessageWatch::new(self.guest.house.mailbox(&permit), line.station(), rooms));
        // The one before is gone only when the new one is there, so that a change of name ends no call.
        self.station = Some(line);
        Ok(())
    }

    /// Calls somebody.
    pub(super) async fn ring(&mut self, to: CallTargets, priority: Priority) -> Result<(), ServerMessage> {
        let permit = self.guest.authorize_call(priority).await?;
        let line = self.station.as_ref().ok_or_else(|| complaint(&CallError::NotStation))?;
        let from = Caller::Station(line.station().clone());
        let ring = Ring::new(from, to.0, priority, permit.visitor().owner());
        // Whoever calls is told of the call as those are who are called.
        self.guest.house.calls(&permit).ring(ring).map(drop).map_err(|error| complaint(&error))
    }

    /// Does something to a call as the station that the client is.
    pub(super) fn at_station(&self, act: impl FnOnce(&Line) -> Result<(), CallError>) -> Result<(), ServerMessage> {
        let line = self.station.as_ref().ok_or_else(|| complaint(&CallError::NotStation))?;
        act(line).map_err(|error| complaint(&error))
    }
}

fn complaint(error: &CallError) -> ServerMessage {
    ServerMessage::complaint(error.code(), error.to_string())
}
