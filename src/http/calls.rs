//! `/api/stations` and `/api/calls`: devices with a name, and calls to them, for programs. Stations themselves call by
//! signalling.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, Target, Visitor};
use crate::calls::{CallError, CallId, CallInfo, CallRecord, CallRequest, CallsHandle, Passes, QuietHours, StationId};

use super::Shared;
use super::exposition::Exposition;
use super::reply::{denied, error_response, no_store, preflight, text, unavailable};

/// Bytes of a request.
const MAX_BODY: u64 = 4_096;

/// One call, in whichever state.
#[derive(Serialize)]
#[serde(untagged)]
enum CallReply {
    Live(CallInfo),
    Over {
        state: &'static str,
        #[serde(flatten)]
        record: CallRecord,
    },
}

impl From<CallRecord> for CallReply {
    fn from(record: CallRecord) -> Self {
        Self::Over { state: "over", record }
    }
}

/// That a place is not to be disturbed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoNotDisturbRequest {
    #[serde(default)]
    passes: Passes,
    /// For so long; until it is turned off without it.
    seconds: Option<u64>,
}

/// All of `/api/stations`, `/api/calls`, `/api/do-not-disturb` and `/api/quiet-hours`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    // Cards on a dashboard of another origin ask before they may (CORS); which origins may is the gate's to say.
    let preflight = warp::path!("api" / "calls" / ..).and(warp::options()).map(|| preflight("GET, POST, DELETE"));
    let calls = stations(shared.clone()).or(calls(shared.clone())).unify();
    let quiet = do_not_disturb(shared.clone()).or(quiet_hours(shared)).unify();
    calls.or(quiet).unify().or(preflight).unify()
}

fn do_not_disturb(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let list = warp::path!("api" / "do-not-disturb").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, Action::SeeCalls, |permit| {
                no_store(&serde_json::json!({ "places": shared.house.calls(permit).quiet_places() }))
            })
            .await
        },
    );
    let on = warp::path!("api" / "do-not-disturb" / String)
        .and(warp::put())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(context.clone())
        .then(async |place: String, request: DoNotDisturbRequest, visitor: Visitor, shared: Shared| {
            let time = request.seconds.map(Duration::from_secs);
            turn(&place, Some(request.passes), time, &visitor, &shared).await
        });
    let off = warp::path!("api" / "do-not-disturb" / String).and(warp::delete()).and(context).then(
        async |place: String, visitor: Visitor, shared: Shared| turn(&place, None, None, &visitor, &shared).await,
    );
    list.or(on).unify().or(off).unify()
}

/// `/api/quiet-hours`: when that begins by itself.
fn quiet_hours(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let list = warp::path!("api" / "quiet-hours").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, Action::SeeCalls, |permit| {
                no_store(&serde_json::json!({ "places": shared.house.calls(permit).quiet_hours() }))
            })
            .await
        },
    );
    let set = warp::path!("api" / "quiet-hours" / String)
        .and(warp::put())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(context.clone())
        .then(async |place: String, hours: QuietHours, visitor: Visitor, shared: Shared| {
            keep_hours(&place, Some(hours), &visitor, &shared).await
        });
    let clear = warp::path!("api" / "quiet-hours" / String).and(warp::delete()).and(context).then(
        async |place: String, visitor: Visitor, shared: Shared| keep_hours(&place, None, &visitor, &shared).await,
    );
    list.or(set).unify().or(clear).unify()
}

async fn keep_hours(place: &str, hours: Option<QuietHours>, visitor: &Visitor, shared: &Shared) -> Response {
    permitted(visitor, shared, Action::SetDoNotDisturb, |permit| {
        no_place_or_done(shared.house.calls(permit).set_quiet_hours(place, hours))
    })
    .await
}

fn no_place_or_done(done: Result<(), CallError>) -> Response {
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error_response(StatusCode::NOT_FOUND, &error),
    }
}

/// Turns it on, or off where nothing is said of what passes.
async fn turn(
    place: &str,
    passes: Option<Passes>,
    time: Option<Duration>,
    visitor: &Visitor,
    shared: &Shared,
) -> Response {
    permitted(visitor, shared, Action::SetDoNotDisturb, |permit| {
        no_place_or_done(shared.house.calls(permit).set_do_not_disturb(place, passes, time))
    })
    .await
}

fn stations(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let stations = warp::path!("api" / "stations").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, Action::SeeCalls, |permit| {
                no_store(&serde_json::json!({ "stations": shared.house.calls(permit).stations() }))
            })
            .await
        },
    );
    let forget = warp::path!("api" / "stations" / String).and(warp::delete()).and(context.clone()).then(
        async |id: String, visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, Action::ForgetCalls, |permit| {
                forgotten(shared.house.calls(permit).forget(&StationId(id)))
            })
            .await
        },
    );
    stations.or(forget).unify()
}

fn calls(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let list = warp::path!("api" / "calls").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, Action::SeeCalls, |permit| {
                let calls = shared.house.calls(permit);
                let log: Vec<_> = calls.log().into_iter().map(CallReply::from).collect();
                no_store(&serde_json::json!({ "calls": calls.current(), "log": log }))
            })
            .await
        },
    );
    let clear = warp::path!("api" / "calls").and(warp::delete()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, Action::ForgetCalls, |permit| {
                shared.house.calls(permit).clear_log();
                StatusCode::NO_CONTENT.into_response()
            })
            .await
        },
    );
    let call = warp::path!("api" / "calls")
        .and(warp::post())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(context.clone())
        .then(async |request: CallRequest, visitor: Visitor, shared: Shared| {
            let permit = shared.access().authorize_call(&visitor, request.priority()).await;
            match permit.inspect_err(|_| shared.gate.note_denied()) {
                Ok(permit) => call(request, &permit, &shared),
                Err(refusal) => denied(&refusal),
            }
        });
    let look = warp::path!("api" / "calls" / Uuid).and(warp::get()).and(context.clone()).then(
        async |id: Uuid, visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, Action::SeeCalls, |permit| look(CallId(id), permit, &shared)).await
        },
    );
    let end = warp::path!("api" / "calls" / Uuid).and(warp::delete()).and(context).then(
        async |id: Uuid, visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, Action::Call, |permit| match shared.house.calls(permit).cancel(CallId(id)) {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(error) => error_response(StatusCode::NOT_FOUND, &error),
            })
            .await
        },
    );
    list.or(clear).unify().or(call).unify().or(look).unify().or(end).unify()
}

async fn permitted(
    visitor: &Visitor,
    shared: &Shared,
    action: Action,
    act: impl FnOnce(&Permit) -> Response,
) -> Response {
    match shared.authorize(visitor, action, Target::House).await {
        Ok(permit) => act(&permit),
        Err(refusal) => denied(&refusal),
    }
}

fn forgotten(was_known: bool) -> Response {
    match was_known {
        true => StatusCode::NO_CONTENT.into_response(),
        false => text(StatusCode::NOT_FOUND, "There is no such device; GET /api/stations lists those there are"),
    }
}

fn call(request: CallRequest, permit: &Permit, shared: &Shared) -> Response {
    match shared.house.calls(permit).call(request, permit.visitor().owner()) {
        Ok(call) => warp::reply::with_status(no_store(&call), StatusCode::CREATED).into_response(),
        Err(error @ (CallError::NoStation(_) | CallError::Nobody | CallError::NoRoom(_))) => {
            error_response(StatusCode::NOT_FOUND, &error)
        }
        Err(error @ CallError::TooFast) => error_response(StatusCode::TOO_MANY_REQUESTS, &error),
        Err(CallError::Full(_)) => unavailable("There are as many calls as calls.max allows; wait until one is over"),
        Err(CallError::TooManyOfOne(_)) => {
            unavailable("This address makes as many calls as limits.share leaves to one; wait until one is over")
        }
        Err(error) => error_response(StatusCode::BAD_REQUEST, &error),
    }
}

fn look(id: CallId, permit: &Permit, shared: &Shared) -> Response {
    let calls = shared.house.calls(permit);
    let live = calls.current().into_iter().find(|call| call.id == id).map(CallReply::Live);
    let over = || calls.log().into_iter().find(|record| record.id == id).map(CallReply::from);
    match live.or_else(over) {
        Some(call) => no_store(&call),
        None => text(StatusCode::NOT_FOUND, "There is no such call, or it is no longer in the log"),
    }
}

/// What is counted of stations and calls.
pub(super) fn encode(page: &mut Exposition<'_>, calls: &CallsHandle) -> fmt::Result {
    let counted = calls.counters();
    page.gauge("stations", "Devices with a name", calls.stations().len() as u64)?;
    page.counter("stations_displaced", "Devices forgotten for others, over the limit", counted.displaced)?;
    page.counter("stations_too_slow", "Devices given up because they did not read", calls.too_slow())?;
    page.gauge("calls", "Calls just now", calls.current().len() as u64)?;
    page.counter("calls_rung", "Calls that were begun", counted.rung)?;
    page.counter("calls_answered", "Calls that were answered", counted.answered)?;
    page.counter("calls_refused", "Calls that were not begun, over a limit", counted.refused)
}
