//! Mount points: for each stream that somebody hears as MP3, one task that decodes and encodes it at
//! the pace of the clock, and hands the same frames to every listener.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::domain::{OpusPacket, StreamId};

use super::mp3::{FRAME_DURATION, Mp3Encoder, frames_in, silent_frame};
use super::playout::Playout;
use super::stats::{AudioStats, Gauged};
use super::{PacketSource, SAMPLE_RATE};

/// How often a mount produces sound.
const TICK: Duration = Duration::from_millis(20);
const TICK_SAMPLES: usize = (SAMPLE_RATE / 50) as usize;

/// Frames that a listener may be behind: about two seconds. A slower one skips.
const BACKLOG: usize = 96;

/// Speech that was received is heard to its end, if that takes no longer than this.
const MAX_TAIL: Duration = Duration::from_millis(500);

/// Encoded once, for everybody who waits.
static SILENT_FRAME: LazyLock<Bytes> = LazyLock::new(silent_frame);

/// The table of mounts. Cheap to clone.
pub struct Mounts<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    source: S,
    stats: Arc<AudioStats>,
    /// The running mounts. A mount that ended, or panicked, leaves an entry that leads nowhere.
    running: Running,
}

type Running = Arc<Mutex<HashMap<StreamId, broadcast::WeakSender<Bytes>>>>;

impl<S> Clone for Mounts<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: PacketSource> Mounts<S> {
    /// No mounts yet, on this source of packets.
    pub fn new(source: S, stats: Arc<AudioStats>) -> Self {
        Self { shared: Arc::new(Shared { source, stats, running: Running::default() }) }
    }

    /// Joins the listeners of a stream; the first one starts its encoder. `None`: no such live stream.
    pub async fn listen(&self, stream: StreamId) -> Option<Listener> {
        let Shared { source, stats, running } = &*self.shared;
        if let Some(frames) = join(&lock(running), stream) {
            return Some(Listener::new(frames, stats));
        }
        let packets = source.tap(stream).await?;
        let mut table = lock(running);
        // Somebody else may have started it meanwhile.
        let frames = join(&table, stream).unwrap_or_else(|| {
            let (sender, frames) = broadcast::channel(BACKLOG);
            table.retain(|_, mount| mount.strong_count() > 0);
            table.insert(stream, sender.downgrade());
            let mount = Mount::new(stream, sender, packets, Arc::clone(running), Arc::clone(stats));
            tokio::spawn(mount.run());
            frames
        });
        Some(Listener::new(frames, stats))
    }

    /// Silence at the pace of the clock, for a player that waits for somebody to speak.
    pub fn silence(&self) -> Silence {
        Silence {
            frame: SILENT_FRAME.clone(),
            pace: pace(FRAME_DURATION),
            _gauge: Gauged::listener(&self.shared.stats),
        }
    }
}

fn join(
    table: &HashMap<StreamId, broadcast::WeakSender<Bytes>>,
    stream: StreamId,
) -> Option<broadcast::Receiver<Bytes>> {
    Some(table.get(&stream)?.upgrade()?.subscribe())
}

/// The table is whole at every moment, also after a panic.
fn lock(running: &Running) -> MutexGuard<'_, HashMap<StreamId, broadcast::WeakSender<Bytes>>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pace(period: Duration) -> Interval {
    let mut pace = tokio::time::interval(period);
    // A late tick is made up for: a minute of stream is a minute of audio.
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    pace
}

/// One listener of one stream. Dropping it is leaving.
pub struct Listener {
    frames: broadcast::Receiver<Bytes>,
    stats: Arc<AudioStats>,
    _gauge: Gauged,
}

impl Listener {
    fn new(frames: broadcast::Receiver<Bytes>, stats: &Arc<AudioStats>) -> Self {
        Self { frames, stats: Arc::clone(stats), _gauge: Gauged::listener(stats) }
    }

    /// The next whole MP3 frames; `None` when the stream has ended. A listener too slow skips some.
    pub async fn next_frames(&mut self) -> Option<Bytes> {
        loop {
            match self.frames.recv().await {
                Ok(frames) => return Some(frames),
                Err(RecvError::Lagged(skipped)) => self.stats.skip_frames(skipped),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Silence at the pace of the clock, without end and without an encoder.
pub struct Silence {
    frame: Bytes,
    pace: Interval,
    _gauge: Gauged,
}

impl Silence {
    /// The next frame, when it is time for it.
    pub async fn next_frame(&mut self) -> Bytes {
        self.pace.tick().await;
        self.frame.clone()
    }
}

/// One running mount.
struct Mount {
    stream: StreamId,
    frames: broadcast::Sender<Bytes>,
    packets: mpsc::Receiver<OpusPacket>,
    playout: Playout,
    encoder: Mp3Encoder,
    running: Running,
    stats: Arc<AudioStats>,
    _gauge: Gauged,
}

impl Mount {
    fn new(
        stream: StreamId,
        frames: broadcast::Sender<Bytes>,
        packets: mpsc::Receiver<OpusPacket>,
        running: Running,
        stats: Arc<AudioStats>,
    ) -> Self {
        let (playout, encoder) = (Playout::new(&stats), Mp3Encoder::new());
        let gauge = Gauged::encoder(&stats);
        Self { stream, frames, packets, playout, encoder, running, stats, _gauge: gauge }
    }

    async fn run(mut self) {
        let mut pace = pace(TICK);
        loop {
            tokio::select! {
                biased;
                packet = self.packets.recv() => match packet {
                    Some(packet) => self.playout.push(packet),
                    None => break,
                },
                at = pace.tick() => {
                    if self.leave_if_unheard() {
                        return;
                    }
                    self.produce(at);
                }
            }
        }
        self.finish(&mut pace).await;
    }

    /// One tick's worth of sound.
    fn produce(&mut self, at: Instant) {
        let mut pcm = [0; TICK_SAMPLES];
        self.playout.fill(at.into_std(), &mut pcm);
        let frames = self.encoder.encode(&pcm);
        self.send(frames);
    }

    /// The stream ended: what was received of it is still heard.
    async fn finish(mut self, pace: &mut Interval) {
        let end = Instant::now() + MAX_TAIL;
        while !self.playout.is_drained() && Instant::now() < end {
            let at = pace.tick().await;
            self.produce(at);
        }
        let Self { encoder, frames, stats, .. } = self;
        send(&frames, encoder.finish(), &stats);
    }

    fn send(&self, frames: Bytes) {
        send(&self.frames, frames, &self.stats);
    }

    /// Ends the mount when nobody listens. Nobody can join between the look and the end.
    fn leave_if_unheard(&self) -> bool {
        if self.frames.receiver_count() > 0 {
            return false;
        }
        let mut table = lock(&self.running);
        let unheard = self.frames.receiver_count() == 0;
        if unheard {
            table.remove(&self.stream);
        }
        unheard
    }
}

fn send(listeners: &broadcast::Sender<Bytes>, frames: Bytes, stats: &AudioStats) {
    if !frames.is_empty() {
        stats.add_frames(frames_in(&frames));
        // An error only says that nobody listens at this moment.
        let _ = listeners.send(frames);
    }
}

#[cfg(test)]
mod tests;
