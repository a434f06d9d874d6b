//! The daemon on this machine, as commands ask something of it.

use std::io::{IsTerminal, Write};
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value;
use voice_relay::access::{Claims, Scope, Tokens};
use voice_relay::config::{AccessMode, Config};
use voice_relay::data::DataFolder;

use super::health;

/// Of one request; a recording is sent within it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Between two looks at how far something is.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The token that we make for ourselves is good for so long: until the longest file was heard.
const TOKEN_LIFE: Duration = Duration::from_secs(86_400);

/// The one on this machine.
pub(super) struct Daemon {
    pub(super) client: Client,
    base: Url,
    token: Option<String>,
}

impl Daemon {
    /// The one of this configuration, by this token or one that we make for ourselves: for this room alone, if one is named.
    pub(super) fn of(config: &Config, token: Option<&String>, room: Option<&str>) -> anyhow::Result<Self> {
        let address = health::address(config.bind, config.http.port)?;
        let client = Client::builder().timeout(TIMEOUT).no_proxy().build().context("cannot speak HTTP")?;
        let token = match token {
            Some(token) => Some(token.clone()),
            None => own_token(room, config)?,
        };
        Ok(Self { client, base: Url::parse(&format!("http://{address}/"))?, token })
    }

    pub(super) fn url(&self, path: &str) -> anyhow::Result<Url> {
        self.base.join(path).context("no address")
    }

    /// What the daemon answers, if it does what it is asked.
    pub(super) async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Response> {
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

    pub(super) async fn json(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let text = self.answer(request).await?.text().await.context("the daemon does not answer")?;
        serde_json::from_str(&text).context("this is no answer of a voice-relay")
    }
}

/// Whoever may read the data folder may make tokens; one is needed only where access is by token.
fn own_token(room: Option<&str>, config: &Config) -> anyhow::Result<Option<String>> {
    if config.access != AccessMode::Token {
        return Ok(None);
    }
    let scopes = [Scope::Listen, Scope::Talk, Scope::Share].into_iter().collect();
    let claims = Claims::new(scopes, room.map(str::to_owned), None, SystemTime::now(), TOKEN_LIFE);
    let signed = Tokens::new(DataFolder::new(config.data_dir.clone())).sign(&claims);
    signed.map(Some).with_context(|| format!("cannot make a token in {}; --token gives one", config.data_dir.display()))
}

/// On a terminal in place of what was told before, elsewhere a line each.
pub(super) fn tell(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let (before, after) = if out.is_terminal() { ("\r\x1b[K", "") } else { ("", "\n") };
    write!(out, "{before}{line}{after}").and_then(|()| out.flush()).context("cannot write to the standard output")
}
