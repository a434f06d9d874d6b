//! What one signalling connection holds, and what each message does to it. One media connection at
//! most (`stream`); a new request replaces the one before.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::access::{Action, Target, WatchedPermit};
use crate::bridge::Bridge;
use crate::calls::{Line, StationEvent};
use crate::core::NegotiationError;
use crate::domain::{RoomId, StreamId, Track};
use crate::engine::{ConnectError, Engine, EngineGone, PeerAddress};
use crate::mailbox::{Ending, MailboxError, VoiceMessage};
use crate::rooms::{EventSender, Listening, Watching};

use super::Guest;
use super::mailbox::{MessageRecording, MessageWatch};
use super::messages::{ClientMessage, ErrorCode, ServerMessage};
use super::participation::{Participation, Request, not_joined};

/// The signalling side of one client.
pub(super) struct ClientSession {
    pub(super) relay: Engine,
    pub(super) bridge: Bridge,
    pub(super) guest: Guest,
    /// What rooms say to the client goes over it.
    events: EventSender,
    /// How the client calls itself.
    pub(super) name: String,
    pub(super) held: Held,
    /// Whether it may know which streams there are at home.
    lists_streams: bool,
    /// The room that it has joined.
    participation: Option<Participation>,
    /// While it watches the list of rooms.
    watching: Option<Watching>,
    /// While it is a device that can be called.
    pub(super) station: Option<Line>,
    /// Likewise, of the voice messages that are for it.
    pub(super) messages: Option<MessageWatch>,
    /// While it says one.
    pub(super) message: Option<MessageRecording>,
}

/// The media connection that a client holds.
pub(super) enum Held {
    Nothing,
    /// A stream's identity and room, for the offer to come.
    Reserved(Track, WatchedPermit),
    Sending {
        stream: Track,
        peer: PeerAddress,
        permit: WatchedPermit,
    },
    Receiving {
        stream: StreamId,
        peer: PeerAddress,
        permit: WatchedPermit,
        /// That those in the room know of it.
        _listening: Option<Listening>,
        answered: bool,
        /// The client asked again meanwhile: when to offer again.
        reoffer_at: Option<Instant>,
    },
}

/// Something that happens to what a client holds.
pub(super) enum SessionEvent {
    /// To the station that it is.
    OfStation(StationEvent),
    /// It has not kept up with what its station is told.
    StationLost,
    /// The voice messages that are for it are others than before.
    MessagesChanged,
    /// The message that it says is over.
    MessageOver(Result<Option<VoiceMessage>, MailboxError>),
    /// What permits the media connection has ended.
    PermitEnded,
}

impl Held {
    /// Waits until what permits the media connection has ended; never, where there is none.
    async fn permit_ended(&mut self) {
        match self {
            Self::Reserved(_, permit) | Self::Sending { permit, .. } | Self::Receiving { permit, .. } => {
                permit.ended().await;
            }
            Self::Nothing => std::future::pending().await,
        }
    }
}

/// The next event of a station; never, while there is none.
async fn next_of_station(station: &mut Option<Line>) -> Option<StationEvent> {
    let Some(line) = station else { return std::future::pending().await };
    let event = line.next().await;
    if matches!(event, Some(StationEvent::StationRemoved)) {
        *station = None;
    }
    event
}

/// The same of voice messages.
async fn messages_changed(messages: &mut Option<MessageWatch>) {
    match messages {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// And of the one that is being said.
async fn message_over(message: &mut Option<MessageRecording>) -> Result<Option<VoiceMessage>, MailboxError> {
    match message {
        Some(message) => message.recording.over().await,
        None => std::future::pending().await,
    }
}

impl ClientSession {
    pub(super) async fn new(bridge: Bridge, guest: Guest, events: EventSender) -> Self {
        let (relay, name) = (bridge.relay().clone(), String::new());
        let (participation, watching, station) = (None, None, None);
        let access = guest.gate.access();
        let lists = access.authorize(guest.visitor(), Action::ListStreams, Target::room(RoomId::HOME)).await;
        let lists_streams = lists.is_ok();
        Self {
            relay,
            bridge,
            guest,
            events,
            name,
            held: Held::Nothing,
            lists_streams,
            participation,
            watching,
            station,
            messages: None,
            message: None,
        }
    }

    /// Deals with a message; gives the reply, if there is to be one.
    pub(super) async fn handle(&mut self, message: ClientMessage) -> Option<ServerMessage> {
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
            ClientMessage::WatchRooms { on } => self.watch_rooms(on).await.err(),
            ClientMessage::Station { name, key, rooms } => self.be_station(&name, key.as_deref(), rooms).await.err(),
            ClientMessage::Ring { to, priority } => self.ring(to, priority).await.err(),
            ClientMessage::DoNotDisturb { passes, seconds } => self
                .at_station(|line| {
                    line.set_do_not_disturb(passes, seconds.map(Duration::from_secs));
                    Ok(())
                })
                .err(),
            ClientMessage::QuietHours { hours } => {
                let set = self.at_station(|line| {
                    line.set_quiet_hours(hours);
                    Ok(())
                });
                Some(set.map_or_else(|refusal| refusal, |()| ServerMessage::QuietHours { hours }))
            }
            ClientMessage::AnswerCall { call } => self.at_station(|line| line.answer(call)).err(),
            ClientMessage::HangUp { call } => self.at_station(|line| line.hang_up(call)).err(),
            ClientMessage::RecordVoiceMessage { to, offer } => Some(self.record_message(&to, offer).await),
            ClientMessage::SendVoiceMessage => self.end_message(Ending::Keep).err(),
            ClientMessage::DiscardVoiceMessage => self.end_message(Ending::Discard).err(),
            ClientMessage::Ping => Some(ServerMessage::Pong),
            ClientMessage::GetAvailableStreams => Some(self.list_streams().await),
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
        self.guest.gate.may_say(self.guest.visitor())
    }

    async fn watch_rooms(&mut self, on: bool) -> Result<(), ServerMessage> {
        self.watching = None;
        if on {
            self.guest.authorize(Action::ListRooms, Target::House).await?;
            let only = self.guest.visitor().room.clone();
            self.watching = Some(self.bridge.rooms().watch(self.events.clone(), only));
        }
        Ok(())
    }

    async fn list_streams(&self) -> ServerMessage {
        match self.guest.authorize(Action::ListStreams, Target::room(RoomId::HOME)).await {
            Ok(_) => self.available_streams(),
            Err(refusal) => refusal,
        }
    }

    /// The voice messages that are for the station that the client is.
    pub(super) async fn tell_messages(&self) -> Option<ServerMessage> {
        Some(self.messages.as_ref()?.tell(&self.guest).await)
    }

    /// Whether the client is told which streams come and go at home.
    pub(super) fn lists_streams(&self) -> bool {
        self.lists_streams
    }

    /// The next thing that happens to what the client holds; nothing is lost when this is not waited for to its end.
    pub(super) async fn next(&mut self) -> SessionEvent {
        let Self { held, station, messages, message, .. } = self;
        tokio::select! {
            // A station is told who it is before it is told of its messages.
            biased;
            () = held.permit_ended() => SessionEvent::PermitEnded,
            event = next_of_station(station) => match event {
                Some(event) => SessionEvent::OfStation(event),
                None => SessionEvent::StationLost,
            },
            () = messages_changed(messages) => SessionEvent::MessagesChanged,
            over = message_over(message) => SessionEvent::MessageOver(over),
        }
    }

    /// Gives the media connection up, of which the permit has ended; gives what the client is told.
    pub(super) async fn end_unpermitted(&mut self) -> ServerMessage {
        self.release().await;
        ServerMessage::error(ErrorCode::NotPermitted, "You were sent out of this room, or it was closed")
    }

    /// Joins a room, and leaves the one before.
    async fn join(&mut self, request: Request) -> Option<ServerMessage> {
        self.lose().await;
        match Participation::begin(&self.bridge, &self.guest, request, self.events.clone()).await {
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
        (self.station, self.messages) = (None, None);
        // What was said until now is kept.
        if let Some(MessageRecording { peer, .. }) = self.message.take() {
            self.relay.close(peer).await;
        }
        self.release().await;
        self.lose().await;
    }

    /// The list that every connection begins with.
    pub(super) fn available_streams(&self) -> ServerMessage {
        let streams = if self.lists_streams { self.relay.streams() } else { Vec::new() };
        ServerMessage::AvailableStreams { streams }
    }

    /// Gives up the media connection.
    pub(super) async fn release(&mut self) {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Sending { peer, .. } | Held::Receiving { peer, .. } => self.relay.close(peer).await,
            Held::Nothing | Held::Reserved(..) => {}
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
        if let Some(MessageRecording { peer, .. }) = self.message {
            self.relay.keep_alive(peer).await;
        }
        if let Some(participation) = &self.participation {
            participation.note_pong().await;
        }
    }

    pub(super) fn is_sending(&self) -> bool {
        matches!(self.held, Held::Sending { .. }) || self.participation.is_some() || self.message.is_some()
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

    async fn take_candidate(&self, candidate: &Value) {
        let peer = match self.held {
            Held::Sending { peer, .. } | Held::Receiving { peer, .. } => Some(peer),
            Held::Nothing | Held::Reserved(..) => self.participation.as_ref().and_then(Participation::peer),
        };
        let Some(peer) = peer else { return };
        if let Some(line) = candidate.get("candidate").and_then(Value::as_str).filter(|line| !line.is_empty()) {
            self.relay.add_candidate(peer, line.to_owned()).await;
        }
    }
}

/// What a client is told whose connection was not opened.
pub(super) fn refused(error: &ConnectError) -> ServerMessage {
    let code = match error {
        ConnectError::Core(NegotiationError::NoStream) => ErrorCode::NoStream,
        ConnectError::Core(NegotiationError::NoSuchPeer) => ErrorCode::StreamEnded,
        ConnectError::Core(NegotiationError::TooManyPeers(_) | NegotiationError::TooManyStreams(_))
        | ConnectError::Full(_) => ErrorCode::Full,
        ConnectError::Core(_) => ErrorCode::BadDescription,
        ConnectError::NotPermitted => ErrorCode::NotPermitted,
        ConnectError::Gone(_) => ErrorCode::ShuttingDown,
    };
    ServerMessage::error(code, error.to_string())
}

pub(super) fn shutting_down(gone: EngineGone) -> ServerMessage {
    ServerMessage::error(ErrorCode::ShuttingDown, gone.to_string())
}
