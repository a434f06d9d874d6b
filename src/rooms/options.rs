//! What may be chosen of a room, whoever is there: each is as it was chosen, also after a restart (`kept`).

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::domain::RoomId;

use super::Rooms;

/// What is chosen of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoomOptions {
    /// Whether those who listen hear a tone when somebody begins to talk in the quiet room, and when they end.
    pub talk_tones: bool,
    /// Whether one talks at a time: an open loudspeaker beside an open microphone would be heard again otherwise.
    pub half_duplex: bool,
    /// Whether devices there may answer by themselves when the room is called.
    pub drop_in: bool,
}

impl Default for RoomOptions {
    fn default() -> Self {
        Self { talk_tones: true, half_duplex: false, drop_in: false }
    }
}

/// What is chosen otherwise; of all else nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoomOptionsChange {
    talk_tones: Option<bool>,
    half_duplex: Option<bool>,
    drop_in: Option<bool>,
}

impl RoomOptions {
    fn changed(self, change: RoomOptionsChange) -> Self {
        Self {
            talk_tones: change.talk_tones.unwrap_or(self.talk_tones),
            half_duplex: change.half_duplex.unwrap_or(self.half_duplex),
            drop_in: change.drop_in.unwrap_or(self.drop_in),
        }
    }
}

impl Rooms {
    /// What is chosen of a room.
    pub fn options(&self, id: RoomId) -> Option<RoomOptions> {
        self.rooms.get(&id).map(|room| room.options)
    }

    /// Chooses otherwise; everybody there is told. Gives what is chosen then, or nothing where there is no such room.
    pub fn set_options(&mut self, now: Instant, id: RoomId, change: RoomOptionsChange) -> Option<RoomOptions> {
        let room = self.rooms.get_mut(&id)?;
        let options = room.options.changed(change);
        if std::mem::replace(&mut room.options, options) != options {
            if !options.half_duplex {
                self.release_room(id, None);
            }
            self.tell_room(id);
            self.note_list(now);
        }
        Some(options)
    }

    /// What is chosen of the rooms that are there after a restart, where it is not the usual.
    pub fn chosen_options(&self) -> BTreeMap<String, RoomOptions> {
        let lasting = self.rooms.values().filter(|room| room.permanent && room.options != RoomOptions::default());
        lasting.map(|room| (room.slug.clone(), room.options)).collect()
    }

    /// What was chosen, by the ids of rooms; of those as well that are opened later under one of them, as rooms of stations are.
    pub fn restore_options(&mut self, chosen: BTreeMap<String, RoomOptions>) {
        for room in self.rooms.values_mut() {
            room.options = chosen.get(&room.slug).copied().unwrap_or_default();
        }
        self.kept_options = chosen;
    }
}
