//! The one stream that a client sends or hears by the older protocol: by a media connection that is made for it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::access::{Action, Permit, Target};
use crate::core::{AnswerError, NegotiationError};
use crate::domain::{RoomId, StreamId, Track};
use crate::rooms::{ListenerKind, Listening};

use super::messages::{ErrorCode, ServerMessage, SessionDescription};
use super::session::{ClientSession, Held, refused, shutting_down};

/// A repeated request for the offer just made is answered only if that stays unanswered for so long:
/// the existing card asks twice within milliseconds, and can use one offer. A tablet that is busy with its dashboard takes a
/// while to answer, and hears nothing if its connection is offered a second time meanwhile.
const REOFFER_AFTER: Duration = Duration::from_millis(1_500);

impl ClientSession {
    pub(super) async fn start_sending(&mut self, name: &Value, room: Option<&str>) -> ServerMessage {
        self.name = self.guest.name(name);
        let room = match room.filter(|room| !room.is_empty()) {
            None => Some(RoomId::HOME),
            Some(slug) => self.bridge.rooms().find(slug),
        };
        let Some(room) = room else { return ServerMessage::complaint("no_room", "There is no such room") };
        let permit = match self.guest.authorize(Action::Talk, Target::room(room)).await {
            Ok(permit) => permit,
            Err(refusal) => return refusal,
        };
        if let Err(refusal) = self.guest.may_join() {
            return refusal;
        }
        self.release().await;
        let connection_id = Uuid::new_v4();
        let stream = Track::voice(StreamId::of_connection(connection_id), room);
        self.held = Held::Reserved(stream, permit.watched());
        ServerMessage::SenderReady { connection_id }
    }

    pub(super) async fn take_offer(&mut self, offer: SessionDescription) -> ServerMessage {
        let (Held::Reserved(stream, permit) | Held::Sending { stream, permit, .. }) = &self.held else {
            return ServerMessage::error(ErrorCode::OutOfOrder, "Send start_sending before webrtc_offer");
        };
        let (stream, permit) = (*stream, permit.permit().clone());
        // The first one was counted by start_sending.
        if matches!(self.held, Held::Sending { .. })
            && let Err(refusal) = self.guest.may_join()
        {
            return refusal;
        }
        match self.relay.publish(permit.clone(), stream, self.name.clone(), offer.sdp).await {
            Ok((peer, accepted)) => {
                self.held = Held::Sending { stream, peer, permit: permit.watched() };
                ServerMessage::WebrtcAnswer { answer: SessionDescription::answer(accepted.answer) }
            }
            Err(error) => refused(&error),
        }
    }

    pub(super) async fn start_receiving(&mut self, wanted: Option<&str>) -> Option<ServerMessage> {
        let wanted = match wanted.filter(|id| !id.is_empty()).map(str::parse) {
            Some(Ok(id)) => Some(id),
            Some(Err(_)) => {
                self.release().await;
                return Some(ServerMessage::error(ErrorCode::NoStream, NegotiationError::NoStream.to_string()));
            }
            None => None,
        };
        if self.is_repeated(wanted) {
            return None;
        }
        if let Err(refusal) = self.guest.may_join() {
            return Some(refusal);
        }
        Some(self.offer(wanted).await)
    }

    /// To hear this stream, or the newest at home. What is said in a room that does not let the client in is no more there
    /// for it than what is not said at all.
    async fn permit_to_hear(&self, wanted: Option<StreamId>) -> Result<Permit, ServerMessage> {
        let no_stream = || ServerMessage::error(ErrorCode::NoStream, NegotiationError::NoStream.to_string());
        let room = match wanted {
            None => Some(RoomId::HOME),
            Some(id) => self.relay.arrival(id).await.map(|live| live.room),
        };
        let permit = self.guest.authorize(Action::Hear, Target::room(room.ok_or_else(no_stream)?)).await;
        match permit {
            Err(_) if wanted.is_some() && self.guest.may_listen() => Err(no_stream()),
            permit => permit,
        }
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

    pub(super) async fn offer(&mut self, wanted: Option<StreamId>) -> ServerMessage {
        self.release().await;
        let permit = match self.permit_to_hear(wanted).await {
            Ok(permit) => permit,
            Err(refusal) => return refusal,
        };
        match self.relay.subscribe(permit.clone(), wanted).await {
            Ok((peer, subscribed)) => {
                self.held = Held::Receiving {
                    stream: subscribed.stream,
                    peer,
                    _listening: self.listening(&permit),
                    permit: permit.watched(),
                    answered: false,
                    reoffer_at: None,
                };
                ServerMessage::WebrtcOffer { offer: SessionDescription::offer(subscribed.offer) }
            }
            Err(error) => refused(&error),
        }
    }

    /// Those in the room are to know of it, unless it has joined them as well.
    fn listening(&self, permit: &Permit) -> Option<Listening> {
        let called = Some(self.name.as_str()).filter(|name| !name.is_empty());
        let called = called.map_or_else(|| permit.visitor().called(), str::to_owned);
        self.bridge.rooms().listen(permit.room()?, permit.granted(), &called, ListenerKind::Client)
    }

    pub(super) async fn take_answer(&mut self, answer: SessionDescription) -> Option<ServerMessage> {
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
}
