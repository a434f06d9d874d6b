//! An open file. It notices when the file is replaced or deleted: what was begun with one content is not ended with another.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, FileFacts, FileId};

/// What tells one content of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        }
    }

    /// Whether the content is the same, as far as can be told after a restart: devices are numbered anew then.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.size, self.modified) == (other.size, other.modified)
    }
}

/// Reason for which an open file is not read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It was deleted.
    #[error("The file was deleted meanwhile")]
    Gone,
    /// It has another content than when it was opened.
    #[error("The file has changed meanwhile")]
    Changed,
    /// The system says so.
    #[error("The file cannot be read: {0}")]
    Unreadable(String),
}

/// A file of the catalogue, open.
#[derive(Debug)]
pub struct OpenFile {
    /// What is known of it.
    pub(super) entry: Arc<Entry>,
    /// It.
    pub(super) file: File,
    pub(super) path: PathBuf,
}

impl OpenFile {
    /// Reads so many bytes from this place on, or as many as there are.
    ///
    /// # Errors
    /// When the file is no more what it was when it was opened, or cannot be read.
    pub fn read(&self, from: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        self.check(fs::metadata(&self.path))?;
        let left = self.entry.stamp.size.saturating_sub(from);
        let mut bytes = vec![0; length.min(usize::try_from(left).unwrap_or(usize::MAX))];
        match self.file.read_exact_at(&mut bytes, from) {
            Ok(()) => self.check(self.file.metadata()).map(|()| bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ReadError::Changed),
            Err(error) => Err(ReadError::Unreadable(error.to_string())),
        }
    }

    /// Identity of it.
    pub fn id(&self) -> FileId {
        self.entry.id
    }

    /// What is known of it.
    pub fn facts(&self) -> FileFacts {
        self.entry.facts()
    }

    /// Its bytes.
    pub fn size(&self) -> u64 {
        self.entry.stamp.size
    }

    /// It, for whoever decodes it.
    pub fn into_file(self) -> File {
        self.file
    }

    fn check(&self, now: io::Result<Metadata>) -> Result<(), ReadError> {
        match now {
            Ok(metadata) if Stamp::of(&metadata) == self.entry.stamp => Ok(()),
            Ok(_) => Err(ReadError::Changed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ReadError::Gone),
            Err(error) => Err(ReadError::Unreadable(error.to_string())),
        }
    }
}
