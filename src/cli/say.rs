//! `voice-relay say`: has the daemon on this machine announce a file or a text, and waits until it was heard.

use std::io::{IsTerminal, Write};
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::{Value, json};
use voice_relay::access::{Claims, Scope, Tokens};
use voice_relay::config::{AccessMode, Config, SayCommand, SayContent};
use voice_relay::data::DataFolder;

use super::health;

/// Of one request; a recording is sent within it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Of one that waits for Home Assistant to speak.
const SPEECH_TIMEOUT: Duration = Duration::from_secs(90);

/// Between two looks at how far it is.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The token that we make for ourselves is good for so long: until the longest file was heard.
const TOKEN_LIFE: Duration = Duration::from_secs(86_400);

/// Has the running daemon announce something, and waits until it was heard.
pub(crate) fn announce(command: &SayCommand, config: &Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(send(command, config))
}

/// Sends what is to be announced and tells how far it is until it was heard; stops it where the user does not want to wait.
async fn send(command: &SayCommand, config: &Config) -> anyhow::Result<()> {
    let daemon = Daemon::of(command, config)?;
    let announced = daemon.json(daemon.request(command)?).await?;
    let id = announced["id"].as_str().context("this is no answer of a voice-relay")?;
    let url = daemon.url(&format!("api/announce/{id}"))?;
    tokio::select! {
        heard = daemon.follow(&url) => heard,
        _ = tokio::signal::ctrl_c() => {
            daemon.answer(daemon.client.delete(url)).await?;
            bail!("stopped")
        }
    }
}

/// The one on this machine.
struct Daemon {
    client: Client,
    base: Url,
    token: Option<String>,
}

impl Daemon {
    fn of(command: &SayCommand, config: &Config) -> anyhow::Result<Self> {
        let address = health::address(config.bind, config.http.port)?;
        let client = Client::builder().timeout(TIMEOUT).no_proxy().build().context("cannot speak HTTP")?;
        let token = match &command.token {
            Some(token) => Some(token.clone()),
            None => own_token(command, config)?,
        };
        Ok(Self { client, base: Url::parse(&format!("http://{address}/"))?, token })
    }

    fn url(&self, path: &str) -> anyhow::Result<Url> {
        self.base.join(path).context("no address")
    }

    /// What asks for the announcement: a recording is the body, with all else in the address; a text is among that.
    fn request(&self, command: &SayCommand) -> anyhow::Result<RequestBuilder> {
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
                Ok(self.client.post(self.url("api/announce")?).timeout(SPEECH_TIMEOUT).json(&wish))
            }
            SayContent::File(path) => {
                let recording = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
                wish["name"] = json!(path.file_stem().unwrap_or_default().to_string_lossy());
                let mut url = self.url("api/announce/clip")?;
                for (name, value) in wish.as_object().into_iter().flatten() {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    url.query_pairs_mut().append_pair(name, &value);
                }
                Ok(self.client.post(url).body(recording))
            }
        }
    }

    /// What the daemon answers, if it does what it is asked.
    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.with_context(|| format!("no voice-relay answers at {}", self.base))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        bail!("{} ({status})", answer.text().await.unwrap_or_default())
    }

    async fn json(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let text = self.answer(request).await?.text().await.context("the daemon does not answer")?;
        serde_json::from_str(&text).context("this is no answer of a voice-relay")
    }

    /// Tells how far it is until it is over.
    async fn follow(&self, url: &Url) -> anyhow::Result<()> {
        let mut told = String::new();
        loop {
            let state = self.json(self.client.get(url.clone())).await?;
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
}

/// Whoever may read the data folder may make tokens; one is needed only where access is by token.
fn own_token(command: &SayCommand, config: &Config) -> anyhow::Result<Option<String>> {
    if config.access != AccessMode::Token {
        return Ok(None);
    }
    let scopes = [Scope::Listen, Scope::Talk, Scope::Share].into_iter().collect();
    let room = command.to.is_none().then(|| command.room.clone());
    let claims = Claims::new(scopes, room, None, SystemTime::now(), TOKEN_LIFE);
    let signed = Tokens::new(DataFolder::new(config.data_dir.clone())).sign(&claims);
    signed.map(Some).with_context(|| format!("cannot make a token in {}; --token gives one", config.data_dir.display()))
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

/// On a terminal in place of what was told before, elsewhere a line each.
fn tell(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let (before, after) = if out.is_terminal() { ("\r\x1b[K", "") } else { ("", "\n") };
    write!(out, "{before}{line}{after}").and_then(|()| out.flush()).context("cannot write to the standard output")
}
