//! The program as a whole: killed without a word, told to stop while much goes on, fed half a file.

use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Duration, Instant};

use crate::bystanders::Call;
use crate::support::http::{get, post_json};
use crate::support::live::{PATIENCE, Signalling, metric, ports_of, program, sender, start_program};

/// What is to be in no log.
const PIN: &str = "47114711";
const CHAT: &str = "the key is under the third flowerpot";

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_in_mid_call_everybody_is_told_and_a_new_one_serves_at_the_same_ports_at_once() {
    let (mut child, ports) = start_program(&[]).await;
    let mut call = Call::begin(ports).await;
    let mut witness = Signalling::connect(ports.http, "/ws").await;
    let listener = tokio::spawn(async move { get(ports.mp3, "/stream/latest.mp3").await });
    call.goes_on().await;
    child.kill().await.expect("killed");
    while witness.next().await.is_some() {}
    assert_eq!(listener.await.expect("no panic").status, 200, "it ends for the player");
    let at = |name: &str, port: u16| format!("--{name}-port={port}");
    let flags = [at("http", ports.http.port()), at("mp3", ports.mp3.port()), at("media", ports.media.port())];
    let (_child, again) = start_program(&flags.each_ref().map(String::as_str)).await;
    assert_eq!(again.http, ports.http);
    Call::begin(again).await.goes_on().await;
}

/// Asks a daemon to stop, which it does in good order.
async fn stops_in_time(child: &mut Child) {
    let pid = child.id().expect("running").to_string();
    let asked = Instant::now();
    Command::new("kill").args(["-s", "TERM", &pid]).status().await.expect("sent");
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.expect("ends").expect("waited for");
    assert_eq!(status.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_under_load_stops_in_less_than_two_seconds_and_tells_everybody() {
    let (mut child, ports) = start_program(&[]).await;
    let (mut calls, mut witnesses, mut players) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        calls.push(Call::begin(ports).await);
    }
    for _ in 0..100 {
        witnesses.push(Signalling::connect(ports.http, "/ws").await);
    }
    for _ in 0..20 {
        let mut player = TcpStream::connect(ports.mp3).await.expect("a listening port");
        player.write_all(b"GET /stream/all.mp3 HTTP/1.0\r\n\r\n").await.expect("sent");
        let mut beginning = [0; 15];
        player.read_exact(&mut beginning).await.expect("an answer");
        assert_eq!(&beginning, b"HTTP/1.0 200 OK");
        players.push(player);
    }
    // One that sends its request by the byte is not waited for.
    let mut slow = TcpStream::connect(ports.http).await.expect("a listening port");
    slow.write_all(b"GET / HTTP/1.1\r\nX").await.expect("sent");
    stops_in_time(&mut child).await;
    for mut witness in witnesses {
        while witness.next().await.is_some() {}
    }
    for mut player in players {
        let end = tokio::time::timeout(PATIENCE, player.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "it ends for the player");
    }
}

#[tokio::test]
async fn half_a_configuration_file_is_refused_with_its_name_and_nothing_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("half.toml", "[http]\nport = "), ("half.json", "{\"http\":{\"port\":80"), ("empty.json", "")]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        let run = program().arg("--config").arg(&path).stderr(Stdio::piped()).output();
        let output = tokio::time::timeout(PATIENCE, run).await.expect("ends").expect("the program");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{name}: {complaint}");
        assert!(complaint.contains(name), "{complaint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_log_line_however_much_is_logged() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let output = program().args(["token", "--name=Grandma", &data]).output().await.expect("run");
    let token = String::from_utf8(output.stdout).expect("text").lines().next().expect("a token").to_owned();
    let log = folder.path().join("log");
    let shell =
        format!("exec {} --log-level=trace {data} \"$@\" 2>{}", env!("CARGO_BIN_EXE_voice-relay"), log.display());
    let free =
        ["--http-port=0", "--mp3-port=0", "--media-port=0", "--files-port=0", "--video-port=0", "--bind=127.0.0.1"];
    let mut child = Command::new("sh")
        .args(["-c", &shell, "sh"])
        .args(free)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("sh");
    let ports = ports_of(&mut child).await;
    let forged = format!("{}x", &token[..token.len() - 4]);
    get(ports.http, &format!("/t/{token}/api/streams")).await;
    get(ports.mp3, &format!("/t/{forged}/stream/latest.mp3")).await;
    let mut socket = Signalling::connect(ports.http, &format!("/t/{token}/ws")).await;
    socket.next().await.expect("the list");
    let sender = sender(ports, None, 0.0).await;
    // What else nobody else is to read: what is said in a room, its PIN and its host's key, and keys of connections.
    let wish = json!({ "roomName": "Secret", "pin": PIN });
    let opened = post_json(ports.http, &format!("/t/{token}/api/rooms"), &wish).await.json();
    let (room, key) = (&opened["roomId"], opened["hostId"].as_str().expect("a key").to_owned());
    get(ports.http, &format!("/api/rooms/{}?pin={PIN}", room.as_str().expect("an id"))).await;
    socket.send(json!({ "type": "join", "room": room, "name": "Anna", "pin": PIN, "key": key })).await;
    socket.expect("joined").await;
    socket.send(json!({ "type": "chat", "text": CHAT })).await;
    socket.expect("chat").await;
    let mut listener = Signalling::connect(ports.http, "/ws").await;
    listener.send(json!({ "type": "start_receiving", "stream_id": sender.stream })).await;
    let offer = listener.expect("webrtc_offer").await;
    let offer = offer["offer"]["sdp"].as_str().expect("SDP");
    let password = offer.lines().find_map(|line| line.strip_prefix("a=ice-pwd:")).expect("a password").to_owned();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let text = std::fs::read_to_string(log).expect("a log");
    for secret in [PIN, CHAT, &key, &password] {
        assert!(!text.contains(secret), "{}", text.lines().find(|line| line.contains(secret)).unwrap_or_default());
    }
    assert!(text.lines().count() > 20, "much is logged");
    let secret = &token[..token.len() - 8];
    assert!(!text.contains(secret), "{}", text.lines().find(|line| line.contains(secret)).unwrap_or_default());
}

/// Starts a daemon in which this is to end by itself; gives how it ended, and what it said.
async fn killed(name: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = ["--http-port=0", "--mp3-port=0", "--media-port=0", "--http-tls-port=0"];
    let mut child = program()
        .args(ours)
        .arg(format!("--data-dir={}", folder.path().display()))
        .env("VOICE_RELAY_TEST_KILL", name)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    ports_of(&mut child).await;
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("piped");
    let end = async {
        stderr.read_to_string(&mut said).await.expect("text");
        child.wait().await.expect("waited for").code()
    };
    let code = tokio::time::timeout(PATIENCE, end).await.unwrap_or_else(|_| panic!("{name} goes on"));
    (code, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_that_must_not_ends_the_process_with_an_error_that_names_it() {
    for name in [
        "media",
        "files",
        "addresses",
        "catalogue",
        "certificate",
        "clips",
        "rooms",
        "bridge",
        "limits",
        "http",
        "https",
        "mp3",
        "access",
    ] {
        let (code, said) = killed(name).await;
        assert_eq!(code, Some(1), "{name}: {said}");
        assert!(said.contains(&format!("the {name} task ended")), "{name}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_stops_no_voice_and_what_is_left_out_is_counted() {
    let shell = format!("exec {} --log-level=trace \"$@\"", env!("CARGO_BIN_EXE_voice-relay"));
    let free =
        ["--http-port=0", "--mp3-port=0", "--media-port=0", "--files-port=0", "--video-port=0", "--bind=127.0.0.1"];
    let flags = ["--tls-mode=off", "--limits-requests=100000", "--limits-joins=100000"];
    let mut child = Command::new("sh")
        .args(["-c", &shell, "sh"])
        .args(free)
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("sh");
    let ports = ports_of(&mut child).await;
    let mut call = Call::begin(ports).await;
    let began = Instant::now();
    while metric(ports, "log_lines_dropped").await == 0 {
        assert!(began.elapsed() < PATIENCE * 3, "much is logged, and a pipe holds little");
        // Each of them is worth some lines.
        for _ in 0..50 {
            Signalling::connect(ports.http, "/ws").await.send(json!({ "type": "start_receiving" })).await;
        }
    }
    call.goes_on().await;
    stops_in_time(&mut child).await;
}
