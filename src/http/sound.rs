//! `/api/devices` and `/api/sound`: the machine's own sound card, what it does, and what can be turned.

use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, RoomCredentials, Target, Visitor};
use crate::card::{self, CardStats, Volume};
use crate::domain::RoomId;
use crate::live::Program;
use crate::sound::Sound;

use super::Shared;
use super::reply::{denied, text};

/// Bytes of a request.
const MAX_BODY: u64 = 1_024;

/// What is to be turned; what is missing stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SoundRequest {
    /// The room that loudspeaker and microphone are in: its id.
    room: Option<String>,
    /// Of that room, where it has one.
    pin: Option<String>,
    /// `latest`, `all` or a stream's id.
    play: Option<String>,
    /// In decibels.
    output_volume: Option<f32>,
    /// In decibels.
    input_volume: Option<f32>,
}

/// `GET /api/devices`, `GET /api/sound`, and `PUT /api/sound`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let devices = warp::path!("api" / "devices").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| match permit(&visitor, Action::ReadSound, &shared).await {
            Ok(_) => devices().await,
            Err(refusal) => refusal,
        },
    );
    let state = warp::path!("api" / "sound").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| match permit(&visitor, Action::ReadSound, &shared).await {
            Ok(permit) => warp::reply::json(&describe(&permit, &shared)).into_response(),
            Err(refusal) => refusal,
        },
    );
    let turn = warp::path!("api" / "sound")
        .and(warp::put())
        .and(context)
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .then(async |visitor: Visitor, shared: Shared, turn: SoundRequest| {
            apply(&turn, &visitor, &shared).await.unwrap_or_else(|refusal| refusal)
        });
    devices.or(state).unify().or(turn).unify()
}

async fn permit(visitor: &Visitor, action: Action, shared: &Shared) -> Result<Permit, Response> {
    shared.authorize(visitor, action, Target::House).await.map_err(|refusal| denied(&refusal))
}

async fn devices() -> Response {
    // A sound server that hangs costs two seconds: not on the runtime's own threads.
    let devices = tokio::task::spawn_blocking(card::devices).await.unwrap_or_default();
    warp::reply::json(&json!({ "devices": devices })).into_response()
}

fn describe(permit: &Permit, shared: &Shared) -> Value {
    let sound = shared.house.sound(permit);
    let output = sound.output.as_ref().map(|output| {
        json!({
            "device": output.device,
            "play": name(output.dial.get()),
            "volume": output.volume.get(),
            "card": counters(&output.stats),
        })
    });
    let input = sound.input.as_ref().map(|input| {
        json!({
            "device": input.device,
            "stream_id": input.stream,
            "volume": input.volume.get(),
            "card": counters(&input.stats),
        })
    });
    // Null: the room was closed meanwhile, or its host has sent the card out.
    let room = sound.room().and_then(|room| shared.bridge.rooms().slug(room));
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
async fn apply(turn: &SoundRequest, visitor: &Visitor, shared: &Shared) -> Result<Response, Response> {
    let permit = permit(visitor, Action::TurnSound, shared).await?;
    let sound = shared.house.sound(&permit);
    let bad_request = |complaint| text(StatusCode::BAD_REQUEST, complaint);
    check(turn, sound).map_err(bad_request)?;
    let room = room(turn.room.as_deref(), sound.room(), shared).map_err(bad_request)?;
    let program = turn.play.as_deref().map(|play| program(play, room)).transpose().map_err(bad_request)?;
    if turn.room.is_some() {
        enter(room, turn, visitor, sound, shared).await?;
    }
    if let (Some(output), Some(program)) = (&sound.output, program) {
        if let Program::Stream(stream) = program
            && let Some(live) = shared.relay.live().iter().find(|live| live.id == stream)
        {
            may_hear(live.room, turn, visitor, shared).await?;
        }
        output.dial.set(program);
    }
    if let (Some(output), Some(volume)) = (&sound.output, turn.output_volume) {
        output.volume.set(volume);
    }
    if let (Some(input), Some(volume)) = (&sound.input, turn.input_volume) {
        input.volume.set(volume);
    }
    Ok(warp::reply::json(&describe(&permit, shared)).into_response())
}

/// Has the card hear and talk in another room, if whoever turns it could do so there themselves.
async fn enter(
    room: RoomId,
    turn: &SoundRequest,
    visitor: &Visitor,
    sound: &Sound,
    shared: &Shared,
) -> Result<(), Response> {
    may_hear(room, turn, visitor, shared).await?;
    if sound.input.is_some() {
        let talk = shared.authorize(visitor, Action::Talk, Target::room(room)).await;
        talk.map_err(|refusal| denied(&refusal))?;
    }
    sound.turn_to(room);
    Ok(())
}

async fn may_hear(room: RoomId, turn: &SoundRequest, visitor: &Visitor, shared: &Shared) -> Result<(), Response> {
    let shown = RoomCredentials { pin: turn.pin.as_deref(), key: None };
    let hear = shared.authorize(visitor, Action::Hear, Target::Room(room, shown)).await;
    hear.map(drop).map_err(|refusal| denied(&refusal))
}

fn check(turn: &SoundRequest, sound: &Sound) -> Result<(), &'static str> {
    let (output, input) = (&sound.output, &sound.input);
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
    Ok(())
}

/// The room that is asked for, or else the one that it is in.
fn room(context: Option<&str>, present: Option<RoomId>, shared: &Shared) -> Result<RoomId, &'static str> {
    match context {
        Some(name) => shared.bridge.rooms().find(name),
        None => Some(present.unwrap_or(RoomId::HOME)),
    }
    .ok_or("There is no such room; room is a room's id, such as home")
}

fn program(text: &str, room: RoomId) -> Result<Program, &'static str> {
    match text {
        "latest" => Ok(Program::Latest(room)),
        "all" => Ok(Program::Room(room)),
        id => id.parse().map(Program::Stream).map_err(|_| "play is latest, all or a stream's id"),
    }
}
