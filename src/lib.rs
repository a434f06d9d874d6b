//! Voice Relay.
pub mod domain;
pub mod relay;
