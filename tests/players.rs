//! What people hear who listen with a player: ffmpeg, mpg123 and GStreamer play every stream in every
//! format, from the real daemon and real senders.

mod support;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use support::listener::{listen, ogg_seconds, wav_seconds};
use support::live::{Sender, named_sender, sender, start, tone, url};
use support::sound::{Player, between, decoded, share_at, silence_before, usual_share_at};
use voice_relay::app::App;

const TONE_HZ: f64 = 440.0;
const OTHER_HZ: f64 = 660.0;

/// From the first sound of the program until a tone is steady.
const SETTLING: f64 = 0.4;

async fn talker(app: &App, frequency: f64) -> Sender {
    sender(app.ports, Some(tone(frequency)), 0.0).await
}

/// This player hears, of this file, silence for so many seconds and then the tone.
async fn hears_the_tone_after(burst: f64, player: Player, file: &str, app: &App) {
    let heard = player.hear(&url(app, file), burst + 2.0).await;
    let silence = silence_before(&heard);
    assert!((burst - 0.06..burst + 0.5).contains(&silence), "{player:?} of {file}: silence for {silence} s");
    let steady = between(silence + SETTLING..silence + SETTLING + 1.0, &heard);
    let share = usual_share_at(TONE_HZ, steady);
    assert!(share > 0.9 && usual_share_at(OTHER_HZ, steady) < 0.01, "{player:?} of {file}: {share}");
}

/// All at once: file, and the length of its burst.
async fn hears_the_tone(player: Player, cases: &[(&str, f64)]) {
    let app = start(&[]);
    let sender = talker(&app, TONE_HZ).await;
    let files: Vec<_> = cases.iter().map(|(file, burst)| (file.replace("<id>", &sender.stream), *burst)).collect();
    join_all(files.iter().map(|(file, burst)| hears_the_tone_after(*burst, player, file, &app))).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_hears_the_burst_and_then_the_tone() {
    let cases = [
        ("latest.mp3", 0.0),
        ("all.mp3?profile=close&bitrate=64", 0.0),
        ("<id>.mp3?profile=esphome&bitrate=320", 2.0),
        ("latest.mp3?profile=cast&chunk=100ms", 1.0),
        ("all.wav", 0.0),
        ("<id>.wav?burst=1", 1.0),
        ("<id>.opus", 0.0),
        ("latest.opus?profile=close", 0.0),
    ];
    hears_the_tone(Player::Ffmpeg, &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mpg123_hears_the_burst_and_then_the_tone() {
    let cases = [
        ("latest.mp3?profile=default&bitrate=320", 0.0),
        ("all.mp3?profile=cast", 1.0),
        ("<id>.mp3?profile=sonos&bitrate=64", 3.0),
    ];
    hears_the_tone(Player::Mpg123, &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gstreamer_hears_the_burst_and_then_the_tone() {
    let cases = [
        ("latest.mp3?profile=esphome&bitrate=64", 2.0),
        ("all.mp3?bitrate=320", 0.0),
        ("<id>.mp3?profile=close", 0.0),
        ("latest.wav?profile=cast", 1.0),
        ("<id>.opus", 0.0),
    ];
    hears_the_tone(Player::GStreamer, &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_joins_others_at_opus_hears_the_tone_as_well() {
    let app = start(&[]);
    let sender = talker(&app, TONE_HZ).await;
    let (file, port) = (format!("{}.opus", sender.stream), app.ports.mp3);
    let listens_already = file.clone();
    let first = tokio::spawn(async move { listen(port, &listens_already, Duration::from_secs(6)).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    join_all([Player::Ffmpeg, Player::GStreamer].map(|player| hears_the_tone_after(0.0, player, &file, &app))).await;
    assert!(ogg_seconds(&first.await.expect("no panic").body) > 5.5);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn players_that_are_told_who_talks_do_not_hear_it_as_noise() {
    let app = start(&["--mp3-icy=true"]);
    let _sender = named_sender(app.ports, "Anna", Some(tone(TONE_HZ))).await;
    let players = [Player::Ffmpeg, Player::Mpg123, Player::GStreamer];
    // Metadata every 0.4 s.
    join_all(players.map(|player| hears_the_tone_after(1.0, player, "latest.mp3?bitrate=320&burst=1", &app))).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chime_is_heard_before_the_program_if_asked_for() {
    let app = start(&[]);
    let _sender = talker(&app, TONE_HZ).await;
    let address = url(&app, "latest.mp3?burst=2&start=chime");
    let heard = Player::Ffmpeg.hear(&address, 4.0).await;
    let (first_note, second_note) = (between(0.1..0.2, &heard), between(0.5..0.6, &heard));
    assert!(share_at(659.3, first_note) > 0.9, "{}", share_at(659.3, first_note));
    assert!(share_at(523.3, second_note) > 0.9, "{}", share_at(523.3, second_note));
    let rest = &heard[48_000 * 12 / 10..];
    let silence = silence_before(rest);
    assert!((0.7..1.3).contains(&silence), "rings out for {silence} s");
    assert!(usual_share_at(TONE_HZ, &heard[heard.len() - 48_000..]) > 0.9, "then the tone");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_everybody_who_talks() {
    let app = start(&[]);
    let (_one, _other) = (talker(&app, TONE_HZ).await, talker(&app, OTHER_HZ).await);
    let heard = Player::Ffmpeg.hear(&url(&app, "all.mp3"), 2.0).await;
    let steady = between(0.8..1.8, &heard);
    let shares = [usual_share_at(TONE_HZ, steady), usual_share_at(OTHER_HZ, steady)];
    assert!(shares.iter().all(|share| *share > 0.4), "{shares:?}");
    app.stop().await;
}

/// Which of the tones is heard, as they follow one another.
fn tones_in(heard: &[i16]) -> Vec<f64> {
    let tone_of = |pcm: &[i16]| [TONE_HZ, OTHER_HZ].into_iter().find(|tone| share_at(*tone, pcm) > 0.9);
    let mut tones: Vec<_> = heard.chunks_exact(4_800).filter_map(tone_of).collect();
    tones.dedup();
    tones
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_stays_hears_whoever_talks_last() {
    let app = start(&[]);
    let _first = talker(&app, TONE_HZ).await;
    let address = url(&app, "latest.mp3?profile=close");
    let player = tokio::spawn(async move { Player::Ffmpeg.hear(&address, 7.0).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut second = talker(&app, OTHER_HZ).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    second.signalling.send(json!({ "type": "stop_stream" })).await;
    let heard = player.await.expect("no panic");
    assert_eq!(tones_in(&heard), [TONE_HZ, OTHER_HZ, TONE_HZ], "the second, and then the first, who still talks");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lossy_sender_sounds_for_as_long_as_the_clock_says() {
    let app = start(&[]);
    let lossy = sender(app.ports, Some(tone(TONE_HZ)), 0.05).await;
    let (wav, ogg) = (format!("{}.wav", lossy.stream), format!("{}.opus", lossy.stream));
    let time = Duration::from_secs(6);
    let (wav, ogg) = tokio::join!(listen(app.ports.mp3, &wav, time), listen(app.ports.mp3, &ogg, time));
    for (gain, which) in [(wav.gain(wav_seconds), "wav"), (ogg.gain(ogg_seconds), "opus")] {
        assert!(gain.abs() < 0.06, "{which}: {gain} s in five");
    }
    let (said, decoded) = (ogg_seconds(&ogg.body), decoded(&ogg.body).await.len() as f64 / 48_000.0);
    assert!((said - decoded).abs() < 0.06, "pages that say {said} s hold {decoded} s");
    app.stop().await;
}
