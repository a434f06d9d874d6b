//! Entities over an MQTT broker: made known by Home Assistant's discovery, shown by retained messages, used by commands.
//!
//! `discovery` is what makes them known, `payload` what they show and are told, and `session` one connection. Whatever
//! the broker or Home Assistant have forgotten is told again: on every connection of ours, and when Home Assistant has
//! started.

mod discovery;
mod payload;
mod session;

pub(super) use session::{Ended, Session, SessionParts};
