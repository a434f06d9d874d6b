//! Announcements: recordings that are heard in a room as if somebody said them. Joins the library, where they come
//! from, and the relay, where they are a sender like any other, so that whoever hears the room hears them.
//!
//! Each `announcement` waits in its room's `line`; while there is one, the room has a `player`, which is a thread that
//! performs it. `playlist` is what is heard of one, `pace` when, and `render` the same as a file for media players. Where
//! else one is heard at the same time is [`dispatch`](crate::dispatch)'s business.

mod announcement;
mod line;
mod pace;
mod player;
mod playlist;
mod render;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::access::{Action, Permit};
use crate::domain::{RoomId, StreamId};
use crate::engine::Engine;
use crate::limits::{self, Place, Places};
use crate::rooms::RoomsHandle;

pub use announcement::{
    AnnounceError, AnnounceRequest, Announcement, AnnouncementId, KnownAnnouncement, Outcome, Prepared, REPEATS,
    VOLUMES,
};
use line::{Placed, RoomQueue};
use playlist::Playlist;
pub use render::Rendered;

/// Recordings that are looked at before they get a place, or wait for that: each has a thread meanwhile.
const PROBES: usize = 16;

/// Announcements that are over, of which it is still known how they ended; the oldest is forgotten.
const REMEMBERED: usize = 200;

/// How much there may be.
#[derive(Debug, Clone, Copy)]
pub struct AnnounceLimits {
    /// Announcements that wait in one room, besides the one that plays.
    pub waiting: usize,
    /// Bytes of a recording that is sent here.
    pub clip_bytes: u64,
    /// Bytes of all such recordings together.
    pub memory: u64,
    /// Percentage of each that one address may have; at least half of a line, and one recording.
    pub share: u8,
}

impl AnnounceLimits {
    /// How many of one room's line one owner may have.
    fn share_of_line(&self) -> usize {
        let half = (self.waiting + 1).div_ceil(2);
        half.max(limits::share_of(self.waiting + 1, self.share))
    }

    fn recordings(&self) -> Places {
        Places::shared(self.memory, (self.memory / 100 * u64::from(self.share)).max(self.clip_bytes))
    }
}

/// What is counted.
#[derive(Debug, Default)]
pub struct AnnounceStats {
    /// Heard to their end.
    pub played: AtomicU64,
    /// Stopped by somebody, or by their room's end.
    pub stopped: AtomicU64,
    /// Broken off, since they could not be read any more.
    pub failed: AtomicU64,
    /// Never heard, since something urgent needed their place.
    pub displaced: AtomicU64,
    /// Not taken, for the bounds of lines and memory.
    pub refused: AtomicU64,
    /// Packets for which the media thread had no time.
    pub packets_lost: AtomicU64,
}

/// Whoever announces. Cheap to clone.
#[derive(Clone)]
pub struct Announcer(Arc<Inner>);

struct Inner {
    relay: Engine,
    rooms: RoomsHandle,
    limits: AnnounceLimits,
    shutdown: CancellationToken,
    queues: Mutex<Queues>,
    /// Bytes of recordings that were sent here and are not over.
    memory: Places,
    probes: Places,
    stats: AnnounceStats,
}

/// All that play or wait, and some that did.
#[derive(Debug, Default)]
struct Queues {
    /// A room has a line while it has a player.
    lines: BTreeMap<RoomId, RoomQueue>,
    over: VecDeque<(AnnouncementId, RoomId, Outcome)>,
}

impl fmt::Debug for Announcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Announcer")
    }
}

impl Announcer {
    /// Announces in these rooms over this relay, until the daemon goes down.
    pub fn new(relay: Engine, rooms: RoomsHandle, limits: AnnounceLimits, shutdown: CancellationToken) -> Self {
        let (queues, memory, stats) = (Mutex::default(), limits.recordings(), AnnounceStats::default());
        let probes = Places::new(PROBES, limits.share);
        Self(Arc::new(Inner { relay, rooms, limits, shutdown, queues, memory, probes, stats }))
    }

    /// What is counted.
    pub fn stats(&self) -> &AnnounceStats {
        &self.0.stats
    }

    /// Bytes of recordings that were sent here and are not over.
    pub fn memory(&self) -> u64 {
        self.0.memory.taken()
    }

    /// Bytes that a recording may have.
    pub fn most_bytes(&self) -> u64 {
        self.0.limits.clip_bytes
    }

    /// Memory for a recording of so many bytes, for whoever answers for this permit.
    ///
    /// # Errors
    /// When it is too large, or there is none left.
    pub fn reserve(&self, permit: &Permit, bytes: u64) -> Result<Place, AnnounceError> {
        let most = self.0.limits.clip_bytes;
        if bytes > most {
            return Err(self.refused(AnnounceError::TooLarge(most)));
        }
        let place = self.0.memory.take_many(&permit.owner(), bytes);
        place.map_err(|full| self.refused(AnnounceError::MemoryFull(full)))
    }

    /// A place among those whose recordings are made or looked at just now.
    ///
    /// # Errors
    /// When there is none.
    pub fn turn(&self, permit: &Permit) -> Result<Place, AnnounceError> {
        self.0.probes.take(&permit.owner()).map_err(|full| self.refused(AnnounceError::Busy(full)))
    }

    /// Looks whether something can be played, once for wherever it is to be heard; whoever asks holds a permit to announce.
    ///
    /// # Errors
    /// When it cannot, or too much is looked at.
    pub async fn prepare(&self, permit: &Permit, wish: AnnounceRequest) -> Result<Prepared, AnnounceError> {
        let AnnounceRequest { name, recording, chime, volume, repeat, priority, memory } = wish;
        let playlist = Playlist::new(chime, &recording, repeat, volume);
        let turn = self.turn(permit)?;
        let probe = playlist.clone();
        let probed = tokio::task::spawn_blocking(move || probe.probe()).await;
        let seconds = probed.map_err(|_| AnnounceError::ShuttingDown)?.map_err(AnnounceError::Broken)?;
        drop(turn);
        Ok(Prepared { name: name.into(), priority, playlist, seconds, memory: memory.map(Arc::new) })
    }

    /// Announces something in the room of the permit, as soon as it is its turn; gives its place in the line.
    ///
    /// # Errors
    /// When it is not permitted, or there are too many.
    pub fn announce(&self, permit: Permit, prepared: Prepared) -> Result<(AnnouncementId, usize), AnnounceError> {
        let room = permit.room().filter(|_| permit.permits(Action::Announce)).ok_or(AnnounceError::NotPermitted)?;
        let id = AnnouncementId(Uuid::new_v4());
        let announcement = Arc::new(Announcement::new(id, prepared, room, permit));
        Ok((id, self.place(&announcement)?))
    }

    /// All that play or wait, by rooms; the first of each plays.
    pub fn list(&self) -> Vec<(RoomId, Vec<Arc<Announcement>>)> {
        let queues = self.lock();
        let lines = queues.lines.iter().map(|(room, line)| (*room, line.iter().map(Arc::clone).collect::<Vec<_>>()));
        lines.filter(|(_, line)| !line.is_empty()).collect()
    }

    /// Whether somebody talks in a room, besides what is announced there.
    pub fn is_talked_in(&self, room: RoomId) -> bool {
        let queues = self.lock();
        let live = queues.lines.get(&room).into_iter().flat_map(RoomQueue::iter).map(|one| one.id);
        // The room hears of the end of one a moment later.
        let over = queues.over.iter().filter(|over| over.1 == room).map(|over| over.0);
        let own: Vec<_> = live.chain(over).map(|id| StreamId::of_connection(id.0)).collect();
        drop(queues);
        self.0.rooms.is_talked_in(room, &own)
    }

    /// The one that plays in a room, or is about to.
    pub fn first_in(&self, room: RoomId) -> Option<Arc<Announcement>> {
        self.lock().lines.get(&room).and_then(RoomQueue::first).map(Arc::clone)
    }

    /// What is known of one.
    pub fn find(&self, id: AnnouncementId) -> Option<KnownAnnouncement> {
        let queues = self.lock();
        let lives = queues.lines.values().find_map(|line| {
            let (place, found) = line.iter().enumerate().find(|(_, one)| one.id == id)?;
            Some(KnownAnnouncement::Lives(Arc::clone(found), place))
        });
        let over = || {
            queues
                .over
                .iter()
                .find(|over| over.0 == id)
                .map(|(_, room, how)| KnownAnnouncement::Over(*room, how.clone()))
        };
        lives.or_else(over)
    }

    /// Waits until one is over.
    pub async fn ended(&self, id: AnnouncementId) {
        if let Some(KnownAnnouncement::Lives(announcement, _)) = self.find(id) {
            announcement.over.cancelled().await;
        }
    }

    /// Stops one, or takes it out of its line. False: there is none, or no more.
    pub fn stop(&self, id: AnnouncementId) -> bool {
        match self.find(id) {
            Some(KnownAnnouncement::Lives(announcement, _)) => self.end(&announcement, Outcome::Stopped),
            _ => false,
        }
    }

    fn place(&self, announcement: &Arc<Announcement>) -> Result<usize, AnnounceError> {
        let (limits, room) = (&self.0.limits, announcement.room);
        let mut queues = self.lock();
        let is_new = !queues.lines.contains_key(&room);
        let placed = queues.lines.entry(room).or_default().place(
            Arc::clone(announcement),
            limits.waiting,
            limits.share_of_line(),
        );
        let Placed { position, displaced } = placed.map_err(|full| self.refused(AnnounceError::LineFull(full)))?;
        if let Some(displaced) = displaced {
            self.note(&mut queues, &displaced, Outcome::Displaced);
        }
        if is_new && let Err(error) = player::open(self.clone(), room) {
            queues.lines.remove(&room);
            return Err(AnnounceError::NoThread(error));
        }
        Ok(position)
    }

    /// What is to be heard in a room now. `None`: nothing, and the player is to be left.
    fn to_be_heard(&self, room: RoomId) -> Option<Arc<Announcement>> {
        let is_open = !self.0.shutdown.is_cancelled() && self.0.rooms.exists(room);
        let mut queues = self.lock();
        if let Some(first) = queues.lines.get(&room).and_then(RoomQueue::first).filter(|_| is_open) {
            return Some(Arc::clone(first));
        }
        self.clear(&mut queues, room, &Outcome::Stopped);
        None
    }

    /// The player of a room broke down; the next announcement has another one.
    fn abandon(&self, room: RoomId) {
        self.clear(&mut self.lock(), room, &Outcome::Failed("its player panicked".into()));
    }

    fn clear(&self, queues: &mut Queues, room: RoomId, outcome: &Outcome) {
        let left: Vec<_> = queues.lines.remove(&room).iter().flat_map(RoomQueue::iter).map(Arc::clone).collect();
        left.iter().for_each(|one| self.note(queues, one, outcome.clone()));
    }

    /// It is over; false where it was before.
    fn end(&self, announcement: &Arc<Announcement>, outcome: Outcome) -> bool {
        let mut queues = self.lock();
        let line = queues.lines.get_mut(&announcement.room);
        let was_there = line.and_then(|line| line.remove(announcement.id)).is_some();
        if was_there {
            self.note(&mut queues, announcement, outcome);
        }
        was_there
    }

    fn note(&self, queues: &mut Queues, announcement: &Announcement, outcome: Outcome) {
        announcement.over.cancel();
        let stats = &self.0.stats;
        let counter = match &outcome {
            Outcome::Played => &stats.played,
            Outcome::Stopped => &stats.stopped,
            Outcome::Displaced => &stats.displaced,
            Outcome::Failed(why) => {
                tracing::warn!(%why, "an announcement is broken off");
                &stats.failed
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if queues.over.len() == REMEMBERED {
            queues.over.pop_front();
        }
        queues.over.push_back((announcement.id, announcement.room, outcome));
    }

    fn refused(&self, error: AnnounceError) -> AnnounceError {
        self.0.stats.refused.fetch_add(1, Ordering::Relaxed);
        error
    }

    fn relay(&self) -> &Engine {
        &self.0.relay
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
