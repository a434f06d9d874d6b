//! What rooms tell: messages to participants and watchers, and orders to the media side.

use serde::Serialize;

use crate::domain::{GrantId, RoomId, StreamId};

use super::chat::ChatLine;
use super::participant::{Key, ParticipantId, ParticipantInfo, SessionId};
use super::report::StatsInfo;
use super::room::RoomInfo;
use super::unjoined::ListenerInfo;

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Notice {
    /// To whom.
    pub to: Recipients,
    /// What.
    pub message: RoomMessage,
}

/// Whom a message is for. Rooms are as they are when the message is taken from the outbox, which is at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// One participant, on this session.
    One(SessionId),
    /// Several, of a room that may be no more.
    Those(Vec<SessionId>),
    /// All in the room.
    Room(RoomId),
    /// All in the room but this one.
    RoomBut(RoomId, SessionId),
    /// Whoever watches the list of rooms.
    Watchers,
}

/// What the daemon says of rooms, as `docs/protocol.md` has it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoomMessage {
    /// To whoever just came.
    Joined {
        /// Where they are.
        room: RoomInfo,
        /// Who they are.
        you: ParticipantId,
        /// What they come back with.
        key: Key,
        /// Who is there, themselves among them; the longest there is the first.
        participants: Vec<ParticipantInfo>,
        /// Who hears without having joined: the first of them.
        listeners: Vec<ListenerInfo>,
        /// What was written before, oldest first.
        chat: Vec<ChatLine>,
    },
    /// Somebody came, or came back.
    ParticipantJoined {
        /// Who.
        participant: ParticipantInfo,
    },
    /// Something about somebody is different.
    ParticipantChanged {
        /// Who, as they are now.
        participant: ParticipantInfo,
    },
    /// Somebody is no longer there.
    ParticipantLeft {
        /// Who.
        who: ParticipantId,
        /// Why.
        reason: Departure,
    },
    /// Something about the room is different.
    RoomChanged {
        /// As it is now.
        room: RoomInfo,
    },
    /// Somebody is heard, or no longer.
    Talking {
        /// Who.
        who: ParticipantId,
        /// Whether they are.
        on: bool,
        /// Their music, rather than their voice.
        music: bool,
    },
    /// Others hear the room than before, without having joined it.
    Listeners {
        /// The first of them, the longest there first.
        listeners: Vec<ListenerInfo>,
        /// How many they are.
        count: usize,
    },
    /// To the host: somebody guesses at the PIN.
    PinGuessed {
        /// Wrong ones since the last that was right.
        wrong: u32,
    },
    /// Something was written.
    Chat(ChatLine),
    /// How well all goes.
    Stats(StatsInfo),
    /// To somebody who is out of the room.
    Removed {
        /// Why.
        reason: Removal,
        /// The same, for people.
        message: &'static str,
    },
    /// To all who were in a room.
    RoomClosed {
        /// Why.
        reason: Closure,
        /// The same, for people.
        message: &'static str,
    },
    /// Every room.
    Rooms {
        /// In the order in which they were opened; the permanent ones first.
        rooms: Vec<RoomInfo>,
    },
    /// To whoever left.
    Left,
}

/// What a message says how it is now: a later one of the same takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A participant.
    Participant(ParticipantId),
    /// Whether somebody's voice, or music, is heard.
    Talking(ParticipantId, bool),
    /// The room.
    Room,
    /// Who hears it without having joined.
    Listeners,
    /// Guesses at its PIN.
    Guesses,
    /// How well all goes.
    Stats,
    /// Every room.
    Rooms,
    /// How loud all are who talk: the media side's to say.
    Levels,
    /// Whom somebody hears in which slot: likewise.
    Slots,
    /// What all can bear who hear somebody: likewise.
    Bitrate,
}

impl RoomMessage {
    /// What it says how it is now; nothing, if it tells what happened, and every one has to be heard.
    pub fn topic(&self) -> Option<Topic> {
        match self {
            Self::ParticipantChanged { participant } => Some(Topic::Participant(participant.id)),
            Self::Talking { who, music, .. } => Some(Topic::Talking(*who, *music)),
            Self::RoomChanged { .. } => Some(Topic::Room),
            Self::Listeners { .. } => Some(Topic::Listeners),
            Self::PinGuessed { .. } => Some(Topic::Guesses),
            Self::Stats(_) => Some(Topic::Stats),
            Self::Rooms { .. } => Some(Topic::Rooms),
            Self::Joined { .. }
            | Self::ParticipantJoined { .. }
            | Self::ParticipantLeft { .. }
            | Self::Chat(_)
            | Self::Removed { .. }
            | Self::RoomClosed { .. }
            | Self::Left => None,
        }
    }

    /// The frame's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and lists can always be written")
    }
}

/// Why a participant is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Departure {
    /// They left.
    Left,
    /// Their connection is lost.
    Gone,
    /// The host sent them out.
    Kicked,
}

/// Why somebody was put out of a room that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// By the host.
    Kicked,
    /// By themselves, who joined elsewhere with the same key.
    Replaced,
}

impl Removal {
    pub(super) const fn message(self) -> RoomMessage {
        let message = match self {
            Self::Kicked => "The host has sent you out of the room",
            Self::Replaced => "You joined this room from elsewhere",
        };
        RoomMessage::Removed { reason: self, message }
    }
}

/// Why a room was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Closure {
    /// By its host.
    Closed,
    /// Its host has gone, and there is nothing to hear without them.
    HostLeft,
    /// Nobody talked or wrote for long.
    Idle,
}

impl Closure {
    pub(super) const fn message(self) -> RoomMessage {
        let message = match self {
            Self::Closed => "The room was closed",
            Self::HostLeft => "The host has left, and the room is closed",
            Self::Idle => "Nobody talked for a long time, and the room is closed",
        };
        RoomMessage::RoomClosed { reason: self, message }
    }
}

/// What the media side is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// JoinPermit on nothing that the sender of this stream sends, or again what they send.
    Silence(StreamId, bool),
    /// Close the media connection of the participant with this voice, as it was made on this session: they were put out,
    /// and did not leave by themselves.
    Remove(StreamId, SessionId),
    /// End what was granted to somebody who has not joined: they were sent out.
    End(GrantId),
    /// Keep a slot for this voice in the room, or for nobody.
    Pin(RoomId, Option<StreamId>),
    /// Forget this room: it is no more.
    Forget(RoomId),
}
