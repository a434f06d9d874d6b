//! The media players of the house, as Home Assistant knows them, and what is announced on them.
//!
//! One `task` has all of them; what is here is for whoever lists them and announces on them.

mod task;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::data::DataFolder;
use crate::domain::Owner;
use crate::players::{ClipId, Mode, Outcome, PlayerKind, VolumeRule};

use super::core_link::{CoreFeed, CoreLink};
use super::directory::{Area, OwnEntity};
use super::own::{EntityId, OwnIds};

pub use task::HousePlayersTask;

/// What waits to be done.
const ORDERS: usize = 256;

/// A player of the house.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPlayer {
    /// Its entity.
    pub entity: String,
    /// How people call it.
    pub name: String,
    /// The area that it is in.
    pub area: Option<Area>,
    /// The device that it is a part of.
    pub device: Option<String>,
    /// The players that it stands for, where it is a group.
    pub members: Vec<String>,
    /// How it announces.
    pub kind: PlayerKind,
    /// What it does.
    pub mode: Mode,
    /// From 0 to 1, where it tells.
    pub volume: Option<f32>,
    /// Something is announced on it, or waits.
    pub announcing: bool,
}

/// How far a clip is on a player.
#[derive(Debug, Clone, PartialEq)]
pub enum ClipProgress {
    /// It waits for its turn, or for the player.
    Waiting,
    /// It plays, so long after the player was told to.
    Playing(Duration),
    /// It is over.
    Over(Outcome),
}

/// Nothing can be announced on a player.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlayerError {
    /// Home Assistant knows none of this name.
    #[error("There is no media player {0}")]
    Unknown(String),
    /// It has enough.
    #[error("Too many announcements wait for {0}")]
    Full(String),
    /// It has enough of whoever announces.
    #[error("Too many announcements of yours wait for {0}; limits.share sets how many may")]
    Share(String),
    /// Home Assistant is not there.
    #[error("Home Assistant cannot be reached")]
    Away,
    /// There is no Home Assistant.
    #[error("The relay is not linked to Home Assistant, so it knows no media players; set hass.url and hass.token")]
    Unlinked,
}

/// What is counted.
#[derive(Debug, Default)]
pub struct PlayersStats {
    /// Clips that were heard to their end.
    pub played: AtomicU64,
    /// Clips that were stopped.
    pub stopped: AtomicU64,
    /// Clips that were not heard, or not to their end.
    pub failed: AtomicU64,
    /// Players that were put back after a crash.
    pub recovered: AtomicU64,
    /// Clips that were not taken, since too many waited.
    pub full: AtomicU64,
    /// Calls that Home Assistant refused.
    pub refused: AtomicU64,
}

/// The players, for whoever lists them and announces on them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HousePlayers {
    orders: mpsc::Sender<Order>,
    shown: Arc<Mutex<Shown>>,
    linked: Arc<AtomicBool>,
    stats: Arc<PlayersStats>,
    own: Option<OwnIds>,
}

/// What the task shows of the house.
#[derive(Debug, Default)]
struct Shown {
    players: Vec<KnownPlayer>,
    /// Engines that make speech of text.
    engines: Vec<String>,
    /// Entities of ours, by their names.
    own_entities: HashMap<String, OwnEntity>,
}

/// What is asked of the task.
#[derive(Debug)]
enum Order {
    Announce { entity: String, clip: NewClip, reply: oneshot::Sender<Announced> },
    Stop { entity: String, id: ClipId, reply: oneshot::Sender<bool> },
}

type Announced = Result<(ClipId, watch::Receiver<ClipProgress>), PlayerError>;

/// A clip that is to be announced.
#[derive(Debug, Clone)]
pub struct NewClip {
    /// Where the player gets it.
    pub url: String,
    /// How long it is, where that is known.
    pub length: Option<Duration>,
    /// How loud.
    pub volume: VolumeRule,
    /// It goes before those that wait and are not.
    pub is_urgent: bool,
    /// It goes on until it is stopped.
    pub is_live: bool,
    /// Who answers for it.
    pub owner: Owner,
}

impl HousePlayers {
    /// The players that this core knows, and the task that has them. `share` is the percentage of a player's line that one
    /// owner may have; half of it in any case. What is `own` is no player: it is a room of ours.
    pub fn new(
        link: CoreLink,
        feed: CoreFeed,
        data: DataFolder,
        share: u8,
        own: Option<OwnIds>,
    ) -> (Self, HousePlayersTask) {
        let (orders, received) = mpsc::channel(ORDERS);
        let players = Self { orders, shown: Arc::default(), linked: Arc::default(), stats: Arc::default(), own };
        let task = HousePlayersTask::new(link, feed, received, &players, (data, share));
        (players, task)
    }

    /// All of them, by name.
    pub fn list(&self) -> Vec<KnownPlayer> {
        lock(&self.shown).players.clone()
    }

    /// The area in which somebody has put the device of a room of ours, if Home Assistant has it.
    pub fn area_of_room(&self, room: &str) -> Option<Area> {
        let of_room = self.own.as_ref()?.of_room(room);
        let shown = lock(&self.shown);
        let mut known = shown.own_entities.values().filter(|entity| of_room.contains(&entity.id));
        known.find_map(|entity| entity.area.clone())
    }

    /// Which entity of ours this is, if it is one.
    pub(super) fn own_entity(&self, entity: &str) -> Option<EntityId> {
        lock(&self.shown).own_entities.get(entity).map(|entity| entity.id.clone())
    }

    /// Engines of Home Assistant that make speech of text, the usual one first.
    pub fn speech_engines(&self) -> Vec<String> {
        lock(&self.shown).engines.clone()
    }

    /// Whether there is a link to Home Assistant just now.
    pub fn is_linked(&self) -> bool {
        self.linked.load(Ordering::Relaxed)
    }

    /// What is counted.
    pub fn stats(&self) -> &PlayersStats {
        &self.stats
    }

    /// Announces a clip on a player; gives how far it is, as it goes on.
    ///
    /// # Errors
    /// When there is no such player, or it has too much to say already.
    pub async fn announce(
        &self,
        entity: &str,
        clip: NewClip,
    ) -> Result<(ClipId, watch::Receiver<ClipProgress>), PlayerError> {
        let (reply, announced) = oneshot::channel();
        let order = Order::Announce { entity: entity.to_owned(), clip, reply };
        self.orders.try_send(order).map_err(|_| PlayerError::Away)?;
        announced.await.unwrap_or(Err(PlayerError::Away))
    }

    /// Stops a clip. False: it is over, or the player announces it by itself and cannot be stopped.
    pub async fn stop(&self, entity: &str, id: ClipId) -> bool {
        let (reply, stopped) = oneshot::channel();
        // Without a task there is nothing to stop.
        self.orders.try_send(Order::Stop { entity: entity.to_owned(), id, reply }).is_ok() && stopped.await == Ok(true)
    }
}

/// Whole at every moment, also after a panic.
fn lock(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
