//! What a player tells of itself.

/// What a player does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It cannot be reached.
    #[default]
    Unavailable,
    /// Off, or in standby.
    Off,
    /// On, and silent.
    Idle,
    /// Heard, or about to be.
    Playing,
    /// Stopped in the middle of something.
    Paused,
}

impl Mode {
    /// As Home Assistant writes it.
    pub fn of(state: &str) -> Self {
        match state {
            "off" | "standby" => Self::Off,
            "playing" | "buffering" => Self::Playing,
            "paused" => Self::Paused,
            "unavailable" | "unknown" => Self::Unavailable,
            // "on" says no more than that it is not off.
            _ => Self::Idle,
        }
    }
}

/// What a player can do, as Home Assistant's bits (`supported_features`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Features(pub u32);

impl Features {
    /// All that we use.
    pub const ALL: Self = Self(Self::VOLUME | Self::MUTE | Self::ON | Self::OFF | Self::PLAY_ADDRESS | Self::STOP);

    const VOLUME: u32 = 4;
    const MUTE: u32 = 8;
    const ON: u32 = 128;
    const OFF: u32 = 256;
    const PLAY_ADDRESS: u32 = 512;
    const STOP: u32 = 4_096;

    /// Its volume can be set.
    pub fn has_volume(self) -> bool {
        self.0 & Self::VOLUME != 0
    }

    /// It can be muted.
    pub fn has_mute(self) -> bool {
        self.0 & Self::MUTE != 0
    }

    /// It can be turned on.
    pub fn turns_on(self) -> bool {
        self.0 & Self::ON != 0
    }

    /// It can be turned off.
    pub fn turns_off(self) -> bool {
        self.0 & Self::OFF != 0
    }

    /// It plays an address that it is given.
    pub fn plays_addresses(self) -> bool {
        self.0 & Self::PLAY_ADDRESS != 0
    }

    /// It can be stopped.
    pub fn stops(self) -> bool {
        self.0 & Self::STOP != 0
    }
}

/// What a player plays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Content {
    /// Its address, or another id.
    pub id: String,
    /// Its type, such as `music`.
    pub kind: String,
}

impl Content {
    /// Whether a player can be given it again: a URL, or a medium of Home Assistant's.
    pub fn can_be_played_again(&self) -> bool {
        ["http://", "https://", "media-source://"].iter().any(|scheme| self.id.starts_with(scheme))
    }
}

/// A player's state at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlayerState {
    /// What it does.
    pub mode: Mode,
    /// From 0 to 1; `None`: it does not tell, as when it is off.
    pub volume: Option<f32>,
    /// Whether it is muted, where it tells.
    pub muted: Option<bool>,
    /// What it plays.
    pub content: Option<Content>,
    /// What it can do.
    pub features: Features,
}
