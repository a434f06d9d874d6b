//! How loud tracks are, and who is heard to talk.

use std::time::{Duration, Instant};

use super::{Context, Event, Router};

/// Time between two reports of levels: often enough for a meter to look alive.
const LEVELS_INTERVAL: Duration = Duration::from_millis(200);

/// What is louder than this is a voice, and not the room around it, in dBov.
const LOUD: i8 = -55;

/// Whoever was loud so short a while ago still talks.
const TALKS_ON: Duration = Duration::from_millis(500);

/// Loudness of one track.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// Level of the loudest packet since the last report, in dBov.
    loudest: Option<i8>,
    /// Time at which it was last more than silence.
    loud: Option<Instant>,
    /// It was told that somebody talks here.
    pub(super) talks: bool,
}

impl Level {
    /// Takes note of a packet's level. True when somebody begins to talk with it.
    pub(super) fn note(&mut self, level: Option<i8>, now: Instant) -> bool {
        self.loudest = self.loudest.max(level);
        if !is_loud(level) {
            return false;
        }
        self.loud = Some(now);
        !std::mem::replace(&mut self.talks, true)
    }

    /// Whether whoever talked has stopped.
    fn stops(&mut self, now: Instant) -> bool {
        let talked = self.talks;
        self.talks &= self.loud.is_some_and(|at| now.saturating_duration_since(at) < TALKS_ON);
        talked && !self.talks
    }
}

/// Whether a packet is more than silence. Whoever does not measure is taken for loud.
pub(super) fn is_loud(level: Option<i8>) -> bool {
    level.is_none_or(|level| level >= LOUD)
}

impl Router {
    /// Of remote tracks, the core that they come from tells.
    pub(super) fn tells_levels(&self) -> bool {
        self.tracks.values().any(|track| !track.is_remote)
    }

    /// Reports how loud the tracks were, and who has stopped to talk.
    pub(super) fn tick_levels(&mut self, cx: &mut Context) {
        if cx.now < self.next_levels || !self.tells_levels() {
            return;
        }
        self.next_levels = cx.now + LEVELS_INTERVAL;
        let levels: Vec<_> =
            self.tracks.iter_mut().filter_map(|(id, track)| Some((*id, track.level.loudest.take()?))).collect();
        if !levels.is_empty() {
            cx.tell(Event::Levels(levels));
        }
        for track in self.tracks.values_mut() {
            if track.level.stops(cx.now) {
                cx.tell(Event::Talks(track.stream, false));
            }
        }
    }
}
