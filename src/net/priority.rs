//! The media thread goes before others: it works for microseconds at a time, and somebody waits for each.
#![allow(unsafe_code)] // One call, below.

/// As audio servers do without real-time rights: before ordinary threads, behind the kernel's own.
const NICE: libc::c_int = -10;

/// Raises the calling thread. Without the right to do so everything works, a little later under load.
pub(super) fn raise() {
    // SAFETY: the call takes plain numbers; zero is the calling thread (setpriority(2), "C library/kernel differences").
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
    if result != 0 {
        let error = std::io::Error::last_os_error();
        tracing::debug!(%error, "the media thread keeps its ordinary priority");
    }
}
