//! What the layers hand to each other: a packet as it came, its place in a track, and where a copy of it goes.
//!
//! Nothing here is str0m's, so that what decides about packets does not depend on what seals them.

mod video;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub(super) use video::{
    CLOCK_RATE, Keyframe, PathReport, PictureId, Rotation, SenderReport, VideoCodec, VideoCopy, VideoPacket,
    VideoPlace, VideoSlot, Vp8Numbers,
};

/// Bytes of the longest [`Mid`]: one header extension of the one-byte kind holds no more (RFC 8285 4.2).
const MID_BYTES: usize = 16;

/// Slots that one participant can have; a client that offers more has no use for the others.
pub(super) const MAX_SLOTS: usize = 16;

/// Identity of an m-line within one session (RFC 9143 9).
pub(super) type Mid = Label<MID_BYTES>;

/// Identity of a simulcast layer within one m-line (RFC 8851).
pub(super) type Rid = Label<8>;

/// Short text by which something is named in descriptions and in packets, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Label<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Label<BYTES> {
    /// One whose text a session has read: it has nothing to be cut or replaced.
    ///
    /// # Panics
    /// When it is longer than any that a session has read.
    pub(super) fn of_session(text: &str) -> Self {
        let mut bytes = [0; BYTES];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Self(bytes)
    }

    /// Text of it.
    pub(super) fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(BYTES);
        std::str::from_utf8(&self.0[..length]).expect("letters, digits and underscores")
    }
}

/// As a session carries it: cut to its length, and with an underscore for all but letters and digits.
impl<const BYTES: usize> From<&str> for Label<BYTES> {
    fn from(text: &str) -> Self {
        let mut bytes = [0; BYTES];
        for (byte, letter) in bytes.iter_mut().zip(text.chars()) {
            *byte = if letter.is_ascii_alphanumeric() { letter as u8 } else { b'_' };
        }
        Self(bytes)
    }
}

impl<const BYTES: usize> fmt::Display for Label<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const BYTES: usize> fmt::Debug for Label<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Numbers that a sender gave a packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct SenderSequence {
    /// Source of the packet: another one means another run of numbers (RFC 3550 5.1).
    pub(super) ssrc: u32,
    /// Sequence number, extended by the count of rollovers.
    pub(super) sequence: u64,
    /// Timestamp in samples, extended likewise.
    pub(super) timestamp: u64,
}

/// Place of a packet in a track, in units that never wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Sequence number: grows by one a packet.
    pub(super) sequence: u64,
    /// Timestamp in samples at 48 kHz.
    pub(super) timestamp: u64,
}

/// Content of a sender's packet: what every copy of it carries.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    /// Opus packet (RFC 7587 4.2), shared by all copies.
    pub(super) payload: Arc<[u8]>,
    /// Loudness in dBov, if the sender measures it (RFC 6464).
    pub(super) level: Option<i8>,
    /// Whether it is a voice, if the sender says so (RFC 6464).
    pub(super) voice: Option<bool>,
    /// First packet after a pause (RFC 7587 4.1).
    pub(super) marker: bool,
    /// Time at which the datagram was handed to the core.
    pub(super) arrived: Instant,
}

/// Packet that a session has decrypted.
#[derive(Debug)]
pub(super) struct IngressPacket {
    /// M-line that it came on; `None` where it names none and no description does.
    pub(super) mid: Option<Mid>,
    /// Numbers that its sender gave it.
    pub(super) sequence: SenderSequence,
    /// Content of it.
    pub(super) packet: Packet,
}

/// Place for copies at a receiver: the m-line and payload type that it agreed to.
#[derive(Debug, Clone, Copy)]
pub(super) struct EgressTrack {
    /// M-line on which it hears.
    pub(super) mid: Mid,
    /// RTP payload type that it gave to Opus.
    pub(super) payload_type: u8,
}

impl EgressTrack {
    /// One of many, for tests that send nothing.
    #[cfg(test)]
    pub(super) fn numbered(number: usize) -> Self {
        Self { mid: number.to_string().as_str().into(), payload_type: 111 }
    }
}

/// Copy of a packet for one receiver.
#[derive(Clone, Copy)]
pub(super) struct EgressPacket<'a> {
    /// Where it goes.
    pub(super) track: EgressTrack,
    /// Place in what this receiver was sent there.
    pub(super) place: Position,
    /// Content of it.
    pub(super) packet: &'a Packet,
    /// Another voice begins with it.
    pub(super) begins: bool,
}

impl EgressPacket<'_> {
    /// Tells a jitter buffer that it may adapt here.
    pub(super) fn marker(&self) -> bool {
        self.packet.marker || self.begins
    }

    /// Timestamp on the wire: the lower half of ours (RFC 3550 5.1).
    pub(super) fn timestamp(&self) -> u32 {
        self.place.timestamp as u32
    }
}

/// Report of a receiver on what it was sent lately: that of its worst m-line (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ReceptionReport {
    /// Share of packets that were lost, 0 to 1.
    pub(super) loss: Option<f32>,
    /// Time from us to it and back.
    pub(super) round_trip: Option<Duration>,
    /// Unevenness of arrival.
    pub(super) jitter: Option<Duration>,
}
