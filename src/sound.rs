//! The machine's own sound card in the house: its loudspeaker plays a program, its microphone is a
//! sender like any other. Joins `card`, `audio` and the relay; owns what can be turned while it runs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::runtime::Handle;
use uuid::Uuid;

use crate::audio::{Dial, Mounts, Program, Speech};
use crate::card::{CardStats, Loudspeaker, Microphone, Volume};
use crate::config::{Play, SoundConfig};
use crate::domain::{RoomId, StreamId};
use crate::relay::LocalPacket;
use crate::relay_handle::RelayHandle;

/// The card's name in the configuration for "none".
const OFF: &str = "off";

/// The sound card as it is used. Cheap to clone; it is used until the last clone is gone.
#[derive(Clone, Default)]
pub struct Sound {
    /// `None` where it is off.
    pub output: Option<Arc<Output>>,
    /// `None` where it is off.
    pub input: Option<Arc<Input>>,
    /// The room that both are in.
    room: Whereabouts,
}

/// A room that can be turned while others look at it: a [`RoomId`]'s number.
type Whereabouts = Arc<AtomicU32>;

/// The loudspeaker.
pub struct Output {
    /// As it was chosen: an id, a name, or `default`.
    pub device: String,
    /// What it plays.
    pub dial: Arc<Dial>,
    /// How loud.
    pub volume: Arc<Volume>,
    /// What it counts.
    pub stats: Arc<CardStats>,
    _card: Loudspeaker,
}

/// The microphone.
pub struct Input {
    /// As it was chosen: an id, a name, or `default`.
    pub device: String,
    /// Its stream, whenever the device is there.
    pub stream: StreamId,
    /// How loud.
    pub volume: Arc<Volume>,
    /// What it counts.
    pub stats: Arc<CardStats>,
    _card: Microphone,
}

impl Sound {
    /// Begins to use the card in this room, as far as that is configured. A device that is not there is waited for.
    ///
    /// # Errors
    /// When there is no thread or memory for it.
    pub fn start(
        config: &SoundConfig,
        room: RoomId,
        mounts: &Mounts<RelayHandle>,
        relay: &RelayHandle,
    ) -> io::Result<Self> {
        let own = (config.input != OFF).then(|| StreamId::of_connection(Uuid::new_v4()));
        let whereabouts = Arc::new(AtomicU32::new(room.0));
        let input = own.map(|own| Input::start(config, own, &whereabouts, relay).map(Arc::new)).transpose()?;
        let speaker = || Output::start(config, room, own, mounts).map(Arc::new);
        let output = (config.output != OFF).then(speaker).transpose()?;
        Ok(Self { output, input, room: whereabouts })
    }

    /// The room that it is in.
    pub fn room(&self) -> RoomId {
        RoomId(self.room.load(Ordering::Relaxed))
    }

    /// Talks and listens in another room from now on.
    pub fn turn_to(&self, room: RoomId) {
        if self.room.swap(room.0, Ordering::Relaxed) == room.0 {
            return;
        }
        if let Some(output) = &self.output {
            output.dial.set(output.dial.get().in_room(room));
        }
    }
}

impl Output {
    fn start(
        config: &SoundConfig,
        room: RoomId,
        own: Option<StreamId>,
        mounts: &Mounts<RelayHandle>,
    ) -> io::Result<Self> {
        let device = config.output.clone();
        let dial = Arc::new(Dial::new(program(config.play, room)));
        let volume = Arc::new(Volume::new(config.output_volume));
        let stats = Arc::<CardStats>::default();
        let pull = mounts.pull(Arc::clone(&dial), own, Handle::current());
        let card = Loudspeaker::start(device.clone(), Arc::clone(&volume), Arc::clone(&stats), pull)?;
        Ok(Self { device, dial, volume, stats, _card: card })
    }
}

impl Input {
    fn start(
        config: &SoundConfig,
        stream: StreamId,
        whereabouts: &Whereabouts,
        relay: &RelayHandle,
    ) -> io::Result<Self> {
        let device = config.input.clone();
        let volume = Arc::new(Volume::new(config.input_volume));
        let stats = Arc::<CardStats>::default();
        let mut speech = Speech::new().map_err(io::Error::other)?;
        let mut sender = relay.local_sender(stream.into(), config.input_name.clone());
        let whereabouts = Arc::clone(whereabouts);
        let push = move |at, pcm: &[i16]| {
            sender.turn_to(RoomId(whereabouts.load(Ordering::Relaxed)));
            if let Some(spoken) = speech.encode(at, pcm) {
                let (timestamp, level, payload) = (spoken.timestamp, spoken.level, spoken.payload);
                // What the media thread has no time for is lost, as on any network.
                sender.send(LocalPacket { timestamp, level, payload });
            }
        };
        let card = Microphone::start(device.clone(), Arc::clone(&volume), Arc::clone(&stats), push)?;
        Ok(Self { device, stream, volume, stats, _card: card })
    }
}

fn program(play: Play, room: RoomId) -> Program {
    match play {
        Play::Latest => Program::Latest(room),
        Play::All => Program::Room(room),
    }
}
