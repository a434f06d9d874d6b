//! What is chosen of rooms, as it is kept in the data folder.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::data::DataFolder;

use super::handle::RoomsHandle;
use super::options::{RoomOptions, RoomOptionsChange};

/// By the ids of rooms, in the data folder.
const FILE: &str = "room-options.json";

/// Whoever keeps it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RoomOptionsKeeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rooms: RoomsHandle,
    data: DataFolder,
    /// One write after the other.
    writing: Mutex<()>,
}

/// Nothing was chosen.
#[derive(Debug, thiserror::Error)]
pub enum SetRoomOptionsError {
    /// There is no such room.
    #[error("There is no such room; GET /api/rooms lists those there are")]
    NoRoom,
    /// It is so until the next start.
    #[error("This is so until the relay is started again: the data folder cannot be written: {0}")]
    Unwritable(io::Error),
}

impl RoomOptionsKeeper {
    /// Chooses of these rooms what was kept.
    pub fn open(rooms: RoomsHandle, data: DataFolder) -> Self {
        if let Ok(bytes) = std::fs::read(data.file(FILE)) {
            match serde_json::from_slice::<BTreeMap<String, RoomOptions>>(&bytes) {
                Ok(chosen) => rooms.restore_options(chosen),
                Err(error) => tracing::warn!(%error, "{FILE} cannot be read: every room is as usual"),
            }
        }
        Self(Arc::new(Inner { rooms, data, writing: Mutex::default() }))
    }

    /// Chooses otherwise, of the room with this id, and gives what is chosen then. Writes to the disk.
    ///
    /// # Errors
    /// When there is none, or that cannot be kept.
    pub fn set(&self, room: &str, change: RoomOptionsChange) -> Result<RoomOptions, SetRoomOptionsError> {
        let Inner { rooms, writing, .. } = &*self.0;
        let _turn = writing.lock().unwrap_or_else(PoisonError::into_inner);
        let id = rooms.find(room).ok_or(SetRoomOptionsError::NoRoom)?;
        let options = rooms.set_options(id, change).ok_or(SetRoomOptionsError::NoRoom)?;
        self.write().map_err(SetRoomOptionsError::Unwritable)?;
        Ok(options)
    }

    /// Keeps what is chosen now: a room that is no more is to be nothing to the next of its id, after a restart either.
    /// Writes to the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self) -> io::Result<()> {
        let _turn = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        let Inner { rooms, data, .. } = &*self.0;
        let bytes = serde_json::to_vec(&rooms.chosen_options())?;
        data.make()?;
        data.write(FILE, &bytes)
    }
}
