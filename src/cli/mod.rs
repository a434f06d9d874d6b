//! Commands besides the daemon: what `voice-relay` does when it is asked for something, and ends.

mod daemon;
mod devices;
mod health;
mod ring;
mod say;
mod token;

use std::io::Write;

use anyhow::Context;

pub(crate) use devices::devices;
pub(crate) use health::ask as ask_health;
pub(crate) use ring::ring;
pub(crate) use say::announce;
pub(crate) use token::token;

/// Writes a text to the standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to the standard output")
}
