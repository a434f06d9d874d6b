//! `/api/phones`: phones with Home Assistant's companion app, and on which of them a device with a name rings besides.

use std::fmt;
use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, Target, Visitor};
use crate::automation::Phones;
use crate::calls::StationId;

use super::Shared;
use super::exposition::Exposition;
use super::reply::{denied, error_response, no_store, text};

/// Bytes of a request.
const MAX_BODY: u64 = 1_024;

const NO_HOME: &str = "The relay is not linked to Home Assistant; set hass.url and hass.token";
const NO_PAGE: &str =
    "A phone would not know what to open: set hass.page to the address at which phones reach this page";
const NO_PHONE: &str = "Home Assistant has no such phone; GET /api/phones lists those there are";

/// On which phone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneRequest {
    /// What Home Assistant calls it.
    phone: String,
}

/// `GET /api/phones`, and `PUT` and `DELETE /api/stations/<id>/phone`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let list = warp::path!("api" / "phones").and(warp::get()).and(context.clone()).then(
        async |visitor: Visitor, shared: Shared| match shared
            .authorize(&visitor, Action::SeeHomeAssistant, Target::House)
            .await
        {
            Ok(permit) => list(&permit, &shared).await,
            Err(refusal) => denied(&refusal),
        },
    );
    let set = warp::path!("api" / "stations" / String / "phone")
        .and(warp::put())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(context.clone())
        .then(async |station: String, request: PhoneRequest, visitor: Visitor, shared: Shared| {
            match shared.authorize(&visitor, Action::SetPhone, Target::House).await {
                Ok(permit) => ring_on(StationId(station), request.phone, &permit, &shared).await,
                Err(refusal) => denied(&refusal),
            }
        });
    let clear = warp::path!("api" / "stations" / String / "phone").and(warp::delete()).and(context).then(
        async |station: String, visitor: Visitor, shared: Shared| match shared
            .authorize(&visitor, Action::SetPhone, Target::House)
            .await
        {
            Ok(permit) => keep(&StationId(station), None, &permit, &shared),
            Err(refusal) => denied(&refusal),
        },
    );
    list.or(set).unify().or(clear).unify()
}

async fn list(permit: &Permit, shared: &Shared) -> Response {
    let Some(phones) = shared.house.phones(permit) else {
        return no_store(&json!({ "page": false, "phones": [] })).into_response();
    };
    match phones.list().await {
        Ok(listed) => no_store(&json!({ "page": phones.have_page(), "phones": listed })).into_response(),
        Err(error) => error_response(StatusCode::SERVICE_UNAVAILABLE, &error),
    }
}

async fn ring_on(station: StationId, phone: String, permit: &Permit, shared: &Shared) -> Response {
    let Some(phones) = shared.house.phones(permit) else { return text(StatusCode::CONFLICT, NO_HOME) };
    if !phones.have_page() {
        return text(StatusCode::CONFLICT, NO_PAGE);
    }
    match phones.list().await {
        Ok(listed) if listed.iter().any(|known| known.id == phone) => keep(&station, Some(phone), permit, shared),
        Ok(_) => text(StatusCode::NOT_FOUND, NO_PHONE),
        Err(error) => error_response(StatusCode::SERVICE_UNAVAILABLE, &error),
    }
}

fn keep(station: &StationId, phone: Option<String>, permit: &Permit, shared: &Shared) -> Response {
    match shared.house.calls(permit).set_phone(station, phone) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error_response(StatusCode::NOT_FOUND, &error),
    }
}

/// What is counted of them.
pub(super) fn encode(page: &mut Exposition<'_>, phones: &Phones) -> fmt::Result {
    let stats = phones.stats();
    page.counter("phones_rung", "Calls that rang on phones", stats.rung.load(Ordering::Relaxed))?;
    let unreachable = stats.unreachable.load(Ordering::Relaxed);
    page.counter(
        "phones_unreachable",
        "Calls that did not, since Home Assistant could not reach the phone",
        unreachable,
    )
}
