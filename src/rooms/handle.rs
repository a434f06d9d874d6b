//! The door to the rooms: one lock around them, the clock, and (`queue`) the queues to the clients' sockets.

mod membership;
mod queue;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::{Notify, mpsc};

use crate::domain::{Owner, RoomId, StreamId, Track, TrackKind};

use super::admission::{Asker, JoinDecision, JoinError, JoinPermit};
use super::event::{Notice, Recipients, RoomEvent};
use super::lifecycle::{OpenRoomError, OpenedRoom, Opening};
use super::moderation::HostError;
use super::options::{RoomOptions, RoomOptionsChange};
use super::order::Order;
use super::participant::{ParticipantId, ParticipantInfo, ParticipantKey, Quality};
use super::pin::{Pin, PinHash};
use super::report::{RoomStats, StatsInfo};
use super::room::{RoomInfo, RoomKind, StationPresence};
use super::unjoined::{Granted, ListenerInfo, ListenerKind};
use super::{RoomCounters, Rooms};

pub use membership::{Listening, Membership, Watching};
pub use queue::{EventReceiver, EventSender, Published, QUEUE_CAPACITY};
use queue::{Outbox, Watcher};

/// The rooms, for everybody. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RoomsHandle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    outbox: Mutex<Outbox>,
    /// Something is due at another time than before.
    wake: Notify,
}

/// What one may know of a room who may come in.
#[derive(Debug)]
pub struct Detail {
    /// The room.
    pub room: RoomInfo,
    /// Who is there, the longest there first.
    pub participants: Vec<ParticipantInfo>,
    /// Who hears without having joined: the first of them.
    pub listeners: Vec<ListenerInfo>,
    /// How well it goes.
    pub stats: StatsInfo,
}

impl RoomsHandle {
    /// The door to these rooms; somebody has to [`keep_time`](Self::keep_time).
    pub fn new(rooms: Rooms) -> Self {
        Self(Arc::new(Inner { outbox: Mutex::new(Outbox::new(rooms)), wake: Notify::new() }))
    }

    /// Does what is due when it is due, for as long as it is polled.
    pub async fn keep_time(self) {
        loop {
            let deadline = self.lock().rooms.deadline();
            let due = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.0.wake.notified() => {}
                () = due => self.with(|_, _| ()),
            }
        }
    }

    /// What the media side is to do from now on. Whoever asked for it before gets no more.
    pub fn orders(&self) -> mpsc::Receiver<Order> {
        self.lock().orders()
    }

    /// Lets somebody into a room; what the room tells goes into the queue, `joined` first. They are there until the
    /// membership is dropped.
    ///
    /// # Errors
    /// When they are not let in, and why.
    pub async fn join(
        &self,
        asker: Asker,
        room: &str,
        name: &str,
        pin: Option<&str>,
        key: Option<&str>,
        sender: EventSender,
    ) -> Result<Membership, JoinError> {
        let key = key.and_then(ParticipantKey::of_text);
        let room = self.find(room).ok_or(JoinError::NoRoom)?;
        let entry = self.with(|outbox, now| outbox.rooms.authorize_join(now, &asker, room, pin, key))?;
        let pass = self.pass(&asker, room, entry).await?;
        let joined = self.with(|outbox, now| {
            let joined = outbox.rooms.join(now, &asker, &pass, name, key)?;
            outbox.senders.insert(joined.session, sender);
            Ok(joined)
        })?;
        Ok(Membership { rooms: self.clone(), asker, joined })
    }

    /// Whether somebody may know who is in a room: with its PIN, or the key of its host, where it has one.
    ///
    /// # Errors
    /// When they may not, and why.
    pub async fn may_look(
        &self,
        asker: Asker,
        room: RoomId,
        pin: Option<&str>,
        key: Option<ParticipantKey>,
    ) -> Result<(), JoinError> {
        let entry = self.with(|outbox, now| outbox.rooms.authorize_look(now, &asker, room, pin, key))?;
        self.pass(&asker, room, entry).await.map(drop)
    }

    /// What one may know of a room who [may look](Self::may_look); `None` when it is no more.
    pub fn detail(&self, room: RoomId) -> Option<Detail> {
        self.with(|Outbox { rooms, .. }, now| {
            let (stats, participants) = (rooms.stats_of(now, room)?, rooms.participants(room)?);
            let (listeners, _) = rooms.listeners(room)?;
            Some(Detail { room: rooms.info(room)?, participants, listeners, stats })
        })
    }

    /// Whether somebody may hear what is said in a room without joining it, as players do.
    ///
    /// # Errors
    /// When they may not, and why.
    pub async fn may_listen(&self, asker: Asker, room: RoomId, pin: Option<&str>) -> Result<(), JoinError> {
        let entry = self.with(|outbox, now| outbox.rooms.authorize_listen(now, &asker, room, pin))?;
        self.pass(&asker, room, entry).await.map(drop)
    }

    /// Whether somebody may be heard in a room without joining it.
    ///
    /// # Errors
    /// When they may not, and why.
    pub fn may_talk(&self, asker: &Asker, room: RoomId) -> Result<(), JoinError> {
        self.with(|outbox, now| outbox.rooms.authorize_talk(now, asker, room))
    }

    /// Whether somebody who was let in to hear or talk without joining may go on.
    pub fn may_stay(&self, asker: &Asker, room: RoomId) -> bool {
        self.with(|outbox, now| outbox.rooms.may_stay(now, asker, room))
    }

    /// Whether a room is still there.
    pub fn exists(&self, room: RoomId) -> bool {
        self.lock().rooms.slug(room).is_some()
    }

    /// Looks at a PIN where there is one to look at: elsewhere than on the runtime's own threads.
    async fn pass(&self, asker: &Asker, room: RoomId, entry: JoinDecision) -> Result<JoinPermit, JoinError> {
        let guess = match entry {
            JoinDecision::Open(pass) => return Ok(pass),
            JoinDecision::PinChallenge(guess) => guess,
        };
        let checked = tokio::task::spawn_blocking(|| guess.check()).await.unwrap_or(Err(JoinError::WrongPin));
        self.with(|outbox, _| {
            outbox.rooms.note_guess(asker, &checked);
            outbox.rooms.tell_of_guesses(room);
        });
        checked
    }

    /// Opens a room.
    ///
    /// # Errors
    /// When it cannot be opened, and why.
    pub async fn open(
        &self,
        name: String,
        kind: RoomKind,
        pin: Option<Pin>,
        max: Option<usize>,
        owner: Option<Owner>,
    ) -> Result<(OpenedRoom, RoomInfo), OpenRoomError> {
        let pin = match pin {
            // Without it, if it panicked, the room would be open to all: rather none.
            Some(pin) => {
                Some(tokio::task::spawn_blocking(move || PinHash::new(&pin)).await.expect("argon2 has memory"))
            }
            None => None,
        };
        self.with(|outbox, now| {
            let opened = outbox.rooms.open(now, SystemTime::now(), Opening { name, kind, pin, max, owner })?;
            Ok((opened, outbox.rooms.info(opened.room).expect("it was just opened")))
        })
    }

    /// Opens the room of a station, of this name, and gives its id on the wire; `known` is the id that it had before.
    pub fn open_station(&self, known: Option<&str>, name: &str) -> String {
        self.with(|Outbox { rooms, .. }, now| {
            let known = known.filter(|slug| rooms.find(slug).is_none());
            let slug = known.map_or_else(|| rooms.free_slug(name), str::to_owned);
            rooms.open_station(now, SystemTime::now(), &slug, name);
            slug
        })
    }

    /// What is different about a station: how people call it, and whether it is there.
    pub fn note_station(&self, slug: &str, name: &str, presence: StationPresence) {
        self.with(|outbox, now| outbox.rooms.note_station(now, slug, name, presence));
    }

    /// Which rooms are not to be disturbed, by their ids.
    pub fn note_do_not_disturb(&self, is_quiet: impl Fn(&str) -> bool) {
        self.with(|outbox, now| outbox.rooms.note_do_not_disturb(now, is_quiet));
    }

    /// What is chosen of a room.
    pub fn options(&self, room: RoomId) -> Option<RoomOptions> {
        self.lock().rooms.options(room)
    }

    /// Chooses otherwise; gives what is chosen then, or nothing where there is no such room.
    pub fn set_options(&self, room: RoomId, change: RoomOptionsChange) -> Option<RoomOptions> {
        self.with(|outbox, now| outbox.rooms.set_options(now, room, change))
    }

    /// What is chosen of the rooms that are there after a restart, by their ids.
    pub fn chosen_options(&self) -> BTreeMap<String, RoomOptions> {
        self.lock().rooms.chosen_options()
    }

    /// What was chosen before a restart.
    pub fn restore_options(&self, chosen: BTreeMap<String, RoomOptions>) {
        self.lock().rooms.restore_options(chosen);
    }

    /// Whether somebody who has joined has this room to themselves: see [`RoomOptions::half_duplex`].
    pub fn is_held(&self, room: RoomId) -> bool {
        self.lock().rooms.is_held(room)
    }

    /// Closes the room of a station.
    pub fn close_station(&self, slug: &str) {
        self.with(|outbox, now| outbox.rooms.close_station(now, slug));
    }

    /// Closes a room, or empties a permanent one.
    ///
    /// # Errors
    /// When it is not the asker's to close.
    pub fn close(&self, asker: Asker, room: &str, key: Option<ParticipantKey>) -> Result<(), HostError> {
        let room = self.find(room).ok_or(HostError::NoRoom)?;
        self.with(|outbox, now| outbox.rooms.close(now, &asker, room, key))
    }

    /// Tells the list of rooms by this queue, now and whenever it is different, until the watching is dropped. `only`: of
    /// all rooms that of this id alone.
    pub fn watch(&self, sender: EventSender, only: Option<String>) -> Watching {
        let mut outbox = self.lock();
        let rooms = outbox.rooms.listing(only.as_deref());
        // A queue that is full already is given up then, as it would be by the next list.
        sender.send(&Published::new(None, RoomEvent::Rooms { rooms }));
        let watcher = outbox.next_watcher;
        outbox.next_watcher += 1;
        outbox.watchers.insert(watcher, Watcher { sender, only });
        Watching { rooms: self.clone(), watcher }
    }

    /// Every room, the permanent ones first.
    pub fn list(&self) -> Vec<RoomInfo> {
        self.lock().rooms.list()
    }

    /// The room of this id on the wire.
    pub fn find(&self, slug: &str) -> Option<RoomId> {
        self.lock().rooms.find(slug)
    }

    /// The id on the wire of this room.
    pub fn slug(&self, room: RoomId) -> Option<String> {
        self.lock().rooms.slug(room).map(str::to_owned)
    }

    /// Whose stream this is, and whether it is their music rather than their voice.
    pub fn who_is(&self, stream: StreamId) -> Option<(ParticipantId, TrackKind)> {
        self.lock().rooms.who_is(stream)
    }

    /// Who is in a room, the longest there first.
    pub fn participants(&self, room: RoomId) -> Option<Vec<ParticipantInfo>> {
        self.lock().rooms.participants(room)
    }

    /// Whether somebody talks in a room, besides these streams of those who have not joined it.
    pub fn is_talked_in(&self, room: RoomId, besides: &[StreamId]) -> bool {
        self.lock().rooms.is_talked_in(room, besides)
    }

    /// The streams of those of these who are there.
    pub fn streams_of(&self, participants: &[ParticipantId]) -> Vec<StreamId> {
        let outbox = self.lock();
        let participants: BTreeSet<_> = participants.iter().collect();
        participants.into_iter().flat_map(|who| outbox.rooms.streams_of(*who)).collect()
    }

    /// Somebody is seen, or no longer, by their camera or on their screen.
    pub fn note_shown(&self, who: ParticipantId, kind: TrackKind, on: bool) {
        self.with(|outbox, now| outbox.rooms.note_shown(now, who, kind, on));
    }

    /// Somebody is heard, or no longer, by voice or by music.
    pub fn note_talking(&self, who: ParticipantId, on: bool, music: bool) {
        self.with(|outbox, now| outbox.rooms.note_talking(now, who, on, music));
    }

    /// How well somebody is connected.
    pub fn note_quality(&self, who: ParticipantId, quality: Quality) {
        self.with(|outbox, _| outbox.rooms.note_quality(who, quality));
    }

    /// What was measured of a room; to be called every two seconds while somebody is there.
    pub fn note_stats(&self, room: RoomId, stats: RoomStats) {
        self.with(|outbox, now| outbox.rooms.note_stats(now, SystemTime::now(), room, stats));
    }

    /// Tells everybody in a room what the media side knows, such as levels.
    pub fn tell_room(&self, room: RoomId, event: RoomEvent) {
        self.with(|outbox, now| outbox.send(now, Notice { to: Recipients::Room(room), event }));
    }

    /// Tells one participant what the media side knows, such as whom they hear in which slot.
    pub fn tell(&self, who: ParticipantId, event: RoomEvent) {
        self.with(|outbox, now| {
            if let Some(session) = outbox.rooms.session(who) {
                outbox.send(now, Notice { to: Recipients::One(session), event });
            }
        });
    }

    /// What happens in every room from now on, for whoever is in none of them; what is told to one alone is not among it.
    pub fn observe(&self) -> EventReceiver {
        self.lock().observe()
    }

    /// Somebody talks who has not joined; `granted` is what they were granted.
    pub fn talker_came(&self, stream: Track, name: &str, granted: Option<Granted>) {
        self.with(|outbox, now| outbox.rooms.talker_came(now, stream, name, granted));
    }

    /// And no longer.
    pub fn talker_left(&self, stream: StreamId) {
        self.with(|outbox, _| outbox.rooms.talker_left(stream));
    }

    /// Somebody hears a room without joining it, until what comes of it is dropped.
    pub fn listen(&self, room: RoomId, granted: Granted, name: &str, kind: ListenerKind) -> Option<Listening> {
        let who = self.with(|outbox, now| outbox.rooms.listener_came(now, room, granted, name, kind))?;
        Some(Listening { rooms: self.clone(), room, who })
    }

    /// Whether one may talk in a room without having joined it.
    pub fn is_open(&self, room: RoomId) -> bool {
        self.lock().rooms.is_open(room)
    }

    /// Whether this is the room of a station.
    pub fn is_station(&self, room: RoomId) -> bool {
        self.lock().rooms.info(room).is_some_and(|room| room.station.is_some())
    }

    /// What rooms count.
    pub fn counters(&self) -> RoomCounters {
        self.lock().rooms.counters()
    }

    /// How many rooms and participants there are.
    pub fn population(&self) -> (usize, usize) {
        let outbox = self.lock();
        (outbox.rooms.count(), outbox.rooms.population())
    }

    /// Clients that were given up because they did not read.
    pub fn too_slow(&self) -> u64 {
        self.lock().too_slow
    }

    /// Orders that the media side was too slow for.
    pub fn orders_lost(&self) -> u64 {
        self.lock().orders_lost
    }

    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.0.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, then what is due, and delivers whatever comes of it.
    fn with<T>(&self, act: impl FnOnce(&mut Outbox, Instant) -> T) -> T {
        let mut outbox = self.lock();
        // Tokio's clock is the one that `keep_time` waits by.
        let (before, now) = (outbox.rooms.deadline(), tokio::time::Instant::now().into_std());
        let result = act(&mut outbox, now);
        if outbox.rooms.deadline().is_some_and(|at| at <= now) {
            outbox.rooms.tick(now);
        }
        outbox.deliver(now);
        if outbox.rooms.deadline() != before {
            self.0.wake.notify_one();
        }
        result
    }
}
