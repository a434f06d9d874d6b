//! Taps: packets for whoever decodes them.

use super::{Delivery, Port};
use crate::core::Event;

/// Port that tells of each packet as [`Event::Tapped`].
pub(in crate::core) struct Tap;

impl Port for Tap {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Option<Event> {
        Some(Event::Tapped(delivery.stream.id, delivery.opus()))
    }
}
