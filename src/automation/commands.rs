//! What automations ask of the relay, by an event of theirs.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::access::{Access, Action, Denied, Target, Visitor};
use crate::calls::{CallError, CallId, CallRequest, CallsHandle, EVERYBODY, Passes};
use crate::dispatch::{Destination, Destinations, DispatchError, Dispatcher, Wish};

/// The type of the event.
pub(super) const COMMAND: &str = "voice_relay_command";

/// One command: its name is in `do`, and what it takes beside it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Command {
    /// Announces something.
    Announce(Wish),
    /// Stops what is announced.
    Stop(Places),
    /// Calls somebody.
    Ring(CallRequest),
    /// Has a place not be disturbed, or be again.
    DoNotDisturb(DoNotDisturbCommand),
    /// Ends a call.
    HangUp {
        /// Which.
        call: CallId,
    },
}

/// Where; everywhere, if nothing is said.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Places {
    to: Option<Destinations>,
    room: Option<String>,
}

/// That a place is not to be disturbed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoNotDisturbCommand {
    /// The id of a room or station; the whole house without it.
    #[serde(default = "everybody")]
    place: String,
    #[serde(default = "turned_on")]
    on: bool,
    #[serde(default)]
    passes: Passes,
    /// For so long; until it is turned off without it.
    seconds: Option<u64>,
}

fn everybody() -> String {
    EVERYBODY.to_owned()
}

fn turned_on() -> bool {
    true
}

/// Who obeys.
#[derive(Clone)]
pub(super) struct Obeyers {
    pub(super) dispatcher: Dispatcher,
    pub(super) calls: CallsHandle,
    pub(super) access: Access,
}

/// A command is not obeyed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// It is none.
    #[error("{0}")]
    Unreadable(serde_json::Error),
    /// It cannot be.
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
    /// Likewise.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Whoever caused it may not.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl Command {
    /// The command that is in an event.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn read(data: Value) -> Result<Self, CommandError> {
        serde_json::from_value(data).map_err(CommandError::Unreadable)
    }

    /// Does it, for this visitor.
    ///
    /// # Errors
    /// When they may not, or it cannot be done.
    pub(super) async fn obey(self, visitor: &Visitor, obeyers: &Obeyers) -> Result<(), CommandError> {
        let Obeyers { dispatcher, calls, access } = obeyers;
        match self {
            Self::Announce(wish) => dispatcher.fulfil(visitor, wish).await.map(drop)?,
            Self::Stop(Places { to, room }) => {
                let room = room.map(Destination::Room);
                let to = to.map(|Destinations(to)| to).or_else(|| room.map(|room| vec![room]));
                dispatcher.stop_in(visitor, to.as_deref()).await?;
            }
            Self::Ring(request) => {
                access.authorize_call(visitor, request.priority()).await?;
                calls.call(request.or_named(visitor.name.as_deref()), visitor.owner())?;
            }
            Self::DoNotDisturb(DoNotDisturbCommand { place, on, passes, seconds }) => {
                access.authorize(visitor, Action::SetDoNotDisturb, Target::House).await?;
                calls.set_do_not_disturb(&place, on.then_some(passes), seconds.map(Duration::from_secs))?;
            }
            Self::HangUp { call } => {
                access.authorize(visitor, Action::Call, Target::House).await?;
                calls.cancel(call)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_is_its_name_and_what_it_takes() {
        let read = |data: Value| Command::read(data).map_err(|error| error.to_string());
        let told = read(json!({ "do": "announce", "room": "kitchen", "message": "Dinner" })).expect("a command");
        assert!(matches!(told, Command::Announce(Wish { text: Some(text), .. }) if text == "Dinner"));
        assert!(matches!(read(json!({ "do": "stop" })), Ok(Command::Stop(Places { to: None, room: None }))));
        for (wrong, why) in [
            (json!({}), "missing field `do`"),
            (json!({ "do": "explode" }), "unknown variant `explode`"),
            (json!({ "do": "announce", "to": "kitchen", "text": "x" }), "no destination"),
            (json!({ "do": "announce", "colour": "red" }), "unknown field `colour`"),
            (json!("announce"), "expected"),
        ] {
            let error = read(wrong.clone()).expect_err("none");
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
