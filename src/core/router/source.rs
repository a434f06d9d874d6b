//! Where tracks come from: a peer's m-line, this machine, another core.

use std::time::Instant;

use crate::domain::{LiveStream, PeerId, StreamId};

use super::{ConsumerKey, Context, Router};
use crate::core::packet::{IngressPacket, Mid, Packet, Position, SenderSequence};
use crate::core::ports::{LocalPacket, RemotePacket};
use crate::core::stats::DropReason;

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
    pub(super) lines: Vec<Line>,
    /// Whatever it sends goes no further.
    pub(super) only_listens: bool,
    /// Bytes of Opus that came from it, ever.
    pub(super) bytes_in: u64,
    pub(super) consumer: Option<ConsumerKey>,
}

/// M-line on which a peer feeds a track.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// `None`: whatever comes, on any line.
    pub(super) mid: Option<Mid>,
    pub(super) stream: LiveStream,
}

/// `limits.streams` are being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The relay is full: {0} streams at once")]
pub struct TooManyStreams(pub usize);

impl Endpoint {
    /// The track that a packet of this m-line is of.
    fn track_of(&self, mid: Option<Mid>) -> Option<LiveStream> {
        let line = self.lines.iter().find(|line| line.mid.is_none() || line.mid == mid);
        line.map(|line| line.stream)
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
    pub(in crate::core) fn attach_publisher(&mut self, peer: PeerId, stream: LiveStream) -> Option<PeerId> {
        let lines = vec![Line { mid: None, stream }];
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

    /// Takes a packet of a peer.
    pub(in crate::core) fn ingest_from_peer(&mut self, cx: &mut Context, peer: PeerId, ingress: IngressPacket) {
        let Some(endpoint) = self.endpoints.get_mut(&peer) else { return };
        if endpoint.feeds.is_empty() {
            return;
        }
        let Some(stream) = endpoint.track_of(ingress.mid) else {
            return cx.count_drop(DropReason::Malformed);
        };
        if endpoint.only_listens {
            return cx.count_drop(DropReason::Silenced);
        }
        let length = ingress.packet.payload.len() as u64;
        if self.ingest(cx, stream, ingress.sequence, ingress.packet)
            && let Some(endpoint) = self.endpoints.get_mut(&peer)
        {
            endpoint.bytes_in += length;
        }
    }

    /// Takes a packet of a sender on this machine; see [`Relay::feed`](crate::core::Relay::feed).
    pub(in crate::core) fn ingest_local(
        &mut self,
        cx: &mut Context,
        stream: LiveStream,
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
    pub(in crate::core) fn begin_remote(&mut self, cx: &mut Context, stream: LiveStream) {
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
