//! MP3: 128 kbit/s, mono, 48 kHz, constant bitrate. Each frame is 384 bytes, lasts 24 ms and stands
//! on its own, so that listeners can begin at any of them and streams can be joined end to end.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use mp3lame_encoder::{Bitrate, Builder, Encoder, FlushNoGap, Mode, MonoPcm, Quality, VbrMode};

use super::SAMPLE_RATE;
use super::lame::disable_bit_reservoir;

/// Samples in a frame (MPEG-1 Layer III).
pub(super) const FRAME_SAMPLES: usize = 1_152;

/// How long a frame lasts.
pub(super) const FRAME_DURATION: Duration = Duration::from_millis(24);

/// Bytes in a frame: 128 kbit/s for 24 ms.
const FRAME_BYTES: usize = 384;

/// What LAME asks for besides 1.25 bytes a sample.
const LAME_OVERHEAD: usize = 7_200;

/// PCM to whole MP3 frames.
pub(super) struct Mp3Encoder {
    lame: Encoder,
    /// Output that is not yet handed out: less than a frame after each call.
    output: BytesMut,
    scratch: Vec<u8>,
}

impl Mp3Encoder {
    pub(super) fn new() -> Self {
        Self { lame: build_lame(), output: BytesMut::new(), scratch: Vec::new() }
    }

    /// Encodes samples; gives the frames that are complete, which may be none.
    pub(super) fn encode(&mut self, pcm: &[i16]) -> Bytes {
        self.scratch.clear();
        self.scratch.reserve(pcm.len() * 5 / 4 + LAME_OVERHEAD);
        self.lame.encode_to_vec(MonoPcm(pcm), &mut self.scratch).expect("the output has the room that LAME asks for");
        self.take_frames()
    }

    /// Ends: gives the frames that LAME still holds.
    pub(super) fn finish(mut self) -> Bytes {
        self.scratch.clear();
        self.scratch.reserve(LAME_OVERHEAD);
        self.lame.flush_to_vec::<FlushNoGap>(&mut self.scratch).expect("the output has the room that LAME asks for");
        self.take_frames()
    }

    fn take_frames(&mut self) -> Bytes {
        self.output.extend_from_slice(&self.scratch);
        let whole = self.output.len() / FRAME_BYTES * FRAME_BYTES;
        self.output.split_to(whole).freeze()
    }
}

/// How many frames there are in what the encoder gave.
pub(super) fn frames_in(bytes: &Bytes) -> u64 {
    (bytes.len() / FRAME_BYTES) as u64
}

/// One frame of silence.
pub(super) fn silent_frame() -> Bytes {
    let mut encoder = Mp3Encoder::new();
    let mut frames = encoder.encode(&[0; 8 * FRAME_SAMPLES]);
    // The first frames hold the encoder's own delay.
    frames.advance(frames.len() - FRAME_BYTES);
    frames
}

fn build_lame() -> Encoder {
    let mut builder = Builder::new().expect("only lack of memory can refuse an encoder");
    let set = [
        builder.set_num_channels(1),
        builder.set_sample_rate(SAMPLE_RATE),
        builder.set_brate(Bitrate::Kbps128),
        builder.set_mode(Mode::Mono),
        builder.set_vbr_mode(VbrMode::Off),
        // Half the work of the default, and no different to the ear for speech.
        builder.set_quality(Quality::Ok),
        builder.set_to_write_vbr_tag(false),
    ];
    assert!(set.iter().all(Result::is_ok), "LAME takes settings that are valid together: {set:?}");
    disable_bit_reservoir(&mut builder);
    builder.build().expect("LAME takes settings that are valid together")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MPEG-1 Layer III, 128 kbit/s, 48 kHz, mono, no padding.
    const HEADER: [u8; 4] = [0xff, 0xfb, 0x94, 0xc4];

    #[test]
    fn frames_come_whole_and_stand_on_their_own() {
        let mut encoder = Mp3Encoder::new();
        let tone: Vec<i16> = (0..960 * 100).map(|n| ((f64::from(n) * 0.05).sin() * 9_000.0) as i16).collect();
        let mut frames = Vec::new();
        for chunk in tone.chunks(960) {
            frames.extend_from_slice(&encoder.encode(chunk));
        }
        frames.extend_from_slice(&encoder.finish());
        assert_eq!(frames.len() % FRAME_BYTES, 0);
        for frame in frames.chunks(FRAME_BYTES) {
            assert_eq!(frame[..4], HEADER);
            // main_data_begin, the first nine bits of the side information: nothing before this frame.
            assert_eq!((frame[4], frame[5] & 0x80), (0, 0));
        }
    }

    #[test]
    fn silence_is_one_frame() {
        let frame = silent_frame();
        assert_eq!((frame.len(), &frame[..4]), (FRAME_BYTES, &HEADER[..]));
    }
}
