//! Announcements, against the real daemon: who hears them, in which order, and who may make them.

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::http::{Answer, get, post_json, request};
use support::live::{PATIENCE, participant, program, start, start_program, url};
use support::sound::{Player, share_at};
use tempfile::TempDir;
use uuid::Uuid;
use voice_relay::app::App;

/// What the chime, what is announced, and what is urgent sound like.
const CHIME_HZ: f64 = 1_000.0;
const SPEECH_HZ: f64 = 440.0;
const URGENT_HZ: f64 = 700.0;

/// A WAV file of 16 bits and one channel, with a tone.
fn wav(rate: u32, frequency: f64, seconds: f64) -> Vec<u8> {
    let count = (f64::from(rate) * seconds) as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + count * 2).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((count * 2).to_le_bytes());
    let sample = |n: u32| (f64::from(n) * frequency * std::f64::consts::TAU / f64::from(rate)).sin() * 12_000.0;
    file.extend((0..count).flat_map(|n| (sample(n) as i16).to_le_bytes()));
    file
}

/// A folder with a chime, something to say, something long, and something urgent.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [
        ("bell.wav", wav(48_000, CHIME_HZ, 0.6)),
        ("dinner.wav", wav(22_050, SPEECH_HZ, 1.0)),
        ("long.wav", wav(8_000, SPEECH_HZ, 60.0)),
        ("fire.wav", wav(44_100, URGENT_HZ, 0.8)),
    ];
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("written");
    }
    folder
}

/// A daemon that serves this folder.
async fn serve(folder: &Path, flags: &[&str]) -> App {
    let data = tempfile::tempdir().expect("a folder").keep();
    let folders = format!("--files-folders={}", folder.display());
    let app = start(&[&[folders.as_str(), &format!("--data-dir={}", data.display())], flags].concat());
    until(async || get(app.ports.http, "/api/files").await.json()["total"] == 4).await;
    app
}

/// Waits until this is so.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !so().await {
        assert!(Instant::now() < limit, "not in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn announce(app: &App, wish: Value) -> String {
    let answer = post_json(app.ports.http, "/api/announce", &wish).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn look(app: &App, id: &str) -> Value {
    get(app.ports.http, &format!("/api/announce/{id}")).await.json()
}

async fn delete(app: &App, id: &str) -> u16 {
    request(app.ports.http, &format!("DELETE /api/announce/{id} HTTP/1.1"), &[], PATIENCE).await.status
}

async fn metric(app: &App, name: &str) -> u64 {
    let page = get(app.ports.http, "/metrics").await.text();
    let line = page.lines().find_map(|line| line.strip_prefix(&format!("voice_relay_{name} "))).map(str::to_owned);
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name}"))
}

/// Which of the tones each tenth of a second is full of.
fn tones(pcm: &[i16]) -> Vec<Option<f64>> {
    let tone = |tenth: &[i16]| {
        let is_loud = tenth.iter().any(|sample| sample.unsigned_abs() > 2_000);
        [CHIME_HZ, SPEECH_HZ, URGENT_HZ].into_iter().find(|tone| is_loud && share_at(*tone, tenth) > 0.7)
    };
    pcm.chunks_exact(4_800).map(tone).collect()
}

/// What was heard one after another, and how many tenths of a second of each.
fn in_turn(pcm: &[i16]) -> Vec<(f64, usize)> {
    let mut turns: Vec<(f64, usize)> = Vec::new();
    for tone in tones(pcm).into_iter().flatten() {
        match turns.last_mut() {
            Some((last, count)) if *last == tone => *count += 1,
            _ => turns.push((tone, 1)),
        }
    }
    turns
}

/// A player of the room `home`, once it listens.
async fn player(app: &App, seconds: f64) -> tokio::task::JoinHandle<Vec<i16>> {
    let url = url(app, "room/home.mp3");
    let heard = tokio::spawn(async move { Player::Ffmpeg.hear(&url, seconds).await });
    until(async || metric(app, "mp3_listeners").await == 1).await;
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_is_heard_by_players_after_its_chime() {
    let folder = folder();
    let app = serve(folder.path(), &[]).await;
    let heard = player(&app, 6.0).await;
    let id = announce(&app, json!({ "room": "home", "file": "dinner.wav", "chime": "bell" })).await;
    let playing = look(&app, &id).await;
    let expected = (&json!("playing"), &json!("home"), &json!("dinner"), &json!(1.9));
    assert_eq!((&playing["state"], &playing["room"], &playing["name"], &playing["duration"]), expected);
    let turns = in_turn(&heard.await.expect("no panic"));
    let [(CHIME_HZ, chime), (SPEECH_HZ, speech)] = turns[..] else { panic!("{turns:?}") };
    assert!((4..=6).contains(&chime) && (8..=10).contains(&speech), "{turns:?}");
    assert_eq!(look(&app, &id).await["state"], "played");
    assert_eq!(metric(&app, "announcements_played_total").await, 1);
    app.stop().await;
}
