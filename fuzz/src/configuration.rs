//! The configuration, from a file, from the form of the Home Assistant app, from the environment and from flags.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs;

use tempfile::TempDir;
use voice_relay::config;

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// The first byte says which way the rest is given: as a file, or a line for each flag or variable.
pub fn configuration(data: &[u8]) {
    let Some((way, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    match way % 5 {
        0 => from_file("--config", "toml", &text),
        1 => from_file("--config", "json", &text),
        2 => load(text.lines().filter_map(flag).collect(), Vec::new()),
        3 => load(Vec::new(), text.lines().filter_map(variable).collect()),
        _ => from_file("--options", "json", &text),
    }
}

fn from_file(flag: &str, extension: &str, text: &str) {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder"));
        let path = folder.path().join(format!("options.{extension}"));
        fs::write(&path, text).expect("written");
        load(vec![flag.into(), path.into()], Vec::new());
    });
}

/// Nothing but our own texts is to be read as a file.
fn flag(line: &str) -> Option<OsString> {
    let names_a_file = line.starts_with("--config") || line.starts_with("--options");
    (!names_a_file).then(|| line.into())
}

/// The same.
fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let names_a_file = matches!(name, "VOICE_RELAY_CONFIG" | "VOICE_RELAY_OPTIONS");
    (!names_a_file).then(|| (name.to_owned(), value.to_owned()))
}

/// What was accepted can be shown, and what was refused is explained.
fn load(arguments: Vec<OsString>, environment: Vec<(String, String)>) {
    let arguments = std::iter::once(OsString::from("voice-relay")).chain(arguments);
    match config::load(arguments, environment) {
        Ok(invocation) => assert!(!config::print(&invocation).is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
