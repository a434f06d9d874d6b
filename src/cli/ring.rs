//! `voice-relay ring`: has the daemon on this machine call somebody, and waits until it is over.

use anyhow::{Context, bail};
use serde_json::{Value, json};
use voice_relay::config::{Config, RingCommand};

use super::daemon::{Daemon, LOOK_INTERVAL, tell};

/// Has the running daemon call somebody, and waits until they have answered.
pub(crate) fn ring(command: &RingCommand, config: &Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(call(command, config))
}

async fn call(command: &RingCommand, config: &Config) -> anyhow::Result<()> {
    let RingCommand { to, name, room, seconds, token } = command;
    let daemon = Daemon::of(config, token.as_ref(), None)?;
    let mut wish = json!({ "to": to });
    name.iter().for_each(|name| wish["name"] = json!(name));
    room.iter().for_each(|room| wish["room"] = json!(room));
    seconds.iter().for_each(|seconds| wish["seconds"] = json!(seconds));
    let begun = daemon.json(daemon.client.post(daemon.url("api/calls")?).json(&wish)).await?;
    let id = begun["id"].as_str().context("this is no answer of a voice-relay")?;
    let url = daemon.url(&format!("api/calls/{id}"))?;
    let follow = async {
        let mut told = String::new();
        loop {
            let call = daemon.json(daemon.client.get(url.clone())).await?;
            if call["state"] == "over" {
                return ended(&call);
            }
            let line = progress(&call);
            if line != told {
                tell(&line)?;
                told = line;
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    };
    tokio::select! {
        over = follow => over,
        _ = tokio::signal::ctrl_c() => {
            daemon.answer(daemon.client.delete(url.clone())).await?;
            bail!("cancelled")
        }
    }
}

fn progress(call: &Value) -> String {
    if call["state"] == "answered" {
        return "answered".to_owned();
    }
    let ringing = call["to"].as_array().into_iter().flatten().filter(|callee| callee["state"] == "ringing");
    let names: Vec<_> = ringing.filter_map(|callee| callee["name"].as_str()).collect();
    format!("ringing at {}", names.join(", "))
}

fn ended(call: &Value) -> anyhow::Result<()> {
    match (call["answered_by"].as_str(), call["outcome"].as_str()) {
        (Some(who), _) => {
            tell(&format!("answered by {who}"))?;
            println!();
            Ok(())
        }
        (None, outcome) => {
            println!();
            bail!("{}", outcome.unwrap_or("over"))
        }
    }
}
