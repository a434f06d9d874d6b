//! The first few sounds of a house, made of nothing but sines: bells, as far as sines can be.

use std::f64::consts::TAU;
use std::io;
use std::path::Path;

use crate::data::DataFolder;

const RATE: u32 = 48_000;

/// So loud is the loudest sample of each chime: -3 dBov.
const PEAK: f64 = 0.707 * i16::MAX as f64;

/// A blow upon a bell.
struct Strike {
    /// When, in seconds.
    at: f64,
    /// Of its lowest partial, in Hz.
    pitch: f64,
    /// Seconds until it is down to a third.
    decay: f64,
    /// (pitch, loudness), both as multiples of the lowest partial's.
    partials: &'static [(f64, f64)],
}

/// A small bar of metal, as doorbells have it.
const BAR: &[(f64, f64)] = &[(1.0, 1.0), (2.76, 0.35), (5.4, 0.12)];

/// A large plate: its partials are close, and none is in tune.
const PLATE: &[(f64, f64)] = &[(1.0, 1.0), (1.48, 0.6), (2.02, 0.45), (2.71, 0.3), (3.46, 0.2)];

/// Something that wants to be heard.
const HORN: &[(f64, f64)] = &[(1.0, 1.0), (2.0, 0.5), (3.0, 0.4), (4.0, 0.2)];

const fn strike(at: f64, pitch: f64, decay: f64, partials: &'static [(f64, f64)]) -> Strike {
    Strike { at, pitch, decay, partials }
}

/// Each with its file's name, its length in seconds, and how it is struck.
const CHIMES: [(&str, f64, &[Strike]); 4] = [
    ("ding.wav", 1.5, &[strike(0.0, 1_318.5, 0.35, BAR)]),
    ("ding-dong.wav", 2.4, &[strike(0.0, 659.3, 0.45, BAR), strike(0.6, 523.3, 0.6, BAR)]),
    ("gong.wav", 4.0, &[strike(0.0, 110.0, 1.4, PLATE)]),
    (
        "alert.wav",
        1.6,
        &[
            strike(0.0, 880.0, 0.12, HORN),
            strike(0.25, 1_108.7, 0.12, HORN),
            strike(0.5, 880.0, 0.12, HORN),
            strike(0.75, 1_108.7, 0.12, HORN),
        ],
    ),
];

/// Makes the folder with the chimes in it, unless there is one already: what was deleted there stays so.
///
/// # Errors
/// When the folder cannot be made or written.
pub(super) fn make_once(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let files = DataFolder::new(folder.to_owned());
    CHIMES.iter().try_for_each(|(name, seconds, strikes)| files.write(name, &wav(&samples(*seconds, strikes))))
}

fn samples(seconds: f64, strikes: &[Strike]) -> Vec<i16> {
    let count = (seconds * f64::from(RATE)) as usize;
    let sound: Vec<f64> = (0..count).map(|number| moment(number as f64 / f64::from(RATE), seconds, strikes)).collect();
    let loudest = sound.iter().fold(f64::MIN_POSITIVE, |loudest, sample| loudest.max(sample.abs()));
    sound.into_iter().map(|sample| (sample / loudest * PEAK) as i16).collect()
}

fn moment(time: f64, end: f64, strikes: &[Strike]) -> f64 {
    let under_way = strikes.iter().filter(|strike| time >= strike.at);
    // The last moments fade to nothing, and so does what is left of every partial.
    let fade = ((end - time) / 0.05).min(1.0);
    under_way.map(|strike| strike.sample(time - strike.at)).sum::<f64>() * fade
}

impl Strike {
    fn sample(&self, time: f64) -> f64 {
        // Two milliseconds of rise: without them it clicks.
        let rise = (time / 0.002).min(1.0);
        let partial = |(pitch, loudness): &(f64, f64)| {
            let decay = (-time / self.decay * pitch.sqrt()).exp();
            (TAU * self.pitch * pitch * time).sin() * loudness * decay
        };
        self.partials.iter().map(partial).sum::<f64>() * rise
    }
}

/// A WAV file of one channel, 16 bits.
fn wav(samples: &[i16]) -> Vec<u8> {
    let length = samples.len() as u32 * 2;
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    for field in [16, 1 | 1 << 16, RATE, RATE * 2, 2 | 16 << 16] {
        file.extend_from_slice(&field.to_le_bytes());
    }
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::facts::{FileKind, describe};
    use super::*;

    #[test]
    fn chimes_are_made_once_and_are_wav_files_of_the_right_length() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("sounds");
        make_once(&folder).expect("made");
        for (name, seconds, _) in &CHIMES {
            let file = fs::File::open(folder.join(name)).expect("there");
            let described = describe(file, FileKind::Wav).expect("WAV");
            assert!((described.seconds.expect("a length") - seconds).abs() < 0.001, "{name}");
        }
        fs::remove_file(folder.join("gong.wav")).expect("removed");
        make_once(&folder).expect("left alone");
        assert!(!folder.join("gong.wav").exists());
    }

    #[test]
    fn a_chime_begins_and_ends_in_silence_and_is_as_loud_as_the_others() {
        for (name, seconds, strikes) in &CHIMES {
            let samples = samples(*seconds, strikes);
            let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().expect("samples");
            assert!((23_000..=23_200).contains(&loudest), "{name}: {loudest}");
            assert!(samples[0].abs() < 50 && samples[samples.len() - 1].abs() < 50, "{name}");
        }
    }
}
