//! Home Assistant's side of ESPHome's native API: as much of it as a house needs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use prost::Message;
use snow::TransportState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::live::PATIENCE;
use super::noise::{read_packet, send_packet, shake_hands};

/// Types of messages, by the numbers of `api.proto`.
pub const HELLO: u64 = 1;
pub const DISCONNECT: u64 = 5;
pub const DEVICE: u64 = 9;
pub const DEVICE_ANSWER: u64 = 10;
pub const LIST: u64 = 11;
pub const BINARY_SENSOR: u64 = 12;
pub const LISTED: u64 = 19;
pub const SUBSCRIBE: u64 = 20;
pub const BINARY_STATE: u64 = 21;
pub const SWITCH_STATE: u64 = 26;
pub const TURN: u64 = 33;
pub const TEXT_STATE: u64 = 27;
pub const CALL: u64 = 42;
pub const SET_NUMBER: u64 = 51;
pub const SELECT_STATE: u64 = 53;
pub const CHOOSE: u64 = 54;
pub const PRESS: u64 = 62;
pub const PLAYER: u64 = 63;
pub const PLAYER_STATE: u64 = 64;
pub const PLAY: u64 = 65;
pub const HAPPENED: u64 = 108;
pub const CALLED: u64 = 131;

/// Whatever has a key and belongs to a device: the fields that such messages share, as they are in that of a player.
#[derive(Clone, PartialEq, Message)]
pub struct Listed {
    #[prost(string, tag = "1")]
    pub object: String,
    #[prost(fixed32, tag = "2")]
    pub key: u32,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(uint32, tag = "10")]
    pub device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct SubDevice {
    #[prost(uint32, tag = "1")]
    pub id: u32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(uint32, tag = "3")]
    pub area: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Area {
    #[prost(uint32, tag = "1")]
    pub id: u32,
    #[prost(string, tag = "2")]
    pub name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Device {
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub mac: String,
    #[prost(message, repeated, tag = "20")]
    pub devices: Vec<SubDevice>,
    #[prost(message, repeated, tag = "21")]
    pub areas: Vec<Area>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PlayerState {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(int32, tag = "2")]
    pub state: i32,
    #[prost(float, tag = "3")]
    pub volume: f32,
    #[prost(uint32, tag = "5")]
    pub device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Switched {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(bool, tag = "2")]
    pub on: bool,
    #[prost(uint32, tag = "4")]
    pub device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Play {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(bool, tag = "2")]
    pub has_command: bool,
    #[prost(int32, tag = "3")]
    pub command: i32,
    #[prost(bool, tag = "4")]
    pub has_volume: bool,
    #[prost(float, tag = "5")]
    pub volume: f32,
    #[prost(bool, tag = "6")]
    pub has_url: bool,
    #[prost(string, tag = "7")]
    pub url: String,
    #[prost(bool, tag = "8")]
    pub has_announcement: bool,
    #[prost(bool, tag = "9")]
    pub announcement: bool,
    #[prost(uint32, tag = "10")]
    pub device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct SetNumber {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(float, tag = "2")]
    pub value: f32,
    #[prost(uint32, tag = "3")]
    pub device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Turned {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(bool, tag = "2")]
    pub on: bool,
    #[prost(uint32, tag = "3")]
    pub device: u32,
}

/// The text of a sensor, and what is chosen of a select.
#[derive(Clone, PartialEq, Message)]
pub struct Written {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(string, tag = "2")]
    pub text: String,
    #[prost(uint32, tag = "4")]
    pub device: u32,
}

/// What is to be chosen, and what has happened.
#[derive(Clone, PartialEq, Message)]
pub struct Named {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(uint32, tag = "3")]
    pub device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Press {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(uint32, tag = "2")]
    pub device: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Argument {
    #[prost(string, tag = "4")]
    pub text: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Call {
    #[prost(fixed32, tag = "1")]
    pub key: u32,
    #[prost(message, repeated, tag = "2")]
    pub arguments: Vec<Argument>,
    #[prost(uint32, tag = "3")]
    pub id: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Called {
    #[prost(uint32, tag = "1")]
    pub id: u32,
    #[prost(bool, tag = "2")]
    pub success: bool,
    #[prost(string, tag = "3")]
    pub error: String,
}

/// A connection to a node.
pub struct NodeClient {
    socket: TcpStream,
    /// Where a key was shown.
    noise: Option<TransportState>,
}

impl NodeClient {
    /// Connects to the node at this port, as soon as there is one.
    pub async fn connect(port: u16) -> Self {
        Self::greet(Self { socket: dial(port).await, noise: None }).await
    }

    /// The same with a key.
    pub async fn secured(port: u16, key: &str) -> Self {
        let mut socket = dial(port).await;
        let noise = shake_hands(&mut socket, key).await.expect("the key of the node");
        Self::greet(Self { socket, noise: Some(noise) }).await
    }

    async fn greet(mut self) -> Self {
        self.send(HELLO, &()).await;
        assert_eq!(self.next().await.expect("an answer").0, HELLO + 1);
        self
    }

    pub async fn send(&mut self, kind: u64, message: &impl Message) {
        if let Some(noise) = &mut self.noise {
            let body = message.encode_to_vec();
            let head = [kind as u16, body.len() as u16].map(u16::to_be_bytes).concat();
            let mut payload = vec![0; head.len() + body.len() + 16];
            noise.write_message(&[head, body].concat(), &mut payload).expect("encrypted");
            return send_packet(&mut self.socket, &payload).await.expect("sent");
        }
        let mut frame = vec![0];
        prost::encoding::encode_varint(message.encoded_len() as u64, &mut frame);
        prost::encoding::encode_varint(kind, &mut frame);
        frame.extend(message.encode_to_vec());
        self.send_bytes(&frame).await;
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.expect("sent");
    }

    /// The next message; `None` at the end.
    pub async fn next(&mut self) -> Option<(u64, Vec<u8>)> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("in time").ok()
    }

    async fn read(&mut self) -> std::io::Result<(u64, Vec<u8>)> {
        if let Some(noise) = &mut self.noise {
            let payload = read_packet(&mut self.socket).await?;
            let mut message = vec![0; payload.len()];
            let length = noise.read_message(&payload, &mut message).expect("encrypted");
            return Ok((u64::from(u16::from_be_bytes([message[0], message[1]])), message[4..length].to_vec()));
        }
        assert_eq!(self.socket.read_u8().await?, 0, "not encrypted");
        let (length, kind) = (self.varint().await?, self.varint().await?);
        let mut body = vec![0; length as usize];
        self.socket.read_exact(&mut body).await?;
        Ok((kind, body))
    }

    async fn varint(&mut self) -> std::io::Result<u64> {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = self.socket.read_u8().await?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(value)
    }

    /// The next message of this type; others are passed over.
    pub async fn expect<M: Message + Default>(&mut self, kind: u64) -> M {
        loop {
            let (other, body) = self.next().await.expect("the connection goes on");
            if other == kind {
                return M::decode(&body[..]).expect("a message");
            }
        }
    }

    /// Everything there is: types and what they share.
    pub async fn list(&mut self) -> Vec<(u64, Listed)> {
        self.send(LIST, &()).await;
        let mut all = Vec::new();
        loop {
            let (kind, body) = self.next().await.expect("the connection goes on");
            if kind == LISTED {
                return all;
            }
            // Of others than players, the device stands elsewhere.
            all.push((kind, Listed::decode(&body[..]).unwrap_or_default()));
        }
    }

    /// The next state of a player that is so.
    pub async fn player(&mut self, device: u32, holds: impl Fn(&PlayerState) -> bool) -> PlayerState {
        loop {
            let state: PlayerState = self.expect(PLAYER_STATE).await;
            if state.device == device && holds(&state) {
                return state;
            }
        }
    }
}

/// A connection to this port, as soon as somebody listens there.
pub async fn dial(port: u16) -> TcpStream {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let connected = tokio::time::timeout(PATIENCE, async {
        loop {
            match TcpStream::connect(address).await {
                Ok(socket) => return socket,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    });
    connected.await.expect("there is a node")
}

/// A port that nobody has now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}
