//! `/api/streams`: who is live, how many hear them, and how loud each is in the mix of its room.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::audio::GAIN_RANGE;
use crate::domain::StreamId;

use super::Shared;
use super::reply::text;

/// Bytes of a request: a number in braces.
const MAX_BODY: u64 = 1_024;

/// The body of a request to change a gain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gain {
    /// In decibels; 0 is as it comes.
    gain_db: f32,
}

/// `GET /api/streams`, and `PUT /api/streams/<id>` with `{"gain_db": -6}`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let list = warp::path!("api" / "streams")
        .and(warp::get())
        .and(with_shared.clone())
        .then(async |shared: Shared| list(&shared).await);
    let change = warp::path!("api" / "streams" / StreamId)
        .and(warp::put())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(with_shared)
        .then(async |stream: StreamId, gain: Gain, shared: Shared| change(stream, &gain, &shared).await);
    list.or(change).unify()
}

async fn list(shared: &Shared) -> Response {
    // One question to the media thread, however many streams there are: every client asks again and again.
    let receivers = shared.relay.receivers().await.unwrap_or_default();
    let streams: Vec<_> = shared.relay.streams().iter().map(|stream| describe(*stream, &receivers, shared)).collect();
    warp::reply::json(&json!({ "streams": streams })).into_response()
}

fn describe(stream: StreamId, receivers: &HashMap<StreamId, usize>, shared: &Shared) -> serde_json::Value {
    let receivers = receivers.get(&stream).copied().unwrap_or_default();
    json!({
        "id": stream,
        "name": shared.relay.name(stream).as_deref(),
        "gain_db": shared.mounts.gains().get(stream),
        "listeners": receivers + shared.fanouts.listeners(stream, &shared.relay.live()),
    })
}

async fn change(stream: StreamId, gain: &Gain, shared: &Shared) -> Response {
    // Of any room: whoever knows a stream's id there was told it.
    let live: Vec<_> = shared.relay.live().iter().map(|live| live.id).collect();
    if !live.contains(&stream) {
        return text(StatusCode::NOT_FOUND, "There is no such stream; /api/streams lists those there are");
    }
    if !GAIN_RANGE.contains(&gain.gain_db) {
        return text(StatusCode::BAD_REQUEST, "gain_db is decibels, from -60 to 20");
    }
    shared.mounts.gains().set(stream, gain.gain_db, &live);
    // Without the media thread there is nothing to hear.
    let receivers = shared.relay.receivers().await.unwrap_or_default();
    warp::reply::json(&describe(stream, &receivers, shared)).into_response()
}
