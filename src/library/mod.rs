//! Audio files: which there are, and how they come to clients over a data channel.
//!
//! `catalogue` is the list of all files in the folders that are served, with what is known of each; `facts` reads
//! that from the files themselves, and `chimes` makes the first few. A `transfer` is what one client is sent, decided
//! without any I/O; its `file_server` reads the chunks and writes them to the client's channel, as fast as that takes
//! them. What a data channel is made of is the relay's business. A `recording` is a file for whoever lets it be heard.
//! What is in files comes from outside: `reading` has that done by a child process, in which alone `facts` and
//! `decoding` work.

mod catalogue;
mod chimes;
mod decoding;
mod facts;
mod file_server;
#[doc(hidden)]
pub mod fuzzing;
mod inside;
mod reader;
mod reading;
mod recording;
mod transfer;
mod wav;

pub use catalogue::{Catalogue, CatalogueStats, Facts, FileId, Folder, Listed, OpenError};
pub use facts::{Cover, Kind, NoAudio};
pub use file_server::{FileServer, FileServerLimits, FileServerStats, Refused};
pub use reader::{OpenFile, Reader};
pub use reading::{Playing, read_by, run_if_asked};
pub use recording::Recording;
pub use transfer::{CHUNK_BYTES, Effect, Transfer, TransferError};
