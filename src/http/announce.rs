//! `/api/announce`: recordings that are to be heard in rooms and on media players: files of the library, what is sent along,
//! or a text that is spoken.

mod views;

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, pin_mut};
use serde_json::json;
use uuid::Uuid;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, LendError, Target, Visitor};
use crate::announce::{AnnounceError, Announcement};
use crate::dispatch::{Content, DispatchError, Dispatched, StopError, Wish};
use crate::hass::{CoreError, PlayerError, SpeechError};
use crate::library::{OpenError, Recording};

use super::Shared;
use super::clips;
use super::reply::{RETRY_SECONDS, denied, error_response, no_store, preflight, text, with};

pub(super) use views::encode;
use views::{described, living, placed};

/// Bytes of a request that names a file, or has a text.
const MAX_BODY: u64 = 16_384;

/// `/api/announce` and what is below it.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let visitor = warp::ext::get::<Visitor>();
    let base = warp::path!("api" / "announce").and(visitor).and(with_shared.clone());
    let list = base.clone().and(warp::get()).then(async |visitor, shared| list(&visitor, &shared).await);
    let file = base
        .and(warp::post())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .then(async |visitor, shared, wish| announce_file(&visitor, wish, &shared).await);
    let clip = warp::path!("api" / "announce" / "clip")
        .and(warp::post())
        .and(visitor)
        .and(with_shared.clone())
        .and(warp::query())
        .and(warp::header("content-length"))
        .and(warp::body::stream())
        .then(async |visitor, shared, wish, length, body| {
            answered(announce_clip(&visitor, wish, length, body, &shared).await)
        });
    let one = warp::path!("api" / "announce" / Uuid).and(visitor).and(with_shared);
    let look = one.clone().and(warp::get()).then(async |id, visitor: Visitor, shared: Shared| {
        match shared.dispatcher.find(&visitor, id).await {
            Some(found) => no_store(&described(&found)),
            None => error_response(StatusCode::NOT_FOUND, &StopError::Unknown),
        }
    });
    let stop = one.and(warp::delete()).then(async |id, visitor, shared| answered(stop(id, &visitor, &shared).await));
    // Cards on a dashboard of another origin ask before they may (CORS); which origins may is the gate's to say.
    let preflight = warp::path!("api" / "announce" / ..).and(warp::options()).map(|| preflight("GET, POST, DELETE"));
    list.or(preflight).unify().or(file).unify().or(clip).unify().or(look).unify().or(stop).unify()
}

fn answered(result: Result<Response, Response>) -> Response {
    result.unwrap_or_else(|refusal| refusal)
}

async fn announce_file(visitor: &Visitor, wish: Wish, shared: &Shared) -> Response {
    answer(shared.dispatcher.fulfil(visitor, wish).await, shared)
}

async fn announce_clip<B: Buf>(
    visitor: &Visitor,
    wish: Wish,
    length: u64,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Response, Response> {
    let dispatcher = &shared.dispatcher;
    let admitted = dispatcher.admit_wish(visitor, &wish).await.map_err(|error| refused(&error, shared))?;
    if wish.file.is_some() || wish.text.is_some() || wish.live.is_some() {
        return Err(text(
            StatusCode::BAD_REQUEST,
            "The recording is the body here; /api/announce takes a file or a text",
        ));
    }
    // Before anything is read: what comes is in memory.
    let memory = dispatcher.reserve(&admitted, length).map_err(|error| refused(&error, shared))?;
    let bytes = read(body, length).await?;
    let recording = Recording::of_bytes(&bytes).map_err(|_| refused(&DispatchError::NoMemory, shared))?;
    let manner = wish.manner().map_err(|error| refused(&error, shared))?;
    Ok(answer(dispatcher.announce(admitted, Content::Clip(recording, memory), manner).await, shared))
}

/// The body, which is as long as it says.
async fn read<B: Buf>(body: impl Stream<Item = Result<B, warp::Error>>, length: u64) -> Result<Bytes, Response> {
    pin_mut!(body);
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        let broken = |_| text(StatusCode::BAD_REQUEST, "The recording broke off");
        let mut piece = piece.map_err(broken)?;
        if (bytes.len() + piece.remaining()) as u64 > length {
            return Err(text(StatusCode::PAYLOAD_TOO_LARGE, "The recording is longer than its Content-Length says"));
        }
        let size = piece.remaining();
        bytes.extend_from_slice(&piece.copy_to_bytes(size));
    }
    Ok(bytes.freeze())
}

/// Where it was placed, or why nowhere.
fn answer(announced: Result<Dispatched, DispatchError>, shared: &Shared) -> Response {
    let reply = match announced {
        Ok(Dispatched::Single(id, position)) => json!({ "id": id, "position": position }),
        Ok(Dispatched::Joint(joint)) => json!({ "id": joint.id, "position": 0, "parts": placed(&joint) }),
        Err(error) => return refused(&error, shared),
    };
    warp::reply::with_status(warp::reply::json(&reply), StatusCode::ACCEPTED).into_response()
}

/// Why something is not announced.
fn refused(error: &DispatchError, shared: &Shared) -> Response {
    let status = match error {
        DispatchError::Denied(refusal) => {
            shared.gate.note_denied();
            return denied(refusal);
        }
        DispatchError::Nowhere
        | DispatchError::Invalid(_)
        | DispatchError::TooManyPlaces
        | DispatchError::Speech(SpeechError::Length) => StatusCode::BAD_REQUEST,
        DispatchError::NoRoom(_)
        | DispatchError::NoArea(_)
        | DispatchError::NoFile(_)
        | DispatchError::File(_, OpenError::Unknown | OpenError::Gone | OpenError::Outside)
        | DispatchError::Player(PlayerError::Unknown(_) | PlayerError::Unlinked)
        | DispatchError::Speech(SpeechError::NoEngine) => StatusCode::NOT_FOUND,
        DispatchError::File(_, OpenError::Damaged) | DispatchError::Room(AnnounceError::Broken(_)) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        DispatchError::Speech(SpeechError::Core(CoreError::Refused { .. } | CoreError::Unreadable(_))) => {
            StatusCode::BAD_GATEWAY
        }
        DispatchError::Room(AnnounceError::TooLarge(_)) | DispatchError::Speech(SpeechError::TooLarge(_)) => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        DispatchError::DoNotDisturb | DispatchError::SomebodyTalks => StatusCode::CONFLICT,
        DispatchError::Room(AnnounceError::NotPermitted) | DispatchError::Lend(LendError::Exceeds(_)) => {
            StatusCode::FORBIDDEN
        }
        DispatchError::File(_, OpenError::Unreadable(_))
        | DispatchError::NoMemory
        | DispatchError::Lend(LendError::Unwritable(_))
        | DispatchError::Room(_)
        | DispatchError::Player(_)
        | DispatchError::Speech(_)
        | DispatchError::NoAddress => StatusCode::SERVICE_UNAVAILABLE,
    };
    let reply = error_response(status, error);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return with(reply, warp::http::header::RETRY_AFTER, RETRY_SECONDS);
    }
    reply
}

/// Of the rooms in which this visitor could be heard, those where something plays.
async fn list(visitor: &Visitor, shared: &Shared) -> Response {
    let rooms = shared.bridge.rooms();
    let mut told = Vec::new();
    for room in rooms.list().iter().filter_map(|room| rooms.find(&room.id)) {
        let Ok(permit) = shared.access().authorize(visitor, Action::SeeAnnouncements, Target::room(room)).await else {
            continue;
        };
        let lines = shared.house.announcer(&permit).list();
        let Some((_, line)) = lines.into_iter().find(|(other, _)| *other == room) else { continue };
        let described = |(place, one): (usize, &Arc<Announcement>)| living(one, place);
        let mut line: Vec<_> = line.iter().enumerate().map(described).collect();
        let playing = line.remove(0);
        told.push(json!({ "room": rooms.slug(room), "playing": playing, "waiting": line }));
    }
    no_store(&json!({ "rooms": told }))
}

async fn stop(id: Uuid, visitor: &Visitor, shared: &Shared) -> Result<Response, Response> {
    match shared.dispatcher.stop(visitor, id).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error @ StopError::Unknown) => Err(error_response(StatusCode::NOT_FOUND, &error)),
        Err(error @ StopError::Unstoppable(_)) => Err(error_response(StatusCode::CONFLICT, &error)),
    }
}

/// `/announce/<id>.mp3`, on both ports: what a player was told to play. Nobody can guess the address, which is good as
/// long as the announcement is not over.
pub(super) fn files(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    warp::path!("announce" / String)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Visitor>())
        .then(move |name: String, method: Method, headers: HeaderMap, visitor: Visitor| {
            let shared = shared.clone();
            async move {
                if let Err(refusal) = shared.authorize(&visitor, Action::SeePage, Target::House).await {
                    return denied(&refusal);
                }
                let id = name.strip_suffix(".mp3").and_then(|id| Uuid::try_parse(id).ok());
                let found = id.and_then(|id| shared.dispatcher.on_player(id));
                match found.and_then(|one| Some((one.id, one.file()?))) {
                    Some((id, file)) => clips::file(file, id, method == Method::HEAD, &headers),
                    None => error_response(StatusCode::NOT_FOUND, &StopError::Unknown),
                }
            }
        })
}
