//! What is recorded in a file, as samples: of one channel, at the file's own rate, a packet at a time.
//!
//! symphonia takes files apart and decodes all but Opus, which libopus does.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use opus::Channels;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::MediaSource;
use symphonia::core::packet::Packet;

use super::facts::{NoAudio, guarded, open, seconds_of};

/// Rates outside of these are damage: nobody records so.
pub(super) const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// The longest that one Opus packet can be: 120 ms at 48 kHz (RFC 6716 2.1.4).
const LONGEST_OPUS: usize = 5_760;

/// The rate at which Opus is decoded.
const OPUS_RATE: u32 = 48_000;

/// A place in a file that others read too, each at its own.
struct FileCursor {
    file: Arc<File>,
    at: u64,
    size: u64,
}

impl FileCursor {
    fn at_beginning(file: &Arc<File>) -> io::Result<Self> {
        Ok(Self { file: Arc::clone(file), at: 0, size: file.metadata()?.len() })
    }
}

impl Read for FileCursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for FileCursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for FileCursor {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.size)
    }
}

/// A recording while it is decoded.
pub(super) struct Decoding {
    format: Box<dyn FormatReader>,
    link: Link,
    seconds: Option<f64>,
    /// Room for a packet, all channels side by side.
    frames: Vec<f32>,
    /// Packets whose end is to be left out, if they prove to be the last.
    held: VecDeque<Decoded>,
    /// Samples that were given.
    given: u64,
    ended: bool,
}

/// One track, from its beginning to its end. Ogg may have several, one after another (RFC 3533 4).
struct Link {
    track: u32,
    codec: Codec,
    /// Whether what it says of its end can be believed.
    has_end: bool,
    /// Samples that it has, where that is known of it, rather than estimated.
    samples: Option<u64>,
}

/// A packet's samples, of one channel.
struct Decoded {
    rate: u32,
    samples: Vec<f32>,
    /// How many of the last ones the encoder has added.
    trim_end: usize,
}

/// The most packets whose end a file may leave out: what an encoder adds is a part of two. Where it names more, it is
/// wrong about its length.
const MOST_TRIMMED: usize = 3;

/// Samples that may lack at the end of a file that says how many it has: a tenth of a second, and a hundredth of all.
const LACKING: (f64, f64) = (0.1, 0.01);

enum Codec {
    Other(Box<dyn AudioDecoder>),
    Opus(opus::Decoder),
}

impl Decoding {
    /// From its beginning, wherever others are in the same file.
    pub(super) fn begin(file: &Arc<File>) -> Result<Self, NoAudio> {
        let place = FileCursor::at_beginning(file).map_err(NoAudio::Unreadable)?;
        guarded(|| Self::new(open(Box::new(place), &Hint::new())?))
    }

    fn new(format: Box<dyn FormatReader>) -> Result<Self, NoAudio> {
        let track = format.default_track(TrackType::Audio).ok_or(NoAudio::NoTrack)?;
        let (link, seconds) = (Link::of(track)?, seconds_of(track));
        let (frames, held) = (Vec::new(), VecDeque::new());
        Ok(Self { format, link, seconds, frames, held, given: 0, ended: false })
    }

    /// How long all of it is, where the file says so.
    pub(super) fn seconds(&self) -> Option<f64> {
        self.seconds
    }

    /// Appends the samples of the next packet, as parts of full scale; gives their rate. `None` at the end. What is
    /// damaged in the midst of a file is left out.
    ///
    /// # Errors
    /// When nothing more can be read of it, though there should be more.
    pub(super) fn next(&mut self, samples: &mut Vec<f32>) -> Result<Option<u32>, NoAudio> {
        guarded(|| self.give_next(samples))
    }

    /// Packets whose end is to be left out are kept back: only who comes after them shows whether they were the last.
    fn give_next(&mut self, samples: &mut Vec<f32>) -> Result<Option<u32>, NoAudio> {
        loop {
            let is_trimmed = |held: &VecDeque<Decoded>| held.front().is_some_and(|first| first.trim_end > 0);
            let must_go = self.ended || !is_trimmed(&self.held) || self.held.len() > MOST_TRIMMED;
            if must_go && let Some(mut first) = self.held.pop_front() {
                if self.ended {
                    first.samples.truncate(first.samples.len().saturating_sub(first.trim_end));
                }
                self.given += first.samples.len() as u64;
                samples.append(&mut first.samples);
                return Ok(Some(first.rate));
            }
            if self.ended {
                return Ok(None);
            }
            match self.decode_next()? {
                Some(decoded) => self.held.push_back(decoded),
                None => self.ended = true,
            }
        }
    }

    fn decode_next(&mut self) -> Result<Option<Decoded>, NoAudio> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return self.check_length().map(|()| None),
                Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return self.check_length().map(|()| None);
                }
                // It goes on with another track.
                Err(Error::ResetRequired) => match self.format.default_track(TrackType::Audio) {
                    Some(track) => {
                        self.link = Link::of(track)?;
                        continue;
                    }
                    None => return Ok(None),
                },
                Err(error) => return Err(error.into()),
            };
            if packet.track_id != self.link.track {
                continue;
            }
            match self.link.codec.decode(&packet, &mut self.frames) {
                Ok((rate, channels)) if RATES.contains(&rate) => return Ok(Some(self.mix(&packet, rate, channels))),
                Ok((rate, _)) => return Err(NoAudio::Damaged(format!("{rate} samples a second"))),
                Err(Error::DecodeError(_)) => {}
                // The decoder begins anew with other rates or channels.
                Err(Error::ResetRequired) => self.link.codec.reset(),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// All channels as one, without what the encoder has put before.
    fn mix(&self, packet: &Packet, rate: u32, channels: usize) -> Decoded {
        let frames = self.frames.chunks_exact(channels.max(1));
        let mixed = frames.map(|frame| frame.iter().sum::<f32>() / frame.len() as f32);
        let samples = mixed.skip(trimmed(packet.trim_start.get())).collect();
        let trim_end = if self.link.has_end { trimmed(packet.trim_end.get()) } else { 0 };
        Decoded { rate, samples, trim_end }
    }

    /// A file that was cut off is said to be so, where it says how long it was.
    fn check_length(&self) -> Result<(), NoAudio> {
        let held: usize = self.held.iter().map(|decoded| decoded.samples.len()).sum();
        let read = self.given + held as u64;
        let (seconds, share) = LACKING;
        match self.link.samples {
            Some(all) if (read as f64) < all as f64 * (1.0 - share) - seconds * f64::from(OPUS_RATE) => {
                Err(NoAudio::Damaged(format!("it has {all} samples, and {read} of them are there")))
            }
            _ => Ok(()),
        }
    }
}

impl Link {
    fn of(track: &Track) -> Result<Self, NoAudio> {
        let parameters = track.codec_params.as_ref().and_then(|codec| codec.audio()).ok_or(NoAudio::NoTrack)?;
        let codec = parameters.codec;
        // Without an encoder's tag the length of MP3 is an estimate of symphonia's, and so is its end.
        let has_end = codec != CODEC_ID_MP3 || track.padding.is_some();
        // What is in Ogg and MP3 is as long as there are packets, whatever a header says.
        let counts = ![CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS].contains(&codec);
        let samples = track.num_frames.filter(|samples| counts && *samples > 0);
        Ok(Self { track: track.id, codec: Codec::of(parameters)?, has_end, samples })
    }
}

impl Codec {
    fn of(parameters: &AudioCodecParameters) -> Result<Self, NoAudio> {
        if parameters.codec != CODEC_ID_OPUS {
            let codecs = symphonia::default::get_codecs();
            // What is to be left out, and whether that is true, is decided above.
            let options = AudioDecoderOptions::default().gapless(false);
            return Ok(Self::Other(codecs.make_audio_decoder(parameters, &options)?));
        }
        // Stereo is mixed by libopus itself. More channels are several streams, which it would not understand.
        if parameters.channels.as_ref().is_some_and(|channels| channels.count() > 2) {
            return Err(NoAudio::Damaged("Opus of more than two channels".into()));
        }
        let decoder = opus::Decoder::new(OPUS_RATE, Channels::Mono);
        decoder.map(Self::Opus).map_err(|error| NoAudio::Damaged(error.to_string()))
    }

    /// Begins anew.
    fn reset(&mut self) {
        match self {
            Self::Other(decoder) => decoder.reset(),
            // It can fail by a null pointer alone.
            Self::Opus(decoder) => drop(decoder.reset_state()),
        }
    }

    /// Decodes a packet; gives the rate and the number of channels.
    fn decode(&mut self, packet: &Packet, frames: &mut Vec<f32>) -> Result<(u32, usize), Error> {
        match self {
            Self::Other(decoder) => {
                let decoded = decoder.decode(packet)?;
                decoded.copy_to_vec_interleaved(frames);
                Ok((decoded.spec().rate(), decoded.spec().channels().count()))
            }
            Self::Opus(decoder) => {
                frames.resize(LONGEST_OPUS, 0.0);
                let decoded = decoder.decode_float(&packet.data, frames, false);
                let length = decoded.map_err(|_| Error::DecodeError("no Opus packet"))?;
                frames.truncate(length);
                Ok((OPUS_RATE, 1))
            }
        }
    }
}

/// Samples that the encoder added, as the file says; at most all of a packet.
fn trimmed(samples: u64) -> usize {
    usize::try_from(samples).unwrap_or(LONGEST_OPUS)
}
