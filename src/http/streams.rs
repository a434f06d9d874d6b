//! `/stream/…`: live streams as MP3 over chunked HTTP, for any player that can be given a URL.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use sync_wrapper::SyncStream;
use warp::http::header::{ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::http::{Method, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::audio::{Listener, Silence};
use crate::config::WhenIdle;

use super::Shared;
use super::reply::{fresh_html, text, unavailable, with};

/// For a person who opens `latest.mp3` before anybody speaks: it begins to play by itself.
const WAITING_PAGE: &str = include_str!("waiting.html");

/// `/stream/status`, `/stream/latest.mp3` and `/stream/<id>.mp3`; the same on both ports.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let status = warp::path!("stream" / "status").and(warp::get()).and(with_shared.clone()).map(|shared: Shared| {
        let status = warp::reply::json(&json!({ "active_streams": *shared.relay.streams() })).into_response();
        with(status, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
    });
    let live = warp::path!("stream" / String)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::method())
        .and(warp::header::optional("accept"))
        .and(with_shared)
        .then(|file: String, method: Method, accept: Option<String>, shared: Shared| async move {
            let asked = Asked { head: method == Method::HEAD, html: accept.is_some_and(|it| it.contains("text/html")) };
            live(&file, asked, &shared).await
        });
    status.or(live).unify()
}

/// How the client asked.
#[derive(Clone, Copy)]
struct Asked {
    /// For the headers alone.
    head: bool,
    /// As browsers do that navigate: by the name of HTML, which players do not use.
    html: bool,
}

async fn live(file: &str, asked: Asked, shared: &Shared) -> Response {
    let streams = shared.relay.streams();
    let wanted = match file.strip_suffix(".mp3") {
        Some("latest") => None,
        Some(name) => match name.parse().ok().filter(|id| streams.contains(id)) {
            Some(id) => Some(id),
            None => {
                return text(StatusCode::NOT_FOUND, "There is no such stream; /stream/status lists those there are");
            }
        },
        None => return text(StatusCode::NOT_FOUND, "Ask for /stream/latest.mp3 or /stream/<stream_id>.mp3"),
    };
    if streams.is_empty() && asked.html {
        return fresh_html(WAITING_PAGE);
    }
    if streams.is_empty() && shared.when_idle == WhenIdle::Unavailable {
        return unavailable("Nobody speaks just now");
    }
    if asked.head {
        return mp3(stream::empty(), shared);
    }
    if shared.is_full_of_listeners() {
        return unavailable("Too many players listen at once; limits.mp3_listeners sets how many may");
    }
    match wanted {
        None => mp3(Playback::latest(shared).into_frames(), shared),
        Some(id) => match shared.mounts.listen(id).await {
            Some(listener) => mp3(Playback::Playing(listener).into_frames(), shared),
            None => text(StatusCode::NOT_FOUND, "The stream has just ended"),
        },
    }
}

/// A live MP3: no length, no ranges, never cached; it ends when the frames do, or the daemon.
fn mp3(frames: impl Stream<Item = Bytes> + Send + 'static, shared: &Shared) -> Response {
    let frames = frames.take_until(shared.shutdown.clone().cancelled_owned()).map(Ok::<_, Infallible>);
    [
        (CONTENT_TYPE, "audio/mpeg"),
        (CACHE_CONTROL, "no-store"),
        (ACCEPT_RANGES, "none"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ]
    .into_iter()
    .fold(warp::reply::stream(SyncStream::new(frames)).into_response(), |reply, (name, value)| {
        with(reply, name, HeaderValue::from_static(value))
    })
}

/// What a player hears: silence until somebody speaks, then that stream to its end.
enum Playback {
    Waiting { silence: Silence, shared: Shared },
    Playing(Listener),
}

impl Playback {
    fn latest(shared: &Shared) -> Self {
        Self::Waiting { silence: shared.mounts.silence(), shared: shared.clone() }
    }

    fn into_frames(self) -> impl Stream<Item = Bytes> + Send {
        stream::unfold(self, async |mut playback| playback.next().await.map(|frames| (frames, playback)))
    }

    /// Some whole frames; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self {
                Self::Playing(listener) => return listener.next_frames().await,
                Self::Waiting { silence, shared } => match newest(shared).await {
                    Some(listener) => *self = Self::Playing(listener),
                    None => return Some(silence.next_frame().await),
                },
            }
        }
    }
}

/// Joins the listeners of whoever began to speak last, if anybody speaks.
async fn newest(shared: &Shared) -> Option<Listener> {
    let newest = shared.relay.streams().last().copied();
    shared.mounts.listen(newest?).await
}
