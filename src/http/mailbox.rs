//! `/api/voice-messages`: what was left for those who did not answer. Devices leave messages by signalling, and are told
//! of theirs there.

use std::fmt;

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use warp::http::header::{CONTENT_TYPE, HeaderValue};
use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Target, Visitor};
use crate::mailbox::{MailboxError, MailboxHandle, VoiceMessageId};

use super::Shared;
use super::clips::file;
use super::exposition::Exposition;
use super::reply::{denied, error_response, no_store, text, with};

/// Bytes of a request.
const MAX_BODY: u64 = 1_024;

/// What becomes of a message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeRequest {
    /// Whether somebody has heard it.
    heard: bool,
}

/// All of `/api/voice-messages`.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let context = warp::ext::get::<Visitor>().and(warp::any().map(move || shared.clone()));
    let list = warp::path!("api" / "voice-messages")
        .and(warp::get())
        .and(context.clone())
        .then(async |visitor: Visitor, shared: Shared| list(&visitor, &shared).await);
    let speech = warp::path!("api" / "voice-messages" / Uuid / String)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(context.clone())
        .then(async |id, name: String, method: Method, headers: HeaderMap, visitor: Visitor, shared: Shared| {
            speech(id, &name, method == Method::HEAD, (&headers, &visitor), &shared).await
        });
    let change = warp::path!("api" / "voice-messages" / Uuid)
        .and(warp::put())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::json())
        .and(context.clone())
        .then(async |id: Uuid, ChangeRequest { heard }: ChangeRequest, visitor: Visitor, shared: Shared| {
            let change = async |mailbox: MailboxHandle| mailbox.set_heard(VoiceMessageId(id), heard).await;
            changed(&visitor, &shared, change).await
        });
    let delete = warp::path!("api" / "voice-messages" / Uuid).and(warp::delete()).and(context).then(
        async |id: Uuid, visitor: Visitor, shared: Shared| {
            changed(&visitor, &shared, async |mailbox| mailbox.delete(VoiceMessageId(id)).await).await
        },
    );
    list.or(speech).unify().or(change).unify().or(delete).unify()
}

/// Those for everybody, and for rooms that the visitor may hear; those for a device are told to that device alone.
async fn list(visitor: &Visitor, shared: &Shared) -> Response {
    let permit = match shared.authorize(visitor, Action::ReadVoiceMessages, Target::House).await {
        Ok(permit) => permit,
        Err(refusal) => return denied(&refusal),
    };
    let mailbox = shared.house.mailbox(&permit);
    let mut shown = Vec::new();
    for place in mailbox.places() {
        if shared.access().may_read_voice_messages(visitor, &place).await {
            shown.push(place);
        }
    }
    no_store(&json!({ "voice_messages": mailbox.list(|place| shown.iter().any(|it| it == place)) }))
}

async fn speech(
    id: Uuid,
    name: &str,
    head: bool,
    (headers, visitor): (&HeaderMap, &Visitor),
    shared: &Shared,
) -> Response {
    let permit = match shared.authorize(visitor, Action::ReadVoiceMessages, Target::House).await {
        Ok(permit) => permit,
        Err(refusal) => return denied(&refusal),
    };
    let (as_mp3, kind) = match name {
        "speech.ogg" => (false, "audio/ogg"),
        "speech.mp3" => (true, "audio/mpeg"),
        _ => return none(),
    };
    match shared.house.mailbox(&permit).speech(VoiceMessageId(id), as_mp3).await {
        Ok(said) => with(file(said, id, head, headers), CONTENT_TYPE, HeaderValue::from_static(kind)),
        Err(error) => failed(&error),
    }
}

async fn changed(
    visitor: &Visitor,
    shared: &Shared,
    change: impl AsyncFnOnce(MailboxHandle) -> Result<(), MailboxError>,
) -> Response {
    let permit = match shared.authorize(visitor, Action::ChangeVoiceMessage, Target::House).await {
        Ok(permit) => permit,
        Err(refusal) => return denied(&refusal),
    };
    match change(shared.house.mailbox(&permit).clone()).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &MailboxError) -> Response {
    match error {
        MailboxError::Unknown => none(),
        error => error_response(StatusCode::SERVICE_UNAVAILABLE, error),
    }
}

fn none() -> Response {
    text(StatusCode::NOT_FOUND, "There is no such message, or no more; a device is told of those that there are for it")
}

/// What is counted of voice messages.
pub(super) fn encode(page: &mut Exposition<'_>, mailbox: &MailboxHandle) -> fmt::Result {
    let counted = mailbox.counters();
    page.gauge("voice_messages", "Voice messages that are kept", mailbox.list(|_| true).len() as u64)?;
    page.gauge("voice_messages_bytes", "Bytes that they take on the disk", mailbox.bytes())?;
    page.counter("voice_messages_left", "Voice messages that were left", counted.left)?;
    page.counter("voice_messages_refused", "Voice messages that were not, over a limit", counted.refused)?;
    page.counter("voice_messages_displaced", "Voice messages deleted for others, over a limit", counted.displaced)?;
    page.counter("voice_messages_cut", "Voice messages that ended early for want of memory", counted.cut)?;
    page.counter("voice_messages_failed", "Voice messages that were said and could not be kept", counted.failed)
}
