//! The data folder: what must outlive a restart. Everything in it is for the daemon's own user alone, and a
//! file is there whole or not at all, whenever the power goes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

/// For nobody else to read: keys are among it.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

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
        fs::rename(&written, self.file(name))?;
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

    /// Writes a file under a name of its own, safely on the disk.
    fn prepare(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        self.make()?;
        let path = self.file(&format!(".{name}.{}", uuid::Uuid::new_v4()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&path)?;
        file.write_all(content)?;
        file.sync_all()?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
}
