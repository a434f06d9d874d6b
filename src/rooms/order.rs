//! Orders: what rooms have the media side do, since they touch no media themselves.

use crate::domain::{GrantId, RoomId, StreamId};

use super::participant::SessionId;

/// Something that the media side is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Pass on nothing that the sender of this stream sends, or again what they send.
    Silence(StreamId, bool),
    /// Let nobody see what the participant with this voice shows, or again what they show.
    Hide(StreamId, bool),
    /// Close the media connections of the participant with this voice, as it was made on this session: they were put out,
    /// and did not leave by themselves.
    Remove(StreamId, SessionId),
    /// End what was granted to somebody who has not joined: they were sent out.
    End(GrantId),
    /// Keep a slot for this voice in the room, or for nobody.
    Pin(RoomId, Option<StreamId>),
    /// Forget this room: it is no more.
    Forget(RoomId),
}
