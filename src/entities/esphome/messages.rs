//! Messages of ESPHome's native API that a node of ours sends and takes: those fields of them that we use, under the numbers
//! of its `api.proto`. Each has a type, by which a frame says what it is.

use prost::Message;

/// Types of messages.
pub(super) mod kind {
    pub(crate) const HELLO: u32 = 1;
    pub(crate) const HELLO_ANSWER: u32 = 2;
    pub(crate) const AUTHENTICATE: u32 = 3;
    pub(crate) const AUTHENTICATED: u32 = 4;
    pub(crate) const DISCONNECT: u32 = 5;
    pub(crate) const DISCONNECTED: u32 = 6;
    pub(crate) const PING: u32 = 7;
    pub(crate) const PONG: u32 = 8;
    pub(crate) const DEVICE: u32 = 9;
    pub(crate) const DEVICE_ANSWER: u32 = 10;
    pub(crate) const LIST: u32 = 11;
    pub(crate) const BINARY_SENSOR: u32 = 12;
    pub(crate) const SENSOR: u32 = 16;
    pub(crate) const SWITCH: u32 = 17;
    pub(crate) const LISTED: u32 = 19;
    pub(crate) const SUBSCRIBE: u32 = 20;
    pub(crate) const BINARY_SENSOR_STATE: u32 = 21;
    pub(crate) const SENSOR_STATE: u32 = 25;
    pub(crate) const SWITCH_STATE: u32 = 26;
    pub(crate) const TURN: u32 = 33;
    pub(crate) const ACTION: u32 = 41;
    pub(crate) const CALL: u32 = 42;
    pub(crate) const NUMBER: u32 = 49;
    pub(crate) const NUMBER_STATE: u32 = 50;
    pub(crate) const SET_NUMBER: u32 = 51;
    pub(crate) const BUTTON: u32 = 61;
    pub(crate) const PRESS: u32 = 62;
    pub(crate) const PLAYER: u32 = 63;
    pub(crate) const PLAYER_STATE: u32 = 64;
    pub(crate) const PLAY: u32 = 65;
    pub(crate) const TEXT_SENSOR: u32 = 18;
    pub(crate) const TEXT_SENSOR_STATE: u32 = 27;
    pub(crate) const SELECT: u32 = 52;
    pub(crate) const SELECT_STATE: u32 = 53;
    pub(crate) const CHOOSE: u32 = 54;
    pub(crate) const EVENT: u32 = 107;
    pub(crate) const HAPPENED: u32 = 108;
    pub(crate) const CALLED: u32 = 131;
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HelloAnswer {
    #[prost(uint32, tag = "1")]
    pub(super) major: u32,
    #[prost(uint32, tag = "2")]
    pub(super) minor: u32,
    #[prost(string, tag = "3")]
    pub(super) info: String,
    #[prost(string, tag = "4")]
    pub(super) name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Area {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(string, tag = "2")]
    pub(super) name: String,
}

/// A device within a node.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SubDevice {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    /// Zero: none.
    #[prost(uint32, tag = "3")]
    pub(super) area: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DeviceAnswer {
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) mac: String,
    #[prost(string, tag = "4")]
    pub(super) esphome_version: String,
    #[prost(string, tag = "6")]
    pub(super) model: String,
    #[prost(string, tag = "8")]
    pub(super) project: String,
    #[prost(string, tag = "9")]
    pub(super) project_version: String,
    #[prost(string, tag = "12")]
    pub(super) manufacturer: String,
    #[prost(string, tag = "13")]
    pub(super) friendly_name: String,
    #[prost(message, repeated, tag = "20")]
    pub(super) devices: Vec<SubDevice>,
    #[prost(message, repeated, tag = "21")]
    pub(super) areas: Vec<Area>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BinarySensor {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) class: String,
    #[prost(string, tag = "8")]
    pub(super) icon: String,
    #[prost(uint32, tag = "10")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Sensor {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) icon: String,
    #[prost(string, tag = "6")]
    pub(super) unit: String,
    /// One: it measures.
    #[prost(int32, tag = "10")]
    pub(super) state_class: i32,
    #[prost(uint32, tag = "14")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Number {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) icon: String,
    #[prost(float, tag = "6")]
    pub(super) least: f32,
    #[prost(float, tag = "7")]
    pub(super) most: f32,
    #[prost(float, tag = "8")]
    pub(super) step: f32,
    #[prost(string, tag = "11")]
    pub(super) unit: String,
    /// Two: a slider.
    #[prost(int32, tag = "12")]
    pub(super) mode: i32,
    #[prost(uint32, tag = "14")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Switch {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) icon: String,
    #[prost(uint32, tag = "10")]
    pub(super) device: u32,
}

/// How a switch is, and how it is to be.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Turned {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(bool, tag = "2")]
    pub(super) on: bool,
    #[prost(uint32, tag = "3")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Button {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) icon: String,
    #[prost(uint32, tag = "9")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Player {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) icon: String,
    #[prost(uint32, tag = "10")]
    pub(super) device: u32,
    /// Bits of Home Assistant's `MediaPlayerEntityFeature`.
    #[prost(uint32, tag = "11")]
    pub(super) features: u32,
}

/// State of a binary sensor.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Switched {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(bool, tag = "2")]
    pub(super) on: bool,
    #[prost(uint32, tag = "4")]
    pub(super) device: u32,
}

/// State of a sensor or a number.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Measured {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(float, tag = "2")]
    pub(super) value: f32,
    #[prost(uint32, tag = "4")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PlayerState {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    /// One: idle; two: playing. Home Assistant fails over four, announcing.
    #[prost(int32, tag = "2")]
    pub(super) state: i32,
    #[prost(float, tag = "3")]
    pub(super) volume: f32,
    #[prost(uint32, tag = "5")]
    pub(super) device: u32,
}

/// A button is pressed.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Press {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(uint32, tag = "2")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SetNumber {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(float, tag = "2")]
    pub(super) value: f32,
    #[prost(uint32, tag = "3")]
    pub(super) device: u32,
}

/// A command to a media player. What is not told of by its `has_…` is not there.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Play {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(bool, tag = "2")]
    pub(super) has_command: bool,
    /// Two: stop.
    #[prost(int32, tag = "3")]
    pub(super) command: i32,
    #[prost(bool, tag = "4")]
    pub(super) has_volume: bool,
    #[prost(float, tag = "5")]
    pub(super) volume: f32,
    #[prost(bool, tag = "6")]
    pub(super) has_url: bool,
    #[prost(string, tag = "7")]
    pub(super) url: String,
    #[prost(uint32, tag = "10")]
    pub(super) device: u32,
}

/// Something that can be called, with arguments.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Action {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(message, repeated, tag = "3")]
    pub(super) arguments: Vec<Parameter>,
    /// One: an answer can be had.
    #[prost(int32, tag = "4")]
    pub(super) answers: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Parameter {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Three: a text.
    #[prost(int32, tag = "2")]
    pub(super) of: i32,
}

/// It is called.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Call {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(message, repeated, tag = "2")]
    pub(super) arguments: Vec<Argument>,
    #[prost(uint32, tag = "3")]
    pub(super) id: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Argument {
    #[prost(string, tag = "4")]
    pub(super) text: String,
}

/// What became of a call.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Called {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(bool, tag = "2")]
    pub(super) success: bool,
    #[prost(string, tag = "3")]
    pub(super) error: String,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) answer: Vec<u8>,
}

/// A sensor whose state is a text.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TextSensor {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) icon: String,
    #[prost(uint32, tag = "9")]
    pub(super) device: u32,
}

/// The text of a sensor, and what is chosen of a select.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Written {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(string, tag = "2")]
    pub(super) text: String,
    #[prost(uint32, tag = "4")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Select {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) icon: String,
    #[prost(string, repeated, tag = "6")]
    pub(super) options: Vec<String>,
    #[prost(uint32, tag = "9")]
    pub(super) device: u32,
}

/// What is to be chosen, and what has happened.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Named {
    #[prost(fixed32, tag = "1")]
    pub(super) key: u32,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(uint32, tag = "3")]
    pub(super) device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    #[prost(string, tag = "1")]
    pub(super) object: String,
    #[prost(fixed32, tag = "2")]
    pub(super) key: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "5")]
    pub(super) icon: String,
    #[prost(string, repeated, tag = "9")]
    pub(super) kinds: Vec<String>,
    #[prost(uint32, tag = "10")]
    pub(super) device: u32,
}
