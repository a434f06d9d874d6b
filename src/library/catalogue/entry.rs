//! One file with one content.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::OnceCell;

use crate::domain::{comparable, composed};

use super::super::facts::{FileDescription, FileKind};
use super::super::inside;
use super::index::IndexEntry;
use super::open_file::{OpenFile, Stamp};
use super::walk::Found;

/// Bytes of a file that are hashed at once.
const HASH_BYTES: usize = 1 << 20;

/// Identity of a file: of its path below its folder, so that it outlives restarts. Written as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u64);

impl FileId {
    /// Of the file of this name, which begins with its folder's.
    pub(super) fn of(name: &str) -> Self {
        Self(short_hash(name.as_bytes()))
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is not 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file's id is 16 hexadecimal digits, as /api/files gives it")]
pub struct InvalidFileId;

impl FromStr for FileId {
    type Err = InvalidFileId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(text).filter(|_| plain).and_then(|text| u64::from_str_radix(text, 16).ok()).map(Self).ok_or(InvalidFileId)
    }
}

impl Serialize for FileId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileFacts {
    /// Its identity.
    pub id: FileId,
    /// Its folder and its path below that.
    pub name: String,
    /// What kind of file it is.
    #[serde(skip)]
    pub kind: FileKind,
    /// The same, as players call it.
    pub mime: &'static str,
    /// Bytes.
    pub size: u64,
    /// When its content was written, in Unix seconds.
    pub modified: i64,
    /// How long it plays.
    #[serde(rename = "duration")]
    pub seconds: Option<f64>,
    /// Bits a second, on average.
    pub bitrate: Option<u64>,
    /// From its tags.
    pub title: Option<String>,
    /// Whether it has a picture.
    pub cover: bool,
    /// Another content has another one.
    pub version: String,
    /// Of its content, once it was computed.
    pub sha256: Option<String>,
}

/// A file cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is none of this id.
    #[error("there is no such file")]
    Unknown,
    /// There was, but no more.
    #[error("the file was deleted")]
    Gone,
    /// It is no audio any more.
    #[error("the file is damaged")]
    Damaged,
    /// It leads out of its folder.
    #[error("the file is outside of its folder")]
    Outside,
    /// The disk, or the permissions, do not allow it.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
}

/// One file with one content.
#[derive(Debug)]
pub(in crate::library) struct Entry {
    pub(in crate::library) id: FileId,
    pub(in crate::library) name: String,
    pub(in crate::library) kind: FileKind,
    pub(in crate::library) stamp: Stamp,
    /// Where it is, and the folder that it must not leave.
    path: PathBuf,
    root: PathBuf,
    description: FileDescription,
    pub(super) sha256: OnceCell<String>,
}

impl Entry {
    /// `None` for a file that is no audio.
    pub(super) fn new(found: Found, kept: &IndexEntry) -> Option<Self> {
        let Found { name, kind, stamp, path, root } = found;
        let description = kept.description.clone()?;
        let sha256 = OnceCell::new_with(kept.sha256.clone());
        Some(Self { id: FileId::of(&name), name, kind, stamp, path, root, description, sha256 })
    }

    pub(super) fn found(&self) -> Found {
        let Self { name, kind, stamp, path, root, .. } = self;
        Found { name: name.clone(), kind: *kind, stamp: *stamp, path: path.clone(), root: root.clone() }
    }

    pub(super) fn kept(&self, sha256: Option<String>) -> IndexEntry {
        IndexEntry { stamp: self.stamp, description: Some(self.description.clone()), sha256 }
    }

    pub(in crate::library) fn facts(&self) -> FileFacts {
        let FileDescription { seconds, title, cover } = self.description.clone();
        let bitrate = seconds.filter(|seconds| *seconds > 0.0).map(|seconds| self.stamp.size as f64 * 8.0 / seconds);
        let version = format!("{}/{}/{}", self.name, self.stamp.size, self.stamp.modified);
        FileFacts {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind,
            mime: self.kind.mime(),
            size: self.stamp.size,
            modified: self.stamp.modified.div_euclid(1_000_000_000),
            seconds,
            bitrate: bitrate.map(|bitrate| bitrate as u64),
            title,
            cover,
            version: format!("{:016x}", short_hash(version.as_bytes())),
            sha256: self.sha256.get().cloned(),
        }
    }

    /// Whether this, [as it is compared](comparable), is in its name or title.
    pub(super) fn matches(&self, wanted: &str) -> bool {
        let has = |text: &str| comparable(text).contains(wanted);
        has(&self.name) || self.description.title.as_deref().is_some_and(has)
    }

    /// Whether this is its name, with or without its folders.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let (own, name) = (composed(&self.name), composed(name));
        own == name || own.rsplit('/').next() == Some(&name)
    }

    /// Capitals and small letters side by side, as people sort.
    pub(super) fn sort_key(&self) -> String {
        format!("{}\0{}", comparable(&self.name), self.name)
    }

    /// Opens it, wherever it leads now, unless that is outside of its folder.
    pub(super) fn open(&self) -> Result<(File, PathBuf, Stamp), OpenError> {
        let file =
            inside::open(&self.root, &self.path).map_err(|error| unreadable(&error))?.ok_or(OpenError::Outside)?;
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        if !metadata.is_file() {
            return Err(OpenError::Damaged);
        }
        Ok((file, self.path.clone(), Stamp::of(&metadata)))
    }
}

fn unreadable(error: &io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::NotFound => OpenError::Gone,
        _ => OpenError::Unreadable(error.to_string()),
    }
}

/// The hash of a file's content; `None` when it changes meanwhile, or cannot be read. Blocks.
pub(super) fn hash(file: &OpenFile) -> Option<String> {
    let mut hash = Context::new(&SHA256);
    let mut at = 0;
    while at < file.size() {
        let bytes = file.read(at, HASH_BYTES).ok()?;
        hash.update(&bytes);
        at += bytes.len() as u64;
    }
    Some(hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn short_hash(bytes: &[u8]) -> u64 {
    let hash = digest(&SHA256, bytes);
    u64::from_be_bytes(hash.as_ref()[..8].try_into().expect("a hash has 32 bytes"))
}
