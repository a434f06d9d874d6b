//! Viewers: peers that see tracks, each in a slot of its own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::allocation::{Allocation, Request, allocate};
use super::layer::Layer;
use super::{VideoMembership, VideoOrder};

use super::path::ViewerPath;
use super::switch::{LayerSource, LayerSwitch};
use super::track::VideoTrack;
use crate::core::packet::{Mid, PathReport, VideoPacket, VideoSlot};
use crate::domain::{PeerId, RoomId, StreamId, Track};

/// Between two looks at what a viewer is sent.
const ALLOCATES_EVERY: Duration = Duration::from_millis(200);

/// Between two looks at what waits to be sent to it; and while something is held back.
const LOOKS_EVERY: Duration = Duration::from_millis(50);
const LOOKS_WHILE_HELD: Duration = Duration::from_millis(5);

/// After the brake was pulled, nothing is sent for so long: a keyframe would only be lost with the rest.
const DRAINS_FOR: Duration = Duration::from_millis(150);

/// A session in which a packet has waited for so long is given no more: what it has cannot be taken back, and what is held
/// back here can.
const WAITS_IN_SESSION: Duration = Duration::from_millis(30);

/// What a viewer wants to see in one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// M-line of the slot.
    pub slot: String,
    /// Track that it wants to see there.
    pub track: StreamId,
    /// Lines of the tile, in pixels of the device; 0: it is hidden, and nothing is to be sent.
    pub height: u16,
}

/// What a viewer sees in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewState {
    /// The picture comes in a moment.
    Waiting,
    /// It comes, with so many lines where the codec says so.
    Playing(Option<u16>),
    /// The way to the viewer bears no picture now, beside the voices; it is tried again.
    TooNarrow,
    /// The viewer's browser does not know the codec.
    CannotDecode,
}

/// Peer that sees tracks.
pub(super) struct Viewer {
    pub(super) peer: PeerId,
    pub(super) who: StreamId,
    /// Nothing is seen of other rooms.
    pub(super) room: RoomId,
    pub(super) is_connected: bool,
    pub(super) slots: Vec<Slot>,
    /// The slots that are wanted, the most wanted first.
    order: Vec<usize>,
    path: ViewerPath,
    /// What is held back, the oldest first.
    held: VecDeque<HeldPacket>,
    /// The session has no room.
    is_full: bool,
    next_allocation: Instant,
    next_look: Instant,
    told: Vec<(Mid, StreamId, ViewState)>,
    /// What its session was told of bitrates, and of pacing.
    told_session: Option<(u64, u64, bool)>,
}

/// Packet that waits until the session has room.
pub(in crate::core) struct HeldPacket {
    pub(super) slot: usize,
    pub(super) source: LayerSource,
    pub(super) packet: VideoPacket,
}

/// Slot, and what is in it.
pub(super) struct Slot {
    pub(super) agreed: VideoSlot,
    pub(super) view: Option<(StreamId, u16)>,
    pub(super) switch: LayerSwitch,
    /// The way bears no picture here.
    is_too_narrow: bool,
}

impl Slot {
    fn decodes(&self, layer: &Layer) -> bool {
        self.agreed.codecs.contains(&layer.codec)
    }

    fn state(&self, track: Option<&VideoTrack>) -> ViewState {
        if let Some(layer) = self.switch.current().and_then(|source| track?.layer(source)) {
            return ViewState::Playing(layer.height);
        }
        let layers = track.map(|track| &*track.layers).unwrap_or_default();
        if !layers.is_empty() && !layers.iter().any(|layer| self.decodes(layer)) {
            return ViewState::CannotDecode;
        }
        if self.is_too_narrow { ViewState::TooNarrow } else { ViewState::Waiting }
    }
}

impl Viewer {
    pub(super) fn new(peer: PeerId, membership: &VideoMembership, estimate: u64, now: Instant) -> Self {
        Self {
            peer,
            who: membership.who,
            room: membership.room,
            is_connected: false,
            slots: Vec::new(),
            order: Vec::new(),
            path: ViewerPath::new(estimate),
            held: VecDeque::new(),
            is_full: false,
            next_allocation: now,
            next_look: now,
            told: Vec::new(),
            told_session: None,
        }
    }

    /// Slots as they were agreed. Those there were before go on as they are.
    pub(super) fn set_slots(&mut self, agreed: Vec<VideoSlot>) {
        let mut former = std::mem::take(&mut self.slots);
        let slot = |agreed: VideoSlot| match former.iter().position(|slot| slot.agreed.mid == agreed.mid) {
            Some(at) => Slot { agreed, ..former.swap_remove(at) },
            None => Slot { agreed, view: None, switch: LayerSwitch::default(), is_too_narrow: false },
        };
        self.slots = agreed.into_iter().map(slot).collect();
        self.order.retain(|index| *index < self.slots.len());
    }

    /// What the viewer wants to see, the most wanted first. A slot that is not named is hidden.
    pub(super) fn set_views(&mut self, views: &[(usize, StreamId, u16)], now: Instant) {
        self.order.clear();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let wanted = views.iter().find(|(at, ..)| *at == index).map(|(_, track, height)| (*track, *height));
            let track = wanted.filter(|(_, height)| *height > 0).map(|(track, _)| track);
            if track != slot.view.map(|(track, _)| track) {
                slot.switch.set_target(None);
                slot.is_too_narrow = false;
            }
            slot.view = wanted.filter(|_| track.is_some());
        }
        for (index, ..) in views {
            if self.slots.get(*index).is_some_and(|slot| slot.view.is_some()) && !self.order.contains(index) {
                self.order.push(*index);
            }
        }
        self.next_allocation = now;
    }

    /// Slots in which it wants to see a track.
    pub(super) fn slots_of(&self, track: &Track) -> impl Iterator<Item = usize> {
        let is_here = track.room == self.room;
        let slots = self.slots.iter().enumerate().filter(move |_| is_here);
        slots.filter(|(_, slot)| slot.view.is_some_and(|(viewed, _)| viewed == track.id)).map(|(index, _)| index)
    }

    /// There is something new to be seen.
    pub(super) fn hasten(&mut self, now: Instant) {
        self.next_allocation = now;
    }

    /// A track is over.
    pub(super) fn forget(&mut self, track: StreamId) {
        for slot in self.slots.iter_mut().filter(|slot| slot.view.is_some_and(|(viewed, _)| viewed == track)) {
            slot.switch.set_target(None);
        }
    }

    /// Takes what its session knows of the way to it. True: it brakes from now on.
    pub(super) fn note_path(&mut self, report: PathReport, now: Instant) -> bool {
        if let Some(estimate) = report.estimate {
            self.path.note_estimate(estimate);
            self.next_allocation = self.next_allocation.min(now + LOOKS_EVERY);
        }
        let loses = report.loss.is_some_and(|lost| self.path.note_loss(lost, now));
        let is_late = report.round_trip.is_some_and(|round_trip| self.path.note_round_trip(round_trip, now));
        let brakes = loses || is_late;
        if brakes {
            self.stop(now);
        }
        brakes
    }

    /// When to look at it again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let wants = self.is_connected && !self.order.is_empty();
        wants.then(|| self.next_allocation.min(self.next_look))
    }

    /// Whether it is time to look at what waits to be sent to it.
    pub(super) fn take_look(&mut self, now: Instant) -> bool {
        let is_due = self.deadline().is_some() && now >= self.next_look;
        if is_due {
            let is_busy = self.is_full || !self.held.is_empty();
            self.next_look = now + if is_busy { LOOKS_WHILE_HELD } else { LOOKS_EVERY };
        }
        is_due
    }

    /// Whether a packet can have its place in a slot now; if not, it is held back as far as it may have one.
    pub(super) fn admits(&mut self, slot: usize, source: LayerSource, packet: &VideoPacket) -> bool {
        let is_busy = self.is_full || !self.held.is_empty();
        let switch = &self.slots[slot].switch;
        // What is held back may begin with the keyframe.
        let begins = switch.target() == Some(source) && (packet.keyframe.is_some() || is_busy);
        let is_wanted = switch.current() == Some(source) || begins;
        if is_wanted && is_busy {
            self.held.push_back(HeldPacket { slot, source, packet: packet.clone() });
        }
        is_wanted && !is_busy
    }

    /// The next packet that was held back, now that the session has room.
    pub(super) fn next_held(&mut self) -> Option<HeldPacket> {
        if self.is_full { None } else { self.held.pop_front() }
    }

    /// Takes note of how old the oldest packet is that waits in the session. True: it brakes from now on, and what was held
    /// back is gone.
    pub(super) fn note_queue(&mut self, age: Duration, now: Instant) -> bool {
        self.is_full = age > WAITS_IN_SESSION;
        if self.is_full {
            self.next_look = self.next_look.min(now + LOOKS_WHILE_HELD);
        }
        let held = self.held.front().map(|held| now.saturating_duration_since(held.packet.arrived));
        let brakes = self.path.note_queue(age.max(held.unwrap_or_default()), now);
        if brakes {
            self.stop(now);
        }
        brakes
    }

    /// Nothing more is sent of what was; what is, is decided anew once what was under way has left it some room.
    fn stop(&mut self, now: Instant) {
        self.held.clear();
        for slot in &mut self.slots {
            slot.switch.set_target(None);
        }
        self.next_allocation = now + DRAINS_FOR;
    }

    /// Decides anew what it is sent, if it is time for that.
    pub(super) fn allocate<'a>(
        &mut self,
        find: impl Fn(StreamId) -> Option<&'a VideoTrack>,
        orders: &mut VecDeque<VideoOrder>,
        now: Instant,
    ) {
        if self.deadline().is_none() || now < self.next_allocation {
            return;
        }
        if let Some(estimate) = self.path.take_recovery(now) {
            orders.push_back(VideoOrder::ResetEstimate { peer: self.peer, estimate });
        }
        self.next_allocation = now + ALLOCATES_EVERY;
        let ladders: Vec<_> = self.order.iter().map(|index| self.ladder_of(*index, &find, now)).collect();
        let requests: Vec<_> = ladders
            .iter()
            .zip(&self.order)
            .map(|(ladder, index)| Request {
                ladder: ladder.iter().map(|(_, bitrate)| *bitrate).collect(),
                current: position(ladder, self.slots[*index].switch.target()),
            })
            .collect();
        let is_braking = self.path.is_braking(now);
        let allocation = allocate(if is_braking { 0 } else { self.path.budget(now) }, &requests);
        let first = ladders.iter().position(|ladder| !ladder.is_empty());
        let is_hopeless = self.path.is_hopeless();
        let is_dark = first.is_some() && (is_hopeless || allocation.steps.iter().all(Option::is_none));
        let is_tried = self.path.note_picture(is_dark && (is_hopeless || !is_braking), now) || self.path.is_trying(now);
        let is_forced = is_dark && !self.path.is_hopeless() && (is_braking || is_tried);
        let nothing = vec![None; ladders.len()];
        let steps = if self.path.is_hopeless() { &nothing } else { &allocation.steps };
        self.apply(&ladders, &requests, steps, first.filter(|_| is_forced), now);
        self.path.note_used(if is_braking { 0 } else { allocation.used });
        self.tell_session(&allocation, orders, now);
    }

    /// Tells its session what is to be sent, where that has changed.
    fn tell_session(&mut self, allocation: &Allocation, orders: &mut VecDeque<VideoOrder>, now: Instant) {
        let (peer, is_paced) = (self.peer, !self.path.is_trusted(now));
        // What is trusted needs no padding by which more could be learned of it, and a brake none by which it would be filled.
        let minimum = if is_paced && !self.path.is_braking(now) { allocation.next } else { 0 };
        let desired = if is_paced { allocation.desired } else { 0 };
        if self.path.take_probe(desired, now) {
            // It tries whether a way bears more only when more is wanted than before.
            orders.push_back(VideoOrder::SetBitrate { peer, minimum, desired: 0 });
            self.told_session = None;
        }
        let told = (minimum, desired, is_paced);
        if self.told_session.replace(told) != Some(told) {
            orders.push_back(VideoOrder::SetBitrate { peer, minimum, desired });
            orders.push_back(VideoOrder::SetPaced { peer, is_paced });
        }
    }

    /// Layers for a slot, and their bitrates.
    fn ladder_of<'a>(
        &self,
        index: usize,
        find: &impl Fn(StreamId) -> Option<&'a VideoTrack>,
        now: Instant,
    ) -> Vec<(LayerSource, u64)> {
        let slot = &self.slots[index];
        let Some((id, height)) = slot.view else { return Vec::new() };
        let Some(track) = find(id).filter(|track| track.track.room == self.room) else { return Vec::new() };
        let layers = track.ladder(height, now).into_iter().filter(|layer| slot.decodes(layer));
        layers.map(|layer| (LayerSource { track: id, ssrc: layer.ssrc }, layer.bitrate(now))).collect()
    }

    fn apply(
        &mut self,
        ladders: &[Vec<(LayerSource, u64)>],
        requests: &[Request],
        steps: &[Option<usize>],
        forced: Option<usize>,
        now: Instant,
    ) {
        let may_rise = self.path.may_rise(now);
        let mut is_lowered = false;
        for (place, ((ladder, request), step)) in ladders.iter().zip(requests).zip(steps).enumerate() {
            let slot = &mut self.slots[self.order[place]];
            let step = if forced == Some(place) {
                Some(0)
            } else if may_rise {
                *step
            } else if request.current.is_none() && !slot.is_too_narrow {
                // It was just opened.
                step.map(|_| 0)
            } else {
                (*step).min(request.current)
            };
            is_lowered |= step < request.current;
            slot.is_too_narrow = step.is_none() && !ladder.is_empty();
            // A layer that is not sent just now may come again: without another one, it is waited for.
            if step.is_some() || !ladder.is_empty() {
                slot.switch.set_target(step.map(|step| ladder[step].0));
            }
        }
        if is_lowered {
            self.path.note_lowered(now);
        }
    }

    /// What it sees, if that is news.
    pub(super) fn take_news<'a>(
        &mut self,
        find: impl Fn(StreamId) -> Option<&'a VideoTrack>,
    ) -> Option<Vec<(String, StreamId, ViewState)>> {
        let states = self.slots.iter().filter_map(|slot| {
            let (track, _) = slot.view?;
            Some((slot.agreed.mid, track, slot.state(find(track))))
        });
        let states: Vec<_> = states.collect();
        if states == self.told {
            return None;
        }
        self.told = states;
        Some(self.told.iter().map(|(mid, track, state)| (mid.to_string(), *track, *state)).collect())
    }
}

fn position(ladder: &[(LayerSource, u64)], source: Option<LayerSource>) -> Option<usize> {
    ladder.iter().position(|(layer, _)| Some(*layer) == source)
}
