//! What Home Assistant's registries say of its players: of which kind each is, and in which area.

use std::collections::HashMap;

use crate::players::PlayerKind;

use super::messages::{AreaEntry, DeviceEntry, EntityEntry};
use super::own::{EntityId, OwnIds};

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

/// An entity that is ours.
#[derive(Debug, Clone)]
pub(super) struct OwnEntity {
    pub(super) id: EntityId,
    /// Where somebody has put it.
    pub(super) area: Option<Area>,
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

    /// Entities of ours, by their names.
    pub(super) fn own_entities(&self) -> HashMap<String, OwnEntity> {
        let entry = |entry: &EntityEntry| {
            let id = self.own.as_ref()?.entity(&entry.platform, entry.unique_id.as_deref()?)?;
            Some((entry.entity_id.clone(), OwnEntity { id, area: self.area_of(entry) }))
        };
        self.entities.values().filter_map(entry).collect()
    }

    /// The player, if something can be announced on this entity. A room of ours is none: it is announced in directly.
    pub(super) fn player(&self, entity: &str) -> Option<DirectoryPlayer> {
        if !["media_player.", "assist_satellite."].iter().any(|domain| entity.starts_with(domain)) {
            return None;
        }
        let entry = self.entities.get(entity);
        if entry.is_some_and(|entry| entry.disabled_by.is_some() || self.is_own(entry)) {
            return None;
        }
        let kind = PlayerKind::of(entity, entry.map_or("", |entry| &entry.platform))?;
        let area = entry.and_then(|entry| self.area_of(entry));
        let device = entry.and_then(|entry| entry.device_id.clone());
        Some(DirectoryPlayer { entity: entity.to_owned(), kind, area, device })
    }

    fn is_own(&self, entry: &EntityEntry) -> bool {
        let known = self.own.as_ref().zip(entry.unique_id.as_ref());
        known.is_some_and(|(own, id)| own.entity(&entry.platform, id).is_some())
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
