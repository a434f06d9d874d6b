//! A live track: of which at least one packet was decrypted, and which is not over.

use std::time::{Duration, Instant};

use crate::domain::Track;

use super::ConsumerKey;
use super::level::Level;
use super::sequence::Timeline;
use crate::core::packet::{Position, SenderSequence};

/// A participant's track of which nothing came for so long is over: silence too sends a packet every 400 ms.
pub(super) const FALLEN_SILENT: Duration = Duration::from_secs(2);

/// Live track.
pub(super) struct LiveTrack {
    pub(super) stream: Track,
    /// Grows with each track that becomes live.
    pub(super) order: u64,
    /// What its sender hears by itself, and does not hear this on.
    pub(super) own_consumer: Option<ConsumerKey>,
    /// It comes from another core, which tells of it.
    pub(super) is_remote: bool,
    /// Those who hear it and nothing else, in the order in which they came.
    pub(super) consumers: Vec<ConsumerKey>,
    /// Ports that take it.
    pub(super) ports: Vec<usize>,
    pub(super) level: Level,
    timeline: Timeline,
    last_packet: Instant,
    /// It is over once nothing has come for so long; `None` where its source tells.
    idle_limit: Option<Duration>,
}

impl LiveTrack {
    pub(super) fn new(
        stream: Track,
        order: u64,
        own_consumer: Option<ConsumerKey>,
        is_remote: bool,
        idle_limit: Option<Duration>,
        ports: Vec<usize>,
        now: Instant,
    ) -> Self {
        Self {
            stream,
            order,
            own_consumer,
            is_remote,
            consumers: Vec::new(),
            ports,
            level: Level::default(),
            timeline: Timeline::new(stream.kind.clock_rate()),
            last_packet: now,
            idle_limit,
        }
    }

    /// When it is over, if nothing more comes.
    pub(super) fn idle_deadline(&self) -> Option<Instant> {
        self.idle_limit.map(|limit| self.last_packet + limit)
    }

    /// When something last came of it.
    pub(super) fn last_packet(&self) -> Instant {
        self.last_packet
    }

    /// Something came of it, whether or not it goes any further.
    pub(super) fn touch(&mut self, now: Instant) {
        self.last_packet = now;
    }

    /// The place of a packet; `None` when it came too late to have one.
    pub(super) fn place(&mut self, sequence: SenderSequence, now: Instant) -> Option<Position> {
        self.timeline.place(sequence, now)
    }

    /// Whether somebody was told that it is heard to talk.
    pub(super) fn talks(&self) -> bool {
        self.level.talks
    }
}
