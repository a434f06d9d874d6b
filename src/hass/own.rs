//! What Home Assistant calls that which is ours: the devices of rooms, and their media players. By it, it is known which of its
//! entities are the relay's own, and in which area somebody has put a room.

/// What begins the ids of whatever comes by a broker, and its topics.
pub const ROOT: &str = "voice_relay";

/// The player of a room, in ESPHome's words.
pub const SPEAKER: &str = "Speaker";

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

    /// Whether this is a player of the node: a room of ours, which is announced in directly.
    pub(super) fn is_speaker(&self, platform: &str, unique_id: &str) -> bool {
        platform == "esphome"
            && unique_id
                .strip_prefix(&self.mac())
                .is_some_and(|rest| rest.ends_with(&format!("/media_player/{SPEAKER}")))
    }

    /// The entities of a room that are in the area where somebody has put its device.
    pub(super) fn of_room(&self, room: &str) -> [(&'static str, String); 2] {
        let speaker = self.node_entity(Self::node_device(Some(room)), "media_player", SPEAKER);
        [("esphome", speaker), ("mqtt", self.mqtt_entity(Some(room), "talking"))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_of_ours_is_told_from_those_of_others() {
        let own = OwnIds::new("ab12cd34");
        assert_eq!(own.mac(), "02:56:AB:12:CD:34");
        let [(platform, speaker), (_, talking)] = own.of_room("living-room");
        assert!(own.is_speaker(platform, &speaker), "{speaker}");
        assert_eq!(talking, "voice_relay_ab12cd34_living_room_talking");
        let others = OwnIds::new("00000000").of_room("living-room");
        assert!(!own.is_speaker("esphome", &others[0].1) && !own.is_speaker("mqtt", &speaker));
        assert!(!own.is_speaker("esphome", "02:56:AB:12:CD:34/1/button/Stop"));
    }
}
