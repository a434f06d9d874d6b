//! Files below a folder, opened so that nobody who may write there leads us out of it: a link that takes the place of
//! a file, or of a folder on the way, between the look and the opening is not followed.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// What has become a pipe meanwhile is not waited for.
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens what `path` leads to now; `None` when that is outside of `root`, which is a path without links.
///
/// # Errors
/// When it is not there, or cannot be opened.
pub(super) fn open(root: &Path, path: &Path) -> io::Result<Option<File>> {
    let path = fs::canonicalize(path)?;
    match path.strip_prefix(root) {
        Ok(below) => open_below(root, below),
        Err(_) => Ok(None),
    }
}

/// From here on, whatever is a link was put there since.
fn open_below(root: &Path, below: &Path) -> io::Result<Option<File>> {
    let root = openat(CWD, root, FOLDER, Mode::empty())?;
    let strict = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let opened = match openat2(&root, below, FLAGS, Mode::empty(), strict) {
        // Kernels before 5.6 have no such call, and some containers do not let it through.
        Err(Errno::NOSYS | Errno::PERM) => step_by_step(root, below),
        opened => opened,
    };
    match opened {
        Ok(file) => Ok(Some(file.into())),
        Err(Errno::LOOP | Errno::XDEV | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same, one folder after the other.
fn step_by_step(root: rustix::fd::OwnedFd, below: &Path) -> Result<rustix::fd::OwnedFd, Errno> {
    let mut names = below.components().peekable();
    let mut folder = root;
    while let Some(Component::Normal(name)) = names.next() {
        if names.peek().is_none() {
            return openat(&folder, name, FLAGS, Mode::empty());
        }
        folder = openat(&folder, name, FOLDER, Mode::empty())?;
    }
    Err(Errno::XDEV)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    type Way = fn(&Path, &Path) -> io::Result<Option<File>>;

    fn slowly(root: &Path, below: &Path) -> io::Result<Option<File>> {
        let root = openat(CWD, root, FOLDER, Mode::empty())?;
        match step_by_step(root, below) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::LOOP | Errno::XDEV | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    #[test]
    fn links_that_were_put_there_since_are_not_followed_wherever_they_stand() {
        let parent = tempfile::tempdir().expect("a folder");
        let parent = fs::canonicalize(parent.path()).expect("there");
        let root = parent.join("root");
        fs::create_dir_all(root.join("a/b")).expect("made");
        fs::create_dir(parent.join("outside")).expect("made");
        fs::write(parent.join("outside/secret"), "secret").expect("written");
        fs::write(root.join("a/b/own"), "own").expect("written");
        symlink(parent.join("outside/secret"), root.join("file")).expect("linked");
        symlink(parent.join("outside"), root.join("folder")).expect("linked");
        symlink(root.join("a"), root.join("inside")).expect("linked");
        for way in [open_below as Way, slowly] {
            let read = |below: &str| {
                way(&root, Path::new(below)).expect("opened or refused").map(|mut file| {
                    let mut text = String::new();
                    file.read_to_string(&mut text).expect("read");
                    text
                })
            };
            assert_eq!(read("a/b/own").as_deref(), Some("own"));
            for link in ["file", "folder/secret", "inside/b/own", "../outside/secret"] {
                assert_eq!(read(link), None, "{link}");
            }
            assert!(way(&root, Path::new("a/nothing")).is_err());
        }
    }

    #[test]
    fn links_that_stay_inside_are_the_familys_own() {
        let parent = tempfile::tempdir().expect("a folder");
        let root = fs::canonicalize(parent.path()).expect("there");
        fs::write(root.join("own"), "own").expect("written");
        symlink("own", root.join("link")).expect("linked");
        symlink("/etc/passwd", root.join("out")).expect("linked");
        assert!(open(&root, &root.join("link")).expect("opened").is_some());
        assert!(open(&root, &root.join("out")).expect("resolved").is_none());
    }
}
