//! `/api/streams`: who is live, how many hear them, and how loud each is in the mix of its room.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, Target, Visitor};
use crate::audio::GAIN_RANGE;
use crate::domain::{RoomId, StreamId};

use super::Shared;
use super::reply::{denied, text};

/// Bytes of a request: a number in braces.
const MAX_BODY: u64 = 1_024;

/// The body of a request to change a gain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gain {
    /// In decibels; 0 is as it comes.
    gain_db: f32,
}

/// Of the room in which the stream is, where it has one.
#[derive(Deserialize)]
struct PinQuery {
    pin: Option<String>,
}

/// `GET /api/streams`, and `PUT /api/streams/<id>` with `{"gain_db": -6}`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let list = warp::path!("api" / "streams")
        .and(warp::get())
        .and(warp::ext::get::<Visitor>())
        .and(with_shared.clone())
        .then(async |visitor: Visitor, shared: Shared| list(&visitor, &shared).await);
    let change = warp::path!("api" / "streams" / StreamId)
        .and(warp::put())
        .and(warp::ext::get::<Visitor>())
        .and(warp::query())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(with_shared)
        .then(async |stream: StreamId, visitor: Visitor, pin: PinQuery, gain: Gain, shared: Shared| {
            change(stream, &visitor, &pin, &gain, &shared).await
        });
    list.or(change).unify()
}

async fn list(visitor: &Visitor, shared: &Shared) -> Response {
    let permit = match shared.authorize(visitor, Action::ListStreams, Target::room(RoomId::HOME)).await {
        Ok(permit) => permit,
        Err(refusal) => return denied(&refusal),
    };
    // One question to the media thread, however many streams there are: every client asks again and again.
    let receivers = shared.relay.receivers().await.unwrap_or_default();
    let describe = |stream: &StreamId| describe(*stream, &receivers, &permit, shared);
    let streams: Vec<_> = shared.relay.streams().iter().map(describe).collect();
    warp::reply::json(&json!({ "streams": streams })).into_response()
}

fn describe(
    stream: StreamId,
    receivers: &HashMap<StreamId, usize>,
    permit: &Permit,
    shared: &Shared,
) -> serde_json::Value {
    let receivers = receivers.get(&stream).copied().unwrap_or_default();
    json!({
        "id": stream,
        "name": shared.relay.name(stream).as_deref(),
        "gain_db": shared.house.mounts(permit).gains().get(stream),
        "listeners": receivers + shared.fanouts.listeners(stream, &shared.relay.live()),
    })
}

async fn change(stream: StreamId, visitor: &Visitor, pin: &PinQuery, gain: &Gain, shared: &Shared) -> Response {
    let none = || text(StatusCode::NOT_FOUND, "There is no such stream; /api/streams lists those there are");
    let live = shared.relay.live();
    let Some(found) = live.iter().find(|live| live.id == stream) else { return none() };
    let target = Target::stream(found, pin.pin.as_deref());
    let permit = match shared.authorize(visitor, Action::TurnStream, target).await {
        Ok(permit) => permit,
        Err(refusal) => return denied(&refusal),
    };
    if !GAIN_RANGE.contains(&gain.gain_db) {
        return text(StatusCode::BAD_REQUEST, "gain_db is decibels, from -60 to 20");
    }
    let live: Vec<_> = live.iter().map(|live| live.id).collect();
    shared.house.mounts(&permit).gains().set(stream, gain.gain_db, &live);
    // Without the media thread there is nothing to hear.
    let receivers = shared.relay.receivers().await.unwrap_or_default();
    warp::reply::json(&describe(stream, &receivers, &permit, shared)).into_response()
}
