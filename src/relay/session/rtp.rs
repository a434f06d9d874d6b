//! A packet of a stream on its way to one receiver.

use str0m::media::{Mid, Pt};
use str0m::rtp::{ExtensionValues, RtpWrite, SeqNo};

use crate::relay::forwarding::Packet;
use crate::relay::timeline::Position;

/// Where a subscriber's packets go: the m-line and payload type that it agreed to.
#[derive(Debug, Clone, Copy)]
pub(in crate::relay) struct Lane {
    pub(super) mid: Mid,
    pub(super) payload_type: Pt,
}

impl Lane {
    /// The m-line.
    pub(in crate::relay) fn mid(self) -> Mid {
        self.mid
    }

    /// One of many, for tests that send nothing.
    #[cfg(test)]
    pub(in crate::relay) fn numbered(number: usize) -> Self {
        Self { mid: number.to_string().as_str().into(), payload_type: 111.into() }
    }
}

/// A packet of a stream on its way to one receiver.
#[derive(Clone, Copy)]
pub(in crate::relay) struct Rtp<'a> {
    pub(in crate::relay) lane: Lane,
    /// Its place in what this receiver hears on that lane.
    pub(in crate::relay) place: Position,
    pub(in crate::relay) packet: &'a Packet,
    /// Another voice begins with it.
    pub(in crate::relay) begins: bool,
}

impl Rtp<'_> {
    /// Tells a jitter buffer that it may adapt here.
    pub(super) fn marker(&self) -> bool {
        self.packet.marker || self.begins
    }

    /// The timestamp on the wire is the lower half of ours (RFC 3550 5.1).
    pub(super) fn timestamp(&self) -> u32 {
        self.place.timestamp as u32
    }
}

/// A packet of the stream as this receiver is to see it. Its SSRC and MID are the session's own.
pub(super) fn rtp_write(rtp: &Rtp<'_>) -> RtpWrite {
    let Rtp { lane, place, packet, .. } = *rtp;
    let extensions =
        ExtensionValues { audio_level: packet.level, voice_activity: packet.voice, ..ExtensionValues::default() };
    let sequence = SeqNo::from(place.sequence);
    RtpWrite::new(lane.payload_type, sequence, rtp.timestamp(), packet.arrived, packet.payload.clone())
        .marker(rtp.marker())
        .ext_vals(extensions)
}
