//! Events: what media threads tell those who want to know.

use std::convert::Infallible;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::core::ViewState;
use crate::domain::{GrantId, OpusPacket, Owner, StreamId, Track};

/// All streams' levels of one moment, in dBov.
pub type Levels = Arc<[(StreamId, i8)]>;

/// Coming or going of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamEvent {
    /// It can be heard from now on.
    Available(Track),
    /// It is over.
    Ended(Track),
}

/// Something that those in a room are to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaEvent {
    /// A stream came or went; what its sender was granted, where that is known.
    Stream(StreamEvent, Option<GrantId>),
    /// Somebody is, or is no longer, heard to talk (or to play).
    Talks(Track, bool),
    /// The participant with this voice hears these streams, by the m-lines of its slots: all that are taken.
    Slots(StreamId, Vec<(String, StreamId)>),
    /// Bits a second that all can bear who hear the participant with this voice.
    Bitrate(StreamId, u32),
    /// What the participant with this voice sees, by the m-lines of their slots: all in which they want to see something.
    Views(StreamId, Vec<(String, StreamId, ViewState)>),
    /// Lines of the largest tile that shows this track; 0: nobody looks.
    VideoWanted(StreamId, u16),
    /// A connection with an address of its own is over, which was there by this grant.
    Closed(GrantId),
}

/// What happens in rooms, for the one who tells those who are in them.
pub type MediaEvents = mpsc::Receiver<MediaEvent>;

/// Stream from its first packet on.
pub struct NewTrack {
    /// Identity of it.
    pub stream: StreamId,
    /// Whoever answers for it.
    pub owner: Owner,
    /// All of its packets, over a bounded channel that closes when it ends.
    pub packets: mpsc::Receiver<OpusPacket>,
    /// Closes then, too: for those who let packets gather.
    pub ended: oneshot::Receiver<Infallible>,
}

/// Every stream that begins, of those that are recorded.
pub type NewTracks = mpsc::Receiver<NewTrack>;
