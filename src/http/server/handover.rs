//! How a connection leaves hyper: a reply may carry a [`Handover`], which gets the socket instead of
//! a body being written.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use warp::http::Version;
use warp::http::response::Parts;
use warp::reply::Response;

use super::Socket;

type OnUpgrade = Box<dyn FnOnce(Socket, Version, Parts) -> UpgradeFuture + Send>;
type UpgradeFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An extension of a reply: what to do with the socket, the request's version, and the head that is
/// not written yet. Only the server takes it out.
#[derive(Clone)]
pub(in crate::http) struct Handover(Arc<Mutex<Option<OnUpgrade>>>);

impl Handover {
    pub(in crate::http) fn new<F>(board: impl FnOnce(Socket, Version, Parts) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let board: OnUpgrade = Box::new(|socket, version, head| Box::pin(board(socket, version, head)));
        Self(Arc::new(Mutex::new(Some(board))))
    }
}

/// A reply on its way out, for whoever holds the socket.
pub(super) struct UpgradedReply {
    handover: Handover,
    version: Version,
    head: Parts,
}

impl UpgradedReply {
    pub(super) async fn go(self, socket: Socket) {
        let board = self.handover.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(board) = board {
            board(socket, self.version, self.head).await;
        }
    }
}

/// Where a connection's replies pass: those that take the socket along are kept from hyper.
#[derive(Clone)]
pub(super) struct ReplyPath(Arc<Mutex<Option<oneshot::Sender<UpgradedReply>>>>);

impl ReplyPath {
    pub(super) fn new() -> (Self, oneshot::Receiver<UpgradedReply>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(sender)))), receiver)
    }

    pub(super) async fn pass(&self, mut reply: Response, version: Version) -> Result<Response, Infallible> {
        let Some(handover) = reply.extensions_mut().remove::<Handover>() else { return Ok(reply) };
        let departure = UpgradedReply { handover, version, head: reply.into_parts().0 };
        let exit = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(exit) = exit {
            // The error: the connection is over, and so is this future.
            let _ = exit.send(departure);
        }
        // hyper must not answer; it is dropped now.
        std::future::pending().await
    }
}

/// A connection for hyper, which it has to give back. The lock is never waited for: hyper uses it in one
/// task at a time.
pub(super) struct SharedIo<S>(Arc<Mutex<TokioIo<S>>>);

impl<S> SharedIo<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(TokioIo::new(stream))))
    }

    /// Another for the same connection.
    pub(super) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// The connection, once nobody else has it.
    pub(super) fn into_inner(self) -> Option<S> {
        let io = Arc::into_inner(self.0)?.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some(io.into_inner())
    }

    fn lock(&self) -> MutexGuard<'_, TokioIo<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + Unpin> Read for SharedIo<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> Write for SharedIo<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}
