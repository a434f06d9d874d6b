//! `/stream/…`: live audio over HTTP, for any player that can be given a URL.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::json;
use warp::http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use warp::http::response::Parts;
use warp::http::{Method, StatusCode, Version};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, RoomCredentials, Target, Visitor};
use crate::audio::Format;
use crate::config::WhenIdle;
use crate::domain::{RoomId, StreamId, Track};
use crate::live::Program;

use super::Shared;
use super::fanout::JoinQueue;
use super::listener_socket::{Framing, Hearing, ICY_INTERVAL, ListenerSocket, ListenerStats, MAX_BEHIND};
use super::player::PlayRequest;
use super::prelude::Preludes;
use super::reply::{cross_origin, denied, no_cache_html, text, unavailable, with};
use super::server::{Handover, Socket};

/// For a person who opens `latest.mp3` before anybody speaks: it begins to play by itself.
const WAITING_PAGE: &str = include_str!("waiting.html");

/// Bytes between two pieces of metadata, announced to players that asked for it.
const ICY_METAINT: HeaderName = HeaderName::from_static("icy-metaint");
const ICY_NAME: HeaderName = HeaderName::from_static("icy-name");

const NO_FILE: &str = "Ask for /stream/latest.mp3, all.mp3, <stream_id>.mp3 or room/<room id>.mp3; or .wav, .opus";
const NO_ROOM: &str = "There is no such room; ask for /stream/room/home.mp3 or .wav, or for another room's id";

/// `/stream/status`, and live streams by the names of [`PlayRequest::of_file`]; under `/stream/room`, the same of
/// each room. On both ports.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let status = warp::path!("stream" / "status")
        .and(warp::get())
        .and(warp::ext::get::<Visitor>())
        .and(with_shared.clone())
        .then(async |visitor: Visitor, shared: Shared| {
            match shared.authorize(&visitor, Action::ListStreams, Target::room(RoomId::HOME)).await {
                Ok(_) => active(&shared.relay.streams()),
                Err(refusal) => denied(&refusal),
            }
        });
    let of_house = warp::path!("stream" / String).map(|file: String| PlayRequest::of_file(&file).ok_or(NO_FILE));
    let of_room =
        warp::path!("stream" / "room" / String).and(with_shared.clone()).map(|file: String, shared: Shared| {
            PlayRequest::of_room(&file, |name| shared.bridge.rooms().find(name)).ok_or(NO_ROOM)
        });
    let request = of_house.or(of_room).unify();
    let options = request.clone().and(warp::options()).map(|_| cross_origin(StatusCode::NO_CONTENT));
    let live =
        request.and(warp::get().or(warp::head()).unify()).and(head()).and(warp::query()).and(with_shared.clone()).then(
            |request, head: PlayerHead, query: HashMap<String, String>, shared: Shared| async move {
                live(request, head, &query, &shared).await.unwrap_or_else(|refusal| refusal)
            },
        );
    status.or(options).unify().or(room_status(with_shared)).unify().or(live).unify()
}

/// `/stream/room/<id>/status`: for those who wait until somebody speaks there.
fn room_status(
    with_shared: impl Filter<Extract = (Shared,), Error = Infallible> + Clone + Send + Sync + 'static,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    warp::path!("stream" / "room" / String / "status")
        .and(warp::get())
        .and(head())
        .and(warp::query())
        .and(with_shared)
        .then(|name: String, head: PlayerHead, query: HashMap<String, String>, shared: Shared| async move {
            let Some(room) = shared.bridge.rooms().find(&name) else {
                return text(StatusCode::NOT_FOUND, NO_ROOM);
            };
            if let Err(refusal) = enter(room, &head, &query, &shared).await {
                return refusal;
            }
            let heard = Program::Room(room).of(&shared.relay.live());
            active(&heard.iter().map(|live| live.id).collect::<Vec<_>>())
        })
}

fn active(streams: &[StreamId]) -> Response {
    warp::reply::json(&json!({ "active_streams": streams })).into_response()
}

/// How the client asked.
#[derive(Clone)]
struct PlayerHead {
    /// For the headers alone.
    is_head: bool,
    /// As browsers do that navigate: by the name of HTML, which players do not use.
    html: bool,
    /// To be told who talks.
    icy: bool,
    /// By whom.
    visitor: Visitor,
}

fn head() -> impl Filter<Extract = (PlayerHead,), Error = Rejection> + Copy {
    let headers = warp::header::optional("accept").and(warp::header::optional("icy-metadata"));
    warp::method().and(headers).and(warp::ext::get::<Visitor>()).map(
        |method: Method, accept: Option<String>, icy: Option<String>, visitor: Visitor| PlayerHead {
            is_head: method == Method::HEAD,
            html: accept.is_some_and(|accept| accept.contains("text/html")),
            icy: icy.is_some_and(|icy| icy.trim() == "1"),
            visitor,
        },
    )
}

/// Lets somebody hear a room, or says why not.
async fn enter(
    room: RoomId,
    head: &PlayerHead,
    query: &HashMap<String, String>,
    shared: &Shared,
) -> Result<Permit, Response> {
    let shown = RoomCredentials { pin: query.get("pin").map(String::as_str), key: None };
    let entered = shared.authorize(&head.visitor, Action::Hear, Target::Room(room, shown)).await;
    entered.map_err(|refusal| denied(&refusal))
}

/// The stream that is wished for; the error is the answer as well.
async fn live(
    request: Result<PlayRequest, &'static str>,
    head: PlayerHead,
    query: &HashMap<String, String>,
    shared: &Shared,
) -> Result<Response, Response> {
    let request = request.map_err(|sentence| text(StatusCode::NOT_FOUND, sentence))?;
    let bad_request = |complaint| warp::reply::with_status(complaint, StatusCode::BAD_REQUEST).into_response();
    let request = request.with_query(query).map_err(bad_request)?;
    let heard = request.program.of(&shared.relay.live());
    let room = match (request.program, heard.first()) {
        (Program::Room(room) | Program::Latest(room), _) => room,
        (Program::Stream(_), Some(live)) => live.room,
        (Program::Stream(_), None) => {
            return Err(text(StatusCode::NOT_FOUND, "There is no such stream; /stream/status lists those there are"));
        }
    };
    let permit = enter(room, &head, query, shared).await?;
    if let (Program::Room(_), Format::Ogg) = (request.program, request.format) {
        return Err(text(StatusCode::NOT_FOUND, "Ogg is made of one stream: ask for <stream_id>.opus"));
    }
    if heard.is_empty() && head.html {
        return Ok(no_cache_html(WAITING_PAGE));
    }
    if heard.is_empty() && shared.when_idle == WhenIdle::Unavailable {
        return Err(unavailable("Nobody speaks just now"));
    }
    if head.is_head {
        return Ok(headers(request.format));
    }
    Ok(admit(resolved(request, &heard), head, permit, shared).await)
}

/// Ogg is made of one stream: the newest one, where several are asked for.
fn resolved(request: PlayRequest, heard: &[Track]) -> PlayRequest {
    match (request.format, request.program, heard.last()) {
        (Format::Ogg, Program::Latest(_), Some(newest)) => {
            PlayRequest { program: Program::Stream(newest.id), ..request }
        }
        _ => request,
    }
}

/// Lets a listener in, as far as there is room and the stream is there.
async fn admit(request: PlayRequest, head: PlayerHead, permit: Permit, shared: &Shared) -> Response {
    let place = match shared.places.listeners.take(&permit.owner()) {
        Ok(place) => place,
        Err(full) => {
            return super::reply::full(full, "Too many players listen at once; limits.mp3_listeners sets how many may");
        }
    };
    let encoders = &shared.places.encoders;
    let queue = match shared.fanouts.enter(&permit, encoders, request.program, request.format).await {
        Ok(queue) => queue,
        Err(full) => {
            return super::reply::full(
                full,
                "Too many kinds of sound are made at once; limits.encoders sets how many may",
            );
        }
    };
    let Some(queue) = queue else {
        return match (request.format, request.program) {
            (Format::Ogg, Program::Latest(_)) => unavailable("Nobody speaks just now; latest.mp3 waits with silence"),
            _ => text(StatusCode::NOT_FOUND, "The stream has just ended"),
        };
    };
    let icy = head.icy && shared.icy && matches!(request.format, Format::Mp3(_));
    let mut reply = headers(request.format);
    if icy {
        reply = with(reply, ICY_METAINT, HeaderValue::from(ICY_INTERVAL));
        reply = with(reply, ICY_NAME, HeaderValue::from_static("Voice Relay"));
    }
    let hearing = Hearing::begin(permit, place, shared.bridge.rooms());
    let preludes = shared.preludes.clone();
    let stats = Arc::clone(&shared.stats.listeners);
    let admitted = AdmittedListener { request, icy, stats, queue, hearing, preludes };
    reply.extensions_mut().insert(Handover::new(move |socket, version, head| async move {
        admitted.serve(socket, version, &head).await;
    }));
    reply
}

/// A live stream's headers: no length, no ranges, never cached.
fn headers(format: Format) -> Response {
    [(CONTENT_TYPE, format.content_type()), (CACHE_CONTROL, "no-store"), (ACCEPT_RANGES, "none")]
        .into_iter()
        .fold(cross_origin(StatusCode::OK), |reply, (name, value)| with(reply, name, HeaderValue::from_static(value)))
}

/// A listener whose request is answered, but for the socket.
struct AdmittedListener {
    request: PlayRequest,
    icy: bool,
    stats: Arc<ListenerStats>,
    queue: JoinQueue,
    hearing: Hearing,
    preludes: Preludes,
}

impl AdmittedListener {
    /// Takes the socket over, and joins the others.
    async fn serve(self, socket: Socket, version: Version, head: &Parts) {
        let Self { request, icy, stats, queue, hearing, preludes } = self;
        let framing = match request.framing {
            Some(framing) => framing,
            None if version < Version::HTTP_11 => Framing::Close,
            None => Framing::Chunked,
        };
        let max_behind = request.format.bytes_per_second() * MAX_BEHIND.as_secs() as usize;
        let head = head_of(version, head, framing);
        let listener_socket =
            ListenerSocket::new(socket, head, framing, request.messages_a_write(), max_behind, stats, hearing);
        queue.admit(if icy { listener_socket.with_icy() } else { listener_socket }, preludes.of(request).await).await;
    }
}

/// Status line and headers (RFC 9112 2.1), as hyper would write them.
fn head_of(version: Version, head: &Parts, framing: Framing) -> Bytes {
    let mut bytes = BytesMut::new();
    let status = if version < Version::HTTP_11 { "HTTP/1.0 200 OK\r\n" } else { "HTTP/1.1 200 OK\r\n" };
    bytes.put_slice(status.as_bytes());
    for (name, value) in &head.headers {
        bytes.put_slice(name.as_str().as_bytes());
        bytes.put_slice(b": ");
        bytes.put_slice(value.as_bytes());
        bytes.put_slice(b"\r\n");
    }
    bytes.put_slice(format!("date: {}\r\n", httpdate::fmt_http_date(SystemTime::now())).as_bytes());
    if framing == Framing::Chunked {
        bytes.put_slice(b"transfer-encoding: chunked\r\n");
    }
    bytes.put_slice(b"connection: close\r\n\r\n");
    bytes.freeze()
}
