//! Speech made of text by Home Assistant's own engines.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Method, RequestBuilder, Url};
use serde_json::json;
use tokio::time::timeout;

use super::core_link::{CoreError, CoreLink};
use super::endpoint::CoreEndpoint;
use super::house_players::HousePlayers;
use super::messages::ResolvedMedia;

/// Characters of a text.
pub const MAX_TEXT: usize = 1_000;

/// From the question to the last byte. Engines on small machines are as slow as they speak.
const SPEECH_TIMEOUT: Duration = Duration::from_secs(60);

/// What begins the paths of its own that it gives.
const CORE_PATH: &str = "/api/";

/// What begins those of speech.
const SPEECH_PATH: &str = "/api/tts_proxy/";

/// The word for the first engine that there is.
const FIRST_ENGINE: &str = "auto";

/// Whoever makes speech of text. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SpeechMaker {
    link: CoreLink,
    players: HousePlayers,
    endpoint: CoreEndpoint,
    /// As it is configured.
    engine: String,
}

/// There is no speech of a text.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// It is empty, or too long.
    #[error("A text has 1 to {MAX_TEXT} characters")]
    Length,
    /// The core has no engine.
    #[error("Home Assistant has no engine for speech; add one, such as Piper, under Settings, Voice assistants")]
    NoEngine,
    /// The core says no, or nothing.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// What it gave cannot be fetched.
    #[error("Home Assistant's speech cannot be fetched: {0}")]
    Fetch(String),
    /// It is longer than a recording may be.
    #[error("The speech has more than {0} bytes, which announce.clip_bytes allows")]
    TooLarge(u64),
    /// It took too long.
    #[error("Home Assistant made no speech of it in time")]
    Late,
}

impl SpeechMaker {
    /// Speech by this engine, or by the first there is (`auto`), of this core.
    pub fn new(link: CoreLink, players: HousePlayers, endpoint: CoreEndpoint, engine: String) -> Self {
        Self { link, players, endpoint, engine }
    }

    /// Whether there is an engine.
    pub fn is_there(&self) -> bool {
        self.engine().is_some()
    }

    /// An audio file of a text, of no more than so many bytes; in this language, or the engine's own.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn speak(&self, text: &str, language: Option<&str>, most: u64) -> Result<Bytes, SpeechError> {
        if !(1..=MAX_TEXT).contains(&text.trim().chars().count()) {
            return Err(SpeechError::Length);
        }
        if !self.players.is_linked() {
            return Err(CoreError::Away.into());
        }
        let engine = self.engine().ok_or(SpeechError::NoEngine)?;
        let made = async {
            let id = media_id(&engine, text.trim(), language);
            let ask = json!({ "type": "media_source/resolve_media", "media_content_id": id });
            let ResolvedMedia { url } = self.link.ask(ask).await?;
            self.fetch(&url, most).await
        };
        timeout(SPEECH_TIMEOUT, made).await.map_err(|_| SpeechError::Late)?
    }

    fn engine(&self) -> Option<String> {
        if self.engine != FIRST_ENGINE {
            return Some(self.engine.clone());
        }
        self.players.speech_engines().into_iter().next()
    }

    /// What Home Assistant has at this address, of so many bytes at most: speech, or a file of its own or of others.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn fetch_media(&self, address: &str, most: u64) -> Result<Bytes, SpeechError> {
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| SpeechError::Fetch("it is no address of the web".into()))?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let fetched = async {
            match self.read(self.endpoint.get_elsewhere(url), most).await {
                // By a name that this machine does not know, or a certificate; its own way to the core it knows.
                Err(SpeechError::Fetch(_)) if path.starts_with(SPEECH_PATH) => self.fetch(&path, most).await,
                fetched => fetched,
            }
        };
        timeout(SPEECH_TIMEOUT, fetched).await.map_err(|_| SpeechError::Late)?
    }

    async fn fetch(&self, path: &str, most: u64) -> Result<Bytes, SpeechError> {
        // The token is for the core alone.
        if !path.starts_with(CORE_PATH) {
            return Err(SpeechError::Fetch("it is not on Home Assistant itself".into()));
        }
        self.read(self.endpoint.request(Method::GET, path), most).await
    }

    async fn read(&self, request: RequestBuilder, most: u64) -> Result<Bytes, SpeechError> {
        let fetch_error = |error: reqwest::Error| SpeechError::Fetch(error.without_url().to_string());
        let mut answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(fetch_error)?;
        let mut file = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(fetch_error)? {
            if (file.len() + piece.len()) as u64 > most {
                return Err(SpeechError::TooLarge(most));
            }
            file.extend_from_slice(&piece);
        }
        Ok(file.freeze())
    }
}

/// What the core's media source calls this speech.
fn media_id(engine: &str, text: &str, language: Option<&str>) -> String {
    let mut url = Url::parse("media-source://tts/").expect("an address");
    url.set_path(engine);
    url.query_pairs_mut().append_pair("message", text).extend_pairs(language.map(|language| ("language", language)));
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_part_of_an_address_whatever_is_in_it() {
        let id = media_id("tts.piper", "Tea & {{ 1 }} / Küche?", Some("en"));
        assert_eq!(id, "media-source://tts/tts.piper?message=Tea+%26+%7B%7B+1+%7D%7D+%2F+K%C3%BCche%3F&language=en");
        assert_eq!(media_id("tts.piper", "x", None), "media-source://tts/tts.piper?message=x");
    }
}
