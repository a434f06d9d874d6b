//! The web client, carried inside the binary.

use rust_embed::{EmbeddedFile, RustEmbed};
use warp::http::StatusCode;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
};
use warp::path::Tail;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use super::reply::{text, with};

/// Nothing from another host, ever, and no script or style in the page itself; signalling and MP3 go to ports of
/// this one. Dashboards of Home Assistant, on its usual port, may frame the page; nobody else may.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; media-src 'self' http: blob:; \
     object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self' http://*:8123 https://*:8123",
);

/// What the page may ask the browser for, and what nothing in it ever needs.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "microphone=(self), screen-wake-lock=(self), camera=(), geolocation=(), payment=(), usb=()",
);
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Files under this folder carry a hash of their contents in their names.
const HASHED: &str = "assets/";

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Client;

/// The page at `/`, and its files.
pub(super) fn routes() -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let get = warp::get().or(warp::head()).unify();
    let page = warp::path::end().and(get).map(|| file("index.html"));
    let files = warp::path::tail().and(get).map(|path: Tail| file(path.as_str()));
    page.or(files).unify()
}

fn file(path: &str) -> Response {
    match Client::get(path) {
        Some(embedded) => found(path, embedded),
        None if path == "index.html" => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "This build carries no web page: build web/ first (make build does), then the daemon",
        ),
        None => text(StatusCode::NOT_FOUND, "There is nothing here"),
    }
}

fn found(path: &str, embedded: EmbeddedFile) -> Response {
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    // A media type of the embedding crate is made of header-safe characters.
    let kind = HeaderValue::from_str(embedded.metadata.mimetype()).unwrap_or(HeaderValue::from_static("text/plain"));
    let reply = with(embedded.data.into_owned().into_response(), CONTENT_TYPE, kind);
    let reply = with(reply, CACHE_CONTROL, HeaderValue::from_static(cache));
    // Dashboards of other origins load the card from here.
    let reply = with(reply, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let reply = with(reply, PERMISSIONS_POLICY, PERMISSIONS);
    with(reply, CONTENT_SECURITY_POLICY, POLICY)
}
