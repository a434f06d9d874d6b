//! A door for `fuzz/` alone: what is read from files, and what clients say.

use super::facts;

pub use super::facts::FileKind;

/// Whether a file of these bytes is audio; gives its length in seconds, if it says so.
pub fn describe(bytes: Vec<u8>, kind: FileKind) -> Option<Option<f64>> {
    facts::describe_bytes(bytes, kind).ok().map(|description| description.seconds)
}
