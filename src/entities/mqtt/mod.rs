//! Entities over an MQTT broker: made known by Home Assistant's discovery, shown by retained messages, used by commands.
//!
//! `discovery` is what makes them known, `payload` what they show and are told, and `session` one connection. Whatever
//! the broker or Home Assistant have forgotten is told again: on every connection of ours, and when Home Assistant has
//! started.

mod discovery;
mod payload;
mod session;

/// For `fuzz/` alone.
pub(super) mod fuzzing {
    use super::{discovery::Topics, payload};
    use crate::entities::table::Row;

    /// Whether an entity does something when it is told this, on a topic that ends so.
    pub(in crate::entities) fn obeys(topic: &str, row: &Row, payload: &[u8]) -> bool {
        let topics = Topics::new("ab12cd34");
        let topic = format!("voice_relay/ab12cd34/{topic}");
        topics.commanded(&topic).is_some() && payload::command(&row.kind, payload).is_ok()
    }
}

pub(super) use session::{Ended, Session, SessionParts};
