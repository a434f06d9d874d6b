//! `/api/home-assistant`: whether Home Assistant is there, what it has of the relay, and that it connects to the node, with the
//! key where that is on the house's network.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, Target, Visitor};
use crate::automation::{Doorbells, SetDoorbellError};
use crate::entities::EntitiesStats;
use crate::hass::{AddNodeError, AddedNode, HousePlayers};

use super::Shared;
use super::reply::{denied, error_response, no_store, text};

/// Home Assistant connects within a second of having added the node, as a rule.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Bytes of a request.
const MAX_BODY: u64 = 4_096;

const NO_NODE: &str = "There is no ESPHome node to connect to; esphome.listen sets its port";
const NO_HOME: &str = "The relay is not linked to Home Assistant; set hass.url and hass.token";

/// `GET /api/home-assistant`, `GET` and `POST /api/home-assistant/node`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = shared.clone();
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || with_shared.clone()));
    let look = warp::path!("api" / "home-assistant").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| match shared
            .authorize(&visitor, Action::SeeHomeAssistant, Target::House)
            .await
        {
            Ok(permit) => no_store(&described(&permit, &shared)).into_response(),
            Err(refusal) => denied(&refusal),
        },
    );
    let show_node = warp::path!("api" / "home-assistant" / "node").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| match shared
            .authorize(&visitor, Action::ConnectHomeAssistant, Target::House)
            .await
        {
            Ok(_) => node(&shared),
            Err(refusal) => denied(&refusal),
        },
    );
    let connect = warp::path!("api" / "home-assistant" / "node").and(warp::post()).and(context).then(
        async |visitor: Visitor, shared: Shared| match shared
            .authorize(&visitor, Action::ConnectHomeAssistant, Target::House)
            .await
        {
            Ok(permit) => connect(&permit, &shared).await,
            Err(refusal) => denied(&refusal),
        },
    );
    look.or(show_node).unify().or(connect).unify().or(doorbells(shared)).unify()
}

/// Who is called by a doorbell.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoorbellRequest {
    /// Places, as one writes them; none: nobody.
    to: Vec<String>,
}

/// `GET /api/doorbells` and `PUT /api/doorbells/<entity>`.
fn doorbells(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let list = warp::path!("api" / "doorbells").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| match shared
            .authorize(&visitor, Action::SeeHomeAssistant, Target::House)
            .await
        {
            Ok(permit) => {
                let doorbells = shared.house.doorbells(&permit).map(Doorbells::list).unwrap_or_default();
                no_store(&json!({ "doorbells": doorbells }))
            }
            Err(refusal) => denied(&refusal),
        },
    );
    let set = warp::path!("api" / "doorbells" / String)
        .and(warp::put())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(context)
        .then(async |entity: String, request: DoorbellRequest, visitor: Visitor, shared: Shared| {
            let permit = match shared.authorize(&visitor, Action::SetDoorbell, Target::House).await {
                Ok(permit) => permit,
                Err(refusal) => return denied(&refusal),
            };
            let Some(doorbells) = shared.house.doorbells(&permit) else { return text(StatusCode::CONFLICT, NO_HOME) };
            let doorbells = doorbells.clone();
            let set = tokio::task::spawn_blocking(move || doorbells.set(&entity, request.to)).await;
            match set.unwrap_or_else(|panicked| Err(SetDoorbellError::Unwritable(panicked.into()))) {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(error @ SetDoorbellError::Unknown) => error_response(StatusCode::NOT_FOUND, &error),
                Err(error @ SetDoorbellError::TooMany) => error_response(StatusCode::BAD_REQUEST, &error),
                Err(error @ SetDoorbellError::Unwritable(_)) => error_response(StatusCode::SERVICE_UNAVAILABLE, &error),
            }
        });
    list.or(set).unify()
}

fn described(permit: &Permit, shared: &Shared) -> Value {
    let linked = shared.house.players(permit).is_some_and(HousePlayers::is_linked);
    let entities = shared.entities.as_ref();
    let broker = entities.filter(|entities| entities.may_have_broker);
    let node = entities.and_then(|entities| Some((entities.node?, &entities.stats)));
    json!({
        "configured": shared.house.integrations(permit).is_some(),
        "linked": linked,
        "speech": linked && shared.dispatcher.speaks(),
        "broker": broker.map(|broker| json!({ "connected": broker.stats.connected.load(Ordering::Relaxed) })),
        "node": node.map(|(place, stats)| json!({
            "port": place.port,
            "on_lan": place.is_on_lan,
            "connected": is_connected(stats),
        })),
    })
}

/// What somebody types into Home Assistant who adds the node by hand.
fn node(shared: &Shared) -> Response {
    match shared.entities.as_ref().and_then(|entities| Some((entities.node?, entities.node_key()))) {
        Some((place, key)) => no_store(&json!({ "port": place.port, "key": key })),
        None => text(StatusCode::NOT_FOUND, NO_NODE),
    }
}

async fn connect(permit: &Permit, shared: &Shared) -> Response {
    let Some(integrations) = shared.house.integrations(permit) else { return text(StatusCode::CONFLICT, NO_HOME) };
    let node = shared.entities.as_ref().and_then(|entities| Some((entities.node?.port, entities)));
    let Some((port, entities)) = node else { return text(StatusCode::CONFLICT, NO_NODE) };
    // A flow while Home Assistant sets the node up would have it set up twice, which it cannot bear.
    let stats = &entities.stats;
    if is_connected(stats) {
        return no_store(&json!({ "added": false })).into_response();
    }
    match integrations.add_node(port, entities.node_key()).await {
        Ok(added) => {
            until_connected(stats).await;
            no_store(&json!({ "added": added == AddedNode::Now })).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "Home Assistant does not connect to the node");
            let status = match error {
                AddNodeError::Late => StatusCode::GATEWAY_TIMEOUT,
                AddNodeError::Busy => StatusCode::CONFLICT,
                _ => StatusCode::BAD_GATEWAY,
            };
            error_response(status, &error)
        }
    }
}

fn is_connected(stats: &EntitiesStats) -> bool {
    stats.node_connections.load(Ordering::Relaxed) > 0
}

/// Waits for Home Assistant, but not for ever: whether it has come is to be asked.
async fn until_connected(stats: &EntitiesStats) {
    let connected = async {
        while !is_connected(stats) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let _ = tokio::time::timeout(CONNECTED_WITHIN, connected).await;
}
