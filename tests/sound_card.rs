//! The sound card against a real PulseAudio: sound goes through, in time, and comes back after
//! everything that happens to sound servers.

mod support;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::pulse::{Client, Noise, Rig, Tape, alone, drop_soon, locate, lock, unload, wait_for};
use voice_relay::card::{CardStats, Direction, Loudspeaker, Microphone, Volume, devices};

/// Sound is compared in pieces of 0.2 s.
const PIECE: usize = 9_600;

/// A loudspeaker that plays noise on the sink `t`, and keeps what it played.
struct Player {
    loudspeaker: Loudspeaker,
    stats: Arc<CardStats>,
    pulled: Tape,
}

fn play(device: &str) -> Player {
    let (stats, pulled, mut noise) = (Arc::<CardStats>::default(), Tape::default(), Noise::new(1));
    let tape = pulled.clone();
    let pull = move |now, out: &mut [i16]| {
        assert_eq!(out.len(), 480);
        noise.fill(out);
        tape.add(now, out);
    };
    let volume = Arc::new(Volume::new(0.0));
    let loudspeaker = Loudspeaker::start(device.into(), volume, Arc::clone(&stats), pull).expect("a thread");
    Player { loudspeaker, stats, pulled }
}

impl Player {
    /// Waits until what is pulled is heard on a sink.
    fn wait_until_heard_on(&self, sink: &str) {
        let (_parec, heard) = Client::record(&format!("{sink}.monitor"));
        wait_for("parec hears", || {
            sleep(Duration::from_millis(200));
            let (heard, pulled) = (heard.samples(), self.pulled.samples());
            heard.len() > 2 * PIECE && locate(&heard[heard.len() - PIECE..], last(&pulled, 96_000)).1 > 0.99
        });
    }

    /// How alike the last pieces of a recording are to what was pulled, and how late they came.
    fn compare(&self, heard: &Tape) -> Vec<(f64, Duration)> {
        let (recorded, pulled) = (heard.samples(), self.pulled.samples());
        let compare = |back: usize| {
            let (from, start) = (recorded.len() - back * PIECE, pulled.len() - back * PIECE - 48_000);
            let (place, likeness) = locate(&recorded[from..from + PIECE], &pulled[start..start + 48_000 + 2 * PIECE]);
            let ((came, _), (pulled_at, offset)) = (heard.time_of(from), self.pulled.time_of(start + place));
            // A block is pulled at once, and its last sample is to be heard 10 ms after its first.
            let delay = came.saturating_duration_since(pulled_at + offset);
            (likeness, delay)
        };
        (3..23).map(compare).collect()
    }
}

fn last(samples: &[i16], count: usize) -> &[i16] {
    &samples[samples.len().saturating_sub(count)..]
}

/// The one in the middle: a machine that does other things as well may spoil a few.
fn median<T: Clone>(values: &[T], order: impl Fn(&T, &T) -> std::cmp::Ordering) -> T {
    let mut values = values.to_vec();
    values.sort_by(order);
    values[values.len() / 2].clone()
}

fn started(rig: &mut Rig, sinks: &[&str]) -> Vec<String> {
    rig.serve();
    sinks.iter().map(|sink| rig.add_sink(sink)).collect()
}

#[test]
fn what_is_pulled_is_heard_soon() {
    alone("what_is_pulled_is_heard_soon", |mut rig| {
        started(&mut rig, &["t"]);
        let player = play("t");
        let took = wait_for("the loudspeaker pulls", || player.pulled.len() > 48_000);
        println!("the first second of sound took {took:?}");
        let (_parec, heard) = Client::record("t.monitor");
        wait_for("parec hears", || heard.samples().iter().any(|sample| *sample != 0));
        sleep(Duration::from_secs(1));
        let (before, since) = (player.pulled.len(), Instant::now());
        sleep(Duration::from_secs(5));
        let pace = (player.pulled.len() - before) as f64 / since.elapsed().as_secs_f64();
        assert!((36_000.0..48_960.0).contains(&pace), "{pace} samples a second");

        let pieces = player.compare(&heard);
        let likeness = median(&pieces, |a, b| a.0.total_cmp(&b.0)).0;
        let delay = median(&pieces, |a, b| a.1.cmp(&b.1)).1;
        println!("{pace:.0} samples a second, alike by {likeness:.4}, {:?}", player.stats);
        println!("pull to parec: {delay:?}");
        assert!(likeness > 0.999, "{likeness}");
        assert!(delay < Duration::from_millis(60), "{delay:?}");
        drop_soon("the loudspeaker", player.loudspeaker);
        assert!(!player.stats.running.load(Relaxed));
    });
}

#[test]
fn a_loudspeaker_that_is_plugged_in_again_plays_again() {
    alone("a_loudspeaker_that_is_plugged_in_again_plays_again", |mut rig| {
        let modules = started(&mut rig, &["t"]);
        let player = play("t");
        wait_for("it plays", || player.pulled.len() > 4_800);
        unload(&modules[0]);
        wait_for("it is missed", || !player.stats.running.load(Relaxed));
        let before = player.pulled.len();
        sleep(Duration::from_millis(300));
        assert_eq!(player.pulled.len(), before, "nothing is pulled without a card");
        rig.add_sink("t");
        println!("plays again after {:?}", wait_for("it plays again", || player.pulled.len() > before + 4_800));
        player.wait_until_heard_on("t");
        assert_eq!(player.stats.reopened.load(Relaxed), 1);
        drop_soon("the loudspeaker", player.loudspeaker);
    });
}

#[test]
fn a_loudspeaker_that_is_unplugged_is_not_replaced_by_another() {
    alone("a_loudspeaker_that_is_unplugged_is_not_replaced_by_another", |mut rig| {
        let modules = started(&mut rig, &["t", "other"]);
        let player = play("t");
        wait_for("it plays", || player.pulled.len() > 4_800);
        // The server moves the stream to the other sink.
        unload(&modules[0]);
        wait_for("it is missed", || !player.stats.running.load(Relaxed));
        rig.add_sink("t");
        let before = player.pulled.len();
        println!("plays again after {:?}", wait_for("it plays again", || player.pulled.len() > before + 4_800));
        player.wait_until_heard_on("t");
        drop_soon("the loudspeaker", player.loudspeaker);
    });
}

#[test]
fn the_default_is_followed() {
    alone("the_default_is_followed", |mut rig| {
        let modules = started(&mut rig, &["t", "other"]);
        let player = play("default");
        wait_for("it plays", || player.pulled.len() > 4_800);
        player.wait_until_heard_on("t");
        unload(&modules[0]);
        wait_for("it is missed", || !player.stats.running.load(Relaxed));
        wait_for("it plays again", || player.stats.running.load(Relaxed));
        player.wait_until_heard_on("other");
    });
}

#[test]
fn a_server_that_crashes_and_comes_back_plays_again() {
    alone("a_server_that_crashes_and_comes_back_plays_again", |mut rig| {
        started(&mut rig, &["t"]);
        let player = play("t");
        wait_for("it plays", || player.pulled.len() > 4_800);
        rig.crash();
        println!("missed after {:?}", wait_for("it is missed", || !player.stats.running.load(Relaxed)));
        let before = player.pulled.len();
        sleep(Duration::from_secs(1));
        started(&mut rig, &["t"]);
        println!("plays again after {:?}", wait_for("it plays again", || player.pulled.len() > before + 4_800));
        player.wait_until_heard_on("t");
        rig.crash();
        drop_soon("the loudspeaker of a dead server", player.loudspeaker);
    });
}

#[test]
fn a_server_that_hangs_holds_up_nobody() {
    alone("a_server_that_hangs_holds_up_nobody", |mut rig| {
        started(&mut rig, &["t"]);
        let player = play("t");
        wait_for("it plays", || player.pulled.len() > 24_000);
        rig.signal("-STOP");
        println!("missed after {:?}", wait_for("it is missed", || !player.stats.running.load(Relaxed)));
        let start = Instant::now();
        assert!(devices().is_empty());
        assert!(start.elapsed() < Duration::from_millis(2_200), "{:?}", start.elapsed());
        let before = player.pulled.len();
        rig.signal("-CONT");
        println!("plays again after {:?}", wait_for("it plays again", || player.pulled.len() > before + 4_800));
        rig.signal("-STOP");
        drop_soon("the loudspeaker of a server that hangs", player.loudspeaker);
    });
}

#[test]
fn what_a_microphone_hears_is_pushed() {
    alone("what_a_microphone_hears_is_pushed", |mut rig| {
        started(&mut rig, &["micsink"]);
        rig.add_source("mic", "micsink");
        let mut said = vec![0; 48_000 * 12];
        Noise::new(2).fill(&mut said);
        let _pacat = Client::play("micsink", &said);
        let (stats, pushed, volume) = (Arc::<CardStats>::default(), Tape::default(), Arc::new(Volume::new(0.0)));
        let tape = pushed.clone();
        let push = move |at, samples: &[i16]| {
            assert_eq!(samples.len(), 960);
            tape.add(at, samples);
        };
        let microphone =
            Microphone::start("mic".into(), Arc::clone(&volume), Arc::clone(&stats), push).expect("a thread");
        println!("heard after {:?}", wait_for("it hears", || pushed.samples().iter().any(|sample| *sample != 0)));
        sleep(Duration::from_millis(500));
        let (before, since) = (pushed.len(), Instant::now());
        sleep(Duration::from_secs(3));
        let pace = (pushed.len() - before) as f64 / 960.0 / since.elapsed().as_secs_f64();
        println!("{pace:.2} blocks a second; {stats:?}");
        assert!((40.0..51.0).contains(&pace), "{pace}");
        let heard = pushed.samples();
        let pieces: Vec<_> = last(&heard, 5 * PIECE).chunks(PIECE).map(|piece| locate(piece, &said).1).collect();
        let likeness = median(&pieces, f64::total_cmp);
        println!("alike by {likeness:.4}");
        assert!(likeness > 0.999, "{likeness}");
        drop_soon("the microphone", microphone);
    });
}

#[test]
fn nothing_is_left_behind() {
    alone("nothing_is_left_behind", |mut rig| {
        started(&mut rig, &["t"]);
        assert_eq!(devices().len(), 2);
        let threads = || std::fs::read_dir("/proc/self/task").expect("the list of threads").count();
        let before = threads();
        for _ in 0..5 {
            let player = play("t");
            wait_for("it is on", || player.stats.running.load(Relaxed));
            devices();
        }
        // A connection's own thread may stay when the machine is busy: see `stream::Running`.
        wait_for("their threads end", || threads() <= before + 5);
    });
}

#[test]
fn the_devices_are_those_of_the_server() {
    alone("the_devices_are_those_of_the_server", |mut rig| {
        started(&mut rig, &["t", "other"]);
        rig.add_source("mic", "other");
        let found = devices();
        let of = |direction| found.iter().filter(move |device| device.direction == direction);
        assert_eq!(of(Direction::Output).map(|device| &*device.id).collect::<Vec<_>>(), ["t", "other"]);
        assert!(of(Direction::Input).any(|device| device.id == "mic"));
        assert_eq!(of(Direction::Output).filter(|device| device.is_default).count(), 1);
        assert!(found.iter().all(|device| device.backend == "pulseaudio"));
    });
}

#[test]
fn without_a_server_a_card_is_waited_for() {
    alone("without_a_server_a_card_is_waited_for", |_rig| {
        let log = Log::default();
        let writer = log.clone();
        tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).init();
        let called = Arc::new(AtomicBool::new(false));
        let (pulls, pushes) = (Arc::clone(&called), Arc::clone(&called));
        let (stats, volume) = (Arc::<CardStats>::default(), Arc::new(Volume::new(0.0)));
        let pull = move |_, _: &mut [i16]| pulls.store(true, Relaxed);
        let push = move |_, _: &[i16]| pushes.store(true, Relaxed);
        let loudspeaker = Loudspeaker::start("default".into(), Arc::clone(&volume), Arc::clone(&stats), pull);
        let microphone = Microphone::start("default".into(), volume, stats, push);
        assert!(devices().is_empty());
        sleep(Duration::from_secs(3));
        drop_soon("the loudspeaker", loudspeaker);
        drop_soon("the microphone", microphone);
        assert!(!called.load(Relaxed));
        let log = log.read();
        println!("{log}");
        assert_eq!(log.lines().filter(|line| line.contains("WARN")).count(), 2, "one for each");
    });
}

/// Collects the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn read(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        lock(&self.0).write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
