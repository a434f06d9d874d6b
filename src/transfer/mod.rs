//! Files on their way to clients, over data channels.
//!
//! A [`Transfer`] is what one client is sent, decided without any I/O (`state`): what is said about it in both directions
//! is in `messages`, and what follows a file in `playlist`. The [`FileServer`] does what transfers ask for: it reads
//! chunks, and writes them to the clients' channels as fast as these take them; `places` is how many clients there may
//! be. Files are the library's business, and channels the engine's.

mod file_server;
mod messages;
mod places;
mod playlist;
mod state;

pub use file_server::FileServer;
pub use messages::TransferError;
pub use places::{ClientRefused, FileServerLimits, FileServerStats};
pub use state::{CHUNK_BYTES, Effect, Transfer};
