//! Packets of video: as a sender's session has decrypted them, and as a copy of one goes out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Mid, Rid, SenderSequence};

/// Ticks a second of the timestamps of every codec of video (RFC 7741 4.1, RFC 6184 8.2.1, RFC 9628 4.1).
pub(in crate::core) const CLOCK_RATE: u32 = 90_000;

/// Codec of video that is forwarded. Nobody transcodes: whoever cannot decode it sees nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::core) enum VideoCodec {
    Vp8,
    H264,
    Vp9,
    Av1,
}

/// Packet of video that a session has decrypted.
#[derive(Debug, Clone)]
pub(in crate::core) struct VideoPacket {
    /// M-line that it came on.
    pub(in crate::core) mid: Mid,
    /// Simulcast layer that it is of, where its sender has several (RFC 8852).
    pub(in crate::core) rid: Option<Rid>,
    pub(in crate::core) codec: VideoCodec,
    /// Numbers that its sender gave it.
    pub(in crate::core) sequence: SenderSequence,
    /// Last packet of a frame.
    pub(in crate::core) marker: bool,
    /// A keyframe begins with it, from which on everything can be decoded.
    pub(in crate::core) keyframe: Option<Keyframe>,
    /// Numbers inside the payload that have to go on, too.
    pub(in crate::core) vp8: Option<Vp8Numbers>,
    /// What the sender last reported of this layer's clock.
    pub(in crate::core) report: Option<SenderReport>,
    pub(in crate::core) rotation: Option<Rotation>,
    /// Shared by all copies.
    pub(in crate::core) payload: Arc<[u8]>,
    /// Time at which the datagram was handed to the core.
    pub(in crate::core) arrived: Instant,
}

/// Beginning of a keyframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Keyframe {
    /// Lines of the picture, where the codec says so at once.
    pub(in crate::core) height: Option<u16>,
}

/// How a device was held (3GPP TS 26.114 7.4.5): the viewer turns the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Rotation {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

/// Numbers of a VP8 payload descriptor (RFC 7741 4.2), as far as it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Vp8Numbers {
    pub(in crate::core) picture_id: Option<PictureId>,
    /// Running index of frames of the lowest temporal layer.
    pub(in crate::core) tl0_index: Option<u8>,
}

/// Number of a frame, in 7 bits or in 15; a copy cannot be wider than what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct PictureId {
    pub(in crate::core) value: u16,
    pub(in crate::core) is_wide: bool,
}

impl PictureId {
    /// One after the greatest.
    pub(in crate::core) const fn modulus(self) -> u16 {
        if self.is_wide { 1 << 15 } else { 1 << 7 }
    }
}

/// Wall clock and media clock of one moment (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct SenderReport {
    /// Time since the sender's epoch, whichever that is.
    pub(in crate::core) wall: Duration,
    pub(in crate::core) timestamp: u32,
}

impl SenderReport {
    /// Timestamp on the clock of `other` of what has this timestamp on ours: both are of one sender.
    pub(in crate::core) fn translate(self, timestamp: u32, other: Self) -> u32 {
        let seconds = |wall: Duration| wall.as_secs_f64();
        let since = f64::from(timestamp.wrapping_sub(self.timestamp) as i32) / f64::from(CLOCK_RATE);
        let elapsed = seconds(self.wall) - seconds(other.wall) + since;
        other.timestamp.wrapping_add((elapsed * f64::from(CLOCK_RATE)).round() as i64 as u32)
    }
}

/// What a session knows of the way to its remote.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::core) struct PathReport {
    /// Bits a second that it bears, where that is estimated anew.
    pub(in crate::core) estimate: Option<u64>,
    /// Time to it and back.
    pub(in crate::core) round_trip: Option<Duration>,
    /// Share of packets that were lost in the last second, 0 to 1.
    pub(in crate::core) loss: Option<f32>,
}

/// Slot of a viewer as it was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct VideoSlot {
    pub(in crate::core) mid: Mid,
    /// What the viewer decodes there.
    pub(in crate::core) codecs: Vec<VideoCodec>,
}

/// Place of a copy in what one viewer is sent in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct VideoPlace {
    /// Sequence number, which does not wrap.
    pub(in crate::core) sequence: u64,
    pub(in crate::core) timestamp: u32,
    /// Numbers to put into the payload, where it has such.
    pub(in crate::core) picture_id: Option<u16>,
    pub(in crate::core) tl0_index: Option<u8>,
}

/// Copy of a packet for one viewer.
#[derive(Clone, Copy)]
pub(in crate::core) struct VideoCopy<'a> {
    /// M-line of the slot.
    pub(in crate::core) mid: Mid,
    pub(in crate::core) place: VideoPlace,
    pub(in crate::core) packet: &'a VideoPacket,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_translated_by_what_the_sender_reported_of_both_clocks() {
        let high = SenderReport { wall: Duration::from_millis(10_000), timestamp: u32::MAX - 100 };
        let low = SenderReport { wall: Duration::from_millis(9_900), timestamp: 5_000 };
        assert_eq!(high.translate(high.timestamp, low), 5_000 + 9_000, "100 ms after the other report");
        assert_eq!(high.translate(high.timestamp.wrapping_add(2_970), low), 5_000 + 9_000 + 2_970, "over a rollover");
        assert_eq!(high.translate(high.timestamp.wrapping_sub(18_000), low), 5_000_u32.wrapping_sub(9_000), "back");
    }
}
