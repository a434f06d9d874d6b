//! The drawn order of the source: who may know whom. docs/architecture.md says why.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files of `src`, from the bottom up: each may name what stands before it, and nothing else.
const ORDER: [&str; 21] = [
    "domain", "limits", "critical", "data", "rooms", "access", "core", "audio", "engine", "library", "announce",
    "config", "log", "hass", "tls", "net", "card", "bridge", "sound", "http", "app",
];

/// Layers of the core, none of which may name those behind it.
const CORE: [(&str, &[&str]); 3] =
    [("peers", &["router", "ports"]), ("router", &["peers"]), ("ports", &["peers", "router"])];

/// What a core that is told the time, and given datagrams, has no use for.
const OUTSIDE: [&str; 8] =
    ["tokio", "Instant::now", "SystemTime", "std::thread", "thread::", "UdpSocket", "std::fs", "std::env"];

/// A source file as the compiler sees it when nothing is tested, without its comments.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The folder of `src` that it is in, or its own name.
    fn folder(&self) -> String {
        let first = self.path.iter().next().expect("a path").to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }

    /// Words that follow `crate::`, one by one or in braces.
    fn named(&self) -> Vec<String> {
        let word = |text: &str| text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect::<String>();
        let mut named = Vec::new();
        for after in self.text.split("crate::").skip(1) {
            match after.strip_prefix('{') {
                Some(list) => named.extend(top_level(list).iter().map(|entry| word(entry.trim()))),
                None => named.push(word(after)),
            }
        }
        named
    }
}

/// Entries of a list in braces, those of lists within it left out.
fn top_level(list: &str) -> Vec<String> {
    let (mut depth, mut entries) = (0, vec![String::new()]);
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => entries.push(String::new()),
            letter if depth == 0 => entries.last_mut().expect("one").push(letter),
            _ => {}
        }
    }
    entries
}

/// All of `src`, but for tests and what has a `main` of its own.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut sources) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" && name != "bin" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).expect("a source file");
                let text = text.split("#[cfg(test)]\nmod ").next().expect("something");
                let without_comments = text.lines().map(|line| line.split("//").next().expect("a line"));
                let text = without_comments.collect::<Vec<_>>().join("\n");
                sources.push(Source { path: path.strip_prefix(&root).expect("below").into(), text });
            }
        }
    }
    assert!(sources.len() > 100, "there is much more");
    sources
}

#[test]
fn folders_name_only_what_stands_below_them() {
    let place = |folder: &str| ORDER.iter().position(|other| *other == folder);
    let mut offences = Vec::new();
    for source in sources() {
        // What makes a program of it all may name everything.
        let Some(own) = place(&source.folder()) else {
            assert!(["main", "lib", "say", "health"].contains(&&*source.folder()), "{} has no place", source.folder());
            continue;
        };
        let above = source.named().into_iter().filter(|named| place(named).is_some_and(|place| place > own));
        offences.extend(above.map(|named| format!("src/{} names {named}", source.path.display())));
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_layers_of_the_core_do_not_know_each_other() {
    for (layer, others) in CORE {
        let of_it = |source: &&Source| source.path.starts_with(Path::new("core").join(layer));
        let all = sources();
        let of_it: Vec<_> = all.iter().filter(of_it).collect();
        assert!(!of_it.is_empty(), "{layer} has moved");
        for source in of_it {
            for other in others {
                let path = format!("core::{other}::");
                assert!(!source.text.contains(&path), "src/{} names {other}", source.path.display());
            }
        }
    }
}

#[test]
fn the_core_has_no_clock_no_socket_no_thread_and_str0m_in_one_place() {
    for source in sources().iter().filter(|source| source.folder() == "core") {
        for outside in OUTSIDE {
            assert!(!source.text.contains(outside), "src/{} names {outside}", source.path.display());
        }
        let is_session = source.path.starts_with("core/peers/session") || source.path.ends_with("peers/session.rs");
        assert!(is_session || !source.text.contains("str0m"), "src/{} names str0m", source.path.display());
    }
}

#[test]
fn lists_in_braces_are_read_to_their_end() {
    let text = "use crate::{audio::{Mixer, Program}, core, domain::StreamId};\nuse crate::net::Batch;".to_owned();
    let source = Source { path: "http/mod.rs".into(), text };
    assert_eq!(source.named(), ["audio", "core", "domain", "net"]);
    assert_eq!(source.folder(), "http");
}
