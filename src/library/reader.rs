//! An open file, read chunk by chunk. It notices when the file is replaced or deleted: what was begun with one content
//! is not ended with another.

use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::catalogue::{Entry, Facts};
use super::transfer::TransferError;

/// Bytes that are read at once: 256 KiB more than a client's channel holds are in memory for it at most.
const READ_BYTES: usize = 256 << 10;

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
    pub fn read(&self, from: u64, length: usize) -> Result<Vec<u8>, TransferError> {
        self.check(fs::metadata(&self.path))?;
        let left = self.entry.stamp.size.saturating_sub(from);
        let mut bytes = vec![0; length.min(usize::try_from(left).unwrap_or(usize::MAX))];
        match self.file.read_exact_at(&mut bytes, from) {
            Ok(()) => self.check(self.file.metadata()).map(|()| bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(TransferError::Changed),
            Err(error) => Err(TransferError::Unreadable(error.to_string())),
        }
    }

    /// What is known of it.
    pub fn facts(&self) -> Facts {
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

    fn check(&self, now: io::Result<Metadata>) -> Result<(), TransferError> {
        match now {
            Ok(metadata) if Stamp::of(&metadata) == self.entry.stamp => Ok(()),
            Ok(_) => Err(TransferError::Changed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(TransferError::Gone),
            Err(error) => Err(TransferError::Unreadable(error.to_string())),
        }
    }
}

/// A file in chunks, read ahead.
#[derive(Debug)]
pub struct Reader {
    file: Arc<OpenFile>,
    chunk: usize,
    /// The number of the first chunk in `ahead`.
    next: u64,
    ahead: VecDeque<Bytes>,
}

impl Reader {
    /// Reads in chunks of so many bytes.
    pub fn new(file: OpenFile, chunk: usize) -> Self {
        Self { file: Arc::new(file), chunk, next: 0, ahead: VecDeque::new() }
    }

    /// The same, in other chunks.
    pub fn in_chunks_of(self, chunk: usize) -> Self {
        Self { chunk, next: 0, ahead: VecDeque::new(), ..self }
    }

    /// The file itself.
    pub fn file(&self) -> &Arc<OpenFile> {
        &self.file
    }

    /// A chunk; the next ones are read along with it.
    ///
    /// # Errors
    /// As [`OpenFile::read`].
    pub async fn chunk(&mut self, number: u64) -> Result<Bytes, TransferError> {
        if number != self.next || self.ahead.is_empty() {
            self.fill(number).await?;
        }
        self.next = number + 1;
        self.ahead.pop_front().ok_or(TransferError::Changed)
    }

    async fn fill(&mut self, number: u64) -> Result<(), TransferError> {
        let (file, from) = (Arc::clone(&self.file), number * self.chunk as u64);
        let length = (READ_BYTES / self.chunk).max(1) * self.chunk;
        let read = tokio::task::spawn_blocking(move || file.read(from, length)).await;
        let bytes = Bytes::from(read.map_err(|error| TransferError::Unreadable(error.to_string()))??);
        let chunks = (0..bytes.len()).step_by(self.chunk);
        self.ahead = chunks.map(|start| bytes.slice(start..bytes.len().min(start + self.chunk))).collect();
        Ok(())
    }
}
