//! Several voices as one signal: gains that never jump, and a limiter instead of clipping.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::domain::StreamId;

use super::SAMPLE_RATE;

/// Loudest sample that is let through: one decibel below full scale, since MP3 overshoots a little.
const CEILING: f32 = 29_200.0;

/// How much of its hold the limiter keeps from one sample to the next: it lets go within 80 ms.
const RELEASE: f32 = 1.0 - 1.0 / (0.08 * SAMPLE_RATE as f32);

/// The quietest and the loudest gain that may be set, in decibels.
pub const GAIN_RANGE: std::ops::RangeInclusive<f32> = -60.0..=20.0;

/// Gains that are kept; then those go whose streams are not live. Whoever speaks again is as loud as before.
const MAX_GAINS: usize = 256;

/// How loud each stream is in the mixes; those not named are as they come.
#[derive(Debug, Default)]
pub struct Gains(RwLock<HashMap<StreamId, f32>>);

impl Gains {
    /// Sets a stream's gain, in decibels within [`GAIN_RANGE`]. Where there are many, forgets those that are not `live`.
    pub fn set(&self, stream: StreamId, decibels: f32, live: &[StreamId]) {
        let mut gains = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if gains.len() >= MAX_GAINS {
            gains.retain(|stream, _| live.contains(stream));
        }
        gains.insert(stream, decibels.clamp(*GAIN_RANGE.start(), *GAIN_RANGE.end()));
    }

    /// A stream's gain in decibels.
    pub fn get(&self, stream: StreamId) -> f32 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&stream).copied().unwrap_or_default()
    }

    /// As a factor.
    pub(crate) fn factor(&self, stream: StreamId) -> f32 {
        10_f32.powf(self.get(stream) / 20.0)
    }
}

/// A gain on its way: it reaches its goal over one block of samples, so that nothing clicks.
#[derive(Debug, Default)]
pub(crate) struct Fader {
    now: f32,
}

impl Fader {
    /// Adds `pcm` to `mix`, with the gain moving to `goal`.
    pub(crate) fn add(&mut self, pcm: &[i16], goal: f32, mix: &mut [f32]) {
        let step = (goal - self.now) / pcm.len() as f32;
        for (index, (sum, sample)) in mix.iter_mut().zip(pcm).enumerate() {
            *sum += f32::from(*sample) * (self.now + step * (index + 1) as f32);
        }
        self.now = goal;
    }
}

/// Keeps a mix below the ceiling: turns it down at once where it would pass, and up again slowly.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    envelope: f32,
}

impl Limiter {
    pub(crate) fn apply(&mut self, mix: &[f32], out: &mut [i16]) {
        for (sample, sum) in out.iter_mut().zip(mix) {
            self.envelope = sum.abs().max(self.envelope * RELEASE);
            let gain = if self.envelope > CEILING { CEILING / self.envelope } else { 1.0 };
            *sample = (sum * gain).round() as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(amplitude: f32) -> impl Fn(usize) -> f32 {
        move |n| (n as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin() * amplitude
    }

    #[test]
    fn what_is_not_too_loud_passes_unchanged() {
        let mix: Vec<f32> = (0..4_800).map(sine(20_000.0)).map(f32::round).collect();
        let mut out = vec![0; mix.len()];
        Limiter::default().apply(&mix, &mut out);
        assert!(mix.iter().zip(&out).all(|(a, b)| *a == f32::from(*b)));
    }

    #[test]
    fn what_is_too_loud_stays_below_the_ceiling_and_keeps_its_shape() {
        let mix: Vec<f32> = (0..48_000).map(sine(100_000.0)).collect();
        let mut out = vec![0; mix.len()];
        Limiter::default().apply(&mix, &mut out);
        assert!(out.iter().all(|sample| f32::from(*sample).abs() <= CEILING));
        // After the first wave, it is the same sine, turned down.
        let shape = sine(CEILING);
        let worst = (4_800..48_000).map(|n| (f32::from(out[n]) - shape(n)).abs()).fold(0.0, f32::max);
        assert!(worst < CEILING * 0.02, "{worst}");
    }

    #[test]
    fn a_gain_moves_without_a_step() {
        let (mut fader, mut mix) = (Fader::default(), vec![0.0; 960]);
        fader.add(&[10_000; 480], 1.0, &mut mix[..480]);
        fader.add(&[10_000; 480], 0.0, &mut mix[480..]);
        assert!(mix.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 25.0));
        assert!((mix[479], mix[959]) == (10_000.0, 0.0));
    }

    #[test]
    fn gains_stay_in_range_and_outlast_a_pause_of_their_streams_unless_there_are_many() {
        let stream = |n| StreamId::of_connection(uuid::Uuid::from_u128(n));
        let gains = Gains::default();
        gains.set(stream(1), 90.0, &[stream(1)]);
        assert_eq!((gains.get(stream(1)), gains.get(stream(2))), (20.0, 0.0));
        gains.set(stream(2), -6.0, &[stream(2)]);
        assert_eq!(gains.get(stream(1)), 20.0);
        (3..3 + MAX_GAINS as u128).for_each(|n| gains.set(stream(n), 1.0, &[stream(2), stream(n)]));
        assert_eq!((gains.get(stream(1)), gains.get(stream(2))), (0.0, -6.0));
        assert!((gains.factor(stream(2)) - 0.501).abs() < 0.001);
    }
}
