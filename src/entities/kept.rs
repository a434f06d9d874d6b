//! What must outlive a restart, so that Home Assistant knows its entities again: who we are, and which places it was told of.

use std::collections::BTreeSet;
use std::io;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::data::DataFolder;

use crate::hass::OwnIds;

use super::esphome::NodeKey;

/// Where it is, in the data folder.
const FILE: &str = "entities.json";

/// What is kept, in the data folder.
#[derive(Debug)]
pub(super) struct Kept {
    data: DataFolder,
    content: Content,
    /// The rooms that there are.
    rooms: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    /// Tells this relay from others at the same Home Assistant.
    instance: String,
    /// What a Home Assistant on another machine has to show, once there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node_key: Option<NodeKey>,
    /// Ids of the rooms whose entities were made known.
    #[serde(default)]
    rooms: BTreeSet<String>,
}

impl Kept {
    /// Reads it, or makes it, and keeps that these rooms are made known from now on: before they are, so that they are
    /// taken back some day whatever happens. What is no longer readable is made anew.
    ///
    /// # Errors
    /// When the data folder can be neither read nor written: without it every start would make a second set of entities.
    pub(super) async fn open(data: DataFolder, rooms: BTreeSet<String>) -> io::Result<Self> {
        let content = in_background(&data, Content::open).await?;
        let mut kept = Self { data, content, rooms };
        let known = kept.content.rooms.union(&kept.rooms).cloned().collect();
        kept.write(known).await?;
        Ok(kept)
    }

    /// Tells this relay from others at the same Home Assistant.
    pub(super) fn instance(&self) -> &str {
        &self.content.instance
    }

    /// What a Home Assistant on another machine has to show: the same for ever.
    ///
    /// # Errors
    /// When it can be neither made nor kept.
    pub(super) async fn node_key(&mut self) -> io::Result<NodeKey> {
        if let Some(key) = &self.content.node_key {
            return Ok(key.clone());
        }
        let key = NodeKey::make().map_err(io::Error::other)?;
        self.content.node_key = Some(key.clone());
        let content = self.content.clone();
        in_background(&self.data, move |data| content.write(data)).await?;
        Ok(key)
    }

    /// Rooms that were made known once, and are no more.
    pub(super) fn gone(&self) -> impl Iterator<Item = &String> {
        self.content.rooms.difference(&self.rooms)
    }

    /// Home Assistant knows no longer of those that are gone.
    pub(super) async fn note_forgotten(&mut self) {
        if let Err(error) = self.write(self.rooms.clone()).await {
            tracing::warn!(%error, "which rooms Home Assistant knows cannot be kept");
        }
    }

    async fn write(&mut self, rooms: BTreeSet<String>) -> io::Result<()> {
        if self.content.rooms != rooms {
            self.content.rooms = rooms;
            let content = self.content.clone();
            in_background(&self.data, move |data| content.write(data)).await?;
        }
        Ok(())
    }
}

/// What tells this relay from others at the same Home Assistant: made once, and kept.
///
/// # Errors
/// When the data folder can be neither read nor written.
pub(super) fn own_ids(data: &DataFolder) -> io::Result<OwnIds> {
    Ok(OwnIds::new(&Content::open(data)?.instance))
}

impl Content {
    fn open(data: &DataFolder) -> io::Result<Self> {
        let new = || Self {
            instance: Uuid::new_v4().simple().to_string()[..8].to_owned(),
            node_key: None,
            rooms: BTreeSet::new(),
        };
        let written = data.read_or_make(FILE, || serde_json::to_vec(&new()).map_err(io::Error::from))?;
        match serde_json::from_slice::<Self>(&written) {
            Ok(content) if content.is_fit_for_topics() => Ok(content),
            _ => {
                tracing::warn!("{FILE} cannot be read: Home Assistant will show the entities a second time");
                let content = new();
                content.write(data)?;
                Ok(content)
            }
        }
    }

    fn write(&self, data: &DataFolder) -> io::Result<()> {
        data.write(FILE, &serde_json::to_vec(self)?)
    }

    /// Whether it has nothing that would change the meaning of a topic.
    fn is_fit_for_topics(&self) -> bool {
        let is_fit = |text: &String| {
            !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
        };
        is_fit(&self.instance) && self.rooms.iter().all(is_fit)
    }
}

/// Does something with the data folder where it holds nobody up.
async fn in_background<T: Send + 'static>(
    data: &DataFolder,
    act: impl FnOnce(&DataFolder) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let data = data.clone();
    tokio::task::spawn_blocking(move || act(&data)).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[tokio::test]
    async fn a_room_is_known_until_it_is_forgotten_also_after_a_crash() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |names| Kept::open(DataFolder::new(folder.path().join("data")), rooms(names));
        let first = open(&["kitchen", "study"]).await.expect("made");
        assert_eq!(first.gone().count(), 0);
        for _ in 0..2 {
            let crashed = open(&["study"]).await.expect("read");
            assert_eq!(crashed.instance(), first.instance());
            assert_eq!(crashed.gone().collect::<Vec<_>>(), ["kitchen"]);
        }
        open(&["study"]).await.expect("read").note_forgotten().await;
        assert_eq!(open(&["study"]).await.expect("read").gone().count(), 0);
    }

    #[tokio::test]
    async fn the_key_is_the_same_after_a_restart_and_another_elsewhere() {
        let key = async |folder: &tempfile::TempDir| {
            let mut kept = Kept::open(DataFolder::new(folder.path().into()), rooms(&["kitchen"])).await.expect("made");
            (kept.node_key().await.expect("made").text(), kept.instance().to_owned())
        };
        let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let made = key(&here).await;
        assert_eq!((key(&here).await, made.0.len()), (made.clone(), 44));
        assert_ne!(key(&there).await.0, made.0);
    }

    #[tokio::test]
    async fn what_is_kept_and_makes_no_topics_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataFolder::new(folder.path().into());
        for wrong in ["", "{", r#"{"instance": ""}"#, r#"{"instance": "a/#"}"#, r#"{"instance": "a", "rooms": ["+"]}"#]
        {
            std::fs::write(data.file(FILE), wrong).expect("written");
            let made = Kept::open(data.clone(), rooms(&[])).await.expect("made");
            assert_eq!((made.instance().len(), made.gone().count()), (8, 0), "{wrong}");
            let again = Kept::open(data.clone(), rooms(&[])).await.expect("read");
            assert_eq!(again.instance(), made.instance(), "{wrong}");
        }
    }
}
