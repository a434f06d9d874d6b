//! One announcement: what is wished, what becomes of it, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fmt, io};

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::access::Permit;
use crate::domain::{Priority, RoomId};
use crate::library::{NoAudio, Recording};
use crate::limits::{Full, Place};

use super::pace::FRAME;
use super::playlist::Playlist;

/// Times that one announcement may be heard.
pub const REPEATS: std::ops::RangeInclusive<u32> = 1..=10;

/// How loud one may be, in decibels.
pub const VOLUMES: std::ops::RangeInclusive<f32> = -60.0..=20.0;

/// Identity of one announcement; its stream has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct AnnouncementId(pub Uuid);

/// Something that is to be announced, wherever that is.
#[derive(Debug)]
pub struct AnnounceRequest {
    /// How people call it.
    pub name: String,
    /// What.
    pub recording: Recording,
    /// What is heard before.
    pub chime: Option<Recording>,
    /// In decibels, of [`VOLUMES`]; 0 is as it is.
    pub volume: f32,
    /// Times, of [`REPEATS`].
    pub repeat: u32,
    /// Before what.
    pub priority: Priority,
    /// The memory that it takes, if it is no file.
    pub memory: Option<Place>,
}

/// The same once it is known that it can be played. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) name: Arc<str>,
    pub(super) priority: Priority,
    pub(super) playlist: Playlist,
    /// How long all of it is, where the files say so.
    pub(super) seconds: Option<f64>,
    pub(super) memory: Option<Arc<Place>>,
}

impl Prepared {
    /// How people call it.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The same at this share of its loudness, in percent.
    #[must_use]
    pub fn at(mut self, percent: u8) -> Self {
        self.playlist.turn(f32::from(percent) / 100.0);
        self
    }
}

/// Something is not announced.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The recording, or the chime, is none.
    #[error("It cannot be played: {0}")]
    Broken(NoAudio),
    /// As many wait as may.
    #[error("No more announcements may wait in this room, by announce.waiting: {0}")]
    LineFull(Full),
    /// It is longer than any may be.
    #[error("It has more than {0} bytes, which announce.clip_bytes allows")]
    TooLarge(u64),
    /// Those that wait take all the memory there is for them.
    #[error("There is no memory for the recording, by announce.memory in bytes: {0}")]
    MemoryFull(Full),
    /// Others are looked at.
    #[error("Too many recordings are looked at just now: {0}")]
    Busy(Full),
    /// There is no thread for it.
    #[error("It cannot be played now: {0}")]
    NoThread(io::Error),
    /// What permitted it has ended.
    #[error("This is not permitted any more")]
    NotPermitted,
    /// The daemon goes down.
    #[error("The voice relay is shutting down")]
    ShuttingDown,
}

/// How an announcement ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was heard to its end.
    Played,
    /// Somebody stopped it, or its room was closed.
    Stopped,
    /// Something urgent needed its place.
    Displaced,
    /// It could not be read any more, and why.
    Failed(String),
}

/// An announcement that plays or waits.
pub struct Announcement {
    /// Its identity.
    pub id: AnnouncementId,
    /// Where it is heard.
    pub room: RoomId,
    /// How people call it.
    pub name: Arc<str>,
    /// Before what it is heard.
    pub priority: Priority,
    /// How long all of it is, where the files say so.
    pub seconds: Option<f64>,
    pub(super) playlist: Playlist,
    /// Those of 20 ms that were heard.
    pub(super) frames: AtomicU64,
    pub(super) over: CancellationToken,
    pub(super) permit: Permit,
    _memory: Option<Arc<Place>>,
}

impl Announcement {
    pub(super) fn new(id: AnnouncementId, prepared: Prepared, room: RoomId, permit: Permit) -> Self {
        let Prepared { name, priority, playlist, seconds, memory } = prepared;
        let (frames, over) = (AtomicU64::new(0), CancellationToken::new());
        Self { id, room, name, priority, seconds, playlist, frames, over, permit, _memory: memory }
    }

    /// How much of it was heard.
    pub fn played(&self) -> f64 {
        self.frames.load(Ordering::Relaxed) as f64 * FRAME.as_secs_f64()
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.is_cancelled()
    }
}

impl fmt::Debug for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Announcement").field(&self.id).finish()
    }
}

/// What is known of an announcement.
#[derive(Debug, Clone)]
pub enum KnownAnnouncement {
    /// It plays, or waits behind so many.
    Lives(Arc<Announcement>, usize),
    /// It is over.
    Over(RoomId, Outcome),
}

impl KnownAnnouncement {
    /// Where it is, or was, heard.
    pub fn room(&self) -> RoomId {
        match self {
            Self::Lives(announcement, _) => announcement.room,
            Self::Over(room, _) => *room,
        }
    }
}
