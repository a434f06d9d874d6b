//! Loudness that changes while the sound goes on, without a click.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};

/// Loudness in decibels, shared between whoever sets it and the card.
#[derive(Debug)]
pub struct Volume(AtomicU32);

impl Volume {
    /// What may be set; anything else is taken to the nearer end.
    pub const RANGE: RangeInclusive<f32> = -60.0..=20.0;

    /// A volume of so many decibels; zero leaves the sound as it is.
    pub fn new(decibels: f32) -> Self {
        let volume = Self(AtomicU32::default());
        volume.set(decibels);
        volume
    }

    /// Sets it, from the next 10 ms on.
    pub fn set(&self, decibels: f32) {
        // In this order, what is not a number becomes the quietest.
        let decibels = decibels.max(*Self::RANGE.start()).min(*Self::RANGE.end());
        self.0.store(decibels.to_bits(), Ordering::Relaxed);
    }

    /// The volume in decibels.
    pub fn get(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// As a factor.
    pub(super) fn factor(&self) -> f32 {
        10_f32.powf(self.get() / 20.0)
    }
}

/// A factor on its way to another: it gets there over one block. The first block of a stream rises
/// from silence.
#[derive(Debug, Default)]
pub(super) struct VolumeFader {
    now: f32,
}

impl VolumeFader {
    pub(super) fn apply(&mut self, samples: &mut [f32], goal: f32) {
        let step = (goal - self.now) / samples.len().max(1) as f32;
        for (index, sample) in samples.iter_mut().enumerate() {
            *sample *= self.now + step * (index + 1) as f32;
        }
        self.now = goal;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_stays_in_range() {
        let volume = Volume::new(-6.0);
        assert_eq!(volume.get(), -6.0);
        assert!((volume.factor() - 0.501).abs() < 0.001);
        for (set, got) in [(90.0, 20.0), (-90.0, -60.0), (f32::NAN, -60.0), (f32::INFINITY, 20.0)] {
            volume.set(set);
            assert_eq!(volume.get(), got, "{set}");
        }
    }

    #[test]
    fn a_step_of_the_volume_does_not_click() {
        let (mut fader, mut samples) = (VolumeFader::default(), vec![1.0; 1_440]);
        for (block, goal) in samples.chunks_mut(480).zip([1.0, 1.0, 0.25]) {
            fader.apply(block, goal);
        }
        assert!(samples.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.003));
        assert_eq!((samples[479], samples[959], samples[1_439]), (1.0, 1.0, 0.25));
    }
}
