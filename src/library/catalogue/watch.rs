//! Notices that files come, go and change: from the kernel (inotify), where it tells.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchMask, Watches};

use super::Catalogue;

/// Where the kernel tells nothing, the folders are looked through so often.
const RESCAN_INTERVAL: Duration = Duration::from_secs(60);

/// Where it does: of changes on another machine's disk it knows nothing.
const BACKSTOP_INTERVAL: Duration = Duration::from_secs(600);

/// Files seldom come alone.
const SETTLE: Duration = Duration::from_millis(300);

/// Whoever copies a thousand files sees the first of them before the last is there.
const LONGEST_SETTLE: Duration = Duration::from_secs(3);

/// Names of files in events; those that do not fit come with the next reading.
const EVENT_BYTES: usize = 4_096;

/// Fills the list, and keeps it true from then on.
pub(super) async fn keep_fresh(catalogue: Catalogue) {
    let mut eyes = Eyes::open();
    loop {
        let (scanned, mut watch) = (catalogue.clone(), eyes.watch());
        let scan = move || {
            scanned.scan(&mut watch);
            watch.sees_all()
        };
        let sees_all = tokio::task::spawn_blocking(scan).await.unwrap_or_default();
        let interval = if sees_all { BACKSTOP_INTERVAL } else { RESCAN_INTERVAL };
        if tokio::time::timeout(interval, eyes.change()).await.is_ok() {
            // Until nothing more comes, but not for ever.
            let _ = tokio::time::timeout(LONGEST_SETTLE, eyes.rest()).await;
        }
    }
}

/// Whoever lets the kernel tell of folders, from before they are read: nothing happens unnoticed in between.
#[derive(Debug, Default)]
pub(super) struct FolderWatch {
    watches: Option<Watches>,
    folders: usize,
    refused: bool,
}

impl FolderWatch {
    /// Has changes in this folder told from now on. One that is watched already is watched once.
    pub(super) fn add(&mut self, folder: &Path) {
        let Some(watches) = &mut self.watches else { return };
        let mask = WatchMask::CLOSE_WRITE
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::DELETE_SELF
            | WatchMask::ONLYDIR;
        self.folders += 1;
        if let Err(error) = watches.add(folder, mask)
            && !std::mem::replace(&mut self.refused, true)
        {
            tracing::debug!(%error, "files are looked for every minute: there are more folders than may be watched");
        }
    }

    /// Whether there are any, and changes in all of them are told.
    fn sees_all(&self) -> bool {
        self.folders > 0 && !self.refused
    }
}

/// What the kernel tells of folders, if it does.
struct Eyes(Option<EventStream<[u8; EVENT_BYTES]>>);

impl Eyes {
    fn open() -> Self {
        let events = Inotify::init().and_then(|inotify| inotify.into_event_stream([0; EVENT_BYTES]));
        if let Err(error) = &events {
            tracing::info!(%error, "files are looked for every minute: the kernel does not tell of changes");
        }
        Self(events.ok())
    }

    /// Whoever lets the kernel tell of further folders.
    fn watch(&self) -> FolderWatch {
        FolderWatch { watches: self.0.as_ref().map(EventStream::watches), ..FolderWatch::default() }
    }

    /// Waits for a change.
    async fn change(&mut self) {
        match &mut self.0 {
            Some(events) => drop(events.next().await),
            None => std::future::pending().await,
        }
    }

    /// Waits until no more changes come.
    async fn rest(&mut self) {
        while tokio::time::timeout(SETTLE, self.change()).await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::data::DataFolder;
    use crate::library::Folder;

    use super::*;

    #[tokio::test]
    async fn what_happens_while_folders_are_read_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("files/new")).expect("made");
        let data = DataFolder::new(folder.path().join("data"));
        let catalogue = Catalogue::new(vec![Folder::at(folder.path().join("files"))], None, &data, 10, String::new());
        let mut eyes = Eyes::open();
        catalogue.scan(&mut eyes.watch());
        // Before anybody has read what came of the scan.
        fs::remove_dir_all(folder.path().join("files/new")).expect("removed");
        tokio::time::timeout(SETTLE, eyes.change()).await.expect("it is told");
    }
}
