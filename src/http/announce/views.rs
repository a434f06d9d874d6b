//! What is told of announcements.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::announce::{Announcement, Announcer, KnownAnnouncement, Outcome};
use crate::http::Shared;
use crate::http::exposition::Exposition;

pub(super) fn described(id: Uuid, known: &KnownAnnouncement, shared: &Shared) -> Value {
    let mut value = match known {
        KnownAnnouncement::Lives(announcement, position) => living(announcement, *position),
        KnownAnnouncement::Over(_, outcome) => over(id, outcome),
    };
    value["room"] = json!(shared.bridge.rooms().slug(known.room()));
    value
}

pub(super) fn living(announcement: &Announcement, position: usize) -> Value {
    json!({
        "id": announcement.id,
        "name": announcement.name,
        "state": if position == 0 { "playing" } else { "waiting" },
        "position": position,
        "priority": announcement.priority,
        "played": announcement.played(),
        "duration": announcement.seconds,
    })
}

fn over(id: Uuid, outcome: &Outcome) -> Value {
    let (state, why) = match outcome {
        Outcome::Played => ("played", None),
        Outcome::Stopped => ("stopped", None),
        Outcome::Displaced => ("displaced", Some("Something urgent needed its place")),
        Outcome::Failed(why) => ("failed", Some(&**why)),
    };
    json!({ "id": id, "state": state, "message": why })
}

/// What is counted, for `/metrics`.
pub(in crate::http) fn encode(page: &mut Exposition<'_>, announcer: &Announcer) -> fmt::Result {
    let lines = announcer.list();
    let waiting: usize = lines.iter().map(|(_, line)| line.len() - 1).sum();
    let stats = announcer.stats();
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    page.gauge("announcements_playing", "Rooms in which an announcement plays", lines.len() as u64)?;
    page.gauge("announcements_waiting", "Announcements that wait", waiting as u64)?;
    page.gauge("announcements_bytes", "Memory of recordings that were sent to be announced", announcer.memory())?;
    page.counter("announcements_played", "Announcements heard to their end", load(&stats.played))?;
    page.counter("announcements_stopped", "Announcements stopped before", load(&stats.stopped))?;
    page.counter("announcements_failed", "Announcements broken off by damage", load(&stats.failed))?;
    page.counter("announcements_displaced", "Announcements that went for urgent ones", load(&stats.displaced))?;
    page.counter("announcements_refused", "Announcements over announce.*", load(&stats.refused))?;
    page.counter("announcement_packets_lost", "Packets the media thread had no time for", load(&stats.packets_lost))
}
