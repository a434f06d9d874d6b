//! The data folder: what must outlive a restart. Everything in it is for the daemon's own user alone, and a
//! file is there whole or not at all, whenever the power goes.

mod database;

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use database::{Store, StoreError, rows, to_json};

/// For nobody else to read: keys are among it.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// What the names of files begin with that are only there for a moment.
const TEMPORARY: &str = ".";

/// A temporary file that is older than this is nobody's any more.
const LEFT_OVER: Duration = Duration::from_secs(60);

/// Whether a file is one of ours on the way: `.<name>.<uuid>`.
fn is_temporary(name: &str) -> bool {
    let end = name.strip_prefix(TEMPORARY).and_then(|name| name.rsplit_once('.'));
    end.is_some_and(|(_, id)| uuid::Uuid::try_parse(id).is_ok())
}

/// That nobody else changes a file, for as long as it is held.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The folder, which is made when something is first kept.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder at this path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where a file is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes the folder, unless it is there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&self.0)
    }

    /// Replaces a file, or makes it.
    ///
    /// # Errors
    /// When the folder cannot be written; what was there before is there still.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let written = self.prepare(name, content)?;
        fs::rename(&written, self.file(name)).inspect_err(|_| drop(fs::remove_file(&written)))?;
        // The name is on the disk only when the folder is.
        File::open(&self.0)?.sync_all()
    }

    /// Reads a file, or makes it; if two processes make it at once, both get the same.
    ///
    /// # Errors
    /// When it can neither be read nor made.
    pub fn read_or_make(&self, name: &str, make: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
        let path = self.file(name);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
        let written = self.prepare(name, &make()?)?;
        // Unlike a rename, a link never takes the place of what another process made meanwhile.
        let linked = fs::hard_link(&written, &path);
        fs::remove_file(&written)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => fs::read(&path),
        }
    }

    /// Opens a file to be read and written in place, and makes it if it is not there.
    ///
    /// # Errors
    /// When it can neither be opened nor made.
    pub fn open(&self, name: &str) -> io::Result<File> {
        self.make()?;
        let path = self.file(name);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(FILE_MODE).clone();
        let file = options.open(&path)?;
        // It may have been made by a version that did not mind who reads it.
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
        self.give(&path)?;
        Ok(file)
    }

    /// Waits until nobody else, of whatever process, changes the file of this name; nobody does until the lock is dropped.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn lock(&self, name: &str) -> io::Result<Lock> {
        self.make()?;
        let path = self.file(&format!("{TEMPORARY}{name}.lock"));
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(FILE_MODE).open(&path)?;
        self.give(&path)?;
        file.lock()?;
        Ok(Lock { _file: file })
    }

    /// Removes what was left over by writers that were killed. To be called at the start.
    pub fn tidy(&self) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_old = entry
                .metadata()
                .and_then(|file| file.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFT_OVER));
            if name.to_str().is_some_and(is_temporary) && is_old && fs::remove_file(entry.path()).is_err() {
                tracing::warn!(file = %entry.path().display(), "a temporary file that was left over cannot be removed");
            }
        }
    }

    /// Writes a file under a name of its own, safely on the disk; nothing is left of it when that fails.
    fn prepare(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        self.make()?;
        let path = self.file(&format!("{TEMPORARY}{name}.{}", uuid::Uuid::new_v4()));
        let written = self.write_new(&path, content);
        if written.is_err() {
            // Without space on the disk this may fail as well; the next start tries again.
            let _ = fs::remove_file(&path);
        }
        written.map(|()| path)
    }

    fn write_new(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
        file.write_all(content)?;
        self.give(path)?;
        file.sync_all()
    }

    /// Gives a file to the folder's owner: what root's command line makes is the daemon's to read. Where that is not
    /// permitted, whoever runs is the owner already, or may not know better.
    fn give(&self, path: &Path) -> io::Result<()> {
        let (folder, file) = (fs::metadata(&self.0)?, fs::metadata(path)?);
        if (folder.uid(), folder.gid()) == (file.uid(), file.gid()) {
            return Ok(());
        }
        match chown(path, Some(folder.uid()), Some(folder.gid())) {
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_for_their_owner_alone_and_replaced_whole() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::new(parent.path().join("data"));
        folder.write("a", b"one").expect("written");
        folder.write("a", b"two").expect("written");
        assert_eq!(fs::read(folder.file("a")).expect("there"), b"two");
        let mode = |path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(folder.file("a")), mode(folder.file("."))), (FILE_MODE, FOLDER_MODE));
        assert_eq!(fs::read_dir(folder.file(".")).expect("listed").count(), 1, "nothing is left over");
    }

    #[test]
    fn what_is_made_once_is_read_ever_after() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::new(parent.path().join("data"));
        assert_eq!(folder.read_or_make("key", || Ok(b"first".to_vec())).expect("made"), b"first");
        assert_eq!(folder.read_or_make("key", || Ok(b"second".to_vec())).expect("read"), b"first");
        assert_eq!(fs::read_dir(folder.file(".")).expect("listed").count(), 1, "nothing is left over");
    }

    #[test]
    fn what_could_not_be_written_or_was_left_over_does_not_stay() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::new(parent.path().join("data"));
        folder.write("a", b"one").expect("written");
        // A folder in its place cannot be replaced by a file.
        fs::create_dir_all(folder.file("b/c")).expect("made");
        assert!(folder.write("b", b"two").is_err());
        assert_eq!(fs::read_dir(folder.file(".")).expect("listed").count(), 2, "nothing is left over");
        let left = folder.file(&format!(".a.{}", uuid::Uuid::new_v4()));
        fs::write(&left, b"half").expect("written");
        folder.tidy();
        assert!(left.exists(), "somebody may be writing it");
        let old = std::time::SystemTime::now() - LEFT_OVER - LEFT_OVER;
        File::options().write(true).open(&left).and_then(|file| file.set_modified(old)).expect("made old");
        folder.tidy();
        assert!(!left.exists() && folder.file("a").exists());
    }
}
