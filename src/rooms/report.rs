//! How well a room goes: numbers that the media side measures, kept here for whoever asks. What nobody has measured
//! is null, never a guess.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::domain::RoomId;

use super::Rooms;
use super::event::{Recipients, RoomEvent};
use super::participant::{ParticipantId, Quality};
use super::room::{Room, RoomKind};

/// Time between two points of the history.
pub const HISTORY_INTERVAL: Duration = Duration::from_secs(10);

/// Points that are kept; the oldest goes.
pub const HISTORY_POINTS: usize = 60;

/// What the media side measures of a room.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoomStats {
    /// Of all together.
    pub whole: Measures,
    /// Of each who hears.
    pub guests: Vec<GuestStats>,
}

/// What is measured of a room as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measures {
    /// What those who talk send, in bits a second.
    pub bitrate: Option<u64>,
    /// From mouth to ear, in milliseconds: the median of all who hear.
    pub latency: Option<f64>,
    /// What waits in the hearers' buffers, in milliseconds: the median.
    pub buffer_level: Option<f64>,
    /// Share of packets lost on the way to those who hear, from 0 to 1.
    pub loss: Option<f64>,
    /// In milliseconds: the median.
    pub jitter: Option<f64>,
}

/// What is measured of one who hears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuestStats {
    /// Who.
    pub id: ParticipantId,
    /// Round trip, in milliseconds.
    pub rtt: Option<f64>,
    /// Share of packets lost on the way to them, from 0 to 1.
    pub loss: Option<f64>,
    /// In milliseconds.
    pub jitter: Option<f64>,
    /// From mouth to ear, in milliseconds.
    pub delay: Option<f64>,
}

/// How well a room goes, as `/api/rooms/<id>/stats` says it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatsInfo {
    /// The last measures.
    #[serde(flatten)]
    pub whole: Measures,
    /// Participants but for the host.
    pub guest_count: usize,
    /// Seconds since the room was opened.
    pub duration: u64,
    /// How it went before, oldest first.
    pub history: Vec<Point>,
    /// Everybody there, the host too.
    pub guests: Vec<GuestInfo>,
}

/// One point of the history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// When, in seconds since 1970.
    pub at: u64,
    /// What was measured then.
    #[serde(flatten)]
    pub whole: Measures,
    /// Participants but for the host.
    pub guest_count: usize,
}

/// One participant among the statistics.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuestInfo {
    /// Who.
    pub id: ParticipantId,
    /// How people call them.
    pub name: String,
    /// Round trip, in milliseconds.
    pub rtt: Option<f64>,
    /// Share of packets lost on the way to them, from 0 to 1.
    pub loss: Option<f64>,
    /// In milliseconds.
    pub jitter: Option<f64>,
    /// From mouth to ear, in milliseconds.
    pub delay: Option<f64>,
    /// Of their connection.
    pub quality: Option<Quality>,
}

/// What is kept of a room's measures.
#[derive(Debug, Default)]
pub(super) struct Report {
    last: RoomStats,
    history: VecDeque<Point>,
    /// When the last point of the history was made.
    noted: Option<Instant>,
}

impl Report {
    fn note(&mut self, now: Instant, at: SystemTime, stats: RoomStats, guest_count: usize) {
        if self.noted.is_none_or(|noted| now.duration_since(noted) >= HISTORY_INTERVAL) {
            self.noted = Some(now);
            if self.history.len() == HISTORY_POINTS {
                self.history.pop_front();
            }
            let at = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            self.history.push_back(Point { at, whole: stats.whole, guest_count });
        }
        self.last = stats;
    }
}

impl Room {
    /// How well it goes.
    pub(super) fn stats(&self, now: Instant) -> StatsInfo {
        let guest = |participant: &super::participant::Participant| {
            let id = participant.who.id;
            let measured = self.report.last.guests.iter().find(|guest| guest.id == id);
            GuestInfo {
                id,
                name: participant.who.name.clone(),
                rtt: measured.and_then(|guest| guest.rtt),
                loss: measured.and_then(|guest| guest.loss),
                jitter: measured.and_then(|guest| guest.jitter),
                delay: measured.and_then(|guest| guest.delay),
                quality: participant.quality,
            }
        };
        StatsInfo {
            whole: self.report.last.whole,
            guest_count: self.guest_count(),
            duration: now.saturating_duration_since(self.opened).as_secs(),
            history: self.report.history.iter().copied().collect(),
            guests: self.present.values().map(guest).collect(),
        }
    }
}

impl Rooms {
    /// Takes what the media side has measured, and tells the room; to be called every two seconds while somebody is
    /// there. In a broadcast the guests get the numbers of the whole alone: a list of all to each of all would be
    /// more than the music.
    pub fn note_stats(&mut self, now: Instant, at: SystemTime, room: RoomId, stats: RoomStats) {
        let Some(found) = self.rooms.get_mut(&room) else { return };
        let guests = found.guest_count();
        found.report.note(now, at, stats, guests);
        let (full, host) = (found.stats(now), found.host_session());
        match (found.kind, host) {
            (RoomKind::Intercom, _) => self.tell(Recipients::Room(room), RoomEvent::Stats(full)),
            (RoomKind::Broadcast, host) => {
                let brief = StatsInfo { history: Vec::new(), guests: Vec::new(), ..full.clone() };
                match host {
                    Some(host) => {
                        self.tell(Recipients::One(host), RoomEvent::Stats(full));
                        self.tell(Recipients::RoomBut(room, host), RoomEvent::Stats(brief));
                    }
                    None => self.tell(Recipients::Room(room), RoomEvent::Stats(brief)),
                }
            }
        }
    }

    /// How well a room goes.
    pub fn stats_of(&self, now: Instant, room: RoomId) -> Option<StatsInfo> {
        Some(self.rooms.get(&room)?.stats(now))
    }
}
