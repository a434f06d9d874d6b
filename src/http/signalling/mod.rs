//! Signalling over WebSocket, at `/ws` and `/`: one task a connection, which reads the client's
//! messages, tells it of streams and levels, and makes sure that it is still there.

mod mailbox;
mod messages;
mod participation;
mod session;
mod station;
mod stream;
mod video;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_util::sync::CancellationToken;

use crate::access::{Action, Denied, Permit, Target, Visitor};
use crate::bridge::Bridge;
use crate::domain::{Priority, RoomId, StreamId};
use crate::engine::{Levels, StreamEvent};
use crate::http::gate::Gate;
use crate::http::house::House;
use crate::http::websocket::WebSocket;
use crate::limits::Place;
use crate::rooms::{EventReceiver, EventSender};

pub(super) use messages::ClientMessage;
use messages::{ErrorCode, ServerMessage};
use session::{ClientSession, SessionEvent};

/// Pings to a client that sends: its answers count as signs of life while it is silent.
const PING_SENDER: Duration = Duration::from_secs(2);

/// Pings to others: proxies on the way cut what is silent for half a minute or more.
const PING_OTHERS: Duration = Duration::from_secs(20);

/// A client of whom nothing came for so long, though it was pinged, is gone.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(45);

/// A frame that could not be sent for so long: the client has stopped reading.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// What signalling counts.
#[derive(Debug, Default)]
pub struct SignallingStats {
    /// Connections that ended by an error: broken off, or a message over the limit.
    pub failed: AtomicU64,
    /// Frames that were no message of the protocol.
    pub malformed: AtomicU64,
    /// Clients that stopped reading, or fell silent.
    pub timed_out: AtomicU64,
}

/// Who is at the other end, and those who know what it may do.
pub(super) struct Guest {
    /// To be connected at all.
    pub(super) permit: Permit,
    /// Among those that may be connected at once.
    pub(super) _place: Place,
    pub(super) gate: Gate,
    pub(super) house: House,
    pub(super) stats: Arc<SignallingStats>,
}

impl Guest {
    fn visitor(&self) -> &Visitor {
        self.permit.visitor()
    }

    /// Lets it do something, or gives what it is told if not; counts when not.
    async fn authorize(&self, action: Action, target: Target<'_>) -> Result<Permit, ServerMessage> {
        let permit = self.gate.access().authorize(self.visitor(), action, target).await;
        permit.map_err(|denied| self.refuse(&denied))
    }

    /// The same of a call.
    async fn authorize_call(&self, priority: Priority) -> Result<Permit, ServerMessage> {
        let permit = self.gate.access().authorize_call(self.visitor(), priority).await;
        permit.map_err(|denied| self.refuse(&denied))
    }

    fn refuse(&self, denied: &Denied) -> ServerMessage {
        self.gate.note_denied();
        refused(denied)
    }

    /// Whether it may ever do this.
    fn may(&self, action: Action) -> bool {
        self.gate.access().admit(self.visitor(), action).is_ok()
    }

    /// Whether it may hear anything at all.
    fn may_listen(&self) -> bool {
        self.may(Action::Hear)
    }

    /// Whether it may make one more media connection now.
    fn may_join(&self) -> Result<(), ServerMessage> {
        let refusal = || ServerMessage::error(ErrorCode::TooFast, "Too many connections a minute; wait a little");
        self.gate.may_join(self.visitor()).then_some(()).ok_or_else(refusal)
    }

    /// How people call it: by its own word, or as Home Assistant or its token does.
    fn name(&self, own: &Value) -> String {
        let own = own.as_str().filter(|name| !name.is_empty());
        own.or(self.visitor().name.as_deref()).unwrap_or_default().to_owned()
    }
}

/// What a client is told that may not do something.
fn refused(denied: &Denied) -> ServerMessage {
    ServerMessage::complaint(denied.code(), denied.to_string())
}

/// Serves one client until it leaves.
pub(super) async fn serve(socket: WebSocket, bridge: Bridge, guest: Guest, shutdown: CancellationToken) {
    let (sender, receiver) = socket.split();
    // Before the list is read, so that no stream is missed in between.
    let (events, levels) = (bridge.relay().events(), bridge.relay().levels());
    let (to_rooms, of_rooms) = EventSender::new();
    let (permit, stats) = (guest.permit.clone(), Arc::clone(&guest.stats));
    let session = ClientSession::new(bridge, guest, to_rooms).await;
    let now = Instant::now();
    let mut client = ClientConnection { sender, session, permit, stats, heard: now, pinged: now };
    let result = client.run(receiver, Feeds { events, levels, of_rooms }, shutdown).await;
    client.session.end().await;
    match result {
        Ok(()) | Err(ConnectionEnd::Closed) => {}
        Err(ConnectionEnd::Failed) => drop(client.stats.failed.fetch_add(1, Ordering::Relaxed)),
        Err(ConnectionEnd::TimedOut) => drop(client.stats.timed_out.fetch_add(1, Ordering::Relaxed)),
    }
}

/// Why a connection ended.
enum ConnectionEnd {
    /// The client closed it.
    Closed,
    /// The network broke it, or a message was over the limit.
    Failed,
    /// The client neither reads nor answers.
    TimedOut,
}

/// What a client is told unasked.
struct Feeds {
    events: broadcast::Receiver<StreamEvent>,
    levels: broadcast::Receiver<Levels>,
    of_rooms: EventReceiver,
}

struct ClientConnection {
    sender: SplitSink<WebSocket, Message>,
    session: ClientSession,
    /// To be connected.
    permit: Permit,
    stats: Arc<SignallingStats>,
    /// When the client last sent anything.
    heard: Instant,
    pinged: Instant,
}

/// Why a client is not served any longer.
enum End {
    /// The relay goes down.
    Shutdown,
    /// Its token has expired, or was revoked.
    NotPermitted,
}

impl ClientConnection {
    async fn run(
        &mut self,
        mut receiver: SplitStream<WebSocket>,
        mut feeds: Feeds,
        shutdown: CancellationToken,
    ) -> Result<(), ConnectionEnd> {
        self.send(&self.session.available_streams()).await?;
        let permit = self.permit.clone();
        // One place in each of these queues, for as long as the client is there: to queue anew for every message costs a
        // client that is told levels as much as the message.
        let end = async {
            tokio::select! {
                () = shutdown.cancelled() => End::Shutdown,
                () = permit.ended() => End::NotPermitted,
            }
        };
        let mut end = pin!(end);
        loop {
            let (reoffer_at, hears) = (self.session.reoffer_at(), self.session.hears().is_some());
            let next_ping = self.next_ping();
            tokio::select! {
                end = &mut end => return self.end(end).await,
                frame = receiver.next() => match frame {
                    Some(Ok(frame)) => self.take(frame).await?,
                    Some(Err(_)) => return Err(ConnectionEnd::Failed),
                    None => return Err(ConnectionEnd::Closed),
                },
                event = feeds.events.recv() => self.tell(event).await?,
                // Those who hear nothing are not woken five times a second.
                level = feeds.levels.recv(), if hears => self.tell_level(level).await?,
                event = feeds.of_rooms.next() => match event {
                    Some(event) => self.send_frame(Message::text(event.text(messages::write))).await?,
                    // It does not read what those in its room say.
                    None => return Err(ConnectionEnd::TimedOut),
                },
                event = self.session.next() => match event {
                    SessionEvent::OfStation(event) => self.send_frame(Message::text(messages::write(&event))).await?,
                    // It does not read what it is told of calls.
                    SessionEvent::StationLost => return Err(ConnectionEnd::TimedOut),
                    SessionEvent::MessagesChanged => {
                        let messages = self.session.tell_messages().await;
                        self.reply(messages).await?;
                    }
                    SessionEvent::MessageOver(over) => {
                        let reply = self.session.note_message(over).await;
                        self.send(&reply).await?;
                    }
                    SessionEvent::PermitEnded => {
                        let reply = self.session.end_unpermitted().await;
                        self.reply(Some(reply)).await?;
                    }
                },
                () = tokio::time::sleep_until(next_ping) => self.ping().await?,
                () = tokio::time::sleep_until(reoffer_at.unwrap_or_else(Instant::now)), if reoffer_at.is_some() => {
                    let offer = self.session.reoffer().await;
                    self.reply(offer).await?;
                }
            }
        }
    }

    async fn take(&mut self, frame: Message) -> Result<(), ConnectionEnd> {
        self.heard = Instant::now();
        if frame.is_pong() {
            self.session.note_pong().await;
        }
        let Message::Text(text) = frame else { return Ok(()) };
        if !self.session.may_say() {
            return self
                .send(&ServerMessage::error(ErrorCode::TooFast, "Too many messages a second; wait a little"))
                .await;
        }
        let reply = match serde_json::from_str::<ClientMessage>(&text) {
            Ok(message) => self.session.handle(message).await,
            Err(error) => {
                self.stats.malformed.fetch_add(1, Ordering::Relaxed);
                Some(ServerMessage::error(ErrorCode::BadMessage, format!("Not a message of this protocol: {error}")))
            }
        };
        self.reply(reply).await
    }

    async fn tell(&mut self, event: Result<StreamEvent, RecvError>) -> Result<(), ConnectionEnd> {
        let message = match event {
            Ok(StreamEvent::Available(stream)) if stream.room == RoomId::HOME && self.session.lists_streams() => {
                ServerMessage::StreamAvailable { stream_id: stream.id }
            }
            Ok(StreamEvent::Ended(stream)) => {
                let hears = self.session.hears() == Some(stream.id);
                self.session.note_ended(stream.id);
                let lists = stream.room == RoomId::HOME && self.session.lists_streams();
                if !hears && !lists {
                    return Ok(());
                }
                ServerMessage::StreamEnded { stream_id: stream.id }
            }
            Ok(StreamEvent::Available(_)) => return Ok(()),
            // It missed some: the list says all there is to know.
            Err(RecvError::Lagged(_)) => self.session.available_streams(),
            Err(RecvError::Closed) => return Err(ConnectionEnd::Closed),
        };
        self.send(&message).await
    }

    async fn tell_level(&mut self, levels: Result<Levels, RecvError>) -> Result<(), ConnectionEnd> {
        // Having missed some is nothing: the next ones are along in a moment.
        let (Ok(levels), Some(stream_id)) = (levels, self.session.hears()) else { return Ok(()) };
        match level_of(&levels, stream_id) {
            Some(level) => self.send(&ServerMessage::AudioData { stream_id, timestamp: unix_time(), level }).await,
            None => Ok(()),
        }
    }

    fn next_ping(&self) -> Instant {
        self.pinged + if self.session.is_sending() { PING_SENDER } else { PING_OTHERS }
    }

    async fn ping(&mut self) -> Result<(), ConnectionEnd> {
        self.pinged = Instant::now();
        if self.heard.elapsed() > SILENCE_TIMEOUT {
            return Err(ConnectionEnd::TimedOut);
        }
        self.send_frame(Message::Ping(Bytes::new())).await
    }

    async fn reply(&mut self, message: Option<ServerMessage>) -> Result<(), ConnectionEnd> {
        match message {
            Some(message) => self.send(&message).await,
            None => Ok(()),
        }
    }

    async fn send(&mut self, message: &ServerMessage) -> Result<(), ConnectionEnd> {
        self.send_frame(Message::text(message.to_json())).await
    }

    async fn send_frame(&mut self, frame: Message) -> Result<(), ConnectionEnd> {
        match tokio::time::timeout(SEND_TIMEOUT, self.sender.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(ConnectionEnd::Failed),
            Err(_) => Err(ConnectionEnd::TimedOut),
        }
    }

    async fn end(&mut self, end: End) -> Result<(), ConnectionEnd> {
        match end {
            End::Shutdown => self.say_goodbye().await,
            End::NotPermitted => self.turn_out().await,
        }
    }

    /// Its token has expired, or was revoked.
    async fn turn_out(&mut self) -> Result<(), ConnectionEnd> {
        let reason = "This link has expired or was revoked; ask for a new one".into();
        self.send_frame(Message::Close(Some(CloseFrame { code: CloseCode::Policy, reason }))).await
    }

    async fn say_goodbye(&mut self) -> Result<(), ConnectionEnd> {
        let reason = "The voice relay is shutting down".into();
        self.send_frame(Message::Close(Some(CloseFrame { code: CloseCode::Away, reason }))).await
    }
}

fn level_of(levels: &Levels, wanted: StreamId) -> Option<i8> {
    levels.iter().find(|(stream, _)| *stream == wanted).map(|(_, level)| *level)
}

fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
