//! The machine's own sound card in one of several rooms, against a real PulseAudio server.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use support::live::{loopback_config, tone};
use support::pulse::{Client, Rig, Tape, alone, wait_for};
use support::sound::usual_share_at;
use tokio::runtime::{Handle, Runtime};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voice_relay::access::{Access, Action, Tokens};
use voice_relay::audio::{AudioStats, Format};
use voice_relay::config;
use voice_relay::core::{LocalPacket, Relay, RelayConfig};
use voice_relay::critical::Critical;
use voice_relay::data::DataFolder;
use voice_relay::domain::{RoomId, StreamId, TrackKind};
use voice_relay::engine::{self, Connected, Engine};
use voice_relay::live::{Mounts, Program};
use voice_relay::net::{Admission, Carries, MediaSocket, MediaThread};
use voice_relay::rooms::{Asker, EventSender, HostAction, Order, Rooms, RoomsHandle};
use voice_relay::sound::Sound;

const KITCHEN: RoomId = RoomId(1);

/// What is sung at home and in the kitchen, and said into the machine's own microphone.
const HOME_HZ: f64 = 400.0;
const KITCHEN_HZ: f64 = 700.0;
const OWN_HZ: f64 = 1_000.0;

/// The relay and its mounts, without HTTP.
struct House {
    relay: Engine,
    mounts: Mounts<Engine>,
    media: Vec<MediaThread>,
    rooms: RoomsHandle,
    access: Access,
}

fn house() -> House {
    let relay = Relay::new(RelayConfig::default(), Instant::now());
    let Connected { engine: relay, threads, .. } = engine::connect(relay, vec![]);
    let socket = MediaSocket::bind([127, 0, 0, 1].into(), 0).expect("a free port");
    let (critical, _ended) = Critical::new(CancellationToken::default());
    let admission = Arc::new(Admission::new(config::AccessMode::Lan));
    let media =
        MediaThread::start_all(Carries::Voices, vec![socket], threads, &admission, &critical).expect("a thread");
    let mounts = Mounts::new(relay.clone(), true, Arc::<AudioStats>::default());
    let config = loopback_config(&["--rooms-intercom=Kitchen"]);
    let rooms = RoomsHandle::new(Rooms::new(config.house(), Instant::now(), SystemTime::now()));
    let access = Access::new(Tokens::new(DataFolder::new(config.data_dir)), rooms.clone());
    House { relay, mounts, media, rooms, access }
}

/// Somebody who sings in a room, for as long as the runtime lives.
async fn sing(relay: Engine, access: Access, id: u128, room: RoomId, frequency: f64) {
    let (permit, id) = (access.of_the_machine(Action::Talk, Some(room)), StreamId::of_connection(Uuid::from_u128(id)));
    let (sender, mut voice) = (relay.local_sender(permit, id, TrackKind::Voice, String::new()), tone(frequency));
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    for number in 0.. {
        pace.tick().await;
        sender.send(LocalPacket { timestamp: number * 960, level: -10, payload: voice(number).into() });
    }
}

/// Which of the tones are heard in the last 0.3 s.
fn tones(tape: &Tape) -> [bool; 3] {
    let heard = tape.samples();
    tones_of(&heard[heard.len().saturating_sub(14_400)..])
}

fn tones_of(pcm: &[i16]) -> [bool; 3] {
    let is_loud = pcm.iter().any(|sample| sample.unsigned_abs() > 2_000);
    [HOME_HZ, KITCHEN_HZ, OWN_HZ].map(|tone| is_loud && pcm.len() > 4_800 && usual_share_at(tone, pcm) > 0.05)
}

/// The same, of what a room's players hear for a second, but for its beginning.
async fn tones_in(mounts: &Mounts<Engine>, room: RoomId) -> [bool; 3] {
    let mut listener = mounts.listen(Program::Room(room), Format::Wav).await.expect("a room");
    let mut pcm = Vec::new();
    while pcm.len() < 72_000 {
        let message = listener.next_message().await.expect("it goes on");
        pcm.extend(message.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
    }
    tones_of(&pcm[48_000..])
}

fn own_room(house: &House, sound: &Sound) -> Option<RoomId> {
    let own = sound.input.as_ref().expect("a microphone").stream;
    house.relay.live().iter().find(|live| live.id == own).map(|live| live.room)
}

fn start(runtime: &Handle, house: &House) -> Sound {
    let config = loopback_config(&["--sound-output=t", "--sound-input=mic", "--sound-play=all"]).sound;
    runtime.spawn(sing(house.relay.clone(), house.access.clone(), 1, RoomId::HOME, HOME_HZ));
    runtime.spawn(sing(house.relay.clone(), house.access.clone(), 2, KITCHEN, KITCHEN_HZ));
    Sound::start(&config, RoomId::HOME, &house.mounts, &house.relay, &house.access, &house.rooms).expect("threads")
}

#[test]
fn the_card_hears_its_own_room_alone_and_never_itself_and_is_heard_there_alone() {
    alone("the_card_hears_its_own_room_alone_and_never_itself_and_is_heard_there_alone", |mut rig: Rig| {
        rig.serve();
        rig.add_sink("t");
        rig.add_sink("micsink");
        rig.add_source("mic", "micsink");
        let said = |n: u32| ((f64::from(n) * OWN_HZ * std::f64::consts::TAU / 48_000.0).sin() * 12_000.0) as i16;
        let _pacat = Client::play("micsink", &(0..48_000 * 40).map(said).collect::<Vec<_>>());
        let (_parec, tape) = Client::record("t.monitor");
        let runtime = Runtime::new().expect("a runtime");
        let _entered = runtime.enter();
        let house = house();
        let sound = start(runtime.handle(), &house);

        wait_for("home is heard", || tones(&tape) == [true, false, false]);
        wait_for("the microphone is at home", || own_room(&house, &sound) == Some(RoomId::HOME));
        let hears = |room, wanted| runtime.block_on(tones_in(&house.mounts, room)) == wanted;
        wait_for("home hears it", || hears(RoomId::HOME, [true, false, true]));
        assert!(hears(KITCHEN, [false, true, false]));
        assert_eq!(tones(&tape), [true, false, false], "not itself, though the others hear it");

        sound.turn_to(KITCHEN);
        wait_for("the kitchen is heard", || tones(&tape) == [false, true, false]);
        wait_for("the microphone is in the kitchen", || own_room(&house, &sound) == Some(KITCHEN));
        wait_for("the kitchen hears it", || hears(KITCHEN, [false, true, true]));
        assert!(hears(RoomId::HOME, [true, false, false]));
        assert_eq!(tones(&tape), [false, true, false], "not itself, in the other room either");

        let change = serde_json::from_value(serde_json::json!({ "halfDuplex": true })).expect("options");
        house.rooms.set_options(KITCHEN, change).expect("a room");
        let anna = Asker { owner: None, admin: false };
        let anna = runtime.block_on(house.rooms.join(anna, "kitchen", "Anna", None, None, EventSender::new().0));
        let anna = anna.expect("in");
        anna.begin_talking().expect("the room is free");
        let her = house.rooms.detail(KITCHEN).expect("a room").participants[0].id;
        house.rooms.note_talking(her, true, false);
        wait_for("the machine is silent while she has the room", || hears(KITCHEN, [false, true, false]));
        assert_eq!(own_room(&house, &sound), Some(KITCHEN), "and is there still");
        anna.end_talking();
        wait_for("and is heard again afterwards", || hears(KITCHEN, [false, true, true]));
        drop(anna);

        let listeners = house.rooms.detail(KITCHEN).expect("a room").listeners;
        assert_eq!(listeners.len(), 1, "those in the room know that it hears them");
        let at_home = house.rooms.detail(RoomId::HOME).expect("a room").listeners;
        assert!(at_home.is_empty(), "and nobody else does");
        // As a host does, whose order ends what was granted.
        let mut orders = house.rooms.orders();
        let admin = Asker { owner: None, admin: true };
        let host =
            runtime.block_on(house.rooms.join(admin, "kitchen", "Host", None, None, EventSender::new().0)).expect("in");
        host.host(HostAction::Kick { who: listeners[0].id }).expect("whoever may do everything may");
        let ended = std::iter::from_fn(|| orders.try_recv().ok());
        ended.for_each(|order| {
            if let Order::End(grant) = order {
                house.access.end(grant);
            }
        });
        sound.leave_unless_permitted();
        wait_for("who was sent out hears nothing", || tones(&tape) == [false; 3]);
        wait_for("nor is heard", || own_room(&house, &sound).is_none());
        assert_eq!(sound.room(), None);
        sound.turn_to(RoomId::HOME);
        wait_for("until somebody turns it", || tones(&tape) == [true, false, false]);
        drop(sound);
        house.media.into_iter().for_each(MediaThread::stop);
    });
}
