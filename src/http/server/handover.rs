//! How a connection leaves hyper: a reply may carry a [`Handover`], which gets the socket instead of
//! a body being written.

use std::convert::Infallible;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use warp::http::Version;
use warp::http::response::Parts;
use warp::reply::Response;

/// Bytes read at once. Requests are short.
const READ_SIZE: usize = 4_096;

type Board = Box<dyn FnOnce(TcpStream, Version, Parts) -> Boarding + Send>;
type Boarding = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An extension of a reply: what to do with the socket, the request's version, and the head that is
/// not written yet. Only the server takes it out.
#[derive(Clone)]
pub(in crate::http) struct Handover(Arc<Mutex<Option<Board>>>);

impl Handover {
    pub(in crate::http) fn new<F>(board: impl FnOnce(TcpStream, Version, Parts) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let board: Board = Box::new(|socket, version, head| Box::pin(board(socket, version, head)));
        Self(Arc::new(Mutex::new(Some(board))))
    }
}

/// A reply on its way out, for whoever holds the socket.
pub(super) struct Departure {
    handover: Handover,
    version: Version,
    head: Parts,
}

impl Departure {
    pub(super) async fn go(self, socket: TcpStream) {
        let board = self.handover.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(board) = board {
            board(socket, self.version, self.head).await;
        }
    }
}

/// Where a connection's replies pass: those that take the socket along are kept from hyper.
#[derive(Clone)]
pub(super) struct Exit(Arc<Mutex<Option<oneshot::Sender<Departure>>>>);

impl Exit {
    pub(super) fn new() -> (Self, oneshot::Receiver<Departure>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(sender)))), receiver)
    }

    pub(super) async fn pass(&self, mut reply: Response, version: Version) -> Result<Response, Infallible> {
        let Some(handover) = reply.extensions_mut().remove::<Handover>() else { return Ok(reply) };
        let departure = Departure { handover, version, head: reply.into_parts().0 };
        let exit = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(exit) = exit {
            // The error: the connection is over, and so is this future.
            let _ = exit.send(departure);
        }
        // hyper must not answer; it is dropped now.
        std::future::pending().await
    }
}

/// A socket for hyper, which it has to give back.
pub(super) struct SharedIo(pub(super) Arc<TcpStream>);

impl Read for SharedIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; READ_SIZE];
        let length = buffer.remaining().min(READ_SIZE);
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(&mut bytes[..length]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(read) => {
                    buffer.put_slice(&bytes[..read]);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl SharedIo {
    fn poll_try(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match write(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl Write for SharedIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_try(cx, |socket| socket.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_try(cx, |socket| socket.try_write_vectored(pieces))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What the kernel took is on its way.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.0).shutdown(Shutdown::Write))
    }
}
