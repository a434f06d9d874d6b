//! See `voice_relay_fuzz::files`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    // The readers of audio files do panic over some, where overflows are checked; the daemon catches that, and it
    // costs the file alone. What is looked for here is what is not caught: memory, time, and promises of our own.
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| voice_relay_fuzz::files(data)
);
