//! An announcement as one file, for media players, which take an address.

use std::time::Duration;

use bytes::Bytes;

use crate::access::{Action, Permit};
use crate::audio::{Mp3File, SAMPLE_RATE};
use crate::library::NoAudio;
use crate::limits::Place;

use super::playlist::{Performance, Playlist};
use super::{AnnounceError, Announcer, Prepared};

/// What a player is given.
#[derive(Debug)]
pub struct Rendered {
    /// MP3, whole.
    pub file: Bytes,
    /// How long it is.
    pub length: Duration,
    _memory: Place,
}

/// It is larger than it may be, or cannot be read.
enum Unfinished {
    TooLarge,
    Broken(NoAudio),
}

impl Announcer {
    /// Makes a file of what is to be announced.
    ///
    /// # Errors
    /// When it cannot be played, is larger than `announce.clip_bytes` as MP3, or there is no memory for it.
    pub async fn render(&self, permit: &Permit, prepared: &Prepared) -> Result<Rendered, AnnounceError> {
        if !permit.permits(Action::AnnounceOnPlayer) {
            return Err(AnnounceError::NotPermitted);
        }
        let playlist = prepared.playlist.clone();
        let turn = self.turn(permit)?;
        let most = self.0.limits.clip_bytes;
        let made = tokio::task::spawn_blocking(move || perform(playlist, most)).await;
        drop(turn);
        let (file, length) = made.map_err(|_| AnnounceError::ShuttingDown)?.map_err(|unfinished| match unfinished {
            Unfinished::TooLarge => self.refused(AnnounceError::TooLarge(most)),
            Unfinished::Broken(error) => AnnounceError::Broken(error),
        })?;
        let memory = self.reserve(permit, file.len() as u64)?;
        Ok(Rendered { file, length, _memory: memory })
    }
}

/// All of it, as fast as it can be decoded. Blocks.
fn perform(playlist: Playlist, most: u64) -> Result<(Bytes, Duration), Unfinished> {
    let (mut performance, mut file, mut samples) = (Performance::new(playlist), Mp3File::default(), 0_u64);
    while let Some(pcm) = performance.frame().map_err(Unfinished::Broken)? {
        samples += pcm.len() as u64;
        file.add(&pcm);
        if file.bytes() as u64 > most {
            return Err(Unfinished::TooLarge);
        }
    }
    Ok((file.finish(), Duration::from_secs_f64(samples as f64 / f64::from(SAMPLE_RATE))))
}
