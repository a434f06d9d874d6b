//! A stream's Opus packets in Ogg (RFC 7845), as they came: nothing is decoded. Where there are none,
//! silence keeps the time.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};
use tokio::sync::mpsc;

use crate::domain::OpusPacket;

use super::jitter::{JitterBuffer, Playing, duration};
use super::stats::AudioStats;
use super::{SAMPLE_RATE, TICK_SAMPLES};

/// Serial number of the one logical stream.
const SERIAL: u32 = 1;

/// An Opus packet of silence: 20 ms, CELT, mono (RFC 6716 3.1).
const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];
const SILENCE_SAMPLES: u64 = SAMPLE_RATE as u64 / 50;

/// The delay may be off the target by so much, 40 ms, before a packet is left out or silence put in.
const TOLERANCE: i64 = SAMPLE_RATE as i64 / 25;

/// Ogg pages, and the time that they take.
pub(crate) struct OggWriter {
    pages: PacketWriter<'static, Vec<u8>>,
    /// Packets of one page.
    page: usize,
    /// Of the page that is not written yet.
    on_page: usize,
    /// Samples in all packets so far.
    granule: u64,
    /// Samples without a packet that no silence stands for yet.
    owed: u64,
}

impl OggWriter {
    /// The beginning of a stream, with so many packets on a page.
    pub(crate) fn new(page: usize) -> Self {
        let mut writer = Self { pages: PacketWriter::new(Vec::new()), page, on_page: 0, granule: 0, owed: 0 };
        writer.write(head().to_vec(), PacketWriteEndInfo::EndPage);
        writer.write(tags(), PacketWriteEndInfo::EndPage);
        writer
    }

    /// A packet of so many samples, as it is.
    pub(crate) fn packet(&mut self, payload: &[u8], samples: u64) {
        self.granule += samples;
        self.on_page = (self.on_page + 1) % self.page;
        let is_last = self.on_page == 0;
        let end = if is_last { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
        self.write(payload.to_vec(), end);
    }

    /// Silence where no packet is.
    pub(crate) fn silence(&mut self, samples: u64) {
        self.owed += samples;
        while self.owed >= SILENCE_SAMPLES {
            self.owed -= SILENCE_SAMPLES;
            self.packet(&SILENCE, SILENCE_SAMPLES);
        }
    }

    /// The pages since this was last asked.
    fn take_pages(&mut self) -> Bytes {
        std::mem::take(self.pages.inner_mut()).into()
    }

    /// The last pages.
    pub(crate) fn finish(mut self) -> Bytes {
        self.granule += SILENCE_SAMPLES;
        self.write(SILENCE.to_vec(), PacketWriteEndInfo::EndStream);
        self.take_pages()
    }

    fn write(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo) {
        self.pages.write_packet(packet, SERIAL, end, self.granule).expect("a vector takes everything");
    }
}

/// The Opus packets of such a file; of a damaged one, those before the damage.
pub(crate) fn packets_of_ogg(file: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut reader = PacketReader::new(Cursor::new(file));
    // Its two headers come first.
    std::iter::from_fn(move || reader.read_packet().ok()?).skip(2).map(|packet| packet.data)
}

/// A stream as Ogg pages, one for each packet.
pub(crate) struct OggStream {
    packets: mpsc::Receiver<OpusPacket>,
    jitter: JitterBuffer,
    writer: OggWriter,
    /// Samples that the pages are ahead of the clock.
    ahead: u64,
    is_over: bool,
}

impl OggStream {
    pub(crate) fn new(packets: mpsc::Receiver<OpusPacket>, stats: &Arc<AudioStats>) -> Self {
        let jitter = JitterBuffer::new(Arc::clone(stats));
        Self { packets, jitter, writer: OggWriter::new(1), ahead: 0, is_over: false }
    }

    /// The pages that every listener gets first. Call once, before the others.
    pub(crate) fn header(&mut self) -> Bytes {
        self.writer.take_pages()
    }

    /// Pages for one tick of the clock.
    pub(crate) fn tick(&mut self, now: Instant) -> Bytes {
        self.receive();
        while self.ahead < TICK_SAMPLES as u64 {
            let at = now + duration(self.ahead);
            let wanted = TICK_SAMPLES as u64 - self.ahead;
            self.ahead += match self.jitter.next(at, wanted) {
                Playing::Packet { payload, skip } => self.play(at, &payload, skip),
                Playing::Lost { samples, .. } | Playing::Bridge(samples) | Playing::Silence(samples) => {
                    self.owe(samples)
                }
            };
        }
        self.ahead -= TICK_SAMPLES as u64;
        self.writer.take_pages()
    }

    /// The stream ended, and all of it is in the pages.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over && self.jitter.is_empty()
    }

    /// The last page.
    pub(crate) fn finish(self) -> Bytes {
        self.writer.finish()
    }

    fn receive(&mut self) {
        loop {
            match self.packets.try_recv() {
                Ok(packet) => self.jitter.push(packet),
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }

    /// Writes a packet; gives the samples that it takes of the clock's time.
    fn play(&mut self, at: Instant, payload: &[u8], skip: u64) -> u64 {
        let Some(samples) = opus::packet::get_nb_samples(payload, SAMPLE_RATE).ok().filter(|samples| *samples > 0)
        else {
            return self.owe(self.jitter.frame().saturating_sub(skip));
        };
        let samples = samples as u64;
        // The packet is whole or not at all: what was put in for its beginning is not owed any more.
        self.writer.owed = self.writer.owed.saturating_sub(skip);
        let rest = samples.saturating_sub(skip);
        let excess = self.jitter.excess(at + duration(rest)).unwrap_or_default();
        if excess > TOLERANCE {
            return 0;
        }
        let inserted = if excess < -TOLERANCE { self.owe(SILENCE_SAMPLES) } else { 0 };
        self.writer.packet(payload, samples);
        rest + inserted
    }

    /// Puts silence in where no packet is; gives how much.
    fn owe(&mut self, samples: u64) -> u64 {
        self.writer.silence(samples);
        samples
    }
}

/// The identification header: version 1, one channel, no pre-skip, 48 kHz (RFC 7845 5.1).
fn head() -> [u8; 19] {
    let mut head = *b"OpusHead\x01\x01\0\0\0\0\0\0\0\0\0";
    head[12..16].copy_from_slice(&SAMPLE_RATE.to_le_bytes());
    head
}

/// The comment header: who made it, and no comments (RFC 7845 5.2).
fn tags() -> Vec<u8> {
    let vendor = concat!("voice-relay ", env!("CARGO_PKG_VERSION"));
    [b"OpusTags", &(vendor.len() as u32).to_le_bytes()[..], vendor.as_bytes(), &[0; 4]].concat()
}
