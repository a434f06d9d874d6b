//! The sound card of this machine: a loudspeaker that asks for samples, a microphone that hands them
//! over, and the list of devices that people choose from.
//!
//! A [`Loudspeaker`] or [`Microphone`] is one thread of ours and lasts as long as its value, whatever
//! happens to the device. `line` keeps its stream open: `watch` says whether the device is there,
//! `supervisor` decides when to open and to give up, `stream` opens and carries samples between the
//! callback and a lock-free ring. `backend` is what is known of PulseAudio and ALSA. `convert`,
//! `depth` and `volume` are the arithmetic, without clocks and devices. Nothing here knows Opus,
//! packets or rooms: sound is 48 kHz mono on both sides.
//!
//! Sound servers hang, die and come back, and then nearly every call into them may block for ever.
//! So each such call is made on a thread that nobody waits for.

mod backend;
mod convert;
mod depth;
mod line;
mod loudspeaker;
mod microphone;
mod stats;
mod stream;
mod supervisor;
mod volume;
mod watch;
mod worker;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Serialize;

pub use loudspeaker::Loudspeaker;
pub use microphone::Microphone;
pub use stats::CardStats;
pub use volume::Volume;

/// Samples a second towards the rest of the program.
const SAMPLE_RATE: u32 = 48_000;

/// Samples that a loudspeaker asks for at once: 10 ms, since it waits for each piece to be used up.
const BLOCK: usize = 480;

/// The device that the machine itself would take.
const DEFAULT: &str = "default";

/// A server that hangs costs a request this much, not more.
const LISTING_TIMEOUT: Duration = Duration::from_secs(2);

/// Listings that may wait for a server that hangs; each is a thread.
const LISTINGS: usize = 4;

/// Which way the sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Out of the program: a loudspeaker.
    Output,
    /// Into the program: a microphone.
    Input,
}

/// A sound device of this machine, as people choose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    /// What the backend calls it: stable, and unique for a backend and direction.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether it plays or records.
    pub direction: Direction,
    /// `pulseaudio` or `alsa`.
    pub backend: String,
    /// This is what `default` means now.
    pub is_default: bool,
}

/// The devices there are now. Takes two seconds at most, and is empty when the server says nothing by
/// then.
pub fn devices() -> Vec<Device> {
    static WAITING: AtomicUsize = AtomicUsize::new(0);
    if WAITING.fetch_add(1, Ordering::Relaxed) >= LISTINGS {
        WAITING.fetch_sub(1, Ordering::Relaxed);
        return Vec::new();
    }
    let (sender, listed) = mpsc::channel();
    let list = move || {
        // Nobody may be waiting any more.
        let _ = sender.send(backend::pulse_devices().or_else(|_| backend::alsa_devices()));
        WAITING.fetch_sub(1, Ordering::Relaxed);
    };
    if thread::Builder::new().name("card-list".into()).spawn(list).is_err() {
        WAITING.fetch_sub(1, Ordering::Relaxed);
        return Vec::new();
    }
    listed.recv_timeout(LISTING_TIMEOUT).ok().and_then(Result::ok).unwrap_or_default()
}
