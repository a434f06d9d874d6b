//! A tone in Opus packets, for tests.

use std::sync::Arc;

use opus::{Application, Channels, Encoder};

use super::SAMPLE_RATE;

/// Packets of 20 ms of a tone, one after the other, without end.
pub(crate) fn tone(frequency: f64) -> impl Iterator<Item = Arc<[u8]>> {
    let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip).expect("an encoder");
    let sample = move |n: u64| ((n as f64 * frequency * std::f64::consts::TAU / 48_000.0).sin() * 12_000.0) as i16;
    (0..).map(move |number: u64| {
        let pcm: Vec<_> = (number * 960..(number + 1) * 960).map(sample).collect();
        encoder.encode_vec(&pcm, 1_500).expect("encoded").into()
    })
}
