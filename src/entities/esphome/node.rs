//! What a node of ours says of the house, and what it understands: entities of the table, and a media player of each
//! place. No socket, no clock: bytes out for messages in.

use std::collections::HashMap;

use prost::Message;
use serde_json::json;

use crate::entities::act::Act;
use crate::entities::house::{Place, PlaceState};
use crate::entities::ringing::RingEvent;
use crate::entities::table::{self, Kind, ROWS, Row};
use crate::hass::{EntityId, OwnIds, SPEAKER, ServiceTarget};
use crate::rooms::HOME;

use super::frame::{Frame, written};
use super::messages::{
    Action, Area, BinarySensor, Button, Call, Called, DeviceAnswer, Event, HelloAnswer, Measured, Named, Number,
    Parameter, Play, Player, PlayerState, Press, Select, Sensor, SetNumber, SubDevice, Switch, Switched, TextSensor,
    Turned, Written, kind,
};

/// Of ESPHome's API, and what it calls its own version.
const API: (u32, u32) = (1, 13);
pub(super) const ESPHOME: &str = "2026.6.2";

/// What begins the names of its actions in Home Assistant; nodes are told apart by their addresses.
pub(super) const NAME: &str = "voice-relay";

/// How people see it, and what Home Assistant knows it for.
pub(super) const FRIENDLY_NAME: &str = "Voice Relay";
pub(super) const PROJECT: &str = "voice-relay.app";

/// The player of a place; the entities of the table follow.
const PLAYER_KEY: u32 = 1;
const FIRST_ROW_KEY: u32 = 10;

/// What a player can do: set the volume, play an address, stop, and announce.
const PLAYER_FEATURES: u32 = 1 << 2 | 1 << 9 | 1 << 12 | 1 << 20;
const IDLE: i32 = 1;
const PLAYING: i32 = 2;
const STOP_COMMAND: i32 = 2;

/// What can be called, with the names of what it takes: texts. A room is named by its id; no name is the whole house.
const ACTIONS: [(&str, &[&str]); 3] =
    [("announce", &["room", "message"]), ("ring", &["room", "tone"]), ("stop", &["room"])];

/// What has to be done about a message.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    /// These bytes are the answer.
    Answer(Vec<u8>),
    /// The same, and whatever changes is told from now on.
    Subscribed,
    /// The same, and the connection is over.
    Bye(Vec<u8>),
    /// This is to be done, by what was used for it; a call is answered when it is.
    Do(Place, Act, ServiceTarget, Option<u32>),
    /// It is refused: why, and the answer.
    Refused(String, Vec<u8>),
}

/// A node that has these places.
#[derive(Debug)]
pub(super) struct Node {
    own: OwnIds,
    /// Places, how people call them, and the device that each is: none for the house, which is the node.
    places: Vec<(Place, String, u32)>,
    /// Whether it has the entities of the table, and not the players alone.
    has_rows: bool,
}

impl Node {
    /// A node of this relay.
    pub(super) fn new(instance: &str, places: Vec<(Place, String)>, has_rows: bool) -> Self {
        let places = places.into_iter().map(|(place, name)| {
            let device = OwnIds::node_device(place.room());
            (place, name, device)
        });
        Self { own: OwnIds::new(instance), places: places.collect(), has_rows }
    }

    /// What has to be done about a message.
    pub(super) fn hear(&self, frame: &Frame<'_>) -> Heard {
        match frame.kind {
            kind::HELLO => Heard::Answer(written(kind::HELLO_ANSWER, &self.hello())),
            kind::AUTHENTICATE => Heard::Answer(written(kind::AUTHENTICATED, &())),
            kind::DISCONNECT => Heard::Bye(written(kind::DISCONNECTED, &())),
            kind::PING => Heard::Answer(written(kind::PONG, &())),
            kind::DEVICE => Heard::Answer(written(kind::DEVICE_ANSWER, &self.device())),
            kind::LIST => Heard::Answer(self.list()),
            kind::SUBSCRIBE => Heard::Subscribed,
            kind::PLAY => self.play(&frame.body),
            kind::PRESS => self.press(&frame.body),
            kind::TURN => self.turn(&frame.body),
            kind::SET_NUMBER => self.set_number(&frame.body),
            kind::CHOOSE => self.choose(&frame.body),
            kind::CALL => self.call(&frame.body),
            // Whatever else it may ask, of lights and cameras, has no answer.
            _ => Heard::Answer(Vec::new()),
        }
    }

    fn hello(&self) -> HelloAnswer {
        let info = format!("voice-relay {}", env!("CARGO_PKG_VERSION"));
        HelloAnswer { major: API.0, minor: API.1, info, name: NAME.into() }
    }

    fn device(&self) -> DeviceAnswer {
        let rooms = self.places.iter().filter(|(_, _, device)| *device != 0);
        let has_area = |place: &Place| *place != Place::Room(HOME.into());
        let areas = rooms.clone().filter(|(place, ..)| has_area(place));
        let areas = areas.map(|(_, name, device)| Area { id: *device, name: name.clone() }).collect();
        let devices = rooms.map(|(place, name, device)| match has_area(place) {
            // The area says where.
            true => SubDevice { id: *device, name: "Intercom".into(), area: *device },
            false => SubDevice { id: *device, name: format!("{name} intercom"), area: 0 },
        });
        DeviceAnswer {
            name: NAME.into(),
            mac: self.mac(),
            esphome_version: ESPHOME.into(),
            model: "House".into(),
            project: PROJECT.into(),
            project_version: env!("CARGO_PKG_VERSION").into(),
            manufacturer: "Voice Relay".into(),
            friendly_name: FRIENDLY_NAME.into(),
            devices: devices.collect(),
            areas,
        }
    }

    /// Its address, which no card has.
    pub(super) fn mac(&self) -> String {
        self.own.mac()
    }

    fn list(&self) -> Vec<u8> {
        let mut listed = Vec::new();
        for (_, _, device) in &self.places {
            let player = Player {
                object: "speaker".into(),
                key: PLAYER_KEY,
                name: SPEAKER.into(),
                icon: "mdi:speaker".into(),
                device: *device,
                features: PLAYER_FEATURES,
            };
            listed.extend(written(kind::PLAYER, &player));
            for (key, row) in self.rows() {
                listed.extend(listed_row(key, row, *device));
            }
        }
        for (index, (name, arguments)) in ACTIONS.iter().enumerate() {
            let arguments = arguments.iter().map(|name| Parameter { name: (*name).into(), of: 3 }).collect();
            let action = Action { name: (*name).into(), key: index as u32, arguments, answers: 1 };
            listed.extend(written(kind::ACTION, &action));
        }
        listed.extend(written(kind::LISTED, &()));
        listed
    }

    /// Entities of each place, and their keys.
    fn rows(&self) -> impl Iterator<Item = (u32, &'static Row)> {
        const TABLE: &[Row] = &ROWS;
        (FIRST_ROW_KEY..).zip(TABLE).filter(|_| self.has_rows)
    }

    /// What a place shows now, as far as it is not as it was `told`.
    pub(super) fn changed(&self, place: &Place, now: &PlaceState, told: &mut HashMap<(u32, u32), Vec<u8>>) -> Vec<u8> {
        let Some((.., device)) = self.places.iter().find(|(known, ..)| known == place) else { return Vec::new() };
        let player = PlayerState {
            key: PLAYER_KEY,
            state: if now.announcing.is_some() { PLAYING } else { IDLE },
            volume: f32::from(now.volume) / 100.0,
            device: *device,
        };
        let rows = self.rows().filter_map(|(key, row)| Some((key, shown(key, row, now, *device)?)));
        let mut changed = Vec::new();
        for (key, shown) in std::iter::once((PLAYER_KEY, written(kind::PLAYER_STATE, &player))).chain(rows) {
            if told.get(&(*device, key)) != Some(&shown) {
                changed.extend(&shown);
                told.insert((*device, key), shown);
            }
        }
        changed
    }

    /// That something has happened to a call, as it goes out.
    pub(super) fn happened(&self, RingEvent { place, kind: name, .. }: &RingEvent) -> Vec<u8> {
        let key = self.rows().find(|(_, row)| row.key == table::CALL).map(|(key, _)| key);
        let device = self.places.iter().find(|(known, ..)| known == place).map(|(.., device)| *device);
        let named = |(key, device)| written(kind::HAPPENED, &Named { key, name: (*name).to_owned(), device });
        key.zip(device).map(named).unwrap_or_default()
    }

    fn play(&self, body: &[u8]) -> Heard {
        let Ok(play) = Play::decode(body) else { return unreadable() };
        let act = if play.has_url {
            Act::Play(play.url)
        } else if play.has_volume {
            Act::SetVolume((play.volume.clamp(0.0, 1.0) * 100.0).round() as u8)
        } else if play.has_command && play.command == STOP_COMMAND {
            Act::Stop
        } else {
            return refused("a player of ours can't do that");
        };
        self.act_of(play.device, act, "media_player", SPEAKER)
    }

    fn press(&self, body: &[u8]) -> Heard {
        let Ok(press) = Press::decode(body) else { return unreadable() };
        match self.row(press.key) {
            Some(Row { kind: Kind::Button(act), name, .. }) => self.act_of(press.device, act.clone(), "button", name),
            _ => refused("there is no such button"),
        }
    }

    fn turn(&self, body: &[u8]) -> Heard {
        let Ok(turned) = Turned::decode(body) else { return unreadable() };
        match self.row(turned.key) {
            Some(Row { kind: Kind::Switch { act, .. }, name, .. }) => {
                self.act_of(turned.device, act(turned.on), "switch", name)
            }
            _ => refused("there is no such switch"),
        }
    }

    fn set_number(&self, body: &[u8]) -> Heard {
        let Ok(set) = SetNumber::decode(body) else { return unreadable() };
        match self.row(set.key) {
            Some(Row { kind: Kind::Percentage { act, .. }, name, .. }) => {
                self.act_of(set.device, act(set.value.clamp(0.0, 100.0).round() as u8), "number", name)
            }
            _ => refused("there is no such number"),
        }
    }

    fn choose(&self, body: &[u8]) -> Heard {
        let Ok(chosen) = Named::decode(body) else { return unreadable() };
        match self.row(chosen.key) {
            Some(Row { kind: Kind::Select { act, .. }, name, .. }) => match act(&chosen.name) {
                Some(act) => self.act_of(chosen.device, act, "select", name),
                None => refused("there is no such choice"),
            },
            _ => refused("there is no such select"),
        }
    }

    fn row(&self, key: u32) -> Option<&'static Row> {
        self.rows().find(|(known, _)| *known == key).map(|(_, row)| row)
    }

    fn call(&self, body: &[u8]) -> Heard {
        let Ok(call) = Call::decode(body) else { return unreadable() };
        let texts: Vec<_> = call.arguments.iter().map(|argument| argument.text.trim()).collect();
        let action = ACTIONS.get(call.key as usize).map(|(name, _)| *name);
        let (room, act) = match (action, &texts[..]) {
            (Some("announce"), [room, message]) => (*room, Ok(Act::Announce((*message).to_owned()))),
            (Some("ring"), [room, tone]) => (*room, Act::ring(Some(*tone).filter(|tone| !tone.is_empty()), None)),
            (Some("stop"), [room]) => (*room, Ok(Act::Stop)),
            _ => ("", Err("There is no such action".into())),
        };
        let place = if room.is_empty() { Place::House } else { Place::Room(room.to_owned()) };
        let known = self.places.iter().any(|(known, ..)| *known == place);
        let act = act.and_then(|act| if known { Ok(act) } else { Err(format!("There is no room {room:?}")) });
        match act {
            Ok(act) => {
                // As Home Assistant makes the name of a service.
                let used = format!("esphome.{}_{}", NAME.replace('-', "_"), action.unwrap_or_default());
                Heard::Do(place, act, ServiceTarget::Service(used), Some(call.id))
            }
            Err(why) => {
                let answer = called(call.id, &Err(why.clone()));
                Heard::Refused(why, answer)
            }
        }
    }

    fn act_of(&self, device: u32, act: Act, domain: &str, name: &str) -> Heard {
        let used = ServiceTarget::Entity(EntityId::EspHome(self.own.node_entity(device, domain, name)));
        match self.places.iter().find(|(.., known)| *known == device) {
            Some((place, ..)) => Heard::Do(place.clone(), act, used, None),
            None => refused("there is no such device"),
        }
    }
}

/// What became of a call, as it goes out.
pub(super) fn called(id: u32, done: &Result<(), String>) -> Vec<u8> {
    let error = done.as_ref().err().cloned().unwrap_or_default();
    let answer = json!({ "done": done.is_ok() }).to_string().into_bytes();
    written(kind::CALLED, &Called { id, success: done.is_ok(), error, answer })
}

/// Has Home Assistant connect anew, and list everything again.
pub(super) fn goodbye() -> Vec<u8> {
    written(kind::DISCONNECT, &())
}

fn refused(why: &str) -> Heard {
    Heard::Refused(why.to_owned(), Vec::new())
}

fn unreadable() -> Heard {
    refused("it cannot be read")
}

fn listed_row(key: u32, row: &Row, device: u32) -> Vec<u8> {
    let (object, name, icon) = (row.key.to_owned(), row.name.to_owned(), row.icon.to_owned());
    match &row.kind {
        Kind::Binary { class, .. } => {
            let class = (*class).to_owned();
            written(kind::BINARY_SENSOR, &BinarySensor { object, key, name, class, icon, device })
        }
        Kind::Count { unit, .. } => {
            let unit = (*unit).to_owned();
            written(kind::SENSOR, &Sensor { object, key, name, icon, unit, state_class: 1, device })
        }
        Kind::Percentage { range, .. } => {
            let (least, most) = (f32::from(*range.start()), f32::from(*range.end()));
            let number = Number { object, key, name, icon, least, most, step: 1.0, unit: "%".into(), mode: 2, device };
            written(kind::NUMBER, &number)
        }
        Kind::Switch { .. } => written(kind::SWITCH, &Switch { object, key, name, icon, device }),
        Kind::Button(_) => written(kind::BUTTON, &Button { object, key, name, icon, device }),
        Kind::Select { options, .. } => {
            let options = options.iter().map(|option| (*option).to_owned()).collect();
            written(kind::SELECT, &Select { object, key, name, icon, options, device })
        }
        Kind::Event(kinds) => {
            let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
            written(kind::EVENT, &Event { object, key, name, icon, kinds, device })
        }
        Kind::Text(_) => written(kind::TEXT_SENSOR, &TextSensor { object, key, name, icon, device }),
        // ESPHome has nothing of the kind: there are actions instead.
        Kind::Notify(_) | Kind::Siren { .. } => Vec::new(),
    }
}

fn shown(key: u32, row: &Row, now: &PlaceState, device: u32) -> Option<Vec<u8>> {
    Some(match &row.kind {
        Kind::Binary { read, .. } => written(kind::BINARY_SENSOR_STATE, &Switched { key, on: read(now), device }),
        Kind::Count { read, .. } => written(kind::SENSOR_STATE, &Measured { key, value: read(now) as f32, device }),
        Kind::Percentage { read, .. } => {
            written(kind::NUMBER_STATE, &Measured { key, value: f32::from(read(now)), device })
        }
        Kind::Switch { read, .. } => written(kind::SWITCH_STATE, &Turned { key, on: read(now), device }),
        Kind::Select { read, .. } => written(kind::SELECT_STATE, &Written { key, text: read(now).to_owned(), device }),
        Kind::Text(read) => written(kind::TEXT_SENSOR_STATE, &Written { key, text: read(now), device }),
        Kind::Button(_) | Kind::Notify(_) | Kind::Siren { .. } | Kind::Event(_) => return None,
    })
}
