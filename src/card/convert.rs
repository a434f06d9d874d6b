//! From the program's sound to a card's and back: channels, and the size of samples.

use cpal::{FromSample, Sample};

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

#[cfg(test)]
mod tests {
    use super::*;

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
