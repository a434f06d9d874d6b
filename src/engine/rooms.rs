//! Rooms at the door: those who take part in them.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::access::{Action, Permit};
use crate::core::{Accepted, MemberStats, ParticipantTracks, Role, Wanted};
use crate::domain::{RoomId, StreamId};

use super::command::ReplyTo;
use super::{ConnectError, Engine, EngineGone, Media, PeerAddress};

/// Something to do with those who take part in rooms.
#[derive(Debug, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RoomCommand {
    Join {
        #[serde(skip)]
        permit: Option<Permit>,
        membership: ParticipantTracks,
        name: String,
        offer: String,
        #[serde(skip)]
        reply: ReplyTo<Result<Accepted, ConnectError>>,
    },
    SetName {
        stream: StreamId,
        name: String,
    },
    Leave {
        voice: StreamId,
    },
    SetSilenced {
        voice: StreamId,
        silenced: bool,
    },
    EndSaid {
        stream: StreamId,
    },
    SetWanted {
        voice: StreamId,
        wanted: Wanted,
    },
    Pin {
        room: RoomId,
        pinned: Option<StreamId>,
    },
    SetCap {
        room: RoomId,
        cap: u32,
    },
    RemoveRoom {
        room: RoomId,
    },
    MemberStats {
        #[serde(skip)]
        reply: ReplyTo<Vec<MemberStats>>,
    },
}

impl Engine {
    /// Answers a participant's offer; see [`Relay::accept`](crate::core::Relay::accept). `name` is for people.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn join(
        &self,
        permit: Permit,
        membership: ParticipantTracks,
        name: String,
        offer: String,
    ) -> Result<(PeerAddress, Accepted), ConnectError> {
        let join = |reply| RoomCommand::Join { permit: Some(permit), membership, name, offer, reply };
        let accepted = self.threads.first().ask(join).await??;
        Ok((self.at_first(accepted.peer), accepted))
    }

    /// How people call a stream.
    pub async fn set_name(&self, stream: StreamId, name: String) {
        self.threads.first().tell(RoomCommand::SetName { stream, name }).await;
    }

    /// A participant's connection ends.
    pub async fn leave(&self, voice: StreamId) {
        self.threads.first().tell(RoomCommand::Leave { voice }).await;
    }

    /// Whether packets of a participant go no further; see [`Relay::set_silenced`](crate::core::Relay::set_silenced).
    pub async fn set_silenced(&self, voice: StreamId, silenced: bool) {
        self.threads.first().tell(RoomCommand::SetSilenced { voice, silenced }).await;
    }

    /// A participant says that they have said all.
    pub async fn end_said(&self, stream: StreamId) {
        self.threads.first().tell(RoomCommand::EndSaid { stream }).await;
    }

    /// Whom a participant hears.
    pub async fn set_wanted(&self, voice: StreamId, wanted: Wanted) {
        self.threads.first().tell(RoomCommand::SetWanted { voice, wanted }).await;
    }

    /// Whose voice goes before others in a room.
    pub async fn pin(&self, room: RoomId, pinned: Option<StreamId>) {
        self.threads.first().tell(RoomCommand::Pin { room, pinned }).await;
    }

    /// The best bitrate for a room, in bits a second.
    pub async fn set_cap(&self, room: RoomId, cap: u32) {
        self.threads.first().tell(RoomCommand::SetCap { room, cap }).await;
    }

    /// A room is no more.
    pub async fn remove_room(&self, room: RoomId) {
        self.threads.first().tell(RoomCommand::RemoveRoom { room }).await;
    }

    /// What is measured of all participants.
    ///
    /// # Errors
    /// When the engine is shutting down.
    pub async fn member_stats(&self) -> Result<Vec<MemberStats>, EngineGone> {
        self.threads.first().ask(|reply| RoomCommand::MemberStats { reply }).await
    }
}

impl Media {
    pub(super) fn run_room_command(&mut self, command: RoomCommand, now: Instant) {
        match command {
            RoomCommand::Join { permit, membership, name, offer, reply } => {
                reply.send(self.join_room(now, permit, membership, &name, &offer));
            }
            RoomCommand::SetName { stream, name } => self.name(stream, &name),
            RoomCommand::Leave { voice } => self.relay.leave(now, voice),
            RoomCommand::SetSilenced { voice, silenced } => self.relay.set_silenced(now, voice, silenced),
            RoomCommand::EndSaid { stream } => self.relay.end_said(now, stream),
            RoomCommand::SetWanted { voice, wanted } => self.relay.set_wanted(now, voice, wanted),
            RoomCommand::Pin { room, pinned } => self.relay.pin(room, pinned),
            RoomCommand::SetCap { room, cap } => self.relay.set_cap(now, room, cap),
            RoomCommand::RemoveRoom { room } => self.relay.remove_room(now, room),
            RoomCommand::MemberStats { reply } => reply.send(self.relay.member_stats()),
        }
    }

    fn join_room(
        &mut self,
        now: Instant,
        permit: Option<Permit>,
        membership: ParticipantTracks,
        name: &str,
        offer: &str,
    ) -> Result<Accepted, ConnectError> {
        let permit = permit.filter(|permit| permit.permits_in(Action::Join, membership.room));
        let permit = permit.ok_or(ConnectError::NotPermitted)?;
        let place = self.place_of_peer(&permit, self.relay.has_publisher(membership.voice))?;
        let local = permit.visitor().is_local();
        let accepted = self.relay.accept(now, Role::Participate(membership), offer, local)?;
        self.keep(accepted.peer, permit, place);
        self.name(membership.voice, name);
        self.name(membership.music, name);
        Ok(accepted)
    }
}
