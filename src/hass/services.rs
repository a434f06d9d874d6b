//! Services by which Home Assistant's players are told what to do.

use serde_json::{Value, json};

use crate::players::{Command, PlayerKind};

/// The service, with its data, that does this on a player of this kind.
pub(super) fn service_of(command: &Command, kind: PlayerKind) -> (&'static str, Value) {
    match command {
        Command::TurnOn => ("media_player.turn_on", json!({})),
        Command::TurnOff => ("media_player.turn_off", json!({})),
        Command::SetVolume(volume) => ("media_player.volume_set", json!({ "volume_level": rounded(*volume) })),
        Command::Mute(muted) => ("media_player.volume_mute", json!({ "is_volume_muted": muted })),
        Command::Stop => ("media_player.media_stop", json!({})),
        Command::Play(content) => {
            let data = json!({ "media_content_id": content.id, "media_content_type": content.kind });
            ("media_player.play_media", data)
        }
        Command::Announce { url, .. } if kind == PlayerKind::Satellite => {
            ("assist_satellite.announce", json!({ "media_id": url, "preannounce": false }))
        }
        Command::Announce { url, volume } => {
            let mut data = json!({ "media_content_id": url, "media_content_type": "music", "announce": true });
            if let Some(extra) = extra_of(kind, *volume) {
                data["extra"] = extra;
            }
            ("media_player.play_media", data)
        }
    }
}

/// What an integration wants besides: how loud, in its own way, and no chime of its own.
fn extra_of(kind: PlayerKind, volume: Option<f32>) -> Option<Value> {
    let percent = volume.map(|volume| (volume * 100.0).round() as u32);
    match kind {
        PlayerKind::Sonos => percent.map(|volume| json!({ "volume": volume })),
        PlayerKind::MusicAssistant => Some(match percent {
            Some(volume) => json!({ "use_pre_announce": false, "announce_volume": volume.max(1) }),
            None => json!({ "use_pre_announce": false }),
        }),
        PlayerKind::Squeezebox => volume.map(|volume| json!({ "announce_volume": rounded(volume) })),
        PlayerKind::BangOlufsen => percent.map(|volume| json!({ "overlay_absolute_volume": volume })),
        _ => None,
    }
}

/// As people write it: 0.3, not 0.30000001192092896.
fn rounded(volume: f32) -> f64 {
    (f64::from(volume) * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_asked_in_its_own_way() {
        let announce = |kind, volume| {
            let command = Command::Announce { url: "http://x/1.mp3".into(), volume };
            let (service, data) = service_of(&command, kind);
            (service, data["extra"].clone(), data["announce"].clone())
        };
        let play = "media_player.play_media";
        assert_eq!(announce(PlayerKind::Sonos, Some(0.3)), (play, json!({ "volume": 30 }), json!(true)));
        assert_eq!(announce(PlayerKind::EspHome, None), (play, Value::Null, json!(true)));
        let silent = json!({ "use_pre_announce": false, "announce_volume": 1 });
        assert_eq!(announce(PlayerKind::MusicAssistant, Some(0.0)), (play, silent, json!(true)));
        assert_eq!(announce(PlayerKind::Squeezebox, Some(0.3)), (play, json!({ "announce_volume": 0.3 }), json!(true)));
        let (service, data) =
            service_of(&Command::Announce { url: "http://x/1.mp3".into(), volume: None }, PlayerKind::Satellite);
        assert_eq!(service, "assist_satellite.announce");
        assert_eq!(data, json!({ "media_id": "http://x/1.mp3", "preannounce": false }));
    }
}
