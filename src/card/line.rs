//! A stream that is kept open: looks whether its device is there, opens, closes, and opens it again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Instant;

use tracing::{info, warn};

use super::Direction;
use super::backend::Target;
use super::stats::{CardStats, add};
use super::stream::{OpenStream, Signals, StreamError};
use super::supervisor::{DevicePresence, Signs, Step, Supervisor};
use super::watch::{Sight, Watch};

/// How a stream is opened; `End` is our end of it.
type Open<End> = fn(&Target, &Arc<Signals>) -> Result<OpenStream<End>, StreamError>;

/// The way to one device, whether or not there is a stream on it now.
pub(super) struct DeviceLine<End> {
    /// The device as people named it, for the log.
    wish: String,
    direction: Direction,
    open: Open<End>,
    watch: Watch,
    supervisor: Supervisor,
    stream: Option<Attempt<End>>,
    stats: Arc<CardStats>,
    /// A stream has been open before.
    was_open: bool,
    /// People have been told that there is no sound.
    complained: bool,
}

/// A stream, from the decision to open it on.
struct Attempt<End> {
    target: Arc<Target>,
    signals: Arc<Signals>,
    coming: Receiver<Result<OpenStream<End>, StreamError>>,
    opened: Option<OpenStream<End>>,
    /// Callbacks when it was open.
    first: u64,
}

impl<End: Send + 'static> DeviceLine<End> {
    /// To a device, by `default`, its id or its name.
    pub(super) fn start(
        wish: String,
        direction: Direction,
        open: Open<End>,
        stats: Arc<CardStats>,
    ) -> io::Result<Self> {
        let watch = Watch::start(&wish, direction)?;
        let supervisor = Supervisor::new(Instant::now());
        Ok(Self { wish, direction, open, watch, supervisor, stream: None, stats, was_open: false, complained: false })
    }

    /// Does what is due. Not to be called by other threads than the one that is to be woken by the
    /// callbacks.
    pub(super) fn tend(&mut self, now: Instant) {
        self.take_opened(now);
        let sight = self.watch.sight(now);
        match self.supervisor.step(now, self.signs(&sight)) {
            Step::Wait => self.explain(&sight),
            Step::Open => self.begin(&sight, now),
            Step::Close(loss) => {
                self.close();
                self.complain(&loss);
            }
        }
    }

    /// The stream, when sound flows: its signals and our end.
    pub(super) fn flow(&mut self) -> Option<(&Signals, &mut End)> {
        let Attempt { signals, opened, first, .. } = self.stream.as_mut()?;
        // The first callback of an idle PulseAudio sink comes two seconds before the next: what was
        // given to it would be heard that much too late.
        let flows = signals.callbacks() > *first;
        opened.as_mut().filter(|_| flows).map(|opened| (&**signals, &mut opened.end))
    }

    /// Callbacks of the stream that came in vain since last asked are added to the counter.
    pub(super) fn count_misses(&self, counter: impl Fn(&CardStats) -> &AtomicU64) -> bool {
        let misses = self.stream.as_ref().map_or(0, |stream| stream.signals.take_misses());
        add(counter(&self.stats), misses);
        misses > 0
    }

    fn signs(&self, sight: &Sight) -> Signs {
        let presence = match (sight, &self.stream) {
            // The default may be another device now, or ALSA's have become PulseAudio's.
            (Sight::There(target), Some(stream)) if *target != stream.target => DevicePresence::Gone,
            (Sight::There(_), _) => DevicePresence::There,
            (Sight::Gone(_), _) => DevicePresence::Gone,
            (Sight::Looking | Sight::Hung, _) => DevicePresence::Unknown,
        };
        let signals = self.stream.as_ref().map(|stream| &stream.signals);
        Signs {
            presence,
            callbacks: signals.map_or(0, |signals| signals.callbacks()),
            failed: signals.is_some_and(|signals| signals.failed()),
        }
    }

    /// Opens on a thread of its own, since that may block for ever.
    fn begin(&mut self, sight: &Sight, now: Instant) {
        let Sight::There(target) = sight else { return self.supervisor.refused(now) };
        let (sender, coming) = mpsc::channel();
        let signals = Arc::new(Signals::new());
        let work = {
            let (open, target, signals) = (self.open, Arc::clone(target), Arc::clone(&signals));
            // When nobody waits any more, the stream is closed right here.
            move || drop(sender.send(open(&target, &signals)))
        };
        match thread::Builder::new().name("card-open".into()).spawn(work) {
            Ok(_) => {
                let target = Arc::clone(target);
                self.stream = Some(Attempt { target, signals, coming, opened: None, first: 0 });
            }
            Err(error) => {
                self.supervisor.refused(now);
                self.complain(&error);
            }
        }
    }

    fn take_opened(&mut self, now: Instant) {
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.opened.is_none()) else { return };
        match stream.coming.try_recv() {
            Ok(Ok(opened)) => {
                stream.first = stream.signals.callbacks();
                // What it took while it was being opened is no measure of what it will take.
                stream.signals.take_largest();
                self.supervisor.opened(now);
                self.announce(opened.rate);
                if let Some(stream) = &mut self.stream {
                    stream.opened = Some(opened);
                }
            }
            Ok(Err(error)) => self.refuse(now, &error),
            // The thread that was opening it has panicked.
            Err(TryRecvError::Disconnected) => self.refuse(now, &"opening it failed"),
            Err(TryRecvError::Empty) => {}
        }
    }

    fn refuse(&mut self, now: Instant, reason: &dyn std::fmt::Display) {
        self.close();
        self.supervisor.refused(now);
        self.complain(reason);
    }

    fn close(&mut self) {
        self.stream = None;
        self.stats.running.store(false, Ordering::Relaxed);
    }

    fn announce(&mut self, rate: u32) {
        let Some(Attempt { target, .. }) = &self.stream else { return };
        info!(device = target.id, backend = %target.backend, rate, "the {} is on", self.noun());
        add(&self.stats.reopened, self.was_open.into());
        self.stats.running.store(true, Ordering::Relaxed);
        (self.was_open, self.complained) = (true, false);
    }

    /// Says why there is no stream.
    fn explain(&mut self, sight: &Sight) {
        match sight {
            Sight::Gone(reason) if self.stream.is_none() => self.complain(reason),
            Sight::Hung if self.stream.is_none() => self.complain(&"the sound server does not answer"),
            _ => {}
        }
    }

    /// Once for each time that there is no sound.
    fn complain(&mut self, reason: &dyn std::fmt::Display) {
        if !self.complained {
            self.complained = true;
            warn!(device = self.wish, %reason, "there is no {}; waiting for it", self.noun());
        }
    }

    fn noun(&self) -> &'static str {
        match self.direction {
            Direction::Output => "loudspeaker",
            Direction::Input => "microphone",
        }
    }
}

impl<End> Drop for DeviceLine<End> {
    fn drop(&mut self) {
        self.stats.running.store(false, Ordering::Relaxed);
    }
}
