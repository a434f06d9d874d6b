//! An announcement on one of Home Assistant's media players: what the player is given, and how far it is.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

use crate::announce::Rendered;
use crate::hass::ClipProgress;
use crate::players::ClipId;

/// One announcement on one player.
pub struct OnPlayer {
    /// Its identity, which is in the address that the player fetches.
    pub id: Uuid,
    /// The player.
    pub entity: String,
    /// How people call it.
    pub name: Arc<str>,
    /// It is what is said just now, and goes on until it is stopped.
    pub(super) is_live: bool,
    /// What is live is about to end.
    pub(super) ending: AtomicBool,
    /// Once the player has it: which clip of the player's it is, and how far.
    pub(super) placed: OnceLock<(ClipId, watch::Receiver<ClipProgress>)>,
    /// While it is not over.
    rendered: Mutex<Option<Arc<Rendered>>>,
}

impl fmt::Debug for OnPlayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnPlayer").field(&self.id).finish()
    }
}

impl OnPlayer {
    /// What was rendered; or, without it, something live.
    pub(super) fn new(entity: String, name: Arc<str>, rendered: Option<Arc<Rendered>>) -> Self {
        let is_live = rendered.is_none();
        let (ending, placed, rendered) = (AtomicBool::new(false), OnceLock::new(), Mutex::new(rendered));
        Self { id: Uuid::new_v4(), entity, name, is_live, ending, placed, rendered }
    }

    /// How far what is heard is behind what is said, as far as that is known: the player needed so long to begin.
    pub(super) fn delay(&self) -> Duration {
        match self.progress() {
            ClipProgress::Playing(late) => late,
            _ => Duration::ZERO,
        }
    }

    /// How far it is.
    pub fn progress(&self) -> ClipProgress {
        self.placed.get().map_or(ClipProgress::Waiting, |(_, progress)| progress.borrow().clone())
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.progress(), ClipProgress::Over(_))
    }

    /// What the player plays, while it may.
    pub fn file(&self) -> Option<Bytes> {
        self.rendered().as_ref().map(|rendered| rendered.file.clone())
    }

    /// How long it is, while it is not over.
    pub fn length(&self) -> Option<Duration> {
        self.rendered().as_ref().map(|rendered| rendered.length)
    }

    /// Waits until it is over.
    pub(super) async fn ended(&self) {
        if let Some((_, mut progress)) = self.placed.get().cloned() {
            // Without a player task it is over as well.
            let _ = progress.wait_for(|progress| matches!(progress, ClipProgress::Over(_))).await;
        }
    }

    /// Gives its memory back once it is over.
    pub(super) async fn tidy(self: Arc<Self>) {
        self.ended().await;
        *self.rendered() = None;
    }

    /// Whole at every moment, also after a panic.
    fn rendered(&self) -> MutexGuard<'_, Option<Arc<Rendered>>> {
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
