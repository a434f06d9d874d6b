//! What is said on the channel, in both directions.

use serde::Deserialize;
use serde_json::json;

use crate::library::{FileFacts, FileId, ReadError};

/// What a client wishes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientRequest {
    Play(Choice),
    Resume(Choice),
    Seek {
        chunk: u64,
    },
    Pause,
    Stop,
    Playlist(List),
    Next,
    Previous,
    /// Of a client that knows more than we do.
    #[serde(other)]
    Unknown,
}

/// A file, and where to begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "WrittenChoice")]
pub(super) struct Choice {
    /// The file; without one, the one for those who name none.
    pub(super) file: Option<FileId>,
    pub(super) from_chunk: u64,
    /// The same, if it was said.
    pub(super) given: Option<u64>,
    /// What the client knows the content by: it wants the rest of that, not of another file of the same name.
    pub(super) known: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenChoice {
    file: Option<FileId>,
    from_chunk: Option<u64>,
    sha256: Option<String>,
    version: Option<String>,
}

impl From<WrittenChoice> for Choice {
    fn from(written: WrittenChoice) -> Self {
        let WrittenChoice { file, from_chunk, sha256, version } = written;
        Self { file, from_chunk: from_chunk.unwrap_or(0), given: from_chunk, known: sha256.or(version) }
    }
}

impl Choice {
    /// Whether the file is the one that the client knows, as far as can be told.
    pub(super) fn is_of(&self, facts: &FileFacts) -> bool {
        self.known.as_ref().is_none_or(|known| *known == facts.version || Some(known) == facts.sha256.as_ref())
    }

    /// Whether only the hash can tell.
    pub(super) fn needs_hash(&self, facts: &FileFacts) -> bool {
        facts.sha256.is_none() && self.known.as_ref().is_some_and(|known| *known != facts.version)
    }
}

/// Files to be played one after another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct List {
    pub(super) files: Vec<FileId>,
    #[serde(default)]
    pub(super) shuffle: bool,
    #[serde(default)]
    pub(super) repeat: Repeat,
}

/// What comes after the last file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Repeat {
    /// Nothing.
    #[default]
    None,
    /// The same once more, as after each.
    One,
    /// The first.
    All,
}

/// What can go wrong, as clients are told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// Not a message of this protocol.
    #[error("This is no message of this protocol: {0}")]
    BadMessage(String),
    /// There is no such file.
    #[error("There is no such file; /api/files lists those there are")]
    NoFile,
    /// There was, but no more.
    #[error("The file was deleted")]
    Gone,
    /// It was replaced by another, which follows from its beginning.
    #[error("The file was replaced; the new one follows from its beginning")]
    Changed,
    /// The disk, or the permissions, do not allow it.
    #[error("The file cannot be read: {0}")]
    Unreadable(String),
    /// It is not so long.
    #[error("The file has only {0} chunks")]
    NoChunk(u64),
    /// There is nothing to go on with.
    #[error("No file is open; play one first")]
    NothingOpen,
    /// The playlist ends here.
    #[error("The playlist has no more files")]
    NoMore,
    /// The channel may lose or reorder messages.
    #[error("The channel must be ordered and reliable")]
    BadChannel,
}

impl From<ReadError> for TransferError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Gone => Self::Gone,
            ReadError::Changed => Self::Changed,
            ReadError::Unreadable(error) => Self::Unreadable(error),
        }
    }
}

impl TransferError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadMessage(_) => "bad_message",
            Self::NoFile => "no_file",
            Self::Gone => "gone",
            Self::Changed => "changed",
            Self::Unreadable(_) => "unreadable",
            Self::NoChunk(_) => "no_chunk",
            Self::NothingOpen => "nothing_open",
            Self::NoMore => "no_more",
            Self::BadChannel => "bad_channel",
        }
    }
}

pub(super) const STOPPED: &str = r#"{"type":"stopped"}"#;

/// What a file is, before its chunks.
pub(super) fn metadata(file: &FileFacts, chunk: usize, chunks: u64, from: u64) -> String {
    json!({
        "type": "metadata",
        "totalSize": file.size,
        "totalChunks": chunks,
        "chunkSize": chunk,
        "fromChunk": from,
        "file": file.id,
        "name": file.name,
        "title": file.title,
        "mime": file.kind.mime(),
        "duration": file.seconds,
        "bitrate": file.bitrate,
        "sha256": file.sha256,
        "version": file.version,
    })
    .to_string()
}

/// The last chunk was sent.
pub(super) fn complete(file: FileId, hash: &str, next: Option<FileId>) -> String {
    json!({ "type": "complete", "file": file, "sha256": hash, "next": next }).to_string()
}

/// Chunks from here on are sent, or are not.
pub(super) fn place(kind: &str, chunk: u64) -> String {
    json!({ "type": kind, "chunk": chunk }).to_string()
}

/// Something is wrong.
pub(super) fn error(error: &TransferError) -> String {
    json!({ "type": "error", "code": error.code(), "message": error.to_string() }).to_string()
}
