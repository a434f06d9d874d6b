//! Packets of any content, order and time, through jitter buffer and decoder.

use std::time::{Duration, Instant};

use arbitrary::{Result, Unstructured};
use voice_relay::audio::parts::PlayoutPart;
use voice_relay::domain::OpusPacket;

/// Samples asked for at once: an MP3 frame, the longest piece that anybody wants.
const MOST_WANTED: usize = 1_152;

/// Whatever comes, samples can be had.
pub fn playout(data: &[u8]) {
    let mut stage =
        Stage { playout: PlayoutPart::default(), now: Instant::now(), sequence: 1 << 20, timestamp: 1 << 40 };
    let mut script = Unstructured::new(data);
    while !script.is_empty() && stage.act(&mut script).is_ok() {}
    stage.fill(MOST_WANTED);
}

struct Stage {
    playout: PlayoutPart,
    now: Instant,
    /// Of the next packet, as the relay's timeline counts: always far above zero here.
    sequence: u64,
    timestamp: u64,
}

impl Stage {
    fn act(&mut self, script: &mut Unstructured<'_>) -> Result<()> {
        match script.int_in_range(0..=3)? {
            0 => self.push(script)?,
            1 => self.fill(script.int_in_range(1..=MOST_WANTED)?),
            2 => self.now += Duration::from_micros(script.arbitrary::<u16>()?.into()) * 10,
            _ => self.jump(script)?,
        }
        Ok(())
    }

    fn push(&mut self, script: &mut Unstructured<'_>) -> Result<()> {
        let length = script.int_in_range(0..=255)?;
        let payload = script.bytes(length.min(script.len()))?.into();
        let (sequence, timestamp) = (self.sequence, self.timestamp);
        self.playout.push(OpusPacket { sequence, timestamp, arrival: self.now, payload });
        self.sequence += 1;
        self.timestamp += 960;
        Ok(())
    }

    fn fill(&mut self, length: usize) {
        self.playout.fill(self.now, &mut vec![0; length]);
        self.now += Duration::from_micros(length as u64 * 1_000 / 48);
    }

    fn jump(&mut self, script: &mut Unstructured<'_>) -> Result<()> {
        self.sequence = self.sequence.wrapping_add_signed(script.arbitrary::<i8>()?.into());
        self.timestamp = self.timestamp.wrapping_add_signed(script.arbitrary::<i32>()?.into());
        Ok(())
    }
}
