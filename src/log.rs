//! The log: lines to the standard error output, by a thread of its own. Whoever has something to say puts it into a
//! bounded queue and goes on; what finds no place there is dropped and counted, so that a pipe which nobody reads never
//! stops a voice.

use std::io::{self, IsTerminal};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use crate::config::{LogConfig, LogFormat};

/// Lines that may wait to be written.
const QUEUE: usize = 4_096;

/// What still waits at the end is written within this time, or not at all.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Libraries that say more than anybody wants to know: PulseAudio at every try to connect, symphonia of every audio file,
/// str0m of a codec that we do not use in every description, SCTP of every client that leaves, as an error. `log.level`
/// may say otherwise.
const QUIET: &str = "pulseaudio=off,symphonia=off,str0m::format=error,sctp_proto=off";

/// Ours, which say nothing that is secret at any level.
const OURS: &str = "voice_relay";

/// The ICE library, which writes passwords one level above the lowest.
const ICE: &str = "is::";

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// The log while it is written.
pub struct Log(WorkerGuard);

/// Lines that were dropped, since nobody took those before them.
pub fn lines_dropped() -> u64 {
    DROPPED.get().map_or(0, |dropped| dropped.dropped_lines() as u64)
}

/// Starts it; everything that is said from then on is in it.
///
/// # Panics
/// When there is one already.
pub fn start(config: &LogConfig) -> Log {
    let (writer, guard) =
        NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE).thread_name("log").finish(io::stderr());
    DROPPED.get_or_init(|| writer.error_counter());
    let levels = levels(&config.level);
    let lines = tracing_subscriber::fmt::layer::<Registry>().with_ansi(io::stderr().is_terminal()).with_writer(writer);
    let lines = match config.format {
        LogFormat::Human => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
    Log(guard)
}

/// What is said at this level, as `log.level` gives it.
fn levels(level: &str) -> impl Filter<Registry> + use<> {
    // Without the hint nothing would be known to be too low for both, and libraries would ask about each line that they do
    // not write: a sixth of what WebSockets cost.
    let discreet = filter_fn(is_discreet).with_max_level_hint(LevelFilter::TRACE);
    EnvFilter::new(format!("{QUIET},{level}")).and(discreet)
}

/// Whether something may be said at all, whatever `log.level` is: libraries write whole messages to their lowest level,
/// and with them PINs, keys, passwords of ICE and what people write to each other.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let lowest = if target.starts_with(ICE) { Level::INFO } else { Level::DEBUG };
    target.starts_with(OURS) || *metadata.level() <= lowest
}

impl Log {
    /// Writes what still waits, unless nobody reads it.
    pub fn flush(self) {
        let (done, written) = mpsc::channel::<()>();
        thread::spawn(move || {
            drop(self.0);
            drop(done);
        });
        // The error is that it is done.
        let _ = written.recv_timeout(LAST_WORDS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_low_to_be_said_is_known_without_being_looked_at() {
        assert_eq!(levels("warn").max_level_hint(), Some(LevelFilter::WARN));
        assert_eq!(levels("info,voice_relay=debug").max_level_hint(), Some(LevelFilter::DEBUG));
        assert_eq!(levels("off").max_level_hint(), Some(LevelFilter::ERROR), "the quiet ones are named with a level");
    }
}
