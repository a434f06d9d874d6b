//! Layers, checks and messages, without touching the process's own environment.

use super::*;
use crate::config::{AccessMode, markdown, print};

fn try_load(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Invocation, LoadError> {
    let arguments = ["voice-relay"].iter().chain(arguments).map(OsString::from);
    load(arguments, environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
}

fn message(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    try_load(arguments, environment).expect_err("wrong").to_string()
}

/// A configuration file, and the flag that names it.
fn file(name: &str, contents: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, contents).expect("written");
    let flag = format!("--config={}", path.display());
    (folder, flag)
}

#[test]
fn without_anything_the_defaults_hold() {
    let invocation = try_load(&[], &[]).expect("valid");
    let config = invocation.config;
    assert_eq!(invocation.command, CliCommand::Serve);
    assert_eq!((config.http.port, config.mp3.port, config.media.port), (8080, 8081, 8082));
    assert_eq!((config.access, config.media.advertise.len()), (AccessMode::Lan, 0));
    assert_eq!(config.relay.cleanup_interval, crate::core::CLEANUP_INTERVAL);
    assert_eq!(config.relay.stale_after, crate::core::STALE_AFTER);
    assert_eq!(config.relay.publisher_timeout, crate::core::PUBLISHER_TIMEOUT);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let (_folder, flag) = file("x.toml", "[http]\nport = 1\n[mp3]\nport = 1\n[media]\nport = 1\n");
    let environment = [("VOICE_RELAY__MP3__PORT", "2"), ("VOICE_RELAY__MEDIA__PORT", "2")];
    let config = try_load(&[&flag, "--media-port", "3"], &environment).expect("valid").config;
    assert_eq!((config.http.port, config.mp3.port, config.media.port), (1, 2, 3));
}

#[test]
fn a_list_comes_from_the_environment_a_flag_or_a_file() {
    let expected: Vec<std::net::IpAddr> = vec!["10.0.0.1".parse().expect("ip"), "fd00::1".parse().expect("ip")];
    let (_folder, json) = file("x.json", r#"{"media": {"advertise": ["10.0.0.1", "fd00::1"]}}"#);
    let environment = [("VOICE_RELAY__MEDIA__ADVERTISE", "10.0.0.1, fd00::1")];
    for invocation in
        [try_load(&[], &environment), try_load(&["--advertise=10.0.0.1,fd00::1"], &[]), try_load(&[&json], &[])]
    {
        assert_eq!(invocation.expect("valid").config.media.advertise, expected);
    }
}

#[test]
fn a_wrong_value_names_its_key_and_origin() {
    let wrong = message(&[], &[("VOICE_RELAY__HTTP__PORT", "70000")]);
    assert_eq!(wrong, r#"http.port = "70000" in the environment: expected a port from 0 to 65535 (0: any free one)"#);
    assert!(
        message(&["--access", "world"], &[])
            .starts_with(r#"access = "world" in a flag: expected one of: lan, token, open"#)
    );
    assert!(message(&["--log-level", "a=b=c"], &[]).starts_with("log.level"));
    assert!(message(&["--media-threads", "9"], &[]).contains("media.threads"));
    let (_folder, flag) = file("x.toml", "[limits]\npeers = -1\n");
    assert!(message(&[&flag], &[]).starts_with("limits.peers = \"-1\" in "));
}

#[test]
fn an_unknown_key_is_named() {
    let unknown = message(&[], &[("VOICE_RELAY__HTPP__PORT", "1")]);
    assert!(unknown.starts_with("VOICE_RELAY__HTPP__PORT in the environment"), "{unknown}");
    let (_folder, flag) = file("x.toml", "[http]\nprot = 1\n");
    assert!(message(&[&flag], &[]).starts_with("http.prot in "));
    assert!(message(&["--http-prot", "1"], &[]).contains("--http-prot"));
}

#[test]
fn a_file_that_is_half_written_missing_or_of_another_kind_is_named() {
    let (_folder, half) = file("half.toml", "[http]\npor");
    let (_folder, other) = file("x.ini", "");
    for (flag, name) in
        [(half.as_str(), "half.toml"), (other.as_str(), "x.ini"), ("--config=/nowhere/x.toml", "/nowhere")]
    {
        let wrong = message(&[flag], &[]);
        assert!(wrong.starts_with("the configuration file") && wrong.contains(name), "{wrong}");
    }
}

#[test]
fn other_variables_are_none_of_our_business() {
    try_load(&[], &[("VOICE_RELAYS__X", "1"), ("PORT", "x")]).expect("valid");
}

#[test]
fn what_is_in_force_is_printed_with_its_origin() {
    let invocation = try_load(&["--print-config", "--http-port=0"], &[]).expect("valid");
    assert_eq!(invocation.command, CliCommand::PrintConfig);
    let printed = print(&invocation);
    assert!(printed.contains("http.port = \"0\" # a flag\n"), "{printed}");
    assert!(printed.contains("mp3.port = \"8081\" # default\n"), "{printed}");
}

#[test]
fn a_subcommand_takes_the_same_flags() {
    let invocation = try_load(&["health", "--http-port", "1"], &[]).expect("valid");
    assert_eq!((invocation.command, invocation.config.http.port), (CliCommand::Health, 1));
}

#[test]
fn the_documentation_is_in_step() {
    let committed = include_str!("../../../docs/configuration.md");
    assert!(committed == markdown(), "run: cargo run -- generate-docs > docs/configuration.md");
}

#[test]
fn a_broker_is_an_address_with_or_without_a_port_and_nothing_else() {
    for (written, host, port, is_secure) in [
        ("mqtt://192.168.1.5", "192.168.1.5", 1_883, false),
        ("mqtts://house.example", "house.example", 8_883, true),
        ("mqtts://house.example:8884/", "house.example", 8_884, true),
        ("mqtt://core-mosquitto:1884/", "core-mosquitto", 1_884, false),
        ("mqtt://[fd00::1]:1884", "fd00::1", 1_884, false),
        ("mqtt://[fd00::1]", "fd00::1", 1_883, false),
        ("mqtt://fd00::1", "fd00::1", 1_883, false),
    ] {
        let config = try_load(&["--mqtt-broker", written], &[]).expect(written).config;
        assert_eq!(config.mqtt.address(), Some((host.to_owned(), port, is_secure)), "{written}");
    }
    for wrong in
        ["", "broker", "ws://broker", "mqtts://", "mqtt://broker:70000", "mqtt://me:secret@broker", "mqtt://a b"]
    {
        assert!(message(&["--mqtt-broker", wrong], &[]).contains("mqtt://192.168.1.5:1883"), "{wrong}");
    }
}

#[test]
fn rooms_are_players_by_themselves_where_there_is_a_home_assistant() {
    let place = |flags: &[&str]| {
        let Config { esphome, hass, .. } = try_load(flags, &[]).expect("valid").config;
        esphome.place(&hass).map(|place| (place.port, place.is_on_lan))
    };
    assert_eq!((place(&[]), place(&["--hass-token=x"])), (None, Some((16_053, false))));
    assert_eq!(place(&["--esphome-listen=7000"]), Some((7_000, false)));
    assert_eq!(place(&["--esphome-listen=off", "--hass-token=x"]), None);
    for (url, is_on_lan) in [
        ("http://127.0.0.1:8123", false),
        ("http://localhost", false),
        ("https://[::1]:8123/", false),
        ("http://192.168.1.5:8123", true),
        ("https://house.example", true),
        ("http://[fd00::5]:8123", true),
    ] {
        let flags = ["--hass-token=x", "--hass-url", url];
        assert_eq!(place(&flags), Some((16_053, is_on_lan)), "{url}");
        assert_eq!(place(&[&flags[..], &["--esphome-reach=machine"]].concat()), Some((16_053, false)), "{url}");
        assert_eq!(place(&[&flags[..], &["--esphome-reach=lan"]].concat()), Some((16_053, true)), "{url}");
    }
    assert!(message(&["--esphome-listen=0"], &[]).contains("from 1 to 65535"));
}
