//! A PulseAudio server of our own, its sinks and sources, and what they play and record.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What names the rig's folder to a test that runs in a process of its own.
const FOLDER: &str = "CARD_TEST_FOLDER";

/// Servers that nobody uses any more, since a test has crashed, end after so many seconds.
const EXIT_IDLE: &str = "--exit-idle-time=30";

/// Runs a test in a process whose environment names a server that is not there yet, one at a time.
/// cpal reads the environment, and that of a process with threads cannot be set.
pub fn alone(test: &str, body: impl FnOnce(Rig)) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    if let Some(folder) = env::var_os(FOLDER) {
        return body(Rig { folder: folder.into(), server: None });
    }
    let _turn = lock(&ONE_AT_A_TIME);
    let folder = env::temp_dir().join(format!("card-{}-{test}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for the socket");
    let output = Command::new("timeout")
        .arg("50")
        .arg(env::current_exe().expect("the path of this test"))
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, &folder)
        .env("HOME", &folder)
        .env("XDG_RUNTIME_DIR", &folder)
        .env("PULSE_SERVER", format!("unix:{}", folder.join("socket").display()))
        .output()
        .expect("the test runs");
    let _ = fs::remove_dir_all(&folder);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}{err}");
    assert!(output.status.success(), "{test} failed");
    assert!(!err.contains("ALSA lib") && !err.contains("jack"), "the sound libraries complain on stderr");
}

/// The place of a server.
pub struct Rig {
    folder: PathBuf,
    server: Option<Child>,
}

impl Rig {
    /// Starts the server and waits until it answers.
    pub fn serve(&mut self) {
        let socket = self.folder.join("socket");
        let server = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--use-pid-file=no", EXIT_IDLE, "-L"])
            .arg(format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display()))
            .stderr(Stdio::null())
            .spawn()
            .expect("pulseaudio starts");
        self.server = Some(server);
        wait_for("the server", || Command::new("pactl").arg("info").output().is_ok_and(|info| info.status.success()));
    }

    /// Kills the server as a crash would, leaving its socket behind.
    pub fn crash(&mut self) {
        let mut server = self.server.take().expect("a server runs");
        server.kill().expect("it can be killed");
        server.wait().expect("it is dead");
    }

    /// Lets the server hang, or go on.
    pub fn signal(&self, signal: &str) {
        let pid = self.server.as_ref().expect("a server runs").id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().is_ok_and(|status| status.success()));
    }

    /// Adds a sink; its number is for [`unload`].
    pub fn add_sink(&self, name: &str) -> String {
        load(&["module-null-sink", &format!("sink_name={name}"), "rate=48000"])
    }

    /// Adds a source that records what the sink `from` plays.
    pub fn add_source(&self, name: &str, from: &str) -> String {
        load(&["module-remap-source", &format!("master={from}.monitor"), &format!("source_name={name}")])
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.signal("-CONT");
            self.crash();
        }
    }
}

fn load(module: &[&str]) -> String {
    let output = Command::new("pactl").arg("load-module").args(module).output().expect("pactl runs");
    assert!(output.status.success(), "{module:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Removes a sink or source, as if it had been unplugged.
pub fn unload(module: &str) {
    assert!(Command::new("pactl").args(["unload-module", module]).status().is_ok_and(|status| status.success()));
}

/// Samples, and when each piece of them came or went.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Reel>>);

#[derive(Default)]
struct Reel {
    samples: Vec<i16>,
    /// When a piece came or went, and the number of samples before it.
    pieces: Vec<(Instant, usize)>,
}

impl Tape {
    pub fn add(&self, at: Instant, samples: &[i16]) {
        let Reel { samples: tape, pieces } = &mut *lock(&self.0);
        pieces.push((at, tape.len()));
        tape.extend_from_slice(samples);
    }

    pub fn samples(&self) -> Vec<i16> {
        lock(&self.0).samples.clone()
    }

    pub fn len(&self) -> usize {
        lock(&self.0).samples.len()
    }

    /// When the piece with this sample came or went, and how far into the piece it is.
    pub fn time_of(&self, sample: usize) -> (Instant, Duration) {
        let Reel { pieces, .. } = &*lock(&self.0);
        let (at, first) = pieces[pieces.partition_point(|(_, first)| *first <= sample) - 1];
        (at, Duration::from_secs_f64((sample - first) as f64 / 48_000.0))
    }
}

/// A `parec` that records a source, or a `pacat` that plays on a sink.
pub struct Client(Child);

impl Client {
    pub fn record(source: &str) -> (Self, Tape) {
        let mut child = client("parec", source).stdout(Stdio::piped()).spawn().expect("parec starts");
        let (mut sound, tape) = (child.stdout.take().expect("it is piped"), Tape::default());
        let recorded = tape.clone();
        thread::spawn(move || {
            let (mut buffer, mut odd) = ([0; 65_536], 0);
            while let Ok(read @ 1..) = sound.read(&mut buffer[odd..]) {
                let bytes = odd + read;
                let samples: Vec<_> =
                    buffer[..bytes].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
                recorded.add(Instant::now(), &samples);
                buffer[0] = buffer[bytes - 1];
                odd = bytes % 2;
            }
        });
        (Self(child), tape)
    }

    pub fn play(sink: &str, samples: &[i16]) -> Self {
        let mut child = client("pacat", sink).stdin(Stdio::piped()).spawn().expect("pacat starts");
        let mut sound = child.stdin.take().expect("it is piped");
        let bytes: Vec<_> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        // It ends early when the test is over.
        thread::spawn(move || drop(sound.write_all(&bytes)));
        Self(child)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn client(program: &str, device: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["-d", device, "--latency-msec=10", "--format=s16le", "--rate=48000", "--channels=1", "--raw"]);
    command
}

/// A quarter of full scale of noise: each stretch of it is like no other.
pub struct Noise(u32);

impl Noise {
    pub fn new(seed: u32) -> Self {
        Self(seed)
    }

    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = (self.0 >> 16) as u16 as i16 / 4;
        }
    }
}

/// Where a piece of sound is found in a longer one, and how alike they are there (1 is the same).
pub fn locate(piece: &[i16], whole: &[i16]) -> (usize, f64) {
    let dot = |a: &[i16], b: &[i16]| a.iter().zip(b).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum::<i64>() as f64;
    // A short beginning finds the place, all of it tells how alike they are.
    let probe = &piece[..piece.len().min(64)];
    let last = whole.len().saturating_sub(piece.len());
    let place = (0..=last)
        .max_by(|a, b| dot(probe, &whole[*a..*a + probe.len()]).total_cmp(&dot(probe, &whole[*b..*b + probe.len()])));
    let place = place.expect("the whole is longer");
    let there = &whole[place..place + piece.len()];
    (place, dot(piece, there) / (dot(piece, piece) * dot(there, there)).sqrt().max(1.0))
}

/// Waits for ten seconds at most; how long it took.
pub fn wait_for(what: &str, mut happened: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}: not within ten seconds");
        thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}

/// Drops something that must not take more than a second to drop.
pub fn drop_soon<T>(what: &str, value: T) {
    let start = Instant::now();
    drop(value);
    let took = start.elapsed();
    println!("{what} stopped within {took:?}");
    assert!(took < Duration::from_secs(1), "{what}: {took:?}");
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
