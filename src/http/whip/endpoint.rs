//! Where sessions begin: who is to be heard where, or who is to be heard; and the answer to the offer.

use std::borrow::Cow;

use bytes::Buf;
use futures_util::Stream;
use percent_encoding::percent_decode_str;
use uuid::Uuid;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION};
use warp::reply::{Reply, Response};

use crate::access::{Action, Permit, RoomCredentials, Target};
use crate::core::NegotiationError;
use crate::domain::{RoomId, StreamId, Track, comparable};
use crate::engine::{ConnectError, OpenedResource, ResourceRole};
use crate::http::Shared;
use crate::http::problem::problem;
use crate::http::reply::with;

use super::{
    ACCEPT_PATCH, ACCEPT_POST, Problem, SDP, SDP_FRAGMENT, SESSION, Surface, WhipRequest, busy, count, denied, quoted,
    read, shutting_down,
};

/// Hears the stream of home that began last.
const LATEST: &str = "latest";

const NAMELESS: Problem =
    Problem(StatusCode::NOT_FOUND, "Ask for /whip/<room or name of the stream>, or for /whep/<stream or room>");
pub(super) const NO_ROOM: Problem =
    Problem(StatusCode::NOT_FOUND, "There is no such room, or no more; /api/rooms lists those there are");
const NO_STREAM: Problem = Problem(
    StatusCode::NOT_FOUND,
    "There is no such stream or room; /stream/status and /api/rooms list those there are",
);

/// Answers an offer: 201, with the address of what it made.
pub(super) async fn post<B: Buf>(
    request: &WhipRequest,
    name: &str,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Response, Response> {
    let opened = open(request, name, body, shared).await;
    let stats = &shared.stats.whip;
    count(match (&opened, request.surface) {
        (Err(_), _) => &stats.refused,
        (Ok(_), Surface::Whip) => &stats.published,
        (Ok(_), Surface::Whep) => &stats.heard,
    });
    opened.map(|opened| created(request, opened))
}

async fn open<B: Buf>(
    request: &WhipRequest,
    name: &str,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<OpenedResource, Response> {
    let body = read(&request.headers, (SDP, ACCEPT_POST), shared.limits.message_bytes, body).await?;
    let offer = String::from_utf8(body.into());
    let offer = offer.map_err(|_| problem(StatusCode::BAD_REQUEST, "A description is text in UTF-8"))?;
    if !shared.gate.may_join(&request.visitor) {
        return Err(busy(StatusCode::TOO_MANY_REQUESTS, "Too many connections a minute; wait a little"));
    }
    let name = percent_decode_str(name).decode_utf8_lossy();
    let name = name_of(&name).ok_or(NAMELESS)?;
    let (permit, role) = match request.surface {
        Surface::Whip => to_send(request, name, shared).await?,
        Surface::Whep => to_hear(request, name, shared).await?,
    };
    if request.surface == Surface::Whep {
        // Before it can be over.
        shared.bridge.note_listening(&permit);
    }
    let grant = permit.id();
    let opened = shared.relay.open(permit, role.clone(), offer).await;
    if opened.is_err() {
        shared.bridge.note_closed(grant);
    }
    if let ResourceRole::HearRoom(room) = role
        && !shared.bridge.rooms().exists(room)
    {
        // It was closed meanwhile: nobody would end what was made for it.
        shared.relay.remove_room(room).await;
        return Err(NO_ROOM.into());
    }
    opened.map_err(|error| refused(&error))
}

/// The one name in a path; slashes around it are none of it, and with one within it would be two.
fn name_of(path: &str) -> Option<&str> {
    Some(path.trim_matches('/')).filter(|name| !name.is_empty() && !name.contains('/'))
}

/// Where a sender is heard: in the room of this name, or at home as a stream of this name.
async fn to_send(request: &WhipRequest, name: &str, shared: &Shared) -> Result<(Permit, ResourceRole), Response> {
    let (room, called) = match room_called(name, shared) {
        Some(room) => (room, request.query.get("name").or(request.visitor.name.as_ref()).cloned().unwrap_or_default()),
        None => (RoomId::HOME, name.to_owned()),
    };
    let permit = shared.authorize(&request.visitor, Action::Talk, Target::room(room)).await;
    let permit = permit.map_err(|refusal| denied(&refusal))?;
    let feeds = Track::voice(StreamId::of_connection(Uuid::new_v4()), room);
    Ok((permit, ResourceRole::Send(feeds, called)))
}

/// What a receiver hears: the newest stream of home, one stream by its id, a room, or a stream by its name.
async fn to_hear(request: &WhipRequest, name: &str, shared: &Shared) -> Result<(Permit, ResourceRole), Response> {
    let live = shared.relay.live();
    let stream = |live: &Track| (live.room, ResourceRole::Hear(live.id));
    let (room, role) = match (name, name.parse::<StreamId>()) {
        (LATEST, _) => {
            let newest = live.iter().rev().find(|live| live.room == RoomId::HOME);
            newest.map(stream).ok_or_else(nobody_speaks)?
        }
        (_, Ok(id)) => shared.relay.arrival(id).await.as_ref().map(stream).ok_or(NO_STREAM)?,
        _ => match room_called(name, shared) {
            Some(room) => (room, ResourceRole::HearRoom(room)),
            None => stream_called(name, &live, shared).await.as_ref().map(stream).ok_or(NO_STREAM)?,
        },
    };
    let shown = RoomCredentials { pin: request.query.get("pin").map(String::as_str), key: None };
    let permit = shared.authorize(&request.visitor, Action::Hear, Target::Room(room, shown)).await;
    Ok((permit.map_err(|refusal| denied(&refusal))?, role))
}

/// The room with this id, or else with this name for people, however it is written.
fn room_called(name: &str, shared: &Shared) -> Option<RoomId> {
    let rooms = shared.bridge.rooms();
    let named = || rooms.list().into_iter().find(|room| comparable(&room.name) == comparable(name));
    rooms.find(name).or_else(|| rooms.find(&named()?.id))
}

/// The newest live stream of this name, or else one that is about to be.
async fn stream_called(name: &str, live: &[Track], shared: &Shared) -> Option<Track> {
    let called = shared.relay.called(|own| comparable(own) == comparable(name));
    match (live.iter().rev().find(|live| called.contains(&live.id)), called.first()) {
        (Some(live), _) => Some(*live),
        (None, coming) => shared.relay.arrival(*coming?).await,
    }
}

/// 201. The address begins with what the client's began with: some clients take it as it is, from the first slash on.
fn created(request: &WhipRequest, OpenedResource { id, tag, answer }: OpenedResource) -> Response {
    let location = format!("{}{}{SESSION}{}", request.prefix, request.surface.path(), id.0);
    let reply = warp::reply::with_status(answer, StatusCode::CREATED).into_response();
    [
        (CONTENT_TYPE, HeaderValue::from_static(SDP)),
        (LOCATION, HeaderValue::try_from(location).expect("what came before our path was in a request")),
        (ETAG, quoted(&tag)),
        (ACCEPT_PATCH, HeaderValue::from_static(SDP_FRAGMENT)),
    ]
    .into_iter()
    .fold(reply, |reply, (name, value)| with(reply, name, value))
}

fn refused(error: &ConnectError) -> Response {
    let detail: Cow<'_, str> = error.to_string().into();
    match error {
        ConnectError::Core(NegotiationError::NoAudioToSend | NegotiationError::NoAudioToHear) => {
            problem(StatusCode::UNPROCESSABLE_ENTITY, &detail)
        }
        ConnectError::Core(NegotiationError::NoStream) => NO_STREAM.into(),
        ConnectError::Core(NegotiationError::TooManyPeers(_) | NegotiationError::TooManyStreams(_))
        | ConnectError::Full(_) => busy(StatusCode::SERVICE_UNAVAILABLE, &detail),
        ConnectError::Core(_) => problem(StatusCode::BAD_REQUEST, &detail),
        ConnectError::NotPermitted => problem(StatusCode::FORBIDDEN, &detail),
        ConnectError::Gone(gone) => shutting_down(*gone),
    }
}

/// It will be there when somebody speaks: the client may ask again.
fn nobody_speaks() -> Response {
    busy(StatusCode::CONFLICT, "Nobody speaks just now")
}
