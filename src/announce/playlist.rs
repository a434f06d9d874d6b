//! What an announcement is made of, and its sound piece by piece: recordings one after another, at 48 kHz, as loud as
//! was wished.

use std::collections::VecDeque;
use std::time::Duration;

use crate::audio::{Resampler, SAMPLE_RATE};
use crate::library::{NoAudio, Playback, Recording};

/// Samples of one packet: 20 ms.
pub(super) const FRAME_SAMPLES: usize = (SAMPLE_RATE / 50) as usize;

/// Whoever listens notices a new stream within this; nothing of the first sound is lost to that.
const LEAD_IN: Duration = Duration::from_millis(100);

/// Between two times of the same.
const BREATH: Duration = Duration::from_millis(500);

/// What listeners still hold back when the stream ends is nothing but this.
const TAIL: Duration = Duration::from_millis(200);

/// Pushes the last samples of a recording through the resampler.
const FLUSH: Duration = Duration::from_millis(20);

/// What is to be heard. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Playlist {
    parts: VecDeque<Part>,
    /// What each sample is multiplied by.
    gain: f32,
}

#[derive(Debug, Clone)]
enum Part {
    Silence(Duration),
    Recording(Recording),
}

impl Playlist {
    /// The chime, then so many times the recording; in decibels, 0 is as they are.
    pub(super) fn new(chime: Option<Recording>, recording: &Recording, repeat: u32, volume: f32) -> Self {
        let mut parts = VecDeque::from([Part::Silence(LEAD_IN)]);
        parts.extend(chime.map(Part::Recording));
        for time in 0..repeat {
            parts.extend((time > 0).then_some(Part::Silence(BREATH)));
            parts.push_back(Part::Recording(recording.clone()));
        }
        parts.push_back(Part::Silence(TAIL));
        Self { parts, gain: 10_f32.powf(volume / 20.0) }
    }

    /// Multiplies each sample by this besides.
    pub(super) fn turn(&mut self, gain: f32) {
        self.gain *= gain;
    }

    /// How long all of it is, where the recordings say so. Blocks.
    ///
    /// # Errors
    /// When one of them cannot be played: the first packet of each is tried.
    pub(super) fn probe(&self) -> Result<Option<f64>, NoAudio> {
        self.parts.iter().try_fold(Some(0.0), |total, part| {
            let seconds = match part {
                Part::Silence(length) => Some(length.as_secs_f64()),
                Part::Recording(recording) => recording.probe()?,
            };
            Ok(total.zip(seconds).map(|(total, seconds)| total + seconds))
        })
    }
}

/// A playlist while it is performed.
pub(super) struct Performance {
    playlist: Playlist,
    playing: Option<(Playback, Option<(u32, Resampler)>)>,
    /// Samples of a packet, at the recording's rate.
    raw: Vec<f32>,
    /// Samples that are not a whole frame yet.
    ready: Vec<f32>,
}

impl Performance {
    /// From the beginning.
    pub(super) fn new(playlist: Playlist) -> Self {
        Self { playlist, playing: None, raw: Vec::new(), ready: Vec::new() }
    }

    /// The next 20 ms; `None` when all was heard. Blocks.
    ///
    /// # Errors
    /// When a recording cannot be read any more.
    pub(super) fn frame(&mut self) -> Result<Option<[i16; FRAME_SAMPLES]>, NoAudio> {
        while self.ready.len() < FRAME_SAMPLES && self.refill()? {}
        if self.ready.is_empty() {
            return Ok(None);
        }
        let mut frame = [0; FRAME_SAMPLES];
        let length = self.ready.len().min(FRAME_SAMPLES);
        for (out, sample) in frame.iter_mut().zip(self.ready.drain(..length)) {
            // The cast saturates: what is too loud is clipped.
            *out = (sample * self.playlist.gain * 32_768.0).round() as i16;
        }
        Ok(Some(frame))
    }

    /// Makes some more samples; false when there are no more.
    fn refill(&mut self) -> Result<bool, NoAudio> {
        let Some((playing, resampler)) = &mut self.playing else { return self.begin_next() };
        self.raw.clear();
        let rate = playing.next(&mut self.raw)?;
        if let Some((former, mut resampler)) = resampler.take_if(|(former, _)| Some(*former) != rate) {
            // The last samples at that rate are still in it.
            let rest = vec![0.0; (FLUSH.as_secs_f64() * f64::from(former)) as usize];
            resampler.process(&rest, &mut self.ready);
        }
        let Some(rate) = rate else {
            self.playing = None;
            return Ok(true);
        };
        let resampler = resampler.get_or_insert_with(|| (rate, Resampler::new(rate, SAMPLE_RATE)));
        resampler.1.process(&self.raw, &mut self.ready);
        Ok(true)
    }

    fn begin_next(&mut self) -> Result<bool, NoAudio> {
        match self.playlist.parts.pop_front() {
            None => return Ok(false),
            Some(Part::Silence(length)) => {
                let samples = (length.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize;
                self.ready.resize(self.ready.len() + samples, 0.0);
            }
            Some(Part::Recording(recording)) => self.playing = Some((recording.play()?, None)),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WAV file of 16 bits and one channel: a tone of 1 kHz at half of full scale.
    fn tone(rate: u32, seconds: f64) -> Recording {
        let count = (f64::from(rate) * seconds) as u32;
        let mut file = b"RIFF".to_vec();
        file.extend((36 + count * 2).to_le_bytes());
        file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        file.extend(rate.to_le_bytes());
        file.extend((rate * 2).to_le_bytes());
        file.extend(b"\x02\0\x10\0data");
        file.extend((count * 2).to_le_bytes());
        let sample = |n: u32| (f64::from(n) * 1_000.0 * std::f64::consts::TAU / f64::from(rate)).sin() * 16_384.0;
        file.extend((0..count).flat_map(|n| (sample(n) as i16).to_le_bytes()));
        Recording::of_bytes(&file).expect("memory")
    }

    fn performed(playlist: Playlist) -> Vec<i16> {
        let (mut performance, mut heard) = (Performance::new(playlist), Vec::new());
        while let Some(frame) = performance.frame().expect("whole") {
            heard.extend(frame);
        }
        heard
    }

    fn loudest(pcm: &[i16], seconds: std::ops::Range<f64>) -> u16 {
        let part = &pcm[(seconds.start * 48_000.0) as usize..(seconds.end * 48_000.0) as usize];
        part.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
    }

    #[test]
    fn a_chime_goes_before_and_the_recording_comes_as_often_as_was_wished() {
        let playlist = Playlist::new(Some(tone(48_000, 0.3)), &tone(22_050, 0.4), 2, 0.0);
        assert!((playlist.probe().expect("audio").expect("a length") - 1.9).abs() < 1e-3);
        let heard = performed(playlist);
        assert!((heard.len() as f64 / 48_000.0 - 1.9).abs() < 0.08, "{}", heard.len());
        assert_eq!(loudest(&heard, 0.0..0.1), 0, "silence, until all listen");
        assert!(loudest(&heard, 0.1..0.35) > 16_000 && loudest(&heard, 0.45..0.75) > 16_000);
        assert!(loudest(&heard, 0.9..1.25) < 10, "a breath");
        assert!(loudest(&heard, 1.4..1.6) > 16_000 && loudest(&heard, 1.78..1.88) < 10);
    }

    #[test]
    fn volume_is_decibels_and_what_is_too_loud_is_clipped() {
        let at = |volume| loudest(&performed(Playlist::new(None, &tone(48_000, 0.2), 1, volume)), 0.1..0.3);
        assert!(at(-6.02).abs_diff(8_192) < 20, "{}", at(-6.02));
        assert_eq!(at(20.0), i16::MIN.unsigned_abs());
    }

    #[test]
    fn what_cannot_be_played_is_noticed_when_it_is_probed() {
        let broken = Recording::of_bytes(b"RIFF of nothing").expect("memory");
        assert!(Playlist::new(None, &broken, 1, 0.0).probe().is_err());
        assert!(Playlist::new(Some(broken), &tone(8_000, 0.1), 1, 0.0).probe().is_err());
        assert!(Playlist::new(None, &tone(8_000, 0.0), 1, 0.0).probe().is_err(), "nothing in it");
    }
}
