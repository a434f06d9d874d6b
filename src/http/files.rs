//! `/api/offer`: a client's way to files over a data channel; `/api/files`: which there are, and each of them as a file.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use warp::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED,
};
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, Target, Visitor};
use crate::core::NegotiationError;
use crate::engine::ConnectError;
use crate::library::{Catalogue, FileId, OpenError, OpenFile};
use crate::transfer::{ClientRefused, FileServer};

use super::Shared;
use super::clips::{Unsatisfiable, range, with_status};
use super::exposition::Exposition;
use super::reply::{cross_origin, denied, text, unavailable, with};

/// Bytes of an offer: those of browsers have some thousand.
const MAX_OFFER: u64 = 64 << 10;

/// Characters of what is searched for.
const MAX_SEARCH: usize = 200;

/// Files of one answer, where nothing is said, and at most.
const USUAL_LIMIT: usize = 100;
const MOST_FILES: usize = 1_000;

/// The thread that carries files answers within this time, or it is not well.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes that are read, and written, at once.
const PIECE: usize = 64 << 10;

/// Files, and whoever brings them.
#[derive(Clone)]
pub struct Files {
    /// Which there are.
    pub catalogue: Catalogue,
    /// Whoever brings them over data channels.
    pub file_server: FileServer,
    /// The port of those channels.
    pub port: u16,
}

/// A client's offer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FilesOffer {
    offer: OfferDescription,
    /// What it calls itself; only for the log.
    #[serde(default)]
    client_id: String,
    /// Whether it is sent nothing before it asks.
    #[serde(default)]
    waits: bool,
}

#[derive(Deserialize)]
struct OfferDescription {
    sdp: String,
}

/// What part of the list is wanted.
#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    search: String,
    #[serde(default)]
    offset: usize,
    #[serde(default = "usual_limit")]
    limit: usize,
}

fn usual_limit() -> usize {
    USUAL_LIMIT
}

/// `/api/offer`, `/api/health`, `/api/files` and what is below it.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let offer = warp::path!("api" / "offer")
        .and(warp::post())
        .and(context.clone())
        .and(warp::body::content_length_limit(MAX_OFFER))
        .and(warp::body::json())
        .then(async |visitor: Visitor, shared: Shared, offer: FilesOffer| {
            permitted(&visitor, &shared, async |permit| answer(permit, offer, &shared).await).await
        });
    let health = warp::path!("api" / "health").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, async |permit| health(shared.house.files(&permit)).await).await
        },
    );
    let list = warp::path!("api" / "files").and(warp::get()).and(context.clone()).and(warp::query()).then(
        async |visitor: Visitor, shared: Shared, search: Search| {
            permitted(&visitor, &shared, async |permit| list(&search, shared.house.files(&permit))).await
        },
    );
    offer.or(health).unify().or(list).unify().or(one(context)).unify()
}

/// `/api/files/<id>` and `/api/files/<id>/cover`.
fn one(
    context: impl Filter<Extract = (Visitor, Shared), Error = Rejection> + Clone + Send + Sync + 'static,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let file = warp::path!("api" / "files" / FileId)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(context.clone())
        .then(async |id: FileId, method: Method, headers: HeaderMap, visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, async |permit| match shared.house.files(&permit).catalogue.open(id).await {
                Ok(open) => file(open, method == Method::HEAD, &headers),
                Err(error) => refused(&error),
            })
            .await
        });
    let cover = warp::path!("api" / "files" / FileId / "cover").and(warp::get()).and(context).then(
        async |id: FileId, visitor: Visitor, shared: Shared| {
            permitted(&visitor, &shared, async |permit| cover(id, shared.house.files(&permit)).await).await
        },
    );
    file.or(cover).unify()
}

/// The reply to somebody who may read files.
async fn permitted(visitor: &Visitor, shared: &Shared, reply: impl AsyncFnOnce(Permit) -> Response) -> Response {
    match shared.authorize(visitor, Action::ReadFiles, Target::House).await {
        Ok(permit) => reply(permit).await,
        Err(refusal) => denied(&refusal),
    }
}

/// Whether the thread that carries files answers.
async fn health(files: &Files) -> Response {
    let answers = tokio::time::timeout(ANSWER_TIMEOUT, files.file_server.relay().stats()).await;
    let (status, word, message) = match answers {
        Ok(Ok(_)) => (StatusCode::OK, "healthy", format!("{} files can be played", files.catalogue.len())),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy", "the thread that carries files does not answer".into()),
    };
    warp::reply::with_status(warp::reply::json(&json!({ "status": word, "message": message })), status).into_response()
}

async fn answer(permit: Permit, offer: FilesOffer, shared: &Shared) -> Response {
    if !shared.gate.may_join(permit.visitor()) {
        return error(StatusCode::TOO_MANY_REQUESTS, "too_fast", "Too many connections; wait a little");
    }
    let file_server = &shared.house.files(&permit).file_server;
    match file_server.accept(permit.clone(), offer.offer.sdp, offer.waits).await {
        Ok((answer, served)) => {
            tracing::debug!(client = %offer.client_id.escape_debug(), "a client wants files");
            shared.tracker.spawn(shared.shutdown.clone().run_until_cancelled_owned(served));
            let answer = json!({ "answer": { "type": "answer", "sdp": answer } });
            warp::reply::json(&answer).into_response()
        }
        Err(refused) => {
            let (status, code) = status_of(&refused);
            error(status, code, &refused.to_string())
        }
    }
}

fn status_of(refused: &ClientRefused) -> (StatusCode, &'static str) {
    match refused {
        ClientRefused::FullForAddress(_) => (StatusCode::TOO_MANY_REQUESTS, "full"),
        ClientRefused::Full(_)
        | ClientRefused::Connection(
            ConnectError::Full(_)
            | ConnectError::Core(NegotiationError::TooManyPeers(_) | NegotiationError::TooManyStreams(_)),
        ) => (StatusCode::SERVICE_UNAVAILABLE, "full"),
        ClientRefused::Connection(ConnectError::NotPermitted) => (StatusCode::FORBIDDEN, "not_permitted"),
        ClientRefused::Connection(ConnectError::Gone(_)) => (StatusCode::SERVICE_UNAVAILABLE, "shutting_down"),
        ClientRefused::Connection(ConnectError::Core(_)) => (StatusCode::BAD_REQUEST, "bad_description"),
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = warp::reply::json(&json!({ "type": "error", "code": code, "message": message }));
    warp::reply::with_status(body, status).into_response()
}

fn list(Search { search, offset, limit }: &Search, files: &Files) -> Response {
    if search.chars().count() > MAX_SEARCH || *limit > MOST_FILES {
        return text(StatusCode::BAD_REQUEST, "search has 200 characters at most, and limit is 1000 at most");
    }
    let listed = files.catalogue.list(search, *offset, *limit);
    let answer = json!({ "files": listed.files, "total": listed.total, "offset": offset, "limit": limit });
    warp::reply::json(&answer).into_response()
}

async fn cover(id: FileId, files: &Files) -> Response {
    match files.catalogue.cover(id).await {
        Ok(cover) => {
            let reply = with(cover.bytes.into_response(), CONTENT_TYPE, HeaderValue::from_static(cover.mime));
            with(reply, CACHE_CONTROL, HeaderValue::from_static("max-age=3600"))
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &OpenError) -> Response {
    match error {
        OpenError::Unreadable(_) | OpenError::Damaged => {
            tracing::warn!(%error, "a file cannot be served");
            unavailable("The file cannot be read just now")
        }
        OpenError::Unknown | OpenError::Gone | OpenError::Outside => {
            text(StatusCode::NOT_FOUND, "There is no such file, or no more; /api/files lists those there are")
        }
    }
}

/// A file, or the part that is asked for (RFC 9110 13 and 14), read as it is sent.
fn file(open: OpenFile, head: bool, headers: &HeaderMap) -> Response {
    use headers::{ETag, HeaderMapExt, IfNoneMatch, IfRange};
    let facts = open.facts();
    let tag: ETag = format!("\"{}\"", facts.version).parse().expect("digits in quotes are a tag");
    let written = UNIX_EPOCH + Duration::from_secs(u64::try_from(facts.modified).unwrap_or(0));
    let reply = with(cross_origin(StatusCode::OK), ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let reply = with(reply, CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let ascii = |text: String| HeaderValue::try_from(text).expect("numbers and tags are ASCII");
    let reply = with(reply, ETAG, ascii(format!("\"{}\"", facts.version)));
    let reply = with(reply, LAST_MODIFIED, ascii(httpdate::fmt_http_date(written)));
    if headers.typed_get::<IfNoneMatch>().is_some_and(|it| !it.precondition_passes(&tag)) {
        return with_status(reply, StatusCode::NOT_MODIFIED);
    }
    let reply = with(reply, CONTENT_TYPE, HeaderValue::from_static(facts.mime));
    let is_same = headers.typed_get::<IfRange>().is_none_or(|it| !it.is_modified(Some(&tag), None));
    let length = usize::try_from(facts.size).unwrap_or(usize::MAX);
    match range(headers, length).filter(|_| is_same) {
        None => body(reply, open, 0..length, head),
        Some(Ok(range)) => {
            let described = ascii(format!("bytes {}-{}/{length}", range.start, range.end - 1));
            let reply = with_status(with(reply, CONTENT_RANGE, described), StatusCode::PARTIAL_CONTENT);
            body(reply, open, range, head)
        }
        Some(Err(Unsatisfiable)) => {
            let reply = with(reply, CONTENT_RANGE, ascii(format!("bytes */{length}")));
            with_status(reply, StatusCode::RANGE_NOT_SATISFIABLE)
        }
    }
}

/// The headers of this part, and the part itself unless only the head was asked for.
fn body(reply: Response, open: OpenFile, part: Range<usize>, head: bool) -> Response {
    let (mut parts, _) = reply.into_parts();
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
    if head {
        return warp::http::Response::from_parts(parts, Bytes::new()).into_response();
    }
    let pieces = stream::try_unfold((Arc::new(open), part), async |(open, part)| {
        let length = part.len().min(PIECE);
        if length == 0 {
            return Ok(None);
        }
        let (file, from) = (Arc::clone(&open), part.start as u64);
        let read = tokio::task::spawn_blocking(move || file.read(from, length)).await;
        // The connection is closed then, before what was promised: the client sees that it is not whole.
        let bytes = read.map_err(io::Error::other)?.map_err(io::Error::other)?;
        Ok::<_, io::Error>(Some((Bytes::from(bytes), (open, part.start + length..part.end))))
    });
    let (streamed, body) = warp::reply::stream(pieces).into_response().into_parts();
    drop(streamed);
    warp::http::Response::from_parts(parts, body)
}

/// What is counted, for `/metrics`.
pub(super) fn encode(page: &mut Exposition<'_>, files: &Files) -> fmt::Result {
    let (file_server, catalogue) = (files.file_server.stats(), files.catalogue.stats());
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    page.gauge("files", "Audio files that can be played", files.catalogue.len() as u64)?;
    page.gauge("files_over_limit", "Audio files left out, for files.max", load(&catalogue.over_limit))?;
    page.gauge("files_broken", "Audio files left out, since they cannot be read", load(&catalogue.broken))?;
    page.counter("files_scans", "Times the folders of files were looked through", load(&catalogue.scans))?;
    page.gauge("files_clients", "Clients that are sent files", file_server.clients.load(Ordering::Relaxed) as u64)?;
    page.counter("files_refused", "Clients over files.clients", load(&file_server.refused))?;
    page.counter("files_refused_by_address", "Clients over files.per_address", load(&file_server.refused_by_address))?;
    page.counter("files_timed_out", "Clients that opened no channel within a minute", load(&file_server.timed_out))?;
    page.counter("files_idled_out", "Clients that were idle for files.idle", load(&file_server.idled_out))?;
    page.counter("files_completed", "Files sent to their last chunk", load(&file_server.completed))?;
    page.counter("files_failed", "Files that changed, went or failed while they were sent", load(&file_server.failed))?;
    page.counter("files_bytes", "Bytes sent over data channels", load(&file_server.channels.written))?;
    let dropped = load(&file_server.dropped) + load(&file_server.channels.dropped);
    page.counter("files_messages_dropped", "Messages of clients that talk faster than they read", dropped)
}
