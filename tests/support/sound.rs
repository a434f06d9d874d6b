//! What players make of a stream, and measures of what was heard. All samples are mono, at 48 kHz.

use std::ops::Range;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::live::PATIENCE;

/// Samples louder than this are no silence, and no echo of a codec's before a sound.
const LOUD: u16 = 2_000;

/// A program that people play streams with.
#[derive(Debug, Clone, Copy)]
pub enum Player {
    Ffmpeg,
    Mpg123,
    GStreamer,
}

impl Player {
    /// The first seconds of what it plays of this URL. A complaint of its own fails the test.
    pub async fn hear(self, url: &str, seconds: f64) -> Vec<i16> {
        tokio::time::timeout(PATIENCE * 6, self.play(url, seconds)).await.expect("it plays in time")
    }

    async fn play(self, url: &str, seconds: f64) -> Vec<i16> {
        let mut command = self.command(url);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut player = command.spawn().unwrap_or_else(|error| panic!("{self:?} is installed: {error}"));
        let mut bytes = vec![0; (seconds * 48_000.0) as usize * 2];
        let heard = player.stdout.take().expect("piped").read_exact(&mut bytes).await;
        // Those that are not ended by their broken pipe.
        let _ = player.start_kill();
        let complaint = player.wait_with_output().await.expect("it ends").stderr;
        let complaint = String::from_utf8_lossy(&complaint);
        assert!(heard.is_ok() && complaint.is_empty(), "{self:?} of {url}: {heard:?}; {complaint}");
        samples(&bytes)
    }

    fn command(self, url: &str) -> Command {
        let (program, arguments) = match self {
            Self::Ffmpeg => ("ffmpeg", format!("-loglevel error -i {url} -f s16le -ac 1 -ar 48000 -flush_packets 1 -")),
            Self::Mpg123 => ("mpg123", format!("-q -s -m {url}")),
            Self::GStreamer => (
                "gst-launch-1.0",
                format!(
                    "-q souphttpsrc location={url} ! decodebin ! audioconvert ! audioresample \
                     ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! fdsink"
                ),
            ),
        };
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace());
        command
    }
}

/// Decodes a whole file that was fetched.
pub async fn decoded(file: &[u8]) -> Vec<i16> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fetched");
    std::fs::write(&path, file).expect("written");
    let mut command = Command::new("ffmpeg");
    command.args(["-loglevel", "error", "-i"]).arg(&path).args(["-f", "s16le", "-ac", "1", "-ar", "48000", "-"]);
    let output = command.stdin(Stdio::null()).output().await.expect("ffmpeg is installed");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    samples(&output.stdout)
}

fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// What is heard between these seconds.
pub fn between(seconds: Range<f64>, pcm: &[i16]) -> &[i16] {
    &pcm[(seconds.start * 48_000.0) as usize..(seconds.end * 48_000.0) as usize]
}

/// Seconds of silence at the beginning.
pub fn silence_before(pcm: &[i16]) -> f64 {
    let onset = pcm.iter().position(|sample| sample.unsigned_abs() > LOUD);
    onset.unwrap_or(pcm.len()) as f64 / 48_000.0
}

/// Share of the signal's power at this frequency (Goertzel).
pub fn share_at(frequency: f64, pcm: &[i16]) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency / 48_000.0).cos();
    let (mut before, mut now, mut power) = (0.0, 0.0, 0.0);
    for sample in pcm.iter().map(|sample| f64::from(*sample)) {
        (before, now) = (now, sample + coefficient * now - before);
        power += sample * sample;
    }
    (now * now + before * before - coefficient * now * before) * 2.0 / (pcm.len() as f64 * f64::max(power, 1.0))
}

/// The same, as it is in the median tenth of a second. Where a delay is made up for, on a busy machine, a
/// tone goes on in another phase: the share in the whole may then be anything.
pub fn usual_share_at(frequency: f64, pcm: &[i16]) -> f64 {
    let mut shares: Vec<_> = pcm.chunks_exact(4_800).map(|tenth| share_at(frequency, tenth)).collect();
    shares.sort_by(f64::total_cmp);
    shares[shares.len() / 2]
}

/// A WAV file of 16 bits and one channel, with a tone.
pub fn wav(rate: u32, frequency: f64, seconds: f64) -> Vec<u8> {
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
