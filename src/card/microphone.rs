//! Records: hands over samples as the card brings them.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use rtrb::Consumer;

use crate::audio::Resampler;

use super::backend::Target;
use super::convert::to_pcm;
use super::line::DeviceLine;
use super::stats::CardStats;
use super::stream::{self, OpenStream, Signals, StreamError};
use super::volume::{Volume, VolumeFader};
use super::worker::Worker;
use super::{Direction, SAMPLE_RATE};

/// Samples that are handed over at once: 20 ms, a packet of Opus.
const PACKET: usize = 960;

/// Records from a device for as long as it lives, whenever the device is there.
pub struct Microphone {
    _worker: Worker,
}

impl Microphone {
    /// Hands what a device records to `push`: `default`, or its id or name.
    ///
    /// `push(at, samples)` gets 48 kHz mono, 960 samples at a time; `at` is when the last of them
    /// arrived. It is called on a thread of the microphone at the pace of the card, and not at all while
    /// there is no card. It must not block: sound would be lost, and dropping the microphone waits for
    /// it.
    ///
    /// # Errors
    /// The system has no more threads. That there is no such device is no error: it is waited for.
    pub fn start(
        device: String,
        volume: Arc<Volume>,
        stats: Arc<CardStats>,
        mut push: impl FnMut(Instant, &[i16]) + Send + 'static,
    ) -> io::Result<Self> {
        let mut line = DeviceLine::start(device, Direction::Input, open, stats)?;
        let turn = move || {
            let now = Instant::now();
            line.tend(now);
            line.count_misses(|stats| &stats.overruns);
            if let Some((_, drain)) = line.flow() {
                drain.empty(now, &volume, &mut push);
            }
        };
        Ok(Self { _worker: Worker::start("microphone", turn)? })
    }
}

fn open(target: &Target, signals: &Arc<Signals>) -> Result<OpenStream<Drain>, StreamError> {
    Ok(stream::open_input(target, signals)?.map(Drain::new))
}

/// What empties the ring of one stream.
struct Drain {
    ring: Consumer<f32>,
    resampler: Resampler,
    fader: VolumeFader,
    /// Samples that are not a whole packet yet.
    waiting: Vec<f32>,
}

impl Drain {
    fn new(ring: Consumer<f32>, rate: u32) -> Self {
        let resampler = Resampler::new(rate, SAMPLE_RATE);
        Self { ring, resampler, fader: VolumeFader::default(), waiting: Vec::new() }
    }

    fn empty(&mut self, now: Instant, volume: &Volume, push: &mut impl FnMut(Instant, &[i16])) {
        let arrived = self.ring.slots();
        if let Ok(chunk) = self.ring.read_chunk(arrived) {
            let (first, second) = chunk.as_slices();
            self.resampler.process(first, &mut self.waiting);
            self.resampler.process(second, &mut self.waiting);
            chunk.commit_all();
        }
        let whole = self.waiting.len() / PACKET * PACKET;
        for packet in self.waiting[..whole].chunks_exact_mut(PACKET) {
            self.fader.apply(packet, volume.factor());
            let pcm: [i16; PACKET] = std::array::from_fn(|n| to_pcm(packet[n]));
            push(now, &pcm);
        }
        self.waiting.drain(..whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;

    /// What comes out when a card of this rate brings a second of a constant, in callbacks of odd sizes.
    fn record(rate: u32, level: f32, decibels: f32) -> Vec<i16> {
        let (mut card, ring) = RingBuffer::new(rate as usize / 2);
        let (mut drain, volume, mut heard) = (Drain::new(ring, rate), Volume::new(decibels), Vec::new());
        for callback in vec![level; rate as usize].chunks(347) {
            card.push_entire_slice(callback).expect("the ring is emptied each time");
            drain.empty(Instant::now(), &volume, &mut |_, packet: &[i16]| {
                assert_eq!(packet.len(), PACKET);
                heard.extend_from_slice(packet);
            });
        }
        heard
    }

    #[test]
    fn packets_are_whole_and_none_is_lost() {
        let heard = record(48_000, 0.5, 0.0);
        assert_eq!(heard.len(), 48_000);
        assert!(heard[PACKET..].iter().all(|sample| *sample == 16_384));
    }

    #[test]
    fn a_card_of_another_rate_brings_as_many_packets() {
        let heard = record(44_100, 0.5, -6.0);
        assert!((47_040..=48_000).contains(&heard.len()), "{}", heard.len());
        assert!(heard[4_800..].iter().all(|sample| (sample - 8_211).abs() < 20));
    }

    #[test]
    fn what_is_too_loud_is_clipped() {
        assert_eq!(record(48_000, 0.9, 20.0).last(), Some(&i16::MAX));
    }
}
