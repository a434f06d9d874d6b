//! What other processes, and our own thread, have used: `/proc` says.

use std::fs::read_to_string;

/// The kernel counts CPU time for `/proc` in hundredths of a second, on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds of all threads of this process, or of the calling thread (`thread-self`).
pub(crate) fn cpu_seconds(process: &str) -> f64 {
    let stat = read_to_string(format!("/proc/{process}/stat")).expect("a process that lives");
    // The name, in parentheses, may have blanks in it.
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let ticks = |index| -> f64 { fields.split(' ').nth(index).and_then(|field| field.parse().ok()).expect("ticks") };
    let (user, system) = (ticks(11), ticks(12));
    (user + system) / TICKS_PER_SECOND
}

/// Memory that the process has filled itself, in KB: no files, no shared libraries.
pub(crate) fn memory(process: &str) -> f64 {
    let status = read_to_string(format!("/proc/{process}/status")).expect("a process that lives");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
