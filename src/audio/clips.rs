//! Clips: what was said between press and release, kept for a while as the sender's own packets, and
//! made into a file when somebody asks for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::{OnceCell, mpsc};
use tokio::time::Instant;
use uuid::Uuid;

use crate::domain::{OpusPacket, StreamId};

use super::decoder::Decoder;
use super::format::Bitrate;
use super::jitter::duration;
use super::mp3::Mp3Encoder;
use super::stats::AudioStats;
use super::{Births, SAMPLE_RATE};

/// A sender who says nothing for so long has finished.
const PAUSE: Duration = Duration::from_secs(3);

/// The longest gap that is kept as it was: a pause, and what the relay lets a sender's time run ahead.
const MAX_GAP: usize = 15 * SAMPLE_RATE as usize;

/// After the last word: players cut what comes last, and this is not missed.
const CLOSING_SILENCE: usize = SAMPLE_RATE as usize / 2;

/// What a clip takes for each second, as a file: more than its packets do.
const BYTES_PER_SECOND: u64 = Bitrate::DEFAULT.kilobits() as u64 * 125;

/// How many clips are kept, and for how long.
#[derive(Debug, Clone)]
pub struct ClipLimits {
    /// Clips at once; none are made when it is 0.
    pub count: usize,
    /// A clip is forgotten after so long.
    pub age: Duration,
    /// Longer speech becomes several clips.
    pub length: Duration,
    /// Memory of all together.
    pub bytes: u64,
}

/// What clips count.
#[derive(Debug, Default)]
pub struct ClipStats {
    /// Clips made.
    pub recorded: AtomicU64,
    /// Clips that had to go before their age, for their number or size.
    pub evicted: AtomicU64,
}

/// A finished clip.
pub struct Clip {
    /// Nobody guesses it.
    pub id: Uuid,
    /// Whose words they are.
    pub stream: StreamId,
    /// When the first was said.
    pub began: SystemTime,
    /// From the first to the last.
    pub duration: Duration,
    kept_since: Instant,
    /// By sequence number; given up when the file is made.
    packets: Mutex<BTreeMap<u64, OpusPacket>>,
    file: OnceCell<Bytes>,
}

impl Clip {
    /// The clip as an MP3 file. The first to ask waits some milliseconds for each second of speech.
    pub async fn file(self: &Arc<Self>) -> Bytes {
        let render = || async {
            let clip = Arc::clone(self);
            let rendered = tokio::task::spawn_blocking(move || {
                let packets = std::mem::take(&mut *clip.packets.lock().unwrap_or_else(PoisonError::into_inner));
                render(&packets)
            });
            // If it panicked, a bug: an empty file, and the message of the panic in the log.
            rendered.await.unwrap_or_default()
        };
        self.file.get_or_init(render).await.clone()
    }

    fn bytes(&self) -> u64 {
        self.duration.as_millis() as u64 * BYTES_PER_SECOND / 1_000
    }
}

/// The clips that are kept. Cheap to clone.
#[derive(Clone)]
pub struct Clips {
    shelf: Arc<Mutex<VecDeque<Arc<Clip>>>>,
    limits: Arc<ClipLimits>,
    /// What they count.
    pub stats: Arc<ClipStats>,
}

impl Clips {
    /// None yet.
    pub fn new(limits: ClipLimits) -> Self {
        Self { shelf: Arc::default(), limits: Arc::new(limits), stats: Arc::default() }
    }

    /// Records every stream that is born, until no more are.
    pub async fn record(self, mut births: Births) {
        while let Some((stream, packets)) = births.recv().await {
            tokio::spawn(self.clone().record_stream(stream, packets));
        }
    }

    /// Those that are kept now, oldest first.
    pub fn list(&self) -> Vec<Arc<Clip>> {
        let mut shelf = self.shelf();
        self.forget_old(&mut shelf);
        shelf.iter().cloned().collect()
    }

    /// The clip of this id; without one, the newest.
    pub fn find(&self, id: Option<Uuid>) -> Option<Arc<Clip>> {
        self.list().into_iter().rfind(|clip| id.is_none_or(|id| clip.id == id))
    }

    /// Forgets a clip. False: there is none of this id.
    pub fn remove(&self, id: Uuid) -> bool {
        let mut shelf = self.shelf();
        let before = shelf.len();
        shelf.retain(|clip| clip.id != id);
        shelf.len() < before
    }

    /// Memory that they take.
    pub fn bytes(&self) -> u64 {
        self.shelf().iter().map(|clip| clip.bytes()).sum()
    }

    async fn record_stream(self, stream: StreamId, mut packets: mpsc::Receiver<OpusPacket>) {
        let mut take = Take::default();
        loop {
            match tokio::time::timeout(PAUSE, packets.recv()).await {
                Ok(Some(packet)) => {
                    take.add(packet);
                    if take.duration() >= self.limits.length {
                        self.keep(stream, std::mem::take(&mut take));
                    }
                }
                Ok(None) => return self.keep(stream, take),
                Err(_) => self.keep(stream, std::mem::take(&mut take)),
            }
        }
    }

    fn keep(&self, stream: StreamId, take: Take) {
        let (duration, Some(began)) = (take.duration(), take.began) else { return };
        let clip = Clip {
            id: Uuid::new_v4(),
            stream,
            began,
            duration,
            kept_since: Instant::now(),
            packets: Mutex::new(take.packets),
            file: OnceCell::new(),
        };
        let mut shelf = self.shelf();
        shelf.push_back(Arc::new(clip));
        self.stats.recorded.fetch_add(1, Ordering::Relaxed);
        self.forget_old(&mut shelf);
        while shelf.len() > self.limits.count || shelf.iter().map(|clip| clip.bytes()).sum::<u64>() > self.limits.bytes
        {
            shelf.pop_front();
            self.stats.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn forget_old(&self, shelf: &mut VecDeque<Arc<Clip>>) {
        shelf.retain(|clip| clip.kept_since.elapsed() < self.limits.age);
    }

    /// The shelf is whole at every moment, also after a panic.
    fn shelf(&self) -> MutexGuard<'_, VecDeque<Arc<Clip>>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Speech that is not finished.
#[derive(Default)]
struct Take {
    began: Option<SystemTime>,
    packets: BTreeMap<u64, OpusPacket>,
}

impl Take {
    fn add(&mut self, packet: OpusPacket) {
        self.began.get_or_insert_with(SystemTime::now);
        self.packets.insert(packet.sequence, packet);
    }

    fn duration(&self) -> Duration {
        let ends = self.packets.first_key_value().zip(self.packets.last_key_value());
        ends.map_or(Duration::ZERO, |((_, first), (_, last))| {
            duration(last.timestamp.saturating_sub(first.timestamp) + samples_in(last))
        })
    }
}

fn samples_in(packet: &OpusPacket) -> u64 {
    opus::packet::get_nb_samples(&packet.payload, SAMPLE_RATE).unwrap_or(0) as u64
}

/// Decodes the packets in their order, with every gap as long as it was, and encodes them.
fn render(packets: &BTreeMap<u64, OpusPacket>) -> Bytes {
    let stats = Arc::<AudioStats>::default();
    let (mut decoder, mut encoder) = (Decoder::new(Arc::clone(&stats)), Mp3Encoder::new(Bitrate::DEFAULT, stats));
    let mut file = Vec::new();
    let mut expected: Option<(u64, u64)> = None;
    for (sequence, packet) in packets {
        let (next, end) = expected.unwrap_or((*sequence, packet.timestamp));
        let gap = (packet.timestamp.saturating_sub(end) as usize).min(MAX_GAP);
        file.extend_from_slice(&encoder.encode(&fill(&mut decoder, gap, *sequence > next, packet)));
        let decoded = decoder.decode(&packet.payload, samples_in(packet) as usize);
        file.extend_from_slice(&encoder.encode(decoded));
        expected = Some((sequence + 1, packet.timestamp + samples_in(packet)));
    }
    file.extend_from_slice(&encoder.encode(&[0; CLOSING_SILENCE]));
    file.extend_from_slice(&encoder.finish());
    file.into()
}

/// What stands for the time between two packets: the end of it may be in the second one, if others were lost.
fn fill(decoder: &mut Decoder, gap: usize, lost: bool, successor: &OpusPacket) -> Vec<i16> {
    let frame = samples_in(successor) as usize;
    let mut pcm = Vec::with_capacity(gap);
    while lost && frame > 0 && pcm.len() + frame < gap {
        pcm.extend_from_slice(decoder.conceal(frame));
    }
    if lost && gap - pcm.len() == frame {
        pcm.extend_from_slice(decoder.recover(&successor.payload, frame));
    }
    pcm.resize(gap, 0);
    pcm
}

#[cfg(test)]
mod tests;
