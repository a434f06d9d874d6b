//! WAV without an end: a header that promises as much as it can, then samples.

use bytes::{BufMut, Bytes, BytesMut};

use super::SAMPLE_RATE;

/// Bytes in a sample: 16 bits, mono.
const SAMPLE_BYTES: u32 = 2;

/// What a length is said to be that nobody knows.
const ENDLESS: u32 = u32::MAX;

/// RIFF and format chunks for 48 kHz, 16 bits, mono, and the beginning of a data chunk.
pub(crate) fn header() -> Bytes {
    let mut header = BytesMut::with_capacity(44);
    header.put_slice(b"RIFF");
    header.put_u32_le(ENDLESS);
    header.put_slice(b"WAVEfmt ");
    header.put_u32_le(16);
    header.put_u16_le(1);
    header.put_u16_le(1);
    header.put_u32_le(SAMPLE_RATE);
    header.put_u32_le(SAMPLE_RATE * SAMPLE_BYTES);
    header.put_u16_le(SAMPLE_BYTES as u16);
    header.put_u16_le(SAMPLE_BYTES as u16 * 8);
    header.put_slice(b"data");
    header.put_u32_le(ENDLESS);
    header.freeze()
}

/// Samples as they stand in the data chunk.
pub(crate) fn data(pcm: &[i16]) -> Bytes {
    pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}
