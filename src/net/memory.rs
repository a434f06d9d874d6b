//! Memory that is free again goes back to the system: a handshake needs more, for a moment, than the connection keeps,
//! and an allocator holds on to that, scattered among what is kept.
#![allow(unsafe_code)] // One call, below.

/// Gives back what is free. Takes a millisecond or so for a thousand connections; other threads wait for it when they
/// ask for memory meanwhile.
pub fn give_back_memory() {
    // SAFETY: malloc_trim(3) may be called by any thread at any time; zero keeps nothing in reserve.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}
