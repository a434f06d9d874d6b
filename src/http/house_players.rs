//! `/api/players`: the media players of Home Assistant.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Target, Visitor};
use crate::automation::AutomationStats;
use crate::hass::{HousePlayers, KnownPlayer};
use crate::players::Mode;

use super::Shared;
use super::exposition::Exposition;
use super::reply::{denied, no_store};

/// `GET /api/players`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    warp::path!("api" / "players").and(warp::get()).and(warp::ext::get::<Visitor>()).then(move |visitor: Visitor| {
        let shared = shared.clone();
        async move { list(&visitor, &shared).await }
    })
}

async fn list(visitor: &Visitor, shared: &Shared) -> Response {
    match shared.authorize(visitor, Action::ListPlayers, Target::House).await {
        Err(refusal) => denied(&refusal),
        Ok(permit) => {
            let players = shared.house.players(&permit);
            let list: Vec<_> = players.map(HousePlayers::list).unwrap_or_default().iter().map(described).collect();
            let linked = players.is_some_and(HousePlayers::is_linked);
            let speech = linked && shared.dispatcher.speaks();
            no_store(&json!({ "linked": linked, "speech": speech, "players": list })).into_response()
        }
    }
}

fn described(player: &KnownPlayer) -> Value {
    let KnownPlayer { entity, name, area, kind, mode, volume, announcing, members, .. } = player;
    json!({
        "entity_id": entity,
        "name": name,
        "area": area.as_ref().map(|area| &area.name),
        "area_id": area.as_ref().map(|area| &area.id),
        "members": members,
        "state": match mode {
            Mode::Unavailable => "unavailable",
            Mode::Off => "off",
            Mode::Idle => "idle",
            Mode::Playing => "playing",
            Mode::Paused => "paused",
        },
        "volume": volume.map(|volume| (f64::from(volume) * 1_000.0).round() / 1_000.0),
        "announces_itself": kind.announcement_end().is_some(),
        "announcing": announcing,
    })
}

/// What is counted, for `/metrics`.
pub(super) fn encode(
    page: &mut Exposition<'_>,
    players: &HousePlayers,
    automation: Option<&AutomationStats>,
) -> fmt::Result {
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (list, stats) = (players.list(), players.stats());
    let announcing = list.iter().filter(|player| player.announcing).count();
    page.gauge("hass_linked", "Whether there is a link to Home Assistant", u64::from(players.is_linked()))?;
    page.gauge("players", "Media players of Home Assistant on which something can be announced", list.len() as u64)?;
    page.gauge("players_announcing", "Players on which something is announced, or waits", announcing as u64)?;
    page.counter("player_clips_played", "Clips that players played to their end", load(&stats.played))?;
    page.counter("player_clips_stopped", "Clips that were stopped", load(&stats.stopped))?;
    page.counter("player_clips_failed", "Clips that players did not play to their end", load(&stats.failed))?;
    page.counter("player_clips_refused", "Clips for which too many waited", load(&stats.full))?;
    page.counter("player_calls_refused", "Calls that Home Assistant refused", load(&stats.refused))?;
    page.counter("players_recovered", "Players put back after a crash in the middle", load(&stats.recovered))?;
    let Some(AutomationStats { told, lost, obeyed, refused }) = automation else { return Ok(()) };
    page.counter("automation_events", "Events that Home Assistant's automations were told", load(told))?;
    page.counter("automation_events_lost", "Events that they were not told", load(lost))?;
    page.counter("automation_commands", "Commands of automations that were obeyed", load(obeyed))?;
    page.counter("automation_commands_refused", "Commands of automations that were not", load(refused))
}
