//! Music steps back while somebody speaks, and returns when they have finished.

use std::time::Duration;

use super::jitter::samples;

/// A voice speaks when ten milliseconds of it are louder than -45 dBov: root mean square of 16-bit samples.
const SPEECH: f32 = 184.3;

/// How far music steps back, in decibels.
const DEPTH: f32 = 12.0;

/// The way down. With the ten milliseconds until a voice is noticed, it is done within a tenth of a second.
const DOWN: Duration = Duration::from_millis(80);

/// The pause between two sentences, over which music stays where it is.
const HOLD: Duration = Duration::from_millis(500);

/// The way up.
const UP: Duration = Duration::from_millis(600);

/// How far the music of one program has stepped back.
#[derive(Debug, Default)]
pub(crate) struct Ducker {
    /// From 0, as it comes, to 1.
    depth: f32,
    /// Samples since somebody spoke.
    quiet: u64,
}

impl Ducker {
    /// The factor that music is to have after so many samples more, in which somebody speaks, or nobody.
    pub(crate) fn step(&mut self, speech: bool, length: usize) -> f32 {
        self.quiet = if speech { 0 } else { self.quiet.saturating_add(length as u64) };
        let part = |way| length as f32 / samples(way) as f32;
        if speech || (self.depth > 0.0 && self.depth < 1.0 && self.quiet <= samples(HOLD)) {
            // A word that is over before the music is down brings it down all the same.
            self.depth = (self.depth + part(DOWN)).min(1.0);
        } else if self.quiet > samples(HOLD) {
            self.depth = (self.depth - part(UP)).max(0.0);
        }
        10_f32.powf(-self.depth * DEPTH / 20.0)
    }
}

/// Whether these samples, at this gain, are speech that music steps back for.
pub(crate) fn is_speech(pcm: &[i16], gain: f32) -> bool {
    let energy: f32 = pcm.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    energy * gain.powi(2) > SPEECH.powi(2) * pcm.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: usize = 480;

    /// The factor after each ten milliseconds.
    fn steps(ducker: &mut Ducker, speech: bool, milliseconds: usize) -> Vec<f32> {
        (0..milliseconds / 10).map(|_| ducker.step(speech, TICK)).collect()
    }

    fn decibels(factor: f32) -> f32 {
        20.0 * factor.log10()
    }

    #[test]
    fn music_is_twelve_decibels_down_within_a_tenth_of_a_second() {
        let mut ducker = Ducker::default();
        let way = steps(&mut ducker, true, 90);
        assert!((decibels(way[8]) + 12.0).abs() < 0.01, "{way:?}");
        assert!(way.windows(2).all(|pair| decibels(pair[0]) - decibels(pair[1]) < 1.6), "in small steps");
    }

    #[test]
    fn it_stays_there_for_half_a_second_and_returns_over_six_tenths() {
        let mut ducker = Ducker::default();
        steps(&mut ducker, true, 1_000);
        assert!(steps(&mut ducker, false, 500).iter().all(|factor| (decibels(*factor) + 12.0).abs() < 0.01));
        let way = steps(&mut ducker, false, 600);
        assert!((decibels(way[29]) + 6.0).abs() < 0.3, "half way: {}", decibels(way[29]));
        assert!(way[58] < 1.0 && way[59] > 0.999, "{way:?}");
    }

    #[test]
    fn a_pause_between_two_words_is_not_the_end_of_speech() {
        let mut ducker = Ducker::default();
        steps(&mut ducker, true, 200);
        for _ in 0..5 {
            assert!(steps(&mut ducker, false, 400).iter().all(|factor| *factor < 0.26));
            steps(&mut ducker, true, 100);
        }
    }

    #[test]
    fn a_short_word_brings_it_down_and_somebody_who_speaks_again_on_its_way_up_as_well() {
        let mut ducker = Ducker::default();
        steps(&mut ducker, true, 20);
        assert!(steps(&mut ducker, false, 100)[9] < 0.26);
        steps(&mut ducker, false, 700);
        assert!(steps(&mut ducker, true, 100)[9] < 0.26);
    }

    #[test]
    fn without_speech_nothing_changes() {
        assert!(steps(&mut Ducker::default(), false, 2_000).iter().all(|factor| *factor == 1.0));
    }

    #[test]
    fn speech_is_what_is_louder_than_forty_five_decibels_below_full_scale_as_it_is_heard() {
        let tone =
            |amplitude: f32| -> Vec<i16> { (0..TICK).map(|n| ((n as f32 * 0.1).sin() * amplitude) as i16).collect() };
        // Of a sine, the mean is 3 dB below the peak.
        assert!(is_speech(&tone(290.0), 1.0) && !is_speech(&tone(230.0), 1.0));
        assert!(!is_speech(&tone(12_000.0), 0.001) && !is_speech(&[], 1.0));
    }
}
