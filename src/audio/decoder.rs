//! Opus to PCM, and PCM where there is no Opus. Whatever comes from the network, samples come out.

use std::sync::Arc;

use opus::Channels;

use super::SAMPLE_RATE;
use super::stats::{AudioStats, count};

/// The longest Opus packet, 120 ms (RFC 6716 2.1.4), in samples.
const MAX_SAMPLES: usize = SAMPLE_RATE as usize * 120 / 1_000;

/// Concealment comes in pieces of 2.5 ms, the shortest frame of Opus.
const SHORTEST_FRAME: usize = SAMPLE_RATE as usize / 400;

/// Samples in a row that concealment can stretch over, 100 ms; further ones are silence.
const MAX_CONCEALED: usize = SAMPLE_RATE as usize / 10;

/// One stream's decoder, mono.
pub(crate) struct Decoder {
    opus: opus::Decoder,
    pcm: Box<[i16; MAX_SAMPLES]>,
    concealed_in_a_row: usize,
    stats: Arc<AudioStats>,
}

impl Decoder {
    pub(crate) fn new(stats: Arc<AudioStats>) -> Self {
        let opus = opus::Decoder::new(SAMPLE_RATE, Channels::Mono)
            .expect("libopus decodes 48 kHz mono; only lack of memory can refuse it");
        Self { opus, pcm: Box::new([0; MAX_SAMPLES]), concealed_in_a_row: 0, stats }
    }

    /// Samples of a packet; of what is no Opus, `samples` of concealment. Stereo is mixed down.
    pub(crate) fn decode(&mut self, packet: &[u8], samples: usize) -> &[i16] {
        // To libopus an empty packet means a lost one.
        let decoded = if packet.is_empty() { Ok(0) } else { self.opus.decode(packet, &mut self.pcm[..], false) };
        match decoded {
            Ok(length) if length > 0 => {
                self.concealed_in_a_row = 0;
                count(&self.stats.decoded);
                &self.pcm[..length]
            }
            _ => {
                count(&self.stats.undecodable);
                self.conceal(samples)
            }
        }
    }

    /// So many samples of a lost packet, from the copy in its successor if that has one.
    pub(crate) fn recover(&mut self, successor: &[u8], samples: usize) -> &[i16] {
        let samples = samples.min(MAX_SAMPLES);
        let whole = samples.is_multiple_of(SHORTEST_FRAME);
        match whole.then(|| self.opus.decode(successor, &mut self.pcm[..samples], true)) {
            Some(Ok(length)) if length == samples => {
                count(&self.stats.fec_recovered);
                &self.pcm[..length]
            }
            _ => self.conceal(samples),
        }
    }

    /// So many samples that sound as if speech went on, for a while.
    pub(crate) fn conceal(&mut self, samples: usize) -> &[i16] {
        let samples = samples.min(MAX_SAMPLES);
        let pieces = samples.next_multiple_of(SHORTEST_FRAME);
        let fits = self.concealed_in_a_row < MAX_CONCEALED;
        self.concealed_in_a_row += samples;
        count(&self.stats.concealed);
        if !(fits && matches!(self.opus.decode(&[], &mut self.pcm[..pieces], false), Ok(length) if length == pieces)) {
            self.pcm[..samples].fill(0);
        }
        &self.pcm[..samples]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_and_emptiness_give_samples_of_the_length_asked_for() {
        let mut decoder = Decoder::new(Arc::default());
        let huge = vec![0xff; 70_000];
        for packet in [&[][..], &[0xff], &[0x03, 0xff, 0xff], &[0; 3], &huge] {
            assert!(!decoder.decode(packet, 960).is_empty());
            assert!(!decoder.recover(packet, 960).is_empty());
        }
        assert_eq!(decoder.conceal(960).len(), 960);
        assert_eq!(decoder.conceal(1_000_000).len(), MAX_SAMPLES);
    }

    #[test]
    fn concealment_fades_into_silence() {
        let mut decoder = Decoder::new(Arc::default());
        let concealed: Vec<_> = (0..10).flat_map(|_| decoder.conceal(960).to_vec()).collect();
        assert!(concealed[MAX_CONCEALED..].iter().all(|sample| *sample == 0));
    }
}
