//! Where tracks come from: a peer's m-line, this machine, another core.

use std::time::{Duration, Instant};

use crate::domain::{PeerId, StreamId, Track};

use super::{ConsumerKey, Context, Router};
use crate::core::packet::{IngressPacket, Mid, Packet, Position, SenderSequence};
use crate::core::ports::{LocalPacket, RemotePacket};
use crate::core::stats::DropReason;

/// Packets that were under way when their sender said that it has ended come within this time. Nobody begins to talk again
/// so soon.
const TRAILING: Duration = Duration::from_millis(150);

/// Packets that come from no wire carry no SSRC, and their tracks never change it.
const NO_SSRC: u32 = 0;

/// Source of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A peer, a track of which may be of several.
    Peer(PeerId),
    /// This very machine.
    Local {
        /// Sequence number of its next packet.
        next_sequence: u64,
    },
    /// Another core, by a pipe.
    Remote,
}

/// What a peer is to the router: what it sends, and what it hears.
#[derive(Debug, Default)]
pub(super) struct Endpoint {
    /// Tracks that come from it, live or not.
    pub(super) feeds: Vec<StreamId>,
    /// M-lines on which their packets come.
    pub(super) lines: Vec<IngressLine>,
    /// Whatever it sends goes no further.
    pub(super) only_listens: bool,
    /// Bytes of Opus that came from it, ever.
    pub(super) bytes_in: u64,
    pub(super) consumer: Option<ConsumerKey>,
}

/// M-line on which a peer feeds a track.
#[derive(Debug, Clone, Copy)]
pub(super) struct IngressLine {
    /// `None`: whatever comes, on any line.
    pub(super) mid: Option<Mid>,
    pub(super) stream: Track,
    /// When its sender said that it has ended, until more comes.
    pub(super) ended: Option<Instant>,
}

impl IngressLine {
    pub(super) const fn new(mid: Option<Mid>, stream: Track) -> Self {
        Self { mid, stream, ended: None }
    }
}

/// `limits.streams` are being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The relay is full: {0} streams at once")]
pub struct TooManyStreams(pub usize);

impl Endpoint {
    /// What a packet of this m-line is of.
    fn line_of(&mut self, mid: Option<Mid>) -> Option<&mut IngressLine> {
        self.lines.iter_mut().find(|line| line.mid.is_none() || line.mid == mid)
    }
}

impl Router {
    /// The peer that feeds this track, or is about to.
    pub(in crate::core) fn peer_of(&self, id: StreamId) -> Option<PeerId> {
        match self.sources.get(&id)? {
            Source::Peer(peer) => Some(*peer),
            Source::Local { .. } | Source::Remote => None,
        }
    }

    /// Whether somebody here feeds this track, or is about to.
    pub(in crate::core) fn has_source(&self, id: StreamId) -> bool {
        self.sources.get(&id).is_some_and(|source| *source != Source::Remote)
    }

    /// A peer feeds this track from now on; gives the one that did before.
    pub(in crate::core) fn attach_publisher(&mut self, peer: PeerId, stream: Track) -> Option<PeerId> {
        let lines = vec![IngressLine::new(None, stream)];
        self.endpoints.insert(peer, Endpoint { feeds: vec![stream.id], lines, ..Endpoint::default() });
        match self.sources.insert(stream.id, Source::Peer(peer)) {
            Some(Source::Peer(former)) => Some(former),
            _ => None,
        }
    }

    /// A peer is gone, and with it all that it fed.
    pub(in crate::core) fn detach(&mut self, cx: &mut Context, peer: PeerId) {
        let Some(endpoint) = self.endpoints.remove(&peer) else { return };
        for id in endpoint.feeds {
            // Another peer may have taken the track over.
            if self.peer_of(id) == Some(peer) {
                self.sources.remove(&id);
                self.muted.remove(&id);
                self.end_track(cx, id);
            }
        }
        if let Some(key) = endpoint.consumer {
            self.remove_consumer(cx, key);
        }
    }

    /// The sender of a track said that what it was sending has ended: what is still under way begins it no more.
    pub(in crate::core) fn end_said(&mut self, cx: &mut Context, id: StreamId) {
        let lines = self.peer_of(id).and_then(|peer| self.endpoints.get_mut(&peer)).map(|endpoint| &mut endpoint.lines);
        if let Some(line) = lines.into_iter().flatten().find(|line| line.stream.id == id) {
            line.ended = Some(cx.now);
        }
        self.end_track(cx, id);
    }

    /// Takes a packet of a peer.
    pub(in crate::core) fn ingest_from_peer(&mut self, cx: &mut Context, peer: PeerId, ingress: IngressPacket) {
        let Some(endpoint) = self.endpoints.get_mut(&peer) else { return };
        if endpoint.feeds.is_empty() {
            return;
        }
        let Some(line) = endpoint.line_of(ingress.mid) else {
            return cx.count_drop(DropReason::Malformed);
        };
        let stream = line.stream;
        if let Some(ended) = line.ended {
            if cx.now.saturating_duration_since(ended) < TRAILING {
                return cx.count_drop(DropReason::Late);
            }
            line.ended = None;
        }
        if endpoint.only_listens {
            return cx.count_drop(DropReason::Silenced);
        }
        if self.muted.is_empty() || !self.muted.contains(&stream.id) {
            endpoint.bytes_in += ingress.packet.payload.len() as u64;
        }
        self.ingest(cx, stream, ingress.sequence, ingress.packet);
    }

    /// Takes a packet of a sender on this machine; see [`Relay::feed`](crate::core::Relay::feed).
    pub(in crate::core) fn ingest_local(
        &mut self,
        cx: &mut Context,
        stream: Track,
        packet: LocalPacket,
    ) -> Result<(), TooManyStreams> {
        if self.find(stream.id).is_some_and(|known| known != stream) {
            self.end_source(cx, stream.id);
        }
        if !self.tracks.contains_key(&stream.id) && self.tracks.len() >= self.max_tracks {
            return Err(TooManyStreams(self.max_tracks));
        }
        let source = self.sources.entry(stream.id).or_insert(Source::Local { next_sequence: 0 });
        let Source::Local { next_sequence } = source else { return Ok(()) };
        let sequence = SenderSequence { ssrc: NO_SSRC, sequence: *next_sequence, timestamp: packet.timestamp };
        *next_sequence += 1;
        let LocalPacket { level, payload, .. } = packet;
        let packet = Packet { payload, level: Some(level), voice: None, marker: false, arrived: cx.now };
        self.ingest(cx, stream, sequence, packet);
        Ok(())
    }

    /// A track of another core can be heard here.
    pub(in crate::core) fn begin_remote(&mut self, cx: &mut Context, stream: Track) {
        self.sources.entry(stream.id).or_insert(Source::Remote);
        if !self.tracks.contains_key(&stream.id) {
            self.begin_track(cx, stream);
        }
    }

    /// Takes a packet that another core has piped here; the first one makes its track available.
    pub(in crate::core) fn ingest_remote(&mut self, cx: &mut Context, remote: RemotePacket) {
        let RemotePacket { stream, place: Position { sequence, timestamp }, payload, level, voice, marker } = remote;
        let packet = Packet { payload, level, voice, marker, arrived: cx.now };
        self.sources.entry(stream.id).or_insert(Source::Remote);
        self.ingest(cx, stream, SenderSequence { ssrc: NO_SSRC, sequence, timestamp }, packet);
    }

    /// A source that is no peer is gone, and with it its track.
    pub(in crate::core) fn end_source(&mut self, cx: &mut Context, id: StreamId) {
        if self.peer_of(id).is_none() {
            self.sources.remove(&id);
            self.muted.remove(&id);
            self.end_track(cx, id);
        }
    }

    /// Whether packets of a track go no further.
    pub(super) fn mute(&mut self, id: StreamId, muted: bool) {
        if !muted {
            self.muted.remove(&id);
        } else if self.has_source(id) {
            self.muted.insert(id);
        }
    }

    /// When something last came of what this peer feeds; `None` when nothing is live.
    pub(in crate::core) fn last_packet_of(&self, peer: PeerId) -> Option<Instant> {
        let lines = &self.endpoints.get(&peer)?.lines;
        lines.iter().filter_map(|line| Some(self.tracks.get(&line.stream.id)?.last_packet())).max()
    }
}
