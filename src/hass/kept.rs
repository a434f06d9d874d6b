//! How players are to be left, kept in the data folder until they are, so that a crash leaves none loud.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::data::DataFolder;
use crate::players::SavedState;

/// How players are to be left, in the data folder.
const FILE: &str = "players.json";

/// Older than this, nobody remembers either, and what is there now is right.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// How players are to be left, kept in the data folder.
pub(super) struct Kept {
    data: DataFolder,
    states: BTreeMap<String, KeptState>,
    /// Something of it is not on the disk yet.
    is_new: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptState {
    /// In seconds since 1970.
    at: u64,
    saved: SavedState,
}

impl Kept {
    pub(super) fn read(data: DataFolder) -> Self {
        let states = match std::fs::read(data.file(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, "{FILE} cannot be read: players that were left loud stay so");
                BTreeMap::new()
            }),
            Err(_) => BTreeMap::new(),
        };
        Self { data, states, is_new: false }
    }

    /// What was kept of a player by a former daemon, unless it is too old.
    pub(super) fn take_fresh(&mut self, entity: &str) -> Option<SavedState> {
        let kept = self.states.get(entity)?;
        let age = seconds_now().saturating_sub(kept.at);
        if age > FORGOTTEN_AFTER.as_secs() {
            self.keep(entity, None);
            return None;
        }
        Some(kept.saved.clone())
    }

    pub(super) fn keep(&mut self, entity: &str, saved: Option<SavedState>) {
        match saved {
            Some(saved) => drop(self.states.insert(entity.to_owned(), KeptState { at: seconds_now(), saved })),
            None if self.states.remove(entity).is_none() => return,
            None => {}
        }
        self.is_new = true;
    }

    /// Writes it, if there is something new.
    pub(super) async fn write(&mut self) {
        if !std::mem::take(&mut self.is_new) {
            return;
        }
        let (data, states) = (self.data.clone(), serde_json::to_vec(&self.states).map_err(std::io::Error::from));
        let written = tokio::task::spawn_blocking(move || data.write(FILE, &states?)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "how players are to be left cannot be kept: a crash may leave one loud");
        }
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
