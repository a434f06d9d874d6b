//! Through all folders, for the files in them that are audio by their names.

use std::collections::HashSet;
use std::fs::{self, DirEntry, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::facts::{self, FileKind};
use super::super::inside;
use super::super::reading;
use super::index::IndexEntry;
use super::open_file::Stamp;
use super::watch::FolderWatch;

/// Folders within folders, so deep at most.
const MAX_DEPTH: usize = 32;

/// A folder that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// What the names of its files begin with.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

impl Folder {
    /// The folder at this path, called by its last part.
    pub fn at(path: PathBuf) -> Self {
        let name = path.file_name().map_or_else(|| "files".into(), |name| name.to_string_lossy().into_owned());
        Self { name, path }
    }
}

/// A file that may be audio.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Its folder's name, and its path below that.
    pub(super) name: String,
    pub(super) kind: FileKind,
    pub(super) stamp: Stamp,
    pub(super) path: PathBuf,
    /// The folder that it is in, as the disk knows it.
    pub(super) root: PathBuf,
}

/// One way through all folders.
pub(super) struct Walk<'a> {
    max: usize,
    /// Told of every folder.
    watch: &'a mut FolderWatch,
    /// Names of the folders that are there.
    reached: HashSet<String>,
    /// Names of all that was found.
    pub(super) names: HashSet<String>,
    /// Files beyond `max`.
    pub(super) over_limit: u64,
    /// Folders that were seen, as the disk knows them: links may make a ring of them.
    seen: HashSet<PathBuf>,
    found: Vec<Found>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(max: usize, watch: &'a mut FolderWatch) -> Self {
        let (reached, names, seen) = (HashSet::new(), HashSet::new(), HashSet::new());
        Self { max, watch, reached, names, over_limit: 0, seen, found: Vec::new() }
    }

    /// Files in this folder, and in those within.
    pub(super) fn through(&mut self, folder: &Folder) -> Vec<Found> {
        match fs::canonicalize(&folder.path) {
            Ok(root) => {
                self.reached.insert(folder.name.clone());
                self.enter(&root, &root, &folder.name, 0);
            }
            Err(error) => tracing::debug!(%error, folder = %folder.path.display(), "a folder of files is not there"),
        }
        std::mem::take(&mut self.found)
    }

    /// Whether a file of this name is no more. Of a folder that is not there just now, nothing is known.
    pub(super) fn misses(&self, name: &str) -> bool {
        let folder = name.split_once('/').map_or(name, |(folder, _)| folder);
        self.reached.contains(folder) && !self.names.contains(name)
    }

    fn enter(&mut self, path: &Path, root: &Path, name: &str, depth: usize) {
        if depth > MAX_DEPTH || !self.seen.insert(path.to_owned()) {
            return;
        }
        self.watch.add(path);
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return tracing::debug!(%error, folder = %path.display(), "a folder cannot be read"),
        };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        // The same ones are left out each time where there are too many.
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            self.look_at(&entry, root, name, depth);
        }
    }

    fn look_at(&mut self, entry: &DirEntry, root: &Path, above: &str, depth: usize) {
        let own = entry.file_name().to_string_lossy().into_owned();
        if own.starts_with('.') {
            return;
        }
        let name = format!("{above}/{own}");
        let Some((path, metadata)) = resolve(entry, root) else {
            return tracing::debug!(file = name, "it leads out of its folder, or nowhere");
        };
        if metadata.is_dir() {
            return self.enter(&path, root, &name, depth + 1);
        }
        let Some(kind) = FileKind::of(&own).filter(|_| metadata.is_file()) else { return };
        if self.names.len() >= self.max {
            self.over_limit += 1;
        } else if self.names.insert(name.clone()) {
            let stamp = Stamp::of(&metadata);
            self.found.push(Found { name, kind, stamp, path, root: root.to_owned() });
        }
    }
}

/// Where an entry of a folder really is, unless that is outside of `root`.
fn resolve(entry: &DirEntry, root: &Path) -> Option<(PathBuf, Metadata)> {
    let path = match entry.file_type().ok()?.is_symlink() {
        true => fs::canonicalize(entry.path()).ok()?,
        false => entry.path(),
    };
    let inside = path.starts_with(root);
    let metadata = fs::symlink_metadata(&path).ok()?;
    inside.then_some((path, metadata))
}

/// Reads what a file says of itself. What is no audio is logged, once: the next time it is known.
pub(super) fn describe(found: &Found) -> IndexEntry {
    let opened = inside::open(&found.root, &found.path).and_then(|file| file.ok_or_else(|| ErrorKind::NotFound.into()));
    let described = opened.map_err(facts::NoAudio::Unreadable).and_then(|file| reading::describe(&file, found.kind));
    if let Err(error) = &described {
        tracing::warn!(file = found.name, %error, "an audio file is left out");
    }
    IndexEntry { stamp: found.stamp, description: described.ok(), sha256: None }
}
