//! The link to Home Assistant's core: one WebSocket, through the Supervisor or straight to it. It is made anew for ever,
//! and whoever uses it is told when it is there and when it is not.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use crate::tls::Outgoing;

use super::endpoint::CoreEndpoint;
use super::messages::{CoreEvent, EntityChanges, Incoming, Refusal};

/// Requests that may wait for the link; further ones are told that it is busy.
const REQUESTS: usize = 256;

/// News that may wait for whoever reads them. Beyond these the link is made anew, since then everything is told again.
const NEWS: usize = 4_096;

/// Of a message of the core: the registries of a large house are some megabytes.
const MAX_MESSAGE: usize = 32 * 1_024 * 1_024;

/// From the first packet to `auth_ok`.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a sign of life is asked for, and how long there may be none.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(75);

/// Between two tries, at first and at last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<Outgoing>;
type Reply = oneshot::Sender<Result<Value, CoreError>>;

/// Something could not be had of the core.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoreError {
    /// There is no link just now.
    #[error("Home Assistant cannot be reached")]
    Away,
    /// Too much is asked at once.
    #[error("Home Assistant is asked too much at once")]
    Busy,
    /// It answered no, in its own words.
    #[error("Home Assistant says: {message}")]
    Refused {
        /// What a program reads.
        code: String,
        /// What a person reads.
        message: String,
    },
    /// Its answer is none that we know.
    #[error("Home Assistant's answer cannot be read: {0}")]
    Unreadable(String),
}

/// What the core tells.
#[derive(Debug, Clone, PartialEq)]
pub enum CoreNews {
    /// The link is there: what is to be told is to be asked for anew. With the version of Home Assistant.
    Connected(String),
    /// It is gone.
    Lost,
    /// Of entities that were asked for.
    Entities(EntityChanges),
    /// What was asked for has happened.
    Event(CoreEvent),
}

struct Request {
    message: Value,
    reply: Reply,
    /// Who is told what comes of it later, where it subscribes to something.
    events: Option<mpsc::Sender<CoreNews>>,
}

/// The link, for whoever asks something. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CoreLink(mpsc::Sender<Request>);

/// What the core tells one of those who use the link: when it is there and when not, and what they subscribed to.
#[derive(Debug)]
pub struct CoreFeed {
    link: CoreLink,
    news: mpsc::Receiver<CoreNews>,
    sender: mpsc::Sender<CoreNews>,
}

impl CoreFeed {
    /// The next news.
    pub async fn next(&mut self) -> Option<CoreNews> {
        self.news.recv().await
    }

    /// Subscribes to something, for as long as this connection lasts; `message` is as for [`CoreLink::ask`].
    ///
    /// # Errors
    /// When the core refuses it.
    pub async fn subscribe(&self, message: Value) -> Result<(), CoreError> {
        self.link.request(message, Some(self.sender.clone())).await.map(drop)
    }
}

/// The task that keeps the link.
pub struct CoreLinkTask {
    endpoint: CoreEndpoint,
    requests: mpsc::Receiver<Request>,
    feeds: Vec<mpsc::Sender<CoreNews>>,
}

impl CoreLink {
    /// A link to this core. Nothing happens before the task [runs](CoreLinkTask::run).
    pub fn new(endpoint: CoreEndpoint) -> (Self, CoreLinkTask) {
        let (sender, requests) = mpsc::channel(REQUESTS);
        (Self(sender), CoreLinkTask { endpoint, requests, feeds: Vec::new() })
    }

    /// Asks something; `message` is an object with a `type`.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn ask<T: DeserializeOwned>(&self, message: Value) -> Result<T, CoreError> {
        let answer = self.request(message, None).await?;
        serde_json::from_value(answer).map_err(|error| CoreError::Unreadable(error.to_string()))
    }

    async fn request(&self, message: Value, events: Option<mpsc::Sender<CoreNews>>) -> Result<Value, CoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(Request { message, reply, events }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => CoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => CoreError::Away,
        })?;
        answer.await.unwrap_or(Err(CoreError::Away))
    }

    /// Has the core's automations hear of something, as an event of this type.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn fire(&self, event: &str, data: Value) -> Result<(), CoreError> {
        let fire = json!({ "type": "fire_event", "event_type": event, "event_data": data });
        self.ask::<Value>(fire).await.map(drop)
    }

    /// Calls a service on one entity; the answer may take as long as what it does.
    ///
    /// # Errors
    /// When it cannot be called.
    pub async fn call(&self, service: &str, entity: &str, data: Value) -> Result<(), CoreError> {
        let (domain, service) = service.split_once('.').unwrap_or(("homeassistant", service));
        let target = json!({ "entity_id": [entity] });
        let call = json!({
            "type": "call_service", "domain": domain, "service": service, "target": target, "service_data": data
        });
        self.ask::<Value>(call).await.map(drop)
    }

    /// Notifies somebody by one of the services for that; the answer comes when it is on its way.
    ///
    /// # Errors
    /// When it is not.
    pub async fn notify(&self, service: &str, data: Value) -> Result<(), CoreError> {
        let call = json!({ "type": "call_service", "domain": "notify", "service": service, "service_data": data });
        self.ask::<Value>(call).await.map(drop)
    }
}

impl CoreLinkTask {
    /// Somebody else who is told what the core tells.
    pub fn feed(&mut self, link: &CoreLink) -> CoreFeed {
        let (sender, news) = mpsc::channel(NEWS);
        self.feeds.push(sender.clone());
        CoreFeed { link: link.clone(), news, sender }
    }

    /// Keeps the link until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            tokio::select! {
                () = shutdown.cancelled() => return,
                ended = self.session() => match ended {
                    Ok(()) => {}
                    Err(SessionError::Token(why)) => {
                        tracing::error!(%why, "Home Assistant does not take the token: hass.token is wrong or was revoked");
                        pause = LAST_PAUSE;
                    }
                    Err(error) => tracing::warn!(%error, address = %self.endpoint.place(), "no link to Home Assistant"),
                },
            }
            for feed in &self.feeds {
                // Whoever is full reads it when they have read the rest.
                let _ = feed.send(CoreNews::Lost).await;
            }
            if began.elapsed() > LAST_PAUSE {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.decline_for(jittered(pause)) => {}
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// Tells whoever asks that there is no link, for so long.
    async fn decline_for(&mut self, pause: Duration) {
        let end = sleep(pause);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                Some(Request { reply, .. }) = self.requests.recv() => drop(reply.send(Err(CoreError::Away))),
            }
        }
    }

    /// One connection, from its first packet to its last.
    async fn session(&mut self) -> Result<(), SessionError> {
        let (socket, version) =
            timeout(HANDSHAKE_TIMEOUT, open(&self.endpoint)).await.map_err(|_| SessionError::Silent)??;
        tracing::info!(version, "linked to Home Assistant");
        self.feeds.iter().try_for_each(|feed| tell(feed, CoreNews::Connected(version.clone())))?;
        let (mut sink, mut stream) = socket.split();
        let mut open = Open::default();
        let (mut last_id, mut heard) = (0, Instant::now());
        let mut ping = interval(PING_INTERVAL);
        loop {
            let message = tokio::select! {
                message = stream.next() => {
                    heard = Instant::now();
                    match message.ok_or(SessionError::Closed)?? {
                        Message::Text(text) => open.take(&text)?,
                        Message::Close(_) => return Err(SessionError::Closed),
                        _ => {}
                    }
                    continue;
                }
                request = self.requests.recv() => {
                    let Some(Request { mut message, reply, events }) = request else { return Ok(()) };
                    last_id += 1;
                    message["id"] = last_id.into();
                    open.add(last_id, reply, events);
                    message
                }
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(SessionError::Silent);
                    }
                    last_id += 1;
                    json!({ "id": last_id, "type": "ping" })
                }
            };
            // One that does not read is as good as one that does not answer.
            let sent = timeout(SILENCE, sink.send(Message::text(message.to_string())));
            sent.await.map_err(|_| SessionError::Silent)??;
        }
    }
}

/// What was asked on one connection, and is to be answered.
#[derive(Default)]
struct Open {
    pending: HashMap<u64, Reply>,
    subscriptions: HashMap<u64, mpsc::Sender<CoreNews>>,
}

impl Open {
    fn add(&mut self, id: u64, reply: Reply, events: Option<mpsc::Sender<CoreNews>>) {
        self.pending.retain(|_, reply| !reply.is_closed());
        self.pending.insert(id, reply);
        self.subscriptions.extend(events.map(|events| (id, events)));
    }

    fn take(&mut self, text: &str) -> Result<(), SessionError> {
        match serde_json::from_str(text) {
            Ok(Incoming::Result { id, success, result, error }) => {
                let answer = success.then_some(result).ok_or_else(|| {
                    let Refusal { code, message } = error.unwrap_or_default();
                    CoreError::Refused { code, message }
                });
                if answer.is_err() {
                    self.subscriptions.remove(&id);
                }
                if let Some(reply) = self.pending.remove(&id) {
                    // Whoever asked may have gone.
                    let _ = reply.send(answer);
                }
                Ok(())
            }
            Ok(Incoming::Event { id, event }) => match self.subscriptions.get(&id) {
                Some(feed) => tell(feed, news_of(event)?),
                None => Ok(()),
            },
            Ok(_) => Ok(()),
            Err(error) => {
                // One message that is not understood says nothing of the next.
                tracing::debug!(%error, "a message of Home Assistant's cannot be read");
                Ok(())
            }
        }
    }
}

fn tell(feed: &mpsc::Sender<CoreNews>, news: CoreNews) -> Result<(), SessionError> {
    feed.try_send(news).map_err(|_| SessionError::Flooded)
}

/// An event of what was asked for: with its type, or else of entities.
fn news_of(event: Value) -> Result<CoreNews, serde_json::Error> {
    if event.get("event_type").is_some() {
        return serde_json::from_value(event).map(CoreNews::Event);
    }
    serde_json::from_value(event).map(CoreNews::Entities)
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error("{0}")]
    Socket(#[from] std::io::Error),
    #[error("{0}")]
    WebSocket(Box<tungstenite::Error>),
    #[error("a message cannot be read: {0}")]
    Message(#[from] serde_json::Error),
    #[error("it was closed")]
    Closed,
    #[error("it does not answer")]
    Silent,
    #[error("it tells more than can be read in time")]
    Flooded,
    #[error("it does not take the token: {0}")]
    Token(String),
}

impl From<tungstenite::Error> for SessionError {
    fn from(error: tungstenite::Error) -> Self {
        Self::WebSocket(Box::new(error))
    }
}

/// Opens a connection, and shows the token; gives the version of Home Assistant.
async fn open(endpoint: &CoreEndpoint) -> Result<(Socket, String), SessionError> {
    let connection = endpoint.connect().await?;
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    let (mut socket, _) =
        tokio_tungstenite::client_async_with_config(endpoint.socket(), connection, Some(limits)).await?;
    loop {
        let Message::Text(text) = socket.next().await.ok_or(SessionError::Closed)?? else { continue };
        match serde_json::from_str(&text)? {
            Incoming::AuthRequired => {
                let shown = json!({ "type": "auth", "access_token": endpoint.token() });
                socket.send(Message::text(shown.to_string())).await?;
            }
            Incoming::AuthOk { ha_version } => return Ok((socket, ha_version)),
            Incoming::AuthInvalid { message } => return Err(SessionError::Token(message)),
            _ => {}
        }
    }
}

/// Not all at the same moment after Home Assistant was restarted: up to a quarter more.
fn jittered(pause: Duration) -> Duration {
    let part = getrandom::u32().map_or(0.0, |number| f64::from(number) / f64::from(u32::MAX));
    pause.mul_f64(1.0 + part / 4.0)
}
