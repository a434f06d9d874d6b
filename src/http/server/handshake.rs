//! How a connection to the TLS port begins: within a time, a bounded number at once; and a word for those
//! who speak plain HTTP there.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use warp::http::header::{HOST, HeaderValue, LOCATION};
use warp::http::uri::Authority;
use warp::http::{Method, StatusCode};
use warp::reply::Response;

use crate::http::reply::{text, with};
use crate::limits::Places;

/// The first byte of a TLS connection: a record that holds a handshake (RFC 8446 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// What the TLS port counts, besides its connections.
#[derive(Debug, Default)]
pub struct HandshakeStats {
    /// Handshakes that came to their end.
    pub completed: AtomicU64,
    /// Those that failed: no TLS, no version in common, a client that went away.
    pub failed: AtomicU64,
    /// Those that were not done in time.
    pub timed_out: AtomicU64,
    /// Those that were not begun, because there were too many.
    pub refused: AtomicU64,
    /// Clients that spoke plain HTTP, and were told the right address.
    pub plain: AtomicU64,
}

impl HandshakeStats {
    /// Each with its name and what it counts.
    pub(in crate::http) fn counters(&self) -> [(&'static str, &'static str, &AtomicU64); 5] {
        [
            ("handshakes", "TLS handshakes completed", &self.completed),
            ("handshakes_failed", "TLS handshakes that failed", &self.failed),
            ("handshakes_timed_out", "TLS handshakes not done in time", &self.timed_out),
            ("handshakes_refused", "TLS connections closed because too many handshakes were under way", &self.refused),
            ("handshakes_plain", "Plain HTTP requests to the TLS port", &self.plain),
        ]
    }
}

/// The door of the TLS port.
pub struct Handshakes {
    acceptor: TlsAcceptor,
    places: Places,
    timeout: Duration,
    stats: Arc<HandshakeStats>,
}

impl Handshakes {
    /// At most so many at once, each within the time.
    pub fn new(acceptor: TlsAcceptor, places: Places, timeout: Duration, stats: Arc<HandshakeStats>) -> Self {
        Self { acceptor, places, timeout, stats }
    }

    /// Shakes hands. `None`: it came to nothing, and the connection is closed.
    pub(super) async fn shake(&self, stream: TcpStream, client: IpAddr) -> Option<TlsStream<TcpStream>> {
        let Ok(_place) = self.places.take(&client.into()) else {
            self.count(&self.stats.refused);
            return None;
        };
        match tokio::time::timeout(self.timeout, self.begin(stream)).await {
            Ok(Ok(Some(stream))) => {
                self.count(&self.stats.completed);
                return Some(stream);
            }
            Ok(Ok(None)) => self.count(&self.stats.plain),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                self.count(&self.stats.failed);
            }
            Err(_) => self.count(&self.stats.timed_out),
        }
        None
    }

    /// `None`: it was plain HTTP, and is answered.
    async fn begin(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let mut first = [0];
        stream.peek(&mut first).await?;
        // Every method of HTTP begins with one.
        if first[0] != HANDSHAKE_RECORD && first[0].is_ascii_uppercase() {
            show_the_way(stream).await;
            return Ok(None);
        }
        self.acceptor.accept(stream).await.map(Some)
    }

    fn count(&self, counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Answers one plain request with the address that it should have had.
async fn show_the_way(stream: TcpStream) {
    let answer = |request: Request<Incoming>| std::future::ready(Ok::<_, Infallible>(the_way(&request)));
    let service = hyper::service::service_fn(answer);
    let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a plain request to the TLS port ended early");
    }
}

fn the_way(request: &Request<Incoming>) -> Response {
    let reading = [Method::GET, Method::HEAD].contains(request.method());
    let host = request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let address = host.and_then(|host| HeaderValue::try_from(format!("https://{host}{path}")).ok());
    match address.filter(|_| reading) {
        Some(address) => with(text(StatusCode::TEMPORARY_REDIRECT, "This port speaks TLS"), LOCATION, address),
        None => text(StatusCode::BAD_REQUEST, "This port speaks TLS: its address begins with https://"),
    }
}
