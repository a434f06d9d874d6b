//! The one typed tree of options. Each option is declared once, in `options`; `load` layers their
//! values (defaults, the app's options, file, environment, flags) and checks them before any port is opened; `docs`
//! writes `docs/configuration.md` from the same table. Nobody else reads the environment.

mod app_options;
mod docs;
mod error;
mod hass;
mod load;
mod options;
mod ports;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::announce::AnnounceLimits;
use crate::calls::{CallsSettings, second_of_day};
use crate::limits::{Allotments, MediaPlaces, Places};
use crate::live::ClipLimits;
use crate::mailbox::MailboxSettings;
use crate::rooms::RoomsSettings;

pub use docs::{markdown, print};
pub use error::LoadError;
pub use hass::{EspHomeConfig, HassConfig, MqttConfig, NodePlace};
pub use load::{CliCommand, Invocation, RingCommand, SayCommand, SayContent, TokenCommand, load};
pub use ports::{HttpConfig, Mp3Config, TlsConfig, TlsMode, WhenIdle};

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Address to listen on, all ports; `::` is every IPv4 and IPv6 address.
    pub bind: IpAddr,
    /// Folder for what must outlive a restart.
    pub data_dir: PathBuf,
    /// Who is served.
    pub access: AccessMode,
    /// The main port.
    pub http: HttpConfig,
    /// The certificate of the TLS port.
    pub tls: TlsConfig,
    /// The MP3 port.
    pub mp3: Mp3Config,
    /// What was said, kept for a while.
    pub clips: ClipsConfig,
    /// The machine's own sound card.
    pub sound: SoundConfig,
    /// The rooms of the house.
    pub rooms: RoomsConfig,
    /// The WebRTC port.
    pub media: MediaConfig,
    /// Audio files.
    pub files: FilesConfig,
    /// Cameras and screens.
    pub video: VideoConfig,
    /// What is announced in rooms.
    pub announce: AnnounceConfig,
    /// Who can be called, and for how long.
    pub calls: CallsConfig,
    /// Voice messages.
    pub mailbox: MailboxConfig,
    /// When senders and streams are given up.
    pub relay: LifecycleConfig,
    /// How many of each there may be.
    pub limits: Limits,
    /// Home Assistant, where there is one.
    pub hass: HassConfig,
    /// The MQTT broker of its entities.
    pub mqtt: MqttConfig,
    /// The node by which rooms are media players of it.
    pub esphome: EspHomeConfig,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// Who is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessMode {
    /// Private, link-local and loopback addresses, and the networks that this machine is on.
    Lan,
    /// Whoever holds a token, from everywhere.
    Token,
    /// Everybody who can reach the ports.
    Open,
}

/// What was said, kept for a while.
#[derive(Debug, Clone, Deserialize)]
pub struct ClipsConfig {
    /// Clips at once.
    pub count: usize,
    /// A clip is forgotten after so long.
    #[serde(deserialize_with = "seconds")]
    pub age: Duration,
    /// Longer speech becomes several clips.
    #[serde(deserialize_with = "seconds")]
    pub length: Duration,
    /// Memory of all together.
    pub bytes: u64,
}

/// The machine's own sound card.
#[derive(Debug, Clone, Deserialize)]
pub struct SoundConfig {
    /// The room that both are in, as it is called on the wire.
    pub room: String,
    /// The loudspeaker: an id, a name, `default` or `off`.
    pub output: String,
    /// What it plays.
    pub play: Play,
    /// In decibels.
    pub output_volume: f32,
    /// The microphone: an id, a name, `default` or `off`.
    pub input: String,
    /// How people call its stream.
    pub input_name: String,
    /// In decibels.
    pub input_volume: f32,
}

/// What the machine's own loudspeaker plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Play {
    /// Whoever began to talk last.
    Latest,
    /// Everybody.
    All,
}

impl From<ClipsConfig> for ClipLimits {
    fn from(ClipsConfig { count, age, length, bytes }: ClipsConfig) -> Self {
        Self { count, age, length, bytes }
    }
}

/// The rooms of the house.
#[derive(Debug, Clone, Deserialize)]
pub struct RoomsConfig {
    /// What people call the room of those who name none.
    pub home: String,
    /// The names of the other permanent rooms in which all talk.
    pub intercom: Vec<String>,
    /// And of those in which one talks and many listen.
    pub broadcast: Vec<String>,
    /// Rooms besides the permanent ones.
    pub max: usize,
    /// Participants of one intercom room.
    pub intercom_size: usize,
    /// And of one broadcast room.
    pub broadcast_size: usize,
    /// The best bitrate of what is sent there, in kbit/s.
    pub bitrate: u32,
}

impl Config {
    /// The rooms of the house, and how many there may be.
    pub fn house(&self) -> RoomsSettings {
        let RoomsConfig { home, intercom, broadcast, max, intercom_size, broadcast_size, .. } = self.rooms.clone();
        RoomsSettings { home, intercom, broadcast, max, intercom_size, broadcast_size, share: self.limits.share }
    }

    /// Places for what clients have the daemon hold.
    pub fn allotments(&self) -> Allotments {
        let limits = &self.limits;
        let places = |most| Places::new(most, limits.share);
        Allotments {
            http: places(limits.connections),
            https: places(limits.connections),
            mp3: places(limits.connections),
            handshakes: places(limits.handshakes),
            sockets: places(limits.sockets),
            listeners: places(limits.mp3_listeners),
            encoders: places(limits.encoders),
            media: MediaPlaces { peers: places(limits.peers), streams: places(limits.streams) },
            files: places(self.files.clients),
            video: places(self.video.peers),
        }
    }

    /// Who can be called, and for how long.
    pub fn calling(&self, phones: bool) -> CallsSettings {
        let CallsConfig { stations, max, ring, log } = self.calls;
        CallsSettings { stations, calls: max, log, ring, phones, share: self.limits.share, second_of_day }
    }

    /// How many voice messages are kept.
    pub fn mailbox(&self) -> MailboxSettings {
        let MailboxConfig { count, bytes, age, length } = self.mailbox;
        MailboxSettings { count, bytes, age, length, share: self.limits.share }
    }

    /// How much may be announced.
    pub fn announcing(&self) -> AnnounceLimits {
        let AnnounceConfig { waiting, clip_bytes, memory } = self.announce;
        AnnounceLimits { waiting, clip_bytes, memory, share: self.limits.share }
    }
}

/// The WebRTC port.
#[derive(Debug, Clone, Deserialize)]
pub struct MediaConfig {
    /// All media of all peers, UDP.
    pub port: u16,
    /// Addresses to offer besides those of the interfaces.
    pub advertise: Vec<IpAddr>,
    /// Media threads, each with a port of its own.
    pub threads: usize,
}

/// Cameras and screens in rooms.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct VideoConfig {
    /// All of it, UDP.
    pub port: u16,
    /// Connections for it at once.
    pub peers: usize,
    /// Tracks at once; 0: there is no video.
    pub tracks: usize,
}

/// Audio files, and those who want them.
#[derive(Debug, Clone, Deserialize)]
pub struct FilesConfig {
    /// Data channels, UDP.
    pub port: u16,
    /// Where the files are; the word `auto` alone means the usual places.
    pub folders: Vec<PathBuf>,
    /// The file for those who ask for none.
    pub default: String,
    /// Files at most.
    pub max: usize,
    /// Clients at once.
    pub clients: usize,
    /// Clients at once, from one address.
    pub per_address: usize,
    /// A client that is idle for so long is given up.
    #[serde(deserialize_with = "seconds")]
    pub idle: Duration,
}

/// What is announced in rooms.
#[derive(Debug, Clone, Deserialize)]
pub struct AnnounceConfig {
    /// Announcements that wait in one room.
    pub waiting: usize,
    /// Bytes of one recording that is sent.
    pub clip_bytes: u64,
    /// Bytes of all of those together.
    pub memory: u64,
}

/// Voice messages, for those who did not answer.
#[derive(Debug, Clone, Deserialize)]
pub struct MailboxConfig {
    /// Messages that are kept; 0: none can be left.
    pub count: usize,
    /// What they take on the disk together.
    pub bytes: u64,
    /// A message is deleted after so long.
    #[serde(deserialize_with = "seconds")]
    pub age: Duration,
    /// A message is no longer than this.
    #[serde(deserialize_with = "seconds")]
    pub length: Duration,
}

/// Who can be called, and for how long.
#[derive(Debug, Clone, Deserialize)]
pub struct CallsConfig {
    /// Devices with a name.
    pub stations: usize,
    /// Calls at once.
    pub max: usize,
    /// A call rings for so long.
    #[serde(deserialize_with = "seconds")]
    pub ring: Duration,
    /// Calls that are kept in the log.
    pub log: usize,
}

/// When senders and streams are given up.
#[derive(Debug, Clone, Deserialize)]
pub struct LifecycleConfig {
    /// Time between two clean-ups.
    #[serde(deserialize_with = "seconds")]
    pub cleanup_interval: Duration,
    /// What nobody has fed for so long is removed by the clean-up.
    #[serde(deserialize_with = "seconds")]
    pub stale_after: Duration,
    /// A sender of whom nothing was heard for so long has vanished.
    #[serde(deserialize_with = "milliseconds")]
    pub publisher_timeout: Duration,
}

/// How many of each there may be at once.
#[derive(Debug, Clone, Deserialize)]
pub struct Limits {
    /// WebRTC peer connections.
    pub peers: usize,
    /// Senders.
    pub streams: usize,
    /// WebSocket connections.
    pub sockets: usize,
    /// Bytes of one WebSocket message.
    pub message_bytes: usize,
    /// MP3 listeners.
    pub mp3_listeners: usize,
    /// Encoders of live audio at once.
    pub encoders: usize,
    /// TLS handshakes at once.
    pub handshakes: usize,
    /// Time for one of them.
    #[serde(deserialize_with = "milliseconds")]
    pub handshake_timeout: Duration,
    /// TCP connections of one port.
    pub connections: usize,
    /// Requests a second from one address.
    pub requests: NonZeroU32,
    /// Signalling messages a second from one address.
    pub messages: NonZeroU32,
    /// Media connections a minute from one address.
    pub joins: NonZeroU32,
    /// Wrong tokens a minute from one address.
    pub wrong_tokens: NonZeroU32,
    /// Percentage of each of the numbers that one address may have.
    pub share: u8,
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
pub struct LogConfig {
    /// A level, or levels by module, as `tracing-subscriber` reads them.
    pub level: String,
    /// For people or for programs.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}
