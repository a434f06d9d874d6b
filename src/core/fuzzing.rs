//! A door for `fuzz/` alone: video, without sessions.

use std::time::Instant;

use super::peers::look_into;
use super::video::fuzzing;

/// What is read of a payload of any codec.
pub fn payload(bytes: &[u8]) {
    look_into(bytes);
}

/// Switches of one slot between layers, in whatever order their packets come, from `now` on: only a keyframe begins one.
pub fn switches(bytes: &[u8], now: Instant) {
    fuzzing::switches(bytes, now);
}

/// People who come, show, look and go, over ways that do anything, from `now` on.
pub fn people(bytes: &[u8], now: Instant) {
    fuzzing::people(bytes, now);
}
