//! Mounts in paused time: tokio moves the clock whenever everybody waits.

use std::sync::atomic::Ordering;

use tokio::sync::{mpsc, watch};

use crate::audio::tone;
use crate::audio::{Bitrate, TICK};
use crate::domain::{OpusPacket, RoomId, StreamId, Track};

use super::*;

const MP3: Format = Format::Mp3(Bitrate::DEFAULT);
const FRAME_DURATION: Duration = Duration::from_millis(24);

/// Streams that live until they are dropped from here.
#[derive(Clone)]
struct TestSource {
    taps: Arc<Mutex<HashMap<StreamId, mpsc::Sender<OpusPacket>>>>,
    streams: Arc<watch::Sender<Arc<[Track]>>>,
}

impl PacketSource for TestSource {
    async fn tap(&self, stream: StreamId) -> Option<mpsc::Receiver<OpusPacket>> {
        // A real one answers from another thread.
        tokio::task::yield_now().await;
        let (sender, receiver) = mpsc::channel(128);
        let live = self.streams.borrow().iter().any(|live| live.id == stream);
        live.then(|| self.taps.lock().expect("not poisoned").insert(stream, sender)).map(|_| receiver)
    }

    fn live(&self) -> watch::Receiver<Arc<[Track]>> {
        self.streams.subscribe()
    }
}

impl TestSource {
    fn begin(&self, stream: impl Into<Track>) {
        let stream = stream.into();
        self.streams.send_modify(|list| *list = list.iter().copied().chain([stream]).collect());
    }

    fn end(&self, stream: StreamId) {
        self.taps.lock().expect("not poisoned").remove(&stream);
        self.streams.send_modify(|list| *list = list.iter().copied().filter(|other| other.id != stream).collect());
    }

    /// Sends a tone for so long, at its pace.
    async fn speak(&self, stream: StreamId, frequency: f64, milliseconds: u64) {
        let mut pace = pace(Duration::from_millis(20));
        for (sequence, payload) in (0..milliseconds / 20).zip(tone(frequency)) {
            let arrival = pace.tick().await.into_std();
            let packet = OpusPacket { sequence, timestamp: sequence * 960, arrival, payload };
            if let Some(tap) = self.taps.lock().expect("not poisoned").get(&stream) {
                let _ = tap.try_send(packet);
            }
        }
    }
}

fn stream(number: u128) -> StreamId {
    StreamId::of_connection(uuid::Uuid::from_u128(number))
}

/// One live stream, and mounts that go on in silence.
fn live() -> (TestSource, Arc<AudioStats>, Mounts<TestSource>) {
    let (source, stats) = (TestSource { taps: Arc::default(), streams: Arc::default() }, Arc::<AudioStats>::default());
    source.begin(stream(1));
    let mounts = Mounts::new(source.clone(), true, Arc::clone(&stats));
    (source, stats, mounts)
}

fn encoders(stats: &AudioStats) -> i64 {
    stats.encoders.load(Ordering::Relaxed)
}

/// Samples of so many milliseconds of a program as WAV.
async fn hear(listener: &mut Listener, milliseconds: usize) -> Vec<i16> {
    let mut pcm = Vec::new();
    while pcm.len() < milliseconds * 48 {
        let message = listener.next_message().await.expect("it goes on");
        pcm.extend(message.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
    }
    pcm
}

fn loudness(pcm: &[i16]) -> i64 {
    pcm.iter().map(|sample| i64::from(*sample).pow(2)).sum::<i64>() / pcm.len() as i64
}

#[tokio::test(start_paused = true)]
async fn two_listeners_of_the_same_share_one_encoder_and_hear_the_same_frames() {
    let (_source, stats, mounts) = live();
    let program = Program::Stream(stream(1));
    let (first, second) = tokio::join!(mounts.listen(program, MP3), mounts.listen(program, MP3));
    let (mut first, mut second) = (first.expect("live"), second.expect("live"));
    assert_eq!(encoders(&stats), 1);
    for _ in 0..10 {
        assert_eq!(first.next_message().await, second.next_message().await);
    }
    let other = Format::Mp3(Bitrate::new(64).expect("a bit rate"));
    let _third = mounts.listen(program, other).await.expect("live");
    assert_eq!(encoders(&stats), 2);
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_comes_within_fifty_milliseconds_though_nobody_speaks() {
    let (_source, _, mounts) = live();
    for program in [Program::Stream(stream(1)), Program::Latest(RoomId::HOME), Program::Room(RoomId::HOME)] {
        let asked = Instant::now();
        let mut listener = mounts.listen(program, MP3).await.expect("live");
        listener.next_message().await.expect("a frame");
        assert!(asked.elapsed() <= Duration::from_millis(50), "{:?}", asked.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_of_clock_is_a_minute_of_sound_in_every_format() {
    let (_source, _, mounts) = live();
    for format in [MP3, Format::Wav, Format::Ogg] {
        let mut listener = mounts.listen(Program::Stream(stream(1)), format).await.expect("live");
        let (start, mut sound) = (Instant::now(), Duration::ZERO);
        while start.elapsed() < Duration::from_secs(60) {
            listener.next_message().await.expect("a message");
            sound += format.message_duration();
        }
        assert!(sound.abs_diff(start.elapsed()) <= Duration::from_millis(60), "{format:?}: {sound:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_encoder_stops_when_the_last_listener_leaves_and_starts_for_the_next() {
    let (source, stats, mounts) = live();
    let listener = mounts.listen(Program::Room(RoomId::HOME), MP3).await.expect("live");
    drop(listener);
    tokio::time::sleep(TICK * 2).await;
    assert_eq!(encoders(&stats), 0);
    assert!(source.taps.lock().expect("not poisoned")[&stream(1)].is_closed(), "the tap is given back");
    let mut listener = mounts.listen(Program::Room(RoomId::HOME), MP3).await.expect("live");
    listener.next_message().await.expect("a frame");
    assert_eq!(encoders(&stats), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_ends_for_its_listeners_after_half_a_second_of_silence() {
    let (source, stats, mounts) = live();
    let mut listener = mounts.listen(Program::Stream(stream(1)), Format::Wav).await.expect("live");
    source.speak(stream(1), 440.0, 1_000).await;
    source.end(stream(1));
    let ended = Instant::now();
    let mut pcm = Vec::new();
    while let Some(message) = listener.next_message().await {
        pcm.extend(message.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
    }
    assert!(ended.elapsed() >= CLOSING_SILENCE && ended.elapsed() < CLOSING_SILENCE + Duration::from_millis(200));
    // All that was said is in it: 980 ms, since Opus itself holds some milliseconds back.
    let spoken = pcm.chunks(480).filter(|pcm| loudness(pcm) > 1_000_000).count();
    assert!((96..=102).contains(&spoken), "{spoken}0 ms");
    assert!(loudness(&pcm[pcm.len() - 22_000..]) == 0);
    assert_eq!(encoders(&stats), 0);
}

#[tokio::test(start_paused = true)]
async fn latest_goes_on_with_the_next_stream_or_with_silence() {
    let (source, _, mounts) = live();
    let mut listener = mounts.listen(Program::Latest(RoomId::HOME), Format::Wav).await.expect("live");
    let (_, heard) = tokio::join!(source.speak(stream(1), 440.0, 1_000), hear(&mut listener, 1_000));
    assert!(loudness(&heard[9_600..]) > 1_000_000);
    source.end(stream(1));
    hear(&mut listener, 600).await;
    assert_eq!(loudness(&hear(&mut listener, 3_000).await), 0, "nobody speaks");
    source.begin(stream(2));
    hear(&mut listener, 40).await;
    let (_, heard) = tokio::join!(source.speak(stream(2), 440.0, 1_000), hear(&mut listener, 1_000));
    assert!(loudness(&heard[9_600..]) > 1_000_000, "somebody else does");
}

#[tokio::test(start_paused = true)]
async fn where_silence_is_not_wanted_latest_ends_with_the_last_stream() {
    let (source, stats, _) = live();
    let mounts = Mounts::new(source.clone(), false, stats);
    let mut listener = mounts.listen(Program::Latest(RoomId::HOME), MP3).await.expect("live");
    listener.next_message().await.expect("a frame");
    source.end(stream(1));
    let ended = Instant::now();
    while listener.next_message().await.is_some() {}
    assert!(ended.elapsed() < CLOSING_SILENCE + Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn all_is_the_sum_of_those_who_speak_and_nothing_clicks_when_one_leaves() {
    let (source, _, mounts) = live();
    source.begin(stream(2));
    let mut listener = mounts.listen(Program::Room(RoomId::HOME), Format::Wav).await.expect("live");
    let speakers = async {
        tokio::join!(source.speak(stream(1), 300.0, 2_000), async {
            source.speak(stream(2), 300.0, 1_000).await;
            source.end(stream(2));
        });
    };
    let (_, heard) = tokio::join!(speakers, hear(&mut listener, 2_000));
    let (both, one) = (loudness(&heard[24_000..43_200]), loudness(&heard[62_400..91_200]));
    // In phase, since both began together: twice the amplitude.
    assert!((34..=46).contains(&(both * 10 / one)), "{both} and {one}");
    let steepest = heard[9_600..91_200].windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max();
    // Two sines of 300 Hz and 12,000: 942 between samples.
    assert!(steepest.expect("samples") < 1_200, "{steepest:?}");
    mounts.gains().set(stream(1), -60.0, &[stream(1)]);
    let (_, heard) = tokio::join!(source.speak(stream(1), 300.0, 1_000), hear(&mut listener, 1_000));
    assert!(loudness(&heard[9_600..]) < one / 10_000);
}

/// How loud a tone is in the sound: its amplitude (Goertzel).
fn amplitude_at(frequency: f64, pcm: &[i16]) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency / 48_000.0).cos();
    let (mut before, mut now) = (0.0, 0.0);
    for sample in pcm {
        (before, now) = (now, f64::from(*sample) + coefficient * now - before);
    }
    (now * now + before * before - coefficient * now * before).sqrt() * 2.0 / pcm.len() as f64
}

#[tokio::test(start_paused = true)]
async fn each_room_has_a_mix_of_its_own() {
    let (source, _, mounts) = live();
    let kitchen = RoomId(1);
    source.begin(Track::voice(stream(2), kitchen));
    source.begin(Track::voice(stream(3), kitchen));
    let mut at_home = mounts.listen(Program::Room(RoomId::HOME), Format::Wav).await.expect("a room");
    let mut in_kitchen = mounts.listen(Program::Room(kitchen), Format::Wav).await.expect("a room");
    let speakers = async {
        tokio::join!(
            source.speak(stream(1), 300.0, 1_000),
            source.speak(stream(2), 500.0, 1_000),
            source.speak(stream(3), 800.0, 1_000)
        );
    };
    let (_, home, kitchen) = tokio::join!(speakers, hear(&mut at_home, 1_000), hear(&mut in_kitchen, 1_000));
    let of = |pcm: &[i16]| [300.0, 500.0, 800.0].map(|tone| amplitude_at(tone, &pcm[19_200..43_200]) > 5_000.0);
    assert_eq!((of(&home), of(&kitchen)), ([true, false, false], [false, true, true]));
}

#[tokio::test(start_paused = true)]
async fn music_steps_back_by_twelve_decibels_while_somebody_speaks_and_returns() {
    let (source, _, mounts) = live();
    source.begin(Track::music(stream(2), RoomId::HOME));
    let mut listener = mounts.listen(Program::Room(RoomId::HOME), Format::Wav).await.expect("a room");
    let speaker = async {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        source.speak(stream(1), 2_000.0, 1_000).await;
    };
    let (_, (), heard) = tokio::join!(source.speak(stream(2), 300.0, 4_000), speaker, hear(&mut listener, 4_000));
    let music = |from: usize, to: usize| amplitude_at(300.0, &heard[from * 48..to * 48]);
    let usual = music(600, 1_000);
    let decibels = |from, to| 20.0 * (music(from, to) / usual).log10();
    // From the first sound of the voice, which the jitter buffer holds back for a moment.
    let voice = (1_000..).find(|at| amplitude_at(2_000.0, &heard[at * 48..(at + 10) * 48]) > 1_000.0).expect("heard");
    println!("the voice is heard from {voice} ms on");
    assert!((decibels(voice + 100, voice + 900) + 12.0).abs() < 0.5, "{}", decibels(voice + 100, voice + 900));
    assert!((decibels(voice + 1_050, voice + 1_450) + 12.0).abs() < 0.5, "held over a pause");
    assert!((-9.0..-3.0).contains(&decibels(voice + 1_780, voice + 1_820)), "on its way");
    assert!(decibels(voice + 2_200, 3_900).abs() < 0.2, "as loud as before");
    let steepest = heard[28_800..].windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max();
    // Both tones together: 12,000 at 2 kHz makes 3,130 between samples.
    assert!(steepest.expect("samples") < 4_500, "{steepest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_gain_is_on_top_of_what_music_steps_back_by() {
    let (source, _, mounts) = live();
    source.begin(Track::music(stream(2), RoomId::HOME));
    mounts.gains().set(stream(2), -6.0, &[stream(2)]);
    let mut listener = mounts.listen(Program::Room(RoomId::HOME), Format::Wav).await.expect("a room");
    let speakers =
        async { tokio::join!(source.speak(stream(1), 2_000.0, 1_000), source.speak(stream(2), 300.0, 1_000)) };
    let (_, heard) = tokio::join!(speakers, hear(&mut listener, 1_000));
    let decibels = 20.0 * (amplitude_at(300.0, &heard[24_000..43_200]) / 12_000.0).log10();
    assert!((decibels + 18.0).abs() < 1.0, "{decibels}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_and_is_there_again_at_once_is_heard_again() {
    let (source, _, mounts) = live();
    let mut listener = mounts.listen(Program::Stream(stream(1)), Format::Wav).await.expect("live");
    tokio::join!(source.speak(stream(1), 300.0, 500), hear(&mut listener, 500));
    source.end(stream(1));
    source.begin(stream(1));
    hear(&mut listener, 40).await;
    let (_, heard) = tokio::join!(source.speak(stream(1), 500.0, 1_000), hear(&mut listener, 1_000));
    assert!(amplitude_at(500.0, &heard[24_000..43_200]) > 5_000.0);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_lags_skips_and_is_counted_while_others_go_on() {
    let (_source, stats, mounts) = live();
    let mut lazy = mounts.listen(Program::Room(RoomId::HOME), MP3).await.expect("live");
    let mut eager = mounts.listen(Program::Room(RoomId::HOME), MP3).await.expect("live");
    for _ in 0..BACKLOG * 2 {
        eager.next_message().await.expect("a frame");
    }
    lazy.next_message().await.expect("a frame");
    assert!(stats.frames_skipped.load(Ordering::Relaxed) > 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_live_or_not_possible_has_no_mount() {
    let (_source, _, mounts) = live();
    assert!(mounts.listen(Program::Stream(stream(2)), MP3).await.is_none());
    assert!(mounts.listen(Program::Room(RoomId::HOME), Format::Ogg).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn silence_keeps_the_pace() {
    let (source, _, mounts) = live();
    source.end(stream(1));
    let mut listener = mounts.listen(Program::Latest(RoomId::HOME), MP3).await.expect("silence");
    let start = Instant::now();
    for _ in 0..1_000 {
        listener.next_message().await.expect("a frame");
    }
    assert!(start.elapsed().abs_diff(FRAME_DURATION * 1_000) < FRAME_DURATION * 2, "{:?}", start.elapsed());
}
