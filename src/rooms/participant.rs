//! A participant: somebody who is in a room now.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Owner, StreamId};

use super::chat::TokenBucket;
use super::video::Shown;

/// Identity of a participant, on the wire a uuid. It says nothing of their streams: whoever knows it can hear nobody by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParticipantId(pub Uuid);

impl ParticipantId {
    /// Of somebody new.
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

/// What a participant comes back with; told to them alone, since whoever has it is them.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ParticipantKey(Uuid);

impl ParticipantKey {
    /// Reads what a client shows; what was never a key of ours is none.
    pub fn of_text(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl std::fmt::Debug for ParticipantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ParticipantKey")
    }
}

/// One stay of a participant, by one connection: who comes back is the same participant, on another session.
/// Later sessions are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(super) u64);

/// A connection is judged after so many looks at it: the first ones see it being made.
pub const QUALITY_SAMPLES: u8 = 3;

/// How well a participant is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// Nothing to be heard of it.
    Good,
    /// Now and then.
    Fair,
    /// Words are missing.
    Poor,
}

/// Who somebody is in a room, also while their connection is broken.
#[derive(Debug, Clone)]
pub(super) struct ParticipantIdentity {
    pub(super) id: ParticipantId,
    pub(super) key: ParticipantKey,
    /// The stream of their voice.
    pub(super) voice: StreamId,
    /// The stream of what they play besides.
    pub(super) music: StreamId,
    /// The track of their camera.
    pub(super) camera: StreamId,
    /// The track of their screen.
    pub(super) screen: StreamId,
    pub(super) name: String,
    /// By the host.
    pub(super) muted: bool,
    /// Given to them by the host, where not all have it.
    pub(super) has_floor: bool,
    /// What they may still write: not more again for having left and come back.
    pub(super) chat_tokens: TokenBucket,
}

impl ParticipantIdentity {
    pub(super) fn new(now: Instant) -> Self {
        let [voice, music, camera, screen] = [(); 4].map(|()| StreamId::of_connection(Uuid::new_v4()));
        Self {
            id: ParticipantId::new(),
            key: ParticipantKey(Uuid::new_v4()),
            voice,
            music,
            camera,
            screen,
            name: String::new(),
            muted: false,
            has_floor: false,
            chat_tokens: TokenBucket::new(now),
        }
    }
}

/// Somebody who is there.
#[derive(Debug)]
pub(super) struct Participant {
    pub(super) who: ParticipantIdentity,
    /// Who answers for them, as far as is known: kept out if they are kicked.
    pub(super) owner: Option<Owner>,
    pub(super) talking: bool,
    pub(super) music: bool,
    pub(super) shown: Shown,
    pub(super) quality: Option<Quality>,
    /// How often that was measured, as far as it matters.
    pub(super) samples: u8,
    /// As the media side was told last.
    pub(super) silenced: bool,
    /// The same of what they show.
    pub(super) hidden: bool,
    /// Wants to hear somebody.
    pub(super) listens: bool,
    /// Has a media connection.
    pub(super) connected: bool,
}

impl Participant {
    /// Whether what others say there gets to them, as far as they say themselves.
    pub(super) const fn hears(&self) -> bool {
        self.listens && self.connected
    }
}

/// A participant as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParticipantInfo {
    /// Who.
    pub id: ParticipantId,
    /// How people call them.
    pub name: String,
    /// Whether the room is theirs.
    pub host: bool,
    /// By the host.
    pub muted: bool,
    /// Whether they may talk here, but for being muted.
    #[serde(rename = "word")]
    pub has_floor: bool,
    /// Whether they are heard just now.
    pub talking: bool,
    /// Whether their music is.
    pub music: bool,
    /// What they show just now.
    #[serde(flatten)]
    pub shown: Shown,
    /// Whether all else is turned down for what they say.
    pub urgent: bool,
    /// Of the connection; not known before [`QUALITY_SAMPLES`].
    pub quality: Option<Quality>,
    /// Whether they have joined, rather than being heard by other ways.
    pub joined: bool,
    /// Whether what others say there gets to them.
    pub hears: bool,
    /// Who they are in Home Assistant, where that is known: by it others see their picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
}

/// The user of Home Assistant that somebody is.
pub(super) fn user_of(owner: Option<&Owner>) -> Option<Arc<str>> {
    match owner {
        Some(Owner::User(user)) => Some(Arc::clone(user)),
        _ => None,
    }
}

/// A participant as everybody may see them who may know which rooms there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonInfo {
    /// Who.
    pub id: ParticipantId,
    /// How people call them.
    pub name: String,
    /// Whether they are heard just now.
    pub talking: bool,
    /// Whether they have joined, rather than being heard by other ways.
    pub joined: bool,
    /// Whether what others say there gets to them.
    pub hears: bool,
}

impl From<ParticipantInfo> for PersonInfo {
    fn from(ParticipantInfo { id, name, talking, joined, hears, .. }: ParticipantInfo) -> Self {
        Self { id, name, talking, joined, hears }
    }
}
