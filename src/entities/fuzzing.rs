//! A door for `fuzz/` alone: the readers of what brokers and Home Assistant write.

use super::esphome::fuzzing;
use super::house::Place;
use super::mqtt;
use super::table::ROWS;

/// How many messages a node of ESPHome's protocol finds in this, one connection long. What it answers is whole, and where a
/// key is to be shown it finds none.
pub fn esphome(bytes: &[u8]) -> usize {
    let places = [(Place::House, String::new()), (Place::Room("kitchen".into()), "Kitchen".into())];
    fuzzing::unauthenticated(bytes);
    fuzzing::conversation(bytes, places.into())
}

/// How many entities do something when they are told this by a broker, on a topic of this end.
pub fn mqtt(topic: &str, payload: &[u8]) -> usize {
    ROWS.iter().filter(|row| mqtt::fuzzing::obeys(topic, row, payload)).count()
}
