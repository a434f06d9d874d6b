//! Voice Relay.
pub mod domain;
