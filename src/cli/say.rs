//! `voice-relay say`: has the daemon on this machine announce a file or a text, and waits until it was heard.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};
use voice_relay::config::{Config, SayCommand, SayContent};

use super::daemon::{Daemon, LOOK_INTERVAL, tell};

/// Of one that waits for Home Assistant to speak.
const SPEECH_TIMEOUT: Duration = Duration::from_secs(90);

/// Has the running daemon announce something, and waits until it was heard.
pub(crate) fn announce(command: &SayCommand, config: &Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(send(command, config))
}

/// Sends what is to be announced and tells how far it is until it was heard; stops it where the user does not want to wait.
async fn send(command: &SayCommand, config: &Config) -> anyhow::Result<()> {
    let room = command.to.is_none().then_some(&*command.room);
    let daemon = Daemon::of(config, command.token.as_ref(), room)?;
    let announced = daemon.json(request(&daemon, command)?).await?;
    let id = announced["id"].as_str().context("this is no answer of a voice-relay")?;
    let url = daemon.url(&format!("api/announce/{id}"))?;
    tokio::select! {
        heard = follow(&daemon, &url) => heard,
        _ = tokio::signal::ctrl_c() => {
            daemon.answer(daemon.client.delete(url)).await?;
            bail!("stopped")
        }
    }
}

/// What asks for the announcement: a recording is the body, with all else in the address; a text is among that.
fn request(daemon: &Daemon, command: &SayCommand) -> anyhow::Result<RequestBuilder> {
    let SayCommand { to, player_volume, chime, volume, repeat, .. } = command;
    let place = to.as_deref().map_or(("room", &*command.room), |to| ("to", to));
    let priority = if command.urgent { "urgent" } else { "normal" };
    let mut wish = json!({ "volume": volume, "repeat": repeat, "priority": priority });
    wish[place.0] = json!(place.1);
    chime.iter().for_each(|chime| wish["chime"] = json!(chime));
    player_volume.iter().for_each(|percent| wish["player_volume"] = json!(percent));
    match &command.content {
        SayContent::Text(text, language) => {
            wish["text"] = json!(text);
            language.iter().for_each(|language| wish["language"] = json!(language));
            Ok(daemon.client.post(daemon.url("api/announce")?).timeout(SPEECH_TIMEOUT).json(&wish))
        }
        SayContent::File(path) => {
            let recording = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            wish["name"] = json!(path.file_stem().unwrap_or_default().to_string_lossy());
            let mut url = daemon.url("api/announce/clip")?;
            for (name, value) in wish.as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                url.query_pairs_mut().append_pair(name, &value);
            }
            Ok(daemon.client.post(url).body(recording))
        }
    }
}

/// Tells how far it is until it is over.
async fn follow(daemon: &Daemon, url: &Url) -> anyhow::Result<()> {
    let mut told = String::new();
    loop {
        let state = daemon.json(daemon.client.get(url.clone())).await?;
        let line = progress(&state);
        if line != told {
            tell(&line)?;
            told = line;
        }
        match state["state"].as_str() {
            Some("playing" | "waiting") => tokio::time::sleep(LOOK_INTERVAL).await,
            Some("played") => {
                println!();
                return Ok(());
            }
            other => {
                println!();
                bail!("{}: {}", other.unwrap_or("unknown"), reasons(&state))
            }
        }
    }
}

/// Why it was not heard, in each place where it was not.
fn reasons(state: &Value) -> String {
    let why = |part: &Value| part["message"].as_str().unwrap_or("before its end").to_owned();
    let place =
        |part: &Value| ["room", "player", "destination"].iter().find_map(|key| Some(part[*key].as_str()?.to_owned()));
    match state["parts"].as_array() {
        None => why(state),
        Some(parts) => {
            let failed = parts.iter().filter(|part| part["state"] != "played");
            let told = failed.map(|part| format!("{}: {}", place(part).unwrap_or_default(), why(part)));
            told.collect::<Vec<_>>().join("; ")
        }
    }
}

/// How many places are how far.
fn progress_of_parts(parts: &[Value]) -> String {
    let words = ["playing", "waiting", "played", "stopped", "displaced", "failed", "unknown"];
    let counted = words.into_iter().map(|word| (word, parts.iter().filter(|part| part["state"] == word).count()));
    let told = counted.filter(|(_, count)| *count > 0).map(|(word, count)| format!("{word} in {count}"));
    format!("{} of {}", told.collect::<Vec<_>>().join(", "), parts.len())
}

fn progress(state: &Value) -> String {
    if let Some(parts) = state["parts"].as_array() {
        return progress_of_parts(parts);
    }
    match state["state"].as_str() {
        Some("waiting") => format!("waiting behind {}", state["position"]),
        Some("playing") => {
            let played = state["played"].as_f64().unwrap_or_default();
            let of = state["duration"].as_f64().map(|duration| format!(" of {duration:.0}")).unwrap_or_default();
            format!("playing, {played:.0}{of} s")
        }
        other => other.unwrap_or("unknown").to_owned(),
    }
}
