//! What one signalling connection holds, and what each message does to it. One media connection at
//! most; a new request replaces the one before.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::domain::{PeerId, StreamId};
use crate::http::access::Scope;
use crate::relay::{AnswerError, PublishError, SubscribeError};
use crate::relay_handle::{RelayGone, RelayHandle};

use super::Guest;
use super::messages::{ClientMessage, Description, ErrorCode, ServerMessage};

/// A repeated request for the offer just made is answered only if that stays unanswered for so long:
/// the existing card asks twice within milliseconds, and can use one offer.
const REOFFER_AFTER: Duration = Duration::from_millis(500);

/// The signalling side of one client.
pub(super) struct Session {
    relay: RelayHandle,
    guest: Guest,
    /// How the client calls itself.
    name: String,
    held: Held,
}

/// The media connection that a client holds.
enum Held {
    Nothing,
    /// A stream's identity, for the offer to come.
    Reserved(StreamId),
    Sending {
        stream: StreamId,
        peer: PeerId,
    },
    Receiving {
        stream: StreamId,
        peer: PeerId,
        answered: bool,
        /// The client asked again meanwhile: when to offer again.
        reoffer_at: Option<Instant>,
    },
}

impl Session {
    pub(super) fn new(relay: RelayHandle, guest: Guest) -> Self {
        Self { relay, guest, name: String::new(), held: Held::Nothing }
    }

    /// Deals with a message; gives the reply, if there is to be one.
    pub(super) async fn handle(&mut self, message: ClientMessage) -> Option<ServerMessage> {
        if let Err(refusal) = self.permit(&message) {
            return Some(refusal);
        }
        match message {
            ClientMessage::StartSending { name } => Some(self.start_sending(&name).await),
            ClientMessage::WebrtcOffer { offer } => Some(self.take_offer(offer).await),
            ClientMessage::StartReceiving { stream_id } => self.start_receiving(stream_id.as_deref()).await,
            ClientMessage::WebrtcAnswer { answer } => self.take_answer(answer).await,
            ClientMessage::IceCandidate { candidate } => {
                self.take_candidate(&candidate).await;
                None
            }
            ClientMessage::GetAvailableStreams => Some(self.available_streams()),
            ClientMessage::StopStream => {
                self.release().await;
                None
            }
            ClientMessage::Unknown => None,
        }
    }

    /// Whether the client may send one more message now.
    pub(super) fn may_say(&self) -> bool {
        self.guest.gate.may_say(&self.guest.visitor)
    }

    /// Whether the client may say this.
    fn permit(&self, message: &ClientMessage) -> Result<(), ServerMessage> {
        let scope = match message {
            ClientMessage::StartSending { .. } => Scope::Talk,
            ClientMessage::StartReceiving { .. } => Scope::Listen,
            _ => return Ok(()),
        };
        if !self.guest.gate.permits(&self.guest.visitor, scope) {
            return Err(ServerMessage::error(ErrorCode::NotPermitted, scope.lacking()));
        }
        if !self.guest.gate.may_join(&self.guest.visitor) {
            return Err(ServerMessage::error(ErrorCode::TooFast, "Too many connections a minute; wait a little"));
        }
        Ok(())
    }

    /// The list that every connection begins with.
    pub(super) fn available_streams(&self) -> ServerMessage {
        ServerMessage::AvailableStreams { streams: self.relay.streams() }
    }

    /// Gives up the media connection.
    pub(super) async fn release(&mut self) {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Sending { peer, .. } | Held::Receiving { peer, .. } => self.relay.close(peer).await,
            Held::Nothing | Held::Reserved(_) => {}
        }
    }

    /// A stream ended: if it was ours, its identity is spent.
    pub(super) fn note_ended(&mut self, ended: StreamId) {
        if matches!(self.held, Held::Sending { stream, .. } if stream == ended) {
            self.held = Held::Nothing;
        }
    }

    /// The client answered a ping.
    pub(super) async fn note_pong(&self) {
        if let Held::Sending { peer, .. } = self.held {
            self.relay.keep_alive(peer).await;
        }
    }

    pub(super) fn is_sending(&self) -> bool {
        matches!(self.held, Held::Sending { .. })
    }

    /// The stream that the client hears.
    pub(super) fn hears(&self) -> Option<StreamId> {
        match self.held {
            Held::Receiving { stream, answered: true, .. } => Some(stream),
            _ => None,
        }
    }

    /// When to call [`reoffer`](Self::reoffer).
    pub(super) fn reoffer_at(&self) -> Option<Instant> {
        match self.held {
            Held::Receiving { reoffer_at, answered: false, .. } => reoffer_at,
            _ => None,
        }
    }

    /// The offer was asked for twice and is still not answered: makes a new one in its place.
    pub(super) async fn reoffer(&mut self) -> Option<ServerMessage> {
        match self.held {
            Held::Receiving { stream, .. } => Some(self.offer(Some(stream)).await),
            _ => None,
        }
    }

    async fn start_sending(&mut self, name: &Value) -> ServerMessage {
        let own = name.as_str().filter(|name| !name.is_empty());
        own.or(self.guest.visitor.name.as_deref()).unwrap_or_default().clone_into(&mut self.name);
        self.release().await;
        let connection_id = Uuid::new_v4();
        self.held = Held::Reserved(StreamId::of_connection(connection_id));
        ServerMessage::SenderReady { connection_id }
    }

    async fn take_offer(&mut self, offer: Description) -> ServerMessage {
        let (Held::Reserved(stream) | Held::Sending { stream, .. }) = self.held else {
            return ServerMessage::error(ErrorCode::OutOfOrder, "Send start_sending before webrtc_offer");
        };
        match self.relay.publish(stream.into(), self.name.clone(), offer.sdp, self.guest.is_local()).await {
            Ok(Ok(published)) => {
                self.held = Held::Sending { stream, peer: published.peer };
                ServerMessage::WebrtcAnswer { answer: Description::answer(published.answer) }
            }
            Ok(Err(error)) => ServerMessage::error(code_of_publish(&error), error.to_string()),
            Err(gone) => shutting_down(gone),
        }
    }

    async fn start_receiving(&mut self, wanted: Option<&str>) -> Option<ServerMessage> {
        let wanted = match wanted.filter(|id| !id.is_empty()).map(str::parse) {
            Some(Ok(id)) => Some(id),
            Some(Err(_)) => {
                self.release().await;
                return Some(ServerMessage::error(ErrorCode::NoStream, SubscribeError::NoStream.to_string()));
            }
            None => None,
        };
        if self.is_repeated(wanted) {
            return None;
        }
        Some(self.offer(wanted).await)
    }

    /// Whether the client asks for what it was just offered; notes that it did.
    fn is_repeated(&mut self, wanted: Option<StreamId>) -> bool {
        let resolved = wanted.or_else(|| self.relay.streams().last().copied());
        match &mut self.held {
            Held::Receiving { stream, answered: false, reoffer_at, .. } if Some(*stream) == resolved => {
                reoffer_at.get_or_insert_with(|| Instant::now() + REOFFER_AFTER);
                true
            }
            _ => false,
        }
    }

    async fn offer(&mut self, wanted: Option<StreamId>) -> ServerMessage {
        self.release().await;
        match self.relay.subscribe(wanted, self.guest.is_local()).await {
            Ok(Ok(subscribed)) => {
                self.held = Held::Receiving {
                    stream: subscribed.stream,
                    peer: subscribed.peer,
                    answered: false,
                    reoffer_at: None,
                };
                ServerMessage::WebrtcOffer { offer: Description::offer(subscribed.offer) }
            }
            Ok(Err(error)) => ServerMessage::error(code_of_subscribe(&error), error.to_string()),
            Err(gone) => shutting_down(gone),
        }
    }

    async fn take_answer(&mut self, answer: Description) -> Option<ServerMessage> {
        let Held::Receiving { peer, answered, .. } = &mut self.held else {
            return Some(ServerMessage::error(ErrorCode::OutOfOrder, "Send start_receiving before webrtc_answer"));
        };
        match self.relay.answer(*peer, answer.sdp).await {
            Ok(Ok(())) => {
                *answered = true;
                None
            }
            // It answers an offer that another replaced: the client has that other one, too.
            Ok(Err(AnswerError::Stale)) => None,
            Ok(Err(AnswerError::NoSuchPeer)) => Some(ServerMessage::error(ErrorCode::StreamEnded, "Stream ended")),
            Ok(Err(error)) => Some(ServerMessage::error(ErrorCode::BadDescription, error.to_string())),
            Err(gone) => Some(shutting_down(gone)),
        }
    }

    async fn take_candidate(&self, candidate: &Value) {
        let (Held::Sending { peer, .. } | Held::Receiving { peer, .. }) = self.held else { return };
        if let Some(line) = candidate.get("candidate").and_then(Value::as_str).filter(|line| !line.is_empty()) {
            self.relay.add_candidate(peer, line.to_owned()).await;
        }
    }
}

fn code_of_publish(error: &PublishError) -> ErrorCode {
    match error {
        PublishError::InvalidOffer(_) | PublishError::NoAudio => ErrorCode::BadDescription,
        PublishError::TooManyPeers(_) | PublishError::TooManyStreams(_) => ErrorCode::Full,
    }
}

fn code_of_subscribe(error: &SubscribeError) -> ErrorCode {
    match error {
        SubscribeError::NoStream => ErrorCode::NoStream,
        SubscribeError::TooManyPeers(_) => ErrorCode::Full,
    }
}

fn shutting_down(gone: RelayGone) -> ServerMessage {
    ServerMessage::error(ErrorCode::ShuttingDown, gone.to_string())
}
