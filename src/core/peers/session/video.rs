//! Video in a session: what is agreed about it, and packets in our words and in str0m's.
//!
//! Everything that video needs goes through str0m: estimates of what the way bears, pacing, and what is sent again.

use std::time::{Duration, Instant, UNIX_EPOCH};

use smallvec::SmallVec;
use str0m::bwe::{Bitrate, BweKind};
use str0m::config::DtlsCert;
use str0m::format::{Codec, PayloadParams, detect_av1_keyframe, detect_h264_nalu, detect_vp9_keyframe};
use str0m::media::{KeyframeRequestKind, Pt, Rid as Str0mRid};
use str0m::rtp::{Extension, ExtensionValues, RtpPacket, RtpWrite, SeqNo, VideoOrientation, Vp8Descriptor};
use str0m::{Rtc, RtcConfig};

use super::{Session, SessionOutput, keys, rtp};
use crate::core::packet::{
    Keyframe, Mid, PictureId, Rid, Rotation, SenderReport, SenderSequence, VideoCodec, VideoCopy, VideoPacket,
    VideoSlot, Vp8Numbers,
};

/// Header extensions, by the ids that browsers use.
const EXTENSIONS: [(u8, Extension); 5] = [
    (3, Extension::TransportSequenceNumber),
    (4, Extension::RtpMid),
    (10, Extension::RtpStreamId),
    (11, Extension::RepairedRtpStreamId),
    (13, Extension::VideoOrientation),
];

/// Between two looks at what was lost on the way.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// What is kept of each slot, for a viewer who asks for it again: what still comes in time.
const KEPT_PACKETS: usize = 200;
const KEPT_FOR: Duration = Duration::from_secs(1);

/// Where more of what is sent than this is sent again, it would only make things worse.
const MOST_SENT_AGAIN: f32 = 0.6;

/// Type of the part of an H.264 stream that all else needs (RFC 6184 5.4, "SPS"): with it a keyframe begins.
const SEQUENCE_PARAMETERS: u8 = 7;

/// Begins the header of a VP8 keyframe, after its tag of three bytes (RFC 6386 9.1).
const VP8_START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];

/// The configuration of a session for video. ICE-lite: it never checks by itself.
pub(super) fn config(certificate: &DtlsCert, estimate: u64) -> RtcConfig {
    let mut config = Rtc::builder()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_dtls_cert(certificate.clone())
        .set_crypto_provider(keys::provider())
        .set_stats_interval(Some(LOOKS_EVERY))
        .enable_bwe(Some(Bitrate::bps(estimate)))
        .clear_codecs()
        .enable_vp8(true)
        .enable_h264(true)
        .enable_vp9(true)
        .enable_av1(true)
        .clear_extension_map();
    for (id, extension) in EXTENSIONS {
        config = config.set_extension(id, extension);
    }
    config
}

impl Session {
    /// A slot in which the remote sees, and what it decodes there; `None` when it sees nothing there that is known.
    pub(in crate::core::peers) fn video_slot(&mut self, mid: Mid) -> Option<VideoSlot> {
        let codecs = [VideoCodec::Vp8, VideoCodec::H264, VideoCodec::Vp9, VideoCodec::Av1];
        let known = codecs.into_iter().filter(|codec| self.payload_type(mid, *codec).is_some());
        let slot = VideoSlot { mid, codecs: known.collect() };
        if slot.codecs.is_empty() {
            return None;
        }
        self.keep_sent(mid);
        Some(slot)
    }

    /// Keeps what is sent in a slot from now on for a viewer who asks for it again, and nothing of before.
    fn keep_sent(&mut self, mid: Mid) {
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(rtp::theirs(mid), None) {
            stream.set_rtx_cache(KEPT_PACKETS, KEPT_FOR, Some(MOST_SENT_AGAIN));
        }
    }

    /// Sends nothing of before again, in any slot.
    pub(in crate::core::peers) fn forget_sent(&mut self) {
        self.slots().into_iter().for_each(|mid| self.keep_sent(mid));
    }

    /// Sends at the pace of the estimate, or at once.
    pub(in crate::core::peers) fn set_paced(&mut self, is_paced: bool) {
        let mut api = self.rtc.direct_api();
        for mid in self.dialect.mids() {
            if let Some(stream) = api.stream_tx_by_mid(rtp::theirs(mid), None) {
                stream.set_unpaced(!is_paced);
            }
        }
    }

    /// Slots in which something was sent.
    fn slots(&self) -> SmallVec<[Mid; 8]> {
        self.payload_types.iter().map(|(mid, ..)| *mid).collect()
    }

    /// Number that the remote gave to a codec on this m-line. Of several forms of H.264 it is the first in packets of several
    /// parts (RFC 6184 6.3): the others nobody sends.
    fn payload_type(&self, mid: Mid, codec: VideoCodec) -> Option<Pt> {
        let media = self.rtc.media(rtp::theirs(mid)).filter(|media| media.direction().is_sending())?;
        let params = self.rtc.codec_config().params().iter().filter(|params| media.remote_pts().contains(&params.pt()));
        let mut of_codec = params.filter(|params| own_codec(params.spec().codec) == Some(codec));
        let is_usual = |mode: Option<u8>| codec != VideoCodec::H264 || mode == Some(1);
        of_codec.find(|params| is_usual(params.spec().format.packetization_mode)).map(PayloadParams::pt)
    }

    /// Gives the session a packet for the remote, to be sent at the pace that its way bears.
    pub(in crate::core::peers) fn send_video(&mut self, now: Instant, copy: &VideoCopy<'_>, out: &mut SessionOutput) {
        let Some(payload_type) = self.video_payload_type(copy.mid, copy.packet.codec) else { return };
        let mid = rtp::theirs(copy.mid);
        self.drive(out, |rtc| {
            if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
                stream.write_rtp(write(copy, payload_type));
            }
            Ok(())
        });
        // What was written goes out when time is fed, even if none has passed.
        self.advance(now, out);
    }

    /// As [`payload_type`](Self::payload_type), looked up once only.
    fn video_payload_type(&mut self, mid: Mid, codec: VideoCodec) -> Option<Pt> {
        let known = self.payload_types.iter().find(|(of, kind, _)| (*of, *kind) == (mid, codec));
        if let Some((.., payload_type)) = known {
            return Some(*payload_type);
        }
        let payload_type = self.payload_type(mid, codec)?;
        self.payload_types.push((mid, codec, payload_type));
        Some(payload_type)
    }

    /// Asks the remote for a keyframe (RFC 4585 6.3.1).
    pub(in crate::core::peers) fn request_keyframe(
        &mut self,
        mid: Mid,
        rid: Option<Rid>,
        now: Instant,
        out: &mut SessionOutput,
    ) {
        self.drive(out, |rtc| {
            let rid = rid.map(|rid| Str0mRid::from(rid.as_str()));
            if let Some(stream) = rtc.direct_api().stream_rx_by_mid(rtp::theirs(mid), rid) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
            Ok(())
        });
        self.advance(now, out);
    }

    /// What the remote is to be sent, in bits a second: so much is tried to be reached by padding, and so much is wanted.
    pub(in crate::core::peers) fn set_bitrate(
        &mut self,
        minimum: u64,
        desired: u64,
        now: Instant,
        out: &mut SessionOutput,
    ) {
        self.drive(out, |rtc| {
            rtc.bwe().set_bitrate(Bitrate::bps(minimum), Bitrate::bps(desired));
            Ok(())
        });
        self.advance(now, out);
    }

    /// Begins to estimate anew what the way to the remote bears, with this many bits a second.
    pub(in crate::core::peers) fn reset_estimate(&mut self, estimate: u64, now: Instant, out: &mut SessionOutput) {
        self.drive(out, |rtc| {
            rtc.bwe().reset(Bitrate::bps(estimate));
            Ok(())
        });
        self.advance(now, out);
    }

    /// How old the oldest packet is that waits to be sent, when that was last looked at.
    pub(in crate::core::peers) fn queue_age(&mut self, slots: &[Mid]) -> Duration {
        let mut api = self.rtc.direct_api();
        let ages = slots.iter().filter_map(|mid| {
            let queue = api.stream_tx_by_mid(rtp::theirs(*mid), None)?.queue_info()?;
            Some(queue.created_at().saturating_duration_since(queue.first_unsent()?))
        });
        ages.max().unwrap_or_default()
    }
}

/// Bits a second of an estimate; `None` of a kind that nobody is paced by.
pub(super) fn bits_a_second(estimate: &BweKind) -> Option<u64> {
    match estimate {
        BweKind::Twcc { estimate, .. } => Some(estimate.as_u64()),
        _ => None,
    }
}

/// A packet of video that came; `None` of a stream or codec that is not known.
pub(super) fn ingress(rtc: &mut Rtc, packet: RtpPacket) -> Option<VideoPacket> {
    let codec = rtc.codec_config().params().iter().find(|params| params.pt() == packet.header.payload_type)?;
    let codec = own_codec(codec.spec().codec)?;
    let mut api = rtc.direct_api();
    let stream = api.stream_rx(&packet.header.ssrc)?;
    let (mid, rid) = (rtp::own(stream.mid()), stream.rid().map(|rid| Rid::of_session(&rid)));
    Some(read(mid, rid, codec, packet))
}

fn read(mid: Mid, rid: Option<Rid>, codec: VideoCodec, packet: RtpPacket) -> VideoPacket {
    let (keyframe, vp8) = look_into(codec, &packet.payload);
    let report = packet.last_sender_info.as_ref().and_then(|info| {
        let wall = info.ntp_time.duration_since(UNIX_EPOCH).ok()?;
        Some(SenderReport { wall, timestamp: info.rtp_time.numer() as u32 })
    });
    let sequence =
        SenderSequence { ssrc: *packet.header.ssrc, sequence: *packet.seq_no, timestamp: packet.time.numer() };
    VideoPacket {
        mid,
        rid,
        codec,
        sequence,
        marker: packet.header.marker,
        keyframe,
        vp8,
        report,
        rotation: packet.header.ext_vals.video_orientation.map(own_rotation),
        payload: packet.payload,
        arrived: packet.timestamp,
    }
}

/// Looks into a payload as if it were of each codec.
pub(in crate::core) fn look_into_all(payload: &[u8]) {
    for codec in [VideoCodec::Vp8, VideoCodec::H264, VideoCodec::Vp9, VideoCodec::Av1] {
        look_into(codec, payload);
    }
}

/// Whether a keyframe begins with a payload, and the numbers in it that have to go on.
fn look_into(codec: VideoCodec, payload: &[u8]) -> (Option<Keyframe>, Option<Vp8Numbers>) {
    let unknown = Keyframe { height: None };
    match codec {
        VideoCodec::Vp8 => {
            let Ok(descriptor) = Vp8Descriptor::parse(payload) else { return (None, None) };
            let begins = descriptor.starts_keyframe(payload);
            let keyframe = begins.then(|| Keyframe { height: vp8_height(payload) });
            (keyframe, Some(numbers_of(&descriptor, payload)))
        }
        VideoCodec::H264 => (detect_h264_nalu(payload, SEQUENCE_PARAMETERS).then_some(unknown), None),
        VideoCodec::Vp9 => (detect_vp9_keyframe(payload).then_some(unknown), None),
        VideoCodec::Av1 => (detect_av1_keyframe(payload).then_some(unknown), None),
    }
}

fn numbers_of(descriptor: &Vp8Descriptor, payload: &[u8]) -> Vp8Numbers {
    // The descriptor was read: there is a third byte, and its first bit tells (RFC 7741 4.2, "M").
    let is_wide = payload.get(2).is_some_and(|byte| byte & 0x80 != 0);
    let picture_id = descriptor.picture_id().map(|value| PictureId { value, is_wide });
    Vp8Numbers { picture_id, tl0_index: descriptor.tl0_pic_idx() }
}

/// Lines of a picture, as the header of a VP8 keyframe says (RFC 6386 9.1).
fn vp8_height(payload: &[u8]) -> Option<u16> {
    /// Bytes of the longest descriptor, and the tag.
    const FURTHEST: usize = 6 + 3;
    let begun = payload.windows(3).take(FURTHEST + 1).position(|bytes| bytes == VP8_START_CODE)?;
    let height = payload.get(begun + 5..begun + 7)?;
    Some(u16::from_le_bytes([height[0], height[1]]) & 0x3fff)
}

/// A copy as its viewer is to see it. Its SSRC and MID are the session's own.
fn write(copy: &VideoCopy<'_>, payload_type: Pt) -> RtpWrite {
    let VideoCopy { place, packet, .. } = *copy;
    let sequence = SeqNo::from(place.sequence);
    let extensions =
        ExtensionValues { video_orientation: packet.rotation.map(their_rotation), ..ExtensionValues::default() };
    let written = RtpWrite::new(payload_type, sequence, place.timestamp, packet.arrived, packet.payload.clone())
        .marker(packet.marker)
        .nackable(true)
        .ext_vals(extensions);
    if place.picture_id.is_none() && place.tl0_index.is_none() {
        return written;
    }
    let Ok(descriptor) = Vp8Descriptor::parse(&packet.payload) else { return written };
    let patch = descriptor.patch();
    let patch = place.picture_id.map_or(patch, |id| patch.picture_id(id));
    let patch = place.tl0_index.map_or(patch, |index| patch.tl0_pic_idx(index));
    match patch.build() {
        Ok(patch) => written.vp8_patch(patch),
        // Numbers that the payload has no room for were never read from it.
        Err(_) => written,
    }
}

const fn own_codec(codec: Codec) -> Option<VideoCodec> {
    match codec {
        Codec::Vp8 => Some(VideoCodec::Vp8),
        Codec::H264 => Some(VideoCodec::H264),
        Codec::Vp9 => Some(VideoCodec::Vp9),
        Codec::Av1 => Some(VideoCodec::Av1),
        _ => None,
    }
}

const fn own_rotation(orientation: VideoOrientation) -> Rotation {
    match orientation {
        VideoOrientation::Deg0 => Rotation::None,
        VideoOrientation::Deg90 => Rotation::Quarter,
        VideoOrientation::Deg180 => Rotation::Half,
        VideoOrientation::Deg270 => Rotation::ThreeQuarters,
    }
}

const fn their_rotation(rotation: Rotation) -> VideoOrientation {
    match rotation {
        Rotation::None => VideoOrientation::Deg0,
        Rotation::Quarter => VideoOrientation::Deg90,
        Rotation::Half => VideoOrientation::Deg180,
        Rotation::ThreeQuarters => VideoOrientation::Deg270,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Descriptor with a picture id and an index, and the header of a keyframe of 320×180.
    fn vp8_keyframe(picture_id: &[u8]) -> Vec<u8> {
        let header = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00, 0x55];
        [&[0x90, 0xe0][..], picture_id, &[42, 0], &header].concat()
    }

    #[test]
    fn a_vp8_keyframe_tells_its_lines_and_its_numbers() {
        let (keyframe, numbers) = look_into(VideoCodec::Vp8, &vp8_keyframe(&[0x81, 0x02]));
        assert_eq!(keyframe, Some(Keyframe { height: Some(180) }));
        let picture_id = Some(PictureId { value: 0x102, is_wide: true });
        assert_eq!(numbers, Some(Vp8Numbers { picture_id, tl0_index: Some(42) }));
        let (_, narrow) = look_into(VideoCodec::Vp8, &vp8_keyframe(&[0x55]));
        let picture_id = Some(PictureId { value: 0x55, is_wide: false });
        assert_eq!(narrow, Some(Vp8Numbers { picture_id, tl0_index: Some(42) }));
    }

    #[test]
    fn a_later_packet_of_a_keyframe_begins_none() {
        let mut payload = vp8_keyframe(&[0x81, 0x02]);
        payload[0] = 0x80;
        assert_eq!(look_into(VideoCodec::Vp8, &payload).0, None);
    }

    #[test]
    fn an_h264_keyframe_begins_with_its_parameters_and_not_with_the_picture() {
        let begins = |payload: &[u8]| look_into(VideoCodec::H264, payload).0.is_some();
        assert!(begins(&[0x67, 0x42, 0xe0, 0x1f]), "alone");
        assert!(begins(&[0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce]), "with others in one packet");
        assert!(!begins(&[0x65, 0x88]), "a picture whose parameters were said elsewhere");
        assert!(!begins(&[0x41, 0x9a]));
    }

    #[test]
    fn whatever_comes_is_looked_into_without_a_panic() {
        for codec in [VideoCodec::Vp8, VideoCodec::H264, VideoCodec::Vp9, VideoCodec::Av1] {
            let whole = vp8_keyframe(&[0x81, 0x02]);
            for cut in 0..whole.len() {
                look_into(codec, &whole[..cut]);
            }
            for first in 0..=255 {
                look_into(codec, &[first; 3]);
                look_into(codec, &[first, !first, first, 0, 255, first]);
            }
        }
    }
}
