//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): who sends to `/whip/<name>`, or hears `/whep/<name>`, by one POST.
//! What that makes has an address of its own, `/whip/session/<id>`, by which it is renewed (PATCH) and ended (DELETE).
//!
//! `endpoint` is the first, `session` the second, `fragment` reads what is patched. The gate asks for the right to talk
//! or to listen before anything here is asked.

mod endpoint;
pub(super) mod fragment;
mod session;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, pin_mut};
use headers::{ContentType, HeaderMapExt};
use uuid::Uuid;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_LENGTH,
    HeaderName, HeaderValue,
};
use warp::http::{HeaderMap, Method, StatusCode};
use warp::path::Tail;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Denied, Visitor};
use crate::engine::{ResourceCounts, ResourceId};

use super::Shared;
use super::exposition::Exposition;
use super::gate::Prefix;
use super::problem::{dress, problem};
use super::reply::{RETRY_SECONDS, status_of, with};

/// Description and fragment, as they are sent.
const SDP: &str = "application/sdp";
const SDP_FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// Below either surface, and behind it an id.
const SESSION: &str = "session/";

/// What the two kinds of address are told of that can be done with them.
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// What is counted here; how many sessions there are, the media side knows.
#[derive(Debug, Default)]
pub struct WhipStats {
    /// Sessions that sent.
    published: AtomicU64,
    /// Sessions that heard.
    heard: AtomicU64,
    /// Offers that were not taken.
    refused: AtomicU64,
    /// Sessions that were restarted (ICE).
    restarted: AtomicU64,
    /// Candidates that were told later than in the offer.
    candidates: AtomicU64,
}

/// Which of the two a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surface {
    Whip,
    Whep,
}

impl Surface {
    fn sends(self) -> bool {
        self == Self::Whip
    }

    fn path(self) -> &'static str {
        match self {
            Self::Whip => "/whip/",
            Self::Whep => "/whep/",
        }
    }
}

/// What is asked, but for the body.
struct WhipRequest {
    surface: Surface,
    headers: HeaderMap,
    query: HashMap<String, String>,
    visitor: Visitor,
    /// What is before our own path, as the client sees it.
    prefix: String,
}

/// Everything below `/whip/` and `/whep/`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let whip = warp::path("whip").map(|| Surface::Whip);
    let whep = warp::path("whep").map(|| Surface::Whep);
    whip.or(whep)
        .unify()
        .and(warp::path::tail())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::query())
        .and(warp::ext::get::<Visitor>())
        .and(warp::ext::optional::<Prefix>())
        .and(warp::body::stream())
        .then(move |surface, tail: Tail, method, headers, query, visitor, prefix: Option<Prefix>, body| {
            let prefix = prefix.map(|prefix| prefix.0).unwrap_or_default();
            let (request, shared) = (WhipRequest { surface, headers, query, visitor, prefix }, shared.clone());
            async move {
                let reply = answer(&request, tail.as_str(), &method, body, &shared).await;
                dress(reply.unwrap_or_else(|refusal| refusal))
            }
        })
}

/// The answer; the error is one as well.
async fn answer<B: Buf>(
    request: &WhipRequest,
    tail: &str,
    method: &Method,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Response, Response> {
    if let Some(id) = tail.strip_prefix(SESSION) {
        let id = Uuid::try_parse(id).map(ResourceId).map_err(|_| session::unknown())?;
        return match *method {
            Method::PATCH => session::patch(request, id, body, shared).await,
            Method::DELETE => session::end(request, id, shared).await,
            Method::OPTIONS => Ok(options("PATCH, DELETE, OPTIONS", ACCEPT_PATCH, SDP_FRAGMENT)),
            _ => Err(not_allowed("PATCH, DELETE, OPTIONS")),
        };
    }
    match *method {
        Method::POST => endpoint::post(request, tail, body, shared).await,
        Method::OPTIONS => Ok(options("POST, OPTIONS", ACCEPT_POST, SDP)),
        _ => Err(not_allowed("POST, OPTIONS")),
    }
}

/// What may be asked of an address, for programs and for browsers that ask before a page may (CORS).
fn options(methods: &'static str, accept: HeaderName, media_type: &'static str) -> Response {
    [
        (ALLOW, methods),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
        (accept, media_type),
    ]
    .into_iter()
    .fold(StatusCode::NO_CONTENT.into_response(), |reply, (name, value)| {
        with(reply, name, HeaderValue::from_static(value))
    })
}

/// GET, HEAD and PUT are kept free for later versions of the protocols.
fn not_allowed(methods: &'static str) -> Response {
    let detail = format!("This address takes {methods}");
    with(problem(StatusCode::METHOD_NOT_ALLOWED, &detail), ALLOW, HeaderValue::from_static(methods))
}

/// A problem that is always put in the same words.
#[derive(Debug, Clone, Copy)]
struct Problem(StatusCode, &'static str);

impl From<Problem> for Response {
    fn from(Problem(status, detail): Problem) -> Self {
        problem(status, detail)
    }
}

/// Why somebody may not do something.
fn denied(denied: &Denied) -> Response {
    let status = status_of(denied);
    match status {
        StatusCode::NOT_FOUND => endpoint::NO_ROOM.into(),
        StatusCode::TOO_MANY_REQUESTS => busy(status, &denied.to_string()),
        _ => problem(status, &denied.to_string()),
    }
}

/// A problem that may be none in a moment.
fn busy(status: StatusCode, detail: &str) -> Response {
    with(problem(status, detail), warp::http::header::RETRY_AFTER, RETRY_SECONDS)
}

fn shutting_down(gone: impl ToString) -> Response {
    busy(StatusCode::SERVICE_UNAVAILABLE, &gone.to_string())
}

/// The body, if it says that it is of this type and is no longer than this.
async fn read<B: Buf>(
    headers: &HeaderMap,
    (media_type, accept): (&'static str, HeaderName),
    most: usize,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Bytes, Response> {
    let said = headers.typed_get::<ContentType>().map(mime_of);
    if said.as_deref() != Some(media_type) {
        let refusal = problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, &format!("Send {media_type} here"));
        return Err(with(refusal, accept, HeaderValue::from_static(media_type)));
    }
    let too_long = || problem(StatusCode::PAYLOAD_TOO_LARGE, &format!("{most} bytes at most are read here"));
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(too_long());
    }
    pin_mut!(body);
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        let mut piece = piece.map_err(|_| problem(StatusCode::BAD_REQUEST, "The body broke off"))?;
        let size = piece.remaining();
        if bytes.len() + size > most {
            return Err(too_long());
        }
        bytes.extend_from_slice(&piece.copy_to_bytes(size));
    }
    Ok(bytes.freeze())
}

/// Type and subtype, without parameters.
fn mime_of(content_type: ContentType) -> String {
    let text = content_type.to_string().to_ascii_lowercase();
    text.split(';').next().unwrap_or_default().trim().to_owned()
}

/// A tag as HTTP writes it.
fn quoted(tag: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{tag}\"")).expect("a username fragment is letters and digits")
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What is counted, for `/metrics`.
pub(super) fn encode(page: &mut Exposition<'_>, stats: &WhipStats, now: ResourceCounts) -> fmt::Result {
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    page.gauge("whip_sessions", "Senders over WHIP", now.senders as u64)?;
    page.gauge("whep_sessions", "Receivers over WHEP", now.receivers as u64)?;
    page.counter("whip_published", "Offers of senders that were taken", load(&stats.published))?;
    page.counter("whep_heard", "Offers of receivers that were taken", load(&stats.heard))?;
    page.counter("whip_refused", "Offers over WHIP and WHEP that were not taken", load(&stats.refused))?;
    page.counter("whip_restarted", "Times ICE was restarted over WHIP and WHEP", load(&stats.restarted))?;
    page.counter("whip_candidates", "Candidates told after the offer", load(&stats.candidates))
}
