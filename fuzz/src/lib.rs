//! One function for each target of the fuzzer: it takes any bytes whatsoever, and comes back. A panic is a finding,
//! also one that the daemon itself would have caught, and so is a promise that was not kept.
//!
//! `fuzz_targets/` feeds them from libFuzzer; `tests/fuzz_corpus.rs` feeds them from the kept corpus, in every run of
//! the tests.

use std::time::Instant;

mod authorization;
mod configuration;
mod descriptions;
mod files;
mod gate;
mod house;
mod http;
mod players;
mod playout;
mod relay;
mod tokens;
mod transfers;

pub use authorization::authorization;
pub use configuration::configuration;
pub use descriptions::descriptions;
pub use files::files;
pub use gate::gate;
pub use http::http;
pub use players::{fragments, ranges, wishes};
pub use playout::playout;
pub use relay::relay;
pub use tokens::tokens;
pub use transfers::transfers;

/// What Home Assistant and a broker say to entities: to the node of ESPHome's protocol, or on a topic and after a line's end.
pub fn entities(data: &[u8]) {
    voice_relay::entities::fuzzing::esphome(data);
    if let Some(end) = data.iter().position(|byte| *byte == b'\n') {
        voice_relay::entities::fuzzing::mqtt(&String::from_utf8_lossy(&data[..end]), &data[end + 1..]);
    }
}

/// Video: a payload of any codec, one slot that is switched between layers, and people who show and look.
pub fn video(data: &[u8]) {
    voice_relay::core::fuzzing::payload(data);
    voice_relay::core::fuzzing::switches(data, Instant::now());
}

/// People who come, show, look and go, over ways that do anything.
pub fn viewers(data: &[u8]) {
    voice_relay::core::fuzzing::people(data, Instant::now());
}

/// A client's signalling message.
pub fn messages(data: &[u8]) {
    voice_relay::http::fuzzing::is_message(&String::from_utf8_lossy(data));
}
