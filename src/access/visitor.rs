//! Whoever asks for something.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::Owner;
use crate::rooms::Asker;

use super::action::{Scope, Scopes};

/// Which token somebody has shown, and until when it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenId {
    /// Its name, by which it is revoked.
    pub id: Uuid,
    /// In seconds since 1970.
    pub expires: u64,
}

/// Somebody whom the gate let in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Where they are, as far as is known.
    pub address: IpAddr,
    /// What they may do.
    pub scopes: Scopes,
    /// How Home Assistant, or their token, calls them.
    pub name: Option<String>,
    /// Who Home Assistant says they are; only of those who come through its proxy.
    pub user: Option<Arc<str>>,
    /// Whether they come through Home Assistant's proxy, which alone says where they are.
    pub is_proxied: bool,
    /// The only room in which they may do that, where their token says so.
    pub room: Option<String>,
    /// The token that says all this, if one does.
    pub token: Option<TokenId>,
}

impl Visitor {
    /// Somebody at this address who may do this, and of whom nothing else is known.
    pub fn at(address: IpAddr, scopes: Scopes) -> Self {
        Self { address, scopes, name: None, user: None, is_proxied: false, room: None, token: None }
    }

    /// An automation of Home Assistant's, or the user who caused what it does, and how that one is called. They may what the
    /// panel may.
    pub fn of_home_assistant(user: Option<&str>, name: Option<String>) -> Self {
        Self { user: user.map(Into::into), name, ..Self::machine() }
    }

    /// The daemon itself.
    pub(super) fn machine() -> Self {
        Self::at(Ipv4Addr::UNSPECIFIED.into(), Scopes::all())
    }

    /// Whether they may be in the room of this id at all.
    pub fn may_enter(&self, room: &str) -> bool {
        self.room.as_deref().is_none_or(|only| only == room)
    }

    /// Whether they are on this machine, as far as their address says.
    pub fn is_local(&self) -> bool {
        self.address.is_loopback()
    }

    /// Who answers for them.
    pub fn owner(&self) -> Owner {
        match &self.user {
            Some(user) => Owner::User(Arc::clone(user)),
            None if self.address.is_unspecified() => Owner::Machine,
            None => self.address.into(),
        }
    }

    /// What rooms may know of them: whoever may let others into the house may do everything in its rooms; with a token
    /// for one room, in that one, since they get into no other.
    pub fn asker(&self) -> Asker {
        Asker { owner: Some(self.owner()), admin: self.scopes.contains(Scope::Share) }
    }

    /// How others see them: by their name, or else by where they are.
    pub fn called(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.address.to_canonical().to_string())
    }
}
