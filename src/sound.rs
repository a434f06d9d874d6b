//! The machine's own sound card in the house: its loudspeaker plays a program, its microphone is a
//! sender like any other. Joins `card`, `audio` and the relay; owns what can be turned while it runs.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use uuid::Uuid;

use crate::access::{Access, Action, Permit};
use crate::card::{CardStats, Loudspeaker, Microphone, Volume};
use crate::config::{Play, SoundConfig};
use crate::core::LocalPacket;
use crate::domain::{RoomId, StreamId, TrackKind};
use crate::engine::Engine;
use crate::live::{Dial, Mounts, Program, Speech};
use crate::rooms::{ListenerKind, Listening, RoomsHandle};

/// The card's name in the configuration for "none".
const OFF: &str = "off";

/// How the loudspeaker is called among those who listen in a room.
const LOUDSPEAKER: &str = "Loudspeaker";

/// The sound card as it is used. Cheap to clone; it is used until the last clone is gone.
#[derive(Clone)]
pub struct Sound {
    /// `None` where it is off.
    pub output: Option<Arc<SoundOutput>>,
    /// `None` where it is off.
    pub input: Option<Arc<SoundInput>>,
    access: Access,
    rooms: RoomsHandle,
    place: SharedPresence,
}

/// Where the card is, while others look at it.
type SharedPresence = Arc<Mutex<Option<Presence>>>;

/// The card's being in a room.
struct Presence {
    room: RoomId,
    /// To be heard there.
    talk: Permit,
    /// To hear.
    hear: Permit,
    /// That those in the room know of it, where there is a loudspeaker.
    _listening: Option<Listening>,
}

/// The loudspeaker.
pub struct SoundOutput {
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
pub struct SoundInput {
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
        mounts: &Mounts<Engine>,
        relay: &Engine,
        access: &Access,
        rooms: &RoomsHandle,
    ) -> io::Result<Self> {
        let own = (config.input != OFF).then(|| StreamId::of_connection(Uuid::new_v4()));
        let (place, speaks) = (SharedPresence::default(), config.output != OFF);
        *lock(&place) = Some(Presence::new(room, speaks, access, rooms));
        let input = own.map(|own| SoundInput::start(config, own, &place, relay, rooms).map(Arc::new)).transpose()?;
        let speaker = || SoundOutput::start(config, room, own, mounts).map(Arc::new);
        let output = speaks.then(speaker).transpose()?;
        Ok(Self { output, input, access: access.clone(), rooms: rooms.clone(), place })
    }

    /// The room that it is in. `None`: its host has sent it out, or it was closed.
    pub fn room(&self) -> Option<RoomId> {
        lock(&self.place).as_ref().map(|presence| presence.room)
    }

    /// Talks and listens in another room from now on. Whether whoever wants it may do so there is asked before.
    pub fn turn_to(&self, room: RoomId) {
        if self.room() == Some(room) {
            return;
        }
        let presence = Presence::new(room, self.output.is_some(), &self.access, &self.rooms);
        // The former one tells the room of its end when it is dropped: after the lock.
        let former = lock(&self.place).replace(presence);
        drop(former);
        if let Some(output) = &self.output {
            output.dial.set(output.dial.get().in_room(room));
        }
    }

    /// Is in no room from now on, where what permitted it has ended.
    pub fn leave_unless_permitted(&self) {
        let over = lock(&self.place).take_if(|presence| presence.talk.is_ended() || presence.hear.is_ended());
        if over.is_some()
            && let Some(output) = &self.output
        {
            output.dial.set(Program::Room(NOWHERE));
        }
    }
}

/// A room that is none, in which nobody is ever heard.
const NOWHERE: RoomId = RoomId(u32::MAX);

impl Presence {
    fn new(room: RoomId, speaks: bool, access: &Access, rooms: &RoomsHandle) -> Self {
        let talk = access.of_the_machine(Action::Talk, Some(room));
        let hear = access.of_the_machine(Action::Hear, Some(room));
        let listening = speaks.then(|| rooms.listen(room, hear.granted(), LOUDSPEAKER, ListenerKind::Loudspeaker));
        Self { room, talk, hear, _listening: listening.flatten() }
    }
}

fn lock(place: &SharedPresence) -> MutexGuard<'_, Option<Presence>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SoundOutput {
    fn start(config: &SoundConfig, room: RoomId, own: Option<StreamId>, mounts: &Mounts<Engine>) -> io::Result<Self> {
        let device = config.output.clone();
        let dial = Arc::new(Dial::new(program(config.play, room)));
        let volume = Arc::new(Volume::new(config.output_volume));
        let stats = Arc::<CardStats>::default();
        let pull = mounts.pull(Arc::clone(&dial), own, Handle::current());
        let card = Loudspeaker::start(device.clone(), Arc::clone(&volume), Arc::clone(&stats), pull)?;
        Ok(Self { device, dial, volume, stats, _card: card })
    }
}

impl SoundInput {
    fn start(
        config: &SoundConfig,
        stream: StreamId,
        place: &SharedPresence,
        relay: &Engine,
        rooms: &RoomsHandle,
    ) -> io::Result<Self> {
        let device = config.input.clone();
        let volume = Arc::new(Volume::new(config.input_volume));
        let stats = Arc::<CardStats>::default();
        let mut speech = Speech::new().map_err(io::Error::other)?;
        let talk = |place: &SharedPresence| lock(place).as_ref().map(|presence| presence.talk.clone());
        let permit = talk(place).ok_or_else(|| io::Error::other("the sound card is in no room"))?;
        let mut sender = relay.local_sender(permit, stream, TrackKind::Voice, config.input_name.clone());
        let (place, rooms, mut silence) = (Arc::clone(place), rooms.clone(), Vec::new());
        let push = move |at, pcm: &[i16]| {
            let Some(permit) = talk(&place) else { return };
            // Of who has the room to themselves the loudspeaker beside it speaks, and would be heard again. Silence rather than
            // nothing, so that it stays the same stream.
            let is_held = permit.room().is_some_and(|room| rooms.is_held(room));
            silence.resize(pcm.len(), 0);
            sender.turn_to(permit);
            if let Some(spoken) = speech.encode(at, if is_held { &silence } else { pcm }) {
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
