//! Who is put into which of a participant's slots: the few m-lines on which it hears everybody.
//!
//! A slot goes on counting whoever is in it, so that nothing is negotiated when somebody starts to talk. While
//! there are free ones, whoever sends gets one, from the first packet on. When there are none, only a voice that
//! is heard (RFC 6464) may take the place of one that has been silent for a while; the host's, or another that
//! was pinned, takes that of whoever was silent longest.

use std::time::{Duration, Instant};

use crate::domain::{StreamId, TrackKind};

use super::fanout::PacketMeta;
use super::sequence::Timeline;
use crate::core::packet::{EgressTrack, MAX_SLOTS, Position, SenderSequence};

/// Whoever was heard so short a while ago keeps the slot: a pause for breath, or between two sentences.
const HOLD: Duration = Duration::from_millis(800);

/// A participant's slots.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    track: EgressTrack,
    holder: Option<Holder>,
    /// What was sent on it goes on, whoever is in it.
    timeline: Timeline,
    /// How many have been in it.
    holders: u32,
}

#[derive(Debug)]
struct Holder {
    stream: StreamId,
    pinned: bool,
    /// When it was last more than silence.
    heard: Instant,
}

/// Slot for a packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    slot: usize,
    /// Somebody else was there before.
    pub(super) is_new: bool,
}

impl Slots {
    /// Slots on these m-lines. Those there were before keep what they have counted: no number of an m-line comes twice.
    pub(super) fn set_tracks(&mut self, tracks: impl Iterator<Item = EgressTrack>) {
        let mut former = std::mem::take(&mut self.slots);
        let slot = |track: EgressTrack| match former.iter().position(|slot| slot.track.mid == track.mid) {
            Some(at) => Slot { track, ..former.swap_remove(at) },
            None => Slot { track, holder: None, timeline: Timeline::new(TrackKind::Voice.clock_rate()), holders: 0 },
        };
        self.slots = tracks.take(MAX_SLOTS).map(slot).collect();
    }

    /// The slot for a packet; `None` when all are taken by others.
    pub(super) fn claim(&mut self, meta: &PacketMeta, now: Instant) -> Option<Taken> {
        let own = self.slots.iter().position(|slot| slot.is_held_by(meta.stream));
        let slot = own.or_else(|| self.free()).or_else(|| self.stealable(meta, now))?;
        let is_new = own.is_none();
        self.slots[slot].take(meta, is_new, now);
        Some(Taken { slot, is_new })
    }

    /// The track of a slot, and the packet's place there; `None` when it is older than the slot's first.
    pub(super) fn place(&mut self, taken: Taken, position: Position, now: Instant) -> Option<(EgressTrack, Position)> {
        let slot = &mut self.slots[taken.slot];
        // Each holder is numbered anew, as a sender with an SSRC of its own would be.
        let Position { sequence, timestamp } = position;
        let place = slot.timeline.place(SenderSequence { ssrc: slot.holders, sequence, timestamp }, now)?;
        Some((slot.track, place))
    }

    /// Frees the slot of a stream that is over. True when it had one.
    pub(super) fn release(&mut self, stream: StreamId) -> bool {
        let slot = self.slots.iter_mut().find(|slot| slot.is_held_by(stream));
        slot.map(|slot| slot.holder = None).is_some()
    }

    /// Frees the slots of all that are not wanted any more. True when there were any.
    pub(super) fn release_unless(&mut self, wanted: impl Fn(StreamId) -> bool) -> bool {
        let unwanted = self.slots.iter_mut().filter(|slot| slot.holder.as_ref().is_some_and(|it| !wanted(it.stream)));
        unwanted.map(|slot| slot.holder = None).count() > 0
    }

    /// Who is where, as far as anybody is.
    pub(super) fn taken(&self) -> impl Iterator<Item = (EgressTrack, StreamId)> {
        self.slots.iter().filter_map(|slot| Some((slot.track, slot.holder.as_ref()?.stream)))
    }

    fn free(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.holder.is_none())
    }

    /// The slot of whoever was silent longest, if that is long enough for this one.
    fn stealable(&self, meta: &PacketMeta, now: Instant) -> Option<usize> {
        if !meta.loud {
            return None;
        }
        let held = self.slots.iter().enumerate().filter_map(|(index, slot)| Some((index, slot.holder.as_ref()?)));
        let (index, holder) = held.filter(|(_, holder)| !holder.pinned).min_by_key(|(_, holder)| holder.heard)?;
        let is_silent = now.saturating_duration_since(holder.heard) >= HOLD;
        (is_silent || meta.pinned).then_some(index)
    }
}

impl Slot {
    fn is_held_by(&self, stream: StreamId) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.stream == stream)
    }

    fn take(&mut self, meta: &PacketMeta, is_new: bool, now: Instant) {
        self.holders += u32::from(is_new);
        let former = self.holder.as_ref().filter(|_| !is_new && !meta.loud).map(|holder| holder.heard);
        self.holder = Some(Holder { stream: meta.stream, pinned: meta.pinned, heard: former.unwrap_or(now) });
    }
}

#[cfg(test)]
mod tests;
