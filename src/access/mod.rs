//! Who may do what, decided here and nowhere else.
//!
//! A [`Visitor`] is whoever asks, as the gate before the HTTP ports knows them; an [`Action`] is one thing that can be
//! asked for, and `action` the list of them all with what each needs. [`Access::authorize`] holds the one against the other,
//! and against the room that it is about: its PIN, its lock, and whom its host has sent out. What it gives is a [`Permit`],
//! without which neither the relay nor anything else of the house does anything for somebody.
//!
//! A permit lives as long as what was opened with it, and can end before: when its token expires or is revoked, when its
//! room is closed, or when a host sends its holder out. `permit` has the list of all that are open, which is looked through
//! once a minute and whenever there is a reason.
//!
//! `tokens` are signed permissions. A token for one room is good for nothing that is not of that room.

mod action;
mod permit;
mod tokens;
mod visitor;

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use crate::calls::EVERYBODY;
use crate::domain::{Priority, RoomId, Track};
use crate::rooms::{Granted, JoinError, ParticipantKey, RoomsHandle};

pub use action::{Action, Needs, Scope, Scopes};
use permit::Grants;
pub use permit::{Permit, WatchedPermit};
pub use tokens::{Claims, Exceeds, TokenError, Tokens};
pub use visitor::{TokenId, Visitor};

/// What an action is about.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// Nothing in particular.
    House,
    /// A room, and what is shown to be let in.
    Room(RoomId, RoomCredentials<'a>),
}

/// What makes a room that is not open to all let somebody in.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoomCredentials<'a> {
    /// Its PIN, as somebody typed it.
    pub pin: Option<&'a str>,
    /// The key of somebody who was there before, or opened it.
    pub key: Option<ParticipantKey>,
}

impl<'a> Target<'a> {
    /// A room, with nothing shown.
    pub fn room(room: RoomId) -> Self {
        Self::Room(room, RoomCredentials::default())
    }

    /// The room in which a stream is heard, with this PIN.
    pub fn stream(live: &Track, pin: Option<&'a str>) -> Self {
        Self::Room(live.room, RoomCredentials { pin, key: None })
    }
}

/// Somebody may not do what they asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A permission is lacking.
    #[error("{}", .0.lacking())]
    Scope(Scope),
    /// Their token is for another room.
    #[error("This link is for another room")]
    OtherRoom,
    /// Their token is for one room, and this is about the whole house.
    #[error("This link is for one room, and this is about the whole house")]
    OneRoom,
    /// Their token has expired, or was revoked.
    #[error("{}", .0.sentence())]
    Token(TokenError),
    /// The room does not let them in.
    #[error(transparent)]
    Room(#[from] JoinError),
}

impl Denied {
    /// For programs, as the protocol has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Room(error) => error.code(),
            Self::Scope(_) | Self::OtherRoom | Self::OneRoom | Self::Token(_) => "not_permitted",
        }
    }
}

/// Nothing is lent to a media player.
#[derive(Debug, thiserror::Error)]
pub enum LendError {
    /// Whoever asks may not hear it themselves.
    #[error(transparent)]
    Exceeds(#[from] Exceeds),
    /// The key can neither be read nor made.
    #[error("No token can be made for the player: the data folder cannot be written ({0})")]
    Unwritable(#[from] io::Error),
}

/// The one who decides. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tokens: Tokens,
    rooms: RoomsHandle,
    grants: Arc<Grants>,
    /// Something may have ended.
    doubt: Notify,
}

impl Access {
    /// By these tokens and the state of these rooms.
    pub fn new(tokens: Tokens, rooms: RoomsHandle) -> Self {
        Self(Arc::new(Inner { tokens, rooms, grants: Arc::default(), doubt: Notify::new() }))
    }

    /// What a media player shows that is to hear this room: no more than whoever has it play may, and for so long at most.
    ///
    /// # Errors
    /// When they may not hear it themselves, or nothing can be signed.
    pub fn lend(&self, visitor: &Visitor, room: &str, life: Duration) -> Result<String, LendError> {
        let scopes = Scopes::from_iter([Scope::Listen]);
        let claims = Claims::new(scopes, Some(room.to_owned()), None, SystemTime::now(), life);
        Ok(self.0.tokens.sign(&claims.child_of(visitor)?)?)
    }

    /// The signed permissions.
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Whether somebody may ever do this, whatever it is about: for the gate, which knows no more than the path.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn admit(&self, visitor: &Visitor, action: Action) -> Result<(), Denied> {
        let Needs { scope, in_one_room } = action.needs();
        let is_mute = ![Scope::Listen, Scope::Talk].into_iter().any(|scope| visitor.scopes.contains(scope));
        match scope {
            // Either of the two will do for a socket; each of its messages is looked at by itself.
            None if action == Action::Connect && is_mute => Err(Denied::Scope(Scope::Listen)),
            Some(scope) if !visitor.scopes.contains(scope) => Err(Denied::Scope(scope)),
            _ if visitor.room.is_some() && !in_one_room => Err(Denied::OneRoom),
            _ => Ok(()),
        }
    }

    /// Lets somebody do something, or says why not. Looking at a PIN takes a millisecond, and is done elsewhere than on
    /// the runtime's own threads.
    ///
    /// # Errors
    /// When they may not do it.
    pub async fn authorize(&self, visitor: &Visitor, action: Action, target: Target<'_>) -> Result<Permit, Denied> {
        self.admit(visitor, action)?;
        if let Some(token) = visitor.token {
            self.tokens().check(token, SystemTime::now()).map_err(Denied::Token)?;
        }
        let room = match target {
            Target::House => None,
            Target::Room(room, shown) => {
                self.enter(visitor, action, room, shown).await?;
                Some(room)
            }
        };
        Ok(Permit::new(action, room, visitor.clone(), &self.0.grants))
    }

    /// Lets somebody call others, or says why not: at a high priority it needs more than a call does.
    ///
    /// # Errors
    /// When they may not.
    pub async fn authorize_call(&self, visitor: &Visitor, priority: Priority) -> Result<Permit, Denied> {
        self.admit_priority(visitor, priority)?;
        self.authorize(visitor, Action::Call, Target::House).await
    }

    /// Whether somebody may ever announce or call with this priority.
    ///
    /// # Errors
    /// When they may not.
    pub fn admit_priority(&self, visitor: &Visitor, priority: Priority) -> Result<(), Denied> {
        match priority {
            Priority::Low | Priority::Normal => Ok(()),
            Priority::Urgent => self.admit(visitor, Action::BeUrgent),
        }
    }

    /// Whether somebody may know of the voice messages that were left at a place, without being the station that they are
    /// for: of those for everybody, and for a room that they may hear.
    pub async fn may_read_voice_messages(&self, visitor: &Visitor, place: &str) -> bool {
        if place == EVERYBODY {
            return true;
        }
        let room = self.0.rooms.find(place).filter(|room| !self.0.rooms.is_station(*room));
        match room {
            Some(room) => self.authorize(visitor, Action::Hear, Target::room(room)).await.is_ok(),
            None => false,
        }
    }

    /// Whether somebody may leave one there: for every station, and where they may know of it.
    pub async fn may_leave_voice_message(&self, visitor: &Visitor, place: &str) -> bool {
        let is_station = self.0.rooms.find(place).is_some_and(|room| self.0.rooms.is_station(room));
        is_station || self.may_read_voice_messages(visitor, place).await
    }

    /// For what the daemon does by itself: its own sound card, its recordings of what is said at home.
    pub fn of_the_machine(&self, action: Action, room: Option<RoomId>) -> Permit {
        Permit::new(action, room, Visitor::machine(), &self.0.grants)
    }

    async fn enter(
        &self,
        visitor: &Visitor,
        action: Action,
        room: RoomId,
        shown: RoomCredentials<'_>,
    ) -> Result<(), Denied> {
        let rooms = &self.0.rooms;
        let slug = rooms.slug(room).ok_or(JoinError::NoRoom)?;
        if !visitor.may_enter(&slug) {
            return Err(Denied::OtherRoom);
        }
        let asker = visitor.asker();
        match action {
            Action::Hear | Action::TurnStream => rooms.may_listen(asker, room, shown.pin).await?,
            Action::Talk | Action::Announce | Action::TurnAnnouncements | Action::SeeAnnouncements => {
                rooms.may_talk(&asker, room)?;
            }
            Action::Look => rooms.may_look(asker, room, shown.pin, shown.key).await?,
            // Whose the room is, is the room's to know: it is asked once more when they join or close it.
            Action::Join | Action::CloseRoom => {}
            // Of home, which is open to all, and of which only a token can keep out.
            Action::ListStreams => {}
            // None of these is about a room. One more that is has to say here what the room is asked.
            Action::SeePage
            | Action::Connect
            | Action::TalkInside
            | Action::Show
            | Action::ListRooms
            | Action::OpenRoom
            | Action::ReadInfo
            | Action::ReadMetrics
            | Action::ReadSound
            | Action::TurnSound
            | Action::ListPlayers
            | Action::SeePictures
            | Action::SeeHomeAssistant
            | Action::ConnectHomeAssistant
            | Action::AnnounceOnPlayer
            | Action::BeStation
            | Action::SeeCalls
            | Action::Call
            | Action::ForgetCalls
            | Action::BeUrgent
            | Action::SetDoNotDisturb
            | Action::SetDoorbell
            | Action::SetPhone
            | Action::SetRoomOptions
            | Action::LeaveVoiceMessage
            | Action::ReadVoiceMessages
            | Action::ChangeVoiceMessage
            | Action::ReadClips
            | Action::DeleteClip
            | Action::ReadFiles
            | Action::MakeToken
            | Action::RevokeToken
            | Action::Other => return Err(Denied::OneRoom),
        }
        Ok(())
    }

    /// Takes a token back, and ends all that is open by it.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn revoke(&self, token: uuid::Uuid) -> std::io::Result<()> {
        self.tokens().revoke(token)?;
        self.review();
        Ok(())
    }

    /// Looks through all that is open, and ends what is no longer permitted; gives how much that was. To be called each
    /// minute, since tokens expire by themselves, and are revoked by other processes as well.
    pub fn review(&self) -> usize {
        let now = SystemTime::now();
        let ended = self.0.grants.end_unless(|action, room, visitor| {
            let token = visitor.token.is_none_or(|token| self.tokens().check(token, now).is_ok());
            let stays = |room| !action.is_of_unjoined() || self.0.rooms.may_stay(&visitor.asker(), room);
            token && room.is_none_or(stays)
        });
        if ended > 0 {
            self.0.doubt.notify_one();
        }
        ended
    }

    /// Ends one grant, by order of its room's host.
    pub fn end(&self, grant: crate::domain::GrantId) {
        self.0.grants.end(grant);
        self.0.doubt.notify_one();
    }

    /// Whoever answers for a grant, for the room in which it is used.
    pub fn granted(&self, grant: crate::domain::GrantId) -> Option<Granted> {
        self.0.grants.owner(grant).map(|owner| Granted { grant, owner })
    }

    /// Waits until some have ended since this was last asked.
    pub async fn some_ended(&self) {
        self.0.doubt.notified().await;
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.0.grants.len()
    }
}

#[cfg(test)]
mod tests;
