//! `/api/people`: how the people of the house look, as Home Assistant has it.

use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Rejection};

use crate::access::{Action, Target, Visitor};
use crate::hass::{Picture, PictureError};

use super::Shared;
use super::reply::{denied, error_response, with};

/// People change how they look rarely.
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("private, max-age=3600");

/// `GET /api/people/<user>/picture`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    warp::path!("api" / "people" / String / "picture").and(warp::get()).and(warp::ext::get::<Visitor>()).then(
        move |user: String, visitor: Visitor| {
            let shared = shared.clone();
            async move { picture(&user, &visitor, &shared).await }
        },
    )
}

async fn picture(user: &str, visitor: &Visitor, shared: &Shared) -> Response {
    let permit = match shared.authorize(visitor, Action::SeePictures, Target::House).await {
        Ok(permit) => permit,
        Err(refusal) => return denied(&refusal),
    };
    let picture = match shared.house.people(&permit) {
        Some(people) => people.picture(user).await,
        None => Err(PictureError::None),
    };
    match picture {
        Ok(Picture { bytes, kind }) => {
            let reply = with(Response::new(bytes.into()), CONTENT_TYPE, HeaderValue::from_static(kind));
            with(reply, CACHE_CONTROL, FOR_AN_HOUR)
        }
        Err(error @ PictureError::None) => error_response(StatusCode::NOT_FOUND, &error),
        Err(error @ PictureError::Fetch(_)) => error_response(StatusCode::BAD_GATEWAY, &error),
    }
}
