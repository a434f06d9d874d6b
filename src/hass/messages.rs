//! What Home Assistant's core says over its WebSocket, as far as we read it. Every field may be missing: versions differ.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A message of the core.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Incoming {
    AuthRequired,
    AuthOk {
        #[serde(default)]
        ha_version: String,
    },
    AuthInvalid {
        #[serde(default)]
        message: String,
    },
    Result {
        id: u64,
        success: bool,
        #[serde(default)]
        result: Value,
        error: Option<Refusal>,
    },
    Event {
        id: u64,
        event: Value,
    },
    Pong,
    #[serde(other)]
    Other,
}

/// Why something was refused.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

/// Something that has happened in Home Assistant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CoreEvent {
    /// Its type.
    pub event_type: String,
    /// What it says.
    #[serde(default)]
    pub data: Value,
    /// Who caused it.
    #[serde(default)]
    pub context: Context,
}

/// Who caused something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// A user of Home Assistant; `None`: a device or an automation.
    pub user: Option<String>,
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // In short it is its id alone, and nobody's.
        let user = match Value::deserialize(deserializer)? {
            Value::Object(fields) => fields.get("user_id").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        Ok(Self { user })
    }
}

/// What is new of entities.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct EntityChanges {
    /// Those that are told for the first time, as they are.
    #[serde(rename = "a", default)]
    pub added: BTreeMap<String, EntityState>,
    /// What is different of others.
    #[serde(rename = "c", default)]
    pub changed: BTreeMap<String, EntityDifference>,
    /// Those that are there no more.
    #[serde(rename = "r", default)]
    pub removed: Vec<String>,
}

/// An entity as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct EntityState {
    /// Its state.
    #[serde(rename = "s", default)]
    pub state: String,
    /// And the attributes.
    #[serde(rename = "a", default)]
    pub attributes: Map<String, Value>,
    /// Who made it so.
    #[serde(rename = "c", default)]
    pub context: Context,
}

/// What is different of an entity.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct EntityDifference {
    #[serde(rename = "+", default)]
    more: PartialState,
    #[serde(rename = "-", default)]
    less: RemovedParts,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
struct PartialState {
    s: Option<String>,
    #[serde(default)]
    a: Map<String, Value>,
    c: Option<Context>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
struct RemovedParts {
    #[serde(default)]
    a: Vec<String>,
}

impl EntityState {
    /// As it is with this difference.
    pub fn apply(&mut self, EntityDifference { more, less }: EntityDifference) {
        self.state = more.s.unwrap_or_else(|| std::mem::take(&mut self.state));
        self.context = more.c.unwrap_or_default();
        for name in less.a {
            self.attributes.remove(&name);
        }
        self.attributes.extend(more.a);
    }
}

/// An entry of the registry of entities.
#[derive(Debug, Deserialize)]
pub(super) struct EntityEntry {
    pub(super) entity_id: String,
    #[serde(default)]
    pub(super) platform: String,
    /// What the integration calls it; some have numbers, which are of none of ours.
    #[serde(default, deserialize_with = "text")]
    pub(super) unique_id: Option<String>,
    #[serde(default)]
    pub(super) area_id: Option<String>,
    #[serde(default)]
    pub(super) device_id: Option<String>,
    #[serde(default)]
    pub(super) disabled_by: Option<String>,
}

fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().map(str::to_owned))
}

/// An entry of the registry of devices.
#[derive(Debug, Deserialize)]
pub(super) struct DeviceEntry {
    pub(super) id: String,
    #[serde(default)]
    pub(super) area_id: Option<String>,
    #[serde(default)]
    pub(super) parent_device_id: Option<String>,
}

/// An entry of the registry of areas.
#[derive(Debug, Deserialize)]
pub(super) struct AreaEntry {
    pub(super) area_id: String,
    #[serde(default)]
    pub(super) name: String,
}

/// The people of the house, by where they were entered.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PersonEntries {
    #[serde(default)]
    pub(super) storage: Vec<PersonEntry>,
    #[serde(default)]
    pub(super) config: Vec<PersonEntry>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PersonEntry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) user_id: Option<String>,
    /// Path of a picture.
    #[serde(default)]
    pub(super) picture: Option<String>,
}

/// Somebody who can log in.
#[derive(Debug, Deserialize)]
pub(super) struct UserEntry {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// What makes speech of text.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SpeechEngines {
    #[serde(default)]
    pub(super) providers: Vec<SpeechEngine>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SpeechEngine {
    pub(super) engine_id: String,
    /// Only those that are no entities have one.
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) deprecated: bool,
}

/// Something of the core's that can be played, as an address.
#[derive(Debug, Deserialize)]
pub(super) struct ResolvedMedia {
    pub(super) url: String,
}

/// Who we are, as Home Assistant knows us.
#[derive(Debug, Deserialize)]
pub(super) struct CurrentUser {
    pub(super) id: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_make_of_a_state_the_next_one() {
        let first = json!({"a": {"media_player.kitchen": {
            "s": "playing", "a": {"volume_level": 0.3, "media_content_id": "x"}, "c": "01ABC", "lc": 1.5
        }}});
        let changes: EntityChanges = serde_json::from_value(first).expect("readable");
        let mut state = changes.added["media_player.kitchen"].clone();
        assert_eq!((&*state.state, state.context.user.as_deref()), ("playing", None));
        let then = json!({"c": {"media_player.kitchen": {
            "+": {"s": "idle", "a": {"volume_level": 0.5}, "c": {"id": "02", "parent_id": null, "user_id": "anna"}},
            "-": {"a": ["media_content_id"]}
        }}});
        let mut changes: EntityChanges = serde_json::from_value(then).expect("readable");
        state.apply(changes.changed.remove("media_player.kitchen").expect("there"));
        assert_eq!((&*state.state, state.context.user.as_deref()), ("idle", Some("anna")));
        assert_eq!(Value::Object(state.attributes), json!({"volume_level": 0.5}));
    }

    #[test]
    fn what_a_version_adds_is_passed_over() {
        let message = json!({"type": "something_new", "id": 3, "more": {}});
        assert!(matches!(serde_json::from_value(message), Ok(Incoming::Other)));
        let device = json!({"id": "d1", "parent_device_id": "d0", "identifiers": [["x", "y"]]});
        assert!(serde_json::from_value::<DeviceEntry>(device).is_ok());
        for unique_id in [json!(17), json!(null), json!(["x"])] {
            let entity = json!({"entity_id": "light.hall", "platform": "x", "unique_id": unique_id});
            assert_eq!(serde_json::from_value::<EntityEntry>(entity).expect("readable").unique_id, None);
        }
    }
}
