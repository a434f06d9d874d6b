//! Video: which layer of which track goes to whom, and as which packet there. It knows peers by their names alone, as the
//! router of sound does, and nothing of sessions.
//!
//! Peers of video are others than those of sound: each participant who shows or sees something has a second connection for it.
//! So nothing that video needs (estimates, pacing, retransmission) can touch a voice.
//!
//! A `track` is what is live, in `layer`s; `switch` makes one stream of those, for one slot of a `viewer`. What a viewer is sent is
//! decided by `allocation`, within what its `path` bears; `keyframes` asks senders for what a switch waits for.

mod allocation;
pub(super) mod fuzzing;
mod keyframes;
mod layer;
mod path;
mod switch;
mod track;
mod viewer;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use slab::Slab;

use crate::domain::{PeerId, RoomId, StreamId, Track, TrackKind};

use super::Event;
use super::context::Context;
use super::packet::{Mid, PathReport, Rid, VideoCopy, VideoPacket, VideoSlot};
use super::stats::DropReason;
use path::AFTER_BRAKE;
use switch::LayerSource;
use track::VideoTrack;
use viewer::{HeldPacket, Viewer};

pub use viewer::{View, ViewState};

/// A viewer's place in [`VideoRouter::viewers`].
type ViewerKey = usize;

/// Who shows and sees video in which room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoMembership {
    /// Room in which they are.
    pub room: RoomId,
    /// What they are called by: the stream of their voice.
    pub who: StreamId,
    /// Track of their camera.
    pub camera: StreamId,
    /// Track of their screen.
    pub screen: StreamId,
    /// They may see, and never show, whatever those in the room decide.
    pub only_watches: bool,
    /// What they show goes no further, as those in the room have decided.
    pub is_hidden: bool,
}

/// Something that the sessions are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VideoOrder {
    /// Ask a sender for a keyframe of a layer.
    RequestKeyframe { peer: PeerId, mid: Mid, rid: Option<Rid> },
    /// What a viewer is to be sent, in bits a second: so much is tried to be reached by padding, and so much is wanted.
    SetBitrate { peer: PeerId, minimum: u64, desired: u64 },
    /// Send at the pace of the estimate, or at once.
    SetPaced { peer: PeerId, is_paced: bool },
    /// Send nothing of before again, however often a viewer asks: what has been lost would only stand in the way.
    ForgetSent { peer: PeerId },
    /// Begin to estimate anew what a viewer's way bears, with this many bits a second.
    ResetEstimate { peer: PeerId, estimate: u64 },
}

/// All that is shown, and all who see it.
pub(super) struct VideoRouter {
    max_tracks: usize,
    /// What a viewer's way is taken to bear before anything is known of it, in bits a second.
    first_estimate: u64,
    tracks: FxHashMap<StreamId, VideoTrack>,
    endpoints: FxHashMap<PeerId, Endpoint>,
    by_who: FxHashMap<StreamId, PeerId>,
    viewers: Slab<Viewer>,
    fanouts: VecDeque<VideoFanout>,
    orders: VecDeque<VideoOrder>,
}

/// What a peer shows, and as whom it sees.
struct Endpoint {
    membership: VideoMembership,
    viewer: ViewerKey,
    /// M-lines on which it sends, and the tracks that come on them.
    lines: Vec<(Mid, Track)>,
}

/// Packet on its way to those who were to see it when it came.
pub(super) struct VideoFanout {
    packet: VideoPacket,
    source: LayerSource,
    /// Taken from the end.
    remaining: Vec<(ViewerKey, usize)>,
}

impl VideoFanout {
    /// The next slot.
    pub(super) fn next_slot(&mut self) -> Option<(ViewerKey, usize)> {
        self.remaining.pop()
    }
}

impl VideoRouter {
    /// Nothing is shown yet.
    pub(super) fn new(max_tracks: usize, first_estimate: u64) -> Self {
        Self {
            max_tracks,
            first_estimate,
            tracks: FxHashMap::default(),
            endpoints: FxHashMap::default(),
            by_who: FxHashMap::default(),
            viewers: Slab::new(),
            fanouts: VecDeque::new(),
            orders: VecDeque::new(),
        }
    }

    /// A peer shows and sees video from now on. Whoever did so under the same name is gone already.
    pub(super) fn attach(&mut self, cx: &Context, peer: PeerId, membership: VideoMembership) {
        let viewer = self.viewers.insert(Viewer::new(peer, &membership, self.first_estimate, cx.now));
        self.endpoints.insert(peer, Endpoint { membership, viewer, lines: Vec::new() });
        self.by_who.insert(membership.who, peer);
    }

    /// Takes note of what was agreed with a peer: m-lines on which it shows, its camera's first, and slots in which it sees.
    pub(super) fn set_lines(&mut self, peer: PeerId, ingress: &[Mid], slots: Vec<VideoSlot>) {
        let Some(endpoint) = self.endpoints.get_mut(&peer) else { return };
        let VideoMembership { room, camera, screen, .. } = endpoint.membership;
        let tracks = [(camera, TrackKind::Camera), (screen, TrackKind::Screen)];
        let track = |(id, kind): (StreamId, TrackKind)| Track { id, kind, room };
        endpoint.lines = ingress.iter().copied().zip(tracks.map(track)).collect();
        self.viewers[endpoint.viewer].set_slots(slots);
    }

    /// The connection of somebody, if they have one.
    pub(super) fn peer_of(&self, who: StreamId) -> Option<PeerId> {
        self.by_who.get(&who).copied()
    }

    /// Live tracks.
    pub(super) fn live(&self) -> impl Iterator<Item = Track> + '_ {
        self.tracks.values().map(|track| track.track)
    }

    /// A peer's connection is complete.
    pub(super) fn set_connected(&mut self, cx: &mut Context, peer: PeerId) {
        if let Some(key) = self.endpoints.get(&peer).map(|endpoint| endpoint.viewer) {
            self.viewers[key].is_connected = true;
            self.allocate(cx, key);
        }
    }

    /// A peer is gone, and with it all that it showed.
    pub(super) fn detach(&mut self, cx: &mut Context, peer: PeerId) {
        let Some(endpoint) = self.endpoints.remove(&peer) else { return };
        let VideoMembership { who, camera, screen, .. } = endpoint.membership;
        if self.peer_of(who) == Some(peer) {
            self.by_who.remove(&who);
        }
        for id in [camera, screen] {
            if self.tracks.get(&id).is_some_and(|track| track.peer == peer) {
                self.end(cx, id);
            }
        }
        self.viewers.remove(endpoint.viewer);
        for track in self.tracks.values_mut() {
            track.viewers.retain(|(viewer, _)| *viewer != endpoint.viewer);
        }
        self.tell_wanted(cx);
    }

    /// A room is no more; gives the peers that are left in it.
    pub(super) fn peers_in(&self, room: RoomId) -> Vec<PeerId> {
        let inside = self.endpoints.iter().filter(|(_, endpoint)| endpoint.membership.room == room);
        inside.map(|(peer, _)| *peer).collect()
    }

    /// Takes a packet of a peer; the first one of a track makes it live.
    pub(super) fn ingest(&mut self, cx: &mut Context, peer: PeerId, packet: VideoPacket) {
        let Some(endpoint) = self.endpoints.get(&peer) else { return };
        let line = endpoint.lines.iter().find(|(mid, _)| *mid == packet.mid);
        let Some((mid, track)) = line.copied() else { return cx.count_drop(DropReason::Malformed) };
        if endpoint.membership.only_watches || endpoint.membership.is_hidden {
            return cx.count_drop(DropReason::Silenced);
        }
        cx.stats.video_packets_in += 1;
        cx.stats.video_bytes_in += packet.payload.len() as u64;
        if !self.tracks.contains_key(&track.id) {
            if self.tracks.len() >= self.max_tracks {
                return cx.count_drop(DropReason::TooManyStreams);
            }
            self.begin(cx, peer, mid, track);
        }
        let live = self.tracks.get_mut(&track.id).expect("begun above");
        let Some(source) = live.note(&packet, cx.now) else { return cx.count_drop(DropReason::TooManyLayers) };
        if !live.viewers.is_empty() {
            // Taken from the end: reversed, so that those who came first are served first.
            let remaining = live.viewers.iter().rev().copied().collect();
            self.fanouts.push_back(VideoFanout { packet, source, remaining });
        }
    }

    fn begin(&mut self, cx: &mut Context, peer: PeerId, mid: Mid, track: Track) {
        let mut live = VideoTrack::new(track, peer, mid, cx.now);
        for (key, viewer) in &mut self.viewers {
            let former = live.viewers.len();
            live.viewers.extend(viewer.slots_of(&track).map(|index| (key, index)));
            if live.viewers.len() > former {
                viewer.hasten(cx.now);
            }
        }
        self.tracks.insert(track.id, live);
        cx.stats.streams_started += 1;
        cx.tell(Event::StreamAvailable(track));
        self.tell_wanted(cx);
    }

    /// Whether what somebody shows goes no further. What they are showing ends with it.
    pub(super) fn set_hidden(&mut self, cx: &mut Context, who: StreamId, hidden: bool) {
        let endpoint = self.by_who.get(&who).and_then(|peer| self.endpoints.get_mut(peer));
        let Some(VideoMembership { camera, screen, is_hidden, .. }) = endpoint.map(|it| &mut it.membership) else {
            return;
        };
        *is_hidden = hidden;
        for id in [*camera, *screen].into_iter().filter(|_| hidden) {
            self.end(cx, id);
        }
    }

    /// A track is over: its sender said so, or is gone. What still comes begins it anew.
    pub(super) fn end(&mut self, cx: &mut Context, id: StreamId) {
        let Some(ended) = self.tracks.remove(&id) else { return };
        cx.stats.streams_ended += 1;
        cx.tell(Event::StreamEnded(ended.track));
        for (key, _) in ended.viewers {
            if let Some(viewer) = self.viewers.get_mut(key) {
                viewer.forget(id);
            }
            self.tell_views(cx, key);
        }
    }

    /// The oldest packet of which copies are still to be made.
    pub(super) fn next_fanout(&mut self) -> Option<VideoFanout> {
        self.fanouts.pop_front()
    }

    /// Some copies of it are made. The others will be asked for later.
    pub(super) fn put_back(&mut self, cx: &mut Context, fanout: VideoFanout) {
        if !fanout.remaining.is_empty() {
            return self.fanouts.push_front(fanout);
        }
        if fanout.packet.keyframe.is_some() {
            self.note_keyframe(cx, fanout.source.track);
        }
    }

    /// The copy of a packet for a slot, if it is forwarded there now.
    pub(super) fn copy_for<'a>(
        &mut self,
        cx: &Context,
        (key, index): (ViewerKey, usize),
        fanout: &'a VideoFanout,
    ) -> Option<(PeerId, VideoCopy<'a>)> {
        // It may have left since the packet came.
        let viewer = self.viewers.get_mut(key).filter(|viewer| viewer.is_connected && index < viewer.slots.len())?;
        if !viewer.admits(index, fanout.source, &fanout.packet) {
            return None;
        }
        self.place(cx, key, index, fanout.source, &fanout.packet)
    }

    /// The next packet that was held back for a viewer, now that its session has room.
    pub(super) fn next_held(&mut self, peer: PeerId) -> Option<HeldPacket> {
        let key = self.endpoints.get(&peer)?.viewer;
        self.viewers[key].next_held()
    }

    /// The copy of a packet that was held back.
    pub(super) fn copy_of_held<'a>(
        &mut self,
        cx: &Context,
        peer: PeerId,
        HeldPacket { slot, source, packet }: &'a HeldPacket,
    ) -> Option<VideoCopy<'a>> {
        let key = self.endpoints.get(&peer)?.viewer;
        Some(self.place(cx, key, *slot, *source, packet)?.1)
    }

    fn place<'a>(
        &mut self,
        cx: &Context,
        key: ViewerKey,
        index: usize,
        source: LayerSource,
        packet: &'a VideoPacket,
    ) -> Option<(PeerId, VideoCopy<'a>)> {
        let viewer = self.viewers.get_mut(key)?;
        let (peer, slot) = (viewer.peer, viewer.slots.get_mut(index)?);
        let track = self.tracks.get(&source.track);
        let timestamp = packet.sequence.timestamp as u32;
        let translate = |left| track?.translate(timestamp, source, left);
        let place = slot.switch.place(source, packet, translate, cx.now)?;
        Some((peer, VideoCopy { mid: slot.agreed.mid, place, packet }))
    }

    /// What somebody wants to see, the most wanted first. What is not in their room is not for them.
    pub(super) fn set_views(&mut self, cx: &mut Context, who: StreamId, views: &[View]) {
        let Some(endpoint) = self.by_who.get(&who).and_then(|peer| self.endpoints.get(peer)) else { return };
        let key = endpoint.viewer;
        let viewer = &mut self.viewers[key];
        let found = views.iter().filter_map(|view| {
            let mid = Mid::from(view.slot.as_str());
            let index = viewer.slots.iter().position(|slot| slot.agreed.mid == mid)?;
            Some((index, view.track, view.height))
        });
        let found: Vec<_> = found.collect();
        viewer.set_views(&found, cx.now);
        for track in self.tracks.values_mut() {
            track.viewers.retain(|(viewer, _)| *viewer != key);
            track.viewers.extend(viewer.slots_of(&track.track).map(|index| (key, index)));
        }
        self.allocate(cx, key);
        self.tell_wanted(cx);
    }

    /// A viewer's session knows something new of the way to it.
    pub(super) fn note_path(&mut self, cx: &mut Context, peer: PeerId, report: PathReport) {
        let Some(key) = self.endpoints.get(&peer).map(|endpoint| endpoint.viewer) else { return };
        if self.viewers[key].note_path(report, cx.now) {
            self.brake(cx, key);
        }
    }

    /// A viewer's decoder cannot go on.
    pub(super) fn note_keyframe_request(&mut self, cx: &mut Context, peer: PeerId, mid: Mid) {
        let Some(viewer) = self.endpoints.get(&peer).map(|endpoint| &self.viewers[endpoint.viewer]) else { return };
        let slot = viewer.slots.iter().find(|slot| slot.agreed.mid == mid);
        let track = slot.and_then(|slot| slot.switch.current()).and_then(|source| self.tracks.get_mut(&source.track));
        if let Some(track) = track {
            track.requests.want();
            self.request_keyframes(cx);
        }
    }

    /// Peers at which to look what waits to be sent to them, and in which slots.
    pub(super) fn due_looks(&mut self, now: Instant) -> Vec<(PeerId, Vec<Mid>)> {
        let due = self.viewers.iter_mut().filter_map(|(_, viewer)| viewer.take_look(now).then_some(&*viewer));
        due.map(|viewer| {
            let busy = viewer.slots.iter().filter(|slot| slot.switch.current().is_some());
            (viewer.peer, busy.map(|slot| slot.agreed.mid).collect())
        })
        .collect()
    }

    /// How old the oldest packet is that waits in a viewer's session.
    pub(super) fn note_queue(&mut self, cx: &mut Context, peer: PeerId, age: Duration) {
        let Some(endpoint) = self.endpoints.get(&peer) else { return };
        let key = endpoint.viewer;
        if self.viewers[key].note_queue(age, cx.now) {
            self.brake(cx, key);
        }
    }

    fn brake(&mut self, cx: &mut Context, key: ViewerKey) {
        cx.stats.video_brakes += 1;
        let peer = self.viewers[key].peer;
        self.orders.push_back(VideoOrder::ForgetSent { peer });
        self.orders.push_back(VideoOrder::ResetEstimate { peer, estimate: AFTER_BRAKE });
        self.allocate(cx, key);
    }

    /// When time has to pass at the latest.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let viewers = self.viewers.iter().filter_map(|(_, viewer)| viewer.deadline());
        let of_track =
            |track: &VideoTrack| [track.requests.deadline(now), track.idle_deadline(), track.wanted_deadline()];
        let tracks = self.tracks.values().flat_map(of_track);
        viewers.chain(tracks.flatten()).min()
    }

    /// Lets time pass.
    pub(super) fn wake(&mut self, cx: &mut Context) {
        let idle = self.tracks.values().filter(|track| track.idle_deadline().is_some_and(|at| cx.now >= at));
        for id in idle.map(|track| track.track.id).collect::<Vec<_>>() {
            self.end(cx, id);
        }
        for key in self.viewers.iter().map(|(key, _)| key).collect::<Vec<_>>() {
            self.allocate(cx, key);
        }
        self.request_keyframes(cx);
        self.tell_wanted(cx);
    }

    /// The next thing that the sessions are to do.
    pub(super) fn next_order(&mut self) -> Option<VideoOrder> {
        self.orders.pop_front()
    }

    fn allocate(&mut self, cx: &mut Context, key: ViewerKey) {
        let Self { viewers, tracks, orders, .. } = self;
        viewers[key].allocate(|id| tracks.get(&id), orders, cx.now);
        for slot in viewers[key].slots.iter().filter(|slot| slot.switch.is_waiting()) {
            let track = slot.switch.target().and_then(|target| tracks.get_mut(&target.track));
            if let Some(track) = track {
                track.requests.want();
            }
        }
        self.request_keyframes(cx);
        self.tell_views(cx, key);
    }

    /// A keyframe of a track came, and all have their copy of its beginning, or will.
    fn note_keyframe(&mut self, cx: &mut Context, id: StreamId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let is_waited_for = track.viewers.iter().any(|(key, index)| {
            let slot = self.viewers.get(*key).and_then(|viewer| viewer.slots.get(*index));
            slot.is_some_and(|slot| slot.switch.is_waiting())
        });
        if !is_waited_for {
            track.requests.note_satisfied();
        }
        for (key, _) in track.viewers.clone() {
            self.tell_views(cx, key);
        }
    }

    fn request_keyframes(&mut self, cx: &mut Context) {
        for track in self.tracks.values_mut() {
            if track.requests.take_due(cx.now) {
                cx.stats.keyframes_requested += 1;
                let (peer, mid) = (track.peer, track.mid);
                // One answers for all layers.
                let rid = track.layers.iter().find(|layer| layer.is_active(cx.now)).and_then(|layer| layer.rid);
                self.orders.push_back(VideoOrder::RequestKeyframe { peer, mid, rid });
            }
        }
    }

    fn tell_views(&mut self, cx: &mut Context, key: ViewerKey) {
        let Self { viewers, tracks, .. } = self;
        let Some(viewer) = viewers.get_mut(key) else { return };
        if let Some(states) = viewer.take_news(|id| tracks.get(&id)) {
            cx.tell(Event::Views(viewer.who, states));
        }
    }

    /// Tells senders how many lines anybody wants of them, where that has changed.
    fn tell_wanted(&mut self, cx: &mut Context) {
        let Self { viewers, tracks, .. } = self;
        for track in tracks.values_mut() {
            let height = |(key, index): &(ViewerKey, usize)| Some(viewers.get(*key)?.slots.get(*index)?.view?.1);
            let tallest = track.viewers.iter().filter_map(height).max().unwrap_or(0);
            if let Some(height) = track.take_wanted(tallest, cx.now) {
                cx.tell(Event::VideoWanted(track.track, height));
            }
        }
    }
}

#[cfg(test)]
mod tests;
