//! `/api/tokens`: links for those who are not in the house's network, or may not do everything.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Claims, Scope, Scopes, Target, Visitor};

use super::Shared;
use super::reply::{denied, error_response, text, with};

/// Bytes of a request.
const MAX_BODY: u64 = 1_024;

/// Days that a link lasts, where nothing is said, and at most.
const USUAL_DAYS: u32 = 30;
const MOST_DAYS: u32 = 3_650;

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateTokenRequest {
    /// What its holder may do.
    scope: Vec<Scope>,
    /// In this room alone.
    room: Option<String>,
    /// How its holder is called.
    name: Option<String>,
    #[serde(default = "usual_days")]
    days: u32,
}

fn usual_days() -> u32 {
    USUAL_DAYS
}

/// `POST /api/tokens` makes one; `DELETE /api/tokens/<id>` takes it back. The gate lets nobody here who may
/// not share.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let make = warp::path!("api" / "tokens")
        .and(warp::post())
        .and(warp::ext::get::<Visitor>())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(with_shared.clone())
        .then(async |visitor: Visitor, request: CreateTokenRequest, shared: Shared| {
            make(&visitor, request, &shared).await
        });
    let revoke = warp::path!("api" / "tokens" / Uuid)
        .and(warp::delete())
        .and(warp::ext::get::<Visitor>())
        .and(with_shared)
        .then(async |id: Uuid, visitor: Visitor, shared: Shared| revoke(id, &visitor, &shared).await);
    make.or(revoke).unify()
}

async fn make(visitor: &Visitor, request: CreateTokenRequest, shared: &Shared) -> Response {
    if request.scope.is_empty() || !(1..=MOST_DAYS).contains(&request.days) {
        return text(
            StatusCode::BAD_REQUEST,
            "scope names at least one of listen, talk, admin, share, urgent; days is 1 to 3650",
        );
    }
    if let Err(refusal) = shared.authorize(visitor, Action::MakeToken, Target::House).await {
        return denied(&refusal);
    }
    let life = Duration::from_secs(86_400) * request.days;
    let claims = Claims::new(Scopes::from_iter(request.scope), request.room, request.name, SystemTime::now(), life);
    // Nobody gives what they do not have.
    let claims = match claims.child_of(visitor) {
        Ok(claims) => claims,
        Err(exceeds) => return error_response(StatusCode::FORBIDDEN, &exceeds),
    };
    written(shared.access().tokens().sign(&claims).map(|token| {
        let reply = warp::reply::json(&json!({
            "id": claims.jti,
            "token": token,
            "path": format!("/t/{token}/"),
            "expires": claims.exp,
            "room": claims.room,
        }));
        with(reply.into_response(), CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }))
}

/// All that is open by it ends as well.
async fn revoke(id: Uuid, visitor: &Visitor, shared: &Shared) -> Response {
    match shared.authorize(visitor, Action::RevokeToken, Target::House).await {
        Ok(_) => written(shared.access().revoke(id).map(|()| StatusCode::NO_CONTENT.into_response())),
        Err(refusal) => denied(&refusal),
    }
}

fn written(result: std::io::Result<Response>) -> Response {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "cannot keep tokens in the data folder");
        text(StatusCode::INTERNAL_SERVER_ERROR, "The data folder cannot be written; data_dir sets where it is")
    })
}
