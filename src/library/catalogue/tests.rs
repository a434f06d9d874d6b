use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use super::super::chimes;
use super::*;

fn catalogue(folder: &Path, data: &Path, max: usize) -> Catalogue {
    let data = DataFolder::new(data.to_owned());
    Catalogue::new(vec![Folder::at(folder.to_owned())], None, &data, max, "gong.wav".into())
}

/// A folder `sounds` with the chimes in it, and one for data.
fn house() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let parent = tempfile::tempdir().expect("a folder");
    let (sounds, data) = (parent.path().join("sounds"), parent.path().join("data"));
    chimes::make_once(&sounds).expect("made");
    (parent, sounds, data)
}

#[test]
fn files_are_listed_by_name_found_by_a_part_of_it_and_given_in_parts() {
    let (_parent, sounds, data) = house();
    let catalogue = catalogue(&sounds, &data, 100);
    assert!(catalogue.is_empty());
    catalogue.scan(&mut FolderWatch::default());
    let names = |listed: Listed| listed.files.into_iter().map(|file| file.name).collect::<Vec<_>>();
    let all = ["sounds/alert.wav", "sounds/ding-dong.wav", "sounds/ding.wav", "sounds/gong.wav"];
    assert_eq!(names(catalogue.list("", 0, 10)), all);
    assert_eq!(names(catalogue.list("DING", 0, 10)), all[1..3]);
    let part = catalogue.list("", 1, 2);
    assert_eq!((part.total, names(part)), (4, all[1..3].iter().map(|name| (*name).to_owned()).collect()));
    let default = catalogue.default_file().and_then(|id| catalogue.find(id)).expect("a file");
    assert_eq!(default.name, "sounds/gong.wav");
    assert_eq!(default.bitrate, Some(768_088));
}

#[test]
fn what_is_known_of_a_file_is_not_read_again_after_a_restart() {
    let (_parent, sounds, data) = house();
    let path = sounds.join("gong.wav");
    let first = catalogue(&sounds, &data, 100);
    first.scan(&mut FolderWatch::default());
    drop(first);
    // The same length and the same time, but nothing that could be read.
    let written = fs::metadata(&path).expect("there").modified().expect("a time");
    let length = fs::metadata(&path).expect("there").len();
    fs::write(&path, vec![0; length as usize]).expect("written");
    File::options().write(true).open(&path).expect("there").set_modified(written).expect("set");
    let second = catalogue(&sounds, &data, 100);
    second.scan(&mut FolderWatch::default());
    assert_eq!((second.len(), second.list("gong", 0, 1).files[0].seconds), (4, Some(4.0)));
    // With another time it is another file, and that is none.
    File::options().write(true).open(&path).expect("there").set_modified(SystemTime::now()).expect("set");
    second.scan(&mut FolderWatch::default());
    assert_eq!(second.len(), 3);
    assert_eq!(second.stats().broken.load(Ordering::Relaxed), 1);
}

#[test]
fn no_more_files_are_served_than_may_be_and_those_left_out_are_counted() {
    let (_parent, sounds, data) = house();
    let catalogue = catalogue(&sounds, &data, 3);
    catalogue.scan(&mut FolderWatch::default());
    assert_eq!((catalogue.len(), catalogue.stats().over_limit.load(Ordering::Relaxed)), (3, 1));
}

#[test]
fn a_folder_that_is_not_there_just_now_is_remembered() {
    let (parent, sounds, data) = house();
    let catalogue = catalogue(&sounds, &data, 100);
    catalogue.scan(&mut FolderWatch::default());
    fs::rename(&sounds, parent.path().join("away")).expect("renamed");
    catalogue.scan(&mut FolderWatch::default());
    assert!(catalogue.is_empty());
    assert!(catalogue.index().find(&remembered(parent.path().join("away/ding.wav"))).is_some());
}

/// The file at this path as it is found in `sounds`.
fn remembered(path: PathBuf) -> Found {
    let stamp = open_file::Stamp::of(&fs::metadata(&path).expect("there"));
    Found { name: "sounds/ding.wav".into(), kind: crate::library::FileKind::Wav, stamp, root: PathBuf::new(), path }
}

#[tokio::test]
async fn a_file_that_changed_since_it_was_found_is_opened_as_it_is_now() {
    let (_parent, sounds, data) = house();
    let catalogue = catalogue(&sounds, &data, 100);
    catalogue.scan(&mut FolderWatch::default());
    let id = FileId::of("sounds/ding.wav");
    let before = catalogue.find(id).expect("known");
    fs::copy(sounds.join("gong.wav"), sounds.join("ding.wav")).expect("copied");
    let open = catalogue.open(id).await.expect("open");
    assert_eq!(open.facts().seconds, Some(4.0));
    assert_ne!(open.facts().version, before.version);
    assert_eq!(catalogue.find(id), Some(open.facts()));
    fs::write(sounds.join("ding.wav"), "no sound").expect("written");
    assert_eq!(catalogue.open(id).await.expect_err("damaged"), OpenError::Damaged);
    fs::remove_file(sounds.join("ding.wav")).expect("removed");
    assert_eq!(catalogue.open(id).await.expect_err("gone"), OpenError::Gone);
    assert_eq!(catalogue.open(FileId(0)).await.expect_err("unknown"), OpenError::Unknown);
}
