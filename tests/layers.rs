//! The drawn order of the source: who may know whom. docs/architecture.md says why.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files of `src`, from the bottom up: each may name what stands before it, and nothing else.
const ORDER: [&str; 29] = [
    "domain",
    "limits",
    "critical",
    "data",
    "rooms",
    "calls",
    "access",
    "core",
    "audio",
    "engine",
    "live",
    "mailbox",
    "library",
    "transfer",
    "announce",
    "config",
    "log",
    "players",
    "tls",
    "hass",
    "net",
    "card",
    "bridge",
    "sound",
    "dispatch",
    "automation",
    "entities",
    "http",
    "app",
];

/// Layers of the core, none of which may name those behind it.
const CORE: [(&str, &[&str]); 4] = [
    ("peers", &["router", "video", "ports"]),
    ("router", &["peers", "video"]),
    ("video", &["peers", "router", "ports"]),
    ("ports", &["peers", "router", "video"]),
];

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

    /// Name of its module, folder by folder.
    fn module(&self) -> Vec<String> {
        let mut parts: Vec<_> =
            self.path.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned()).collect();
        parts.pop_if(|last| last == "mod");
        parts
    }

    /// Everything of the crate that it names, from `src` on: what follows `crate::` and `super::`, one by one or in braces.
    fn named(&self) -> Vec<Vec<String>> {
        let mut named = Vec::new();
        for (start, root) in ["crate::", "super::"].iter().flat_map(|root| self.text.match_indices(root)) {
            let before = self.text[..start].chars().next_back();
            if !before.is_some_and(|letter| letter.is_alphanumeric() || letter == ':' || letter == '_') {
                let path = self.text[start..].strip_prefix(root).expect("found there");
                let own = self.module();
                let from = if root == "crate::" { &[][..] } else { &own[..own.len() - 1] };
                expand(from.to_vec(), path, &mut named);
            }
        }
        named
    }
}

/// Adds all paths that a path stands for which may end in a list in braces.
fn expand(mut path: Vec<String>, text: &str, paths: &mut Vec<Vec<String>>) {
    if let Some(list) = text.strip_prefix('{') {
        return top_level(list).iter().for_each(|entry| expand(path.clone(), entry.trim(), paths));
    }
    let word: String = text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
    let rest = &text[word.len()..];
    match &*word {
        "super" => drop(path.pop()),
        _ => path.push(word),
    }
    match rest.strip_prefix("::") {
        Some(rest) => expand(path, rest, paths),
        None => paths.push(path),
    }
}

/// Entries of a list in braces; those of lists within it stay together.
fn top_level(list: &str) -> Vec<String> {
    let (mut depth, mut entries) = (0, vec![String::new()]);
    for letter in list.chars() {
        match letter {
            '}' if depth == 0 => break,
            ',' if depth == 0 => {
                entries.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        entries.last_mut().expect("one").push(letter);
    }
    entries.retain(|entry| !entry.trim().is_empty());
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
            assert!(["main", "lib", "cli"].contains(&&*source.folder()), "{} has no place", source.folder());
            continue;
        };
        let named = source.named();
        let above = named.iter().map(|path| &*path[0]).filter(|named| place(named).is_some_and(|place| place > own));
        offences.extend(above.map(|named| format!("src/{} names {named}", source.path.display())));
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// Folders, and files with one, of which each is what a stranger opens first: they may not lead back to each other. A
/// folder's own `mod.rs` is not asked, since it gives out what the others have.
#[test]
fn no_folder_is_in_a_circle_with_what_lies_beside_it() {
    let sources = sources();
    let modules: HashSet<_> = sources.iter().map(Source::module).collect();
    let folders: HashSet<_> = modules.iter().flat_map(|module| (0..module.len()).map(|n| &module[..n])).collect();
    for folder in &folders {
        let beside = |module: &[String]| Some(module.strip_prefix(*folder)?.first()?.clone());
        let mut arrows = BTreeMap::<String, BTreeMap<String, String>>::new();
        for source in &sources {
            let Some(from) = beside(&source.module()) else { continue };
            for named in source.named() {
                let module = (1..=named.len()).rev().map(|n| &named[..n]).find(|path| modules.contains(*path));
                if let Some(to) = module.and_then(beside).filter(|to| *to != from) {
                    arrows.entry(from.clone()).or_default().insert(to, source.path.display().to_string());
                }
            }
        }
        let is_folder = |name: &String| folders.contains(&*[folder, &[name.clone()][..]].concat());
        for start in arrows.keys().filter(|name| is_folder(name)) {
            if let Some(circle) = circle(&arrows, vec![start.clone()]) {
                panic!("a circle below src/{}: {circle}", folder.join("/"));
            }
        }
    }
}

/// The way by which one comes back to where this way began, and the files that lead there.
fn circle(arrows: &BTreeMap<String, BTreeMap<String, String>>, way: Vec<String>) -> Option<String> {
    let last = way.last().expect("a beginning");
    for (to, file) in arrows.get(last)? {
        if *to == way[0] {
            return Some(format!("{} → {to} (src/{file})", way.join(" → ")));
        }
        if !way.contains(to)
            && let Some(found) = circle(arrows, [&way[..], &[to.clone()][..]].concat())
        {
            return Some(found);
        }
    }
    None
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
    let named: Vec<_> = source.named().iter().map(|path| path.join("/")).collect();
    assert_eq!(named, ["audio/Mixer", "audio/Program", "core", "domain/StreamId", "net/Batch"]);
    assert_eq!(source.folder(), "http");
    let text = "use super::super::reader::Stamp;\nfn of(_: super::index::Index) {}".to_owned();
    let source = Source { path: "library/catalogue/entry.rs".into(), text };
    let named: Vec<_> = source.named().iter().map(|path| path.join("/")).collect();
    assert_eq!(named, ["library/reader/Stamp", "library/catalogue/index/Index"]);
}
