//! What there is to hear: one stream, whoever began to talk last, or all at once. [`Tuner`] makes one
//! continuous signal of it while streams come and go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::domain::{LiveStream, OpusPacket, RoomId, StreamId};

use super::host::without;
use super::mixer::{Fader, Gains, Limiter};
use super::playout::Playout;
use super::stats::AudioStats;
use super::{PacketSource, TICK_SAMPLES};

/// Speech that was received is heard to its end, if that takes no longer than this.
const MAX_TAIL: Duration = Duration::from_millis(500);

/// What a listener can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    /// One stream, to its end.
    Stream(StreamId),
    /// The stream at home that began last; when it ends, the one that then is the newest.
    Latest,
    /// All streams at home, mixed.
    All,
}

impl Program {
    /// Which of the live streams, oldest first, belong to it.
    pub fn of(self, live: &[LiveStream]) -> Vec<StreamId> {
        let at_home = || live.iter().filter(|live| live.room == RoomId::HOME).map(|live| live.id);
        match self {
            Self::Stream(id) => live.iter().map(|live| live.id).filter(|stream| *stream == id).collect(),
            Self::Latest => at_home().next_back().into_iter().collect(),
            Self::All => at_home().collect(),
        }
    }
}

/// A program as samples.
pub(super) struct Tuner<S> {
    program: Program,
    /// The machine's own microphone, where the program is for its loudspeaker.
    own: Option<StreamId>,
    source: S,
    streams: watch::Receiver<Arc<[LiveStream]>>,
    channels: Vec<Channel>,
    mix: Vec<f32>,
    limiter: Limiter,
    gains: Arc<Gains>,
    stats: Arc<AudioStats>,
}

impl<S: PacketSource> Tuner<S> {
    /// Set to a program; it plays once it [`follow`](Self::follow)s. `own` is left out of it.
    pub(super) fn new(
        program: Program,
        own: Option<StreamId>,
        source: S,
        gains: Arc<Gains>,
        stats: Arc<AudioStats>,
    ) -> Self {
        let mut streams = source.live();
        streams.mark_changed();
        let (channels, mix, limiter) = (Vec::new(), Vec::new(), Limiter::default());
        Self { program, own, source, streams, channels, mix, limiter, gains, stats }
    }

    /// Plays another program from the next [`follow`](Self::follow) on.
    pub(super) fn turn_to(&mut self, program: Program) {
        if program != self.program {
            self.program = program;
            self.streams.mark_changed();
        }
    }

    /// Takes note of streams that came and went.
    pub(super) async fn follow(&mut self) {
        // The error: the relay is gone, and every channel ends by itself.
        if self.streams.has_changed().unwrap_or(false) {
            self.retune().await;
        }
    }

    /// Fills `out` with what is to be heard from `now` on.
    pub(super) fn fill(&mut self, now: Instant, out: &mut [i16]) {
        self.mix.clear();
        self.mix.resize(out.len(), 0.0);
        for channel in &mut self.channels {
            let gain = if self.program == Program::All { self.gains.factor(channel.stream) } else { 1.0 };
            channel.mix_into(now, gain, &mut self.mix);
        }
        self.channels.retain(|channel| !channel.is_gone);
        self.limiter.apply(&self.mix, out);
    }

    /// Nobody is heard, or will be of those who were.
    pub(super) fn is_silent(&self) -> bool {
        self.channels.is_empty()
    }

    async fn retune(&mut self) {
        let streams = without(&self.streams.borrow_and_update(), self.own);
        let wanted = self.program.of(&streams);
        for channel in &mut self.channels {
            // One that ended is heard to its end; one that is not wanted any more is not.
            channel.is_leaving |= !wanted.contains(&channel.stream) && !channel.packets.is_closed();
        }
        for stream in wanted {
            if self.channels.iter().any(|channel| channel.stream == stream && !channel.is_leaving) {
                continue;
            }
            // It may have ended since.
            if let Some(packets) = self.source.tap(stream).await {
                self.channels.push(Channel::new(stream, packets, &self.stats));
            }
        }
    }
}

/// One stream in a program.
struct Channel {
    stream: StreamId,
    packets: mpsc::Receiver<OpusPacket>,
    playout: Playout,
    fader: Fader,
    /// When its stream ended.
    ended: Option<Instant>,
    /// It fades out now, over one block.
    is_leaving: bool,
    is_gone: bool,
}

impl Channel {
    fn new(stream: StreamId, packets: mpsc::Receiver<OpusPacket>, stats: &Arc<AudioStats>) -> Self {
        let (playout, fader) = (Playout::new(stats), Fader::default());
        Self { stream, packets, playout, fader, ended: None, is_leaving: false, is_gone: false }
    }

    fn mix_into(&mut self, now: Instant, gain: f32, mix: &mut [f32]) {
        self.receive(now);
        let tail_is_over = self.ended.is_some_and(|at| now.saturating_duration_since(at) >= MAX_TAIL);
        self.is_leaving |= tail_is_over || (self.ended.is_some() && self.playout.is_drained());
        let mut pcm = [0; TICK_SAMPLES];
        for mix in mix.chunks_mut(TICK_SAMPLES) {
            let pcm = &mut pcm[..mix.len()];
            self.playout.fill(now, pcm);
            self.fader.add(pcm, if self.is_leaving { 0.0 } else { gain }, mix);
        }
        self.is_gone = self.is_leaving;
    }

    fn receive(&mut self, now: Instant) {
        loop {
            match self.packets.try_recv() {
                Ok(packet) => self.playout.push(packet),
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.ended.get_or_insert(now);
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_made_of_the_live_streams() {
        let stream = |n| StreamId::of_connection(uuid::Uuid::from_u128(n));
        let live = [stream(1), stream(2), stream(3)].map(LiveStream::from);
        assert_eq!(Program::All.of(&live), live.map(|live| live.id));
        assert_eq!(Program::Latest.of(&live), [stream(3)]);
        assert_eq!(Program::Stream(stream(2)).of(&live), [stream(2)]);
        assert!(Program::Stream(stream(4)).of(&live).is_empty());
        assert!(Program::Latest.of(&[]).is_empty());
    }
}
