//! Mount points: for each program and format that somebody wants, one task that makes it at the pace
//! of the clock, and hands the same bytes to every listener.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::audio::{AudioStats, Encoder, Format, Gains, Gauged, OggStream, TICK, TICK_SAMPLES};
use crate::domain::StreamId;

use super::PacketSource;
use super::host::{self, Dial};
use super::program::{Program, Tuner};

/// Messages that a listener may be behind: about two seconds. A slower one skips.
const BACKLOG: usize = 96;

/// After the end of speech: players cut what comes last, and this is not missed.
const CLOSING_SILENCE: Duration = Duration::from_millis(500);

/// The table of mounts. Cheap to clone.
pub struct Mounts<S> {
    shared: Arc<MountsShared<S>>,
}

struct MountsShared<S> {
    source: S,
    gains: Arc<Gains>,
    stats: Arc<AudioStats>,
    /// Whether the latest of a room, and its mix, go on as silence while nobody speaks.
    outlast: bool,
    /// The running mounts. A mount that ended, or panicked, leaves an entry that leads nowhere.
    running: RunningMounts,
}

type MountKey = (Program, Format);
type RunningMounts = Arc<Mutex<HashMap<MountKey, MountEntry>>>;

/// A mount, as the table knows it.
struct MountEntry {
    header: Bytes,
    messages: broadcast::WeakSender<Bytes>,
}

impl<S> Clone for Mounts<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: PacketSource> Mounts<S> {
    /// No mounts yet, on this source of packets. `outlast`: [`Program::Latest`] and [`Program::Room`] go
    /// on as silence when nobody speaks, instead of ending.
    pub fn new(source: S, outlast: bool, stats: Arc<AudioStats>) -> Self {
        let (gains, running) = (Arc::default(), RunningMounts::default());
        Self { shared: Arc::new(MountsShared { source, gains, stats, outlast, running }) }
    }

    /// How loud each stream is in [`Program::Room`].
    pub fn gains(&self) -> &Gains {
        &self.shared.gains
    }

    /// Joins the listeners of a program; the first one starts its encoder. `None`: the stream is not
    /// live, or the program is not to be had in this format (Ogg of several streams).
    pub async fn listen(&self, program: Program, format: Format) -> Option<Listener> {
        let MountsShared { stats, running, .. } = &*self.shared;
        let key = (program, format);
        if let Some(listener) = join(&lock(running), key, stats) {
            return Some(listener);
        }
        let producer = self.producer(program, format).await?;
        let mut table = lock(running);
        // Somebody else may have started it meanwhile.
        Some(join(&table, key, stats).unwrap_or_else(|| self.start(&mut table, key, producer)))
    }

    /// The samples of what a dial says, for the machine's own loudspeaker: for a thread outside of the
    /// runtime, to be called with the time at which they are to be heard. `own` is left out.
    pub fn pull(
        &self,
        dial: Arc<Dial>,
        own: Option<StreamId>,
        runtime: Handle,
    ) -> impl FnMut(std::time::Instant, &mut [i16]) + Send + use<S> {
        let MountsShared { source, gains, stats, .. } = &*self.shared;
        let tuner = Tuner::new(dial.get(), own, source.clone(), Arc::clone(gains), Arc::clone(stats));
        host::pull(tuner, dial, runtime)
    }

    fn start(&self, table: &mut HashMap<MountKey, MountEntry>, key: MountKey, mut producer: Producer<S>) -> Listener {
        let MountsShared { stats, running, outlast, .. } = &*self.shared;
        let (sender, messages) = broadcast::channel(BACKLOG);
        let header = producer.header();
        table.retain(|_, mount| mount.messages.strong_count() > 0);
        table.insert(key, MountEntry { header: header.clone(), messages: sender.downgrade() });
        let outlast = *outlast && !matches!(key.0, Program::Stream(_));
        let mount = Mount { key, producer, outlast, messages: sender, running: Arc::clone(running) };
        let gauge = Gauged::encoder(stats);
        tokio::spawn(async move {
            mount.run().await;
            drop(gauge);
        });
        Listener { header, messages, stats: Arc::clone(stats) }
    }

    async fn producer(&self, program: Program, format: Format) -> Option<Producer<S>> {
        let MountsShared { source, gains, stats, .. } = &*self.shared;
        match (program, format) {
            (Program::Stream(stream), Format::Ogg) => {
                let packets = source.tap(stream).await?;
                Some(Producer::Ogg(Box::new(OggStream::new(packets, stats))))
            }
            (_, Format::Ogg) => None,
            _ => {
                let mut tuner = Tuner::new(program, None, source.clone(), Arc::clone(gains), Arc::clone(stats));
                tuner.follow().await;
                let is_missing = matches!(program, Program::Stream(_)) && tuner.is_silent();
                (!is_missing)
                    .then(|| Producer::Pcm { tuner: Box::new(tuner), encoder: Encoder::new(format, Arc::clone(stats)) })
            }
        }
    }
}

fn join(table: &HashMap<MountKey, MountEntry>, key: MountKey, stats: &Arc<AudioStats>) -> Option<Listener> {
    let entry = table.get(&key)?;
    let messages = entry.messages.upgrade()?.subscribe();
    Some(Listener { header: entry.header.clone(), messages, stats: Arc::clone(stats) })
}

/// The table is whole at every moment, also after a panic.
fn lock(running: &RunningMounts) -> MutexGuard<'_, HashMap<MountKey, MountEntry>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pace(period: Duration) -> Interval {
    let mut pace = tokio::time::interval(period);
    // A late tick is made up for: a minute of stream is a minute of audio.
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    pace
}

/// One listener of a mount. Dropping it is leaving.
pub struct Listener {
    header: Bytes,
    messages: broadcast::Receiver<Bytes>,
    stats: Arc<AudioStats>,
}

impl Listener {
    /// What comes before everything else: the header of the format, which may be empty.
    pub fn header(&self) -> Bytes {
        self.header.clone()
    }

    /// The next message: one whole frame of MP3, some milliseconds of the others. `None` when the
    /// program has ended. A listener too slow skips some.
    pub async fn next_message(&mut self) -> Option<Bytes> {
        loop {
            match self.messages.recv().await {
                Ok(message) => return Some(message),
                Err(RecvError::Lagged(skipped)) => self.stats.skip_frames(skipped),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Makes the bytes of a program.
enum Producer<S> {
    Pcm { tuner: Box<Tuner<S>>, encoder: Encoder },
    Ogg(Box<OggStream>),
}

impl<S: PacketSource> Producer<S> {
    fn header(&mut self) -> Bytes {
        match self {
            Self::Pcm { encoder, .. } => encoder.header(),
            Self::Ogg(stream) => stream.header(),
        }
    }

    async fn tick(&mut self, now: Instant) -> Bytes {
        match self {
            Self::Pcm { tuner, encoder } => {
                tuner.follow().await;
                let mut pcm = [0; TICK_SAMPLES];
                tuner.fill(now.into_std(), &mut pcm);
                encoder.encode(&pcm)
            }
            Self::Ogg(stream) => stream.tick(now.into_std()),
        }
    }

    /// Nothing is to come of whom it plays, as far as is known.
    fn is_silent(&self) -> bool {
        match self {
            Self::Pcm { tuner, .. } => tuner.is_silent(),
            Self::Ogg(stream) => stream.is_over(),
        }
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Pcm { encoder, .. } => encoder.finish(),
            Self::Ogg(stream) => stream.finish(),
        }
    }
}

/// One running mount.
struct Mount<S> {
    key: MountKey,
    producer: Producer<S>,
    /// It goes on while nobody speaks.
    outlast: bool,
    messages: broadcast::Sender<Bytes>,
    running: RunningMounts,
}

impl<S: PacketSource> Mount<S> {
    async fn run(mut self) {
        let mut pace = pace(TICK);
        let mut silent_since = None;
        loop {
            let now = pace.tick().await;
            if self.leave_if_unheard() {
                return;
            }
            let message = self.producer.tick(now).await;
            send(&self.messages, message);
            silent_since = if self.producer.is_silent() { silent_since.or(Some(now)) } else { None };
            if !self.outlast && silent_since.is_some_and(|since| now - since >= CLOSING_SILENCE) {
                return send(&self.messages, self.producer.finish());
            }
        }
    }

    /// Ends the mount when nobody listens. Nobody can join between the look and the end.
    fn leave_if_unheard(&self) -> bool {
        if self.messages.receiver_count() > 0 {
            return false;
        }
        let mut table = lock(&self.running);
        let unheard = self.messages.receiver_count() == 0;
        if unheard {
            table.remove(&self.key);
        }
        unheard
    }
}

fn send(listeners: &broadcast::Sender<Bytes>, message: Bytes) {
    if !message.is_empty() {
        // An error only says that nobody listens at this moment.
        let _ = listeners.send(message);
    }
}

#[cfg(test)]
mod tests;
