//! Between our words and str0m's: m-lines, packets, datagrams.

use str0m::media::Mid as Str0mMid;
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite, SeqNo};

use crate::core::Transmit;
use crate::core::packet::{EgressPacket, IngressPacket, Mid, Packet, SenderSequence};

/// An m-line as we know it.
pub(super) fn own(mid: Str0mMid) -> Mid {
    Mid::of_session(&mid)
}

/// Translation of the m-line that was named last: packets come in runs of one, and its name would be read for each.
#[derive(Default)]
pub(super) struct LastMid(Option<(Str0mMid, Mid)>);

impl LastMid {
    /// An m-line as we know it.
    pub(super) fn own(&mut self, mid: Str0mMid) -> Mid {
        let (_, own) = match self.0 {
            Some(last) if last.0 == mid => last,
            _ => *self.0.insert((mid, own(mid))),
        };
        own
    }
}

/// An m-line as str0m knows it.
pub(super) fn theirs(mid: Mid) -> Str0mMid {
    Str0mMid::from(mid.as_str())
}

/// A packet that came on this m-line.
pub(super) fn read(mid: Option<Mid>, packet: RtpPacket) -> IngressPacket {
    let extensions = &packet.header.ext_vals;
    let sequence =
        SenderSequence { ssrc: *packet.header.ssrc, sequence: *packet.seq_no, timestamp: packet.time.numer() };
    let packet = Packet {
        level: extensions.audio_level,
        voice: extensions.voice_activity,
        marker: packet.header.marker,
        arrived: packet.timestamp,
        payload: packet.payload,
    };
    IngressPacket { mid, sequence, packet }
}

/// A copy as its receiver is to see it. Its SSRC and MID are the session's own.
pub(super) fn write(egress: &EgressPacket<'_>) -> RtpWrite {
    let EgressPacket { track, place, packet, .. } = *egress;
    let extensions =
        ExtensionValues { audio_level: packet.level, voice_activity: packet.voice, ..ExtensionValues::default() };
    let sequence = SeqNo::from(place.sequence);
    RtpWrite::new(track.payload_type.into(), sequence, egress.timestamp(), packet.arrived, packet.payload.clone())
        .marker(egress.marker())
        .ext_vals(extensions)
}

/// A datagram to send.
pub(super) fn transmit(made: str0m::net::Transmit) -> Transmit {
    Transmit { source: made.source, destination: made.destination, payload: made.contents.into(), forwarded: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mid_is_what_str0m_makes_of_it() {
        for text in ["0", "audio", "sixteenletters42", "a-b", "überlang und mit Leerzeichen", ""] {
            assert_eq!(Mid::from(text).as_str(), &*Str0mMid::from(text), "{text}");
            assert_eq!(own(theirs(Mid::from(text))), Mid::from(text), "{text}");
        }
    }
}
