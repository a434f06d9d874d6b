//! `/api/devices` and `/api/sound`: the machine's own sound card, what it does, and what can be turned.

use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::audio::Program;
use crate::card::{self, CardStats, Volume};
use crate::domain::RoomId;

use super::Shared;
use super::reply::text;

/// Bytes of a request.
const MAX_BODY: u64 = 1_024;

/// What is to be turned; what is missing stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    /// The room that loudspeaker and microphone are in: its id.
    room: Option<String>,
    /// `latest`, `all` or a stream's id.
    play: Option<String>,
    /// In decibels.
    output_volume: Option<f32>,
    /// In decibels.
    input_volume: Option<f32>,
}

/// `GET /api/devices`, `GET /api/sound`, and `PUT /api/sound`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let devices = warp::path!("api" / "devices").and(warp::get()).then(async || {
        // A sound server that hangs costs two seconds: not on the runtime's own threads.
        let devices = tokio::task::spawn_blocking(card::devices).await.unwrap_or_default();
        warp::reply::json(&json!({ "devices": devices })).into_response()
    });
    let state = warp::path!("api" / "sound")
        .and(warp::get())
        .and(with_shared.clone())
        .map(|shared: Shared| warp::reply::json(&describe(&shared)).into_response());
    let turn = warp::path!("api" / "sound")
        .and(warp::put())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(with_shared)
        .map(|turn: Turn, shared: Shared| match apply(&turn, &shared) {
            Ok(()) => warp::reply::json(&describe(&shared)).into_response(),
            Err(complaint) => text(StatusCode::BAD_REQUEST, complaint),
        });
    devices.or(state).unify().or(turn).unify()
}

fn describe(shared: &Shared) -> Value {
    let output = shared.sound.output.as_ref().map(|output| {
        json!({
            "device": output.device,
            "play": name(output.dial.get()),
            "volume": output.volume.get(),
            "card": counters(&output.stats),
        })
    });
    let input = shared.sound.input.as_ref().map(|input| {
        json!({
            "device": input.device,
            "stream_id": input.stream,
            "volume": input.volume.get(),
            "card": counters(&input.stats),
        })
    });
    // Null: the room was closed meanwhile.
    let room = shared.conversation.rooms().slug(shared.sound.room());
    json!({ "room": room.as_deref(), "output": output, "input": input })
}

fn counters(stats: &CardStats) -> Value {
    json!({
        "running": stats.running.load(Ordering::Relaxed),
        "reopened": stats.reopened.load(Ordering::Relaxed),
        "underruns": stats.underruns.load(Ordering::Relaxed),
        "overruns": stats.overruns.load(Ordering::Relaxed),
    })
}

fn name(program: Program) -> String {
    match program {
        Program::Latest(_) => "latest".into(),
        Program::Room(_) => "all".into(),
        Program::Stream(stream) => stream.to_string(),
    }
}

/// Checks everything before it turns anything.
fn apply(turn: &Turn, shared: &Shared) -> Result<(), &'static str> {
    let (output, input) = (&shared.sound.output, &shared.sound.input);
    if (turn.play.is_some() || turn.output_volume.is_some()) && output.is_none() {
        return Err("The loudspeaker is off; sound.output switches it on");
    }
    if turn.input_volume.is_some() && input.is_none() {
        return Err("The microphone is off; sound.input switches it on");
    }
    if turn.room.is_some() && output.is_none() && input.is_none() {
        return Err("Loudspeaker and microphone are off; sound.output and sound.input switch them on");
    }
    if [turn.output_volume, turn.input_volume].into_iter().flatten().any(|volume| !Volume::RANGE.contains(&volume)) {
        return Err("A volume is decibels, from -60 to 20");
    }
    let room = room(turn.room.as_deref(), shared)?;
    let program = turn.play.as_deref().map(|play| program(play, room)).transpose()?;
    // First the room: a single stream that was asked for with it is to stay.
    shared.sound.turn_to(room);
    if let Some(output) = output {
        program.into_iter().for_each(|program| output.dial.set(program));
        turn.output_volume.into_iter().for_each(|volume| output.volume.set(volume));
    }
    if let Some(input) = input {
        turn.input_volume.into_iter().for_each(|volume| input.volume.set(volume));
    }
    Ok(())
}

/// The room that is asked for, or else the one that it is in.
fn room(asked: Option<&str>, shared: &Shared) -> Result<RoomId, &'static str> {
    let Some(name) = asked else { return Ok(shared.sound.room()) };
    shared.conversation.rooms().find(name).ok_or("There is no such room; room is a room's id, such as home")
}

fn program(text: &str, room: RoomId) -> Result<Program, &'static str> {
    match text {
        "latest" => Ok(Program::Latest(room)),
        "all" => Ok(Program::Room(room)),
        id => id.parse().map(Program::Stream).map_err(|_| "play is latest, all or a stream's id"),
    }
}
