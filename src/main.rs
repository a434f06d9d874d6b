//! The daemon's story: read the configuration, start logging, build the parts, run, drain, exit.

mod health;
mod say;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use voice_relay::app::App;
use voice_relay::card::{self, Device, Direction};
use voice_relay::config::{
    self, Command, Config, Invocation, LoadError, LogConfig, LogFormat, SayCommand, TokenCommand,
};
use voice_relay::data::DataFolder;
use voice_relay::hass;
use voice_relay::http::{Claims, Tokens};

/// The command line or the configuration is wrong (EX_USAGE of sysexits.h).
const EXIT_USAGE: u8 = 64;

/// Libraries that say more than anybody wants to know: PulseAudio at every try to connect, symphonia of every audio file,
/// str0m of a codec that we do not use in every description. `log.level` may say otherwise.
const QUIET: &str = "pulseaudio=off,symphonia=off,str0m::format=error";

fn main() -> ExitCode {
    let invocation = match config::load(std::env::args_os(), environment()) {
        Ok(invocation) => invocation,
        Err(error) => return explain(&error),
    };
    let result = match &invocation.command {
        Command::Serve => serve(&invocation),
        Command::Health => health::ask(invocation.config.bind, invocation.config.http.port),
        Command::Say(asked) => announce(asked, &invocation.config),
        Command::Devices => print(&devices()),
        Command::Token(asked) => token(asked, &invocation.config),
        Command::PrintConfig => print(&config::print(&invocation)),
        Command::GenerateDocs => print(&config::markdown()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("voice-relay: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is not Unicode is none of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to the standard output")
}

/// Has the running daemon announce something, and waits until it was heard.
fn announce(asked: &SayCommand, config: &Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(say::announce(asked, config))
}

/// A line a device: its direction, whether it is the default, its id, and what people call it.
fn devices() -> String {
    let devices = card::devices();
    if devices.is_empty() {
        return "There is no sound device, or no access to it.\n".into();
    }
    let line = |device: &Device| {
        let direction = if device.direction == Direction::Output { "output" } else { "input" };
        let default = if device.is_default { "*" } else { " " };
        format!("{direction:<6} {default} {:<40} {} ({})\n", device.id, device.name, device.backend)
    };
    devices.iter().map(line).collect()
}

/// Makes a token and says how to use it, or takes one back.
fn token(asked: &TokenCommand, config: &Config) -> anyhow::Result<()> {
    let tokens = Tokens::new(DataFolder::new(config.data_dir.clone()));
    let folder = || format!("cannot keep tokens in {}; data_dir sets where", config.data_dir.display());
    match asked {
        TokenCommand::Revoke(id) => tokens.revoke(*id).with_context(folder),
        TokenCommand::Make { scopes, room, name, life } => {
            let scopes = scopes.iter().copied().collect();
            let claims = Claims::new(scopes, room.clone(), name.clone(), SystemTime::now(), *life);
            let token = tokens.sign(&claims).with_context(folder)?;
            let (page, mp3) = (config.http.port, config.mp3.port);
            print(&format!(
                "{token}\n\n\
                 page    http://<this machine>:{page}/t/{token}/\n\
                 player  http://<this machine>:{mp3}/t/{token}/stream/latest.mp3\n\
                 revoke  voice-relay token --revoke {}\n",
                claims.jti
            ))
        }
    }
}

fn explain(error: &LoadError) -> ExitCode {
    match error {
        // Help and version are asked for as errors, too.
        LoadError::Usage(usage) => {
            let _ = usage.print();
            if usage.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS }
        }
        error => {
            eprintln!("voice-relay: {error}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn serve(Invocation { config, unknown_app_options, .. }: &Invocation) -> anyhow::Result<()> {
    start_logging(&config.log);
    for name in unknown_app_options {
        tracing::warn!(name, "there is no such option of the app; it is left out");
    }
    allow_many_connections();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let home = hass::ask(&config.hass).await.unwrap_or_default();
        let app = App::start(config, &home)?;
        println!("voice-relay {} listens: {}", env!("CARGO_PKG_VERSION"), app.ports);
        wait_for_end().await?;
        tracing::info!("shutting down");
        app.stop().await;
        Ok(())
    })
}

fn start_logging(config: &LogConfig) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{QUIET},{}", config.level)))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.format {
        LogFormat::Human => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

/// Systems begin with a thousand descriptors, fewer than `limits.sockets`; a program may ask for more by itself.
fn allow_many_connections() {
    if let Err(error) = rlimit::increase_nofile_limit(rlimit::INFINITY) {
        tracing::warn!(%error, "cannot raise the limit of open files: fewer clients may connect");
    }
}

/// Until SIGTERM or SIGINT.
async fn wait_for_end() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}
