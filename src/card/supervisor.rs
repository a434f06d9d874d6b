//! When to open a stream, and when to give it up. Only decisions: time and signs are passed in.

use std::time::{Duration, Instant};

/// First wait after a refusal or a loss; it doubles with each.
const BACKOFF: Duration = Duration::from_millis(500);

/// The longest wait: a device that comes back is used within this time.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// A stream that lasted so long was no mistake: the next loss waits the first wait again.
const LASTING: Duration = Duration::from_secs(10);

/// Callbacks until a stream counts as flowing.
const SETTLED: u64 = 10;

/// An idle PulseAudio sink takes two seconds from the first callback to the next.
const FIRST_PATIENCE: Duration = Duration::from_secs(3);

/// A stream that flows calls every 10 ms or so; one that hangs raises no error.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DevicePresence {
    /// It is, and its server answers.
    There,
    /// It is not, or a stream that is open is on another one.
    Gone,
    /// The server has not said.
    Unknown,
}

/// What is known at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signs {
    pub(super) presence: DevicePresence,
    /// Callbacks of the stream so far.
    pub(super) callbacks: u64,
    /// The stream has reported an error.
    pub(super) failed: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    Open,
    Close(Loss),
}

/// Why a stream is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Loss {
    #[error("the device is gone, or another one is the default")]
    Gone,
    #[error("the sound server or driver ended the stream")]
    Failed,
    #[error("the device takes or brings no sound any more")]
    Stalled,
}

#[derive(Debug)]
enum SupervisorState {
    Closed {
        retry_at: Instant,
    },
    /// Opening may take for ever: a suspended source opens when it is resumed.
    Opening,
    Open {
        since: Instant,
        callbacks: u64,
        /// When the callbacks were seen to advance.
        heard: Instant,
    },
}

/// Decides for one stream.
#[derive(Debug)]
pub(super) struct Supervisor {
    state: SupervisorState,
    backoff: Duration,
}

impl Supervisor {
    /// Nothing is open, and may be at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { state: SupervisorState::Closed { retry_at: now }, backoff: BACKOFF }
    }

    /// What to do now. After [`Step::Open`], the outcome is to be told; after [`Step::Close`] nothing.
    pub(super) fn step(&mut self, now: Instant, signs: Signs) -> Step {
        let loss = match &mut self.state {
            SupervisorState::Closed { retry_at } => {
                if signs.presence != DevicePresence::There || now < *retry_at {
                    return Step::Wait;
                }
                self.state = SupervisorState::Opening;
                return Step::Open;
            }
            SupervisorState::Opening => lost(signs),
            SupervisorState::Open { since, callbacks, heard } => {
                if signs.callbacks > *callbacks {
                    (*callbacks, *heard) = (signs.callbacks, now);
                }
                let timeout = if *callbacks < SETTLED { FIRST_PATIENCE } else { PATIENCE };
                if now.duration_since(*since) >= LASTING {
                    self.backoff = BACKOFF;
                }
                lost(signs).or((now.duration_since(*heard) > timeout).then_some(Loss::Stalled))
            }
        };
        loss.map_or(Step::Wait, |loss| {
            self.retreat(now);
            Step::Close(loss)
        })
    }

    /// The stream is open.
    pub(super) fn opened(&mut self, now: Instant) {
        self.state = SupervisorState::Open { since: now, callbacks: 0, heard: now };
    }

    /// The device would not have it.
    pub(super) fn refused(&mut self, now: Instant) {
        self.retreat(now);
    }

    fn retreat(&mut self, now: Instant) {
        self.state = SupervisorState::Closed { retry_at: now + self.backoff };
        self.backoff = (self.backoff * 2).min(LONGEST_BACKOFF);
    }
}

fn lost(signs: Signs) -> Option<Loss> {
    match signs {
        // First, since a server that loses a device ends its streams as well.
        Signs { presence: DevicePresence::Gone, .. } => Some(Loss::Gone),
        Signs { failed: true, .. } => Some(Loss::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
