//! What a player may ask for with the URL of a live stream: file name and query, checked.

use std::collections::HashMap;
use std::time::Duration;

use crate::audio::{BITRATES, Bitrate, Format, SAMPLE_RATE};
use crate::domain::{RoomId, StreamId};
use crate::live::Program;

use super::listener_socket::Framing;

/// The longest burst that may be asked for.
const MAX_BURST: Duration = Duration::from_secs(10);

/// The longest time that may be written at once.
const MAX_CHUNK: Duration = Duration::from_secs(1);

/// A live stream as a player wants it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PlayRequest {
    pub(super) program: Program,
    pub(super) format: Format,
    /// `None`: as the HTTP version of the request has it.
    pub(super) framing: Option<Framing>,
    /// What is heard before the program.
    pub(super) burst: Burst,
    /// How much is written at once; none: each message as it is made.
    pub(super) chunk: Duration,
}

/// Sound before the program, at once, so that a player that fills a buffer first begins at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Burst {
    /// How long: few lengths, since each is made once and kept.
    half_seconds: u32,
    sound: BurstSound,
}

impl Burst {
    fn of(self, length: Duration) -> Self {
        Self { half_seconds: length.as_millis().div_ceil(500) as u32, ..self }
    }

    /// There is to be none.
    pub(super) fn is_none(self) -> bool {
        self.half_seconds == 0
    }

    /// All of it.
    pub(super) fn samples(self) -> Vec<i16> {
        let mut pcm = vec![0; (self.half_seconds * SAMPLE_RATE / 2) as usize];
        if self.sound == BurstSound::Chime {
            for (sample, chime) in pcm.iter_mut().zip(chime()) {
                *sample = chime;
            }
        }
        pcm
    }
}

/// What the burst sounds like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum BurstSound {
    Silence,
    /// Two notes, and then silence.
    Chime,
}

/// Why a wish cannot be had: a sentence for the player's owner.
pub(super) type Complaint = String;

impl PlayRequest {
    /// Reads `<program>.<format>`, of the room of those who name none. `None`: it is no such file name.
    pub(super) fn of_file(file: &str) -> Option<Self> {
        Self::of(file, |name| match name {
            "latest" => Some(Program::Latest(RoomId::HOME)),
            "all" => Some(Program::Room(RoomId::HOME)),
            id => id.parse::<StreamId>().ok().map(Program::Stream),
        })
    }

    /// Reads `<room>.<format>`. `None`: there is no such room, or format.
    pub(super) fn of_room(file: &str, find: impl FnOnce(&str) -> Option<RoomId>) -> Option<Self> {
        Self::of(file, |name| find(name).map(Program::Room))
    }

    fn of(file: &str, program: impl FnOnce(&str) -> Option<Program>) -> Option<Self> {
        let (name, extension) = file.rsplit_once('.')?;
        let format = match extension {
            "mp3" => Format::Mp3(Bitrate::DEFAULT),
            "wav" => Format::Wav,
            "opus" => Format::Ogg,
            _ => return None,
        };
        let program = program(name)?;
        let burst = Burst { half_seconds: 0, sound: BurstSound::Silence };
        Some(Self { program, format, framing: None, burst, chunk: Duration::ZERO })
    }

    /// Adds what the query says. Keys that we do not know are left alone: players add some of their own.
    pub(super) fn with_query(mut self, query: &HashMap<String, String>) -> Result<Self, Complaint> {
        let get = |key| query.get(key).map(String::as_str);
        if let Some(profile) = get("profile") {
            self = self.with_profile(profile)?;
        }
        if let Some(kilobits) = get("bitrate") {
            let bitrate = kilobits.parse().ok().and_then(Bitrate::new);
            let bitrate = bitrate.ok_or_else(|| format!("bitrate is one of {BITRATES:?}, in kbit/s"))?;
            if let Format::Mp3(_) = self.format {
                self.format = Format::Mp3(bitrate);
            }
        }
        if let Some(seconds) = get("burst") {
            let seconds = seconds.parse().ok().filter(|seconds| (0.0..=MAX_BURST.as_secs_f32()).contains(seconds));
            self.burst = self.burst.of(Duration::from_secs_f32(seconds.ok_or("burst is seconds, from 0 to 10")?));
        }
        if let Some(sound) = get("start") {
            self.burst.sound = match sound {
                "silence" => BurstSound::Silence,
                "chime" => BurstSound::Chime,
                _ => return Err("start is silence or chime".into()),
            };
        }
        if let Some(chunk) = get("chunk") {
            let milliseconds = chunk.trim_end_matches("ms").parse().ok().map(Duration::from_millis);
            let chunk = milliseconds.filter(|chunk| *chunk <= MAX_CHUNK);
            self.chunk = chunk.ok_or("chunk is milliseconds, from 0 to 1000, such as 100ms")?;
        }
        Ok(self)
    }

    /// What a family of players is known to need; see `docs/players.md`.
    fn with_profile(self, profile: &str) -> Result<Self, Complaint> {
        let (framing, seconds) = match profile {
            "default" => (None, 0),
            "close" => (Some(Framing::Close), 0),
            "browser" => (None, 2),
            "sonos" => (Some(Framing::Close), 3),
            "cast" => (Some(Framing::Close), 1),
            "esphome" => (Some(Framing::Close), 2),
            _ => return Err("profile is default, close, browser, sonos, cast or esphome".into()),
        };
        Ok(Self { framing, burst: self.burst.of(Duration::from_secs(seconds)), ..self })
    }

    /// Messages to be written at once: as many as the time wished for takes, or one more.
    pub(super) fn messages_a_write(self) -> usize {
        let message = self.format.message_duration();
        self.chunk.as_micros().div_ceil(message.as_micros()).max(1) as usize
    }
}

/// Two notes that ring out, a third apart, as a doorbell has them: one second.
fn chime() -> impl Iterator<Item = i16> {
    let note = |frequency: f64, since: f64| {
        let attack = (since / 0.005).clamp(0.0, 1.0);
        (since * frequency * std::f64::consts::TAU).sin() * attack * (-since * 6.0).exp()
    };
    (0..SAMPLE_RATE).map(move |n| {
        let at = f64::from(n) / f64::from(SAMPLE_RATE);
        let ends = ((1.0 - at) / 0.05).clamp(0.0, 1.0);
        ((note(659.3, at) + note(523.3, (at - 0.35).max(0.0))) * ends * 9_000.0) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(file: &str, query: &[(&str, &str)]) -> Result<PlayRequest, Complaint> {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        PlayRequest::of_file(file).ok_or("no such file")?.with_query(&query)
    }

    #[test]
    fn a_file_name_is_a_program_and_a_format() {
        let stream = "stream_00000000-0000-0000-0000-000000000001";
        let id = Program::Stream(stream.parse().expect("an id"));
        for (file, program, format) in [
            ("latest.mp3".to_owned(), Program::Latest(RoomId::HOME), Format::Mp3(Bitrate::DEFAULT)),
            ("all.wav".to_owned(), Program::Room(RoomId::HOME), Format::Wav),
            (format!("{stream}.opus"), id, Format::Ogg),
        ] {
            let request = request(&file, &[]).expect("valid");
            assert_eq!((request.program, request.format), (program, format));
        }
        for file in ["latest", "latest.exe", "..mp3", ".mp3", "stream_1.mp3", "../latest.flac"] {
            assert!(PlayRequest::of_file(file).is_none(), "{file}");
        }
    }

    #[test]
    fn a_room_is_asked_for_by_its_name() {
        let find = |name: &str| (name == "home").then_some(RoomId::HOME);
        let request = PlayRequest::of_room("home.mp3", find).expect("there");
        assert_eq!(request.program, Program::Room(RoomId::HOME));
        for file in ["home", "home.exe", "kitchen.mp3", "latest.mp3", ".mp3"] {
            assert!(PlayRequest::of_room(file, find).is_none(), "{file}");
        }
    }

    #[test]
    fn the_query_sets_what_it_names_and_refuses_nonsense_with_the_choices() {
        let parsed =
            request("latest.mp3", &[("profile", "esphome"), ("bitrate", "64"), ("chunk", "100ms"), ("t", "1")]);
        let parsed = parsed.expect("valid");
        assert_eq!((parsed.framing, parsed.burst.half_seconds), (Some(Framing::Close), 4));
        assert_eq!((parsed.format.bytes_per_second(), parsed.messages_a_write()), (8_000, 5));
        for (key, value) in [
            ("profile", "x"),
            ("bitrate", "65"),
            ("bitrate", "-1"),
            ("burst", "11"),
            ("burst", "NaN"),
            ("chunk", "9s"),
            ("start", "x"),
        ] {
            assert!(request("latest.mp3", &[(key, value)]).is_err(), "{key}={value}");
        }
    }

    #[test]
    fn a_chime_is_heard_and_ends_without_a_click() {
        let parsed = request("all.mp3", &[("burst", "1.5"), ("start", "chime")]).expect("valid");
        let pcm = parsed.burst.samples();
        assert_eq!(pcm.len(), 72_000);
        assert!(pcm.iter().any(|sample| *sample > 5_000));
        assert!(pcm.windows(2).all(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs() < 2_000));
        assert!(pcm[48_000..].iter().all(|sample| *sample == 0));
    }
}
