//! Clips: what was said between press and release, kept for a while as the sender's own packets, and
//! made into a file when somebody asks for it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use uuid::Uuid;

use crate::domain::{OpusPacket, Owner, StreamId};
use crate::engine::{NewTrack, NewTracks};
use crate::limits::Places;

use super::recorded::{Packets, Take, mp3_file};

/// A sender who says nothing for so long, or [`GATHERING`] less, has finished.
const PAUSE: Duration = Duration::from_secs(3);

/// Packets are taken in so long after the first of them, all at once: whoever records wakes a few times a second, and
/// not for every packet. A tenth of what may wait.
const GATHERING: Duration = Duration::from_millis(250);

/// The share of all memory for clips at which what one owner says becomes clips, however short they are: a fourth.
const SPEECHES: u64 = 4;

/// How many clips are kept, and for how long.
#[derive(Debug, Clone)]
pub struct ClipLimits {
    /// Clips at once; none are made when it is 0.
    pub count: usize,
    /// A clip is forgotten after so long.
    pub age: Duration,
    /// Longer speech becomes several clips.
    pub length: Duration,
    /// Memory of all together, and of what is being said.
    pub bytes: u64,
}

/// What clips count.
#[derive(Debug, Default)]
pub struct ClipStats {
    /// Clips made.
    pub recorded: AtomicU64,
    /// Clips that had to go before their age, for their number or size.
    pub evicted: AtomicU64,
    /// Packets that are in no clip, since their owner says too much at once.
    pub dropped: AtomicU64,
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
    owner: Owner,
    kept_since: Instant,
    /// Given up when the file is made.
    packets: Mutex<Packets>,
    file: OnceCell<Bytes>,
}

impl Clip {
    async fn file(self: &Arc<Self>) -> Bytes {
        let render = || async {
            let clip = Arc::clone(self);
            let rendered = tokio::task::spawn_blocking(move || {
                let packets = std::mem::take(&mut *clip.packets());
                mp3_file(&packets)
            });
            // If it panicked, a bug: an empty file, and the message of the panic in the log.
            rendered.await.unwrap_or_default()
        };
        self.file.get_or_init(render).await.clone()
    }

    /// Memory that it takes: as packets or as a file.
    fn bytes(&self) -> u64 {
        self.packets().bytes + self.file.get().map_or(0, |file| file.len() as u64)
    }

    fn packets(&self) -> MutexGuard<'_, Packets> {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clips that are kept. Cheap to clone.
#[derive(Clone)]
pub struct Clips {
    shelf: Arc<Mutex<VecDeque<Arc<Clip>>>>,
    limits: Arc<ClipLimits>,
    /// Memory of what is being said.
    unfinished: Places,
    /// What they count.
    pub stats: Arc<ClipStats>,
}

impl Clips {
    /// None yet.
    pub fn new(limits: ClipLimits) -> Self {
        let unfinished = Places::shared(limits.bytes, limits.bytes / SPEECHES);
        Self { shelf: Arc::default(), limits: Arc::new(limits), unfinished, stats: Arc::default() }
    }

    /// Records every stream that is born, until no more are.
    pub async fn record(self, mut new_tracks: NewTracks) {
        while let Some(birth) = new_tracks.recv().await {
            tokio::spawn(self.clone().record_stream(birth));
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

    /// A clip as an MP3 file. The first to ask waits some milliseconds for each second of speech.
    pub async fn file(&self, clip: &Arc<Clip>) -> Bytes {
        let file = clip.file().await;
        // It may take more than its packets did.
        self.bound(&mut self.shelf());
        file
    }

    /// Memory that they take, with what is being said.
    pub fn bytes(&self) -> u64 {
        self.bytes_of(&self.shelf())
    }

    fn bytes_of(&self, shelf: &VecDeque<Arc<Clip>>) -> u64 {
        self.unfinished.taken() + shelf.iter().map(|clip| clip.bytes()).sum::<u64>()
    }

    async fn record_stream(self, birth: NewTrack) {
        let NewTrack { stream, owner, mut packets, mut ended } = birth;
        let mut take = Take::new(owner, self.unfinished.clone());
        let (mut gathered, most) = (Vec::new(), packets.max_capacity());
        loop {
            match tokio::time::timeout(PAUSE - GATHERING, packets.recv_many(&mut gathered, most)).await {
                Ok(0) => return self.keep(stream, &mut take),
                Ok(_) => {
                    gathered.drain(..).for_each(|packet| self.record_packet(stream, &mut take, packet));
                    // What is over is a clip at once.
                    if !packets.is_closed() {
                        let _ = tokio::time::timeout(GATHERING, &mut ended).await;
                    }
                }
                Err(_) => self.keep(stream, &mut take),
            }
        }
    }

    fn record_packet(&self, stream: StreamId, take: &mut Take, packet: OpusPacket) {
        // Many who speak at once finish early, rather than take more than there is.
        if !take.add(packet.clone()) {
            self.keep(stream, take);
            // Others of the same owner may still hold all that one may have.
            let is_lost = !take.add(packet);
            self.stats.dropped.fetch_add(u64::from(is_lost), Ordering::Relaxed);
        }
        if take.packets.duration() >= self.limits.length {
            self.keep(stream, take);
        }
    }

    fn keep(&self, stream: StreamId, take: &mut Take) {
        let (packets, began) = take.end();
        let (duration, Some(began)) = (packets.duration(), began) else { return };
        let clip = Clip {
            id: Uuid::new_v4(),
            stream,
            began,
            duration,
            owner: take.owner.clone(),
            kept_since: Instant::now(),
            packets: Mutex::new(packets),
            file: OnceCell::new(),
        };
        let mut shelf = self.shelf();
        shelf.push_back(Arc::new(clip));
        self.stats.recorded.fetch_add(1, Ordering::Relaxed);
        self.forget_old(&mut shelf);
        self.bound(&mut shelf);
    }

    /// Forgets clips where there are too many, or too much: the oldest of whoever has most, so that nobody's endless
    /// talk costs the others theirs.
    fn bound(&self, shelf: &mut VecDeque<Arc<Clip>>) {
        loop {
            let weight = if shelf.len() > self.limits.count {
                |_: &Clip| 1
            } else if self.bytes_of(shelf) > self.limits.bytes {
                Clip::bytes
            } else {
                break;
            };
            let Some(place) = oldest_of_whoever_has_most(shelf, weight) else { break };
            shelf.remove(place);
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

/// Where the oldest clip is of the owner whose clips weigh most; of several such owners, the oldest of all.
fn oldest_of_whoever_has_most(shelf: &VecDeque<Arc<Clip>>, weight: fn(&Clip) -> u64) -> Option<usize> {
    let mut held = HashMap::<&Owner, u64>::new();
    for clip in shelf {
        *held.entry(&clip.owner).or_default() += weight(clip);
    }
    let most = held.values().max()?;
    shelf.iter().position(|clip| held[&clip.owner] == *most)
}

#[cfg(test)]
mod tests;
