//! Commands: what a media thread is asked to do.
//!
//! Each is data, with two things beside it that are not: the permit by which it is given, and where the reply goes. Neither is
//! written down with it, so that commands can be logged, counted by kind, and done again elsewhere; one that needs a permit
//! and has none is refused.

use std::fmt;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::control::ControlCommand;
use super::files::FilesCommand;
use super::peers::PeerCommand;
use super::ports::PortCommand;
use super::resources::ResourceCommand;
use super::rooms::RoomCommand;
use super::video::VideoCommand;

/// Something that a media thread is asked to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// With a peer connection.
    Peer(PeerCommand),
    /// With those who take part in rooms.
    Room(RoomCommand),
    /// With a connection that has an address of its own.
    Resource(ResourceCommand),
    /// With what comes and goes by no connection.
    Port(PortCommand),
    /// With a data channel.
    Files(FilesCommand),
    /// With those who show and see video.
    Video(VideoCommand),
    /// With the whole of it.
    Control(ControlCommand),
}

impl Command {
    /// Name under which it is counted and logged.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Peer(command) => command.into(),
            Self::Room(command) => command.into(),
            Self::Resource(command) => command.into(),
            Self::Port(command) => command.into(),
            Self::Files(command) => command.into(),
            Self::Video(command) => command.into(),
            Self::Control(command) => command.into(),
        }
    }
}

macro_rules! commands_of {
    ($($variant:ident($group:ty)),* $(,)?) => {
        $(impl From<$group> for Command {
            fn from(command: $group) -> Self {
                Self::$variant(command)
            }
        })*
    };
}

commands_of! {
    Peer(PeerCommand),
    Room(RoomCommand),
    Resource(ResourceCommand),
    Port(PortCommand),
    Files(FilesCommand),
    Video(VideoCommand),
    Control(ControlCommand),
}

/// Where the reply to a command goes. Nowhere, for one that was read from somewhere.
pub struct ReplyTo<T>(Option<oneshot::Sender<T>>);

impl<T> ReplyTo<T> {
    /// A way for a reply, and its end.
    pub(super) fn channel() -> (Self, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    /// Replies. Whoever asked may be gone: then nobody is told.
    pub(super) fn send(self, reply: T) {
        if let Some(sender) = self.0 {
            let _ = sender.send(reply);
        }
    }
}

impl<T> Default for ReplyTo<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> fmt::Debug for ReplyTo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "to whoever asked" } else { "to nobody" })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use uuid::Uuid;

    use super::*;
    use crate::core::{LocalPacket, ParticipantTracks, Relay, RelayConfig, Wanted};
    use crate::domain::{PeerId, RoomId, StreamId, Track};
    use crate::engine::{ConnectError, Connected, connect};

    fn stream() -> Track {
        StreamId::of_connection(Uuid::from_u128(7)).into()
    }

    fn some() -> Vec<Command> {
        let (Track { id, .. }, room) = (stream(), RoomId(1));
        let membership = ParticipantTracks { room, voice: id, music: id, only_listens: false };
        let (offer, name) = (String::from("v=0"), String::from("Anna"));
        vec![
            PeerCommand::Close { peer: PeerId(3) }.into(),
            RoomCommand::Join { permit: None, membership, name, offer, reply: ReplyTo::default() }.into(),
            RoomCommand::SetWanted { voice: id, wanted: Wanted::Only(vec![id]) }.into(),
            PortCommand::Feed {
                permit: None,
                stream: stream(),
                name: String::new(),
                packet: LocalPacket { timestamp: 960, level: -20, payload: [1, 2, 3].into() },
                fate: Default::default(),
            }
            .into(),
            ControlCommand::SetAddresses { addresses: vec![([192, 0, 2, 1], 8082).into()] }.into(),
        ]
    }

    #[test]
    fn a_command_that_was_written_down_reads_back_as_it_was() {
        for command in some() {
            let text = serde_json::to_string(&command).expect("it can be written");
            let read: Command = serde_json::from_str(&text).expect("it can be read");
            assert_eq!(read.kind(), command.kind());
            assert_eq!(format!("{read:?}"), format!("{command:?}"));
        }
    }

    #[test]
    fn commands_are_done_without_anybody_who_waits_and_counted_by_kind() {
        let Connected { mut threads, .. } = connect(Relay::new(RelayConfig::default(), Instant::now()), vec![]);
        let media = &mut threads[0].0;
        for command in some().into_iter().chain(some()) {
            media.run(command, Instant::now());
        }
        let counted = media.stats().commands;
        assert_eq!(
            counted.into_iter().collect::<Vec<_>>(),
            [("close", 2), ("feed", 2), ("join", 2), ("set_addresses", 2), ("set_wanted", 2)]
        );
    }

    #[test]
    fn a_command_without_a_permit_changes_nothing() {
        let Connected { mut threads, .. } = connect(Relay::new(RelayConfig::default(), Instant::now()), vec![]);
        let media = &mut threads[0].0;
        let (reply, mut answer) = ReplyTo::channel();
        let (name, offer) = (String::new(), String::from("v=0"));
        media.run(PeerCommand::Publish { permit: None, stream: stream(), name, offer, reply }.into(), Instant::now());
        assert_eq!(answer.try_recv().expect("a reply"), Err(ConnectError::NotPermitted));
        for command in some() {
            media.run(command, Instant::now());
        }
        assert!(media.relay.live().is_empty() && media.relay.stats().peers == 0);
    }
}
