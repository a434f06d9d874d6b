//! What is written in a room: bounded in length, in number, and in how fast it comes.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::Rooms;
use super::event::{Recipients, RoomEvent};
use super::names::{MAX_CHAT, clean_chat};
use super::participant::{ParticipantId, SessionId};

/// Messages that are kept for those who come later; the oldest goes.
pub const CHAT_HISTORY: usize = 100;

/// Messages that one participant may send at once; then one each [`CHAT_INTERVAL`].
pub const CHAT_BURST: u32 = 5;

/// See [`CHAT_BURST`].
pub const CHAT_INTERVAL: Duration = Duration::from_secs(1);

/// Something that was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatLine {
    /// By whom.
    pub from: ParticipantId,
    /// How they were called then.
    pub name: String,
    /// What; several lines, maybe.
    pub text: String,
    /// When, in seconds since 1970.
    pub at: f64,
    /// Whether the host wrote it.
    pub host: bool,
}

/// A message is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// It is of nobody who is there.
    #[error("Join a room before writing in it")]
    NotJoined,
    /// Nothing to show is in it.
    #[error("The message is empty")]
    Empty,
    /// More than can be shown.
    #[error("A message has {MAX_CHAT} characters at most")]
    TooLong,
    /// More than the others can read.
    #[error("Too many messages; wait a second")]
    TooFast,
}

impl ChatError {
    /// For programs, as the protocol has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotJoined => "not_joined",
            Self::Empty | Self::TooLong => "bad_message",
            Self::TooFast => "too_fast",
        }
    }
}

/// How much a participant may write now: a bucket that refills.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    /// When the bucket will be full again, or was.
    full_at: Instant,
}

impl TokenBucket {
    pub(super) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + CHAT_INTERVAL;
        let allowed = full_at <= now + CHAT_INTERVAL * CHAT_BURST;
        if allowed {
            self.full_at = full_at;
        }
        allowed
    }
}

/// What was written last, oldest first.
#[derive(Debug, Default)]
pub(super) struct ChatHistory(VecDeque<ChatLine>);

impl ChatHistory {
    fn keep(&mut self, line: ChatLine) {
        if self.0.len() == CHAT_HISTORY {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub(super) fn lines(&self) -> Vec<ChatLine> {
        self.0.iter().cloned().collect()
    }
}

impl Rooms {
    /// Passes a message on to all in the room; `at` is what the clock on the wall says.
    ///
    /// # Errors
    /// When nobody gets it, and why.
    pub fn chat(&mut self, now: Instant, at: SystemTime, session: SessionId, text: &str) -> Result<(), ChatError> {
        let (id, room) = self.room_of(session).ok_or(ChatError::NotJoined)?;
        let text = clean_chat(text);
        if text.is_empty() {
            return Err(ChatError::Empty);
        }
        if text.chars().count() > MAX_CHAT {
            return Err(ChatError::TooLong);
        }
        let host = room.is_host(session);
        let participant = room.present.get_mut(&session).ok_or(ChatError::NotJoined)?;
        if !participant.who.chat_tokens.take(now) {
            self.counters.chat_refused += 1;
            return Err(ChatError::TooFast);
        }
        let at = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let line = ChatLine { from: participant.who.id, name: participant.who.name.clone(), text, at, host };
        room.active = now;
        room.chat.keep(line.clone());
        self.tell(Recipients::Room(id), RoomEvent::Chat(line));
        Ok(())
    }
}
