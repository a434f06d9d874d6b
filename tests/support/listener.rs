//! A listener by hand: it asks, notes when how much came, and takes the framing off.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::live::PATIENCE;

/// A live stream's body as it came, unframed.
pub struct Recording {
    pub body: Vec<u8>,
    /// Since the first bytes came, and bytes until then.
    arrivals: Vec<(Duration, usize)>,
}

/// Listens to a file of `/stream/` for so long, counted from its first bytes.
pub async fn listen(to: SocketAddr, file: &str, time: Duration) -> Recording {
    let mut stream = TcpStream::connect(to).await.expect("a listening port");
    let request = format!("GET /stream/{file} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    skip_head(&mut stream).await;
    let mut recording = Recording { body: Vec::new(), arrivals: Vec::new() };
    let mut end = Instant::now() + PATIENCE;
    let mut began = None;
    while let Ok(read) = tokio::time::timeout_at(end, stream.read_buf(&mut recording.body)).await {
        assert_ne!(read.expect("an open stream"), 0, "the stream goes on");
        let began = *began.get_or_insert_with(Instant::now);
        end = began + time;
        recording.arrivals.push((began.elapsed(), recording.body.len()));
    }
    recording
}

async fn skip_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    assert!(head.starts_with(b"HTTP/1.0 200 OK\r\n"), "{}", String::from_utf8_lossy(&head));
}

impl Recording {
    /// Seconds of sound that came for each second of the clock, less one, times the seconds between the
    /// first and the last of them: by so much the sound got ahead of the clock. `sound` gives the
    /// seconds of sound in the beginning of a body.
    ///
    /// What came earliest in each second counts: a busy machine makes all else late.
    pub fn gain(&self, sound: impl Fn(&[u8]) -> f64) -> f64 {
        let second = Duration::from_secs(1);
        let end = self.arrivals.last().expect("arrivals").0;
        let lead = |from: Duration, to: Duration| {
            let arrivals = self.arrivals.iter().filter(|(at, _)| (from..=to).contains(at));
            arrivals.map(|(at, bytes)| sound(&self.body[..*bytes]) - at.as_secs_f64()).fold(f64::MIN, f64::max)
        };
        lead(end - second, end) - lead(Duration::ZERO, second)
    }

    /// The longest time without anything.
    pub fn longest_pause(&self) -> Duration {
        self.arrivals.windows(2).map(|pair| pair[1].0 - pair[0].0).max().expect("arrivals")
    }
}

/// Seconds of sound in so much WAV.
pub fn wav_seconds(body: &[u8]) -> f64 {
    body.len() as f64 / 96_000.0
}

/// Seconds of sound in Ogg up to the last page that is there: its granule position (RFC 3533 6).
pub fn ogg_seconds(body: &[u8]) -> f64 {
    let page = body.windows(14).rev().find(|page| page.starts_with(b"OggS")).expect("a page");
    u64::from_le_bytes(page[6..].try_into().expect("eight bytes")) as f64 / 48_000.0
}

/// The data in the whole chunks of a chunked body (RFC 9112 7.1).
pub fn without_chunks(mut body: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).expect("text");
        let size = usize::from_str_radix(size, 16).expect("a size in hexadecimal");
        let Some(chunk) = body.get(end + 2..end + 4 + size) else { break };
        data.extend_from_slice(chunk.strip_suffix(b"\r\n").expect("the end of a chunk"));
        body = &body[end + 4 + size..];
    }
    data
}

/// Splits a body with ICY metadata after every 16,000 bytes into the audio and the texts.
pub fn without_metadata(mut body: &[u8]) -> (Vec<u8>, Vec<String>) {
    let (mut audio, mut texts) = (Vec::new(), Vec::new());
    while body.len() > 16_000 {
        audio.extend_from_slice(&body[..16_000]);
        let length = usize::from(body[16_000]) * 16;
        let Some(text) = body.get(16_001..16_001 + length) else { break };
        texts.push(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned());
        body = &body[16_001 + length..];
    }
    (audio, texts)
}
