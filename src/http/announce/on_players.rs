//! Announcements on Home Assistant's media players: what each is given to play, and how far it is.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, Target, Visitor};
use crate::announce::Rendered;
use crate::hass::{ClipProgress, HousePlayers, NewClip, PlayerError};
use crate::players::{ClipId, Outcome, VolumeRule};

use crate::http::Shared;
use crate::http::clips;
use crate::http::reply::{denied, error_response, text, unavailable};

/// Announcements that are over, of which it is still known how they ended; the oldest is forgotten.
const REMEMBERED: usize = 200;

/// Announcements on players. Cheap to clone.
#[derive(Clone, Default)]
pub(in crate::http) struct PlayerAnnouncements(Arc<Mutex<VecDeque<Arc<OnPlayer>>>>);

/// One of them.
pub(super) struct OnPlayer {
    id: Uuid,
    entity: String,
    name: String,
    /// Once the player has it: which clip of the player's it is, and how far.
    placed: OnceLock<(ClipId, watch::Receiver<ClipProgress>)>,
    /// While it is not over.
    rendered: Mutex<Option<Rendered>>,
}

impl PlayerAnnouncements {
    pub(super) fn find(&self, id: Uuid) -> Option<Arc<OnPlayer>> {
        self.lock().iter().find(|one| one.id == id).map(Arc::clone)
    }

    fn add(&self, new: Arc<OnPlayer>) {
        let mut known = self.lock();
        if known.len() >= REMEMBERED
            && let Some(place) = known.iter().position(|one| one.is_over())
        {
            known.remove(place);
        }
        known.push_back(new);
    }

    fn forget(&self, id: Uuid) {
        self.lock().retain(|one| one.id != id);
    }

    /// Whole at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<OnPlayer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnPlayer {
    fn progress(&self) -> ClipProgress {
        self.placed.get().map_or(ClipProgress::Waiting, |(_, progress)| progress.borrow().clone())
    }

    fn is_over(&self) -> bool {
        matches!(self.progress(), ClipProgress::Over(_))
    }

    /// What the player plays, while it may.
    fn file(&self) -> Option<Bytes> {
        self.rendered().as_ref().map(|rendered| rendered.file.clone())
    }

    /// Whole at every moment, also after a panic.
    fn rendered(&self) -> MutexGuard<'_, Option<Rendered>> {
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives its memory back once it is over.
    async fn tidy(self: Arc<Self>) {
        if let Some((_, mut progress)) = self.placed.get().cloned() {
            // Without a player task it is over as well.
            let _ = progress.wait_for(|progress| matches!(progress, ClipProgress::Over(_))).await;
        }
        *self.rendered() = None;
    }

    /// Stops it; false where it is over, or its player cannot be stopped.
    pub(super) async fn stop(&self, permit: &Permit, shared: &Shared) -> bool {
        match (self.placed.get(), shared.house.players(permit)) {
            (Some((clip, _)), Some(players)) => players.stop(&self.entity, *clip).await,
            _ => false,
        }
    }

    /// What is told of it.
    pub(super) fn described(&self) -> Value {
        let length = self.rendered().as_ref().map(|rendered| rendered.length);
        let (state, late, why) = match &self.progress() {
            ClipProgress::Waiting => ("waiting", None, None),
            ClipProgress::Playing(late) => ("playing", Some(late.as_secs_f64()), None),
            ClipProgress::Over(Outcome::Played) => ("played", None, None),
            ClipProgress::Over(Outcome::Stopped) => ("stopped", None, None),
            ClipProgress::Over(Outcome::Failed(why)) => ("failed", None, Some(why.to_string())),
        };
        json!({
            "id": self.id,
            "name": self.name,
            "player": self.entity,
            "state": state,
            "duration": length.map(|length| length.as_secs_f64()),
            "late": late,
            "message": why,
        })
    }
}

/// `/announce/<id>.mp3`, on both ports: what a player was told to play. Nobody can guess the address, which is good as
/// long as the announcement is not over.
pub(in crate::http) fn files(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    warp::path!("announce" / String)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Visitor>())
        .then(move |name: String, method: Method, headers: HeaderMap, visitor: Visitor| {
            let shared = shared.clone();
            async move {
                let permit = match shared.authorize(&visitor, Action::SeePage, Target::House).await {
                    Ok(permit) => permit,
                    Err(refusal) => return denied(&refusal),
                };
                let id = name.strip_suffix(".mp3").and_then(|id| Uuid::try_parse(id).ok());
                let found = id.and_then(|id| shared.house.player_announcements(&permit).find(id));
                match found.and_then(|one| Some((one.id, one.file()?))) {
                    Some((id, file)) => clips::file(file, id, method == Method::HEAD, &headers),
                    None => text(StatusCode::NOT_FOUND, "There is no such announcement, or it is over"),
                }
            }
        })
}

/// Has a player announce what was rendered; gives the answer.
pub(super) async fn announce(
    permit: &Permit,
    (entity, name): (&str, String),
    rendered: Rendered,
    volume: Option<u8>,
    shared: &Shared,
) -> Result<Response, Response> {
    let players = players(permit, shared).map_err(|error| refused(&error))?;
    let id = Uuid::new_v4();
    let url = format!("http://{}:{}/announce/{id}.mp3", host(shared).await?, shared.mp3_port);
    let volume = volume.map_or(VolumeRule::Keep, |percent| VolumeRule::Absolute(f32::from(percent) / 100.0));
    let clip = NewClip { url, length: Some(rendered.length), volume };
    let entity = entity.to_owned();
    let new = Arc::new(OnPlayer { id, entity, name, placed: OnceLock::new(), rendered: Mutex::new(Some(rendered)) });
    // Before the player is told, which may ask for it at once.
    let announcements = shared.house.player_announcements(permit);
    announcements.add(Arc::clone(&new));
    match players.announce(&new.entity, clip).await {
        Ok(placed) => {
            new.placed.set(placed).expect("it is placed once");
            shared.tracker.spawn(new.tidy());
        }
        Err(error) => {
            announcements.forget(id);
            return Err(refused(&error));
        }
    }
    let reply = warp::reply::json(&json!({ "id": id, "position": 0 }));
    Ok(warp::reply::with_status(reply, StatusCode::ACCEPTED).into_response())
}

/// The players, or why there are none.
pub(super) fn players<'a>(permit: &Permit, shared: &'a Shared) -> Result<&'a HousePlayers, PlayerError> {
    shared.house.players(permit).ok_or(PlayerError::Unlinked)
}

/// Where players find this machine: players know no names, and not what is local here alone.
async fn host(shared: &Shared) -> Result<IpAddr, Response> {
    let addresses = shared.relay.addresses().await.unwrap_or_default();
    let hosts = || addresses.iter().map(SocketAddr::ip);
    let own = hosts().find(|host| host.is_ipv4() && !host.is_loopback()).or_else(|| hosts().next());
    own.ok_or_else(|| unavailable("This machine has no address under which a player could find it"))
}

pub(super) fn refused(error: &PlayerError) -> Response {
    let status = match error {
        PlayerError::Unknown(_) | PlayerError::Unlinked => StatusCode::NOT_FOUND,
        PlayerError::Full(_) | PlayerError::Away => StatusCode::SERVICE_UNAVAILABLE,
    };
    error_response(status, error)
}
