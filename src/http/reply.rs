//! Replies that several surfaces give.

use serde::Serialize;
use warp::http::StatusCode;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL,
    CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
};
use warp::reply::{Reply, Response};

use crate::access::Denied;
use crate::limits::Full;
use crate::rooms::JoinError;

/// After so many seconds a client that was turned away may try again.
pub(super) const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A status and a sentence that says what to do about it.
pub(super) fn text(status: StatusCode, sentence: &'static str) -> Response {
    warp::reply::with_status(sentence, status).into_response()
}

/// A status and what an error says of itself.
pub(super) fn error_response(status: StatusCode, error: &impl ToString) -> Response {
    warp::reply::with_status(error.to_string(), status).into_response()
}

/// There is no room of this name.
pub(super) fn no_room() -> Response {
    text(StatusCode::NOT_FOUND, "There is no such room, or no more; /api/rooms lists those there are")
}

/// JSON that is true now, and may be wrong a moment later: nobody keeps it.
pub(super) fn no_store(reply: &impl Serialize) -> Response {
    with(warp::reply::json(reply).into_response(), CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// The status of what somebody may not do.
pub(super) fn status_of(denied: &Denied) -> StatusCode {
    match denied {
        Denied::Scope(_) | Denied::Token(_) => StatusCode::UNAUTHORIZED,
        Denied::OtherRoom | Denied::OneRoom => StatusCode::FORBIDDEN,
        Denied::Room(JoinError::NoRoom) => StatusCode::NOT_FOUND,
        Denied::Room(JoinError::TooFast) => StatusCode::TOO_MANY_REQUESTS,
        Denied::Room(_) => StatusCode::FORBIDDEN,
    }
}

/// Why somebody may not do something.
pub(super) fn denied(denied: &Denied) -> Response {
    let sentence = match denied {
        Denied::Room(JoinError::NoRoom) => "There is no such room, or no more; /api/rooms lists those there are".into(),
        denied => denied.to_string(),
    };
    warp::reply::with_status(sentence, status_of(denied)).into_response()
}

/// 503: what is asked for is not to be had just now.
pub(super) fn full(full: Full, sentence: &'static str) -> Response {
    unavailable(match full {
        Full::All(_) => sentence,
        Full::Share(_) => "This address has as many of these as one may have at once; limits.share sets how many",
    })
}

/// 503, with the time after which to come again.
pub(super) fn unavailable(sentence: &'static str) -> Response {
    with(text(StatusCode::SERVICE_UNAVAILABLE, sentence), RETRY_AFTER, RETRY_SECONDS)
}

/// An empty reply that players in web pages may read in parts, where the gate lets them: Cast's is one.
pub(super) fn cross_origin(status: StatusCode) -> Response {
    [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Range, Icy-MetaData, Content-Type, Accept-Encoding"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Length, Content-Range, Accept-Ranges"),
    ]
    .into_iter()
    .fold(status.into_response(), |reply, (name, value)| with(reply, name, HeaderValue::from_static(value)))
}

/// Leave for cards on a dashboard of another origin, which may use these methods.
pub(super) fn preflight(methods: &'static str) -> Response {
    [(ACCESS_CONTROL_ALLOW_METHODS, methods), (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type")]
        .into_iter()
        .fold(StatusCode::NO_CONTENT.into_response(), |reply, (name, value)| {
            with(reply, name, HeaderValue::from_static(value))
        })
}

/// A page that is never cached.
pub(super) fn no_cache_html(page: &'static str) -> Response {
    let reply = with(page.into_response(), CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    with(reply, CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}

/// The reply with one header set.
pub(super) fn with(mut reply: Response, name: HeaderName, value: HeaderValue) -> Response {
    reply.headers_mut().insert(name, value);
    reply
}
