//! Audio files: which there are, and how they come to clients over a data channel.
//!
//! `catalogue` is the list of all files in the folders that are served, with what is known of each; `facts` reads
//! that from the files themselves, and `chimes` makes the first few. A `transfer` is what one client is sent, decided
//! without any I/O; its `courier` reads the chunks and writes them to the client's channel, as fast as that takes
//! them. What a data channel is made of is the relay's business. `play` is what is in a file as samples, for whoever
//! lets it be heard.

mod catalogue;
mod chimes;
mod courier;
mod facts;
#[doc(hidden)]
pub mod fuzzing;
mod inside;
mod play;
mod reader;
mod transfer;
mod wav;

pub use catalogue::{Catalogue, CatalogueStats, Facts, FileId, Folder, Listed, OpenError};
pub use courier::{Courier, CourierLimits, CourierStats, Refused};
pub use facts::{Cover, Kind, NoAudio};
pub use play::{Playing, Recording};
pub use reader::{OpenFile, Reader};
pub use transfer::{Act, CHUNK_BYTES, Transfer, Trouble};
