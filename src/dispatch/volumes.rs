//! How loud announcements are in each room, beside how loud each is meant to be; kept in the data folder.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Mutex;

use tokio::sync::watch;

use crate::access::{Action, Target, Visitor};
use crate::data::DataFolder;

use super::{DispatchError, Dispatcher, lock};

/// Where they are, in the data folder.
const FILE: &str = "volumes.json";

/// Percent of how loud an announcement is meant to be. Not nothing: it would be called played, and nobody would have heard it.
pub const ROOM_VOLUMES: RangeInclusive<u8> = 5..=100;

/// How loud announcements are in each room.
#[derive(Debug)]
pub(super) struct RoomVolumes {
    data: DataFolder,
    /// In percent, by the ids of rooms; those that are not here have all of it.
    percent: Mutex<BTreeMap<String, u8>>,
    /// Held while they are written. Whoever wants to know one does not wait for the disk.
    writing: Mutex<()>,
    /// Tells that one was set.
    turned: watch::Sender<()>,
}

impl RoomVolumes {
    /// Those of this data folder. What cannot be read is as if it had never been set.
    pub(super) fn read(data: DataFolder) -> Self {
        let kept = std::fs::read(data.file(FILE)).ok().and_then(|kept| serde_json::from_slice(&kept).ok());
        let mut percent: BTreeMap<String, u8> = kept.unwrap_or_default();
        percent.retain(|_, percent| ROOM_VOLUMES.contains(percent));
        Self { data, percent: Mutex::new(percent), writing: Mutex::default(), turned: watch::Sender::new(()) }
    }

    /// That of a room, in percent.
    pub(super) fn of(&self, room: &str) -> u8 {
        lock(&self.percent).get(room).copied().unwrap_or(*ROOM_VOLUMES.end())
    }

    /// Sets and keeps it.
    fn set(&self, room: &str, percent: u8) {
        lock(&self.percent).insert(room.to_owned(), percent);
        self.turned.send_replace(());
        let _turn = lock(&self.writing);
        // As all of them are by now: of two at once, the last to be written has both.
        let written = serde_json::to_vec(&*lock(&self.percent)).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|written| self.data.make().and_then(|()| self.data.write(FILE, &written)))
        {
            tracing::warn!(%error, "how loud announcements are cannot be kept: after a restart it is as before");
        }
    }
}

impl Dispatcher {
    /// How loud announcements are in a room, in percent.
    pub fn volume_in(&self, room: &str) -> u8 {
        self.0.volumes.of(room)
    }

    /// Changes with each of them.
    pub fn turned(&self) -> watch::Receiver<()> {
        self.0.volumes.turned.subscribe()
    }

    /// Sets that, for this visitor.
    ///
    /// # Errors
    /// When they may not, there is no such room, or it is none of [`ROOM_VOLUMES`].
    pub async fn set_volume_in(&self, visitor: &Visitor, slug: &str, percent: u8) -> Result<(), DispatchError> {
        if !ROOM_VOLUMES.contains(&percent) {
            return Err(DispatchError::Invalid("The volume of a room is a percentage, from 5 to 100"));
        }
        let room = self.0.rooms.find(slug).ok_or_else(|| DispatchError::NoRoom(slug.to_owned()))?;
        self.0.access.authorize(visitor, Action::TurnAnnouncements, Target::room(room)).await?;
        let (dispatcher, slug) = (self.clone(), slug.to_owned());
        // It is written to the disk. If that panics, what is heard is right all the same.
        let _ = tokio::task::spawn_blocking(move || dispatcher.0.volumes.set(&slug, percent)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_volume_of_a_room_outlives_a_restart_and_nonsense_is_as_if_it_had_not_been_set() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataFolder::new(folder.path().join("data"));
        let volumes = RoomVolumes::read(data.clone());
        assert_eq!(volumes.of("kitchen"), 100);
        volumes.set("kitchen", 40);
        volumes.set("study", 70);
        let again = RoomVolumes::read(data.clone());
        assert_eq!((again.of("kitchen"), again.of("study"), again.of("home")), (40, 70, 100));
        for wrong in ["", "[]", r#"{"kitchen": 0}"#, r#"{"kitchen": 900}"#, r#"{"kitchen": "loud"}"#] {
            std::fs::write(data.file(FILE), wrong).expect("written");
            assert_eq!(RoomVolumes::read(data.clone()).of("kitchen"), 100, "{wrong}");
        }
    }
}
