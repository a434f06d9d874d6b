//! What one POST made, by its own address: fragments for it, and its end.

use std::sync::atomic::Ordering;

use bytes::Buf;
use futures_util::Stream;
use headers::{HeaderMapExt, IfMatch};
use warp::http::StatusCode;
use warp::http::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MATCH};
use warp::reply::{Reply, Response};

use crate::engine::{Condition, PatchError, Patched, ResourceId};
use crate::http::Shared;
use crate::http::problem::problem;
use crate::http::reply::with;

use super::fragment::{Fragment, MAX_FRAGMENT};
use super::{ACCEPT_PATCH, Problem, SDP_FRAGMENT, WhipRequest, count, quoted, read, shutting_down};

const CONDITION: &str = "If-Match says for which paths this is: the ETag that was given last, or * to restart ICE";
const BAD_CONDITION: Problem = Problem(StatusCode::PRECONDITION_FAILED, CONDITION);

/// 404 says the same of those that never were.
pub(super) fn unknown() -> Response {
    problem(StatusCode::NOT_FOUND, &PatchError::Unknown.to_string())
}

/// Takes more candidates (204), or credentials with which ICE starts anew (200).
pub(super) async fn patch<B: Buf>(
    request: &WhipRequest,
    id: ResourceId,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Response, Response> {
    let body = read(&request.headers, (SDP_FRAGMENT, ACCEPT_PATCH), MAX_FRAGMENT, body).await?;
    let invalid = |error: super::fragment::InvalidFragment| problem(StatusCode::BAD_REQUEST, &error.to_string());
    let Fragment { credentials, candidates } = Fragment::parse(&body).map_err(invalid)?;
    let condition = condition(&request.headers)?;
    let patched =
        shared.relay.patch(id, request.surface.sends(), condition, credentials).await.map_err(shutting_down)?;
    let (patched, stats) = (patched.map_err(|error| refused(&error))?, &shared.stats.whip);
    stats.candidates.fetch_add(candidates as u64, Ordering::Relaxed);
    match patched {
        Patched::Noted => Ok(StatusCode::NO_CONTENT.into_response()),
        Patched::Restarted { tag, fragment } => {
            count(&stats.restarted);
            let reply = with(fragment.into_response(), CONTENT_TYPE, HeaderValue::from_static(SDP_FRAGMENT));
            Ok(with(reply, ETAG, quoted(&tag)))
        }
    }
}

/// Ends it.
pub(super) async fn end(request: &WhipRequest, id: ResourceId, shared: &Shared) -> Result<Response, Response> {
    let ended = shared.relay.end(id, request.surface.sends()).await.map_err(shutting_down)?;
    ended.then(|| StatusCode::OK.into_response()).ok_or_else(unknown)
}

/// For which paths the fragment is, if it says so. Candidates need not, as those of many clients do not; they change
/// nothing here, since checks tell as much.
fn condition(headers: &HeaderMap) -> Result<Option<Condition>, Problem> {
    // Whether it is written as it should be, the library knows; which tags it has, it does not tell.
    let said = headers.typed_try_get::<IfMatch>().map_err(|_| BAD_CONDITION)?;
    Ok(said.map(|said| if said == IfMatch::any() { Condition::Any } else { Condition::Tags(strong_tags(headers)) }))
}

/// Tags that `If-Match` names. Weak ones match nothing (RFC 9110 13.1.1).
fn strong_tags(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.filter_map(|tag| Some(tag.strip_prefix('"')?.strip_suffix('"')?.to_owned())).collect()
}

fn refused(error: &PatchError) -> Response {
    let status = match error {
        PatchError::Unknown => StatusCode::NOT_FOUND,
        PatchError::Outdated => StatusCode::PRECONDITION_FAILED,
        PatchError::Unconditional => StatusCode::PRECONDITION_REQUIRED,
        PatchError::Restart(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    problem(status, &error.to_string())
}
