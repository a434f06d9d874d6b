//! What the core's stand-in does when a service is called: its players take their time.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{DELAY, StandInCore, US};

impl StandInCore {
    pub(super) fn call(&self, message: &Value) -> Result<(), (&'static str, String)> {
        let service =
            format!("{}.{}", message["domain"].as_str().unwrap_or(""), message["service"].as_str().unwrap_or(""));
        let known = |phone: &str| self.house().phones.contains(&phone);
        if service.strip_prefix("notify.").is_some_and(|phone| !known(phone)) {
            return Err(("not_found", format!("Action {service} not found.")));
        }
        let entity = message["target"]["entity_id"][0].as_str().unwrap_or("").to_owned();
        let data = message["service_data"].clone();
        let volume = data.get("volume_level").and_then(Value::as_f64);
        if volume.is_some_and(|volume| !(0.0..=1.0).contains(&volume)) {
            return Err(("invalid_format", "value must be at most 1".into()));
        }
        self.house().called.push((service.clone(), entity.clone(), data.clone()));
        let core = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(DELAY).await;
            core.obey(&service, &entity, &data).await;
        });
        Ok(())
    }

    /// Fetches what is at an address for a player, unless it is known how long that is; gives its length.
    async fn fetch(&self, entity: &str, url: &str) -> Option<Duration> {
        if let Some(length) = self.house().lengths.get(url) {
            return Some(*length);
        }
        let mut answer = reqwest::get(url).await.ok()?.error_for_status().ok()?;
        if url.contains("/stream/") {
            // What is live has no end: it is played, and read, until somebody stops it.
            let first = answer.chunk().await.ok()??;
            let reading = tokio::spawn(async move { while let Ok(Some(_)) = answer.chunk().await {} });
            let mut house = self.house();
            house.fetched.insert(url.into(), first.to_vec());
            house.live.insert(entity.into(), reading);
            return Some(Duration::from_secs(3_600));
        }
        let answer = answer.bytes().await.ok()?;
        self.house().fetched.insert(url.into(), answer.to_vec());
        // MP3 of 128 kbit/s.
        Some(Duration::from_secs_f64(answer.len() as f64 * 8.0 / 128_000.0))
    }

    /// Does it, as a player would, and tells.
    async fn obey(&self, service: &str, entity: &str, data: &Value) {
        let url = data["media_content_id"].as_str().unwrap_or_default();
        let length = if service.ends_with("play_media") { self.fetch(entity, url).await } else { None };
        let played = {
            let mut house = self.house();
            let Some(player) = house.entities.get_mut(entity) else { return };
            let has_volume = player.attributes.contains_key("volume_level");
            let mut played = None;
            match service {
                "media_player.turn_on" => {
                    player.state = "idle".into();
                    player.attributes.insert("volume_level".into(), json!(0.25));
                }
                "media_player.turn_off" => {
                    player.state = "off".into();
                    player.attributes.remove("volume_level");
                }
                "media_player.volume_set" if has_volume => {
                    player.attributes.insert("volume_level".into(), data["volume_level"].clone());
                }
                "media_player.play_media" => {
                    let id = data["media_content_id"].as_str().unwrap_or("").to_owned();
                    player.state = "playing".into();
                    player.clip += 1;
                    played = length.map(|length| (length, player.clip));
                    player.attributes.insert("media_content_id".into(), json!(id));
                }
                "media_player.media_stop" => {
                    player.state = "idle".into();
                    house.live.remove(entity).iter().for_each(JoinHandle::abort);
                }
                _ => {}
            }
            played
        };
        let _ = self.changes.send((entity.into(), US));
        let Some((length, clip)) = played else { return };
        tokio::time::sleep(length).await;
        {
            let mut house = self.house();
            let Some(player) = house.entities.get_mut(entity).filter(|player| player.clip == clip) else { return };
            player.state = "idle".into();
            player.attributes.remove("media_content_id");
        }
        let _ = self.changes.send((entity.into(), "the device"));
    }
}
