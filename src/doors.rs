//! The rooms, as those see them who know them by name alone: players that were given a URL, and the
//! machine's own sound card. Which rooms there are, and who may listen in them, others decide.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use crate::domain::RoomId;

/// How the room is called on the wire that is there without anybody having opened it.
const HOME: &str = "home";

/// Who knows the rooms by their names, and lets listeners in.
pub trait Doors: Send + Sync {
    /// The room that is called so on the wire.
    fn find(&self, name: &str) -> Option<RoomId>;

    /// How a room is called on the wire. `None`: it is there no more.
    fn name(&self, room: RoomId) -> Option<Arc<str>>;

    /// Whether somebody at this address may listen in a room, with the PIN that was given. To look at a PIN may take
    /// milliseconds.
    fn may_listen<'a>(
        &'a self,
        room: RoomId,
        pin: Option<&'a str>,
        address: IpAddr,
    ) -> BoxFuture<'a, Result<(), Refused>>;
}

/// Why somebody may not listen in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has a PIN, and none was given.
    #[error("This room has a PIN: add ?pin= to the address")]
    PinNeeded,
    /// The PIN is another.
    #[error("This is not the PIN of this room")]
    WrongPin,
    /// Too many PINs were tried; whether this one is right is not told.
    #[error("Too many PINs were tried from this address; wait a minute")]
    TooFast,
    /// By its host: nobody comes in who is not there.
    #[error("The room is locked")]
    Locked,
    /// A moment ago.
    #[error("You were sent out of this room; come back in a minute")]
    Kicked,
}

/// A house of one room, which is open to everybody in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneRoom;

impl Doors for OneRoom {
    fn find(&self, name: &str) -> Option<RoomId> {
        (name == HOME).then_some(RoomId::HOME)
    }

    fn name(&self, room: RoomId) -> Option<Arc<str>> {
        (room == RoomId::HOME).then(|| HOME.into())
    }

    fn may_listen<'a>(&'a self, _: RoomId, _: Option<&'a str>, _: IpAddr) -> BoxFuture<'a, Result<(), Refused>> {
        async { Ok(()) }.boxed()
    }
}
