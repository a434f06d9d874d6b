//! `/api/announce`: recordings that are to be heard in a room: files of the library, or what is sent along.

mod on_players;
mod views;

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, pin_mut};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use warp::http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS};
use warp::http::{HeaderValue, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, Target, Visitor};
use crate::announce::{
    AnnounceError, AnnounceRequest, Announcement, AnnouncementId, KnownAnnouncement, Priority, REPEATS, VOLUMES,
};
use crate::library::{FileId, OpenError, Recording};
use crate::limits::Place;
use crate::rooms::clean_name;

use super::Shared;
use super::reply::{RETRY_SECONDS, denied, error_response, no_room, no_store, text, unavailable, with};

use on_players::OnPlayer;
pub(super) use on_players::PlayerAnnouncements;
pub(super) use on_players::files;
pub(super) use views::encode;
use views::{described, living};

/// Bytes of a request that names a file.
const MAX_BODY: u64 = 4_096;

/// What our own addresses of files begin with.
const FILES: &str = "api/files/";

/// How something is called that came without a name.
const NAMELESS: &str = "Announcement";

/// How something is to be announced.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manner {
    /// The room's id, where it is to be heard in a room.
    room: Option<String>,
    /// The entity of Home Assistant's, where it is to be heard on a media player.
    player: Option<String>,
    /// How loud the player is to be meanwhile, in percent; without it, as it is.
    player_volume: Option<u8>,
    /// What is announced: a file's id, its name, or its address here. Not with a recording that is sent along.
    file: Option<String>,
    /// How people call it, if not by the file's name.
    name: Option<String>,
    /// What is heard before: likewise a file.
    chime: Option<String>,
    /// In decibels.
    #[serde(default)]
    volume: f32,
    #[serde(default = "once")]
    repeat: u32,
    #[serde(default)]
    priority: Priority,
}

fn once() -> u32 {
    1
}

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
        .then(async |visitor, shared, manner| answered(announce_file(&visitor, manner, &shared).await));
    let clip = warp::path!("api" / "announce" / "clip")
        .and(warp::post())
        .and(visitor)
        .and(with_shared.clone())
        .and(warp::query())
        .and(warp::header("content-length"))
        .and(warp::body::stream())
        .then(async |visitor, shared, manner, length, body| {
            answered(announce_clip(&visitor, manner, length, body, &shared).await)
        });
    let one = warp::path!("api" / "announce" / Uuid).and(visitor).and(with_shared);
    let look = one.clone().and(warp::get()).then(async |id, visitor, shared| {
        if let Some((on_player, _)) = find_on_player(id, &visitor, Action::ListPlayers, &shared).await {
            return no_store(&on_player.described());
        }
        let found = find(id, &visitor, Action::SeeAnnouncements, &shared).await;
        found.map_or_else(|refusal| refusal, |(known, _)| no_store(&described(id, &known, &shared)))
    });
    let stop = one.and(warp::delete()).then(async |id, visitor, shared| answered(stop(id, &visitor, &shared).await));
    // Cards on a dashboard of another origin ask before they may (CORS); which origins may is the gate's to say.
    let preflight = warp::path!("api" / "announce" / ..).and(warp::options()).map(preflight);
    list.or(preflight).unify().or(file).unify().or(clip).unify().or(look).unify().or(stop).unify()
}

fn preflight() -> Response {
    [(ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"), (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type")]
        .into_iter()
        .fold(StatusCode::NO_CONTENT.into_response(), |reply, (name, value)| {
            with(reply, name, HeaderValue::from_static(value))
        })
}

fn answered(result: Result<Response, Response>) -> Response {
    result.unwrap_or_else(|refusal| refusal)
}

async fn announce_file(visitor: &Visitor, manner: Manner, shared: &Shared) -> Result<Response, Response> {
    let permit = enter(&manner, visitor, shared).await?;
    let Some(file) = &manner.file else {
        return Err(text(StatusCode::BAD_REQUEST, "file names what is to be heard: the id, name or address of a file"));
    };
    let (recording, called) = recording(file, &permit, shared).await?;
    announce(permit, manner, recording, &called, None, shared).await
}

async fn announce_clip<B: Buf>(
    visitor: &Visitor,
    manner: Manner,
    length: u64,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Response, Response> {
    let permit = enter(&manner, visitor, shared).await?;
    if manner.file.is_some() {
        return Err(text(StatusCode::BAD_REQUEST, "The recording is the body here; /api/announce takes a file"));
    }
    // Before anything is read: what comes is in memory.
    let memory = shared.house.announcer(&permit).reserve(&permit, length).map_err(refused)?;
    let bytes = read(body, length).await?;
    let recording = Recording::of_bytes(&bytes).map_err(|_| unavailable("There is no memory for the recording"))?;
    announce(permit, manner, recording, NAMELESS, Some(memory), shared).await
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

async fn announce(
    permit: Permit,
    manner: Manner,
    recording: Recording,
    called: &str,
    memory: Option<Place>,
    shared: &Shared,
) -> Result<Response, Response> {
    let Manner { player, player_volume, volume, repeat, priority, name, chime, .. } = manner;
    if player_volume.is_some_and(|percent| percent > 100) {
        return Err(text(StatusCode::BAD_REQUEST, "player_volume is a percentage, from 0 to 100"));
    }
    if !VOLUMES.contains(&volume) || !REPEATS.contains(&repeat) {
        return Err(text(StatusCode::BAD_REQUEST, "volume is decibels, from -60 to 20; repeat is 1 to 10"));
    }
    let chime = match chime.filter(|chime| !chime.is_empty()) {
        Some(chime) => Some(self::recording(&chime, &permit, shared).await?.0),
        None => None,
    };
    let name = clean_name(name.as_deref().unwrap_or(called));
    let name = Some(name).filter(|name| !name.is_empty()).unwrap_or_else(|| NAMELESS.into());
    let announcer = shared.house.announcer(&permit).clone();
    if let Some(player) = player {
        let rendered = announcer.render(&permit, (chime, recording), repeat, volume).await.map_err(refused)?;
        return on_players::announce(&permit, (&player, name), rendered, player_volume, shared).await;
    }
    let request = AnnounceRequest { permit, name, recording, chime, volume, repeat, priority, memory };
    let (id, position) = announcer.announce(request).await.map_err(refused)?;
    let reply = warp::reply::json(&json!({ "id": id, "position": position }));
    Ok(warp::reply::with_status(reply, StatusCode::ACCEPTED).into_response())
}

/// The file that is meant, by its id, its name, or its address here; and how people call it.
async fn recording(file: &str, permit: &Permit, shared: &Shared) -> Result<(Recording, String), Response> {
    let catalogue = &shared.house.files(permit).catalogue;
    let plain = file.strip_prefix('/').unwrap_or(file);
    let id = match plain.strip_prefix(FILES) {
        Some(id) => id.parse().ok(),
        None => catalogue.called(file).or_else(|| file.parse::<FileId>().ok()),
    };
    let known = id.and_then(|id| Some((id, catalogue.find(id)?)));
    let Some((id, facts)) = known else {
        let missing = format!("There is no file {file:?}; /api/files lists those there are");
        return Err(error_response(StatusCode::NOT_FOUND, &missing));
    };
    let open = catalogue.open(id).await;
    let open = open.map_err(|error| {
        let status = match error {
            OpenError::Damaged => StatusCode::UNPROCESSABLE_ENTITY,
            OpenError::Unreadable(_) => StatusCode::SERVICE_UNAVAILABLE,
            OpenError::Unknown | OpenError::Gone | OpenError::Outside => StatusCode::NOT_FOUND,
        };
        error_response(status, &format!("{}: {error}", facts.name))
    })?;
    let stem = facts.name.rsplit('/').next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem).to_owned();
    Ok((Recording::of(open), facts.title.unwrap_or(stem)))
}

/// The permit for where it is to be heard: a room, if this visitor may be heard there without having joined it; or a player.
async fn enter(manner: &Manner, visitor: &Visitor, shared: &Shared) -> Result<Permit, Response> {
    let slug = match (&manner.room, &manner.player) {
        (Some(room), None) => room,
        (None, Some(_)) => {
            let entered = shared.authorize(visitor, Action::AnnounceOnPlayer, Target::House).await;
            let permit = entered.map_err(|refusal| denied(&refusal))?;
            // Before anything is read or made for nobody.
            on_players::players(&permit, shared).map_err(|error| on_players::refused(&error))?;
            return Ok(permit);
        }
        _ => return Err(text(StatusCode::BAD_REQUEST, "Say where: either room, by its id, or player, by its entity")),
    };
    let room = shared.bridge.rooms().find(slug).ok_or_else(no_room)?;
    let entered = shared.authorize(visitor, Action::Announce, Target::room(room)).await;
    entered.map_err(|refusal| denied(&refusal))
}

fn refused(error: AnnounceError) -> Response {
    let status = match &error {
        AnnounceError::Broken(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AnnounceError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        AnnounceError::NotPermitted => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let reply = error_response(status, &error);
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

/// What is known of one that this visitor may know of, or do this with: of those in rooms that are no more, nobody.
async fn find(
    id: Uuid,
    visitor: &Visitor,
    action: Action,
    shared: &Shared,
) -> Result<(KnownAnnouncement, Permit), Response> {
    let unknown = || text(StatusCode::NOT_FOUND, "There is no such announcement, or it is over");
    // Whose it is, is known by the room that it is in: of all rooms in which they could be heard.
    let rooms = shared.bridge.rooms();
    for room in rooms.list().iter().filter_map(|room| rooms.find(&room.id)) {
        let Ok(permit) = shared.access().authorize(visitor, action, Target::room(room)).await else { continue };
        let known = shared.house.announcer(&permit).find(AnnouncementId(id));
        if let Some(known) = known.filter(|known| known.room() == room) {
            return Ok((known, permit));
        }
    }
    Err(unknown())
}

/// The same of one on a player.
async fn find_on_player(
    id: Uuid,
    visitor: &Visitor,
    action: Action,
    shared: &Shared,
) -> Option<(Arc<OnPlayer>, Permit)> {
    let permit = shared.authorize(visitor, action, Target::House).await.ok()?;
    shared.house.player_announcements(&permit).find(id).map(|found| (found, permit))
}

async fn stop(id: Uuid, visitor: &Visitor, shared: &Shared) -> Result<Response, Response> {
    if let Some((on_player, permit)) = find_on_player(id, visitor, Action::AnnounceOnPlayer, shared).await {
        return match on_player.stop(&permit, shared).await {
            true => Ok(StatusCode::NO_CONTENT.into_response()),
            false => {
                Err(text(StatusCode::CONFLICT, "It is over, or its player announces by itself and cannot be stopped"))
            }
        };
    }
    let (_, permit) = find(id, visitor, Action::Announce, shared).await?;
    match shared.house.announcer(&permit).stop(AnnouncementId(id)) {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(text(StatusCode::NOT_FOUND, "There is no such announcement, or it is over")),
    }
}
