//! The load generator against the real daemon: that it measures something, and what it says.

mod support;

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use support::live::start_program;
use tokio::process::Command;

/// Builds of this machine may be slow, and so may be it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it with these arguments; gives its JSON.
async fn bench(arguments: &str) -> Value {
    let program = env!("CARGO_BIN_EXE_voice-relay-bench");
    let mut command = Command::new(program);
    command.args(arguments.split_ascii_whitespace()).arg("--json");
    let output = command.stderr(Stdio::inherit()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends in time").expect("it runs");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn number(point: &Value, key: &str) -> f64 {
    let value = key.split('/').fold(point, |value, key| &value[key]);
    value.as_f64().unwrap_or_else(|| panic!("{key} is {value}"))
}

/// Whatever is asked of a valid point on a machine that may be busy with other tests.
fn assert_sound(point: &Value, packets: f64) {
    for key in ["delay_ms/p50", "delay_ms/p99", "delay_ms/max", "own/cpu_percent", "server_cpu_percent"] {
        assert!(number(point, key) > 0.0, "{key} in {point}");
    }
    for key in ["server_us_per_packet", "packets_proved"] {
        assert!(number(point, key) > 0.0, "{key} in {point}");
    }
    for key in ["loss_percent", "packets_lost", "packets_twice", "packets_corrupt", "connections_ended"] {
        assert_eq!(number(point, key), 0.0, "{key} in {point}");
    }
    for key in ["own/late_sends", "own/refused_sends", "own/receive_drops", "seconds"] {
        number(point, key);
    }
    assert_eq!(point["counts"].as_bool().expect("a bool"), point["why_not"].is_null());
    assert!(number(point, "packets") > packets, "{point}");
}

#[tokio::test]
async fn three_receivers_hear_every_packet_of_two_senders_and_the_server_is_measured() {
    let (child, ports) = start_program(&[]).await;
    let pid = child.id().expect("it runs");
    let load = "--receivers 3 --senders 2 --seconds 2";
    let measured = bench(&format!("--server http://{} --pid {pid} {load}", ports.http)).await;
    assert_eq!((&measured["mode"], &measured["via"]), (&"points".into(), &"ws".into()));
    let points = measured["points"].as_array().expect("points");
    assert_eq!(points.len(), 1);
    assert_sound(&points[0], 250.0);
    for key in ["join_ms/p50", "join_ms/p99", "join_ms/max"] {
        assert!(number(&points[0], key) > 0.0, "{key}");
    }
    assert!(number(&points[0], "server_kb") > 0.0 && points[0]["server_kb_per_receiver"].is_number());
    assert_eq!((number(&points[0], "receivers"), number(&points[0], "senders")), (3.0, 2.0));
}

#[tokio::test]
async fn those_who_listen_are_measured_while_others_come_and_go() {
    let (child, ports) = start_program(&[]).await;
    let pid = child.id().expect("it runs");
    let target = format!("--server http://{} --pid {pid} --receivers 2", ports.http);
    let churn = bench(&format!("{target} --churn 5 --seconds 4")).await;
    let minutes = churn["minutes"].as_array().expect("minutes");
    assert_sound(&minutes[0]["standing"], 350.0);
    assert!(number(&minutes[0], "joined") >= 15.0 && number(&minutes[0], "server_descriptors") > 0.0, "{churn}");
    assert_eq!((number(&minutes[0], "joins_failed"), number(&minutes[0], "passing_loss_percent")), (0.0, 0.0));
    let storm = bench(&format!("{target} --storm 5 --seconds 1")).await;
    assert_sound(&storm["during"], 350.0);
    assert!(number(&storm["newcomers"], "join_ms/p99") > 0.0, "{storm}");
}

#[tokio::test]
async fn nothing_is_done_to_strangers() {
    let program = env!("CARGO_BIN_EXE_voice-relay-bench");
    let output = Command::new(program).args(["--server", "http://8.8.8.8:80"]).output().await.expect("it runs");
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("neither of this machine nor of a private network"), "{said}");
}

#[tokio::test]
async fn by_whip_and_whep_it_is_the_same() {
    let (child, ports) = start_program(&[]).await;
    let pid = child.id().expect("it runs");
    let load = "--via whip --receivers 3 --seconds 2";
    let measured = bench(&format!("--server http://{} --pid {pid} {load}", ports.http)).await;
    assert_eq!(measured["via"], "whip");
    assert_sound(&measured["points"][0], 250.0);
}
