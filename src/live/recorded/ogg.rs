//! The Ogg file of recorded packets: they are in it as they were sent.

use std::sync::Arc;

use bytes::Bytes;

use crate::audio::{AudioStats, Decoder, OggWriter, SAMPLE_RATE, packets_of_ogg};

use super::take::{MAX_GAP, Packets, samples_in};

/// Packets of one page: about a second.
const PAGE: usize = 50;

/// The packets in their order, with silence where there are none: as much as was left out.
pub(crate) fn ogg_file(packets: &Packets) -> Bytes {
    let mut file = OggWriter::new(PAGE);
    let mut left = packets.samples();
    let mut end = None;
    for packet in packets.by_sequence.values() {
        let gap = packet.timestamp.saturating_sub(end.unwrap_or(packet.timestamp)).min(MAX_GAP).min(left);
        file.silence(gap);
        left -= gap;
        let samples = samples_in(packet);
        // What is no Opus would make the whole file one that cannot be read.
        if samples > 0 {
            file.packet(&packet.payload, samples);
        }
        left = left.saturating_sub(samples);
        end = Some(packet.timestamp + samples);
    }
    file.finish()
}

/// How loud the parts of such a file are, in as many equal parts: the peak of each, 255 of full scale.
pub(crate) fn peaks_of_ogg(file: &[u8], parts: usize) -> Vec<u8> {
    let mut decoder = Decoder::new(Arc::<AudioStats>::default());
    // Of each packet, so that nobody holds a minute of samples.
    let mut loudness = Vec::new();
    for packet in packets_of_ogg(file) {
        let samples = opus::packet::get_nb_samples(&packet, SAMPLE_RATE).unwrap_or(0);
        let pcm = decoder.decode(&packet, samples);
        let peak = pcm.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        loudness.push((peak >> 7).min(255) as u8);
    }
    let part = |number: usize| {
        let (from, to) = (number * loudness.len() / parts, (number + 1) * loudness.len() / parts);
        loudness.get(from..to.max(from + 1)).and_then(|part| part.iter().max()).copied().unwrap_or(0)
    };
    (0..parts).map(part).collect()
}
