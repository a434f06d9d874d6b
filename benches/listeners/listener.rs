//! One listener: its request, and what it hears of the body.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Whoever has heard nothing for so long is alive no more.
const FRESH: Duration = Duration::from_secs(5);

/// Why a listener's lock can be had.
pub(crate) const UNBROKEN: &str = "nobody panics who holds it";

/// What a listener has heard.
#[derive(Default)]
pub(crate) struct Listener {
    /// From the begin of the connection to the first byte of the body.
    pub(crate) first_byte: Option<Duration>,
    /// When something of the body came.
    last: Option<Instant>,
    /// Since the last reset, as the next two.
    longest_gap: Duration,
    pub(crate) body: usize,
    /// One for each write of the server; fewer when the machine is too busy for us.
    pub(crate) reads: usize,
    /// Why nothing more will come.
    pub(crate) ended: Option<String>,
}

/// Asks for this path and listens, until the server ends it.
pub(crate) async fn listen(listener: &Mutex<Listener>, server: SocketAddr, path: &str) {
    let Err(end) = hear(listener, server, path).await;
    listener.lock().expect(UNBROKEN).ended = Some(end.to_string());
}

async fn hear(listener: &Mutex<Listener>, server: SocketAddr, path: &str) -> io::Result<Infallible> {
    let begun = Instant::now();
    let mut socket = BufReader::new(TcpStream::connect(server).await?);
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: {server}\r\n\r\n").as_bytes()).await?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        read(socket.read_line(&mut head).await?)?;
    }
    let mut framing = Framing::of(&head.to_lowercase())?;
    loop {
        let bytes = socket.fill_buf().await?;
        let (length, body) = (read(bytes.len())?, framing.count(bytes)?);
        socket.consume(length);
        if body > 0 {
            listener.lock().expect(UNBROKEN).note(body, begun);
        }
    }
}

/// So many bytes; none is the end.
fn read(length: usize) -> io::Result<usize> {
    if length == 0 { Err(io::Error::other("the server closed the connection")) } else { Ok(length) }
}

impl Listener {
    /// Whether there is nothing yet, and still may be.
    pub(crate) fn is_pending(&self) -> bool {
        self.first_byte.is_none() && self.ended.is_none()
    }

    /// Counts anew.
    pub(crate) fn reset(&mut self) {
        (self.longest_gap, self.body, self.reads) = (Duration::ZERO, 0, 0);
    }

    fn note(&mut self, body: usize, begun: Instant) {
        let now = Instant::now();
        self.body += body;
        self.reads += 1;
        self.first_byte.get_or_insert(now - begun);
        self.longest_gap = self.longest_gap.max(now - self.last.unwrap_or(now));
        self.last = Some(now);
    }

    /// Whether it still hears something.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        self.ended.is_none() && self.last.is_some_and(|last| now - last < FRESH)
    }

    /// Seconds without sound, those up to now among them.
    pub(crate) fn longest_gap(&self, now: Instant) -> f64 {
        self.last.map_or(f64::INFINITY, |last| self.longest_gap.max(now - last).as_secs_f64())
    }
}

/// How a body is marked off (RFC 9112 6.3), and where in it we are.
enum Framing {
    /// All is body.
    Close,
    /// In the line before a chunk, with the size that it has told so far.
    Size(usize),
    /// In a chunk, or in the line end after it: so many bytes of both are to come.
    Chunk(usize),
}

impl Framing {
    /// What the head, in lower case, says.
    fn of(head: &str) -> io::Result<Self> {
        let status = head.lines().next().unwrap_or_default();
        if status.split(' ').nth(1) != Some("200") {
            return Err(io::Error::other(format!("the answer is {status}")));
        }
        Ok(if head.contains("\r\ntransfer-encoding: chunked\r\n") { Self::Size(0) } else { Self::Close })
    }

    /// How many of the next bytes are body.
    fn count(&mut self, mut bytes: &[u8]) -> io::Result<usize> {
        let mut body = 0;
        while let Some((&byte, rest)) = bytes.split_first() {
            (*self, bytes) = match *self {
                Self::Close => return Ok(bytes.len()),
                Self::Size(size) if byte == b'\n' => (Self::Chunk(size + 2), rest),
                Self::Size(size) if byte == b'\r' => (Self::Size(size), rest),
                Self::Size(size) => {
                    let digit = char::from(byte).to_digit(16).ok_or_else(|| io::Error::other("no size of a chunk"))?;
                    (Self::Size(size * 16 + digit as usize), rest)
                }
                Self::Chunk(left) => {
                    let taken = left.min(bytes.len());
                    body += taken.min(left.saturating_sub(2));
                    let next = if taken == left { Self::Size(0) } else { Self::Chunk(left - taken) };
                    (next, &bytes[taken..])
                }
            };
        }
        Ok(body)
    }
}
