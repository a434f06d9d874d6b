//! The daemon's story: read the configuration, start logging, build the parts, run, drain, exit.

mod cli;

use std::process::ExitCode;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use voice_relay::app::App;
use voice_relay::config::{self, CliCommand, Config, Invocation, LoadError};
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
        CliCommand::Serve => serve(&invocation),
        CliCommand::Health => cli::ask_health(invocation.config.bind, invocation.config.http.port),
        CliCommand::Say(command) => cli::announce(command, &invocation.config),
        CliCommand::Ring(command) => cli::ring(command, &invocation.config),
        CliCommand::Devices => cli::print(&cli::devices()),
        CliCommand::Token(command) => cli::token(command, &invocation.config),
        CliCommand::PrintConfig => cli::print(&config::print(&invocation)),
        CliCommand::GenerateDocs => cli::print(&config::markdown()),
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
