//! From the program's sound to a card's and back: rate, channels, and the size of samples.

use cpal::{FromSample, Sample};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler as _, SincInterpolationParameters, WindowFunction};

/// Length of the low-pass filter in samples: half of it is delay, 1.3 ms at 48 kHz.
const FILTER: usize = 128;

/// A pulse-code sample as a part of full scale.
pub(super) fn from_pcm(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// The sample nearest to a part of full scale; what is too loud is clipped.
pub(super) fn to_pcm(sample: f32) -> i16 {
    // The cast saturates.
    (sample * 32_768.0).round() as i16
}

/// Puts one sample on the front channels of a frame, and silence on the others.
pub(super) fn spread<T: Sample>(sample: T, frame: &mut [T]) {
    for (channel, out) in frame.iter_mut().enumerate() {
        *out = if channel < 2 { sample } else { T::EQUILIBRIUM };
    }
}

/// The mean of all channels of a frame.
pub(super) fn average<T: Sample>(frame: &[T]) -> f32
where
    f32: FromSample<T>,
{
    frame.iter().map(|sample| f32::from_sample(*sample)).sum::<f32>() / frame.len().max(1) as f32
}

/// Changes the rate of a mono signal.
pub(super) struct Resampler {
    /// `None`: both rates are the same.
    stage: Option<Stage>,
}

struct Stage {
    sinc: Async<f32>,
    /// Samples of the old rate that are not a whole chunk yet.
    waiting: Vec<f32>,
    /// Room for a chunk at the new rate.
    made: Vec<f32>,
}

impl Resampler {
    /// From one rate to another, both above zero.
    pub(super) fn new(from: u32, to: u32) -> Self {
        Self { stage: (from != to).then(|| Stage::new(from, to)) }
    }

    /// Takes samples of the old rate, and appends what comes of them to `out`.
    pub(super) fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        match &mut self.stage {
            Some(stage) => stage.process(samples, out),
            None => out.extend_from_slice(samples),
        }
    }
}

impl Stage {
    fn new(from: u32, to: u32) -> Self {
        let ratio = f64::from(to) / f64::from(from);
        let filter = SincInterpolationParameters::new(FILTER, WindowFunction::Blackman2);
        // 10 ms, as long as a loudspeaker's block.
        let chunk = (from as usize / 100).max(1);
        let sinc = Async::new_sinc(ratio, 1.0, &filter, chunk, 1, FixedAsync::Input)
            .expect("the ratio is finite, and above zero as the rates are");
        let made = vec![0.0; sinc.output_frames_max()];
        Self { sinc, waiting: Vec::new(), made }
    }

    fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        const FITS: &str = "the buffers are as long as the resampler asked for";
        self.waiting.extend_from_slice(samples);
        loop {
            let chunk = self.sinc.input_frames_next();
            if self.waiting.len() < chunk {
                return;
            }
            let room = self.made.len();
            let input = InterleavedSlice::new(&self.waiting[..], 1, chunk).expect(FITS);
            let mut output = InterleavedSlice::new_mut(&mut self.made[..], 1, room).expect(FITS);
            let (used, made) = self.sinc.process_into_buffer(&input, &mut output, None).expect(FITS);
            out.extend_from_slice(&self.made[..made]);
            self.waiting.drain(..used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, samples: usize) -> Vec<f32> {
        (0..samples).map(|n| (n as f32 * 1_000.0 * std::f32::consts::TAU / rate as f32).sin() * 0.5).collect()
    }

    /// The share of a signal that is a tone of 1 kHz.
    fn purity(signal: &[f32], rate: u32) -> f32 {
        let (mut sine, mut cosine, mut energy) = (0.0, 0.0, 0.0);
        for (n, sample) in signal.iter().enumerate() {
            let phase = n as f32 * 1_000.0 * std::f32::consts::TAU / rate as f32;
            sine += sample * phase.sin();
            cosine += sample * phase.cos();
            energy += sample * sample;
        }
        2.0 * (sine * sine + cosine * cosine) / (signal.len() as f32 * energy)
    }

    #[test]
    fn a_tone_is_the_same_tone_at_another_rate() {
        for (from, to) in [(48_000, 44_100), (44_100, 48_000), (48_000, 96_000), (16_000, 48_000), (48_000, 8_000)] {
            let (mut resampler, mut out) = (Resampler::new(from, to), Vec::new());
            // Pieces of odd sizes, as callbacks bring them.
            for piece in tone(from, from as usize).chunks(333) {
                resampler.process(piece, &mut out);
            }
            let missing = to as usize - out.len().min(to as usize);
            assert!(missing <= to as usize / 100 + FILTER && out.len() <= to as usize, "{from} to {to}: {}", out.len());
            let settled = &out[to as usize / 10..];
            let settled = &settled[..settled.len() / 1_000 * 1_000];
            assert!(purity(settled, to) > 0.999, "{from} to {to}: {}", purity(settled, to));
        }
    }

    #[test]
    fn the_same_rate_is_left_alone() {
        let (samples, mut out) = (tone(48_000, 100), Vec::new());
        Resampler::new(48_000, 48_000).process(&samples, &mut out);
        assert_eq!(samples, out);
    }

    #[test]
    fn a_mono_signal_comes_out_of_the_front_channels() {
        let mut surround = [9_i16; 6];
        spread(5, &mut surround);
        assert_eq!(surround, [5, 5, 0, 0, 0, 0]);
        let mut unsigned = [0_u8; 3];
        spread(200, &mut unsigned);
        assert_eq!(unsigned, [200, 200, 128]);
        let mut mono = [0.0];
        spread(0.5, &mut mono);
        assert_eq!(mono, [0.5]);
    }

    #[test]
    fn the_channels_of_a_microphone_are_averaged() {
        assert_eq!(average(&[16_384_i16, 0]), 0.25);
        assert_eq!(average(&[0.5_f32]), 0.5);
    }

    #[test]
    fn pcm_survives_the_way_there_and_back_and_clips() {
        assert!((i16::MIN..=i16::MAX).all(|sample| to_pcm(from_pcm(sample)) == sample));
        assert_eq!([to_pcm(1.5), to_pcm(-1.5), to_pcm(f32::NAN)], [i16::MAX, i16::MIN, 0]);
    }
}
