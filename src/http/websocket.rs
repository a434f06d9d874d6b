//! Requests that become WebSockets (RFC 6455 4.2), with buffers of a size that suits short messages: those of warp's own
//! WebSockets take 128 KB for every client.

use std::future::Future;

use headers::{Connection, HeaderMapExt, SecWebsocketAccept, SecWebsocketKey, Upgrade};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use warp::http::StatusCode;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

/// Bytes read at a time; an offer comes in one or two pieces.
const READ_BUFFER: usize = 4 << 10;

/// The version of the protocol, the only one there is.
const VERSION: &str = "13";

/// A WebSocket on whichever connection it came.
pub(super) type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// A request that would become one.
pub(super) struct Upgrading {
    key: SecWebsocketKey,
    connection: OnUpgrade,
}

/// Passes requests for a WebSocket only.
pub(super) fn requests() -> impl Filter<Extract = (Upgrading,), Error = Rejection> + Clone + Send + Sync {
    warp::get()
        .and(warp::header::exact_ignore_case("upgrade", "websocket"))
        .and(warp::header::exact("sec-websocket-version", VERSION))
        .and(warp::filters::header::headers_cloned())
        .and(warp::ext::get::<OnUpgrade>())
        .and_then(|headers: warp::http::HeaderMap, connection| async move {
            let key = headers.typed_get::<SecWebsocketKey>();
            key.map(|key| Upgrading { key, connection }).ok_or_else(warp::reject::not_found)
        })
}

impl Upgrading {
    /// Agrees, and serves the client in a task of its own. Messages longer than `longest` bytes end the connection.
    pub(super) fn accept<F>(self, longest: usize, serve: impl FnOnce(WebSocket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(longest))
            .max_frame_size(Some(longest));
        tokio::spawn(async move {
            match self.connection.await {
                Ok(upgraded) => {
                    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config));
                    serve(socket.await).await;
                }
                Err(error) => tracing::debug!(%error, "a client left before its WebSocket was open"),
            }
        });
        let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
        response.headers_mut().typed_insert(Connection::upgrade());
        response.headers_mut().typed_insert(Upgrade::websocket());
        response.headers_mut().typed_insert(SecWebsocketAccept::from(self.key));
        response
    }
}
