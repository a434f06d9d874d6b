//! Router: which packet goes to whom. Tracks and where they come from, consumers and what they hear, rooms as audiences.
//! It knows peers by their names alone, and nothing of sessions, sockets or what a copy looks like on the wire.
//!
//! `track` is what is live; a packet of it comes in by [`Router::ingest`], and `fanout` hands out its copies one by one.
//! A `consumer` hears one track, or, as a `participant`, everybody in a room on its few `slots`. `sequence` gives packets
//! their places, `quality` tells from losses what senders may send, and `level` who is heard to talk.

mod consumer;
mod fanout;
mod level;
mod participant;
mod port;
mod quality;
mod room;
mod sequence;
mod slots;
mod source;
mod track;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use slab::Slab;

use crate::domain::{PeerId, RoomId, StreamId, Track};

use super::context::Context;
use super::error::NegotiationError;
use super::ports::Attached;
use super::{Event, RelayConfig};
use consumer::Consumer;
use fanout::Fanout;
use room::Audience;
use source::{Endpoint, Source};
use track::LiveTrack;

pub use participant::{MemberStats, ParticipantTracks, Wanted};
pub use quality::BITRATES;
pub use source::TooManyStreams;

/// A consumer's place in [`Router::consumers`].
type ConsumerKey = usize;

/// All that is heard, and all who hear.
pub(super) struct Router {
    max_tracks: usize,
    publisher_timeout: Duration,
    stale_after: Duration,
    room_bitrate: u32,
    tracks: FxHashMap<StreamId, LiveTrack>,
    /// Numbers tracks in the order in which they became live.
    tracks_started: u64,
    /// Where tracks come from, from the offer on; the track itself exists from its first packet on.
    sources: HashMap<StreamId, Source>,
    /// Tracks whose packets go no further.
    muted: HashSet<StreamId>,
    /// What each peer sends and hears.
    endpoints: FxHashMap<PeerId, Endpoint>,
    consumers: Slab<Consumer>,
    rooms: FxHashMap<RoomId, Audience>,
    ports: Slab<Attached>,
    fanouts: VecDeque<Fanout>,
    /// The list of a fan-out that is done, for the next one.
    spare_audience: Vec<ConsumerKey>,
    next_levels: Instant,
    /// No track is idle for too long before this.
    next_expiry: Option<Instant>,
    /// Peers that have nothing to hear any more.
    orphans: VecDeque<PeerId>,
}

impl Router {
    /// Nobody is heard yet.
    pub(super) fn new(config: &RelayConfig, now: Instant) -> Self {
        Self {
            max_tracks: config.max_streams,
            publisher_timeout: config.publisher_timeout,
            stale_after: config.stale_after,
            room_bitrate: config.room_bitrate,
            tracks: FxHashMap::default(),
            tracks_started: 0,
            sources: HashMap::new(),
            muted: HashSet::new(),
            endpoints: FxHashMap::default(),
            consumers: Slab::new(),
            rooms: FxHashMap::default(),
            ports: Slab::new(),
            fanouts: VecDeque::new(),
            spare_audience: Vec::new(),
            next_levels: now,
            next_expiry: None,
            orphans: VecDeque::new(),
        }
    }

    /// The next peer that has nothing to hear any more.
    pub(super) fn next_orphan(&mut self) -> Option<PeerId> {
        self.orphans.pop_front()
    }

    /// When time has to pass at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let levels = self.tells_levels().then_some(self.next_levels);
        [levels, self.next_expiry].into_iter().flatten().min()
    }

    /// Lets time pass.
    pub(super) fn wake(&mut self, cx: &mut Context) {
        self.end_idle_tracks(cx);
        self.tick_levels(cx);
    }

    /// Live tracks, oldest first.
    pub(super) fn live(&self) -> Vec<Track> {
        let mut tracks: Vec<_> = self.tracks.values().collect();
        tracks.sort_unstable_by_key(|track| track.order);
        tracks.into_iter().map(|track| track.stream).collect()
    }

    /// A live track.
    pub(super) fn find(&self, id: StreamId) -> Option<Track> {
        self.tracks.get(&id).map(|track| track.stream)
    }

    /// How many tracks are live.
    pub(super) fn len(&self) -> usize {
        self.tracks.len()
    }

    /// How many peers hear each live track, and that alone.
    pub(super) fn receivers(&self) -> impl Iterator<Item = (StreamId, usize)> + '_ {
        self.tracks.iter().map(|(id, track)| (*id, track.consumers.len()))
    }

    /// Whether one more track may be sent, or this one is already.
    ///
    /// # Errors
    /// [`NegotiationError::TooManyStreams`].
    pub(super) fn check_capacity(&self, id: StreamId) -> Result<(), NegotiationError> {
        let has_room = self.tracks.len() < self.max_tracks || self.sources.contains_key(&id);
        if has_room { Ok(()) } else { Err(NegotiationError::TooManyStreams(self.max_tracks)) }
    }

    fn begin_track(&mut self, cx: &mut Context, stream: Track) {
        let source = self.sources.get(&stream.id);
        let own_consumer = match source {
            Some(Source::Peer(peer)) => self.endpoints.get(peer).and_then(|endpoint| endpoint.consumer),
            _ => None,
        };
        let idle_limit = match source {
            // Of whoever feeds nothing but this, the peer connection tells when it is over.
            Some(Source::Peer(_)) => own_consumer.map(|_| track::FALLEN_SILENT),
            Some(Source::Local { .. }) => Some(self.publisher_timeout),
            Some(Source::Remote) | None => Some(self.stale_after),
        };
        let ports = self.ports.iter().filter(|(_, port)| port.wants(stream)).map(|(key, _)| key).collect();
        let is_remote = matches!(source, Some(Source::Remote));
        let track = LiveTrack::new(stream, self.tracks_started, own_consumer, is_remote, idle_limit, ports, cx.now);
        self.next_expiry = [self.next_expiry, track.idle_deadline()].into_iter().flatten().min();
        self.tracks.insert(stream.id, track);
        self.tracks_started += 1;
        cx.stats.streams_started += 1;
        cx.tell(Event::StreamAvailable(stream));
    }

    /// Ends a track, if it is live; whoever heard it alone has nothing to hear any more.
    pub(super) fn end_track(&mut self, cx: &mut Context, id: StreamId) {
        let Some(track) = self.tracks.remove(&id) else { return };
        if !matches!(self.sources.get(&id), Some(Source::Peer(_))) {
            self.sources.remove(&id);
            self.muted.remove(&id);
        }
        cx.stats.streams_ended += 1;
        if track.talks() {
            cx.tell(Event::Talks(track.stream, false));
        }
        cx.tell(Event::StreamEnded(track.stream));
        self.free_slots(cx, track.stream);
        if track.is_remote && !track.consumers.is_empty() {
            cx.tell(Event::Wanted(id, false));
        }
        let peers = track.consumers.iter().filter_map(|key| self.consumers.get(*key)).map(|consumer| consumer.peer);
        self.orphans.extend(peers);
    }

    /// Ends every track of which nothing came for too long.
    fn end_idle_tracks(&mut self, cx: &mut Context) {
        if self.next_expiry.is_none_or(|at| cx.now < at) {
            return;
        }
        // Of a remote track that nobody hears nothing comes: the core that it is of tells when it is over.
        for track in self.tracks.values_mut().filter(|track| track.is_remote && track.consumers.is_empty()) {
            track.touch(cx.now);
        }
        let is_idle = |track: &&LiveTrack| track.idle_deadline().is_some_and(|at| cx.now >= at);
        for id in self.tracks.values().filter(is_idle).map(|track| track.stream.id).collect::<Vec<_>>() {
            self.end_track(cx, id);
        }
        // Each packet has moved its track's own deadline on since.
        self.next_expiry = self.tracks.values().filter_map(LiveTrack::idle_deadline).min();
    }
}
