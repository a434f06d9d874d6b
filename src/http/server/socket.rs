//! A client's socket that has left hyper: whoever writes to it need not know whether it speaks TLS.
//!
//! It has left tokio too. Nobody waits for it: what it does not take at one write, it is offered with the next. The
//! runtime's own record of it, and the task that once waited for its request, would be a quarter of a listener's memory.

use std::io::{self, Write};
use std::net::TcpStream;

use tokio_rustls::rustls::ServerConnection;
use tokio_rustls::server::TlsStream;

/// Bytes that may wait, encrypted, besides the kernel's buffer: one record of TLS and its head.
const MAX_SEALED: usize = 17 * 1_024;

/// A socket to write to without waiting.
pub(in crate::http) enum Socket {
    /// As it is.
    Plain(TcpStream),
    /// Below TLS.
    Tls(Box<TlsSocket>),
}

/// A socket with the session that encrypts what is written. What the client says is not read any more.
pub(in crate::http) struct TlsSocket {
    tcp: TcpStream,
    session: ServerConnection,
}

impl TryFrom<tokio::net::TcpStream> for Socket {
    type Error = io::Error;

    fn try_from(tcp: tokio::net::TcpStream) -> io::Result<Self> {
        // It stays as tokio has it: no write to it waits.
        tcp.into_std().map(Self::Plain)
    }
}

impl TryFrom<TlsStream<tokio::net::TcpStream>> for Socket {
    type Error = io::Error;

    fn try_from(stream: TlsStream<tokio::net::TcpStream>) -> io::Result<Self> {
        let (tcp, mut session) = stream.into_inner();
        session.set_buffer_limit(Some(MAX_SEALED));
        Ok(Self::Tls(Box::new(TlsSocket { tcp: tcp.into_std()?, session })))
    }
}

impl Socket {
    /// Writes as much as is taken without waiting.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is; others when the client is gone.
    pub(in crate::http) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(sealed) => sealed.try_write(bytes),
        }
    }

    /// Closes it; by TLS's own word before, as far as that is taken without waiting.
    pub(in crate::http) fn close(self) {
        if let Self::Tls(mut sealed) = self {
            sealed.session.send_close_notify();
            // A client that does not take it is closed upon all the same.
            let _ = sealed.flush();
        }
    }
}

impl TlsSocket {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What was sealed before goes first, so that never more than one buffer of it waits.
        self.flush()?;
        let taken = self.session.writer().write(bytes)?;
        match self.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.tcp)?;
        }
        Ok(())
    }
}
