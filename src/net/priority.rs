//! The thread of voices goes before others: it works for microseconds at a time, and somebody waits for each. The one
//! of files goes behind them: it has always more to send.
#![allow(unsafe_code)] // One call, below.

/// As audio servers do without real-time rights: before ordinary threads, behind the kernel's own.
const NICE: libc::c_int = -10;

/// Behind ordinary threads; everybody has the right to go there.
const PATIENT: libc::c_int = 5;

/// Raises the calling thread. Without the right to do so everything works, a little later under load.
pub fn raise() {
    set(NICE);
}

/// Lowers the calling thread: also where none may be raised, those of files and voices are told apart.
pub(super) fn lower() {
    set(PATIENT);
}

fn set(nice: libc::c_int) {
    // SAFETY: the call takes plain numbers; zero is the calling thread (setpriority(2), "C library/kernel differences").
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    if result != 0 {
        let error = std::io::Error::last_os_error();
        tracing::debug!(%error, nice, "a media thread keeps its ordinary priority");
    }
}
