//! The door for those who take part in rooms.

use crate::access::{Action, Permit};
use crate::core::{Accepted, MemberStats, Membership, Role, Wanted};
use crate::domain::{RoomId, StreamId};

use super::{ConnectError, RelayGone, RelayHandle};

impl RelayHandle {
    /// Answers a participant's offer; see [`Relay::accept`](crate::core::Relay::accept). `name` is for people.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn join(
        &self,
        permit: Permit,
        membership: Membership,
        name: String,
        offer: String,
    ) -> Result<Accepted, ConnectError> {
        self.call(move |media, now| {
            if !permit.permits_in(Action::Join, membership.room) {
                return Err(ConnectError::NotPermitted);
            }
            let place = media.place_of_peer(&permit, media.relay.has_publisher(membership.voice))?;
            let role = Role::Participate(membership);
            let accepted = media.relay.accept(now, role, &offer, permit.visitor().is_local())?;
            media.keep(accepted.peer, permit, place);
            media.name(membership.voice, &name);
            media.name(membership.music, &name);
            Ok(accepted)
        })
        .await?
    }

    /// How people call a stream.
    pub async fn set_name(&self, stream: StreamId, name: String) {
        self.tell(move |media, _| media.name(stream, &name)).await;
    }

    /// A participant's connection ends.
    pub async fn leave(&self, voice: StreamId) {
        self.tell(move |media, now| media.relay.leave(now, voice)).await;
    }

    /// Whether packets of a participant go no further; see [`Relay::set_silenced`](crate::core::Relay::set_silenced).
    pub async fn set_silenced(&self, voice: StreamId, silenced: bool) {
        self.tell(move |media, now| media.relay.set_silenced(now, voice, silenced)).await;
    }

    /// A participant says that it has said all.
    pub async fn end_said(&self, stream: StreamId) {
        self.tell(move |media, now| media.relay.end_said(now, stream)).await;
    }

    /// Whom a participant hears.
    pub async fn set_wanted(&self, voice: StreamId, wanted: Wanted) {
        self.tell(move |media, now| media.relay.set_wanted(now, voice, wanted)).await;
    }

    /// Whose voice goes before others in a room.
    pub async fn pin(&self, room: RoomId, pinned: Option<StreamId>) {
        self.tell(move |media, _| media.relay.pin(room, pinned)).await;
    }

    /// The best bitrate for a room, in bits a second.
    pub async fn set_cap(&self, room: RoomId, cap: u32) {
        self.tell(move |media, now| media.relay.set_cap(now, room, cap)).await;
    }

    /// A room is no more.
    pub async fn remove_room(&self, room: RoomId) {
        self.tell(move |media, now| media.relay.remove_room(now, room)).await;
    }

    /// What is measured of all participants.
    ///
    /// # Errors
    /// When the relay is shutting down.
    pub async fn member_stats(&self) -> Result<Vec<MemberStats>, RelayGone> {
        self.call(|media, _| media.relay.member_stats()).await
    }
}
