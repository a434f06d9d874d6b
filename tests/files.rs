//! Files over a data channel, and over HTTP, from the real daemon on real sockets.

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use str0m::channel::{ChannelConfig, Reliability};
use support::channel::{FileClient, Offering, Sent, audio_stream, post_offer};
use support::http::{get, request};
use support::live::{PATIENCE, start};
use tempfile::TempDir;
use voice_relay::app::App;
use voice_relay::core::{CloseReason, Event, Input, Output, Relay, RelayConfig, Role};

const CHUNK: usize = 65_536;

/// A WAV file of noise, of exactly so many bytes.
fn wav(length: usize, seed: u32) -> Vec<u8> {
    let mut file = Vec::with_capacity(length);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(length as u32 - 8).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data");
    file.extend_from_slice(&(length as u32 - 44).to_le_bytes());
    let mut noise = seed;
    file.extend((44..length).map(|_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    }));
    file
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A daemon that serves this folder, and keeps what it knows in a hidden one within.
async fn serve(folder: &Path, files: usize, flags: &[&str]) -> App {
    let folders = format!("--files-folders={}", folder.display());
    let data = format!("--data-dir={}", folder.join(".data").display());
    let app = start(&[&[folders.as_str(), &data], flags].concat());
    await_files(&app, "", files).await;
    app
}

/// Waits until so many files are found by this; gives them.
async fn await_files(app: &App, search: &str, count: usize) -> Vec<Value> {
    let limit = Instant::now() + PATIENCE;
    loop {
        let listed = get(app.ports.http, &format!("/api/files?search={search}")).await.json();
        if listed["total"] == count {
            return listed["files"].as_array().expect("a list").clone();
        }
        assert!(Instant::now() < limit, "{listed}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn id_of(app: &App, name: &str) -> Value {
    await_files(app, name, 1).await[0]["id"].clone()
}

fn folder_with(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("written");
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_nothing_gets_the_default_file_whole() {
    let (small, large) = (wav(5_000, 1), wav(5_000_000, 2));
    let folder = folder_with(&[("a.wav", &small), ("ding-dong.wav", &large)]);
    let app = serve(folder.path(), 2, &[]).await;
    let mut client = FileClient::connect(app.ports.http).await;
    let got = client.file().await;
    assert!(got.bytes == large, "{} bytes", got.bytes.len());
    let metadata = &got.metadata;
    assert_eq!((&metadata["totalSize"], &metadata["totalChunks"]), (&json!(5_000_000), &json!(77)));
    assert_eq!((&metadata["chunkSize"], &metadata["mime"]), (&json!(CHUNK), &json!("audio/wav")));
    assert_eq!(got.complete["sha256"], sha256(&large));
    let duration = metadata["duration"].as_f64().expect("a length");
    assert!((duration - 52.08).abs() < 0.01, "{duration}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_it_will_ask_gets_nothing_else_before_however_late_it_asks() {
    let (wanted, default) = (wav(300_000, 1), wav(400_000, 2));
    let folder = folder_with(&[("wanted.wav", &wanted), ("ding-dong.wav", &default)]);
    let app = serve(folder.path(), 2, &[]).await;
    let id = id_of(&app, "wanted").await;
    for first in ["play", "resume", "playlist"] {
        let offering = Offering::new(audio_stream()).await;
        let answer = post_offer(app.ports.http, "/api/offer", &offering.waiting_body()).await;
        let mut client = offering.accept(&answer.json());
        // Ten times as late as would be too late for others.
        let early = tokio::time::timeout(Duration::from_millis(400), client.sent.recv()).await;
        assert!(early.is_err(), "{early:?}");
        client.say(&json!({ "type": first, "file": id, "files": [id] }));
        let Some(Sent::Text(metadata)) = client.next().await else { panic!("not what was asked for") };
        assert_eq!((&metadata["type"], &metadata["file"]), (&json!("metadata"), &id), "{first}");
        assert!(client.chunks_until("complete").await.0 == wanted, "{first}");
    }
    // Who is late without having said so gets the other one first, and sees where the one ends and the other begins.
    let mut client = FileClient::connect(app.ports.http).await;
    assert_ne!(client.expect("metadata").await["file"], id);
    client.say(&json!({ "type": "play", "file": id }));
    let mut chunks = Vec::new();
    loop {
        match client.next().await.expect("connected") {
            Sent::Text(text) if text["type"] == "metadata" => chunks.clear(),
            Sent::Text(text) if text["type"] == "complete" && text["file"] == id => break,
            Sent::Text(_) => {}
            Sent::Chunk(chunk) => chunks.extend(chunk),
        }
    }
    assert!(chunks == wanted, "chunks of another file between them");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_come_one_after_another_on_one_channel() {
    let files: Vec<_> = (1..=3).map(|seed| wav(CHUNK * seed as usize + 100, seed)).collect();
    let folder = folder_with(&[("a.wav", &files[0]), ("b.wav", &files[1]), ("c.wav", &files[2])]);
    let app = serve(folder.path(), 3, &[]).await;
    let ids: Vec<_> = await_files(&app, "", 3).await.iter().map(|file| file["id"].clone()).collect();
    let mut client = FileClient::connect(app.ports.http).await;
    client.say(&json!({ "type": "playlist", "files": ids }));
    for (file, id) in files.iter().zip(&ids) {
        let got = client.file().await;
        assert_eq!(got.metadata["file"], *id);
        assert!(got.bytes == *file);
        client.say(&json!({ "type": "next" }));
    }
    assert_eq!(client.expect("error").await["code"], "no_more");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_pauses_seeks_and_goes_on() {
    let file = wav(20_000_000, 3);
    let folder = folder_with(&[("long.wav", &file)]);
    let app = serve(folder.path(), 1, &[]).await;
    let mut client = FileClient::connect(app.ports.http).await;
    client.say(&json!({ "type": "play", "file": id_of(&app, "long").await, "fromChunk": 10 }));
    assert_eq!(client.expect("metadata").await["fromChunk"], 10);
    client.say(&json!({ "type": "pause" }));
    let (before, paused) = client.chunks_until("paused").await;
    let place = paused["chunk"].as_u64().expect("a chunk") as usize;
    assert!(before == file[10 * CHUNK..place * CHUNK]);
    client.say(&json!({ "type": "resume" }));
    assert_eq!(client.expect("sending").await["chunk"], place);
    client.say(&json!({ "type": "seek", "chunk": 300 }));
    let (_, sending) = client.chunks_until("sending").await;
    assert_eq!(sending["chunk"], 300);
    let (rest, _) = client.chunks_until("complete").await;
    assert!(rest == file[300 * CHUNK..]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_goes_on_where_the_former_was_cut() {
    let file = wav(10_000_000, 4);
    let folder = folder_with(&[("long.wav", &file)]);
    let app = serve(folder.path(), 1, &[]).await;
    let id = id_of(&app, "long").await;
    let mut got = Vec::new();
    for share in [30, 60, 90, 100] {
        let mut client = FileClient::connect(app.ports.http).await;
        let from = got.len() / CHUNK;
        client.say(&json!({ "type": "resume", "file": id, "fromChunk": from, "sha256": sha256(&file) }));
        assert_eq!(client.expect("metadata").await["fromChunk"], from);
        while got.len() < file.len() / 100 * share {
            if let Sent::Chunk(chunk) = client.next().await.expect("connected") {
                got.extend(chunk);
            }
        }
    }
    assert!(got == file);
    app.stop().await;
}

/// A client that has got the beginning of a file, and then reads no more for a moment.
async fn amid_a_file(app: &App) -> FileClient {
    let mut client = FileClient::connect(app.ports.http).await;
    client.say(&json!({ "type": "play", "file": id_of(app, "long").await }));
    client.expect("metadata").await;
    client.say(&json!({ "type": "pause" }));
    client.expect("paused").await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_replaced_meanwhile_is_told_and_comes_anew() {
    let (old, new) = (wav(30_000_000, 5), wav(1_000_000, 6));
    for in_place in [false, true] {
        let folder = folder_with(&[("long.wav", &old)]);
        let path = folder.path().join("long.wav");
        let app = serve(folder.path(), 1, &[]).await;
        let mut client = amid_a_file(&app).await;
        if in_place {
            fs::write(&path, &new).expect("written");
        } else {
            fs::write(folder.path().join("new"), &new).expect("written");
            fs::rename(folder.path().join("new"), &path).expect("renamed");
        }
        client.say(&json!({ "type": "resume" }));
        assert_eq!(client.expect("error").await["code"], "changed");
        let got = client.file().await;
        assert!(got.bytes == new && got.metadata["fromChunk"] == 0);
        assert_eq!(got.complete["sha256"], sha256(&new));
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_deleted_meanwhile_ends_with_an_error_and_nothing_hangs() {
    let folder = folder_with(&[("long.wav", &wav(30_000_000, 7)), ("other.wav", &wav(5_000, 8))]);
    let app = serve(folder.path(), 2, &[]).await;
    let other = id_of(&app, "other").await;
    let mut client = amid_a_file(&app).await;
    fs::remove_file(folder.path().join("long.wav")).expect("removed");
    client.say(&json!({ "type": "resume" }));
    assert_eq!(client.expect("error").await["code"], "gone");
    client.say(&json!({ "type": "play", "file": other }));
    assert_eq!(client.file().await.bytes.len(), 5_000);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_channels_are_closed_and_one_that_may_lose_chunks_is_told_so() {
    let folder = folder_with(&[("a.wav", &wav(5_000, 1))]);
    let app = serve(folder.path(), 1, &[]).await;
    let named = ChannelConfig { label: "chat".into(), ..ChannelConfig::default() };
    let mut client = FileClient::connect_by(app.ports.http, named).await;
    assert!(client.closes_within(PATIENCE).await);
    let lossy = ChannelConfig { reliability: Reliability::MaxRetransmits { retransmits: 0 }, ..audio_stream() };
    for unfit in [ChannelConfig { ordered: false, ..audio_stream() }, lossy] {
        let mut client = FileClient::connect_by(app.ports.http, unfit).await;
        assert_eq!(client.expect("error").await["code"], "bad_channel");
        assert!(client.closes_within(PATIENCE).await);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_offers_get_a_clear_error_and_too_many_are_refused() {
    let folder = folder_with(&[("a.wav", &wav(5_000, 1))]);
    let app = serve(folder.path(), 1, &["--files-per-address=2"]).await;
    let http = app.ports.http;
    for body in ["{}", "nonsense", r#"{"offer":{"type":"offer","sdp":"v=0"}}"#] {
        assert_eq!(post_offer(http, "/api/offer", body).await.status, 400, "{body}");
    }
    let (_first, mut second) = (FileClient::connect(http).await, FileClient::connect(http).await);
    second.file().await;
    let third = post_offer(http, "/api/offer", &Offering::new(audio_stream()).await.body()).await;
    assert_eq!((third.status, &third.json()["code"]), (429, &json!("full")));
    drop(second);
    let metrics = get(http, "/metrics").await.text();
    assert!(metrics.contains("voice_relay_files_refused_by_address_total 1"), "{metrics}");
    app.stop().await;

    let app = serve(folder.path(), 1, &["--files-clients=1"]).await;
    let _one = FileClient::connect(app.ports.http).await;
    let two = post_offer(app.ports.http, "/api/offer", &Offering::new(audio_stream()).await.body()).await;
    assert_eq!(two.status, 503);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_client_is_given_up_and_its_place_is_free() {
    let folder = folder_with(&[("a.wav", &wav(5_000, 1))]);
    let app = serve(folder.path(), 1, &["--files-idle=1", "--files-clients=1"]).await;
    let mut client = FileClient::connect(app.ports.http).await;
    client.file().await;
    assert!(client.closes_within(PATIENCE).await);
    FileClient::connect(app.ports.http).await.file().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_that_permits_listening_there_are_no_files() {
    let folder = folder_with(&[]);
    let app = serve_closed(folder.path()).await;
    let body = Offering::new(audio_stream()).await.body();
    assert_eq!(post_offer(app.ports.http, "/api/offer", &body).await.status, 401);
    for path in ["/api/files", "/api/files/0000000000000000", "/api/health"] {
        assert_eq!(get(app.ports.http, path).await.status, 401, "{path}");
    }
    app.stop().await;
}

async fn serve_closed(folder: &Path) -> App {
    start(&[
        &format!("--files-folders={}", folder.display()),
        &format!("--data-dir={}", folder.join(".data").display()),
        "--access=token",
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_served_over_http_in_parts_with_a_tag() {
    let file = wav(300_000, 9);
    let folder = folder_with(&[("a.wav", &file)]);
    let app = serve(folder.path(), 1, &[]).await;
    let path = format!("/api/files/{}", id_of(&app, "a.wav").await.as_str().expect("an id"));
    let whole = get(app.ports.http, &path).await;
    assert!(whole.status == 200 && whole.body == file);
    assert_eq!(whole.header("content-type"), Some("audio/wav"));
    let tag = whole.header("etag").expect("a tag").to_owned();
    let ask = async |line: &str, headers: &[&str]| request(app.ports.http, line, headers, PATIENCE).await;
    let line = format!("GET {path} HTTP/1.1");
    let part = ask(&line, &["Range: bytes=100000-200000"]).await;
    assert!(part.status == 206 && part.body == file[100_000..=200_000]);
    assert_eq!(part.header("content-range"), Some("bytes 100000-200000/300000"));
    assert_eq!(ask(&line, &["Range: bytes=300000-"]).await.status, 416);
    assert_eq!(ask(&line, &[&format!("If-None-Match: {tag}")]).await.status, 304);
    let head = ask(&format!("HEAD {path} HTTP/1.1"), &[]).await;
    assert_eq!((head.header("content-length"), head.body.len()), (Some("300000"), 0));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_of_the_folders_can_be_had() {
    let secret = folder_with(&[("secret.wav", &wav(5_000, 1))]);
    let folder = folder_with(&[("a.wav", &wav(5_000, 2)), ("broken.mp3", b"not audio"), ("text.txt", b"")]);
    std::os::unix::fs::symlink(secret.path().join("secret.wav"), folder.path().join("link.wav")).expect("linked");
    std::os::unix::fs::symlink(secret.path(), folder.path().join("folder")).expect("linked");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("ring")).expect("linked");
    std::os::unix::fs::symlink("a.wav", folder.path().join("inside.wav")).expect("linked");
    let app = serve(folder.path(), 2, &[]).await;
    for path in ["..%2f..%2fetc%2fpasswd", "%2e%2e/secret.wav", "link.wav", "0000000000000000", "a.wav"] {
        let status = get(app.ports.http, &format!("/api/files/{path}")).await.status;
        assert_eq!(status, 404, "{path}");
    }
    // A file that becomes a link only after it was found is not followed either.
    let id = id_of(&app, "/a.wav").await;
    fs::remove_file(folder.path().join("a.wav")).expect("removed");
    std::os::unix::fs::symlink(secret.path().join("secret.wav"), folder.path().join("a.wav")).expect("linked");
    let path = format!("/api/files/{}", id.as_str().expect("an id"));
    assert_eq!(get(app.ports.http, &path).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_come_change_and_go_are_noticed() {
    let folder = folder_with(&[]);
    let app = serve(folder.path(), 0, &[]).await;
    fs::create_dir(folder.path().join("new")).expect("made");
    await_files(&app, "", 0).await;
    fs::write(folder.path().join("new/song.wav"), wav(5_000, 1)).expect("written");
    assert_eq!(await_files(&app, "song", 1).await[0]["size"], 5_000);
    fs::remove_dir_all(folder.path().join("new")).expect("removed");
    await_files(&app, "", 0).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usual_folder_has_chimes_from_the_first_start_on() {
    let data = tempfile::tempdir().expect("a folder");
    let app = start(&["--files-folders=auto", &format!("--data-dir={}", data.path().display())]);
    let chime = await_files(&app, "sounds/ding-dong.wav", 1).await[0].clone();
    let mut client = FileClient::connect(app.ports.http).await;
    assert_eq!(client.file().await.metadata["file"], chime["id"]);
    app.stop().await;
    let app = start(&["--files-folders=auto", &format!("--data-dir={}", data.path().display())]);
    let again = await_files(&app, "sounds/ding-dong.wav", 1).await[0].clone();
    assert_eq!(again["id"], chime["id"]);
    assert!(again["sha256"].is_string(), "its hash is remembered: {again}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_chunk_comes_at_once() {
    let folder = folder_with(&[("large.wav", &wav(60_000_000, 1))]);
    let app = serve(folder.path(), 1, &[]).await;
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let before = Instant::now();
        let mut client = FileClient::connect(app.ports.http).await;
        while !matches!(client.next().await, Some(Sent::Chunk(_))) {}
        fastest = fastest.min(before.elapsed());
    }
    println!("from the offer to the first chunk: {fastest:?}");
    // The goal is a tenth of a second; a stall would be several.
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
    app.stop().await;
}

/// A second of a tone as a file of each kind, by ffmpeg, with a title.
fn tones(folder: &Path) {
    for (name, codec) in [
        ("a.mp3", "libmp3lame"),
        ("b.ogg", "libvorbis"),
        ("c.opus", "libopus"),
        ("d.flac", "flac"),
        ("e.wav", "pcm_s16le"),
        ("f.m4a", "aac"),
    ] {
        let input = ["-loglevel", "error", "-f", "lavfi", "-i", "sine=440:d=1:r=48000"];
        let title = ["-metadata", "title=A tone", "-c:a", codec];
        let path = folder.join(name);
        let made = std::process::Command::new("ffmpeg").args(input).args(title).arg(&path).status().expect("ffmpeg");
        assert!(made.success(), "{name}");
    }
}

/// Puts a picture into an MP3 file.
fn put_cover(folder: &Path) {
    let ffmpeg = |arguments: &str| {
        let arguments = arguments.replace('@', &folder.display().to_string());
        let run = std::process::Command::new("ffmpeg").args(arguments.split(' ')).status().expect("ffmpeg");
        assert!(run.success(), "{arguments}");
    };
    ffmpeg("-loglevel error -f lavfi -i color=red:s=16x16 -frames:v 1 @/.red.png");
    ffmpeg("-loglevel error -i @/a.mp3 -i @/.red.png -map 0 -map 1 -c copy -id3v2_version 3 @/g.mp3");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_every_kind_are_known_by_length_title_and_cover() {
    let folder = folder_with(&[]);
    tones(folder.path());
    put_cover(folder.path());
    let app = serve(folder.path(), 7, &[]).await;
    let files = await_files(&app, "", 7).await;
    for file in &files {
        let seconds = file["duration"].as_f64().unwrap_or_else(|| panic!("no length: {file}"));
        assert!((seconds - 1.0).abs() < 0.1, "{file}");
        assert!(file["bitrate"].as_u64().is_some_and(|rate| rate > 10_000), "{file}");
        // The reader of WAV files passes their titles over.
        let title = if file["mime"] == "audio/wav" { Value::Null } else { json!("A tone") };
        assert_eq!(file["title"], title, "{file}");
        let has_cover = file["name"].as_str().is_some_and(|name| name.ends_with("g.mp3"));
        assert_eq!(file["cover"], has_cover, "{file}");
        let path = format!("/api/files/{}/cover", file["id"].as_str().expect("an id"));
        let cover = get(app.ports.http, &path).await;
        assert_eq!(cover.status, if has_cover { 200 } else { 404 });
        assert!(!has_cover || cover.header("content-type") == Some("image/png"));
    }
    let by_title = get(app.ports.http, "/api/files?search=a%20TONE&limit=2&offset=1").await.json();
    assert_eq!((&by_title["total"], by_title["files"].as_array().map(Vec::len)), (&json!(6), Some(2)));
    assert_eq!(get(app.ports.http, "/api/files?limit=5000").await.status, 400);
    assert_eq!(get(app.ports.http, "/api/health").await.json()["message"], "7 files can be played");
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_connect_within_a_minute_is_given_up() {
    let now = Instant::now();
    let addresses = vec!["192.168.1.2:8083".parse().expect("an address")];
    let mut relay = Relay::new(RelayConfig { addresses, ..RelayConfig::default() }, now);
    let offer = Offering::new(audio_stream()).await.offer;
    let peer = relay.accept(now, Role::Files, &offer, false).expect("a good offer").peer;
    let mut closed = None;
    let mut time = now;
    while closed.is_none() && time < now + Duration::from_secs(120) {
        time = relay.deadline().max(time + Duration::from_millis(1));
        relay.handle(time, Input::Timeout);
        while let Some(output) = relay.poll() {
            if let Output::Event(Event::PeerClosed(gone, reason)) = output {
                closed = Some((gone, reason, (time - now).as_secs()));
            }
        }
    }
    assert_eq!(closed, Some((peer, CloseReason::ConnectTimeout, 60)));
}
