//! Plays: fetches samples as the card uses them up.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use rtrb::Producer;

use crate::audio::Resampler;

use super::backend::Target;
use super::convert::from_pcm;
use super::depth::Depth;
use super::line::DeviceLine;
use super::stats::CardStats;
use super::stream::{self, OpenStream, Signals, StreamError};
use super::volume::{Volume, VolumeFader};
use super::worker::Worker;
use super::{BLOCK, Direction, SAMPLE_RATE};

/// Plays on a device for as long as it lives, whenever the device is there.
pub struct Loudspeaker {
    _worker: Worker,
}

impl Loudspeaker {
    /// Plays what `pull` gives on a device: `default`, or its id or name.
    ///
    /// `pull(now, out)` fills `out` with 48 kHz mono that is to be heard from `now` on, as soon as can
    /// be; nothing there is silence. It is called on a thread of the loudspeaker for 10 ms at a time,
    /// when the card has used up what it had, and not at all while there is no card. It must not block:
    /// sound would stop, and dropping the loudspeaker waits for it.
    ///
    /// # Errors
    /// The system has no more threads. That there is no such device is no error: it is waited for.
    pub fn start(
        device: String,
        volume: Arc<Volume>,
        stats: Arc<CardStats>,
        mut pull: impl FnMut(Instant, &mut [i16]) + Send + 'static,
    ) -> io::Result<Self> {
        let mut line = DeviceLine::start(device, Direction::Output, open, stats)?;
        let turn = move || {
            let now = Instant::now();
            line.tend(now);
            let underrun = line.count_misses(|stats| &stats.underruns);
            if let Some((signals, feed)) = line.flow() {
                feed.observe(now, signals, underrun);
                feed.fill(&volume, &mut pull);
            }
        };
        Ok(Self { _worker: Worker::start("loudspeaker", turn)? })
    }
}

fn open(target: &Target, signals: &Arc<Signals>) -> Result<OpenStream<Feed>, StreamError> {
    Ok(stream::open_output(target, signals)?.map(Feed::new))
}

/// What fills the ring of one stream.
struct Feed {
    ring: Producer<f32>,
    depth: Depth,
    fader: VolumeFader,
    resampler: Resampler,
    /// A block at the rate of the card.
    converted: Vec<f32>,
}

impl Feed {
    fn new(ring: Producer<f32>, rate: u32) -> Self {
        Self {
            ring,
            depth: Depth::new(Instant::now(), (rate / 100) as usize),
            fader: VolumeFader::default(),
            resampler: Resampler::new(SAMPLE_RATE, rate),
            converted: Vec::new(),
        }
    }

    fn observe(&mut self, now: Instant, signals: &Signals, underrun: bool) {
        self.depth.observe(now, signals.take_largest(), underrun);
    }

    /// Fetches blocks until enough is ready for the next callback.
    fn fill(&mut self, volume: &Volume, pull: &mut impl FnMut(Instant, &mut [i16])) {
        let capacity = self.ring.buffer().capacity();
        while capacity - self.ring.slots() < self.depth.frames().min(capacity) {
            let mut pcm = [0; BLOCK];
            pull(Instant::now(), &mut pcm);
            let mut samples = pcm.map(from_pcm);
            self.fader.apply(&mut samples, volume.factor());
            self.converted.clear();
            self.resampler.process(&samples, &mut self.converted);
            // The end of a block that finds no room is lost: only a card whose callbacks are longer than
            // the ring brings that about.
            let _ = self.ring.push_partial_slice(&self.converted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;

    #[test]
    fn no_more_is_fetched_than_the_next_callback_takes() {
        let (ring, mut card) = RingBuffer::new(24_000);
        let mut feed = Feed::new(ring, 48_000);
        let mut pulled = 0;
        let mut fill = |feed: &mut Feed| {
            feed.fill(&Volume::new(0.0), &mut |_, out: &mut [i16]| {
                out.fill(16_384);
                pulled += 1;
            });
            pulled
        };
        assert_eq!([fill(&mut feed), fill(&mut feed)], [1, 1]);
        card.pop_entire_slice(&mut [0.0; 480]).expect("a block is there");
        assert_eq!(fill(&mut feed), 2);
        let mut heard = [0.0; 480];
        card.pop_entire_slice(&mut heard).expect("a block is there");
        assert_eq!(heard, [0.5; 480]);
    }

    #[test]
    fn a_card_of_another_rate_gets_as_many_samples_as_it_plays() {
        let (ring, mut card) = RingBuffer::new(22_050);
        let mut feed = Feed::new(ring, 44_100);
        let mut pulled = 0;
        for _ in 0..100 {
            feed.fill(&Volume::new(0.0), &mut |_, _: &mut [i16]| pulled += 1);
            card.pop_entire_slice(&mut [0.0; 441]).expect("a callback's worth is ready");
        }
        assert!((100..=102).contains(&pulled), "{pulled}");
    }
}
