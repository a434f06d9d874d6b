//! What outlives a restart.

use crate::data::DataFolder;
use crate::mailbox::store::{Change, open, speech, write};

use super::*;

fn folder() -> (tempfile::TempDir, DataFolder) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataFolder::new(folder.path().join("data"));
    (folder, data)
}

#[test]
fn messages_and_what_is_said_in_them_are_there_after_a_restart_and_what_was_deleted_is_not() {
    let (_folder, data) = folder();
    let (mut store, kept) = open(&data);
    assert_eq!(kept, []);
    for number in 1..=2 {
        let put = Some((message(number, "anna", 1, 3), Some(format!("say {number}").into())));
        write(&mut store, &Change { put, gone: Vec::new() }).expect("written");
    }
    drop(store);
    let (mut store, kept) = open(&data);
    assert_eq!(kept, [message(1, "anna", 1, 3), message(2, "anna", 1, 3)]);
    let change = Change { put: Some((heard(kept[1].clone()), None)), gone: vec![kept[0].id] };
    write(&mut store, &change).expect("written");
    drop(store);
    let (mut store, left) = open(&data);
    assert_eq!(left, [heard(message(2, "anna", 1, 3))]);
    assert_eq!(speech(&mut store, kept[1].id).expect("read").as_deref(), Some(&b"say 2"[..]));
    assert_eq!(speech(&mut store, kept[0].id).expect("read"), None);
}

#[test]
fn a_database_that_is_damaged_is_set_aside_and_one_in_use_is_said_to_be() {
    let (_folder, data) = folder();
    data.make().expect("made");
    std::fs::write(data.file("mailbox.redb"), [7; 5_000]).expect("written");
    let (mut store, kept) = open(&data);
    assert_eq!(kept, []);
    assert!(data.file("mailbox.redb.damaged").exists());
    let put = Some((message(1, "anna", 1, 3), Some("x".into())));
    write(&mut store, &Change { put: put.clone(), gone: Vec::new() }).expect("a new one");
    let (mut other, _) = open(&data);
    let error = write(&mut other, &Change { put, gone: Vec::new() }).expect_err("it is in use");
    assert_eq!(error.to_string(), "another program has it open");
}
