//! Home Assistant and its broker by TLS: only where they show a certificate of somebody who is trusted, for the name by
//! which they are called.

mod support;

use std::process::Stdio;

use serde_json::json;
use support::authority::Authority;
use support::broker::Broker;
use support::core::{StandInCore, TOKEN};
use support::http::{get, post_json};
use support::live::{PATIENCE, metric_becomes, program, start_command, start_program, until};
use tokio::io::{AsyncBufReadExt, BufReader};
use voice_relay::tls::Trust;

/// The core by TLS: its port, and itself.
async fn core(authority: &Authority) -> (StandInCore, u16) {
    let core = StandInCore::start().await;
    core.add("media_player.kitchen", "cast", Some("kitchen"), "idle", 0.3);
    let (_, port) = core.url.rsplit_once(':').expect("a port");
    let port = authority.secure(port.parse().expect("a number")).await;
    (core, port)
}

#[tokio::test]
async fn home_assistant_is_linked_and_speaks_by_tls() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let (core, port) = core(&authority).await;
    let ca = format!("--hass-ca={}", authority.path().display());
    let (url, token) = (format!("--hass-url=https://localhost:{port}"), format!("--hass-token={TOKEN}"));
    let data = format!("--data-dir={}", folder.path().display());
    let (_child, ports) = start_program(&[&url, &token, &ca, &data]).await;
    until(async || {
        get(ports.http, "/api/players").await.json()["players"].as_array().is_some_and(|all| all.len() == 1)
    })
    .await;
    let told = json!({ "room": "home", "text": "Dinner" });
    let answer = post_json(ports.http, "/api/announce", &told).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert!(core.spoken().iter().any(|spoken| spoken.contains("Dinner")), "{:?}", core.spoken());
}

#[tokio::test]
async fn nobody_is_shown_the_token_who_is_not_trusted() {
    let (authority, another) = (Authority::new(), Authority::new());
    let (_core, port) = core(&authority).await;
    let refused = async |trusted: Option<&Authority>, host: &str| {
        let path = trusted.map(Authority::path);
        let trust = Trust::open(path.as_deref()).expect("readable");
        trust.connect(host, port, true).await.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(refused(Some(&authority), "localhost").await, Ok(()));
    for (trusted, host, why) in [
        (None, "localhost", "UnknownIssuer"),
        (Some(&another), "localhost", "invalid peer certificate"),
        (Some(&authority), "127.0.0.1", "not valid for"),
    ] {
        let told = refused(trusted, host).await.expect_err("not trusted");
        assert!(told.contains(why), "{told}");
    }
}

#[tokio::test]
async fn entities_come_by_a_broker_with_tls_and_by_none_that_is_not_trusted() {
    let authority = Authority::new();
    let ca = format!("--hass-ca={}", authority.path().display());
    let broker = Broker::secured(authority).await;
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let flag = broker.secure_flag();
    let mut command = program();
    command.stderr(Stdio::piped());
    let (mut child, _) = start_command(command, &[&flag, &data, "--tls-mode=off", "--log-level=warn"]).await;
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let told =
        tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("read").expect("a line");
    assert!(told.contains("cannot reach the MQTT broker") && told.contains("UnknownIssuer"), "{told}");
    drop(child);
    let (_child, ports) = start_program(&[&flag, &data, &ca]).await;
    metric_becomes(ports, "mqtt_connected", 1).await;
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_said_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().join("none.pem");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").expect("written");
    for (path, why) in [(&none, "No such file"), (&empty, "no certificate")] {
        let flags = [
            format!("--data-dir={}", folder.path().display()),
            format!("--hass-ca={}", path.display()),
            "--hass-url=https://localhost:1".into(),
            "--hass-token=x".into(),
        ];
        let mut command = program();
        let ended = command
            .args(["--http-port=0", "--mp3-port=0", "--media-port=0", "--files-port=0", "--video-port=0"])
            .args(flags);
        let ended = ended.output().await.expect("it ends");
        let told = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
        assert!(!ended.status.success() && told.contains("hass.ca") && told.contains(why), "{told}");
    }
}
