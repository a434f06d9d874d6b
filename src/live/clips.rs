//! Clips: what was said between press and release, kept for a while as the sender's own packets, and
//! made into a file when somebody asks for it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use uuid::Uuid;

use crate::audio::{AudioStats, Bitrate, Decoder, Mp3Encoder, SAMPLE_RATE, duration};
use crate::domain::{OpusPacket, Owner, StreamId};
use crate::engine::{NewTrack, NewTracks};
use crate::limits::{Full, Place, Places};

/// A sender who says nothing for so long, or [`GATHERING`] less, has finished.
const PAUSE: Duration = Duration::from_secs(3);

/// Packets are taken in so long after the first of them, all at once: whoever records wakes a few times a second, and
/// not for every packet. A tenth of what may wait.
const GATHERING: Duration = Duration::from_millis(250);

/// So many at most.
const GATHERED: usize = 128;

/// The longest gap that is kept as it was: a pause, and what the relay lets a sender's time run ahead.
const MAX_GAP: usize = 15 * SAMPLE_RATE as usize;

/// After the last word: players cut what comes last, and this is not missed.
const CLOSING_SILENCE: usize = SAMPLE_RATE as usize / 2;

/// What a packet takes besides its payload: its numbers, its places in maps, and what the allocator adds.
const PACKET_OVERHEAD: u64 = 128;

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
                render(&packets)
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
        let NewTrack { stream, owner, mut packets } = birth;
        let mut take = Take::new(owner, self.unfinished.clone());
        let mut gathered = Vec::new();
        loop {
            match tokio::time::timeout(PAUSE - GATHERING, packets.recv_many(&mut gathered, GATHERED)).await {
                Ok(0) => return self.keep(stream, &mut take),
                Ok(_) => {
                    gathered.drain(..).for_each(|packet| self.record_packet(stream, &mut take, packet));
                    // What is over is a clip at once.
                    if !packets.is_closed() {
                        tokio::time::sleep(GATHERING).await;
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

/// Packets by their sequence numbers, and what they take.
#[derive(Debug, Default)]
struct Packets {
    by_sequence: BTreeMap<u64, OpusPacket>,
    bytes: u64,
}

impl Packets {
    /// One that is there already is not added again.
    fn add(&mut self, packet: OpusPacket) {
        if let Entry::Vacant(place) = self.by_sequence.entry(packet.sequence) {
            self.bytes += bytes_of(&packet);
            place.insert(packet);
        }
    }

    fn has(&self, packet: &OpusPacket) -> bool {
        self.by_sequence.contains_key(&packet.sequence)
    }

    /// From the first to the last.
    fn samples(&self) -> u64 {
        let ends = self.by_sequence.first_key_value().zip(self.by_sequence.last_key_value());
        ends.map_or(0, |((_, first), (_, last))| last.timestamp.saturating_sub(first.timestamp) + samples_in(last))
    }

    fn duration(&self) -> Duration {
        duration(self.samples())
    }
}

/// Speech that is not finished, which has its place as long as it is.
struct Take {
    owner: Owner,
    unfinished: Places,
    began: Option<SystemTime>,
    packets: Packets,
    place: Option<Place>,
}

impl Take {
    fn new(owner: Owner, unfinished: Places) -> Self {
        Self { owner, unfinished, began: None, packets: Packets::default(), place: None }
    }

    /// False: there is no room for it, of this owner's or of all.
    fn add(&mut self, packet: OpusPacket) -> bool {
        let has_room = self.packets.has(&packet) || self.make_room(bytes_of(&packet)).is_ok();
        if has_room {
            self.began.get_or_insert_with(SystemTime::now);
            self.packets.add(packet);
        }
        has_room
    }

    fn make_room(&mut self, bytes: u64) -> Result<(), Full> {
        match &mut self.place {
            Some(place) => place.grow(bytes),
            none => self.unfinished.take_many(&self.owner, bytes).map(|place| *none = Some(place)),
        }
    }

    /// Gives what was said, and when it began; the next word begins anew.
    fn end(&mut self) -> (Packets, Option<SystemTime>) {
        self.place = None;
        (std::mem::take(&mut self.packets), self.began.take())
    }
}

fn bytes_of(packet: &OpusPacket) -> u64 {
    PACKET_OVERHEAD + packet.payload.len() as u64
}

fn samples_in(packet: &OpusPacket) -> u64 {
    opus::packet::get_nb_samples(&packet.payload, SAMPLE_RATE).unwrap_or(0) as u64
}

/// Decodes the packets in their order, with every gap as long as it was, and encodes them. Packets that lie about their
/// time make no more of it than there is between the first and the last.
fn render(packets: &Packets) -> Bytes {
    let stats = Arc::<AudioStats>::default();
    let (mut decoder, mut encoder) = (Decoder::new(Arc::clone(&stats)), Mp3Encoder::new(Bitrate::DEFAULT, stats));
    let mut file = Vec::new();
    let mut left = packets.samples() as usize;
    let mut expected: Option<(u64, u64)> = None;
    for (sequence, packet) in &packets.by_sequence {
        let (next, end) = expected.unwrap_or((*sequence, packet.timestamp));
        let gap = (packet.timestamp.saturating_sub(end) as usize).min(MAX_GAP).min(left);
        file.extend_from_slice(&encoder.encode(&fill(&mut decoder, gap, *sequence > next, packet)));
        left -= gap;
        let length = (samples_in(packet) as usize).min(left);
        let decoded = decoder.decode(&packet.payload, samples_in(packet) as usize);
        file.extend_from_slice(&encoder.encode(&decoded[..length.min(decoded.len())]));
        left -= length;
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
