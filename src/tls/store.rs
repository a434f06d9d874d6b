//! Files that only this program may read, written so that a power cut leaves the old one or the new one.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes the folder, and those above it that are not there, for this user alone.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file of mode 0600, whole or not at all.
pub(super) fn write(path: &Path, contents: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let new = path.with_extension("new");
    // One that is left from a power cut may have another mode.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(contents.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// Reads a file; `None` when there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // What is no text was not written by us: it is as good as empty.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Some(String::new())),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn a_file_and_its_folder_are_for_this_user_alone() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("data/tls");
        make_folder(&folder).expect("made");
        make_folder(&folder).expect("there already");
        let path = folder.join("x.pem");
        assert_eq!(read(&path).expect("readable"), None);
        for contents in ["one", "two"] {
            write(&path, contents).expect("written");
            assert_eq!(read(&path).expect("readable").as_deref(), Some(contents));
        }
        assert_eq!((mode(&folder), mode(&folder.join("..")), mode(&path)), (0o700, 0o700, 0o600));
        assert_eq!(std::fs::read_dir(&folder).expect("readable").count(), 1, "nothing is left over");
    }

    #[test]
    fn what_a_power_cut_left_is_not_in_the_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.pem");
        std::fs::write(folder.path().join("x.new"), "half").expect("written");
        write(&path, "whole").expect("written");
        assert_eq!((read(&path).expect("readable").as_deref(), mode(&path)), (Some("whole"), 0o600));
    }
}
