//! What Home Assistant's registries say of its players: of which kind each is, and in which area.

use std::collections::HashMap;

use crate::players::PlayerKind;

use super::messages::{AreaEntry, DeviceEntry, EntityEntry};

/// What the registries say, to be looked up.
pub(super) struct Directory {
    entities: HashMap<String, EntityEntry>,
    devices: HashMap<String, DeviceEntry>,
    areas: HashMap<String, String>,
}

impl Directory {
    pub(super) fn new(entities: Vec<EntityEntry>, devices: Vec<DeviceEntry>, areas: Vec<AreaEntry>) -> Self {
        Self {
            entities: entities.into_iter().map(|entry| (entry.entity_id.clone(), entry)).collect(),
            devices: devices.into_iter().map(|device| (device.id.clone(), device)).collect(),
            areas: areas.into_iter().map(|area| (area.area_id, area.name)).collect(),
        }
    }

    /// A player on which something can be announced: its entity, kind and area.
    pub(super) fn player(&self, entity: &str) -> Option<(String, PlayerKind, Option<String>)> {
        if !["media_player.", "assist_satellite."].iter().any(|domain| entity.starts_with(domain)) {
            return None;
        }
        let entry = self.entities.get(entity);
        if entry.is_some_and(|entry| entry.disabled_by.is_some()) {
            return None;
        }
        let kind = PlayerKind::of(entity, entry.map_or("", |entry| &entry.platform))?;
        Some((entity.to_owned(), kind, entry.and_then(|entry| self.area_of(entry))))
    }

    /// Its own area, or that of its device, or of what that is a part of.
    fn area_of(&self, entry: &EntityEntry) -> Option<String> {
        let device = entry.device_id.as_ref().and_then(|id| self.devices.get(id));
        let parent = device.and_then(|device| device.parent_device_id.as_ref()).and_then(|id| self.devices.get(id));
        let areas = [
            entry.area_id.as_ref(),
            device.and_then(|it| it.area_id.as_ref()),
            parent.and_then(|it| it.area_id.as_ref()),
        ];
        areas.into_iter().flatten().find_map(|area| self.areas.get(area)).cloned()
    }
}
