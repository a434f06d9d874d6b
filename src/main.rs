//! Voice Relay daemon.
fn main() {}
