//! Mounts in paused time: tokio moves the clock whenever everybody waits.

use std::sync::atomic::Ordering;

use super::*;

/// Streams that live until they are dropped from here.
#[derive(Clone, Default)]
struct Source {
    taps: Arc<Mutex<Vec<mpsc::Sender<OpusPacket>>>>,
    live: bool,
}

impl PacketSource for Source {
    async fn tap(&self, _: StreamId) -> Option<mpsc::Receiver<OpusPacket>> {
        // A real one answers from another thread.
        tokio::task::yield_now().await;
        let (sender, receiver) = mpsc::channel(128);
        self.taps.lock().expect("not poisoned").push(sender);
        self.live.then_some(receiver)
    }
}

fn stream() -> StreamId {
    StreamId::of_connection(uuid::Uuid::from_u128(1))
}

fn live() -> (Source, Arc<AudioStats>, Mounts<Source>) {
    let (source, stats) = (Source { live: true, ..Source::default() }, Arc::<AudioStats>::default());
    let mounts = Mounts::new(source.clone(), Arc::clone(&stats));
    (source, stats, mounts)
}

fn gauges(stats: &AudioStats) -> (i64, i64) {
    (stats.encoders.load(Ordering::Relaxed), stats.listeners.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn two_listeners_share_one_encoder_and_hear_the_same_frames() {
    let (_source, stats, mounts) = live();
    let (first, second) = tokio::join!(mounts.listen(stream()), mounts.listen(stream()));
    let (mut first, mut second) = (first.expect("live"), second.expect("live"));
    assert_eq!(gauges(&stats), (1, 2));
    for _ in 0..10 {
        assert_eq!(first.next_frames().await, second.next_frames().await);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_comes_within_fifty_milliseconds_though_nobody_speaks() {
    let (_source, _, mounts) = live();
    let asked = Instant::now();
    let mut listener = mounts.listen(stream()).await.expect("live");
    listener.next_frames().await.expect("frames");
    assert!(asked.elapsed() <= Duration::from_millis(50), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_minute_of_clock_is_a_minute_of_sound() {
    let (_source, _, mounts) = live();
    let mut listener = mounts.listen(stream()).await.expect("live");
    let (start, mut frames) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(60) {
        frames += frames_in(&listener.next_frames().await.expect("frames"));
    }
    let sound = FRAME_DURATION * frames as u32;
    assert!(sound.abs_diff(start.elapsed()) <= Duration::from_millis(50), "{sound:?}");
}

#[tokio::test(start_paused = true)]
async fn the_encoder_stops_when_the_last_listener_leaves_and_starts_for_the_next() {
    let (source, stats, mounts) = live();
    let listener = mounts.listen(stream()).await.expect("live");
    drop(listener);
    tokio::time::sleep(TICK * 2).await;
    assert_eq!(gauges(&stats), (0, 0));
    assert!(source.taps.lock().expect("not poisoned")[0].is_closed(), "the tap is given back");
    let mut listener = mounts.listen(stream()).await.expect("live");
    listener.next_frames().await.expect("frames");
    assert_eq!(gauges(&stats), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_the_end_when_the_stream_ends() {
    let (source, stats, mounts) = live();
    let mut listener = mounts.listen(stream()).await.expect("live");
    listener.next_frames().await.expect("frames");
    source.taps.lock().expect("not poisoned").clear();
    let ended = Instant::now();
    while listener.next_frames().await.is_some() {}
    assert!(ended.elapsed() < MAX_TAIL + TICK);
    assert_eq!(gauges(&stats).0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_lags_skips_and_is_counted_while_others_go_on() {
    let (_source, stats, mounts) = live();
    let mut lazy = mounts.listen(stream()).await.expect("live");
    let mut eager = mounts.listen(stream()).await.expect("live");
    for _ in 0..BACKLOG * 2 {
        eager.next_frames().await.expect("frames");
    }
    lazy.next_frames().await.expect("frames");
    assert!(stats.frames_skipped.load(Ordering::Relaxed) > 0);
}

#[tokio::test(start_paused = true)]
async fn there_is_no_mount_for_a_stream_that_is_not_live() {
    let mounts = Mounts::new(Source::default(), Arc::default());
    assert!(mounts.listen(stream()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn silence_keeps_the_pace_without_an_encoder() {
    let (_source, stats, mounts) = live();
    let mut silence = mounts.silence();
    let start = Instant::now();
    for _ in 0..=1_000 {
        silence.next_frame().await;
    }
    assert_eq!(start.elapsed(), FRAME_DURATION * 1_000);
    assert_eq!(gauges(&stats), (0, 1));
}
