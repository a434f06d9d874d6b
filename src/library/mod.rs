//! Audio files: which there are, and what is in them.
//!
//! `catalogue` is the list of all files in the folders that are served, with what is known of each; `facts` reads
//! that from the files themselves, and `chimes` makes the first few. A `reader` has an open file chunk by chunk; a
//! `recording` is a file for whoever lets it be heard. What is in files comes from outside: `reading` has that done by a
//! child process, in which alone `facts` and `decoding` work.

mod catalogue;
mod chimes;
mod decoding;
mod facts;
#[doc(hidden)]
pub mod fuzzing;
mod inside;
mod reader;
mod reading;
mod recording;
mod wav;

pub use catalogue::{Catalogue, CatalogueStats, FileFacts, FileId, Folder, Listed, OpenError, OpenFile, ReadError};
pub use facts::{Cover, FileKind, NoAudio};
pub use reader::Reader;
pub use reading::{Playback, read_by, run_if_asked};
pub use recording::Recording;
