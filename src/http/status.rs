//! `/health` and `/api/info`: how the daemon is, for people and for programs.

use serde_json::json;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Target, Visitor};
use crate::domain::RoomId;

use super::Shared;
use super::reply::denied;

/// `/health` and `/api/info` of the main port.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let health = warp::path!("health")
        .and(warp::get().or(warp::head()).unify())
        .and(with_shared.clone())
        .then(async |shared: Shared| health(&shared).await);
    let info = warp::path!("api" / "info")
        .and(warp::get())
        .and(warp::ext::get::<Visitor>())
        .and(with_shared)
        .then(async |visitor: Visitor, shared: Shared| info(&visitor, &shared).await);
    health.or(info).unify()
}

async fn health(shared: &Shared) -> Response {
    let webrtc_available = shared.media_stats().await.is_some();
    let audio_server_running = shared.stats.mp3_port.is_serving();
    let healthy = webrtc_available && audio_server_running;
    let body = warp::reply::json(&json!({
        "status": if healthy { "healthy" } else { "unhealthy" },
        "webrtc_available": webrtc_available,
        "audio_server_running": audio_server_running,
        "active_streams": shared.relay.streams().len(),
        "connected_clients": shared.places.sockets.taken(),
        "uptime_seconds": shared.started.elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
        "mp3_port": shared.mp3_port,
        "tls_port": shared.tls_port,
    }));
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    warp::reply::with_status(body, status).into_response()
}

/// What a person who looks for a fault needs to know of the daemon.
async fn info(visitor: &Visitor, shared: &Shared) -> Response {
    if let Err(refusal) = shared.authorize(visitor, Action::ReadInfo, Target::House).await {
        return denied(&refusal);
    }
    // Whoever is for another room is not told what goes on at home.
    let home = shared.bridge.rooms().slug(RoomId::HOME).is_some_and(|home| visitor.may_enter(&home));
    let sees_home_assistant = shared.bridge.access().admit(visitor, Action::SeeHomeAssistant).is_ok();
    let (streams, clients) = (shared.relay.streams().len(), shared.places.sockets.taken());
    let media = shared.relay.addresses().await.unwrap_or_default();
    warp::reply::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": shared.started.elapsed().as_secs(),
        "mp3_port": shared.mp3_port,
        "media_addresses": media,
        "http_port": shared.http_port,
        "tls_port": shared.tls_port,
        "may": visitor.scopes,
        "name": visitor.name,
        "room": visitor.room,
        "home_assistant": sees_home_assistant && shared.automation.is_some(),
        "streams": home.then_some(streams),
        "clients": home.then_some(clients),
    }))
    .into_response()
}
