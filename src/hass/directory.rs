//! What Home Assistant's registries say of its players: of which kind each is, and in which area.

use std::collections::HashMap;

use crate::players::PlayerKind;

use super::messages::{AreaEntry, DeviceEntry, EntityEntry};
use super::own::OwnIds;

/// A part of the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// As programs know it.
    pub id: String,
    /// As people do.
    pub name: String,
}

impl Area {
    /// Whether somebody means this one: by its id, or by its name in any case.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.name.to_lowercase() == name.to_lowercase()
    }
}

/// A player on which something can be announced.
pub(super) struct DirectoryPlayer {
    pub(super) entity: String,
    pub(super) kind: PlayerKind,
    pub(super) area: Option<Area>,
    pub(super) device: Option<String>,
}

/// What the registries say, to be looked up.
pub(super) struct Directory {
    /// What is ours there, where that is known.
    own: Option<OwnIds>,
    entities: HashMap<String, EntityEntry>,
    devices: HashMap<String, DeviceEntry>,
    areas: HashMap<String, String>,
}

impl Directory {
    pub(super) fn new(
        own: Option<OwnIds>,
        entities: Vec<EntityEntry>,
        devices: Vec<DeviceEntry>,
        areas: Vec<AreaEntry>,
    ) -> Self {
        Self {
            own,
            entities: entities.into_iter().map(|entry| (entry.entity_id.clone(), entry)).collect(),
            devices: devices.into_iter().map(|device| (device.id.clone(), device)).collect(),
            areas: areas.into_iter().map(|area| (area.area_id, area.name)).collect(),
        }
    }

    /// Entities of ours, by integration and id there, and the area in which somebody has put each.
    pub(super) fn own_areas(&self) -> HashMap<(String, String), Area> {
        let Some(own) = &self.own else { return HashMap::new() };
        let begin = [own.mac(), own.mqtt_device(None)];
        let is_own = |id: &String| begin.iter().any(|begin| id.starts_with(begin));
        let placed = self.entities.values().filter_map(|entry| {
            let id = entry.unique_id.clone().filter(is_own)?;
            Some(((entry.platform.clone(), id), self.area_of(entry)?))
        });
        placed.collect()
    }

    /// The player, if something can be announced on this entity. A room of ours is none: it is announced in directly.
    pub(super) fn player(&self, entity: &str) -> Option<DirectoryPlayer> {
        if !["media_player.", "assist_satellite."].iter().any(|domain| entity.starts_with(domain)) {
            return None;
        }
        let entry = self.entities.get(entity);
        let is_own = |entry: &EntityEntry| {
            let (own, id) = self.own.as_ref().zip(entry.unique_id.as_ref())?;
            Some(own.is_speaker(&entry.platform, id))
        };
        if entry.is_some_and(|entry| entry.disabled_by.is_some() || is_own(entry) == Some(true)) {
            return None;
        }
        let kind = PlayerKind::of(entity, entry.map_or("", |entry| &entry.platform))?;
        let area = entry.and_then(|entry| self.area_of(entry));
        let device = entry.and_then(|entry| entry.device_id.clone());
        Some(DirectoryPlayer { entity: entity.to_owned(), kind, area, device })
    }

    /// Its own area, or that of its device, or of what that is a part of.
    fn area_of(&self, entry: &EntityEntry) -> Option<Area> {
        let device = entry.device_id.as_ref().and_then(|id| self.devices.get(id));
        let parent = device.and_then(|device| device.parent_device_id.as_ref()).and_then(|id| self.devices.get(id));
        let areas = [
            entry.area_id.as_ref(),
            device.and_then(|it| it.area_id.as_ref()),
            parent.and_then(|it| it.area_id.as_ref()),
        ];
        let known = |id: &String| Some(Area { id: id.clone(), name: self.areas.get(id)?.clone() });
        areas.into_iter().flatten().find_map(known)
    }
}
