//! The machine's own sound card as a listener and a sender: a program to its loudspeaker, its
//! microphone to Opus packets.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use opus::{Application, Bitrate, Channels, Encoder};
use tokio::runtime::Handle;

use crate::audio::{SAMPLE_RATE, samples};
use crate::domain::{StreamId, Track};

use super::PacketSource;
use super::program::{Program, Tuner};

/// Bits a second of the microphone's packets: wideband speech that nobody tells from the original.
const BITRATE: i32 = 32_000;

/// The same of a recording, which may be music.
const RECORDING_BITRATE: i32 = 64_000;

/// Losses for which the packets carry copies of their predecessors, in percent.
const EXPECTED_LOSS: i32 = 10;

/// The longest Opus packet that libopus makes.
const MAX_PACKET: usize = 1_275;

/// A microphone that was silent for longer than this was away: its time goes on by the clock.
const MAX_LAG: Duration = Duration::from_millis(100);

/// What the loudspeaker plays, changed while it does.
#[derive(Debug)]
pub struct Dial(RwLock<Program>);

impl Dial {
    /// Set to this program.
    pub fn new(program: Program) -> Self {
        Self(RwLock::new(program))
    }

    /// What is played now.
    pub fn get(&self) -> Program {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays another program from now on.
    pub fn set(&self, program: Program) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = program;
    }
}

/// Gives the samples of what the dial says, for a thread outside of the runtime: to be called with the
/// time at which they are to be heard.
pub(super) fn pull<S: PacketSource>(
    mut tuner: Tuner<S>,
    dial: Arc<Dial>,
    runtime: Handle,
) -> impl FnMut(Instant, &mut [i16]) + Send {
    move |now, out| {
        tuner.turn_to(dial.get());
        // It waits only where a stream comes, for as long as the media thread takes to answer.
        runtime.block_on(tuner.follow());
        tuner.fill(now, out);
    }
}

/// A packet of the microphone.
#[derive(Debug)]
pub struct Spoken {
    /// Of its first sample, at 48 kHz.
    pub timestamp: u64,
    /// How loud it is, in dBov (RFC 6464).
    pub level: i8,
    /// The Opus packet.
    pub payload: Arc<[u8]>,
}

/// Samples of a microphone to Opus packets of 20 ms.
pub struct Speech {
    opus: Encoder,
    /// When the first sample came, and how many were said since, pauses included.
    clock: Option<(Instant, u64)>,
}

impl Speech {
    /// An encoder for speech.
    ///
    /// # Errors
    /// When libopus has no memory for it.
    pub fn new() -> Result<Self, opus::Error> {
        Self::encoding(Application::Voip, BITRATE)
    }

    /// An encoder for what was recorded, be it speech, a chime or music.
    ///
    /// # Errors
    /// Likewise.
    pub fn of_recordings() -> Result<Self, opus::Error> {
        Self::encoding(Application::Audio, RECORDING_BITRATE)
    }

    fn encoding(application: Application, bitrate: i32) -> Result<Self, opus::Error> {
        let mut opus = Encoder::new(SAMPLE_RATE, Channels::Mono, application)?;
        opus.set_bitrate(Bitrate::Bits(bitrate))?;
        opus.set_inband_fec(true)?;
        opus.set_packet_loss_perc(EXPECTED_LOSS)?;
        Ok(Self { opus, clock: None })
    }

    /// A packet of 20 ms, of which the last sample came at `at`. `None` where that is no 20 ms.
    pub fn encode(&mut self, at: Instant, pcm: &[i16]) -> Option<Spoken> {
        let payload = self.opus.encode_vec(pcm, MAX_PACKET).ok()?.into();
        Some(Spoken { timestamp: self.advance(at, pcm.len() as u64), level: level(pcm), payload })
    }

    /// The timestamp of so many samples, that follow the last ones unless the clock says otherwise.
    fn advance(&mut self, at: Instant, length: u64) -> u64 {
        let (start, said) = self.clock.unwrap_or((at, 0));
        let by_clock = samples(at.saturating_duration_since(start));
        let timestamp = if by_clock > said + samples(MAX_LAG) { by_clock } else { said };
        self.clock = Some((start, timestamp + length));
        timestamp
    }
}

/// Root mean square, in dB below full scale.
fn level(pcm: &[i16]) -> i8 {
    let energy: f64 = pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let rms = (energy / pcm.len().max(1) as f64).sqrt() / f64::from(i16::MAX);
    (20.0 * rms.max(1e-7).log10()).clamp(-127.0, 0.0) as i8
}

/// Streams that the machine's own loudspeaker must not play: its own voice would come back to it.
pub(super) fn without(streams: &[Track], own: Option<StreamId>) -> Vec<Track> {
    streams.iter().copied().filter(|stream| Some(stream.id) != own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    #[test]
    fn packets_follow_one_another_and_a_pause_is_a_pause() {
        let mut speech = Speech::new().expect("an encoder");
        let start = Instant::now();
        let mut timestamp = |at| speech.encode(at, &[0; 960]).expect("encoded").timestamp;
        // A card whose clock is not ours.
        let steady: Vec<_> = (0..50_u32).map(|n| timestamp(start + FRAME.mul_f64(f64::from(n) * 1.0002))).collect();
        assert!(steady.windows(2).all(|pair| pair[1] - pair[0] == 960));
        assert_eq!(timestamp(start + Duration::from_secs(11)), 11 * 48_000);
        assert_eq!(timestamp(start + Duration::from_secs(11) + FRAME), 11 * 48_000 + 960);
    }

    #[test]
    fn levels_are_decibels_below_full_scale() {
        assert_eq!([level(&[0; 960]), level(&[i16::MAX; 960]), level(&[3_277; 960]), level(&[])], [-127, 0, -19, -127]);
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        assert!(Speech::new().expect("an encoder").encode(Instant::now(), &[0; 7]).is_none());
    }

    #[test]
    fn the_own_voice_is_left_out() {
        let live = [1, 2].map(|n| Track::from(StreamId::of_connection(uuid::Uuid::from_u128(n))));
        assert_eq!(without(&live, Some(live[1].id)), live[..1]);
        assert_eq!(without(&live, None), live);
    }
}
