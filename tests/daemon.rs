//! The program as it is run: its exit codes, its signals, and what it leaves behind.

mod support;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serde_json::json;
use support::http::get;
use support::live::{PATIENCE, Peer, Signalling, answer_offer, metric_becomes, program, sender, start_program};
use tokio::net::TcpListener;
use tokio::process::Command;
use voice_relay::app::Ports;

/// Runs the program to its end; gives its exit code and what it complained of.
async fn run(arguments: &[&str]) -> (i32, String) {
    let output = tokio::time::timeout(PATIENCE, program().args(arguments).output()).await.expect("ends");
    let output = output.expect("the program");
    (output.status.code().expect("a code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn a_port_in_use_is_named_and_nothing_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let tcp = taken.local_addr().expect("bound").port();
    let taken_udp = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let udp = taken_udp.local_addr().expect("bound").port();
    let udp_ports = [("media.port", udp), ("files.port", udp), ("video.port", udp)];
    for (key, port) in [("http.port", tcp), ("mp3.port", tcp), ("http.tls_port", tcp)].into_iter().chain(udp_ports) {
        let flag = format!("--{}={port}", key.replace(['.', '_'], "-"));
        let free = ["--http-port=0", "--mp3-port=0", "--media-port=0", "--http-tls-port=0"];
        let others = free.iter().filter(|other| !flag.starts_with(other.trim_end_matches('0')));
        let arguments: Vec<_> = others.copied().chain([flag.as_str()]).collect();
        let (code, complaint) = run(&arguments).await;
        assert_eq!(code, 1, "{complaint}");
        assert!(complaint.contains(&format!("{key} = {port}")), "{complaint}");
    }
}

#[tokio::test]
async fn a_wrong_configuration_ends_with_64_and_names_the_key() {
    for (arguments, named) in [
        (["--http-port=x"], "http.port"),
        (["--config=/nowhere.toml"], "/nowhere.toml"),
        (["--no-such-flag"], "--no-such-flag"),
    ] {
        let (code, complaint) = run(&arguments).await;
        assert_eq!(code, 64, "{complaint}");
        assert!(complaint.contains(named), "{complaint}");
    }
}

#[tokio::test]
async fn help_and_version_are_no_errors() {
    for flag in ["--help", "--version", "--print-config"] {
        assert_eq!(run(&[flag]).await.0, 0);
    }
}

#[tokio::test]
async fn health_asks_the_running_daemon() {
    let (_child, ports) = start_program(&[]).await;
    let port = format!("--http-port={}", ports.http.port());
    assert_eq!(run(&["health", &port]).await.0, 0);
    let (code, complaint) = run(&["health", "--http-port=1"]).await;
    assert_eq!(code, 1);
    assert!(complaint.contains("127.0.0.1:1"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_in_less_than_two_seconds_with_code_0() {
    for signal in ["TERM", "INT"] {
        let (mut child, ports) = start_program(&[]).await;
        let _sender = sender(ports, None, 0.0).await;
        let listener = tokio::spawn(async move { get(ports.mp3, "/stream/latest.mp3").await });
        metric_becomes(ports, "mp3_listeners", 1).await;
        let mut witness = Signalling::connect(ports.http, "/ws").await;
        let pid = child.id().expect("running").to_string();
        let before = Instant::now();
        Command::new("kill").args(["-s", signal, &pid]).status().await.expect("sent");
        let status = tokio::time::timeout(PATIENCE, child.wait()).await.expect("ends").expect("waited for");
        assert_eq!(status.code(), Some(0));
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
        while witness.next().await.is_some() {}
        listener.await.expect("no panic");
    }
}

/// Resident memory in bytes, and open descriptors.
fn footprint(pid: u32) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    (kilobytes * 1_024, std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a process").count())
}

/// So many receivers come, hear something, and leave: half of them in good order.
async fn come_and_go(ports: Ports, times: usize) {
    for index in 0..times {
        let mut socket = Signalling::connect(ports.http, "/ws").await;
        let peer = Peer::new(0.0).await;
        socket.send(json!({ "type": "start_receiving" })).await;
        let offer = socket.expect("webrtc_offer").await;
        answer_offer(&mut socket, &peer, &offer).await;
        peer.wait_for_packets(1).await;
        if index % 2 == 0 {
            socket.close().await;
        }
    }
}

/// Four at a time.
async fn crowd(ports: Ports, times: usize) {
    let quarters: Vec<_> = (0..4).map(|_| tokio::spawn(come_and_go(ports, times / 4))).collect();
    for quarter in quarters {
        quarter.await.expect("no panic");
    }
    // Those who went without a word are noticed by their sockets.
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_joins_and_leaves_leave_no_memory_and_no_descriptor_behind() {
    let (child, ports) = start_program(&[]).await;
    let sender = sender(ports, None, 0.0).await;
    tokio::spawn(sender.stay());
    let pid = child.id().expect("running");
    // Pools and tables reach their size first.
    crowd(ports, 1_000).await;
    let (memory_before, descriptors_before) = footprint(pid);
    // A leak grows with every thousand; what the allocator keeps for later comes and goes by a percent.
    let mut memory_after = u64::MAX;
    for _ in 0..3 {
        crowd(ports, 1_000).await;
        let (memory, descriptors) = footprint(pid);
        assert_eq!(descriptors, descriptors_before);
        memory_after = memory_after.min(memory);
    }
    let grown = memory_after as f64 / memory_before as f64;
    assert!(grown < 1.02, "from {memory_before} to {memory_after} bytes");
    let metrics = get(ports.http, "/metrics").await.text();
    assert!(metrics.contains("voice_relay_peers 1\n") && metrics.contains("voice_relay_receivers 0\n"));
}
