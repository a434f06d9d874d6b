//! Time stretching: speech made a little shorter or longer by whole periods of its pitch, so that
//! nobody hears it (overlap-add at the lag of the best correlation, as in WSOLA).

/// Lags that are looked at: pitches from 100 to 400 Hz at 48 kHz.
const SHORTEST_LAG: usize = 120;
const LONGEST_LAG: usize = 480;

/// Every so many samples of lag, and of the window, is looked at: enough for speech.
const STEP: usize = 4;

/// Samples over which the two pieces are faded into one another: 5 ms.
const OVERLAP: usize = 240;

/// Pieces that are this alike are joined without being heard.
const ALIKE: f32 = 0.6;

/// Mean square below which a sound is as good as silence, and joins with anything.
const QUIET: f32 = 30.0 * 30.0;

/// Takes at most `most` samples out of `pcm`, near its end. Gives how many; none, unless `force`d, where
/// it would be heard.
pub(crate) fn shorten(pcm: &mut Vec<i16>, most: usize, force: bool) -> usize {
    let Some(start) = pcm.len().checked_sub(LONGEST_LAG + OVERLAP) else { return 0 };
    let Some(lag) = best_lag(&pcm[start..], most.min(LONGEST_LAG), force) else { return 0 };
    cross_fade(pcm, start, start + lag);
    pcm.drain(start + OVERLAP..start + OVERLAP + lag);
    lag
}

/// Adds at most `most` samples to `pcm`, near its end. Gives how many, as above.
pub(crate) fn lengthen(pcm: &mut Vec<i16>, most: usize, force: bool) -> usize {
    let Some(start) = pcm.len().checked_sub(LONGEST_LAG + OVERLAP) else { return 0 };
    let Some(lag) = best_lag(&pcm[start..], most.min(LONGEST_LAG), force) else { return 0 };
    // One period once more, faded into from where it was left.
    let again = pcm[start..].to_vec();
    pcm.truncate(start + lag + OVERLAP);
    for (index, sample) in again[..OVERLAP].iter().enumerate() {
        let at = start + lag + index;
        pcm[at] = mix(pcm[at], *sample, index);
    }
    pcm.extend_from_slice(&again[OVERLAP..]);
    lag
}

/// The distance at which the sound is most like its own beginning.
fn best_lag(pcm: &[i16], longest: usize, force: bool) -> Option<usize> {
    let energy = |piece: &[i16]| piece.iter().step_by(STEP).map(|it| f32::from(*it).powi(2)).sum::<f32>();
    let here = &pcm[..OVERLAP];
    let quiet = QUIET * (OVERLAP / STEP) as f32;
    let likeness = |lag: usize| {
        let there = &pcm[lag..lag + OVERLAP];
        let pairs = here.iter().zip(there).step_by(STEP);
        let product: f32 = pairs.map(|(a, b)| f32::from(*a) * f32::from(*b)).sum();
        product / (energy(here) * energy(there)).sqrt().max(1.0)
    };
    let lags = (SHORTEST_LAG..=longest).rev().step_by(STEP);
    if energy(here) < quiet {
        return lags.into_iter().find(|lag| energy(&pcm[*lag..*lag + OVERLAP]) < quiet);
    }
    let (lag, best) = lags.map(|lag| (lag, likeness(lag))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    (force || best >= ALIKE).then_some(lag)
}

/// Fades what is at `from` into what is at `to`, over the overlap.
fn cross_fade(pcm: &mut [i16], from: usize, to: usize) {
    for index in 0..OVERLAP {
        pcm[from + index] = mix(pcm[from + index], pcm[to + index], index);
    }
}

/// So far through the overlap.
fn mix(old: i16, new: i16, index: usize) -> i16 {
    let (old, new, index, overlap) = (i32::from(old), i32::from(new), index as i32, OVERLAP as i32);
    ((old * (overlap - index) + new * index) / overlap) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(pitch: f64, length: usize) -> Vec<i16> {
        let at = |n: usize, frequency: f64| (n as f64 * frequency * std::f64::consts::TAU / 48_000.0).sin();
        (0..length).map(|n| (at(n, pitch) * 8_000.0 + at(n, pitch * 3.0) * 3_000.0) as i16).collect()
    }

    /// The steepest step between two samples.
    fn steepest(pcm: &[i16]) -> i32 {
        pcm.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().expect("samples")
    }

    #[test]
    fn a_voice_is_made_shorter_and_longer_by_its_own_period_without_a_click() {
        for pitch in [110.0, 160.0, 220.0, 330.0] {
            let original = voice(pitch, 1_920);
            for stretch in [shorten, lengthen] {
                let mut pcm = original.clone();
                let changed = stretch(&mut pcm, 480, false);
                let period = 48_000.0 / pitch;
                let off = (changed as f64 / period - (changed as f64 / period).round()).abs() * period;
                assert!(changed >= SHORTEST_LAG && off <= STEP as f64, "{pitch} Hz: {changed}");
                assert_eq!(pcm.len().abs_diff(original.len()), changed);
                assert!(steepest(&pcm) <= steepest(&original) * 3 / 2, "{pitch} Hz");
            }
        }
    }

    #[test]
    fn silence_is_cut_as_far_as_allowed() {
        let mut pcm = vec![0; 1_920];
        assert_eq!(shorten(&mut pcm, 300, false), 300);
        assert_eq!(lengthen(&mut pcm, 480, false), 480);
        assert_eq!(pcm.len(), 2_100);
    }

    #[test]
    fn what_would_be_heard_is_left_alone_unless_it_must_be() {
        let mut state = 7_u32;
        let mut noise: Vec<i16> = (0..1_920)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16
            })
            .collect();
        assert_eq!(shorten(&mut noise, 480, false), 0);
        assert!(shorten(&mut noise, 480, true) > 0);
    }

    #[test]
    fn too_little_sound_is_left_alone() {
        let mut pcm = voice(200.0, 719);
        assert_eq!((shorten(&mut pcm, 480, true), lengthen(&mut pcm, 480, true)), (0, 0));
        let mut pcm = voice(200.0, 1_920);
        assert_eq!((shorten(&mut pcm, 100, true), lengthen(&mut pcm, 0, true)), (0, 0));
    }
}
