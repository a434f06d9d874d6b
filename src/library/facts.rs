//! What a file says of itself: kind, length, title, cover.

use std::fs::File;
use std::io::{self, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::{MetadataOptions, MetadataRevision, StandardTag, Visual};

use super::wav;

/// The largest cover that is looked at.
pub(super) const MAX_COVER: usize = 4 << 20;

/// The longest text of a tag that is looked at.
const MAX_TAG: usize = 64 << 10;

/// Bytes of the largest file whose packets are counted where it does not say how long it plays.
const MOST_COUNTED: u64 = 512 << 20;

/// Bits a second between which anybody records: a length by which a file had more or fewer is nonsense.
const LIKELY: std::ops::RangeInclusive<f64> = 4_000.0..=40_000_000.0;

/// Bytes in front of, and behind, the sound: pictures, tags.
const MOST_BESIDES: f64 = 16e6;

/// Characters of a title that are kept.
const MAX_TITLE: usize = 200;

/// What kind of file it is, by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// MPEG-1 Layer III.
    Mp3,
    /// Vorbis, or whatever else is in Ogg.
    Ogg,
    /// Opus in Ogg.
    Opus,
    /// FLAC.
    Flac,
    /// RIFF WAVE.
    Wav,
    /// AAC or ALAC in MP4.
    M4a,
}

impl FileKind {
    /// Every kind that is served.
    pub const ALL: [Self; 6] = [Self::Mp3, Self::Ogg, Self::Opus, Self::Flac, Self::Wav, Self::M4a];

    /// The kind of a file of this name.
    pub fn of(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        Self::ALL.into_iter().find(|kind| kind.extension().eq_ignore_ascii_case(extension))
    }

    /// How its names end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Ogg => "ogg",
            Self::Opus => "opus",
            Self::Flac => "flac",
            Self::Wav => "wav",
            Self::M4a => "m4a",
        }
    }

    /// As HTTP and players call it.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Ogg | Self::Opus => "audio/ogg",
            Self::Flac => "audio/flac",
            Self::Wav => "audio/wav",
            Self::M4a => "audio/mp4",
        }
    }
}

/// What is read from a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FileDescription {
    /// How long it plays.
    pub(super) seconds: Option<f64>,
    /// Its title, from its tags.
    pub(super) title: Option<String>,
    /// Whether it has a cover.
    pub(super) cover: bool,
}

/// A picture from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// As HTTP calls it; one of an image.
    pub mime: &'static str,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A file is none that can be played.
#[derive(Debug, thiserror::Error)]
pub enum NoAudio {
    /// The disk, or the permissions, do not allow it.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// What is in it makes no sense.
    #[error("it is damaged, or of another kind than its name says: {0}")]
    Damaged(String),
    /// It is some container with something else in it.
    #[error("there is no audio in it")]
    NoTrack,
}

/// Reads what a file of this kind says of itself.
pub(super) fn describe(file: File, kind: FileKind) -> Result<FileDescription, NoAudio> {
    let size = file.metadata().map_err(NoAudio::Unreadable)?.len();
    look_into(Box::new(file), kind, |format| describe_format(format, Some(size)))
}

/// The same of a file in memory.
pub(super) fn describe_bytes(bytes: Vec<u8>, kind: FileKind) -> Result<FileDescription, NoAudio> {
    let size = bytes.len() as u64;
    look_into(Box::new(Cursor::new(bytes)), kind, |format| describe_format(format, Some(size)))
}

/// The picture in a file, if there is one that browsers can show.
pub(super) fn cover(file: File, kind: FileKind) -> Result<Option<Cover>, NoAudio> {
    look_into(Box::new(file), kind, |format| Ok(visuals(&revisions(format)).find_map(shown)))
}

fn look_into<T>(
    source: Box<dyn MediaSource>,
    kind: FileKind,
    look: impl FnOnce(&mut dyn FormatReader) -> Result<T, NoAudio>,
) -> Result<T, NoAudio> {
    let mut hint = Hint::new();
    hint.with_extension(kind.extension());
    guarded(|| look(&mut *open(source, &hint)?))
}

/// The reader of a file: by what is in it, and only then by the hint.
pub(super) fn open(source: Box<dyn MediaSource>, hint: &Hint) -> Result<Box<dyn FormatReader>, NoAudio> {
    let source = wav::mended(source).map_err(NoAudio::Unreadable)?;
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let metadata = MetadataOptions::default()
        .limit_tag_bytes(Limit::Maximum(MAX_TAG))
        .limit_visual_bytes(Limit::Maximum(MAX_COVER));
    Ok(symphonia::default::get_probe().probe(hint, stream, FormatOptions::default(), metadata)?)
}

/// A panic of the reader costs that file only: it is damaged in a way that nobody has thought of.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, NoAudio>) -> Result<T, NoAudio> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(NoAudio::Damaged("its reader panicked over it".into())))
}

/// How long a track plays, where the file says so: recorders that write to a pipe leave zeros there, and what MP3 has
/// without an encoder's tag is a guess of symphonia's.
pub(super) fn seconds_of(track: &Track) -> Option<f64> {
    let is_mp3 = track.codec_params.as_ref().and_then(|codec| codec.audio()).is_some_and(|it| it.codec == CODEC_ID_MP3);
    let duration = track.duration.filter(|_| !is_mp3 || track.delay.is_some());
    let time = track.time_base.zip(duration).and_then(|(base, duration)| base.calc_duration(duration));
    time.map(|time| time.as_secs_f64()).filter(|seconds| seconds.is_finite() && *seconds > 0.0)
}

/// How long all packets of a file together play: all of it is read for that, and nothing is decoded.
fn counted_seconds(format: &mut dyn FormatReader) -> Option<f64> {
    let mut seconds = 0.0;
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Err(Error::ResetRequired) => continue,
            Ok(None) | Err(_) => return Some(seconds).filter(|seconds| *seconds > 0.0),
        };
        let track = format.tracks().iter().find(|track| track.id == packet.track_id);
        let base = track.and_then(|track| track.time_base);
        seconds += base.and_then(|base| base.calc_duration(packet.dur)).map_or(0.0, |time| time.as_secs_f64());
    }
}

fn describe_format(format: &mut dyn FormatReader, size: Option<u64>) -> Result<FileDescription, NoAudio> {
    let track = format.default_track(TrackType::Audio).ok_or(NoAudio::NoTrack)?;
    let seconds = seconds_of(track).filter(|seconds| size.is_none_or(|size| is_likely(*seconds, size)));
    let revisions = revisions(format);
    let cover = visuals(&revisions).next().is_some();
    let title = revisions.iter().find_map(title_of);
    let may_count = size.is_some_and(|size| size <= MOST_COUNTED);
    let seconds = seconds.or_else(|| may_count.then(|| counted_seconds(format)).flatten());
    Ok(FileDescription { seconds, title, cover })
}

/// Whether a file of this size can play for so long.
fn is_likely(seconds: f64, size: u64) -> bool {
    let bits = size as f64 * 8.0;
    bits / seconds >= *LIKELY.start() && (bits - MOST_BESIDES * 8.0) / seconds <= *LIKELY.end()
}

fn title_of(revision: &MetadataRevision) -> Option<String> {
    let tracks = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
    let title = revision.media.tags.iter().chain(tracks).find_map(|tag| match &tag.std {
        Some(StandardTag::TrackTitle(title)) => Some(title),
        _ => None,
    })?;
    let title: String = title.chars().filter(|it| !it.is_control()).take(MAX_TITLE).collect();
    Some(title.trim().to_owned()).filter(|title| !title.is_empty())
}

/// All that is written about the file: at its beginning, within, and at its end.
fn revisions(format: &mut dyn FormatReader) -> Vec<MetadataRevision> {
    let mut metadata = format.metadata();
    let mut revisions: Vec<_> = std::iter::from_fn(|| metadata.pop()).collect();
    revisions.extend(metadata.current().cloned());
    revisions
}

/// Those that browsers can show.
fn visuals(revisions: &[MetadataRevision]) -> impl Iterator<Item = &Visual> {
    let visuals = revisions.iter().flat_map(|revision| &revision.media.visuals);
    visuals.filter(|visual| picture_kind(&visual.data).is_some())
}

fn shown(visual: &Visual) -> Option<Cover> {
    Some(Cover { mime: picture_kind(&visual.data)?, bytes: visual.data.to_vec() })
}

/// By its first bytes: what the file says of them may be anything, and browsers would believe it.
pub(super) fn picture_kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        _ => None,
    }
}

impl From<Error> for NoAudio {
    fn from(error: Error) -> Self {
        match error {
            // The end of the file in the midst of something is damage, not a fault of the disk.
            Error::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => Self::Unreadable(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_by_the_end_of_the_name() {
        assert_eq!(FileKind::of("Song.MP3"), Some(FileKind::Mp3));
        for other in ["mp3", "song.mp3.part", "film.mp4", ".hidden"] {
            assert_eq!(FileKind::of(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_audio_is_refused_whatever_its_name() {
        for kind in FileKind::ALL {
            for bytes in [&b""[..], b"RIFF", b"<html>not audio</html>", &[0xff; 3_000], &[0; 3_000]] {
                assert!(describe_bytes(bytes.into(), kind).is_err(), "{kind:?} {}", bytes.len());
            }
        }
    }

    #[test]
    fn pictures_are_what_they_are_whatever_the_file_says() {
        assert_eq!(picture_kind(b"<svg onload=alert()>"), None);
        assert_eq!(picture_kind(&[0xff, 0xd8, 0xff, 0xe0]), Some("image/jpeg"));
    }
}
