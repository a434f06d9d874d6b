//! See `voice_relay_fuzz::video`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| voice_relay_fuzz::video(data));
