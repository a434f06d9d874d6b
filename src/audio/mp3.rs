//! MP3: mono, 48 kHz, constant bitrate. Each frame lasts 24 ms and stands on its own, so that
//! listeners can begin at any of them and streams can be joined end to end.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use mp3lame_encoder::{Bitrate as LameBitrate, Builder, Encoder, FlushNoGap, Mode, MonoPcm, Quality, VbrMode};

use super::SAMPLE_RATE;
use super::format::Bitrate;
use super::lame::disable_bit_reservoir;
use super::stats::AudioStats;

/// Samples in a frame (MPEG-1 Layer III).
pub(crate) const FRAME_SAMPLES: usize = 1_152;

/// After so many frames of digital silence, nothing else is left inside the encoder.
const SILENT_FRAMES: usize = 4;

/// What LAME asks for besides 1.25 bytes a sample.
const LAME_OVERHEAD: usize = 7_200;

/// A file, as it grows.
pub struct Mp3File {
    encoder: Mp3Encoder,
    made: BytesMut,
}

impl Default for Mp3File {
    fn default() -> Self {
        Self { encoder: Mp3Encoder::new(Bitrate::DEFAULT, Arc::default()), made: BytesMut::new() }
    }
}

impl Mp3File {
    /// Adds samples.
    pub fn add(&mut self, pcm: &[i16]) {
        self.made.extend_from_slice(&self.encoder.encode(pcm));
    }

    /// How large it is by now.
    pub fn bytes(&self) -> usize {
        self.made.len()
    }

    /// All of it.
    pub fn finish(mut self) -> Bytes {
        self.made.extend_from_slice(&self.encoder.finish());
        self.made.freeze()
    }
}

/// PCM to whole MP3 frames.
pub(crate) struct Mp3Encoder {
    lame: Encoder,
    bitrate: Bitrate,
    /// Output that is not yet handed out: less than a frame after each call.
    output: BytesMut,
    scratch: Vec<u8>,
    /// Zeros in a row.
    silence: usize,
    /// Of those, how many LAME has not seen: silent frames stand for them. Less than a frame after each call.
    skipped: usize,
    silent_frame: Bytes,
    stats: Arc<AudioStats>,
}

impl Mp3Encoder {
    pub(crate) fn new(bitrate: Bitrate, stats: Arc<AudioStats>) -> Self {
        Self {
            lame: build_lame(bitrate),
            bitrate,
            output: BytesMut::new(),
            scratch: Vec::new(),
            silence: 0,
            skipped: 0,
            silent_frame: silent_frame(bitrate),
            stats,
        }
    }

    /// Encodes samples; gives the frames that are complete, which may be none.
    pub(crate) fn encode(&mut self, pcm: &[i16]) -> Bytes {
        if pcm.iter().any(|sample| *sample != 0) {
            self.silence = 0;
            self.feed_skipped();
            self.feed(pcm);
        } else if self.silence < SILENT_FRAMES * FRAME_SAMPLES {
            self.silence += pcm.len();
            self.feed(pcm);
        } else {
            self.skip(pcm.len());
        }
        self.take_frames()
    }

    /// Ends: gives the frames that LAME still holds.
    pub(crate) fn finish(mut self) -> Bytes {
        self.feed_skipped();
        self.scratch.clear();
        self.scratch.reserve(LAME_OVERHEAD);
        self.lame.flush_to_vec::<FlushNoGap>(&mut self.scratch).expect("the output has the room that LAME asks for");
        self.output.extend_from_slice(&self.scratch);
        self.take_frames()
    }

    fn feed(&mut self, pcm: &[i16]) {
        self.scratch.clear();
        self.scratch.reserve(pcm.len() * 5 / 4 + LAME_OVERHEAD);
        self.lame.encode_to_vec(MonoPcm(pcm), &mut self.scratch).expect("the output has the room that LAME asks for");
        self.output.extend_from_slice(&self.scratch);
    }

    /// Silence inside, silence before and silence to come: each frame is the same one.
    fn skip(&mut self, samples: usize) {
        self.skipped += samples;
        while self.skipped >= FRAME_SAMPLES {
            self.skipped -= FRAME_SAMPLES;
            self.output.extend_from_slice(&self.silent_frame);
        }
    }

    /// The sound begins anew within a frame: so much of it was silence.
    fn feed_skipped(&mut self) {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            self.feed(&[0; FRAME_SAMPLES][..skipped]);
        }
    }

    fn take_frames(&mut self) -> Bytes {
        let frames = self.output.len() / self.bitrate.frame_bytes();
        self.stats.add_frames(frames as u64);
        self.output.split_to(frames * self.bitrate.frame_bytes()).freeze()
    }
}

/// One frame of silence.
fn silent_frame(bitrate: Bitrate) -> Bytes {
    let mut lame = build_lame(bitrate);
    let mut frames = Vec::with_capacity(8 * FRAME_SAMPLES * 5 / 4 + LAME_OVERHEAD);
    lame.encode_to_vec(MonoPcm(&[0_i16; 8 * FRAME_SAMPLES]), &mut frames).expect("reserved as LAME asks");
    let mut frames = Bytes::from(frames);
    // The first frames hold the encoder's own delay.
    frames.advance(frames.len() - bitrate.frame_bytes());
    frames
}

fn build_lame(bitrate: Bitrate) -> Encoder {
    let mut builder = Builder::new().expect("only lack of memory can refuse an encoder");
    let set = [
        builder.set_num_channels(1),
        builder.set_sample_rate(SAMPLE_RATE),
        builder.set_brate(lame_bitrate(bitrate)),
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

fn lame_bitrate(bitrate: Bitrate) -> LameBitrate {
    match bitrate.kilobits() {
        64 => LameBitrate::Kbps64,
        80 => LameBitrate::Kbps80,
        96 => LameBitrate::Kbps96,
        112 => LameBitrate::Kbps112,
        160 => LameBitrate::Kbps160,
        192 => LameBitrate::Kbps192,
        224 => LameBitrate::Kbps224,
        256 => LameBitrate::Kbps256,
        320 => LameBitrate::Kbps320,
        _ => LameBitrate::Kbps128,
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::super::format::BITRATES;
    use super::*;

    /// MPEG-1 Layer III, 128 kbit/s, 48 kHz, mono, no padding.
    const HEADER: [u8; 4] = [0xff, 0xfb, 0x94, 0xc4];

    fn tone(samples: usize) -> Vec<i16> {
        (0..samples).map(|n| ((n as f64 * 440.0 * TAU / 48_000.0).sin() * 9_000.0) as i16).collect()
    }

    fn encode(encoder: &mut Mp3Encoder, pcm: &[i16]) -> Vec<u8> {
        pcm.chunks(480).flat_map(|chunk| encoder.encode(chunk)).collect()
    }

    #[test]
    fn frames_come_whole_and_stand_on_their_own_at_every_bitrate() {
        for bitrate in BITRATES.map(|kilobits| Bitrate::new(kilobits).expect("listed")) {
            let mut encoder = Mp3Encoder::new(bitrate, Arc::default());
            let mut frames = encode(&mut encoder, &tone(96_000));
            frames.extend_from_slice(&encoder.finish());
            assert_eq!(frames.len() % bitrate.frame_bytes(), 0);
            for frame in frames.chunks(bitrate.frame_bytes()) {
                assert_eq!((&frame[..2], frame[2] & 0x0f, frame[3]), (&HEADER[..2], 0x04, 0xc4));
                // main_data_begin, the first nine bits of the side information: nothing before this frame.
                assert_eq!((frame[4], frame[5] & 0x80), (0, 0));
            }
        }
    }

    #[test]
    fn silence_is_one_frame_over_and_over_without_work() {
        let mut encoder = Mp3Encoder::new(Bitrate::DEFAULT, Arc::default());
        let frames = encode(&mut encoder, &[0; 480 * 100]);
        let frames: Vec<_> = frames.chunks(384).collect();
        assert_eq!(frames[0][..4], HEADER);
        assert_eq!(frames.len(), 48_000 / FRAME_SAMPLES - 1);
        assert!(frames[4..].iter().all(|frame| *frame == &encoder.silent_frame[..]));
    }

    #[test]
    fn silence_that_was_skipped_takes_its_time() {
        let stats = Arc::<AudioStats>::default();
        let mut encoder = Mp3Encoder::new(Bitrate::DEFAULT, Arc::clone(&stats));
        let (speech, silence) = (tone(4_800), vec![0; 480 * 111]);
        let bytes: usize = [&speech, &silence, &speech, &silence, &speech]
            .map(|pcm| encode(&mut encoder, pcm).len())
            .into_iter()
            .sum();
        let samples = 3 * speech.len() + 2 * silence.len();
        let frames = (bytes + encoder.finish().len()) / 384;
        // LAME keeps what it has not seen the end of.
        assert!((frames * FRAME_SAMPLES).abs_diff(samples) <= 2 * FRAME_SAMPLES, "{frames} frames");
        assert_eq!(stats.mp3_frames.load(std::sync::atomic::Ordering::Relaxed), frames as u64);
    }
}
