//! The list of all files that are served, with what is known of each.
//!
//! `walk` finds them, `index` remembers what was read from them, `watch` notices when they change. An [`Entry`] is
//! one file with one content: when that changes, another entry takes its place. An `open_file` is one that is read.

mod entry;
mod index;
mod open_file;
mod walk;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::Semaphore;

use crate::data::DataFolder;
use crate::domain::comparable;

use super::chimes;
use super::facts::Cover;
use super::reading;

use entry::Entry;
pub use entry::{FileFacts, FileId, OpenError};
use index::{Index, IndexEntry};
pub use open_file::{OpenFile, ReadError};
pub use walk::Folder;
use walk::{Found, Walk};
use watch::FolderWatch;

/// Files whose hash is computed at once: a disk reads one thing best.
const HASHES_AT_ONCE: usize = 2;

/// What the catalogue counts.
#[derive(Debug, Default)]
pub struct CatalogueStats {
    /// Files that are left out now, for their number.
    pub over_limit: AtomicU64,
    /// Files that are left out now, since they are damaged or cannot be read.
    pub broken: AtomicU64,
    /// Times that the folders were looked through.
    pub scans: AtomicU64,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Files that match, all of them.
    pub total: usize,
    /// Those of the part that was asked for, by their names.
    pub files: Vec<FileFacts>,
}

/// The list. Cheap to clone.
#[derive(Clone)]
pub struct Catalogue(Arc<Inner>);

struct Inner {
    folders: Vec<Folder>,
    /// The folder for chimes of ours, if it is among them.
    chimes: Option<PathBuf>,
    max: usize,
    /// The name of the file for those who name none.
    default: String,
    shelf: RwLock<Arc<Shelf>>,
    index: Mutex<Index>,
    hashing: Semaphore,
    stats: CatalogueStats,
}

/// All entries, by their ids and in the order of their names.
#[derive(Default)]
struct Shelf {
    by_id: HashMap<FileId, Arc<Entry>>,
    in_order: Vec<Arc<Entry>>,
}

impl Shelf {
    fn of(entries: BTreeMap<String, Arc<Entry>>) -> Self {
        let by_id = entries.values().map(|entry| (entry.id, Arc::clone(entry))).collect();
        Self { by_id, in_order: entries.into_values().collect() }
    }
}

impl Catalogue {
    /// An empty list of at most `max` files in these folders; what is known of them is kept in `data`. In the folder
    /// `chimes` the daemon makes some files itself.
    pub fn new(folders: Vec<Folder>, chimes: Option<PathBuf>, data: &DataFolder, max: usize, default: String) -> Self {
        Self(Arc::new(Inner {
            folders,
            chimes,
            max,
            default,
            shelf: RwLock::default(),
            index: Mutex::new(Index::new(data)),
            hashing: Semaphore::new(HASHES_AT_ONCE),
            stats: CatalogueStats::default(),
        }))
    }

    /// Fills the list, and keeps it true from then on.
    pub async fn keep_fresh(self) {
        watch::keep_fresh(self).await;
    }

    /// What is counted.
    pub fn stats(&self) -> &CatalogueStats {
        &self.0.stats
    }

    /// Files now.
    pub fn len(&self) -> usize {
        self.shelf().in_order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Files whose title or name has this in it, `limit` of them from `offset` on.
    pub fn list(&self, search: &str, offset: usize, limit: usize) -> Listed {
        let (shelf, wanted) = (self.shelf(), comparable(search));
        let matching: Vec<_> = shelf.in_order.iter().filter(|entry| entry.matches(&wanted)).collect();
        let files = matching.iter().skip(offset).take(limit).map(|entry| entry.facts()).collect();
        Listed { total: matching.len(), files }
    }

    /// What is known of a file.
    pub fn find(&self, id: FileId) -> Option<FileFacts> {
        self.shelf().by_id.get(&id).map(|entry| entry.facts())
    }

    /// The file for those who name none.
    pub fn default_file(&self) -> Option<FileId> {
        let shelf = self.shelf();
        let usual = shelf.in_order.iter().find(|entry| entry.is_called(&self.0.default));
        usual.or_else(|| shelf.in_order.first()).map(|entry| entry.id)
    }

    /// The file that people call so: by its name with or without its folders, and with or without what it ends in.
    pub fn called(&self, name: &str) -> Option<FileId> {
        let shelf = self.shelf();
        let exact = shelf.in_order.iter().find(|entry| entry.is_called(name));
        let is_stem = |entry: &&Arc<Entry>| entry.is_called(&format!("{name}.{}", entry.kind.extension()));
        exact.or_else(|| shelf.in_order.iter().find(is_stem)).map(|entry| entry.id)
    }

    /// Opens a file, as it is now.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(&self, id: FileId) -> Result<OpenFile, OpenError> {
        let catalogue = self.clone();
        let opened = tokio::task::spawn_blocking(move || catalogue.open_now(id)).await;
        opened.unwrap_or_else(|error| Err(OpenError::Unreadable(error.to_string())))
    }

    /// The picture in a file.
    ///
    /// # Errors
    /// See [`OpenError`]; [`OpenError::Unknown`] where there is none.
    pub async fn cover(&self, id: FileId) -> Result<Cover, OpenError> {
        let file = self.open(id).await?;
        let kind = file.entry.kind;
        let cover = tokio::task::spawn_blocking(move || reading::cover(&file.into_file(), kind)).await;
        cover.ok().and_then(Result::ok).flatten().ok_or(OpenError::Unknown)
    }

    /// The hash of an open file's content, computed when it is first asked for; `None` when the file changes or
    /// cannot be read. Takes a second for some hundred megabytes.
    pub async fn sha256(&self, file: &Arc<OpenFile>) -> Option<String> {
        let compute = async || {
            let _turn = self.0.hashing.acquire().await.map_err(drop)?;
            let (file, catalogue) = (Arc::clone(file), self.clone());
            let hashed = tokio::task::spawn_blocking(move || {
                let hash = entry::hash(&file)?;
                catalogue.index().keep([(file.entry.name.clone(), file.entry.kept(Some(hash.clone())))]);
                Some(hash)
            });
            hashed.await.ok().flatten().ok_or(())
        };
        file.entry.sha256.get_or_try_init(compute).await.ok().cloned()
    }

    fn open_now(&self, id: FileId) -> Result<OpenFile, OpenError> {
        let entry = self.shelf().by_id.get(&id).cloned().ok_or(OpenError::Unknown)?;
        let (file, path, stamp) = entry.open()?;
        if stamp == entry.stamp {
            return Ok(OpenFile { entry, file, path });
        }
        // Nobody has noticed yet that it is another one now.
        let found = Found { stamp, ..entry.found() };
        let kept = walk::describe(&found);
        let renewed = Entry::new(found, &kept).map(Arc::new).ok_or(OpenError::Damaged)?;
        self.replace(&renewed);
        Ok(OpenFile { entry: renewed, file, path })
    }

    fn replace(&self, entry: &Arc<Entry>) {
        let mut shelf = self.0.shelf.write().unwrap_or_else(PoisonError::into_inner);
        let others = shelf.in_order.iter().filter(|other| other.id != entry.id);
        let entries = others.chain([entry]).map(|entry| (entry.sort_key(), Arc::clone(entry))).collect();
        *shelf = Arc::new(Shelf::of(entries));
    }

    /// Looks through all folders. Blocks.
    fn scan(&self, watch: &mut FolderWatch) {
        if let Some(chimes) = &self.0.chimes
            && let Err(error) = chimes::make_once(chimes)
        {
            tracing::warn!(%error, folder = %chimes.display(), "cannot make the chimes");
        }
        let mut walk = Walk::new(self.0.max, watch);
        let (mut entries, mut changed) = (BTreeMap::new(), Vec::new());
        for folder in &self.0.folders {
            for found in walk.through(folder) {
                // Not locked while files are read: whoever has hashed one has something to keep as well.
                let known = self.index().find(&found);
                let kept = known.unwrap_or_else(|| {
                    let kept = walk::describe(&found);
                    changed.push((found.name.clone(), kept.clone()));
                    kept
                });
                self.put(&mut entries, found, &kept);
            }
            // Whoever waits for the first files need not wait for the last.
            if self.is_empty() {
                self.publish(Shelf::of(entries.clone()));
            }
        }
        let mut index = self.index();
        index.keep(changed);
        index.forget(|name| walk.misses(name));
        drop(index);
        self.count(&walk, entries.len());
        self.publish(Shelf::of(entries));
    }

    /// Keeps what is there of a file already: its hash may be known.
    fn put(&self, entries: &mut BTreeMap<String, Arc<Entry>>, found: Found, kept: &IndexEntry) {
        let id = FileId::of(&found.name);
        let known = self.shelf().by_id.get(&id).filter(|entry| entry.stamp == found.stamp).cloned();
        if let Some(entry) = known.or_else(|| Entry::new(found, kept).map(Arc::new)) {
            entries.insert(entry.sort_key(), entry);
        }
    }

    fn count(&self, walk: &Walk<'_>, served: usize) {
        let stats = &self.0.stats;
        stats.scans.fetch_add(1, Ordering::Relaxed);
        stats.broken.store(walk.names.len().saturating_sub(served) as u64, Ordering::Relaxed);
        if stats.over_limit.swap(walk.over_limit, Ordering::Relaxed) == 0 && walk.over_limit > 0 {
            tracing::warn!(left_out = walk.over_limit, "there are more audio files than files.max allows");
        }
    }

    fn publish(&self, shelf: Shelf) {
        *self.0.shelf.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shelf);
    }

    fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.0.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whole at every moment, also after a panic: what is in it is only replaced.
    fn index(&self) -> std::sync::MutexGuard<'_, Index> {
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
