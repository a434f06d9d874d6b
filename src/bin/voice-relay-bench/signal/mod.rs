//! How connections are made: by the WebSocket protocol of `docs/protocol.md`, or by WHIP and WHEP.

mod websocket;
mod whip;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

use super::peer::{ClientPeer, PeerError};
use super::sender::Speaker;
use super::voice::SentLog;

pub(crate) use websocket::SignalSocket;
pub(crate) use whip::SessionUrl;

/// Whatever a server answers, it does so by then.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Via {
    /// The WebSocket protocol.
    Ws,
    /// WHIP (RFC 9725) for senders, WHEP (draft-ietf-wish-whep) for receivers.
    Whip,
}

/// A connection was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignalError {
    #[error("the server cannot be reached: {0}")]
    Io(#[from] io::Error),
    #[error("the WebSocket failed: {0}")]
    WebSocket(Box<tungstenite::Error>),
    #[error("the request failed: {0}")]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("the server refuses: {0}")]
    Refused(String),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server did not answer within {} s", PATIENCE.as_secs())]
    TooLate,
}

impl From<tungstenite::Error> for SignalError {
    fn from(error: tungstenite::Error) -> Self {
        Self::WebSocket(Box::new(error))
    }
}

/// A connection's signalling, which lives as long as the connection is to.
pub(crate) enum Call {
    Socket(SignalSocket),
    Resource(SessionUrl),
}

impl Call {
    /// Ends it.
    pub(crate) async fn hang_up(self) -> Result<(), SignalError> {
        match self {
            Self::Socket(socket) => in_time(socket.close()).await,
            Self::Resource(resource) => in_time(resource.delete()).await,
        }
    }
}

/// The server's door, and the way in.
#[derive(Debug, Clone)]
pub(crate) struct Signalling {
    pub(crate) server: SocketAddr,
    pub(crate) via: Via,
    http: reqwest::Client,
}

impl Signalling {
    /// Asks nobody yet.
    pub(crate) fn new(server: SocketAddr, via: Via) -> Result<Self, SignalError> {
        // A proxy, or a redirection, would lead the load elsewhere.
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { server, via, http })
    }

    /// Announces a sender under a name; gives what receivers are to ask for.
    pub(crate) async fn publish(&self, name: &str, speaker: &mut Speaker) -> Result<(String, Call), SignalError> {
        match self.via {
            Via::Ws => in_time(websocket::publish(self.server, name, &mut speaker.peer)).await,
            Via::Whip => in_time(whip::publish(self, name, &mut speaker.peer)).await,
        }
    }

    /// Waits until a stream that was announced can be heard; its sender must be at it by now.
    pub(crate) async fn wait_for(&self, stream: &str, log: &SentLog, call: &mut Call) -> Result<(), SignalError> {
        match call {
            Call::Socket(socket) => in_time(socket.wait_for(stream)).await,
            // Nobody tells.
            Call::Resource(_) => in_time(whip::wait_for(log)).await,
        }
    }

    /// Connects a receiver to that stream.
    pub(crate) async fn hear(&self, stream: &str, peer: &mut ClientPeer) -> Result<Call, SignalError> {
        match self.via {
            Via::Ws => in_time(websocket::hear(self.server, stream, peer)).await,
            Via::Whip => in_time(whip::hear(self, stream, peer)).await,
        }
    }
}

async fn in_time<T>(act: impl Future<Output = Result<T, SignalError>>) -> Result<T, SignalError> {
    timeout(PATIENCE, act).await.map_err(|_| SignalError::TooLate)?
}
