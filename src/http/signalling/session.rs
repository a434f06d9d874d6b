//! What one signalling connection holds, and what each message does to it. One media connection at
//! most; a new request replaces the one before.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::conversation::Conversation;
use crate::domain::{LiveStream, PeerId, RoomId, StreamId};
use crate::http::access::Scope;
use crate::relay::{AnswerError, PublishError, SubscribeError};
use crate::relay_handle::{RelayGone, RelayHandle};
use crate::rooms::{HOME, Watching, Wire};

use super::Guest;
use super::messages::{ClientMessage, Description, ErrorCode, ServerMessage};
use super::participation::{Participation, Request, not_joined};

/// A repeated request for the offer just made is answered only if that stays unanswered for so long:
/// the existing card asks twice within milliseconds, and can use one offer.
const REOFFER_AFTER: Duration = Duration::from_millis(500);

/// The signalling side of one client.
pub(super) struct Session {
    relay: RelayHandle,
    conversation: Conversation,
    guest: Guest,
    /// What rooms say to the client goes over it.
    wire: Wire,
    /// How the client calls itself.
    name: String,
    held: Held,
    /// The room that it has joined.
    participation: Option<Participation>,
    /// While it watches the list of rooms.
    watching: Option<Watching>,
}

/// The media connection that a client holds.
enum Held {
    Nothing,
    /// A stream's identity and room, for the offer to come.
    Reserved(LiveStream),
    Sending {
        stream: LiveStream,
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
    pub(super) fn new(conversation: Conversation, guest: Guest, wire: Wire) -> Self {
        let (relay, name) = (conversation.relay().clone(), String::new());
        let (participation, watching) = (None, None);
        Self { relay, conversation, guest, wire, name, held: Held::Nothing, participation, watching }
    }

    /// Deals with a message; gives the reply, if there is to be one.
    pub(super) async fn handle(&mut self, message: ClientMessage) -> Option<ServerMessage> {
        if let Err(refusal) = self.permit(&message) {
            return Some(refusal);
        }
        match message {
            ClientMessage::StartSending { name, room } => Some(self.start_sending(&name, room.as_deref()).await),
            ClientMessage::WebrtcOffer { offer } => Some(self.take_offer(offer).await),
            ClientMessage::StartReceiving { stream_id } => self.start_receiving(stream_id.as_deref()).await,
            ClientMessage::WebrtcAnswer { answer } => self.take_answer(answer).await,
            ClientMessage::IceCandidate { candidate } => {
                self.take_candidate(&candidate).await;
                None
            }
            ClientMessage::Join { room, name, pin, key } => self.join(Request { room, name, pin, key }).await,
            ClientMessage::Leave => {
                self.leave().await;
                None
            }
            ClientMessage::WatchRooms { on } => {
                self.watching = on.then(|| self.conversation.rooms().watch(self.wire.clone()));
                None
            }
            ClientMessage::Ping => Some(ServerMessage::Pong),
            ClientMessage::GetAvailableStreams => Some(self.available_streams()),
            ClientMessage::StopStream => {
                self.release().await;
                None
            }
            ClientMessage::Unknown => None,
            of_room => match &mut self.participation {
                Some(participation) => participation.handle(of_room, &self.guest).await,
                None => Some(not_joined()),
            },
        }
    }

    /// Whether the client may send one more message now.
    pub(super) fn may_say(&self) -> bool {
        self.guest.gate.may_say(&self.guest.visitor)
    }

    /// Whether the client may say this.
    fn permit(&self, message: &ClientMessage) -> Result<(), ServerMessage> {
        let (scope, room) = match message {
            ClientMessage::StartSending { room, .. } => (Scope::Talk, room.as_deref()),
            ClientMessage::StartReceiving { .. } => (Scope::Listen, None),
            _ => return Ok(()),
        };
        self.guest.require(scope)?;
        self.guest.require_room(room.filter(|room| !room.is_empty()).unwrap_or(HOME))?;
        self.guest.may_join()
    }

    /// Joins a room, and leaves the one before.
    async fn join(&mut self, request: Request) -> Option<ServerMessage> {
        self.lose().await;
        match Participation::begin(&self.conversation, &self.guest, request, self.wire.clone()).await {
            Ok(participation) => {
                self.participation = Some(participation);
                None
            }
            Err(refusal) => Some(refusal),
        }
    }

    async fn leave(&mut self) {
        if let Some(participation) = self.participation.take() {
            participation.leave().await;
        }
    }

    async fn lose(&mut self) {
        if let Some(participation) = self.participation.take() {
            participation.lose().await;
        }
    }

    /// The client is gone.
    pub(super) async fn end(&mut self) {
        self.release().await;
        self.lose().await;
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
        if matches!(self.held, Held::Sending { stream, .. } if stream.id == ended) {
            self.held = Held::Nothing;
        }
    }

    /// The client answered a ping.
    pub(super) async fn note_pong(&self) {
        if let Held::Sending { peer, .. } = self.held {
            self.relay.keep_alive(peer).await;
        }
        if let Some(participation) = &self.participation {
            participation.note_pong().await;
        }
    }

    pub(super) fn is_sending(&self) -> bool {
        matches!(self.held, Held::Sending { .. }) || self.participation.is_some()
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

    async fn start_sending(&mut self, name: &Value, room: Option<&str>) -> ServerMessage {
        self.name = self.guest.name(name);
        self.release().await;
        let room = match room.filter(|room| !room.is_empty()) {
            None => RoomId::HOME,
            Some(slug) => match self.open_room(slug) {
                Ok(room) => room,
                Err(refusal) => return refusal,
            },
        };
        let connection_id = Uuid::new_v4();
        self.held = Held::Reserved(LiveStream { id: StreamId::of_connection(connection_id), room, music: false });
        ServerMessage::SenderReady { connection_id }
    }

    /// A room in which one may talk without having joined it.
    fn open_room(&self, slug: &str) -> Result<RoomId, ServerMessage> {
        let rooms = self.conversation.rooms();
        let room = rooms.find(slug).ok_or_else(|| ServerMessage::complaint("no_room", "There is no such room"))?;
        match rooms.is_open(room) {
            true => Ok(room),
            false => Err(ServerMessage::error(ErrorCode::NotPermitted, "Join this room to talk in it")),
        }
    }

    async fn take_offer(&mut self, offer: Description) -> ServerMessage {
        let (Held::Reserved(stream) | Held::Sending { stream, .. }) = self.held else {
            return ServerMessage::error(ErrorCode::OutOfOrder, "Send start_sending before webrtc_offer");
        };
        match self.relay.publish(stream, self.name.clone(), offer.sdp, self.guest.is_local()).await {
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
        let peer = match self.held {
            Held::Sending { peer, .. } | Held::Receiving { peer, .. } => Some(peer),
            Held::Nothing | Held::Reserved(_) => self.participation.as_ref().and_then(Participation::peer),
        };
        let Some(peer) = peer else { return };
        if let Some(line) = candidate.get("candidate").and_then(Value::as_str).filter(|line| !line.is_empty()) {
            self.relay.add_candidate(peer, line.to_owned()).await;
        }
    }
}

pub(super) fn code_of_publish(error: &PublishError) -> ErrorCode {
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

pub(super) fn shutting_down(gone: RelayGone) -> ServerMessage {
    ServerMessage::error(ErrorCode::ShuttingDown, gone.to_string())
}
