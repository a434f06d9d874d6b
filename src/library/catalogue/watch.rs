//! Notices that files come, go and change: from the kernel (inotify), where it tells.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchMask};

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
        let scanned = catalogue.clone();
        let folders = tokio::task::spawn_blocking(move || scanned.scan()).await.unwrap_or_default();
        let interval = if eyes.look_at(&folders) { BACKSTOP_INTERVAL } else { RESCAN_INTERVAL };
        if tokio::time::timeout(interval, eyes.change()).await.is_ok() {
            // Until nothing more comes, but not for ever.
            let _ = tokio::time::timeout(LONGEST_SETTLE, eyes.rest()).await;
        }
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

    /// True: it will tell of changes in all of these. Those that it watches already are watched once.
    fn look_at(&mut self, folders: &[PathBuf]) -> bool {
        let Some(events) = &mut self.0 else { return false };
        let mask = WatchMask::CLOSE_WRITE
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::DELETE_SELF
            | WatchMask::ONLYDIR;
        let mut watches = events.watches();
        let refused = folders.iter().find_map(|folder| watches.add(folder, mask).err());
        if let Some(error) = &refused {
            tracing::debug!(%error, "files are looked for every minute: there are more folders than may be watched");
        }
        refused.is_none() && !folders.is_empty()
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
