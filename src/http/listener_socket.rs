//! One listener's socket: what is still to be written to it, and how long it may let that wait.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::time::Instant;

use crate::access::Permit;
use crate::limits::Place;
use crate::rooms::{ListenerKind, Listening, RoomsHandle};

use super::server::Socket;

/// A listener that takes nothing for so long is dropped.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A listener may be behind by so much, besides what its kernel buffer holds; then it skips to the present.
pub(super) const MAX_BEHIND: Duration = Duration::from_secs(2);

/// Bytes of audio between two pieces of ICY metadata.
pub(super) const ICY_INTERVAL: usize = 16_000;

/// What listeners to live audio count.
#[derive(Debug, Default)]
pub struct ListenerStats {
    /// Those dropped because they stopped reading.
    pub dropped: AtomicU64,
    /// Pieces of audio that slow ones missed.
    pub skipped: AtomicU64,
    /// Pieces of audio written.
    pub writes: AtomicU64,
}

/// A listener's permit, its place under `limits.mp3_listeners`, and that those in the room know of it.
pub(super) struct Hearing {
    permit: Permit,
    _place: Place,
    _listening: Option<Listening>,
}

impl Hearing {
    /// From now on.
    pub(super) fn begin(permit: Permit, place: Place, rooms: &RoomsHandle) -> Self {
        let called = permit.visitor().called();
        let listen = |room| rooms.listen(room, permit.granted(), &called, ListenerKind::Player);
        let listening = permit.room().and_then(listen);
        Self { permit, _place: place, _listening: listening }
    }
}

/// How the body is marked off (RFC 9112 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Chunks, and an empty one at the end.
    Chunked,
    /// The connection closes at the end.
    Close,
}

/// A piece of audio for everybody, framed both ways.
#[derive(Clone, Default)]
pub(super) struct Piece {
    raw: Bytes,
    chunked: Bytes,
}

impl Piece {
    pub(super) fn new(raw: Bytes) -> Self {
        let chunked = if raw.is_empty() { Bytes::new() } else { chunk(&raw) };
        Self { raw, chunked }
    }

    /// Memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.raw.len() + self.chunked.len()
    }

    #[cfg(test)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.raw.as_ptr() == other.raw.as_ptr()
    }
}

/// A listener.
pub(super) struct ListenerSocket {
    socket: Socket,
    framing: Framing,
    /// Messages that are written at once.
    pub(super) messages_a_write: usize,
    /// Whole pieces, but for the first, of which a part may be written.
    waiting: VecDeque<UnwrittenPiece>,
    waiting_bytes: usize,
    max_waiting: usize,
    last_progress: Instant,
    icy: Option<Box<Icy>>,
    stats: Arc<ListenerStats>,
    hearing: Hearing,
}

/// What is still to be written.
struct UnwrittenPiece {
    bytes: Bytes,
    /// After it, bytes of audio until the next metadata, if there is any.
    icy_left: usize,
}

/// Metadata in a listener's audio.
struct Icy {
    /// Bytes of audio until the next.
    left: usize,
    /// `None`: it is not known whether what was said last got there.
    said: Option<Arc<str>>,
}

/// The listener is gone, or was dropped.
#[derive(Debug)]
pub(super) struct ListenerGone;

impl ListenerSocket {
    /// A listener whose answer begins with `head`, unframed, and then `prelude`. `max_waiting`: bytes
    /// that it may be behind, besides those.
    pub(super) fn new(
        socket: Socket,
        head: Bytes,
        framing: Framing,
        messages_a_write: usize,
        max_waiting: usize,
        stats: Arc<ListenerStats>,
        hearing: Hearing,
    ) -> Self {
        let max_waiting = max_waiting + head.len();
        let waiting_bytes = head.len();
        let waiting = VecDeque::from([UnwrittenPiece { bytes: head, icy_left: ICY_INTERVAL }]);
        let last_progress = Instant::now();
        Self {
            socket,
            framing,
            messages_a_write,
            waiting,
            waiting_bytes,
            max_waiting,
            last_progress,
            icy: None,
            stats,
            hearing,
        }
    }

    /// Puts metadata into the audio from now on.
    pub(super) fn with_icy(mut self) -> Self {
        self.icy = Some(Box::new(Icy { left: ICY_INTERVAL, said: Some(Arc::from("")) }));
        self
    }

    /// Has these written after the head, whatever their length.
    pub(super) fn begin(&mut self, first: &[Piece], title: &Arc<str>) -> Result<(), ListenerGone> {
        for piece in first {
            self.max_waiting += piece.chunked.len();
            self.add(piece, title);
        }
        self.stats.writes.fetch_add(1, Ordering::Relaxed);
        self.flush()
    }

    /// Writes a piece, or as much as the socket takes of it; the rest waits.
    pub(super) fn write(&mut self, piece: &Piece, title: &Arc<str>) -> Result<(), ListenerGone> {
        self.add(piece, title);
        self.stats.writes.fetch_add(1, Ordering::Relaxed);
        self.flush()
    }

    fn add(&mut self, piece: &Piece, title: &Arc<str>) {
        if self.icy.is_some() {
            self.enqueue_with_metadata(piece.raw.clone(), title);
        } else if !piece.raw.is_empty() {
            let piece = if self.framing == Framing::Chunked { &piece.chunked } else { &piece.raw };
            self.enqueue(piece.clone());
        }
    }

    /// Whether its listener may hear no more.
    pub(super) fn is_over(&self) -> bool {
        self.hearing.permit.is_ended()
    }

    /// Ends the answer as its framing demands, as far as the socket takes it.
    pub(super) fn end(mut self) {
        if self.framing == Framing::Chunked {
            self.enqueue(Bytes::from_static(b"0\r\n\r\n"));
        }
        // What it does not take now, it would not take in time either.
        let _ = self.flush();
        self.socket.close();
    }

    fn enqueue(&mut self, piece: Bytes) {
        self.make_room(piece.len());
        self.push(piece);
    }

    fn push(&mut self, bytes: Bytes) {
        self.waiting_bytes += bytes.len();
        let icy_left = self.icy.as_ref().map_or(0, |icy| icy.left);
        self.waiting.push_back(UnwrittenPiece { bytes, icy_left });
    }

    /// Skips to the present if so much more would be too much.
    fn make_room(&mut self, length: usize) {
        if self.waiting_bytes + length <= self.max_waiting {
            return;
        }
        let dropped = self.waiting.len().saturating_sub(1);
        self.stats.skipped.fetch_add(dropped as u64, Ordering::Relaxed);
        self.waiting.truncate(1);
        let rest = self.waiting.front();
        self.waiting_bytes = rest.map_or(0, |rest| rest.bytes.len());
        if let (Some(icy), Some(rest)) = (self.icy.as_mut(), rest) {
            // The listener counts what it gets.
            (icy.left, icy.said) = (rest.icy_left, None);
        }
    }

    /// As above, with the metadata where it is due.
    fn enqueue_with_metadata(&mut self, mut audio: Bytes, title: &Arc<str>) {
        // Before the metadata is placed, which therefore may go over the limit.
        self.make_room(audio.len());
        let mut out = BytesMut::new();
        let Some(icy) = self.icy.as_mut() else { return };
        while !audio.is_empty() {
            let part = audio.split_to(icy.left.min(audio.len()));
            icy.left -= part.len();
            out.put(part);
            if icy.left == 0 {
                icy.left = ICY_INTERVAL;
                out.put(metadata((icy.said.as_ref() != Some(title)).then_some(title)));
                icy.said = Some(Arc::clone(title));
            }
        }
        let out = out.freeze();
        if !out.is_empty() {
            self.push(if self.framing == Framing::Chunked { chunk(&out) } else { out });
        }
    }

    fn flush(&mut self) -> Result<(), ListenerGone> {
        while let Some(UnwrittenPiece { bytes: piece, .. }) = self.waiting.front_mut() {
            match self.socket.try_write(piece) {
                Ok(written) => {
                    self.waiting_bytes -= written;
                    self.last_progress = Instant::now();
                    piece.advance(written);
                    if piece.is_empty() {
                        self.waiting.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.bear_with(),
                Err(_) => return Err(ListenerGone),
            }
        }
        // Its memory too: between two writes thousands wait for nothing.
        self.waiting = VecDeque::new();
        self.last_progress = Instant::now();
        Ok(())
    }

    fn bear_with(&self) -> Result<(), ListenerGone> {
        if self.last_progress.elapsed() < STALL_TIMEOUT {
            return Ok(());
        }
        self.stats.dropped.fetch_add(1, Ordering::Relaxed);
        Err(ListenerGone)
    }
}

/// One chunk of a chunked body (RFC 9112 7.1).
fn chunk(data: &Bytes) -> Bytes {
    let mut chunk = BytesMut::with_capacity(data.len() + 12);
    chunk.put_slice(format!("{:x}\r\n", data.len()).as_bytes());
    chunk.put_slice(data);
    chunk.put_slice(b"\r\n");
    chunk.freeze()
}

/// A block of ICY metadata: its length in 16 bytes, then the text, filled up with zeros. Without news, an empty one.
fn metadata(title: Option<&Arc<str>>) -> Bytes {
    let Some(title) = title else { return Bytes::from_static(&[0]) };
    let text = format!("StreamTitle='{}';", title.replace('\'', "’"));
    let blocks = text.len().div_ceil(16).min(255);
    let mut block = BytesMut::with_capacity(1 + blocks * 16);
    block.put_u8(blocks as u8);
    block.put_slice(&text.as_bytes()[..text.len().min(blocks * 16)]);
    block.resize(1 + blocks * 16, 0);
    block.freeze()
}

#[cfg(test)]
mod tests;
