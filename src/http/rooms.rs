//! `/api/rooms`: the rooms of the house, for programs. Talking in them is signalling's.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use warp::http::header::AUTHORIZATION;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{self, Action, Target, Visitor};
use crate::rooms::{
    Detail, HostError, ListenerInfo, OpenRoomError, ParticipantInfo, ParticipantKey, RoomInfo, RoomKind,
    RoomOptionsChange, SetRoomOptionsError, StatsInfo,
};

use super::Shared;
use super::reply::{denied, error_response, no_room, no_store, text, unavailable};

/// Bytes of a request.
const MAX_BODY: u64 = 1_024;

/// A room to be opened.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreateRoomRequest {
    room_name: String,
    #[serde(default)]
    kind: RoomKind,
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
struct CredentialsQuery {
    pin: Option<String>,
    host_id: Option<String>,
}

/// A room that was opened. It is told once: with the key one is the host.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OpenedReply<'a> {
    room_id: &'a str,
    room_name: &'a str,
    host_id: ParticipantKey,
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
    /// Who hears without having joined: the first of them.
    #[serde(rename = "heardBy")]
    listeners: Vec<ListenerInfo>,
    stats: StatsInfo,
}

/// All of `/api/rooms`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let visitor = warp::ext::get::<Visitor>();
    let list = warp::path!("api" / "rooms")
        .and(warp::get())
        .and(visitor)
        .and(with_shared.clone())
        .then(async |visitor: Visitor, shared: Shared| list(&visitor, &shared).await);
    let open = warp::path!("api" / "rooms")
        .and(warp::post())
        .and(visitor)
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(with_shared.clone())
        .then(async |visitor: Visitor, request: CreateRoomRequest, shared: Shared| {
            open(request, &visitor, &shared).await
        });
    let credentials = warp::query::<CredentialsQuery>().and(warp::header::headers_cloned()).and(visitor);
    let one = warp::path!("api" / "rooms" / String).and(warp::get()).and(credentials).and(with_shared.clone()).then(
        async |room: String, shown, headers, visitor: Visitor, shared: Shared| {
            look(&room, &shown, &headers, &visitor, &shared).await.map_or_else(|refusal| refusal, detail)
        },
    );
    let stats = warp::path!("api" / "rooms" / String / "stats")
        .and(warp::get())
        .and(credentials)
        .and(with_shared.clone())
        .then(async |room: String, shown, headers, visitor: Visitor, shared: Shared| {
            let looked = look(&room, &shown, &headers, &visitor, &shared).await;
            looked.map_or_else(|refusal| refusal, |detail| no_store(&detail.stats))
        });
    let close =
        warp::path!("api" / "rooms" / String).and(warp::delete()).and(credentials).and(with_shared.clone()).then(
            async |room: String, shown: CredentialsQuery, headers, visitor: Visitor, shared: Shared| {
                close(&room, key(&shown, &headers), &visitor, &shared).await
            },
        );
    let choose = warp::path!("api" / "rooms" / String / "options")
        .and(warp::put())
        .and(visitor)
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(with_shared.clone())
        .then(async |room: String, visitor: Visitor, change: RoomOptionsChange, shared: Shared| {
            choose(room, change, &visitor, &shared).await
        });
    list.or(open).unify().or(one).unify().or(stats).unify().or(choose).unify().or(close).unify()
}

/// Whoever is for one room is told of that one.
async fn list(visitor: &Visitor, shared: &Shared) -> Response {
    if let Err(refusal) = shared.authorize(visitor, Action::ListRooms, Target::House).await {
        return denied(&refusal);
    }
    let rooms = shared.bridge.rooms().list().into_iter().filter(|room| visitor.may_enter(&room.id));
    no_store(&serde_json::json!({ "rooms": rooms.map(listed).collect::<Vec<_>>() }))
}

async fn choose(room: String, change: RoomOptionsChange, visitor: &Visitor, shared: &Shared) -> Response {
    let permit = match shared.authorize(visitor, Action::SetRoomOptions, Target::House).await {
        Ok(permit) => permit,
        Err(refusal) => return denied(&refusal),
    };
    let keeper = shared.house.room_options(&permit).clone();
    let chosen = tokio::task::spawn_blocking(move || keeper.set(&room, change)).await;
    match chosen.unwrap_or_else(|panicked| Err(SetRoomOptionsError::Unwritable(panicked.into()))) {
        Ok(options) => no_store(&options).into_response(),
        Err(SetRoomOptionsError::NoRoom) => no_room(),
        Err(error @ SetRoomOptionsError::Unwritable(_)) => error_response(StatusCode::SERVICE_UNAVAILABLE, &error),
    }
}

async fn close(room: &str, key: Option<ParticipantKey>, visitor: &Visitor, shared: &Shared) -> Response {
    let rooms = shared.bridge.rooms();
    let Some(id) = rooms.find(room) else { return no_room() };
    match shared
        .authorize(visitor, Action::CloseRoom, Target::Room(id, access::RoomCredentials { pin: None, key }))
        .await
    {
        Ok(_) => closed(rooms.close(visitor.asker(), room, key)),
        Err(refusal) => denied(&refusal),
    }
}

/// The key of a room's host, if one is shown.
fn key(shown: &CredentialsQuery, headers: &HeaderMap) -> Option<ParticipantKey> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    bearer.or(shown.host_id.as_deref()).and_then(ParticipantKey::of_text)
}

async fn open(request: CreateRoomRequest, visitor: &Visitor, shared: &Shared) -> Response {
    if let Err(refusal) = shared.authorize(visitor, Action::OpenRoom, Target::House).await {
        return denied(&refusal);
    }
    let pin = match request.pin.filter(|pin| !pin.is_empty()).map(|pin| pin.parse()).transpose() {
        Ok(pin) => pin,
        Err(error) => return error_response(StatusCode::BAD_REQUEST, &error),
    };
    if request.bitrate.is_some_and(|bitrate| !BITRATES.contains(&bitrate)) {
        return text(StatusCode::BAD_REQUEST, "bitrate is in kbit/s, from 16 to 128");
    }
    match shared.bridge.rooms().open(request.room_name, request.kind, pin, request.max, Some(visitor.owner())).await {
        Ok((opened, room)) => {
            if let Some(bitrate) = request.bitrate {
                shared.bridge.relay().set_cap(opened.room, bitrate * 1_000).await;
            }
            let reply = OpenedReply { room_id: &room.id, room_name: &room.name, host_id: opened.key, room: &room };
            warp::reply::with_status(no_store(&reply), StatusCode::CREATED).into_response()
        }
        Err(error @ (OpenRoomError::NoName | OpenRoomError::Size(_))) => {
            error_response(StatusCode::BAD_REQUEST, &error)
        }
        Err(OpenRoomError::TooMany(_)) => unavailable("There are as many rooms as rooms.max allows; close one first"),
        Err(OpenRoomError::TooManyOfOne(_)) => {
            unavailable("This address has as many rooms open as limits.share leaves to one; close one of them first")
        }
        Err(OpenRoomError::Interrupted) => unavailable("The voice relay is shutting down"),
    }
}

async fn look(
    room: &str,
    shown: &CredentialsQuery,
    headers: &HeaderMap,
    visitor: &Visitor,
    shared: &Shared,
) -> Result<Detail, Response> {
    let rooms = shared.bridge.rooms();
    let id = rooms.find(room).ok_or_else(no_room)?;
    let shown = access::RoomCredentials { pin: shown.pin.as_deref(), key: key(shown, headers) };
    let looked = shared.authorize(visitor, Action::Look, Target::Room(id, shown)).await;
    looked.map_err(|refusal| denied(&refusal))?;
    rooms.detail(id).ok_or_else(no_room)
}

fn detail(Detail { room, participants, listeners, stats }: Detail) -> Response {
    let Ok(serde_json::Value::Object(mut room)) = serde_json::to_value(listed(room)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    room.remove("participants");
    no_store(&DetailReply { room, participants, listeners, stats })
}

fn listed(room: RoomInfo) -> ListedReply {
    ListedReply { guest_count: room.guests, is_live: room.live, room }
}

fn closed(result: Result<(), HostError>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(HostError::NoRoom) => no_room(),
        Err(error) => error_response(StatusCode::FORBIDDEN, &error),
    }
}
