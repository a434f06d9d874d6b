//! Voice messages: what somebody says for those who did not answer, kept as it was sent until they have heard it.
//!
//! This file says which are kept, and is a state machine: times are arguments, and nothing is read or written. `recording`
//! is one that is being said; `store` keeps all of them in the data folder; `handle` is the door for everybody else.

mod handle;
mod recording;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calls::StationId;
use crate::limits::share_of;

pub use handle::{MailboxEvent, MailboxHandle};
pub use recording::{Ending, Recording};

/// How many there may be, and for how long.
#[derive(Debug, Clone)]
pub struct MailboxSettings {
    /// Messages that are kept; 0: none can be left.
    pub count: usize,
    /// What they take together.
    pub bytes: u64,
    /// A message is deleted after so long, heard or not.
    pub age: Duration,
    /// A message is no longer than this.
    pub length: Duration,
    /// Percentage of the messages that may be from one device.
    pub share: u8,
}

impl MailboxSettings {
    /// Whether a message is too old at this time, in seconds since 1970. One from the future waits until the clock is right.
    fn is_over(&self, message: &VoiceMessage, now: u64) -> bool {
        now.saturating_sub(message.at) >= self.age.as_secs()
    }
}

/// Identity of a voice message. Nobody guesses it: whoever was told of it may hear the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VoiceMessageId(pub Uuid);

/// Whoever left a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSender {
    /// The device.
    pub station: StationId,
    /// How it was called.
    pub name: String,
}

/// A voice message, without what is said in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceMessage {
    /// Which.
    pub id: VoiceMessageId,
    /// Who left it.
    pub from: MessageSender,
    /// For whom: the id of a station or room, or [`EVERYBODY`](crate::calls::EVERYBODY).
    pub to: String,
    /// When it was left, in seconds since 1970.
    pub at: u64,
    /// How long it is.
    pub milliseconds: u64,
    /// How large.
    pub bytes: u64,
    /// Whether somebody has heard it.
    pub heard: bool,
    /// How loud its parts are, 255 of full scale, each as long as the others.
    pub peaks: Vec<u8>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailboxCounters {
    /// Messages that were left.
    pub left: u64,
    /// Messages that were not, since there were too many.
    pub refused: u64,
    /// Messages that had to go for others, though somebody had heard them.
    pub displaced: u64,
    /// Messages that ended early, since there was no memory for more.
    pub cut: u64,
    /// Messages that were said, and could not be kept.
    pub failed: u64,
}

/// A message is not left, or cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// Nobody can leave one.
    #[error("Messages are turned off here (mailbox.count is 0)")]
    Off,
    /// Nobody would hear it.
    #[error(
        "There is no place {0:?} for which a message could be left; GET /api/stations and GET /api/rooms list them"
    )]
    NoPlace(String),
    /// So many wait that nobody has heard.
    #[error(
        "The mailbox is full: {0} messages wait, as many as mailbox.count and mailbox.bytes allow; delete some first"
    )]
    Full(usize),
    /// So many of one device do.
    #[error("{0} messages of this device wait, as many as limits.share leaves to one; delete some first")]
    FullOfOne(usize),
    /// Too many are being said.
    #[error("Too many messages are being recorded; try again in a minute")]
    TooManyAtOnce,
    /// Nothing was said, or nothing arrived.
    #[error("Nothing was recorded")]
    NothingSaid,
    /// The disk is full, or cannot be written.
    #[error("The message could not be kept: {0}")]
    NotKept(String),
    /// There is none of this id.
    #[error("There is no such message, or no more")]
    Unknown,
}

impl MailboxError {
    /// For programs, as the protocol has it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Off => "not_permitted",
            Self::NoPlace(_) => "no_station",
            Self::Full(_) | Self::FullOfOne(_) | Self::TooManyAtOnce => "full",
            Self::NothingSaid => "nothing_said",
            Self::NotKept(_) => "not_kept",
            Self::Unknown => "no_voice_message",
        }
    }
}

/// The messages that are kept. A clone is as it was: whoever changes one shows it only when the disk has it.
#[derive(Debug, Clone)]
struct Mailbox {
    settings: MailboxSettings,
    /// By the time when they were left: oldest first.
    messages: BTreeMap<(u64, VoiceMessageId), VoiceMessage>,
}

impl Mailbox {
    fn new(settings: MailboxSettings, kept: Vec<VoiceMessage>) -> Self {
        let messages = kept.into_iter().map(|message| ((message.at, message.id), message)).collect();
        Self { settings, messages }
    }

    /// Makes room for one more, of so many bytes: those go that somebody has heard, the oldest first. Gives which.
    ///
    /// # Errors
    /// When so many wait that nobody has heard, or so many of this device do.
    fn make_room(&mut self, from: &StationId, bytes: u64) -> Result<Vec<VoiceMessageId>, MailboxError> {
        let MailboxSettings { count, bytes: most, share, .. } = self.settings;
        if count == 0 {
            return Err(MailboxError::Off);
        }
        let (mut gone, own) = (Vec::new(), share_of(count, share));
        while self.messages.values().filter(|message| message.from.station == *from).count() >= own {
            gone.push(self.drop_heard(|message| message.from.station == *from).ok_or(MailboxError::FullOfOne(own))?);
        }
        while self.messages.len() >= count || self.bytes().saturating_add(bytes) > most {
            gone.push(self.drop_heard(|_| true).ok_or(MailboxError::Full(self.messages.len()))?);
        }
        Ok(gone)
    }

    fn drop_heard(&mut self, which: impl Fn(&VoiceMessage) -> bool) -> Option<VoiceMessageId> {
        let oldest = self.messages.iter().find(|(_, message)| message.heard && which(message));
        let (key, id) = oldest.map(|(key, message)| (*key, message.id))?;
        self.messages.remove(&key);
        Some(id)
    }

    fn add(&mut self, message: VoiceMessage) {
        self.messages.insert((message.at, message.id), message);
    }

    fn find(&mut self, id: VoiceMessageId) -> Result<&mut VoiceMessage, MailboxError> {
        self.messages.values_mut().find(|message| message.id == id).ok_or(MailboxError::Unknown)
    }

    /// Deletes all for which this holds; gives which.
    fn delete(&mut self, which: impl Fn(&VoiceMessage) -> bool) -> Vec<VoiceMessageId> {
        let gone: Vec<_> = self.messages.values().filter(|message| which(message)).map(|message| message.id).collect();
        self.messages.retain(|_, message| !gone.contains(&message.id));
        gone
    }

    fn bytes(&self) -> u64 {
        self.messages.values().map(|message| message.bytes).sum()
    }
}
