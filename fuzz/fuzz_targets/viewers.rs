//! See `voice_relay_fuzz::viewers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| voice_relay_fuzz::viewers(data));
