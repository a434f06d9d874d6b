//! `/api/rooms`: the rooms of the house, for programs. Talking in them is signalling's.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use warp::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue};
use warp::http::{HeaderMap, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::rooms::{Asker, Detail, HostError, JoinError, Key, Kind, OpenError, ParticipantInfo, RoomInfo, StatsInfo};

use super::Shared;
use super::access::{Scope, Visitor};
use super::reply::{text, unavailable, with};

/// Bytes of a request.
const MAX_BODY: u64 = 1_024;

/// A room to be opened.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wish {
    room_name: String,
    #[serde(default)]
    kind: Kind,
    pin: Option<String>,
    /// Participants at most.
    max: Option<usize>,
    /// The best bitrate there, in kbit/s.
    bitrate: Option<u32>,
}

/// Bitrates that one may ask for, in kbit/s.
const BITRATES: RangeInclusive<u32> = 16..=128;

/// What makes a room that is not open to all be told.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    pin: Option<String>,
    host_id: Option<String>,
}

/// A room that was opened. It is told once: with the key one is the host.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OpenedReply<'a> {
    room_id: &'a str,
    room_name: &'a str,
    host_id: Key,
    #[serde(flatten)]
    room: &'a RoomInfo,
}

/// A room in the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedReply {
    guest_count: usize,
    is_live: bool,
    #[serde(flatten)]
    room: RoomInfo,
}

/// A room with who is in it.
#[derive(Serialize)]
struct DetailReply {
    /// With the number of participants, which the list takes the place of.
    #[serde(flatten)]
    room: serde_json::Map<String, serde_json::Value>,
    participants: Vec<ParticipantInfo>,
    stats: StatsInfo,
}

/// All of `/api/rooms`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let list = warp::path!("api" / "rooms").and(warp::get()).and(with_shared.clone()).map(|shared: Shared| {
        let rooms: Vec<_> = shared.conversation.rooms().list().into_iter().map(listed).collect();
        fresh(&serde_json::json!({ "rooms": rooms }))
    });
    let open = warp::path!("api" / "rooms")
        .and(warp::post())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(with_shared.clone())
        .then(async |wish: Wish, shared: Shared| open(wish, &shared).await);
    let asked = warp::query::<Shown>().and(warp::header::headers_cloned()).and(warp::ext::get::<Visitor>());
    let one = warp::path!("api" / "rooms" / String).and(warp::get()).and(asked).and(with_shared.clone()).then(
        async |room: String, shown, headers, visitor: Visitor, shared: Shared| {
            told(look(&room, &shown, &headers, &visitor, &shared).await, detail)
        },
    );
    let stats =
        warp::path!("api" / "rooms" / String / "stats").and(warp::get()).and(asked).and(with_shared.clone()).then(
            async |room: String, shown, headers, visitor: Visitor, shared: Shared| {
                told(look(&room, &shown, &headers, &visitor, &shared).await, |detail| fresh(&detail.stats))
            },
        );
    let close = warp::path!("api" / "rooms" / String).and(warp::delete()).and(asked).and(with_shared).map(
        |room: String, shown, headers, visitor: Visitor, shared: Shared| {
            closed(shared.conversation.rooms().close(asker(&visitor), &room, key(&shown, &headers)))
        },
    );
    list.or(open).unify().or(one).unify().or(stats).unify().or(close).unify()
}

/// What rooms may know of a visitor: whoever may let others into the house may do everything in its rooms. Of those behind Home Assistant's proxy many may have one address.
pub(super) fn asker(visitor: &Visitor) -> Asker {
    let address = Some(visitor.address).filter(|_| !visitor.is_proxied);
    Asker { address, admin: visitor.scopes.contains(Scope::Share) }
}

/// The key of a room's host, if one is shown.
fn key(shown: &Shown, headers: &HeaderMap) -> Option<Key> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    bearer.or(shown.host_id.as_deref()).and_then(Key::of_text)
}

async fn open(wish: Wish, shared: &Shared) -> Response {
    let pin = match wish.pin.filter(|pin| !pin.is_empty()).map(|pin| pin.parse()).transpose() {
        Ok(pin) => pin,
        Err(error) => return sentence(StatusCode::BAD_REQUEST, &error),
    };
    if wish.bitrate.is_some_and(|bitrate| !BITRATES.contains(&bitrate)) {
        return text(StatusCode::BAD_REQUEST, "bitrate is in kbit/s, from 16 to 128");
    }
    match shared.conversation.rooms().open(wish.room_name, wish.kind, pin, wish.max).await {
        Ok((opened, room)) => {
            if let Some(bitrate) = wish.bitrate {
                shared.conversation.relay().set_cap(opened.room, bitrate * 1_000).await;
            }
            let reply = OpenedReply { room_id: &room.id, room_name: &room.name, host_id: opened.key, room: &room };
            warp::reply::with_status(fresh(&reply), StatusCode::CREATED).into_response()
        }
        Err(error @ (OpenError::NoName | OpenError::Size(_))) => sentence(StatusCode::BAD_REQUEST, &error),
        Err(OpenError::TooMany(_)) => unavailable("There are as many rooms as rooms.max allows; close one first"),
        Err(OpenError::Interrupted) => unavailable("The voice relay is shutting down"),
    }
}

async fn look(
    room: &str,
    shown: &Shown,
    headers: &HeaderMap,
    visitor: &Visitor,
    shared: &Shared,
) -> Result<Detail, JoinError> {
    shared.conversation.rooms().detail(asker(visitor), room, shown.pin.as_deref(), key(shown, headers)).await
}

fn told(detail: Result<Detail, JoinError>, reply: impl FnOnce(Detail) -> Response) -> Response {
    match detail {
        Ok(detail) => reply(detail),
        Err(error) => refusal(error),
    }
}

/// Why somebody is not let into a room.
pub(super) fn refusal(error: JoinError) -> Response {
    match error {
        JoinError::NoRoom => no_room(),
        JoinError::TooFast => sentence(StatusCode::TOO_MANY_REQUESTS, &error),
        _ => sentence(StatusCode::FORBIDDEN, &error),
    }
}

fn detail(Detail { room, participants, stats }: Detail) -> Response {
    let Ok(serde_json::Value::Object(mut room)) = serde_json::to_value(listed(room)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    room.remove("participants");
    fresh(&DetailReply { room, participants, stats })
}

fn listed(room: RoomInfo) -> ListedReply {
    ListedReply { guest_count: room.guests, is_live: room.live, room }
}

fn closed(result: Result<(), HostError>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(HostError::NoRoom) => no_room(),
        Err(error) => sentence(StatusCode::FORBIDDEN, &error),
    }
}

pub(super) fn no_room() -> Response {
    text(StatusCode::NOT_FOUND, "There is no such room, or no more; /api/rooms lists those there are")
}

pub(super) fn sentence(status: StatusCode, error: &impl ToString) -> Response {
    warp::reply::with_status(error.to_string(), status).into_response()
}

/// Who is where is known to nobody later.
pub(super) fn fresh(reply: &impl Serialize) -> Response {
    with(warp::reply::json(reply).into_response(), CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
