//! A door for `fuzz/` alone: video, without sessions.

use super::peers::look_into;
use super::video::fuzzing;

/// What is read of a payload of any codec.
pub fn payload(bytes: &[u8]) {
    look_into(bytes);
}

/// Switches of one slot between layers, in whatever order their packets come: no number comes twice.
pub fn switches(bytes: &[u8]) {
    fuzzing::switches(bytes);
}

/// People who come, show, look and go, over ways that do anything.
pub fn people(bytes: &[u8]) {
    fuzzing::people(bytes);
}
