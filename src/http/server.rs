//! One accept loop for every HTTP port, with TLS or without: who is let in, how long they may take, and how it
//! all ends.
//!
//! warp routes the requests; its own server gives no access to the socket, which we need for the
//! client's address and for bounds on a listener that stops reading.

mod handover;
mod handshake;
mod socket;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use socket2::{Domain, SockRef, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use crate::limits::Places;
use crate::net::Admission;

use handover::{ReplyPath, SharedIo, UpgradedReply};

pub(super) use handover::Handover;
pub use handshake::{HandshakeStats, Handshakes};
pub(super) use socket::Socket;

/// A client must have sent its request's head by then.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a request's head. Without a bound of ours, each connection may keep 400 KB of one that never ends.
const MAX_HEAD: usize = 16 << 10;

/// A client that acknowledges nothing, or reads nothing, for so long is cut off.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(20);

/// What may wait in the kernel for one client: two seconds of MP3, not the minutes it would take by itself.
const SEND_BUFFER: usize = 32 * 1_024;

/// Pause after the operating system refused a connection (too many files open), before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Address of the client of a request, as an extension of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// What one port counts.
#[derive(Debug, Default)]
pub struct PortStats {
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections from addresses that `access` excludes: closed unanswered.
    pub foreign: AtomicU64,
    /// Connections over `limits.connections`: closed unanswered.
    pub full: AtomicU64,
    serving: AtomicBool,
}

impl PortStats {
    /// Whether its accept loop runs at this moment.
    pub fn is_serving(&self) -> bool {
        self.serving.load(Ordering::Relaxed)
    }
}

/// A port that listens, but serves nobody yet.
pub struct HttpPort {
    listener: TcpListener,
    address: SocketAddr,
    places: Places,
    handshakes: Option<Arc<Handshakes>>,
}

impl HttpPort {
    /// Binds it, for as many connections at once as there are places. `::` takes IPv4 as well; where the kernel has no IPv6, it means `0.0.0.0`.
    ///
    /// # Errors
    /// When the port is in use, or the address is not of this machine.
    pub fn bind(address: IpAddr, port: u16, places: Places) -> io::Result<Self> {
        let listener = match listen(SocketAddr::new(address, port)) {
            Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) && address.is_unspecified() => {
                listen(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))
            }
            result => result,
        }?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, places, handshakes: None })
    }

    /// Speaks TLS there.
    pub fn with_tls(self, handshakes: Handshakes) -> Self {
        Self { handshakes: Some(Arc::new(handshakes)), ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then lets requests under way end. Each connection is a task of `tracker`.
    pub async fn serve<S>(
        self,
        service: S,
        admission: Arc<Admission>,
        stats: Arc<PortStats>,
        shutdown: CancellationToken,
        tracker: TaskTracker,
    ) where
        S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        stats.serving.store(true, Ordering::Relaxed);
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, client)) if admission.admits(client.ip()) => {
                    let Ok(place) = self.places.take(&client.ip().into()) else {
                        stats.full.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    stats.accepted.fetch_add(1, Ordering::Relaxed);
                    let welcome = welcome(stream, client, self.handshakes.clone(), service.clone(), shutdown.clone());
                    tracker.spawn(async move {
                        welcome.await;
                        drop(place);
                    });
                }
                Ok(_) => drop(stats.foreign.fetch_add(1, Ordering::Relaxed)),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        stats.serving.store(false, Ordering::Relaxed);
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for the connections of before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Serves a client, after the handshake where there is to be one.
async fn welcome<S>(
    stream: TcpStream,
    client: SocketAddr,
    handshakes: Option<Arc<Handshakes>>,
    service: S,
    shutdown: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    if let Err(error) = bound_waiting(&stream) {
        tracing::debug!(%error, "a connection went before it was served");
        return;
    }
    match handshakes {
        None => serve_connection(stream, client, service, shutdown).await,
        Some(handshakes) => {
            if let Some(Some(stream)) = shutdown.run_until_cancelled(handshakes.shake(stream, client.ip())).await {
                serve_connection(stream, client, service, shutdown).await;
            }
        }
    }
}

async fn serve_connection<C, S>(connection: C, client: SocketAddr, service: S, shutdown: CancellationToken)
where
    C: AsyncRead + AsyncWrite + TryInto<Socket, Error = io::Error> + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let io = SharedIo::new(connection);
    if let Some(departure) = converse(io.share(), client, service, shutdown).await
        && let Some(connection) = io.into_inner()
    {
        match connection.try_into() {
            Ok(socket) => departure.go(socket).await,
            Err(error) => tracing::debug!(%error, "a connection went before it was taken over"),
        }
    }
}

/// Answers requests until the connection ends, or leaves with a reply that takes the socket along.
async fn converse<C, S>(
    io: SharedIo<C>,
    client: SocketAddr,
    service: S,
    shutdown: CancellationToken,
) -> Option<UpgradedReply>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let (exit, departed) = ReplyPath::new();
    let address = ClientAddress(client.ip().to_canonical());
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(address);
        let (version, exit) = (request.version(), exit.clone());
        let reply = service.clone().call(request);
        async move { exit.pass(reply.await?, version).await }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD);
    let connection = server.serve_connection(io, service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        Ok(departure) = departed => return Some(departure),
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
    None
}

/// Bounds what a client that reads slowly, or not at all, can hold.
fn bound_waiting(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_tcp_user_timeout(Some(UNREAD_TIMEOUT))
}
