use serde_json::{Value, json};

use super::*;
use crate::library::FileKind;

/// A file of so many bytes.
fn facts(id: u64, size: u64) -> FileFacts {
    FileFacts {
        id: FileId(id),
        name: "sounds/ding.wav".into(),
        kind: FileKind::Wav,
        mime: FileKind::Wav.mime(),
        size,
        modified: 0,
        seconds: Some(1.5),
        bitrate: Some(128_000),
        title: None,
        cover: false,
        version: "v1".into(),
        sha256: Some("abc".into()),
    }
}

fn transfer() -> Transfer {
    Transfer::new(usize::MAX, 1)
}

/// One that is sending a file of ten and a half chunks.
fn sending() -> Transfer {
    let mut transfer = transfer();
    transfer.begin();
    assert_eq!(transfer.poll(), Some(Effect::Open(None)));
    transfer.opened(Ok(facts(1, CHUNK_BYTES as u64 * 21 / 2)));
    assert_eq!(said(&mut transfer)["type"], "metadata");
    transfer
}

/// What is said next.
fn said(transfer: &mut Transfer) -> Value {
    match transfer.poll() {
        Some(Effect::Say(text)) => serde_json::from_str(&text).expect("JSON"),
        other => panic!("{other:?} instead of something said"),
    }
}

fn say(transfer: &mut Transfer, message: &Value) {
    assert!(transfer.said(&message.to_string()));
}

/// Chunks that are sent without a word in between.
fn chunks(transfer: &mut Transfer) -> Vec<u64> {
    let mut sent = Vec::new();
    loop {
        match transfer.poll() {
            Some(Effect::Send(chunk)) => sent.push(chunk),
            Some(Effect::Hash) => transfer.hashed(Some("abc".into())),
            Some(Effect::Say(text)) => {
                transfer.waiting.push_front(text);
                return sent;
            }
            _ => return sent,
        }
    }
}

#[test]
fn a_client_that_says_nothing_gets_the_default_file_whole() {
    let mut transfer = transfer();
    assert_eq!(transfer.poll(), None);
    transfer.begin();
    assert_eq!(transfer.poll(), Some(Effect::Open(None)));
    assert_eq!(transfer.poll(), None);
    transfer.opened(Ok(facts(1, CHUNK_BYTES as u64 * 21 / 2)));
    let metadata = said(&mut transfer);
    assert_eq!(metadata["totalSize"], CHUNK_BYTES * 21 / 2);
    assert_eq!((&metadata["totalChunks"], &metadata["chunkSize"]), (&json!(11), &json!(65_536)));
    for (key, value) in [("mime", json!("audio/wav")), ("duration", json!(1.5)), ("sha256", json!("abc"))] {
        assert_eq!(metadata[key], value, "{key}");
    }
    assert_eq!(chunks(&mut transfer), (0..11).collect::<Vec<_>>());
    assert_eq!(said(&mut transfer)["type"], "complete");
    assert_eq!(transfer.poll(), None);
    assert!(!transfer.is_busy());
}

#[test]
fn a_client_that_wants_a_file_gets_that_one_and_not_the_default_one() {
    let mut transfer = transfer();
    say(&mut transfer, &json!({"type": "play", "file": FileId(7), "fromChunk": 2}));
    transfer.begin();
    assert_eq!(transfer.poll(), Some(Effect::Open(Some(FileId(7)))));
    transfer.opened(Ok(facts(7, CHUNK_BYTES as u64 * 4)));
    assert_eq!(said(&mut transfer)["fromChunk"], 2);
    assert_eq!(chunks(&mut transfer), [2, 3]);
}

#[test]
fn a_client_of_short_messages_gets_short_chunks() {
    let mut transfer = Transfer::new(16_000, 1);
    transfer.begin();
    transfer.poll();
    transfer.opened(Ok(facts(1, 40_000)));
    let metadata = said(&mut transfer);
    assert_eq!((&metadata["totalChunks"], &metadata["chunkSize"]), (&json!(3), &json!(16_000)));
}

#[test]
fn a_paused_transfer_sends_nothing_and_goes_on_where_it_was() {
    let mut transfer = sending();
    assert_eq!((transfer.poll(), transfer.poll()), (Some(Effect::Send(0)), Some(Effect::Send(1))));
    say(&mut transfer, &json!({"type": "pause"}));
    assert_eq!(said(&mut transfer), json!({"type": "paused", "chunk": 2}));
    assert_eq!(transfer.poll(), None);
    say(&mut transfer, &json!({"type": "resume"}));
    assert_eq!(said(&mut transfer), json!({"type": "sending", "chunk": 2}));
    assert_eq!(chunks(&mut transfer), (2..11).collect::<Vec<_>>());
}

#[test]
fn seeking_goes_there_at_any_time_also_when_all_was_sent() {
    let mut transfer = sending();
    say(&mut transfer, &json!({"type": "seek", "chunk": 9}));
    assert_eq!(said(&mut transfer), json!({"type": "sending", "chunk": 9}));
    assert_eq!(chunks(&mut transfer), [9, 10]);
    assert_eq!(said(&mut transfer)["type"], "complete");
    say(&mut transfer, &json!({"type": "seek", "chunk": 10}));
    assert_eq!(said(&mut transfer)["chunk"], 10);
    assert_eq!(chunks(&mut transfer), [10]);
    say(&mut transfer, &json!({"type": "seek", "chunk": 12}));
    assert_eq!(said(&mut transfer)["type"], "complete");
    assert_eq!(said(&mut transfer)["code"], "no_chunk");
    assert_eq!(transfer.poll(), None);
}

#[test]
fn a_stopped_transfer_waits_for_the_next_wish() {
    let mut transfer = sending();
    say(&mut transfer, &json!({"type": "stop"}));
    assert_eq!(said(&mut transfer)["type"], "stopped");
    assert_eq!(transfer.poll(), None);
    say(&mut transfer, &json!({"type": "pause"}));
    assert_eq!(said(&mut transfer)["code"], "nothing_open");
    say(&mut transfer, &json!({"type": "play", "file": FileId(2)}));
    assert_eq!(transfer.poll(), Some(Effect::Open(Some(FileId(2)))));
}

#[test]
fn a_new_connection_goes_on_with_the_same_content() {
    for known in [json!({"sha256": "abc"}), json!({"version": "v1"})] {
        let mut transfer = transfer();
        let mut wish = json!({"type": "resume", "file": FileId(1), "fromChunk": 3});
        wish.as_object_mut().expect("an object").extend(known.as_object().expect("an object").clone());
        say(&mut transfer, &wish);
        transfer.poll();
        transfer.opened(Ok(facts(1, CHUNK_BYTES as u64 * 4)));
        assert_eq!(said(&mut transfer)["fromChunk"], 3);
        assert_eq!(chunks(&mut transfer), [3]);
    }
}

#[test]
fn a_new_connection_does_not_go_on_with_another_content() {
    let mut transfer = transfer();
    say(&mut transfer, &json!({"type": "resume", "file": FileId(1), "fromChunk": 3, "sha256": "other"}));
    transfer.poll();
    transfer.opened(Ok(facts(1, CHUNK_BYTES as u64 * 2)));
    assert_eq!(said(&mut transfer)["code"], "changed");
    assert_eq!(said(&mut transfer)["fromChunk"], 0);
    assert_eq!(chunks(&mut transfer), [0, 1]);
}

#[test]
fn where_only_the_hash_can_tell_it_is_waited_for() {
    for (hash, code) in [("abc", "metadata"), ("other", "error")] {
        let mut transfer = transfer();
        say(&mut transfer, &json!({"type": "resume", "file": FileId(1), "fromChunk": 1, "sha256": "abc"}));
        transfer.poll();
        transfer.opened(Ok(FileFacts { sha256: None, ..facts(1, CHUNK_BYTES as u64 * 2) }));
        assert_eq!(transfer.poll(), Some(Effect::Hash));
        assert_eq!(transfer.poll(), None);
        transfer.hashed(Some(hash.into()));
        assert_eq!(said(&mut transfer)["type"], code);
    }
}

#[test]
fn a_file_that_is_replaced_while_it_is_sent_is_sent_anew() {
    let mut transfer = sending();
    transfer.poll();
    transfer.failed(FileId(1), &TransferError::Changed);
    assert_eq!(said(&mut transfer)["code"], "changed");
    assert_eq!(transfer.poll(), Some(Effect::Open(Some(FileId(1)))));
    transfer.opened(Ok(FileFacts { version: "v2".into(), ..facts(1, 10) }));
    assert_eq!(said(&mut transfer)["totalSize"], 10);
    assert_eq!(chunks(&mut transfer), [0]);
}

#[test]
fn a_file_that_is_deleted_ends_with_an_error_and_the_next_can_be_had() {
    let mut transfer = sending();
    transfer.failed(FileId(1), &TransferError::Gone);
    assert_eq!(said(&mut transfer)["code"], "gone");
    assert_eq!(transfer.poll(), None);
    say(&mut transfer, &json!({"type": "play", "file": FileId(2)}));
    assert_eq!(transfer.poll(), Some(Effect::Open(Some(FileId(2)))));
    transfer.opened(Err(TransferError::NoFile));
    assert_eq!(said(&mut transfer)["code"], "no_file");
}

#[test]
fn what_went_wrong_with_the_former_file_is_no_matter_any_more() {
    let mut transfer = sending();
    say(&mut transfer, &json!({"type": "play", "file": FileId(2)}));
    transfer.failed(FileId(1), &TransferError::Gone);
    assert_eq!(transfer.poll(), Some(Effect::Open(Some(FileId(2)))));
}

#[test]
fn a_playlist_is_played_file_by_file_as_the_client_asks_for_the_next() {
    let mut transfer = transfer();
    say(&mut transfer, &json!({"type": "playlist", "files": [FileId(1), FileId(2)], "repeat": "all"}));
    for file in [1, 2, 1] {
        assert_eq!(transfer.poll(), Some(Effect::Open(Some(FileId(file)))));
        transfer.opened(Ok(facts(file, 10)));
        assert_eq!(said(&mut transfer)["file"], json!(FileId(file)));
        assert_eq!(chunks(&mut transfer), [0]);
        let complete = said(&mut transfer);
        assert_eq!((&complete["type"], &complete["next"]), (&json!("complete"), &json!(FileId(3 - file))));
        assert_eq!(transfer.poll(), None);
        say(&mut transfer, &json!({"type": "next"}));
    }
}

#[test]
fn what_is_no_message_gets_an_error_and_what_is_not_known_is_passed_over() {
    let mut transfer = sending();
    for text in ["", "[]", "{}", r#"{"type":"seek","chunk":-1}"#, r#"{"type":"play","file":"../../etc/passwd"}"#] {
        assert!(transfer.said(text));
        assert_eq!(said(&mut transfer)["code"], "bad_message", "{text}");
    }
    say(&mut transfer, &json!({"type": "from_the_future", "anything": 1}));
    assert_eq!(transfer.poll(), Some(Effect::Send(0)));
}

#[test]
fn a_client_that_talks_and_does_not_read_costs_no_memory() {
    let mut transfer = sending();
    let taken = (0..1_000).filter(|_| transfer.said("nonsense")).count();
    assert_eq!(taken, MAX_WAITING);
}

#[test]
fn no_chunk_comes_before_the_client_knows_what_it_is_of() {
    let mut transfer = transfer();
    say(&mut transfer, &json!({"type": "play", "file": FileId(1), "fromChunk": 9}));
    transfer.poll();
    assert!(transfer.opened(Ok(facts(1, CHUNK_BYTES as u64 * 2))));
    assert_eq!(said(&mut transfer)["code"], "no_chunk");
    say(&mut transfer, &json!({"type": "seek", "chunk": 1}));
    assert_eq!(said(&mut transfer)["type"], "metadata");
    assert_eq!(chunks(&mut transfer), [1]);
}

#[test]
fn a_file_that_is_open_only_when_nobody_wants_it_any_more_takes_no_ones_place() {
    let mut transfer = sending();
    say(&mut transfer, &json!({"type": "play", "file": FileId(2)}));
    transfer.poll();
    say(&mut transfer, &json!({"type": "stop"}));
    assert!(!transfer.opened(Ok(facts(2, 10))));
    assert_eq!(said(&mut transfer)["type"], "stopped");
    say(&mut transfer, &json!({"type": "seek", "chunk": 10}));
    assert_eq!(said(&mut transfer)["type"], "sending");
    assert_eq!(chunks(&mut transfer), [10]);
}
