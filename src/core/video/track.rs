//! A track of video that is live: its layers, and who is to have them.

use std::time::{Duration, Instant};

use super::ViewerKey;
use super::keyframes::KeyframeRequests;
use super::layer::{Layer, MAX_LAYERS};
use super::switch::LayerSource;
use crate::core::packet::{Mid, VideoPacket};
use crate::domain::{PeerId, Track};

/// A track of which nothing came for so long is over: a still screen, too, is sent once a second.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// A sender is told that less is wanted of it once that was so for this long; that more is, at once.
const LESS_AFTER: Duration = Duration::from_secs(5);

/// Lines of the best layer, where the codec does not say; each below it has half of them.
const USUAL_HEIGHT: u16 = 720;

/// Live track of video.
pub(super) struct VideoTrack {
    pub(super) track: Track,
    /// Connection that it comes by, and the m-line there.
    pub(super) peer: PeerId,
    pub(super) mid: Mid,
    pub(super) layers: Vec<Layer>,
    pub(super) requests: KeyframeRequests,
    /// Slots in which it is wanted.
    pub(super) viewers: Vec<(ViewerKey, usize)>,
    last_packet: Instant,
    wanted: WantedHeight,
}

/// Lines of the largest tile that shows a track, as its sender was told.
#[derive(Debug, Default)]
struct WantedHeight {
    told: Option<u16>,
    /// Since when less would do.
    less_since: Option<Instant>,
}

impl VideoTrack {
    pub(super) fn new(track: Track, peer: PeerId, mid: Mid, now: Instant) -> Self {
        Self {
            track,
            peer,
            mid,
            layers: Vec::new(),
            requests: KeyframeRequests::default(),
            viewers: Vec::new(),
            last_packet: now,
            wanted: WantedHeight::default(),
        }
    }

    /// Takes note of a packet. `None`: it is of one layer too many.
    pub(super) fn note(&mut self, packet: &VideoPacket, now: Instant) -> Option<LayerSource> {
        self.last_packet = now;
        let ssrc = packet.sequence.ssrc;
        let known = self.layers.iter().position(|layer| layer.ssrc == ssrc);
        let index = match known {
            Some(index) => index,
            None => self.add_layer(packet, now)?,
        };
        self.layers[index].note(packet, now);
        Some(LayerSource { track: self.track.id, ssrc })
    }

    /// A sender that begins a layer anew takes the former one's place.
    fn add_layer(&mut self, packet: &VideoPacket, now: Instant) -> Option<usize> {
        self.layers.retain(|layer| layer.rid != packet.rid);
        if self.layers.len() == MAX_LAYERS {
            return None;
        }
        self.layers.push(Layer::new(packet, now));
        Some(self.layers.len() - 1)
    }

    pub(super) fn layer(&self, source: LayerSource) -> Option<&Layer> {
        self.layers.iter().find(|layer| source.track == self.track.id && layer.ssrc == source.ssrc)
    }

    /// A timestamp of one layer on the clock of another one, where the sender has reported of both.
    pub(super) fn translate(&self, timestamp: u32, from: LayerSource, to: LayerSource) -> Option<u32> {
        Some(self.layer(from)?.report?.translate(timestamp, self.layer(to)?.report?))
    }

    /// Layers that come now, the smallest first, up to the first that has all the lines of a tile.
    pub(super) fn ladder(&self, height: u16, now: Instant) -> Vec<&Layer> {
        let mut ladder: Vec<_> = self.layers.iter().filter(|layer| layer.is_active(now)).collect();
        ladder.sort_by_key(|layer| layer.bitrate(now));
        ladder.sort_by_key(|layer| layer.height);
        let top = ladder.len().saturating_sub(1);
        let lines = |index: usize, layer: &Layer| layer.height.unwrap_or(USUAL_HEIGHT >> (top - index));
        let enough = ladder.iter().enumerate().position(|(index, layer)| lines(index, layer) >= height);
        ladder.truncate(enough.map_or(ladder.len(), |index| index + 1));
        ladder
    }

    /// When it is over, if nothing more comes; never while nobody looks, since its sender need not send then.
    pub(super) fn idle_deadline(&self) -> Option<Instant> {
        (self.wanted.told != Some(0)).then(|| self.last_packet + IDLE_LIMIT)
    }

    /// When its sender is to be told that less is wanted, if that stays so.
    pub(super) fn wanted_deadline(&self) -> Option<Instant> {
        self.wanted.less_since.map(|since| since + LESS_AFTER)
    }

    /// What its sender is to be told, now that its largest tile has so many lines; 0: nobody looks.
    pub(super) fn take_wanted(&mut self, height: u16, now: Instant) -> Option<u16> {
        let WantedHeight { told, less_since } = &mut self.wanted;
        if told.is_some_and(|told| height < told) {
            let since = *less_since.get_or_insert(now);
            if now.saturating_duration_since(since) < LESS_AFTER {
                return None;
            }
        }
        *less_since = None;
        if *told == Some(0) && height > 0 {
            // It has the usual time to begin again.
            self.last_packet = now;
        }
        (told.replace(height) != Some(height)).then_some(height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::video::tests::{layered, packet, track_of};

    #[test]
    fn a_ladder_ends_with_the_first_layer_that_fills_the_tile() {
        let now = Instant::now();
        let mut track = track_of(1, now);
        for layer in 1..=3 {
            track.note(&layered(layer, true), now);
        }
        let heights =
            |tile: u16| track.ladder(tile, now).iter().map(|layer| layer.height.unwrap_or(0)).collect::<Vec<_>>();
        assert_eq!(heights(100), [180]);
        assert_eq!(heights(181), [180, 360]);
        assert_eq!(heights(540), [180, 360, 720], "rounded up");
        assert_eq!(heights(2_000), [180, 360, 720]);
        assert!(track.ladder(720, now + Duration::from_secs(1)).is_empty(), "nothing comes any more");
    }

    #[test]
    fn a_layer_that_begins_anew_takes_the_place_of_the_former_one() {
        let now = Instant::now();
        let mut track = track_of(1, now);
        track.note(&layered(1, true), now);
        let mut anew = layered(1, true);
        anew.sequence.ssrc = 77;
        assert!(track.note(&anew, now).is_some());
        assert_eq!(track.layers.len(), 1);
    }

    #[test]
    fn more_layers_than_anybody_has_are_refused() {
        let now = Instant::now();
        let mut track = track_of(1, now);
        let taken = (1..=20_u8).filter(|layer| {
            let mut one = packet(u32::from(*layer), 1, 0);
            one.rid = Some(layer.to_string().as_str().into());
            track.note(&one, now).is_some()
        });
        assert_eq!(taken.count(), MAX_LAYERS);
    }

    #[test]
    fn a_track_at_which_nobody_looks_is_not_over_however_long_nothing_comes() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut track = track_of(1, start);
        assert_eq!(track.idle_deadline(), Some(at(10)));
        track.take_wanted(0, at(1));
        assert_eq!(track.idle_deadline(), None);
        track.take_wanted(720, at(1_000));
        assert_eq!(track.idle_deadline(), Some(at(1_010)));
    }

    #[test]
    fn a_sender_is_told_at_once_that_more_is_wanted_and_later_that_less_is() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut track = track_of(1, start);
        assert_eq!(track.take_wanted(0, at(0)), Some(0));
        assert_eq!(track.take_wanted(720, at(1)), Some(720));
        assert_eq!(track.take_wanted(720, at(1)), None);
        assert_eq!(track.take_wanted(180, at(2)), None);
        assert_eq!(track.take_wanted(720, at(4)), None, "wanted again");
        assert_eq!(track.take_wanted(180, at(5)), None);
        assert_eq!(track.take_wanted(180, at(10)), Some(180));
    }
}
