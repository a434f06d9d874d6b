//! A file in chunks, read ahead.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::catalogue::{OpenFile, ReadError};

/// Bytes that are read at once: 256 KiB more than a client's channel holds are in memory for it at most.
const READ_BYTES: usize = 256 << 10;

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
    pub async fn chunk(&mut self, number: u64) -> Result<Bytes, ReadError> {
        if number != self.next || self.ahead.is_empty() {
            self.fill(number).await?;
        }
        self.next = number + 1;
        self.ahead.pop_front().ok_or(ReadError::Changed)
    }

    async fn fill(&mut self, number: u64) -> Result<(), ReadError> {
        let (file, from) = (Arc::clone(&self.file), number * self.chunk as u64);
        let length = (READ_BYTES / self.chunk).max(1) * self.chunk;
        let read = tokio::task::spawn_blocking(move || file.read(from, length)).await;
        let bytes = Bytes::from(read.map_err(|error| ReadError::Unreadable(error.to_string()))??);
        let chunks = (0..bytes.len()).step_by(self.chunk);
        self.ahead = chunks.map(|start| bytes.slice(start..bytes.len().min(start + self.chunk))).collect();
        Ok(())
    }
}
