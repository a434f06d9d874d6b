//! Problems (RFC 9457): how WHIP and WHEP say what went wrong, also where the gate says it before they are asked.

use serde_json::json;
use warp::http::StatusCode;
use warp::http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use warp::reply::{Reply, Response};

use super::reply::with;

/// Whether whoever asks for this path reads problems: WHIP and WHEP, whatever token is before the path.
pub(super) fn reads_problems(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    let first = parts.next();
    matches!(if first == Some("t") { parts.nth(1) } else { first }, Some("whip" | "whep"))
}

/// What went wrong, for programs: a status, and a sentence that says what to do about it.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    let reply = warp::reply::with_status(warp::reply::json(&body), status).into_response();
    with(reply, CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))
}

/// What the gate says to those whom it does not let in.
pub(super) fn refusal(status: StatusCode, sentence: &str) -> Response {
    let reply = dress(problem(status, sentence));
    if status == StatusCode::UNAUTHORIZED {
        return with(reply, WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    reply
}

/// What every reply says there: nobody keeps it, and pages may read what it says besides its body.
pub(super) fn dress(reply: Response) -> Response {
    let reply = with(reply, CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with(
        reply,
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Location, ETag, Link, Accept-Patch, Accept-Post"),
    )
}
