//! What there is to hear: one stream, whoever began to talk last in a room, or the whole room. [`Tuner`]
//! makes one continuous signal of it while streams come and go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::audio::{AudioStats, Ducker, Fader, Gains, Limiter, Playout, TICK_SAMPLES, is_speech};
use crate::domain::{OpusPacket, RoomId, StreamId, Track, TrackKind};

use super::PacketSource;
use super::host::without;

/// Speech that was received is heard to its end, if that takes no longer than this.
const MAX_TAIL: Duration = Duration::from_millis(500);

/// What a listener can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    /// One stream, to its end.
    Stream(StreamId),
    /// The stream in this room that began last; when it ends, the one that then is the newest.
    Latest(RoomId),
    /// Everyone who talks in this room, mixed; music steps back for voices, and both for what is urgent.
    Room(RoomId),
}

impl Program {
    /// Which of the live streams, oldest first, belong to it.
    pub fn of(self, live: &[Track]) -> Vec<Track> {
        let here = |room| live.iter().copied().filter(move |live| live.room == room);
        match self {
            Self::Stream(id) => live.iter().copied().filter(|live| live.id == id).collect(),
            Self::Latest(room) => here(room).next_back().into_iter().collect(),
            Self::Room(room) => here(room).collect(),
        }
    }

    /// The same in another room; a single stream stays behind in its own, and makes way for the newest there.
    pub fn in_room(self, room: RoomId) -> Self {
        match self {
            Self::Room(_) => Self::Room(room),
            Self::Stream(_) | Self::Latest(_) => Self::Latest(room),
        }
    }
}

/// A program as samples.
pub(super) struct Tuner<S> {
    program: Program,
    /// The machine's own microphone, where the program is for its loudspeaker.
    own: Option<StreamId>,
    source: S,
    streams: watch::Receiver<Arc<[Track]>>,
    channels: Vec<MixedTrack>,
    mix: Vec<f32>,
    /// Of music below voices.
    ducker: Ducker,
    /// Of all below what is urgent.
    urgent_ducker: Ducker,
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
        let (ducker, urgent_ducker, limiter) = (Ducker::default(), Ducker::default(), Limiter::default());
        let (channels, mix) = (Vec::new(), Vec::new());
        Self { program, own, source, streams, channels, mix, ducker, urgent_ducker, limiter, gains, stats }
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
        let Self { program, channels, mix, ducker, urgent_ducker, gains, .. } = self;
        mix.clear();
        mix.resize(out.len(), 0.0);
        channels.iter_mut().for_each(|channel| channel.receive(now));
        let gain = |stream| if let Program::Room(_) = program { gains.factor(stream) } else { 1.0 };
        for mix in mix.chunks_mut(TICK_SAMPLES) {
            // All of one kind at this factor; gives whether that is speech.
            let mut add = |kind, factor: f32, mix: &mut [f32]| {
                let mut speech = false;
                for channel in channels.iter_mut().filter(|channel| channel.live.kind == kind) {
                    speech |= channel.mix_into(now, gain(channel.live.id) * factor, mix);
                }
                speech
            };
            let is_urgent = add(TrackKind::Urgent, 1.0, mix);
            let below_urgent = urgent_ducker.step(is_urgent, mix.len());
            let speech = add(TrackKind::Voice, below_urgent, mix) || is_urgent;
            add(TrackKind::Music, below_urgent * ducker.step(speech, mix.len()), mix);
        }
        // Those who leave have faded out.
        channels.retain(|channel| !channel.is_leaving);
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
            channel.is_leaving |= !wanted.contains(&channel.live) && !channel.packets.is_closed();
        }
        for live in wanted {
            // One that ended may be there again, in this room or from another.
            if self.channels.iter().any(|channel| channel.live == live && channel.survives()) {
                continue;
            }
            // It may have ended since.
            if let Some(packets) = self.source.tap(live.id).await {
                self.channels.push(MixedTrack::new(live, packets, &self.stats));
            }
        }
    }
}

/// One stream in a program.
struct MixedTrack {
    live: Track,
    packets: mpsc::Receiver<OpusPacket>,
    playout: Playout,
    fader: Fader,
    /// When its stream ended.
    ended: Option<Instant>,
    /// It fades out now, over one block.
    is_leaving: bool,
}

impl MixedTrack {
    fn new(live: Track, packets: mpsc::Receiver<OpusPacket>, stats: &Arc<AudioStats>) -> Self {
        let (playout, fader) = (Playout::new(stats), Fader::default());
        Self { live, packets, playout, fader, ended: None, is_leaving: false }
    }

    fn survives(&self) -> bool {
        !self.is_leaving && !self.packets.is_closed()
    }

    /// Adds a block at most of what it says to the mix; gives whether that is speech.
    fn mix_into(&mut self, now: Instant, gain: f32, mix: &mut [f32]) -> bool {
        let mut pcm = [0; TICK_SAMPLES];
        let pcm = &mut pcm[..mix.len()];
        self.playout.fill(now, pcm);
        self.fader.add(pcm, if self.is_leaving { 0.0 } else { gain }, mix);
        is_speech(pcm, gain)
    }

    /// Takes what has come since, and notes whether it is over.
    fn receive(&mut self, now: Instant) {
        self.take_packets(now);
        let tail_is_over = self.ended.is_some_and(|at| now.saturating_duration_since(at) >= MAX_TAIL);
        self.is_leaving |= tail_is_over || (self.ended.is_some() && self.playout.is_drained());
    }

    fn take_packets(&mut self, now: Instant) {
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

    fn stream(number: u128) -> StreamId {
        StreamId::of_connection(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_program_is_made_of_the_live_streams() {
        let live = [stream(1), stream(2), stream(3)].map(Track::from);
        assert_eq!(Program::Room(RoomId::HOME).of(&live), live);
        assert_eq!(Program::Latest(RoomId::HOME).of(&live), live[2..]);
        assert_eq!(Program::Stream(stream(2)).of(&live), live[1..2]);
        assert!(Program::Stream(stream(4)).of(&live).is_empty());
        assert!(Program::Latest(RoomId::HOME).of(&[]).is_empty());
    }

    #[test]
    fn a_room_is_made_of_its_own_streams_alone() {
        let kitchen = RoomId(1);
        let at = |number, room| Track::voice(stream(number), room);
        let live = [at(1, kitchen), at(2, RoomId::HOME), at(3, kitchen), at(4, RoomId::HOME)];
        assert_eq!(Program::Room(kitchen).of(&live), [live[0], live[2]]);
        assert_eq!(Program::Latest(kitchen).of(&live), [live[2]]);
        assert!(Program::Room(RoomId(2)).of(&live).is_empty());
    }

    #[test]
    fn what_is_played_goes_along_to_another_room_but_for_a_single_stream() {
        let room = RoomId(1);
        assert_eq!(Program::Room(RoomId::HOME).in_room(room), Program::Room(room));
        assert_eq!(Program::Latest(RoomId::HOME).in_room(room), Program::Latest(room));
        assert_eq!(Program::Stream(stream(1)).in_room(room), Program::Latest(room));
    }
}
