//! The kept corpus of the fuzzer (`fuzz/`), through the same functions: what was once found stays fixed, and the
//! targets themselves stay in step with the code, without a fuzzer.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub)]
mod targets;

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(&folder).expect("a corpus").map(|file| file.expect("a file").path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        println!("{}", file.display());
        run(&fs::read(&file).expect("read"));
    }
    run(&[]);
}

#[test]
fn entities() {
    replay("entities", targets::entities);
}

#[test]
fn video() {
    replay("video", targets::video);
}

#[test]
fn viewers() {
    replay("viewers", targets::viewers);
}

#[test]
fn messages() {
    replay("messages", targets::messages);
}

#[test]
fn descriptions() {
    replay("descriptions", targets::descriptions);
}

#[test]
fn relay() {
    replay("relay", targets::relay);
}

#[test]
fn configuration() {
    replay("configuration", targets::configuration);
}

#[test]
fn wishes() {
    replay("wishes", targets::wishes);
}

#[test]
fn ranges() {
    replay("ranges", targets::ranges);
}

#[test]
fn fragments() {
    replay("fragments", targets::fragments);
}

#[test]
fn tokens() {
    replay("tokens", targets::tokens);
}

#[test]
fn gate() {
    replay("gate", targets::gate);
}

#[test]
fn http() {
    replay("http", targets::http);
}

#[test]
fn authorization() {
    replay("authorization", targets::authorization);
}

#[test]
fn files() {
    replay("files", targets::files);
}

#[test]
fn transfers() {
    replay("transfers", targets::transfers);
}

#[test]
fn playout() {
    replay("playout", targets::playout);
}
