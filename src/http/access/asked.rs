//! What a request says of itself, before anybody answers it.

use std::net::IpAddr;

use hyper::Request;
use uuid::Uuid;
use warp::http::header::{AUTHORIZATION, HOST, HeaderMap, UPGRADE};
use warp::http::uri::PathAndQuery;
use warp::http::{Method, Uri};

use super::{Refusal, Scope};

/// Before a path, and behind it a token: players and pages can carry one no other way.
const TOKEN_PREFIX: &str = "/t/";

/// Takes `/t/<token>` off the path.
pub(super) fn take_token<B>(request: &mut Request<B>) -> Result<Option<String>, Refusal> {
    let Some(rest) = request.uri().path().strip_prefix(TOKEN_PREFIX) else { return Ok(None) };
    let Some((token, path)) = rest.split_once('/') else { return Err(Refusal::Slash) };
    let token = token.to_owned();
    let path = match request.uri().query() {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    };
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    // The rest of a valid path is one.
    parts.path_and_query = PathAndQuery::try_from(path).ok();
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    Ok(Some(token))
}

pub(super) fn host_of(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// The token that a program shows. A uuid is none: it is a room's key, and for the room to judge.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let shown = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    Some(shown).filter(|shown| Uuid::try_parse(shown).is_err())
}

/// Where the proxy says that the request comes from.
pub(super) fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let hops = headers.get("x-forwarded-for")?.to_str().ok()?;
    hops.split(',').next()?.trim().parse().ok()
}

pub(super) fn is_socket<B>(request: &Request<B>) -> bool {
    request.headers().contains_key(UPGRADE)
}

pub(super) fn is_audio(path: &str) -> bool {
    path.starts_with("/stream/") || path.starts_with("/clip/")
}

/// The permission that a request needs, besides what its own handler asks for.
pub(super) fn needed_scope<B>(request: &Request<B>) -> Option<Scope> {
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    match path {
        _ if *request.method() == Method::OPTIONS => None,
        _ if is_audio(path) || path == "/metrics" => Some(Scope::Listen),
        // Whoever makes this one only wants to hear something.
        "/api/offer" => Some(Scope::Listen),
        _ if path.starts_with("/api/tokens") => Some(Scope::Share),
        // By one request one sends, or hears, or ends either.
        _ if path.starts_with("/whip/") => Some(Scope::Talk),
        _ if path.starts_with("/whep/") => Some(Scope::Listen),
        // Whoever may talk may open rooms, and close his own.
        _ if path.starts_with("/api/rooms") && !reads => Some(Scope::Talk),
        // So may he have others talk.
        _ if path.starts_with("/api/announce") && !reads => Some(Scope::Talk),
        _ if path.starts_with("/api/") && reads => Some(Scope::Listen),
        _ if path.starts_with("/api/") => Some(Scope::Admin),
        _ => None,
    }
}
