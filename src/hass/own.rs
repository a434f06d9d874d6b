//! What Home Assistant calls that which is ours: the devices of rooms, and their entities. By it, it is known which of its entities
//! are the relay's own, and in which area somebody has put a room.

/// What begins the ids of whatever comes by a broker, and its topics.
pub const ROOT: &str = "voice_relay";

/// The player of a room, in ESPHome's words.
pub const SPEAKER: &str = "Speaker";

/// An entity of ours, as the integration by which it comes calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityId {
    /// By a broker.
    Mqtt(String),
    /// By the node of ESPHome's protocol.
    EspHome(String),
}

/// The ids of one relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnIds {
    instance: String,
}

impl OwnIds {
    /// Those of this relay: eight hexadecimal digits tell it from others at the same Home Assistant.
    pub fn new(instance: &str) -> Self {
        Self { instance: instance.to_owned() }
    }

    /// What tells this relay from others.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The device of a room that comes by a broker; of the whole house without one.
    pub fn mqtt_device(&self, room: Option<&str>) -> String {
        // The ids of rooms have no underscores, so that no two rooms have one name here.
        let room = room.map(|room| format!("_{}", room.replace('-', "_"))).unwrap_or_default();
        format!("{ROOT}_{}{room}", self.instance)
    }

    /// An entity that comes by a broker.
    pub fn mqtt_entity(&self, room: Option<&str>, key: &str) -> String {
        format!("{}_{key}", self.mqtt_device(room))
    }

    /// The node's address, which no card has, since it is said to be given locally; by it Home Assistant knows the node again.
    pub fn mac(&self) -> String {
        let digits: Vec<_> = self.instance.bytes().map(char::from).take(8).collect();
        let pairs: Vec<_> = digits.chunks(2).map(String::from_iter).collect();
        format!("02:56:{}", pairs.join(":")).to_uppercase()
    }

    /// The device of a room within the node, the same for ever; of the whole house without one, which is the node.
    pub fn node_device(room: Option<&str>) -> u32 {
        let Some(room) = room else { return 0 };
        // FNV-1a, and never the house.
        let fold = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        room.bytes().fold(0x811c_9dc5, fold).max(1)
    }

    /// An entity of the node, as Home Assistant makes its id.
    pub fn node_entity(&self, device: u32, domain: &str, name: &str) -> String {
        format!("{}/{device}/{domain}/{name}", self.mac())
    }

    /// The entity of this id at this integration, if it is ours.
    pub(super) fn entity(&self, platform: &str, id: &str) -> Option<EntityId> {
        match platform {
            "mqtt" if id.starts_with(&self.mqtt_device(None)) => Some(EntityId::Mqtt(id.to_owned())),
            "esphome" if id.starts_with(&self.mac()) => Some(EntityId::EspHome(id.to_owned())),
            _ => None,
        }
    }

    /// Entities of a room, which are in the area where somebody has put its device.
    pub(super) fn of_room(&self, room: &str) -> [EntityId; 2] {
        let speaker = self.node_entity(Self::node_device(Some(room)), "media_player", SPEAKER);
        [EntityId::EspHome(speaker), EntityId::Mqtt(self.mqtt_entity(Some(room), "talking"))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_is_told_from_what_is_of_others() {
        let own = OwnIds::new("ab12cd34");
        assert_eq!(own.mac(), "02:56:AB:12:CD:34");
        let [EntityId::EspHome(speaker), EntityId::Mqtt(talking)] = own.of_room("living-room") else {
            panic!("one of each")
        };
        assert_eq!(talking, "voice_relay_ab12cd34_living_room_talking");
        assert_eq!(own.entity("esphome", &speaker), Some(EntityId::EspHome(speaker.clone())));
        assert_eq!(own.entity("mqtt", &talking), Some(EntityId::Mqtt(talking.clone())));
        for (platform, id) in [("mqtt", &speaker), ("esphome", &talking), ("hue", &talking)] {
            assert_eq!(own.entity(platform, id), None, "{platform}");
        }
        assert_eq!(OwnIds::new("00000000").entity("esphome", &speaker), None);
    }
}
