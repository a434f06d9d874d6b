//! How players announce, by the integration of Home Assistant that they come from. Of 57 that play an address, seven
//! announce by themselves; on the others we do it.

use std::time::Duration;

/// How a player announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlayerKind {
    /// Ducks by itself, at a volume of its own for the clip.
    Sonos,
    /// Ducks by itself; also Home Assistant's Voice.
    EspHome,
    /// An `assist_satellite`: its call lasts until all is heard.
    Satellite,
    /// Restores by itself; its call lasts until all is heard.
    MusicAssistant,
    /// Restores by itself, and is off again if it was off.
    Squeezebox,
    /// Plays over what it plays.
    BangOlufsen,
    /// Restores queue and volume; its call lasts as long as the clip.
    OwnTone,
    /// Plays in place of what it plays: all others.
    Plain,
}

/// When an announcement is over on a player that announces by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnouncementEnd {
    /// When the call ends.
    Call,
    /// When it has played, and plays no more.
    Idle,
    /// So long after the call and the clip's own length: it says nothing.
    Length(Duration),
}

impl PlayerKind {
    /// The kind of an entity of Home Assistant. `None`: it cannot be given an address at all.
    pub fn of(entity: &str, platform: &str) -> Option<Self> {
        if entity.starts_with("assist_satellite.") {
            return Some(Self::Satellite);
        }
        match platform {
            "sonos" => Some(Self::Sonos),
            "esphome" => Some(Self::EspHome),
            "music_assistant" => Some(Self::MusicAssistant),
            "squeezebox" => Some(Self::Squeezebox),
            "bang_olufsen" => Some(Self::BangOlufsen),
            "forked_daapd" => Some(Self::OwnTone),
            // What they call play_media is a search for a song; or they have none.
            "alexa_devices" | "alexa_media" | "snapcast" => None,
            _ => Some(Self::Plain),
        }
    }

    /// Whether it plays an address that goes on.
    pub fn plays(self) -> bool {
        self != Self::Satellite
    }

    /// When an announcement of its own is over; `None`: it has none, and is restored by us.
    pub fn announcement_end(self) -> Option<AnnouncementEnd> {
        match self {
            Self::Sonos | Self::BangOlufsen => Some(AnnouncementEnd::Length(Duration::from_secs(1))),
            Self::EspHome | Self::Squeezebox => Some(AnnouncementEnd::Idle),
            Self::Satellite | Self::MusicAssistant | Self::OwnTone => Some(AnnouncementEnd::Call),
            Self::Plain => None,
        }
    }

    /// Whether it can be told how loud one announcement is to be.
    pub fn has_announcement_volume(self) -> bool {
        matches!(self, Self::Sonos | Self::MusicAssistant | Self::Squeezebox | Self::BangOlufsen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_integrations_announce_by_themselves_and_some_players_cannot_play_an_address() {
        for platform in ["sonos", "esphome", "music_assistant", "squeezebox", "bang_olufsen", "forked_daapd"] {
            let kind = PlayerKind::of("media_player.kitchen", platform).expect("plays");
            assert!(kind.announcement_end().is_some(), "{platform}");
        }
        assert_eq!(PlayerKind::of("assist_satellite.hall", "esphome"), Some(PlayerKind::Satellite));
        for platform in ["cast", "apple_tv", "dlna_dmr", "heos", "something_new"] {
            assert_eq!(PlayerKind::of("media_player.kitchen", platform), Some(PlayerKind::Plain), "{platform}");
        }
        for platform in ["alexa_devices", "snapcast"] {
            assert_eq!(PlayerKind::of("media_player.kitchen", platform), None, "{platform}");
        }
    }
}
