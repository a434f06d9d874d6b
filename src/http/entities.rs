//! What is counted of Home Assistant's entities, for `/metrics`.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::entities::EntitiesStats;

use super::exposition::Exposition;

pub(super) fn encode(page: &mut Exposition<'_>, stats: &EntitiesStats) -> fmt::Result {
    let EntitiesStats { connected, told, obeyed, refused, node_connections } = stats;
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    page.gauge("mqtt_connected", "Whether there is an MQTT broker", connected.load(Ordering::Relaxed).into())?;
    page.gauge("esphome_connections", "Connections of Home Assistant to our ESPHome node", load(node_connections))?;
    page.counter("mqtt_messages", "Messages that the broker was told", load(told))?;
    page.counter("entity_commands", "Commands of Home Assistant's entities that were obeyed", load(obeyed))?;
    page.counter("entity_commands_refused", "Commands of entities that were not", load(refused))
}
