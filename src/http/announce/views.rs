//! What is told of announcements.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::announce::{Announcement, Announcer, KnownAnnouncement, Outcome};
use crate::dispatch::{Found, JointAnnouncement, OnPlayer, Part, State};
use crate::hass::ClipProgress;
use crate::http::exposition::Exposition;
use crate::players;

/// What is known of an announcement.
pub(super) fn described(found: &Found) -> Value {
    match found {
        Found::InRoom(id, room, known) => in_room(*id, room, known),
        Found::OnPlayer(one) => on_player(one, found.state()),
        Found::Refused(destination, why) => {
            json!({ "destination": destination.to_string(), "state": found.state().name(), "message": why })
        }
        Found::Forgotten(id, room) => json!({ "id": id, "room": room, "state": found.state().name() }),
        Found::Joint(joint, parts) => {
            let parts: Vec<_> = parts.iter().map(described).collect();
            json!({ "id": joint.id, "name": &*joint.name, "state": found.state().name(), "parts": parts })
        }
    }
}

/// Where one was placed, and where it was refused.
pub(super) fn placed(joint: &JointAnnouncement) -> Value {
    let part = |part: &Part| match part {
        Part::Room { id, slug, .. } => json!({ "room": slug, "id": id }),
        Part::Player(one) => json!({ "player": one.entity, "id": one.id }),
        Part::Refused(destination, why) => json!({ "destination": destination.to_string(), "message": why }),
    };
    joint.parts.iter().map(part).collect()
}

fn in_room(id: Uuid, room: &str, known: &KnownAnnouncement) -> Value {
    let mut value = match known {
        KnownAnnouncement::Lives(announcement, position) => living(announcement, *position),
        KnownAnnouncement::Over(_, outcome) => over(id, outcome),
    };
    value["room"] = json!(room);
    value
}

fn on_player(one: &OnPlayer, state: State) -> Value {
    let progress = one.progress();
    let (late, why) = match &progress {
        ClipProgress::Playing(late) => (Some(late.as_secs_f64()), None),
        ClipProgress::Over(players::Outcome::Failed(why)) => (None, Some(why.to_string())),
        ClipProgress::Waiting | ClipProgress::Over(_) => (None, None),
    };
    json!({
        "id": one.id,
        "name": &*one.name,
        "player": one.entity,
        "state": state.name(),
        "duration": one.length().map(|length| length.as_secs_f64()),
        "late": late,
        "message": why,
    })
}

/// One that plays or waits in a room.
pub(super) fn living(announcement: &Announcement, position: usize) -> Value {
    json!({
        "id": announcement.id,
        "name": &*announcement.name,
        "state": if position == 0 { "playing" } else { "waiting" },
        "position": position,
        "priority": announcement.priority,
        "played": announcement.played(),
        "duration": announcement.seconds,
    })
}

fn over(id: Uuid, outcome: &Outcome) -> Value {
    let (state, why) = match outcome {
        Outcome::Played => (State::Played, None),
        Outcome::Stopped => (State::Stopped, None),
        Outcome::Displaced => (State::Displaced, Some("Something urgent needed its place")),
        Outcome::Failed(why) => (State::Failed, Some(&**why)),
    };
    json!({ "id": id, "state": state.name(), "message": why })
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
