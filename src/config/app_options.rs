//! The options of the Home Assistant app, as its Supervisor writes them: `/data/options.json`, a flat
//! object whose names are those of the app's form. One table says which of our options each of them is.

use std::path::Path;

use config::ConfigError;
use serde_json::{Map, Value};

use super::error::LoadError;
use super::options::{Opt, Texts, find};

/// Names the file with the app's options, where `--options` does not.
pub(super) const OPTIONS_VARIABLE: &str = "VOICE_RELAY_OPTIONS";

/// What an app's option is for.
enum Meaning {
    /// This option of ours, in the same words.
    Option(&'static str),
    /// This option of ours: `default` when it is switched on, else `off`.
    Switch(&'static str),
    /// Nothing to the daemon: `run.sh` reads it.
    ForStart,
}

/// Every option of `config.json`.
const TABLE: &[(&str, Meaning)] = &[
    ("access", Meaning::Option("access")),
    ("rooms", Meaning::Option("rooms.intercom")),
    ("broadcast_rooms", Meaning::Option("rooms.broadcast")),
    ("advertise_address", Meaning::Option("media.advertise")),
    ("sound_output", Meaning::Switch("sound.output")),
    ("sound_input", Meaning::Switch("sound.input")),
    ("log_level", Meaning::Option("log.level")),
    ("http_port", Meaning::Option("http.port")),
    ("https_port", Meaning::Option("http.tls_port")),
    ("mp3_port", Meaning::Option("mp3.port")),
    ("media_port", Meaning::Option("media.port")),
    ("files_port", Meaning::Option("files.port")),
    ("video_port", Meaning::Option("video.port")),
    ("certfile", Meaning::ForStart),
    ("keyfile", Meaning::ForStart),
];

/// What the file says.
#[derive(Default)]
pub(super) struct AppOptions {
    /// Our options, each with its value.
    pub(super) texts: Texts,
    /// Names that the table does not have: of another version of the app, and no reason not to start.
    pub(super) unknown: Vec<String>,
}

/// Reads the file. What is null or empty is not set.
pub(super) fn read(path: &Path) -> Result<AppOptions, LoadError> {
    let broken = |source| LoadError::File { path: path.to_owned(), source: ConfigError::Foreign(source) };
    let text = std::fs::read_to_string(path).map_err(|error| broken(error.into()))?;
    let values: Map<String, Value> = serde_json::from_str(&text).map_err(|error| broken(error.into()))?;
    let mut options = AppOptions::default();
    for (name, value) in values.into_iter().filter(|(_, value)| is_set(value)) {
        match TABLE.iter().find(|(known, _)| *known == name) {
            Some((name, meaning)) => options.texts.extend(translate(name, meaning, &value, path)?),
            None => options.unknown.push(name),
        }
    }
    Ok(options)
}

fn is_set(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// To an option of ours, in its words; checked here, so that a mistake is told by the name that its maker knows.
fn translate(
    name: &'static str,
    meaning: &Meaning,
    value: &Value,
    path: &Path,
) -> Result<Option<(&'static Opt, String)>, LoadError> {
    let wrong = |expectation| LoadError::Value {
        key: name,
        value: text_of(value),
        origin: path.display().to_string(),
        expectation,
    };
    let (key, text) = match meaning {
        Meaning::ForStart => return Ok(None),
        Meaning::Option(key) => (*key, text_of(value)),
        Meaning::Switch(key) => match value.as_bool() {
            Some(on) => (*key, if on { "default" } else { "off" }.to_owned()),
            None => return Err(wrong("true or false".into())),
        },
    };
    let option = find(key).expect("the table names options that there are, says a test");
    option.kind.parse(&text).map_err(wrong)?;
    Ok(Some((option, text)))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
