//! A stream's packets behind one question: the next samples, please. There is always an answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::OpusPacket;

use super::SAMPLE_RATE;
use super::decoder::Decoder;
use super::jitter::{JitterBuffer, Playing};
use super::stats::AudioStats;

/// Jitter buffer and decoder of one stream.
pub(super) struct Playout {
    jitter: JitterBuffer,
    decoder: Decoder,
    /// Decoded and not yet asked for: less than one packet's worth.
    pcm: VecDeque<i16>,
}

impl Playout {
    pub(super) fn new(stats: &Arc<AudioStats>) -> Self {
        Self {
            jitter: JitterBuffer::new(Arc::clone(stats)),
            decoder: Decoder::new(Arc::clone(stats)),
            pcm: VecDeque::new(),
        }
    }

    /// Takes a packet as it arrives.
    pub(super) fn push(&mut self, packet: OpusPacket) {
        self.jitter.push(packet);
    }

    /// Fills `out` with what is to be heard from `now` on.
    pub(super) fn fill(&mut self, now: Instant, out: &mut [i16]) {
        while self.pcm.len() < out.len() {
            let missing = out.len() - self.pcm.len();
            self.decode_next(now, missing);
        }
        for (slot, sample) in out.iter_mut().zip(self.pcm.drain(..)) {
            *slot = sample;
        }
    }

    /// Everything received has been heard.
    pub(super) fn is_drained(&self) -> bool {
        self.jitter.is_empty()
    }

    fn decode_next(&mut self, now: Instant, missing: usize) {
        let playing = self.jitter.next(now);
        let frame = samples(self.jitter.frame());
        match playing {
            Playing::Packet(packet) => self.pcm.extend(self.decoder.decode(&packet, frame)),
            Playing::Lost(Some(successor)) => self.pcm.extend(self.decoder.recover(&successor, frame)),
            Playing::Lost(None) | Playing::Late => self.pcm.extend(self.decoder.conceal(frame)),
            // No more than asked for: whoever begins to speak is not to wait for silence.
            Playing::Silence => self.pcm.extend(std::iter::repeat_n(0, missing)),
        }
    }
}

fn samples(duration: Duration) -> usize {
    (duration.as_nanos() * u128::from(SAMPLE_RATE) / 1_000_000_000) as usize
}

#[cfg(test)]
mod tests {
    use opus::{Application, Channels, Encoder};

    use super::*;
    use crate::audio::mp3::Mp3Encoder;

    const TICK: Duration = Duration::from_millis(20);

    /// Packets of a tone, sent every 20 ms.
    fn tone(frequency: f64, count: u64, start: Instant) -> Vec<OpusPacket> {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip).expect("an encoder");
        let sample = |n: u64| ((n as f64 * frequency * std::f64::consts::TAU / 48_000.0).sin() * 12_000.0) as i16;
        (0..count)
            .map(|sequence| {
                let pcm: Vec<_> = (sequence * 960..(sequence + 1) * 960).map(sample).collect();
                let payload = encoder.encode_vec(&pcm, 1_500).expect("encoded").into();
                OpusPacket { sequence, timestamp: sequence * 960, arrival: start + TICK * sequence as u32, payload }
            })
            .collect()
    }

    /// Plays the packets as they arrive, in ticks of 20 ms.
    fn play(packets: Vec<OpusPacket>, start: Instant, ticks: u32) -> Vec<i16> {
        let mut playout = Playout::new(&Arc::default());
        let mut heard = Vec::new();
        let mut packets = packets.into_iter().peekable();
        for tick in 0..ticks {
            let now = start + TICK * tick;
            while let Some(packet) = packets.next_if(|packet| packet.arrival <= now) {
                playout.push(packet);
            }
            let mut pcm = [0; 960];
            playout.fill(now, &mut pcm);
            heard.extend_from_slice(&pcm);
        }
        heard
    }

    /// Share of the signal's power at this frequency (Goertzel).
    fn share_at(frequency: f64, pcm: &[i16]) -> f64 {
        let coefficient = 2.0 * (std::f64::consts::TAU * frequency / f64::from(SAMPLE_RATE)).cos();
        let (mut before, mut now, mut power) = (0.0, 0.0, 0.0);
        for sample in pcm.iter().map(|sample| f64::from(*sample)) {
            (before, now) = (now, sample + coefficient * now - before);
            power += sample * sample;
        }
        let magnitude = now * now + before * before - coefficient * now * before;
        magnitude * 2.0 / (pcm.len() as f64 * power.max(1.0))
    }

    #[test]
    fn the_tone_sent_is_the_tone_heard() {
        let start = Instant::now();
        let heard = play(tone(440.0, 100, start), start, 100);
        assert!(share_at(440.0, &heard[48_000..]) > 0.9);
        assert!(share_at(660.0, &heard[48_000..]) < 0.01);
    }

    #[test]
    fn a_lost_packet_leaves_no_hole() {
        let start = Instant::now();
        let mut packets = tone(440.0, 100, start);
        packets.remove(60);
        let heard = play(packets, start, 100);
        let loudness = |pcm: &[i16]| pcm.iter().map(|sample| i64::from(*sample).pow(2)).sum::<i64>();
        let quietest = heard[48_000..].chunks_exact(960).map(loudness).min().expect("chunks");
        assert!(quietest > loudness(&heard[48_000..48_960]) / 20, "concealment fills the hole");
    }

    #[test]
    fn garbage_among_the_packets_costs_only_its_own_time() {
        let start = Instant::now();
        let mut packets = tone(440.0, 200, start);
        for index in (50..100).step_by(7) {
            packets[index].payload = Arc::from([0xff; 40]);
        }
        let heard = play(packets, start, 200);
        assert!(share_at(440.0, &heard[120_000..]) > 0.9);
    }

    #[test]
    fn a_minute_is_a_minute_whatever_the_sender_does() {
        let start = Instant::now();
        for packets in [Vec::new(), tone(440.0, 3_000, start), tone(440.0, 1_000, start)] {
            let mut encoder = Mp3Encoder::new();
            let mut bytes = 0;
            for pcm in play(packets, start, 3_000).chunks(960) {
                bytes += encoder.encode(pcm).len();
            }
            bytes += encoder.finish().len();
            // 16 bytes a millisecond; the last frame may be incomplete.
            assert!((59_960..=60_040).contains(&(bytes / 16)), "{} ms", bytes / 16);
        }
    }
}
