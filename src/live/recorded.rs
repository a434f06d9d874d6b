//! Speech that is recorded as its sender's own packets, and the files that are made of them.

mod mp3;
mod ogg;
mod take;

pub(crate) use mp3::{mp3_file, mp3_of_ogg};
pub(crate) use ogg::{ogg_file, peaks_of_ogg};
#[cfg(test)]
pub(crate) use take::PACKET_OVERHEAD;
pub(crate) use take::{Packets, Take};
