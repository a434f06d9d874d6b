//! `config.json` and the texts beside it, as Home Assistant's Supervisor and its store read them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

/// The languages that the form speaks.
const LANGUAGES: [&str; 2] = ["en", "de"];

/// What the Supervisor takes when a key is left out. The community's linter wants such keys left out.
fn defaults() -> Value {
    json!({
        "startup": "application", "boot": "auto", "init": true, "stage": "stable", "timeout": 10, "backup": "hot",
        "ingress": false, "ingress_port": 8099, "ingress_stream": false, "ingress_entry": "/",
        "panel_icon": "mdi:puzzle", "panel_admin": true, "host_network": false, "host_pid": false,
        "host_ipc": false, "host_uts": false, "host_dbus": false, "udev": false, "tmpfs": false, "apparmor": true,
        "full_access": false, "audio": false, "video": false, "gpio": false, "usb": false, "uart": false,
        "devicetree": false, "kernel_modules": false, "realtime": false, "hassio_api": false,
        "hassio_role": "default", "homeassistant_api": false, "stdin": false, "legacy": false,
        "docker_api": false, "auth_api": false, "journald": false
    })
}

/// Keys without a default that the Supervisor knows.
const OTHER_KEYS: &[&str] = &[
    "name",
    "version",
    "slug",
    "description",
    "arch",
    "url",
    "homeassistant",
    "breaking_versions",
    "ports",
    "ports_description",
    "panel_title",
    "map",
    "environment",
    "ulimits",
    "services",
    "discovery",
    "backup_exclude",
    "backup_pre",
    "backup_post",
    "options",
    "schema",
    "image",
    "machine",
];

/// Each lowers the security rating, or is more than an intercom may ask for.
const FORBIDDEN: &[&str] = &[
    "apparmor",
    "privileged",
    "full_access",
    "docker_api",
    "host_pid",
    "host_ipc",
    "host_uts",
    "host_dbus",
    "hassio_role",
    "kernel_modules",
    "devices",
    "realtime",
];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest() -> Map<String, Value> {
    serde_json::from_str(&read("config.json")).expect("a JSON object")
}

fn text(key: &str) -> String {
    manifest()[key].as_str().unwrap_or_else(|| panic!("{key} is a text")).to_owned()
}

/// The names of an object.
fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

/// The words of `list(a|b)`.
fn words(kind: &str) -> Option<Vec<&str>> {
    Some(kind.strip_prefix("list(")?.trim_end_matches('?').strip_suffix(')')?.split('|').collect())
}

#[test]
fn every_key_is_one_that_the_supervisor_knows() {
    let defaults = defaults();
    for key in manifest().keys() {
        assert!(defaults.get(key).is_some() || OTHER_KEYS.contains(&key.as_str()), "{key}");
    }
    for key in ["name", "version", "slug", "description", "arch"] {
        assert!(manifest().contains_key(key), "{key} is required");
    }
}

#[test]
fn no_key_repeats_its_default() {
    let (manifest, defaults) = (manifest(), defaults());
    for (key, value) in &manifest {
        assert_ne!(Some(value), defaults.get(key), "{key}");
    }
}

#[test]
fn keys_that_give_more_rights_than_needed_are_not_there() {
    let manifest = manifest();
    let found: Vec<_> = FORBIDDEN.iter().filter(|key| manifest.contains_key(**key)).collect();
    assert!(found.is_empty(), "{found:?}");
    // Linters refuse them beside ingress and a health check.
    assert!(!manifest.contains_key("webui") && !manifest.contains_key("watchdog"));
}

#[test]
fn the_name_of_the_app_can_be_a_host_name() {
    let slug = text("slug");
    assert!(slug.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{slug}");
    assert_eq!(slug, "voice_relay", "cards look for it by this name");
}

#[test]
fn it_runs_on_the_two_architectures_that_remain() {
    assert_eq!(manifest()["arch"], json!(["aarch64", "amd64"]));
    assert!(read(".github/workflows/release.yml").contains(r#"ARCHITECTURES: '["aarch64", "amd64"]'"#));
}

#[test]
fn the_version_is_the_same_everywhere() {
    let version = text("version");
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let changelog = read("CHANGELOG.md");
    let top = changelog.lines().filter_map(|line| line.strip_prefix("## [")?.split(']').next());
    let top = top.into_iter().find(|name| *name != "Unreleased").expect("an entry for a version");
    assert_eq!(version, top, "the top entry of CHANGELOG.md");
}

#[test]
fn the_image_with_s6_gets_no_second_init_and_enough_time_to_stop() {
    assert_eq!(manifest()["init"], false);
    let seconds = manifest()["timeout"].as_u64().expect("seconds");
    assert!((10..=300).contains(&seconds));
}

#[test]
fn the_family_sees_the_panel_and_the_supervisor_chooses_its_port() {
    let manifest = manifest();
    assert_eq!((&manifest["ingress"], &manifest["ingress_port"]), (&json!(true), &json!(0)));
    assert_eq!((&manifest["panel_admin"], &manifest["ingress_stream"]), (&json!(false), &json!(true)));
    assert!(text("panel_icon").starts_with("mdi:"));
}

#[test]
fn with_the_hosts_network_no_port_is_mapped() {
    let manifest = manifest();
    assert_eq!(manifest["host_network"], true);
    assert!(!manifest.contains_key("ports") && !manifest.contains_key("ports_description"));
}

#[test]
fn only_certificates_and_media_are_mapped_and_both_to_be_read() {
    assert_eq!(manifest()["map"], json!([{ "type": "ssl" }, { "type": "media" }]));
}

#[test]
fn what_nothing_uses_is_not_asked_for() {
    let manifest = manifest();
    for unused in ["discovery", "auth_api", "stdin"] {
        assert!(!manifest.contains_key(unused), "{unused}");
    }
    // Wanted, not needed: the app is installed where there is no broker, too.
    assert_eq!(manifest["services"], json!(["mqtt:want"]));
}

#[test]
fn every_kind_of_the_form_is_one_that_the_supervisor_knows() {
    let manifest = manifest();
    for (name, kind) in manifest["schema"].as_object().expect("an object") {
        let kind = kind.as_str().expect("a text").trim_end_matches('?');
        let range = kind.strip_prefix("int(").and_then(|rest| rest.strip_suffix(')')?.split_once(','));
        let numbers = range.is_some_and(|(least, most)| least.parse::<u16>().is_ok() && most.parse::<u16>().is_ok());
        let pattern = kind.starts_with("match(^") && kind.ends_with("$)");
        let known = ["bool", "str", "port"].contains(&kind) || words(kind).is_some() || numbers || pattern;
        assert!(known, "{name}: {kind}");
    }
}

#[test]
fn an_option_has_a_default_unless_it_may_be_left_out() {
    let manifest = manifest();
    let schema = manifest["schema"].as_object().expect("an object");
    let with_default: BTreeSet<_> = names(&manifest["options"]);
    let required = schema.iter().filter(|(_, kind)| !kind.as_str().expect("a text").ends_with('?'));
    assert_eq!(with_default, required.map(|(name, _)| name.clone()).collect());
    for (name, kind) in schema {
        if let Some(words) = words(kind.as_str().expect("a text")) {
            assert!(words.contains(&manifest["options"][name].as_str().expect("a word")), "{name}");
        }
    }
}

/// What the program says of these options of the app: nothing, or its complaint.
fn complaint(options: &Value) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("options.json");
    std::fs::write(&file, options.to_string()).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_voice-relay"))
        .args(["--print-config", "--options"])
        .arg(&file)
        .output()
        .expect("the program");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_program_takes_the_defaults_and_whatever_the_form_offers() {
    let manifest = manifest();
    assert_eq!(complaint(&manifest["options"]), None);
    for (name, kind) in manifest["schema"].as_object().expect("an object") {
        let kind = kind.as_str().expect("a text").trim_end_matches('?');
        let values = match kind {
            "bool" => vec![json!(true), json!(false)],
            "str" => vec![json!("192.168.1.20")],
            _ if kind.starts_with("int(") => vec![json!(1_024), json!(65_535)],
            _ if kind.starts_with("match(") => vec![json!("a.pem")],
            _ => words(kind).expect("a list").into_iter().map(Value::from).collect(),
        };
        for value in values {
            assert_eq!(complaint(&json!({ name: value })), None);
        }
    }
}

#[test]
fn every_option_is_named_and_described_in_every_language() {
    let options = names(&manifest()["schema"]);
    for language in LANGUAGES {
        let texts: Value = serde_yaml_ng::from_str(&read(&format!("translations/{language}.yaml"))).expect("YAML");
        assert_eq!(names(&texts["configuration"]), options, "{language}");
        for (name, texts) in texts["configuration"].as_object().expect("an object") {
            assert_eq!(names(texts), BTreeSet::from(["description".into(), "name".into()]), "{language}: {name}");
            let filled = |key: &str| texts[key].as_str().is_some_and(|text| text.len() > 3);
            assert!(filled("name") && filled("description"), "{language}: {name}");
        }
    }
}

#[test]
fn the_documentation_has_a_heading_for_every_option_and_says_its_default() {
    let (docs, manifest) = (read("DOCS.md"), manifest());
    for heading in ["Prerequisites", "Installation", "Configuration", "Network", "HTTPS and the microphone"] {
        assert!(docs.contains(&format!("\n## {heading}\n")), "{heading}");
    }
    assert!(docs.contains("\n## Troubleshooting\n"));
    for name in names(&manifest["schema"]) {
        let start = docs.find(&format!("\n### Option: `{name}`\n")).unwrap_or_else(|| panic!("{name}"));
        let chapter = docs[start + 1..].split("\n#").next().expect("a text");
        let default = chapter.lines().find_map(|line| line.strip_prefix("Default: ")).expect("a default");
        if let Some(value) = manifest["options"].get(&name) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert_eq!(default, format!("`{value}`."), "{name}");
        }
    }
}

#[test]
fn the_repository_names_itself() {
    let repository: Value = serde_yaml_ng::from_str(&read("repository.yaml")).expect("YAML");
    assert!(repository["name"].is_string());
    assert!(names(&repository).iter().all(|key| ["name", "url", "maintainer"].contains(&key.as_str())));
}
