//! The MP3 file of recorded packets.

use std::sync::Arc;

use bytes::Bytes;

use crate::audio::{AudioStats, Bitrate, Decoder, Mp3Encoder, SAMPLE_RATE, packets_of_ogg};
use crate::domain::OpusPacket;

use super::take::{MAX_GAP, Packets, samples_in};

/// After the last word: players cut what comes last, and this is not missed.
const CLOSING_SILENCE: usize = SAMPLE_RATE as usize / 2;

/// Decodes the packets in their order, with every gap as long as it was, and encodes them. Packets that lie about their
/// time make no more of it than there is between the first and the last.
pub(crate) fn mp3_file(packets: &Packets) -> Bytes {
    let stats = Arc::<AudioStats>::default();
    let (mut decoder, mut encoder) = (Decoder::new(Arc::clone(&stats)), Mp3Encoder::new(Bitrate::DEFAULT, stats));
    let mut file = Vec::new();
    let mut left = packets.samples() as usize;
    let mut expected: Option<(u64, u64)> = None;
    for (sequence, packet) in &packets.by_sequence {
        let (next, end) = expected.unwrap_or((*sequence, packet.timestamp));
        let gap = (packet.timestamp.saturating_sub(end).min(MAX_GAP) as usize).min(left);
        file.extend_from_slice(&encoder.encode(&fill(&mut decoder, gap, *sequence > next, packet)));
        left -= gap;
        let length = (samples_in(packet) as usize).min(left);
        let decoded = decoder.decode(&packet.payload, samples_in(packet) as usize);
        file.extend_from_slice(&encoder.encode(&decoded[..length.min(decoded.len())]));
        left -= length;
        expected = Some((sequence + 1, packet.timestamp + samples_in(packet)));
    }
    close(encoder, file)
}

/// The same of an Ogg file that was made of them.
pub(crate) fn mp3_of_ogg(file: &[u8]) -> Bytes {
    let stats = Arc::<AudioStats>::default();
    let (mut decoder, mut encoder) = (Decoder::new(Arc::clone(&stats)), Mp3Encoder::new(Bitrate::DEFAULT, stats));
    let mut mp3 = Vec::new();
    for packet in packets_of_ogg(file) {
        let samples = opus::packet::get_nb_samples(&packet, SAMPLE_RATE).unwrap_or(0);
        mp3.extend_from_slice(&encoder.encode(decoder.decode(&packet, samples)));
    }
    close(encoder, mp3)
}

fn close(mut encoder: Mp3Encoder, mut file: Vec<u8>) -> Bytes {
    file.extend_from_slice(&encoder.encode(&[0; CLOSING_SILENCE]));
    file.extend_from_slice(&encoder.finish());
    file.into()
}

/// What stands for the time between two packets: the end of it may be in the second one, if others were lost.
fn fill(decoder: &mut Decoder, gap: usize, lost: bool, successor: &OpusPacket) -> Vec<i16> {
    let frame = samples_in(successor) as usize;
    let mut pcm = Vec::with_capacity(gap);
    while lost && frame > 0 && pcm.len() + frame < gap {
        pcm.extend_from_slice(decoder.conceal(frame));
    }
    if lost && gap - pcm.len() == frame {
        pcm.extend_from_slice(decoder.recover(&successor.payload, frame));
    }
    pcm.resize(gap, 0);
    pcm
}
