//! Something that can be played: a file of the catalogue, or one that was sent here.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use rustix::fs::{MemfdFlags, memfd_create};

use super::catalogue::OpenFile;
use super::facts::NoAudio;
use super::reading::{self, Playback};

/// Something that can be played, as often as one likes; what is open stays readable, also when it is deleted. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct Recording(Arc<File>);

impl Recording {
    /// What is in this file.
    pub fn of(file: OpenFile) -> Self {
        Self(Arc::new(file.into_file()))
    }

    /// What is in these bytes, which are nowhere else.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn of_bytes(bytes: &[u8]) -> io::Result<Self> {
        // A file, since that is what another process can read.
        let mut file = File::from(memfd_create("recording", MemfdFlags::CLOEXEC)?);
        file.write_all(bytes)?;
        Ok(Self(Arc::new(file)))
    }

    /// How long it is, where it says so. Blocks.
    ///
    /// # Errors
    /// When it is none that can be played: its first packet is tried.
    pub fn probe(&self) -> Result<Option<f64>, NoAudio> {
        reading::probe(&self.0)
    }

    /// Plays it from its beginning. Blocks, as does all that comes of it.
    ///
    /// # Errors
    /// When there is nobody to read it.
    pub fn play(&self) -> Result<Playback, NoAudio> {
        Playback::start(&self.0)
    }
}

#[cfg(test)]
mod tests;
