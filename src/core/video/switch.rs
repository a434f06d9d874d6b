//! What one viewer is sent in one slot: one stream that goes on, whichever layer of whichever track it is made from.
//!
//! A layer can only be entered with a keyframe, and left at any time. Each has numbers of its own: sequence, timestamp, and
//! for VP8 those inside the payload. A decoder that sees any of them jump freezes, drops frames, or lets lips and voice part.

use std::time::Instant;

use crate::core::packet::{CLOCK_RATE, PictureId, VideoPacket, VideoPlace, Vp8Numbers};
use crate::domain::StreamId;

/// Sequence number of the first packet: in the first run of 65,536 (RFC 3711 3.3.1).
const FIRST_SEQUENCE: u64 = 1;

/// At least so far is a new layer's first frame after the last one of the layer before, in ticks: 10 ms. It may be the same
/// picture, and no two frames may have one time.
const LEAST_STEP: u32 = CLOCK_RATE / 100;

/// Layer of a track, until its sender begins it anew under another SSRC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LayerSource {
    pub(super) track: StreamId,
    pub(super) ssrc: u32,
}

/// Switch between layers.
#[derive(Debug, Default)]
pub(super) struct LayerSwitch {
    current: Option<Entered>,
    target: Option<LayerSource>,
    last: Option<Last>,
}

/// Layer that is forwarded, and what its numbers differ by from ours.
#[derive(Debug, Clone, Copy)]
struct Entered {
    source: LayerSource,
    /// Sequence number of its first packet, as its sender counts: older ones cannot be decoded.
    first: u64,
    sequence: u64,
    timestamp: u32,
    picture_id: u16,
    tl0_index: u8,
}

/// The furthest packet that was sent.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u64,
    timestamp: u32,
    picture_id: u16,
    tl0_index: u8,
    /// It closed its frame.
    marker: bool,
    at: Instant,
}

impl LayerSwitch {
    /// Layer that is forwarded now.
    pub(super) fn current(&self) -> Option<LayerSource> {
        self.current.map(|entered| entered.source)
    }

    /// Layer that is to be forwarded from its next keyframe on.
    pub(super) fn target(&self) -> Option<LayerSource> {
        self.target
    }

    /// Whether a keyframe is waited for.
    pub(super) fn is_waiting(&self) -> bool {
        self.target.is_some() && self.target != self.current()
    }

    /// Has this layer forwarded as soon as it can be; until then the present one goes on. `None`: nothing any more, at once.
    pub(super) fn set_target(&mut self, target: Option<LayerSource>) {
        self.target = target;
        if target.is_none() {
            self.current = None;
        }
    }

    /// The place of a packet; `None` when it is not to be forwarded. `translate` gives its timestamp on the clock of the
    /// layer that is left, where its sender has reported of both.
    pub(super) fn place(
        &mut self,
        source: LayerSource,
        packet: &VideoPacket,
        translate: impl FnOnce(LayerSource) -> Option<u32>,
        now: Instant,
    ) -> Option<VideoPlace> {
        if packet.keyframe.is_some() && self.target == Some(source) && self.current() != Some(source) {
            self.enter(source, packet, translate, now);
        }
        let entered = self.current.filter(|entered| entered.source == source)?;
        if packet.sequence.sequence < entered.first {
            return None;
        }
        let place = entered.place(packet);
        self.note(place, packet, now);
        Some(place)
    }

    fn enter(
        &mut self,
        source: LayerSource,
        packet: &VideoPacket,
        translate: impl FnOnce(LayerSource) -> Option<u32>,
        now: Instant,
    ) {
        let first = packet.sequence.sequence;
        let timestamp = packet.sequence.timestamp as u32;
        let numbers = packet.vp8.unwrap_or(Vp8Numbers { picture_id: None, tl0_index: None });
        let Some(last) = self.last else {
            let sequence = FIRST_SEQUENCE.wrapping_sub(first);
            self.current = Some(Entered { source, first, sequence, timestamp: 0, picture_id: 0, tl0_index: 0 });
            return;
        };
        // A frame that was cut short must not look whole: a number is left out.
        let sequence = last.sequence + if last.marker { 1 } else { 2 };
        let left = self.current.filter(|entered| entered.source.track == source.track);
        let translated = left.and_then(|left| Some(translate(left.source)?.wrapping_add(left.timestamp)));
        let next = translated.unwrap_or_else(|| last.timestamp_at(now));
        let least = last.timestamp.wrapping_add(LEAST_STEP);
        let next = if is_before(next, least) { least } else { next };
        let picture_id = |id: PictureId| last.picture_id.wrapping_add(1).wrapping_sub(id.value);
        self.current = Some(Entered {
            source,
            first,
            sequence: sequence.wrapping_sub(first),
            timestamp: next.wrapping_sub(timestamp),
            picture_id: numbers.picture_id.map_or(0, picture_id),
            tl0_index: numbers.tl0_index.map_or(0, |index| last.tl0_index.wrapping_add(1).wrapping_sub(index)),
        });
    }

    fn note(&mut self, place: VideoPlace, packet: &VideoPacket, now: Instant) {
        if self.last.is_some_and(|last| place.sequence <= last.sequence) {
            return;
        }
        let former = self.last;
        self.last = Some(Last {
            sequence: place.sequence,
            timestamp: place.timestamp,
            picture_id: place.picture_id.or(former.map(|last| last.picture_id)).unwrap_or(0),
            tl0_index: place.tl0_index.or(former.map(|last| last.tl0_index)).unwrap_or(0),
            marker: packet.marker,
            at: now,
        });
    }
}

impl Entered {
    fn place(&self, packet: &VideoPacket) -> VideoPlace {
        let numbers = packet.vp8.unwrap_or(Vp8Numbers { picture_id: None, tl0_index: None });
        let picture_id = |id: PictureId| id.value.wrapping_add(self.picture_id) % id.modulus();
        VideoPlace {
            sequence: packet.sequence.sequence.wrapping_add(self.sequence),
            timestamp: (packet.sequence.timestamp as u32).wrapping_add(self.timestamp),
            picture_id: numbers.picture_id.map(picture_id),
            tl0_index: numbers.tl0_index.map(|index| index.wrapping_add(self.tl0_index)),
        }
    }
}

impl Last {
    /// Timestamp of what is sent now, by our own clock: all that can be known of another sender.
    fn timestamp_at(&self, now: Instant) -> u32 {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.timestamp.wrapping_add((elapsed * f64::from(CLOCK_RATE)) as u64 as u32)
    }
}

/// Whether a timestamp is before another one, as far as 32 bits tell.
fn is_before(timestamp: u32, other: u32) -> bool {
    (timestamp.wrapping_sub(other) as i32) < 0
}

#[cfg(test)]
mod tests;
