//! Where sessions begin: who is to be heard where, or who is to be heard; and the answer to the offer.

use std::borrow::Cow;

use bytes::Buf;
use futures_util::Stream;
use percent_encoding::percent_decode_str;
use uuid::Uuid;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION};
use warp::reply::{Reply, Response};

use crate::domain::{LiveStream, RoomId, StreamId};
use crate::http::Shared;
use crate::http::access::Scope;
use crate::http::reply::{problem, with};
use crate::http::rooms::asker;
use crate::relay::{ListenError, PublishError};
use crate::relay_handle::{OpenError, Opened, Purpose};
use crate::rooms::JoinError;

use super::{
    ACCEPT_PATCH, ACCEPT_POST, Asked, Problem, SDP, SDP_FRAGMENT, SESSION, Surface, busy, count, quoted, read,
    shutting_down,
};

/// Hears the stream of home that began last.
const LATEST: &str = "latest";

const NAMELESS: Problem = Problem(StatusCode::NOT_FOUND, "Send to /whip/<room>, or to /whip/<name of the stream>");
const NOT_OPEN: Problem = Problem(
    StatusCode::FORBIDDEN,
    "This room has a PIN, is locked, or is a broadcast: only a token with the right share talks there",
);
const OTHER_ROOM: Problem = Problem(StatusCode::FORBIDDEN, "This link is for another room");
const NO_ROOM: Problem =
    Problem(StatusCode::NOT_FOUND, "There is no such room, or no more; /api/rooms lists those there are");
const NO_STREAM: Problem = Problem(
    StatusCode::NOT_FOUND,
    "There is no such stream or room; /stream/status and /api/rooms list those there are",
);

/// Answers an offer: 201, with the address of what it made.
pub(super) async fn post<B: Buf>(
    asked: &Asked,
    name: &str,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Response, Response> {
    let opened = open(asked, name, body, shared).await;
    let stats = &shared.stats.whip;
    count(match (&opened, asked.surface) {
        (Err(_), _) => &stats.refused,
        (Ok(_), Surface::Whip) => &stats.published,
        (Ok(_), Surface::Whep) => &stats.heard,
    });
    opened.map(|opened| created(asked, opened))
}

async fn open<B: Buf>(
    asked: &Asked,
    name: &str,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Opened, Response> {
    let body = read(&asked.headers, (SDP, ACCEPT_POST), shared.limits.message_bytes, body).await?;
    let offer = String::from_utf8(body.into());
    let offer = offer.map_err(|_| problem(StatusCode::BAD_REQUEST, "A description is text in UTF-8"))?;
    if !shared.gate.may_join(&asked.visitor) {
        return Err(busy(StatusCode::TOO_MANY_REQUESTS, "Too many connections a minute; wait a little"));
    }
    let name = percent_decode_str(name).decode_utf8_lossy();
    let purpose = match asked.surface {
        Surface::Whip => stage(asked, &name, shared)?,
        Surface::Whep => seat(asked, &name, shared).await?,
    };
    let local = asked.visitor.address.is_loopback();
    let opened = shared.relay.open(purpose.clone(), offer, local).await.map_err(shutting_down)?;
    if let Purpose::HearRoom(room) = purpose
        && !shared.conversation.rooms().exists(room)
    {
        // It was closed meanwhile: nobody would end what was made for it.
        shared.relay.remove_room(room).await;
        return Err(NO_ROOM.into());
    }
    opened.map_err(|error| refused(&error))
}

/// Where a sender is heard: in the room of this name, or at home as a stream of this name.
fn stage(asked: &Asked, name: &str, shared: &Shared) -> Result<Purpose, Problem> {
    if name.is_empty() {
        return Err(NAMELESS);
    }
    let rooms = shared.conversation.rooms();
    let (room, called) = match room_called(name, shared) {
        Some(room) => (room, asked.query.get("name").or(asked.visitor.name.as_ref()).cloned().unwrap_or_default()),
        None => (RoomId::HOME, name.to_owned()),
    };
    may_enter(asked, room, shared)?;
    if !rooms.is_open(room) && !asked.visitor.scopes.contains(Scope::Share) {
        return Err(NOT_OPEN);
    }
    Ok(Purpose::Send(LiveStream { id: StreamId::of_connection(Uuid::new_v4()), room, music: false }, called))
}

/// What a receiver hears: the newest stream of home, one stream by its id, a room, or a stream by its name.
async fn seat(asked: &Asked, name: &str, shared: &Shared) -> Result<Purpose, Response> {
    let live = shared.relay.live();
    let stream = |live: &LiveStream| (live.room, Purpose::Hear(live.id));
    let (room, purpose) = match (name, name.parse::<StreamId>()) {
        (LATEST, _) => {
            let newest = live.iter().rev().find(|live| live.room == RoomId::HOME);
            newest.map(stream).ok_or_else(nobody_speaks)?
        }
        (_, Ok(id)) => live.iter().find(|live| live.id == id).map(stream).ok_or(NO_STREAM)?,
        _ => match room_called(name, shared) {
            Some(room) => (room, Purpose::HearRoom(room)),
            None => live.iter().rev().find(|live| is_called(live, name, shared)).map(stream).ok_or(NO_STREAM)?,
        },
    };
    may_enter(asked, room, shared)?;
    let pin = asked.query.get("pin").map(String::as_str);
    let rooms = shared.conversation.rooms();
    rooms.may_listen(asker(&asked.visitor), room, pin).await.map_err(kept_out)?;
    Ok(purpose)
}

/// The room with this id, or else with this name for people, however it is written.
fn room_called(name: &str, shared: &Shared) -> Option<RoomId> {
    let rooms = shared.conversation.rooms();
    let named = || rooms.list().into_iter().find(|room| room.name.to_lowercase() == name.to_lowercase());
    rooms.find(name).or_else(|| rooms.find(&named()?.id))
}

fn is_called(live: &LiveStream, name: &str, shared: &Shared) -> bool {
    shared.relay.name(live.id).is_some_and(|own| *own == *name)
}

fn may_enter(asked: &Asked, room: RoomId, shared: &Shared) -> Result<(), Problem> {
    let slug = shared.conversation.rooms().slug(room).ok_or(NO_ROOM)?;
    asked.visitor.may_enter(&slug).then_some(()).ok_or(OTHER_ROOM)
}

/// 201. The address begins with what the client's began with: some clients take it as it is, from the first slash on.
fn created(asked: &Asked, Opened { id, tag, answer }: Opened) -> Response {
    let location = format!("{}{}{SESSION}{}", asked.prefix, asked.surface.path(), id.0);
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

fn refused(error: &OpenError) -> Response {
    let detail: Cow<'_, str> = error.to_string().into();
    match error {
        OpenError::Sender(PublishError::InvalidOffer(_)) | OpenError::Receiver(ListenError::InvalidOffer(_)) => {
            problem(StatusCode::BAD_REQUEST, &detail)
        }
        OpenError::Sender(PublishError::NoAudio) | OpenError::Receiver(ListenError::NoAudio) => {
            problem(StatusCode::UNPROCESSABLE_ENTITY, &detail)
        }
        OpenError::Receiver(ListenError::NoStream) => NO_STREAM.into(),
        OpenError::Sender(PublishError::TooManyPeers(_) | PublishError::TooManyStreams(_))
        | OpenError::Receiver(ListenError::TooManyPeers(_)) => busy(StatusCode::SERVICE_UNAVAILABLE, &detail),
    }
}

fn kept_out(error: JoinError) -> Response {
    match error {
        JoinError::NoRoom => NO_ROOM.into(),
        JoinError::TooFast => busy(StatusCode::TOO_MANY_REQUESTS, &error.to_string()),
        _ => problem(StatusCode::FORBIDDEN, &error.to_string()),
    }
}

/// It will be there when somebody speaks: the client may ask again.
fn nobody_speaks() -> Response {
    busy(StatusCode::CONFLICT, "Nobody speaks just now")
}
