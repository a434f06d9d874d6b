//! What it costs that audio from outside is read by a process of its own: from its start until the first samples, which
//! an announcement waits for. All that comes before them is counted: to start the program, to take from it what it does
//! not need, to look into the file.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 200;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    println!("{:>6} {:>12} {:>12}   (ms until the first samples, of {ROUNDS})", "file", "median", "longest");
    for kind in ["wav", "mp3", "ogg", "flac", "m4a"] {
        let path = folder.path().join(format!("tone.{kind}"));
        make(&path);
        let mut times: Vec<_> = (0..ROUNDS).map(|_| first_samples(&path)).collect();
        times.sort();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
        println!("{kind:>6} {:>12.1} {:>12.1}", milliseconds(times[ROUNDS / 2]), milliseconds(times[ROUNDS - 1]));
    }
}

/// A minute of a tone.
fn make(path: &Path) {
    let tone = "-v error -f lavfi -i sine=frequency=440:sample_rate=44100 -t 60 -ac 2".split(' ');
    let made = Command::new("ffmpeg").args(tone).arg(path).status().expect("ffmpeg is installed");
    assert!(made.success());
}

fn first_samples(path: &Path) -> Duration {
    let file = File::open(path).expect("just made");
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_voice-relay"))
        .args(["read-audio", "play", ""])
        .stdin(file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut some = [0; 64];
    child.stdout.as_mut().expect("piped").read_exact(&mut some).expect("samples");
    let time = began.elapsed();
    child.kill().expect("not ended yet");
    child.wait().expect("killed");
    time
}
