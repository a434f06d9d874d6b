//! The shapes in which a program can be fetched.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::mp3::Mp3Encoder;
use super::stats::AudioStats;
use super::wav;

/// Bit rates of MP3 at 48 kHz that may be asked for, in kbit/s (MPEG-1 Layer III).
pub const BITRATES: [u16; 10] = [64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

/// Constant bit rate of an MP3 stream, in kbit/s: one of [`BITRATES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bitrate(u16);

impl Bitrate {
    /// Enough for speech and for music that is not listened to closely.
    pub const DEFAULT: Self = Self(128);

    /// `None` for what is not one of [`BITRATES`].
    pub fn new(kilobits: u16) -> Option<Self> {
        BITRATES.contains(&kilobits).then_some(Self(kilobits))
    }

    /// In kbit/s.
    pub const fn kilobits(self) -> u16 {
        self.0
    }

    /// Bytes of a frame: each is whole, without padding.
    pub fn frame_bytes(self) -> usize {
        usize::from(self.0) * 3
    }
}

/// The shape of a stream of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Frames of 24 ms each, of which each stands alone.
    Mp3(Bitrate),
    /// 48 kHz, 16 bits, mono.
    Wav,
    /// The sender's own Opus packets in Ogg; only of one stream.
    Ogg,
}

impl Format {
    /// Media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Mp3(_) => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Ogg => "audio/ogg",
        }
    }

    /// How long one message to a listener lasts.
    pub fn message_duration(self) -> Duration {
        Duration::from_millis(if let Self::Mp3(_) = self { 24 } else { 20 })
    }

    /// Bytes of a second of it; of Ogg, what is usual.
    pub fn bytes_per_second(self) -> usize {
        match self {
            Self::Mp3(bitrate) => usize::from(bitrate.kilobits()) * 125,
            Self::Wav => 96_000,
            Self::Ogg => 8_000,
        }
    }
}

/// Samples to the bytes of a format.
pub(crate) enum Encoder {
    Mp3(Mp3Encoder),
    /// Samples wait until there is a message of them.
    Wav(BytesMut),
}

impl Encoder {
    pub(crate) fn new(format: Format, stats: Arc<AudioStats>) -> Self {
        match format {
            Format::Mp3(bitrate) => Self::Mp3(Mp3Encoder::new(bitrate, stats)),
            Format::Wav | Format::Ogg => Self::Wav(BytesMut::new()),
        }
    }

    /// What every listener gets first.
    pub(crate) fn header(&self) -> Bytes {
        match self {
            Self::Mp3(_) => Bytes::new(),
            Self::Wav(_) => wav::header(),
        }
    }

    /// One message, or nothing yet.
    pub(crate) fn encode(&mut self, pcm: &[i16]) -> Bytes {
        match self {
            Self::Mp3(encoder) => encoder.encode(pcm),
            Self::Wav(waiting) => {
                waiting.extend_from_slice(&wav::data(pcm));
                let message = Format::Wav.bytes_per_second() / 50;
                if waiting.len() < message { Bytes::new() } else { waiting.split().freeze() }
            }
        }
    }

    /// What is still held back.
    pub(crate) fn finish(self) -> Bytes {
        match self {
            Self::Mp3(encoder) => encoder.finish(),
            Self::Wav(waiting) => waiting.freeze(),
        }
    }
}

/// So much of these samples in this format, as a listener can hear before the program begins.
pub fn prelude(format: Format, pcm: &[i16]) -> Bytes {
    match format {
        Format::Mp3(bitrate) => {
            let mut encoder = Mp3Encoder::new(bitrate, Arc::default());
            let frames = encoder.encode(pcm);
            [frames, encoder.finish()].concat().into()
        }
        Format::Wav => wav::data(pcm),
        // Its pages are numbered: nothing can be put before them.
        Format::Ogg => Bytes::new(),
    }
}
