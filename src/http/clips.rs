//! `/clip/…`: what was said, as finished files with a length, for players that want one; and
//! `/api/clips`, which lists them.

use std::ops::{Bound, Range};
use std::time::SystemTime;

use bytes::Bytes;
use headers::{ETag, Header, HeaderMapExt, IfNoneMatch, IfRange};
use serde_json::json;
use uuid::Uuid;
use warp::http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::live::Clip;

use crate::access::{Action, Permit, Target, Visitor};

use super::Shared;
use super::reply::{cross_origin, denied, text, with};

/// `/clip/latest.mp3` and `/clip/<id>.mp3`; the same on both ports.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let options = warp::path!("clip" / String).and(warp::options()).map(|_| cross_origin(StatusCode::NO_CONTENT));
    let clip = warp::path!("clip" / String)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Visitor>())
        .then(move |name: String, method: Method, headers: HeaderMap, visitor: Visitor| {
            let shared = shared.clone();
            async move {
                match shared.authorize(&visitor, Action::ReadClips, Target::House).await {
                    Ok(permit) => clip(&name, method == Method::HEAD, &headers, &permit, &shared).await,
                    Err(refusal) => denied(&refusal),
                }
            }
        });
    options.or(clip).unify()
}

/// `GET /api/clips` lists them, newest first; `DELETE /api/clips/<id>` forgets one.
pub(super) fn api(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let with_shared = warp::any().map(move || shared.clone());
    let visitor = warp::ext::get::<Visitor>();
    let list = warp::path!("api" / "clips")
        .and(warp::get())
        .and(visitor)
        .and(with_shared.clone())
        .then(async |visitor: Visitor, shared: Shared| list(&visitor, &shared).await);
    let remove = warp::path!("api" / "clips" / Uuid)
        .and(warp::delete())
        .and(visitor)
        .and(with_shared)
        .then(async |id, visitor: Visitor, shared: Shared| remove(id, &visitor, &shared).await);
    list.or(remove).unify()
}

async fn list(visitor: &Visitor, shared: &Shared) -> Response {
    let permit = match shared.authorize(visitor, Action::ReadClips, Target::House).await {
        Ok(permit) => permit,
        Err(refusal) => return denied(&refusal),
    };
    let clips: Vec<_> = shared.house.clips(&permit).list().iter().rev().map(|clip| describe(clip)).collect();
    warp::reply::json(&json!({ "clips": clips })).into_response()
}

async fn remove(id: Uuid, visitor: &Visitor, shared: &Shared) -> Response {
    match shared.authorize(visitor, Action::DeleteClip, Target::House).await {
        Err(refusal) => denied(&refusal),
        Ok(permit) if shared.house.clips(&permit).remove(id) => StatusCode::NO_CONTENT.into_response(),
        Ok(_) => none(),
    }
}

fn describe(clip: &Clip) -> serde_json::Value {
    let began = clip.began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    json!({
        "id": clip.id,
        "url": format!("/clip/{}.mp3", clip.id),
        "stream_id": clip.stream,
        "began": began.as_secs_f64(),
        "seconds": clip.duration.as_secs_f64(),
    })
}

fn none() -> Response {
    text(StatusCode::NOT_FOUND, "There is no such clip, or no more; /api/clips lists those there are")
}

async fn clip(name: &str, head: bool, headers: &HeaderMap, permit: &Permit, shared: &Shared) -> Response {
    let id = match name.strip_suffix(".mp3") {
        Some("latest") => Some(None),
        Some(id) => id.parse().ok().map(Some),
        None => None,
    };
    let Some(clip) = id.and_then(|id| shared.house.clips(permit).find(id)) else { return none() };
    file(shared.house.clips(permit).file(&clip).await, clip.id, head, headers)
}

/// A file, or the part that is asked for (RFC 9110 13 and 14).
pub(super) fn file(file: Bytes, id: Uuid, head: bool, headers: &HeaderMap) -> Response {
    let tag = HeaderValue::try_from(format!("\"{id}\"")).expect("a uuid in quotes is plain ASCII");
    let parsed = ETag::decode(&mut std::iter::once(&tag)).expect("a quoted word is a tag");
    let reply = with(cross_origin(StatusCode::OK), ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let reply = with(with(reply, ETAG, tag), CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if headers.typed_get::<IfNoneMatch>().is_some_and(|it| !it.precondition_passes(&parsed)) {
        return with_status(reply, StatusCode::NOT_MODIFIED);
    }
    let reply = with(reply, CONTENT_TYPE, HeaderValue::from_static("audio/mpeg"));
    let is_same = headers.typed_get::<IfRange>().is_none_or(|it| !it.is_modified(Some(&parsed), None));
    match range(headers, file.len()).filter(|_| is_same) {
        None => body(reply, file, head),
        Some(Ok(range)) => {
            let described = format!("bytes {}-{}/{}", range.start, range.end - 1, file.len());
            let reply = with(reply, CONTENT_RANGE, HeaderValue::try_from(described).expect("numbers are ASCII"));
            body(with_status(reply, StatusCode::PARTIAL_CONTENT), file.slice(range), head)
        }
        Some(Err(Unsatisfiable)) => {
            let described = HeaderValue::try_from(format!("bytes */{}", file.len())).expect("numbers are ASCII");
            with_status(with(reply, CONTENT_RANGE, described), StatusCode::RANGE_NOT_SATISFIABLE)
        }
    }
}

/// The part asked for is not in the file.
#[derive(Debug, PartialEq)]
pub(super) struct Unsatisfiable;

/// The one range that is asked for. `None`: none is, or several, or one of other units; the whole
/// file is right then.
pub(super) fn range(headers: &HeaderMap, length: usize) -> Option<Result<Range<usize>, Unsatisfiable>> {
    let wanted = headers.typed_get::<headers::Range>()?;
    let text = headers.get(headers::Range::name())?.to_str().ok()?;
    if text.contains(',') {
        return None;
    }
    let Some((start, end)) = wanted.satisfiable_ranges(length as u64).next() else {
        return Some(Err(Unsatisfiable));
    };
    let start = match start {
        Bound::Included(start) => start as usize,
        Bound::Excluded(start) => start as usize + 1,
        Bound::Unbounded => 0,
    };
    let end = match end {
        Bound::Included(end) => (end as usize).saturating_add(1).min(length),
        Bound::Excluded(end) => (end as usize).min(length),
        Bound::Unbounded => length,
    };
    Some(if start < end { Ok(start..end) } else { Err(Unsatisfiable) })
}

pub(super) fn with_status(mut reply: Response, status: StatusCode) -> Response {
    *reply.status_mut() = status;
    reply
}

/// The headers of this body, and the body itself unless only the head was asked for.
fn body(reply: Response, bytes: Bytes, head: bool) -> Response {
    let reply = with(reply, CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let (parts, _) = reply.into_parts();
    let bytes = if head { Bytes::new() } else { bytes };
    warp::http::Response::from_parts(parts, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(range: &'static str) -> Option<Result<Range<usize>, Unsatisfiable>> {
        let mut headers = HeaderMap::new();
        headers.insert("range", HeaderValue::from_static(range));
        super::range(&headers, 1_000)
    }

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        assert_eq!(wanted("bytes=0-1"), Some(Ok(0..2)));
        assert_eq!(wanted("bytes=0-"), Some(Ok(0..1_000)));
        assert_eq!(wanted("bytes=990-5000"), Some(Ok(990..1_000)));
        assert_eq!(wanted("bytes=-10"), Some(Ok(990..1_000)));
        assert_eq!(wanted("bytes=1000-"), Some(Err(Unsatisfiable)));
        for whole in ["bytes=0-1,5-6", "frames=0-1", "nonsense"] {
            assert_eq!(wanted(whole), None, "{whole}");
        }
    }
}
