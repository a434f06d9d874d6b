//! `/api/announce`: recordings that are to be heard in a room: files of the library, or what is sent along.

mod told;

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, pin_mut};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::announce::{
    AnnounceError, Announcement, AnnouncementId, Known, Priority, REPEATS, Reservation, VOLUMES, Wish,
};
use crate::domain::RoomId;
use crate::library::{FileId, OpenError, Recording};
use crate::rooms::clean_name;

use super::Shared;
use super::access::{Scope, Visitor};
use super::reply::{RETRY_SECONDS, text, with};
use super::rooms::{fresh, no_room, sentence};

use told::{described, living};

pub(super) use told::encode;

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
    /// The room's id.
    room: String,
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

/// Why somebody may not announce in a room, or not know of an announcement.
enum Refusal {
    NoRoom,
    OtherRoom,
    NotOpen,
    Unknown,
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoRoom => no_room(),
            Refusal::OtherRoom => text(StatusCode::FORBIDDEN, "This link is for another room"),
            Refusal::NotOpen => text(
                StatusCode::FORBIDDEN,
                "This room has a PIN, is locked, or is a broadcast: only a token with the right share announces there",
            ),
            Refusal::Unknown => text(StatusCode::NOT_FOUND, "There is no such announcement, or it is over"),
        }
    }
}

/// `/api/announce` and what is below it.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let visitor = warp::ext::get::<Visitor>();
    let base = warp::path!("api" / "announce").and(visitor).and(with_shared.clone());
    let list = base.clone().and(warp::get()).map(|visitor: Visitor, shared: Shared| list(&visitor, &shared));
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
    let look =
        one.clone().and(warp::get()).map(|id, visitor: Visitor, shared: Shared| match find(id, &visitor, &shared) {
            Ok(known) => fresh(&described(id, &known, &shared)),
            Err(refusal) => refusal.into(),
        });
    let stop = one.and(warp::delete()).map(|id, visitor: Visitor, shared: Shared| match stop(id, &visitor, &shared) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into(),
    });
    list.or(file).unify().or(clip).unify().or(look).unify().or(stop).unify()
}

fn answered(result: Result<Response, Response>) -> Response {
    result.unwrap_or_else(|refusal| refusal)
}

async fn announce_file(visitor: &Visitor, manner: Manner, shared: &Shared) -> Result<Response, Response> {
    let room = enter(&manner.room, visitor, shared)?;
    let Some(file) = &manner.file else {
        return Err(text(StatusCode::BAD_REQUEST, "file names what is to be heard: the id, name or address of a file"));
    };
    let (recording, called) = recording(file, shared).await?;
    announce(room, manner, recording, &called, None, shared).await
}

async fn announce_clip<B: Buf>(
    visitor: &Visitor,
    manner: Manner,
    length: u64,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Response, Response> {
    let room = enter(&manner.room, visitor, shared)?;
    if manner.file.is_some() {
        return Err(text(StatusCode::BAD_REQUEST, "The recording is the body here; /api/announce takes a file"));
    }
    // Before anything is read: what comes is in memory.
    let memory = shared.announcer.reserve(length).map_err(refused)?;
    let bytes = read(body, length).await?;
    announce(room, manner, Recording::Clip(bytes), NAMELESS, Some(memory), shared).await
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
    room: RoomId,
    manner: Manner,
    recording: Recording,
    called: &str,
    memory: Option<Reservation>,
    shared: &Shared,
) -> Result<Response, Response> {
    let Manner { volume, repeat, priority, name, chime, .. } = manner;
    if !VOLUMES.contains(&volume) || !REPEATS.contains(&repeat) {
        return Err(text(StatusCode::BAD_REQUEST, "volume is decibels, from -60 to 20; repeat is 1 to 10"));
    }
    let chime = match chime.filter(|chime| !chime.is_empty()) {
        Some(chime) => Some(self::recording(&chime, shared).await?.0),
        None => None,
    };
    let name = clean_name(name.as_deref().unwrap_or(called));
    let name = Some(name).filter(|name| !name.is_empty()).unwrap_or_else(|| NAMELESS.into());
    let wish = Wish { room, name, recording, chime, volume, repeat, priority, memory };
    let (id, position) = shared.announcer.announce(wish).await.map_err(refused)?;
    let reply = warp::reply::json(&json!({ "id": id, "position": position }));
    Ok(warp::reply::with_status(reply, StatusCode::ACCEPTED).into_response())
}

/// The file that is meant, by its id, its name, or its address here; and how people call it.
async fn recording(file: &str, shared: &Shared) -> Result<(Recording, String), Response> {
    let catalogue = &shared.files.catalogue;
    let plain = file.strip_prefix('/').unwrap_or(file);
    let id = match plain.strip_prefix(FILES) {
        Some(id) => id.parse().ok(),
        None => catalogue.called(file).or_else(|| file.parse::<FileId>().ok()),
    };
    let known = id.and_then(|id| Some((id, catalogue.find(id)?)));
    let Some((id, facts)) = known else {
        let missing = format!("There is no file {file:?}; /api/files lists those there are");
        return Err(sentence(StatusCode::NOT_FOUND, &missing));
    };
    let open = catalogue.open(id).await;
    let open = open.map_err(|error| {
        let status = match error {
            OpenError::Damaged => StatusCode::UNPROCESSABLE_ENTITY,
            OpenError::Unreadable(_) => StatusCode::SERVICE_UNAVAILABLE,
            OpenError::Unknown | OpenError::Gone | OpenError::Outside => StatusCode::NOT_FOUND,
        };
        sentence(status, &format!("{}: {error}", facts.name))
    })?;
    let stem = facts.name.rsplit('/').next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem).to_owned();
    Ok((Recording::of(open), facts.title.unwrap_or(stem)))
}

/// The room of this id, if this visitor may be heard there without having joined it.
fn enter(slug: &str, visitor: &Visitor, shared: &Shared) -> Result<RoomId, Refusal> {
    let room = shared.conversation.rooms().find(slug).ok_or(Refusal::NoRoom)?;
    may_announce(room, visitor, shared).map(|()| room)
}

fn may_announce(room: RoomId, visitor: &Visitor, shared: &Shared) -> Result<(), Refusal> {
    let rooms = shared.conversation.rooms();
    if !rooms.slug(room).is_some_and(|slug| visitor.may_enter(&slug)) {
        return Err(Refusal::OtherRoom);
    }
    let may = rooms.is_open(room) || visitor.scopes.contains(Scope::Share);
    may.then_some(()).ok_or(Refusal::NotOpen)
}

fn refused(error: AnnounceError) -> Response {
    let status = match &error {
        AnnounceError::Broken(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AnnounceError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let reply = sentence(status, &error);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return with(reply, warp::http::header::RETRY_AFTER, RETRY_SECONDS);
    }
    reply
}

/// Of the rooms in which this visitor may announce something, those where something plays.
fn list(visitor: &Visitor, shared: &Shared) -> Response {
    let rooms = shared.announcer.list().into_iter().filter(|(room, _)| may_announce(*room, visitor, shared).is_ok());
    let rooms = rooms.filter_map(|(room, line)| {
        let described = |(place, one): (usize, &Arc<Announcement>)| living(one, place);
        let mut line: Vec<_> = line.iter().enumerate().map(described).collect();
        let playing = line.remove(0);
        Some(json!({ "room": shared.conversation.rooms().slug(room)?, "playing": playing, "waiting": line }))
    });
    fresh(&json!({ "rooms": rooms.collect::<Vec<_>>() }))
}

/// What is known of one that this visitor may know of: of those in rooms that are no more, nobody.
fn find(id: Uuid, visitor: &Visitor, shared: &Shared) -> Result<Known, Refusal> {
    let known = shared.announcer.find(AnnouncementId(id)).ok_or(Refusal::Unknown)?;
    may_announce(known.room(), visitor, shared).map(|()| known).map_err(|_| Refusal::Unknown)
}

fn stop(id: Uuid, visitor: &Visitor, shared: &Shared) -> Result<(), Refusal> {
    find(id, visitor, shared)?;
    shared.announcer.stop(AnnouncementId(id)).then_some(()).ok_or(Refusal::Unknown)
}
