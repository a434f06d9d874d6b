//! What is recorded in a file, as samples: of one channel, at the file's own rate, a packet at a time.
//!
//! symphonia takes files apart and decodes all but Opus, which libopus does.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use opus::Channels;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSource;
use symphonia::core::packet::Packet;

use super::facts::{NoAudio, guarded, open, seconds_of};
use super::reader::OpenFile;

/// Rates outside of these are damage: nobody records so.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// The longest that one Opus packet can be: 120 ms at 48 kHz (RFC 6716 2.1.4).
const LONGEST_OPUS: usize = 5_760;

/// The rate at which Opus is decoded.
const OPUS_RATE: u32 = 48_000;

/// Something that can be played, as often as one likes. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Recording {
    /// A file of the catalogue; what is open stays readable, also when it is deleted.
    File(Arc<File>),
    /// One that was sent here, and is nowhere else.
    Clip(Bytes),
}

impl Recording {
    /// What is in this file.
    pub fn of(file: OpenFile) -> Self {
        Self::File(Arc::new(file.into_file()))
    }

    /// Plays it from its beginning. Blocks, as does all that comes of it.
    ///
    /// # Errors
    /// When it is none that can be played.
    pub fn play(&self) -> Result<Playing, NoAudio> {
        let source: Box<dyn MediaSource> = match self {
            Self::File(file) => Box::new(Place::at_beginning(file).map_err(NoAudio::Unreadable)?),
            Self::Clip(bytes) => Box::new(Cursor::new(bytes.clone())),
        };
        guarded(|| Playing::new(open(source, &Hint::new())?))
    }
}

/// A place in a file that others read too, each at its own.
struct Place {
    file: Arc<File>,
    at: u64,
    size: u64,
}

impl Place {
    fn at_beginning(file: &Arc<File>) -> io::Result<Self> {
        Ok(Self { file: Arc::clone(file), at: 0, size: file.metadata()?.len() })
    }
}

impl Read for Place {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Place {
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

impl MediaSource for Place {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.size)
    }
}

/// A recording while it is played.
pub struct Playing {
    format: Box<dyn FormatReader>,
    track: u32,
    codec: Codec,
    seconds: Option<f64>,
    /// Room for a packet, all channels side by side.
    frames: Vec<f32>,
}

enum Codec {
    Other(Box<dyn AudioDecoder>),
    Opus(opus::Decoder),
}

impl Playing {
    fn new(format: Box<dyn FormatReader>) -> Result<Self, NoAudio> {
        let track = format.default_track(TrackType::Audio).ok_or(NoAudio::NoTrack)?;
        let parameters = track.codec_params.as_ref().and_then(|codec| codec.audio()).ok_or(NoAudio::NoTrack)?;
        let (codec, seconds, track) = (Codec::of(parameters)?, seconds_of(track), track.id);
        Ok(Self { format, track, codec, seconds, frames: Vec::new() })
    }

    /// How long all of it is, where the file says so.
    pub fn seconds(&self) -> Option<f64> {
        self.seconds
    }

    /// Appends the samples of the next packet, as parts of full scale; gives their rate. `None` at the end. What is
    /// damaged in the midst of a file is left out.
    ///
    /// # Errors
    /// When nothing more can be read of it.
    pub fn next(&mut self, samples: &mut Vec<f32>) -> Result<Option<u32>, NoAudio> {
        guarded(|| self.decode_next(samples))
    }

    fn decode_next(&mut self, samples: &mut Vec<f32>) -> Result<Option<u32>, NoAudio> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                // A file that was cut off ends where it ends; so does one that goes on with another kind of track.
                Ok(None) | Err(Error::ResetRequired) => return Ok(None),
                Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if packet.track_id != self.track {
                continue;
            }
            match self.codec.decode(&packet, &mut self.frames) {
                Ok((rate, channels)) if RATES.contains(&rate) => {
                    let frames = self.frames.chunks_exact(channels.max(1));
                    samples.extend(frames.map(|frame| frame.iter().sum::<f32>() / frame.len() as f32));
                    return Ok(Some(rate));
                }
                Ok((rate, _)) => return Err(NoAudio::Damaged(format!("{rate} samples a second"))),
                Err(Error::DecodeError(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Codec {
    fn of(parameters: &AudioCodecParameters) -> Result<Self, NoAudio> {
        if parameters.codec != CODEC_ID_OPUS {
            let codecs = symphonia::default::get_codecs();
            return Ok(Self::Other(codecs.make_audio_decoder(parameters, &AudioDecoderOptions::default())?));
        }
        // Stereo is mixed by libopus itself. More channels are several streams, which it would not understand.
        if parameters.channels.as_ref().is_some_and(|channels| channels.count() > 2) {
            return Err(NoAudio::Damaged("Opus of more than two channels".into()));
        }
        let decoder = opus::Decoder::new(OPUS_RATE, Channels::Mono);
        decoder.map(Self::Opus).map_err(|error| NoAudio::Damaged(error.to_string()))
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
                frames.truncate(length.saturating_sub(trimmed(packet.trim_end.get())));
                frames.drain(..trimmed(packet.trim_start.get()).min(frames.len()));
                Ok((OPUS_RATE, 1))
            }
        }
    }
}

/// Samples that the encoder added, as the file says; at most all of a packet.
fn trimmed(samples: u64) -> usize {
    usize::try_from(samples).unwrap_or(LONGEST_OPUS)
}

#[cfg(test)]
mod tests;
