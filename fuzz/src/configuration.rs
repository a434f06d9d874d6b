//! The configuration, from a file, from the environment and from flags.

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
    match way % 4 {
        0 => from_file("toml", &text),
        1 => from_file("json", &text),
        2 => load(text.lines().map(OsString::from).collect(), Vec::new()),
        _ => load(Vec::new(), text.lines().filter_map(variable).collect()),
    }
}

fn from_file(extension: &str, text: &str) {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder"));
        let path = folder.path().join(format!("options.{extension}"));
        fs::write(&path, text).expect("written");
        load(vec!["--config".into(), path.into()], Vec::new());
    });
}

fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    // Nothing but our own texts is to be read as a file.
    (name != "VOICE_RELAY_CONFIG").then(|| (name.to_owned(), value.to_owned()))
}

/// What was accepted can be shown, and what was refused is explained.
fn load(arguments: Vec<OsString>, environment: Vec<(String, String)>) {
    let arguments = std::iter::once(OsString::from("voice-relay")).chain(arguments);
    match config::load(arguments, environment) {
        Ok(invocation) => assert!(!config::print(&invocation).is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
