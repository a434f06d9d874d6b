//! The load generator: senders and receivers for a voice relay, ours or another, and what they measure.
//!
//! One thread sends, the other receives; both sans-IO, on str0m. It measures delay from the sender's call of the kernel
//! to the kernel's stamp of arrival, so that how busy it is itself does not count, and says so when it was too busy to be
//! believed. Loads stay on this machine and in private networks, and end by themselves.

mod arguments;
mod crowd;
mod ground;
mod hearing;
mod histogram;
mod load;
mod meter;
mod modes;
mod peer;
mod point;
mod process;
mod reach;
mod receiver;
mod sender;
mod server;
mod signal;
mod voice;

use std::process::ExitCode;

use anyhow::Context;

/// The command line is wrong (EX_USAGE of sysexits.h), as the daemon says it.
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let plan = match arguments::read(std::env::args_os()) {
        Ok(plan) => plan,
        Err(error) => {
            // Help and version are asked for as errors, too; who cannot read them is not there.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match put_on(&plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("voice-relay-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn put_on(plan: &arguments::Plan) -> anyhow::Result<()> {
    rlimit::increase_nofile_limit(rlimit::INFINITY).context("cannot have more open files")?;
    modes::run(plan).context("nothing was measured")
}
