//! What Home Assistant is told of the entities of a place: one retained message on its discovery topic (device discovery,
//! Home Assistant 2024.11 or later), and the topics of each entity.
//!
//! It throws a message away in which it does not know a key at the root, and a device whose components share an id, so
//! nothing is written here that it was not seen to take.

use serde_json::{Map, Value, json};

use crate::entities::house::Place;
use crate::entities::table::{Kind, ROWS, Row, TONES};
use crate::hass::{OwnIds, ROOT};
use crate::rooms::HOME;

use super::payload::{has_details, is_command, is_state};

/// What Home Assistant tells when it has started.
pub(super) const BIRTH_TOPIC: &str = "homeassistant/status";

/// The topics of one relay.
#[derive(Debug, Clone)]
pub(super) struct Topics(OwnIds);

impl Topics {
    /// Those of the relay of this instance.
    pub(super) fn new(instance: &str) -> Self {
        Self(OwnIds::new(instance))
    }

    /// Whether the relay is there.
    pub(super) fn status(&self) -> String {
        format!("{ROOT}/{}/status", self.0.instance())
    }

    /// The discovery message of a place.
    pub(super) fn config(&self, place: &Place) -> String {
        format!("homeassistant/device/{}/config", self.device(place))
    }

    /// What an entity shows.
    pub(super) fn state(&self, place: &Place, key: &str) -> String {
        match place {
            Place::House => format!("{ROOT}/{}/house/{key}", self.0.instance()),
            Place::Room(room) => format!("{ROOT}/{}/room/{room}/{key}", self.0.instance()),
        }
    }

    /// What else is known of what it shows.
    pub(super) fn details(&self, place: &Place, key: &str) -> String {
        self.state(place, key) + "/details"
    }

    /// What it is to do.
    pub(super) fn command(&self, place: &Place, key: &str) -> String {
        self.state(place, key) + "/set"
    }

    /// All of them.
    pub(super) fn commands(&self) -> [String; 2] {
        [Place::House, Place::Room("+".into())].map(|place| self.command(&place, "+"))
    }

    /// The place and the entity whose command comes on this topic.
    pub(super) fn commanded<'a>(&self, topic: &'a str) -> Option<(Place, &'a str)> {
        let own = topic.strip_prefix(ROOT)?.strip_prefix('/')?.strip_prefix(self.0.instance())?.strip_prefix('/')?;
        match *own.strip_suffix("/set")?.split('/').collect::<Vec<_>>() {
            ["house", key] => Some((Place::House, key)),
            ["room", room, key] => Some((Place::Room(room.to_owned()), key)),
            _ => None,
        }
    }

    /// By which Home Assistant knows an entity, whatever it is called there.
    pub(super) fn entity(&self, place: &Place, key: &str) -> String {
        self.0.mqtt_entity(place.room(), key)
    }

    /// The device that a place is.
    fn device(&self, place: &Place) -> String {
        self.0.mqtt_device(place.room())
    }
}

/// The discovery message of a place of this name.
pub(super) fn discovery(topics: &Topics, place: &Place, name: &str) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let components: Map<_, _> = ROWS.iter().map(|row| (row.key.into(), component(topics, place, row))).collect();
    let mut device = json!({ "ids": [topics.device(place)], "mf": "Voice Relay", "sw": version });
    match place {
        Place::House => {
            device["name"] = "Voice Relay".into();
            device["mdl"] = "House".into();
        }
        Place::Room(room) => {
            device["name"] = format!("Voice Relay {name}").into();
            device["mdl"] = "Room".into();
            device["via_device"] = topics.device(&Place::House).into();
            // The room of those who name none is the whole house: no area of it.
            if room != HOME {
                device["sa"] = name.into();
            }
        }
    }
    json!({
        "dev": device,
        "o": { "name": "voice-relay", "sw": version },
        "avty": [{ "t": topics.status() }],
        "qos": 1,
        "cmps": components,
    })
}

fn component(topics: &Topics, place: &Place, row: &Row) -> Value {
    let (platform, own) = match &row.kind {
        Kind::Binary { class, .. } => ("binary_sensor", json!({ "dev_cla": class })),
        Kind::Count { unit, .. } => ("sensor", json!({ "unit_of_meas": unit, "stat_cla": "measurement" })),
        Kind::Notify(_) => ("notify", json!({})),
        Kind::Siren { .. } => ("siren", json!({ "av_tones": TONES, "sup_dur": false })),
        Kind::Percentage { range, .. } => {
            ("number", json!({ "min": range.start(), "max": range.end(), "unit_of_meas": "%", "mode": "slider" }))
        }
        Kind::Switch { .. } => ("switch", json!({})),
        Kind::Button(_) => ("button", json!({})),
        Kind::Select { options, .. } => ("select", json!({ "ops": options })),
        Kind::Event(kinds) => ("event", json!({ "evt_typ": kinds })),
        Kind::Text(_) => ("sensor", json!({})),
    };
    let mut component = json!({
        "p": platform,
        "unique_id": topics.entity(place, row.key),
        "def_ent_id": default_entity(place, platform, row.key),
        "name": row.name,
        "ic": row.icon,
    });
    if is_state(&row.kind) {
        component["stat_t"] = topics.state(place, row.key).into();
    }
    if has_details(&row.kind) {
        component["json_attr_t"] = topics.details(place, row.key).into();
    }
    if is_command(&row.kind) {
        component["cmd_t"] = topics.command(place, row.key).into();
    }
    component.as_object_mut().expect("made as one").extend(own.as_object().cloned().unwrap_or_default());
    component
}

/// Home Assistant would begin it with the area otherwise, or not, by its version.
fn default_entity(place: &Place, platform: &str, key: &str) -> String {
    match place {
        Place::House => format!("{platform}.{ROOT}_{key}"),
        Place::Room(room) => format!("{platform}.{ROOT}_{}_{key}", room.replace('-', "_")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_message_of_a_room_is_as_home_assistant_was_seen_to_take_it() {
        let topics = Topics::new("ab12cd34");
        let message = discovery(&topics, &Place::Room("living-room".into()), "Living room");
        let golden: Value = serde_json::from_str(include_str!("room.golden.json")).expect("JSON");
        let version = env!("CARGO_PKG_VERSION");
        let text = golden.to_string().replace("$VERSION", version);
        assert_eq!(message, serde_json::from_str::<Value>(&text).expect("JSON"), "{message:#}");
    }

    #[test]
    fn a_message_has_nothing_for_which_home_assistant_throws_it_away() {
        let topics = Topics::new("ab12cd34");
        let mut ids = HashSet::new();
        for (place, name) in
            [(Place::House, ""), (Place::Room("home".into()), "Home"), (Place::Room("kueche".into()), "Küche")]
        {
            let message = discovery(&topics, &place, name);
            let known = ["dev", "o", "avty", "qos", "cmps"];
            assert!(message.as_object().expect("one").keys().all(|key| known.contains(&&**key)));
            let topic = topics.config(&place);
            let node = topic.split('/').nth(2).expect("a node");
            assert!(node.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_-".contains(&letter)), "{node}");
            for (key, component) in message["cmps"].as_object().expect("components") {
                assert!(ids.insert(component["unique_id"].to_string()), "{key} of {place:?} twice");
                let entity = component["def_ent_id"].as_str().expect("an entity");
                assert!(entity.starts_with(component["p"].as_str().expect("a platform")), "{entity}");
                assert!(component.get("stat_t").or(component.get("cmd_t")).is_some(), "{key} does nothing");
            }
        }
        assert!(discovery(&topics, &Place::Room("home".into()), "Home")["dev"].get("sa").is_none());
    }

    #[test]
    fn a_command_is_found_by_its_topic() {
        let topics = Topics::new("ab12cd34");
        for place in [Place::House, Place::Room("kitchen".into())] {
            assert_eq!(topics.commanded(&topics.command(&place, "stop")), Some((place, "stop")));
        }
        for other in [
            "voice_relay/ab12cd34/room/kitchen/stop",
            "voice_relay/other/house/stop/set",
            "voice_relay/ab12cd345/house/stop/set",
            "voice_relay/ab12cd34/room/set",
            "voice_relay/ab12cd34/house/a/b/set",
            "homeassistant/status",
            "",
        ] {
            assert_eq!(topics.commanded(other), None, "{other}");
        }
    }
}
