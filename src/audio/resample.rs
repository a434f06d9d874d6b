//! From one rate of samples to another.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler as _, SincInterpolationParameters, WindowFunction};

/// Length of the low-pass filter in samples: half of it is delay, 1.3 ms at 48 kHz.
const FILTER: usize = 128;

/// Changes the rate of a mono signal.
pub struct Resampler {
    /// `None`: both rates are the same.
    stage: Option<FilterStage>,
}

struct FilterStage {
    sinc: Async<f32>,
    /// Samples of the old rate that are not a whole chunk yet.
    waiting: Vec<f32>,
    /// Room for a chunk at the new rate.
    made: Vec<f32>,
}

impl Resampler {
    /// From one rate to another, both above zero.
    pub fn new(from: u32, to: u32) -> Self {
        Self { stage: (from != to).then(|| FilterStage::new(from, to)) }
    }

    /// Takes samples of the old rate, and appends what comes of them to `out`.
    pub fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        match &mut self.stage {
            Some(stage) => stage.process(samples, out),
            None => out.extend_from_slice(samples),
        }
    }
}

impl FilterStage {
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
}
