//! Events: what rooms tell those who are in them, and those who watch them. Typed; how they are written for a
//! client is its protocol's business.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{RoomId, TrackKind};

use super::chat::ChatLine;
use super::participant::{ParticipantId, ParticipantInfo, ParticipantKey, SessionId};
use super::report::StatsInfo;
use super::room::{ListedRoom, RoomInfo};
use super::unjoined::ListenerInfo;

/// Event, and whom it is for.
#[derive(Debug, Clone)]
pub struct Notice {
    /// To whom.
    pub to: Recipients,
    /// What.
    pub event: RoomEvent,
}

/// Whom an event is for. Rooms are as they are when the event is taken from the outbox, which is at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// One participant, on this session.
    One(SessionId),
    /// Several who were in a room that may be no more.
    Those(RoomId, Vec<SessionId>),
    /// All in the room.
    Room(RoomId),
    /// All in the room but this one.
    RoomBut(RoomId, SessionId),
    /// Whoever watches the list of rooms.
    Watchers,
}

impl Recipients {
    /// Room of which all are to know it; `None` where it is for one alone, or about the list of rooms.
    pub fn room(&self) -> Option<RoomId> {
        match self {
            Self::Room(room) | Self::RoomBut(room, _) | Self::Those(room, _) => Some(*room),
            Self::One(_) | Self::Watchers => None,
        }
    }
}

/// Something that happened in a room, or to the list of them. Field by field what `docs/protocol.md` has.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoomEvent {
    /// To whoever just came.
    Joined {
        /// Where they are.
        room: RoomInfo,
        /// Who they are.
        you: ParticipantId,
        /// What they come back with.
        key: ParticipantKey,
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
        reason: LeaveReason,
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
        rooms: Vec<ListedRoom>,
    },
    /// To whoever left.
    Left,
    /// How loud all are who talk, in dBov.
    Levels {
        /// By who talks.
        levels: BTreeMap<ParticipantId, i8>,
    },
    /// To a participant: whom they hear in which slot, as far as slots are taken.
    Slots {
        /// By m-line.
        slots: Vec<SlotInfo>,
    },
    /// To a participant: what they see in which slot, as far as they want to see something.
    Views {
        /// By m-line.
        views: Vec<ViewInfo>,
    },
    /// To a participant: how large the largest tile is that shows them.
    VideoWanted {
        /// Their camera, or their screen.
        kind: TrackKind,
        /// Lines of it; 0: nobody looks.
        height: u16,
    },
    /// To a participant: what all can bear who hear them, in bits a second.
    Bitrate {
        /// Of their voice.
        voice: u32,
        /// Of their music.
        music: u32,
    },
}

/// A slot that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlotInfo {
    /// Name of its m-line.
    pub mid: String,
    /// Whoever is heard there.
    pub who: ParticipantId,
    /// Their music, rather than their voice.
    pub music: bool,
}

/// What comes in a slot for video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewInfo {
    /// Name of its m-line.
    pub slot: String,
    /// Who is to be seen there.
    pub who: ParticipantId,
    /// By their camera, or on their screen.
    pub kind: TrackKind,
    /// Whether it comes.
    pub state: VideoState,
    /// Lines of the picture, where that is known.
    pub height: Option<u16>,
}

/// Whether a picture comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoState {
    /// In a moment.
    Waiting,
    /// It does.
    Playing,
    /// The way to whoever looks bears none beside the voices now; it is tried again.
    TooNarrow,
    /// Their browser does not know the codec.
    CannotDecode,
}

/// What an event says how it is now: a later one of the same takes its place.
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
    /// How loud all are who talk.
    Levels,
    /// Whom somebody hears in which slot.
    Slots,
    /// What all can bear who hear somebody.
    Bitrate,
    /// What somebody sees in which slot.
    Views,
    /// How large the largest tile is that shows somebody.
    VideoWanted(TrackKind),
}

impl RoomEvent {
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
            Self::Levels { .. } => Some(Topic::Levels),
            Self::Slots { .. } => Some(Topic::Slots),
            Self::Bitrate { .. } => Some(Topic::Bitrate),
            Self::Views { .. } => Some(Topic::Views),
            Self::VideoWanted { kind, .. } => Some(Topic::VideoWanted(*kind)),
            Self::Joined { .. }
            | Self::ParticipantJoined { .. }
            | Self::ParticipantLeft { .. }
            | Self::Chat(_)
            | Self::Removed { .. }
            | Self::RoomClosed { .. }
            | Self::Left => None,
        }
    }
}

/// Why a participant is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeaveReason {
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
    pub(super) const fn event(self) -> RoomEvent {
        let message = match self {
            Self::Kicked => "The host has sent you out of the room",
            Self::Replaced => "You joined this room from elsewhere",
        };
        RoomEvent::Removed { reason: self, message }
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
    pub(super) const fn event(self) -> RoomEvent {
        let message = match self {
            Self::Closed => "The room was closed",
            Self::HostLeft => "The host has left, and the room is closed",
            Self::Idle => "Nobody talked for a long time, and the room is closed",
        };
        RoomEvent::RoomClosed { reason: self, message }
    }
}
