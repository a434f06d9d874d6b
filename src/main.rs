//! The daemon's story: read the configuration, start logging, build the parts, run, drain, exit.

mod health;
mod say;

use std::io::Write;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use voice_relay::access::{Claims, Tokens};
use voice_relay::app::App;
use voice_relay::card::{self, Device, Direction};
use voice_relay::config::{self, Command, Config, Invocation, LoadError, SayCommand, TokenCommand};
use voice_relay::data::DataFolder;
use voice_relay::hass;
use voice_relay::library;
use voice_relay::log;

/// The command line or the configuration is wrong (EX_USAGE of sysexits.h).
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    if let Some(read) = library::run_if_asked(std::env::args_os()) {
        return read;
    }
    // By that name it is this very program, also when a newer one has taken its place.
    library::read_by("/proc/self/exe".into());
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
    let log = log::start(&config.log);
    for name in unknown_app_options {
        tracing::warn!(name, "there is no such option of the app; it is left out");
    }
    allow_many_connections();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let result = runtime.block_on(run(config));
    // Whatever is being decoded is given up.
    runtime.shutdown_background();
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    log.flush();
    result
}

/// Until somebody ends it, or something in it ends that must not.
async fn run(config: &Config) -> anyhow::Result<()> {
    let home = hass::ask(&config.hass).await.unwrap_or_default();
    let mut app = App::start(config, &home)?;
    println!("voice-relay {} listens: {}", env!("CARGO_PKG_VERSION"), app.ports);
    #[cfg(debug_assertions)]
    kill_for_a_test(&app).await;
    let failed = tokio::select! {
        ended = wait_for_end() => ended.map(|()| None)?,
        name = app.failed() => Some(name),
    };
    if let Some(name) = failed {
        // Nobody is told goodbye: whoever could do that may be what ended.
        bail!("the {name} task ended, which must not end by itself: the process ends, to be started again");
    }
    tracing::info!("shutting down");
    app.stop().await;
    Ok(())
}

/// Lets a part of the daemon end as a fault would, if a test asks for it. Not in a release.
#[cfg(debug_assertions)]
async fn kill_for_a_test(app: &App) {
    if let Ok(name) = std::env::var("VOICE_RELAY_TEST_KILL") {
        assert!(app.kill(&name).await, "there is no part called {name}");
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
