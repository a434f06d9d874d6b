//! Clips in paused time, from packets of known sound.

use std::convert::Infallible;

use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::audio::tone;
use crate::live::recorded::PACKET_OVERHEAD;

const LIMITS: ClipLimits =
    ClipLimits { count: 3, age: Duration::from_secs(60), length: Duration::from_secs(10), bytes: 1_000_000 };

fn stream() -> StreamId {
    StreamId::of_connection(Uuid::from_u128(1))
}

/// Packets of 20 ms of a tone, numbered from `first`.
fn speech(first: u64, count: u64) -> Vec<OpusPacket> {
    let arrival = Instant::now().into_std();
    (first..first + count)
        .zip(tone(440.0))
        .map(|(sequence, payload)| OpusPacket { sequence, timestamp: sequence * 960, arrival, payload })
        .collect()
}

/// A recorder, and the way to give birth to streams.
fn recorder(limits: ClipLimits) -> (Clips, mpsc::Sender<NewTrack>) {
    let (new_tracks, receiver) = mpsc::channel(8);
    let clips = Clips::new(limits);
    tokio::spawn(clips.clone().record(receiver));
    (clips, new_tracks)
}

/// A stream that says these packets at once, and then ends or goes on.
/// A stream that is being recorded, until this is dropped.
struct Speech {
    packets: mpsc::Sender<OpusPacket>,
    _over: oneshot::Sender<Infallible>,
}

async fn say(new_tracks: &mpsc::Sender<NewTrack>, packets: Vec<OpusPacket>) -> Speech {
    say_as(new_tracks, device(9), packets).await
}

/// The same of somebody on this device.
async fn say_as(new_tracks: &mpsc::Sender<NewTrack>, owner: Owner, said: Vec<OpusPacket>) -> Speech {
    let ((sender, packets), (over, ended)) = (mpsc::channel(128), oneshot::channel());
    new_tracks.send(NewTrack { stream: stream(), owner, packets, ended }).await.expect("recorded");
    for packet in said {
        sender.send(packet).await.expect("recorded");
    }
    Speech { packets: sender, _over: over }
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_said_between_press_and_release_is_a_clip() {
    let (clips, new_tracks) = recorder(LIMITS);
    let sender = say(&new_tracks, speech(0, 100)).await;
    settle().await;
    assert!(clips.list().is_empty(), "not while it is said");
    drop(sender);
    settle().await;
    let clip = clips.find(None).expect("a clip");
    assert_eq!((clip.stream, clip.duration), (stream(), Duration::from_secs(2)));
    assert_eq!(clips.find(Some(clip.id)).expect("by its id").id, clip.id);
    let file = clips.file(&clip).await;
    // Two seconds, and half a second of silence, less what LAME keeps.
    assert!((2_450..=2_550).contains(&(file.len() / 16)), "{} ms", file.len() / 16);
    assert!(clips.remove(clip.id) && !clips.remove(clip.id));
    assert!(clips.find(None).is_none());
}

#[tokio::test(start_paused = true)]
async fn packets_gather_while_somebody_talks_and_none_is_left_behind_at_the_end() {
    let (clips, new_tracks) = recorder(LIMITS);
    let talking = say(&new_tracks, speech(0, 1)).await;
    settle().await;
    for packet in speech(1, 9) {
        talking.packets.send(packet).await.expect("recorded");
    }
    settle().await;
    assert_eq!(talking.packets.max_capacity() - talking.packets.capacity(), 9, "nobody woke for them");
    tokio::time::sleep(GATHERING).await;
    assert_eq!(talking.packets.max_capacity() - talking.packets.capacity(), 0);
    for packet in speech(10, 5) {
        talking.packets.send(packet).await.expect("recorded");
    }
    drop(talking);
    settle().await;
    assert_eq!(clips.list()[0].duration, Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn order_and_losses_do_not_change_the_length() {
    let (clips, new_tracks) = recorder(LIMITS);
    let mut packets = speech(0, 100);
    packets.swap(10, 20);
    packets.drain(50..53);
    drop(say(&new_tracks, packets).await);
    settle().await;
    let clip = clips.find(None).expect("a clip");
    assert_eq!(clip.duration, Duration::from_secs(2));
    assert!((2_450..=2_550).contains(&(clips.file(&clip).await.len() / 16)));
}

#[tokio::test(start_paused = true)]
async fn a_pause_begins_a_new_clip_and_so_does_speech_without_end() {
    let (clips, new_tracks) = recorder(LIMITS);
    let sender = say(&new_tracks, speech(0, 50)).await;
    tokio::time::sleep(PAUSE + Duration::from_millis(10)).await;
    assert_eq!(clips.list().len(), 1);
    for packet in speech(1_000, 600) {
        sender.packets.send(packet).await.expect("recorded");
    }
    drop(sender);
    settle().await;
    let seconds: Vec<_> = clips.list().iter().map(|clip| clip.duration.as_secs()).collect();
    assert_eq!(seconds, [1, 10, 2]);
}

#[tokio::test(start_paused = true)]
async fn old_clips_go_by_number_by_size_and_by_age() {
    let (clips, new_tracks) = recorder(LIMITS);
    for number in 0..5 {
        drop(say(&new_tracks, speech(number * 100, 50)).await);
    }
    settle().await;
    assert_eq!((clips.list().len(), clips.stats.evicted.load(Ordering::Relaxed)), (3, 2));
    tokio::time::sleep(LIMITS.age).await;
    assert!(clips.list().is_empty());

    let one: u64 = speech(0, 50).iter().map(|packet| PACKET_OVERHEAD + packet.payload.len() as u64).sum();
    let (clips, new_tracks) = recorder(ClipLimits { bytes: 3 * one, ..LIMITS });
    for number in 0..5 {
        drop(say(&new_tracks, speech(number * 100, 50)).await);
        settle().await;
        assert!(clips.bytes() <= 3 * one);
    }
    assert!(clips.list().len() >= 2);
}

fn device(number: u8) -> Owner {
    std::net::IpAddr::from([192, 168, 1, number]).into()
}

#[tokio::test(start_paused = true)]
async fn whoever_talks_without_end_loses_clips_of_their_own_and_nobody_elses() {
    // By number.
    let (clips, new_tracks) = recorder(ClipLimits { count: 10, ..LIMITS });
    drop(say_as(&new_tracks, device(1), speech(0, 50)).await);
    for number in 0..50 {
        drop(say_as(&new_tracks, device(2), speech(number * 100, 1)).await);
    }
    drop(say_as(&new_tracks, device(3), speech(0, 50)).await);
    settle().await;
    let owners: Vec<_> = clips.list().iter().map(|clip| clip.owner.clone()).collect();
    assert_eq!((owners.len(), &owners[0], &owners[9]), (10, &device(1), &device(3)));

    // By size, also of what is still being said, in many streams at once.
    let (clips, new_tracks) = recorder(ClipLimits { count: 1_000, bytes: 200_000, ..LIMITS });
    drop(say_as(&new_tracks, device(1), speech(0, 50)).await);
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(say_as(&new_tracks, device(2), speech(0, 100)).await);
    }
    let quiet = say_as(&new_tracks, device(3), speech(0, 100)).await;
    settle().await;
    assert!(clips.bytes() <= 250_000, "{}", clips.bytes());
    assert!(clips.list().iter().all(|clip| clip.owner != device(3)), "and nobody else is cut short");
    drop((streams, quiet));
    settle().await;
    let of = |owner| clips.list().iter().filter(|clip| clip.owner == owner).map(|clip| clip.duration).sum::<Duration>();
    assert_eq!((of(device(1)), of(device(3))), (Duration::from_secs(1), Duration::from_secs(2)));
    assert_eq!(clips.unfinished.taken(), 0);
}

#[tokio::test(start_paused = true)]
async fn clips_are_counted_by_what_they_hold_and_not_by_how_long_they_claim_to_be() {
    let arrival = Instant::now().into_std();
    let packet = |sequence: u64, timestamp, payload: usize| OpusPacket {
        sequence,
        timestamp,
        arrival,
        payload: vec![0xfc; payload].into(),
    };
    // All at one time; two and a half milliseconds each; time that runs back; the same one again and again.
    type PacketTimes = fn(u64) -> (u64, u64, usize);
    let kinds: [PacketTimes; 4] = [
        |number| (number, 0, 1_400),
        |number| (number, number * 120, 1),
        |number| (number, 1_000_000 - number, 700),
        |number| (number % 2, number, 1_400),
    ];
    for (index, kind) in kinds.into_iter().enumerate() {
        let limits = ClipLimits { count: 100, bytes: 200_000, length: Duration::from_secs(600), ..LIMITS };
        let (clips, new_tracks) = recorder(limits);
        let sender = say(&new_tracks, Vec::new()).await;
        for number in 0..5_000 {
            let (sequence, timestamp, payload) = kind(number);
            sender.packets.send(packet(sequence, timestamp, payload)).await.expect("recorded");
            assert!(clips.bytes() <= 250_000, "kind {index}: {}", clips.bytes());
        }
        drop(sender);
        settle().await;
        for clip in clips.list() {
            clips.file(&clip).await;
            assert!(clips.bytes() <= 200_000, "kind {index}, as files: {}", clips.bytes());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn packets_that_lie_about_their_time_make_no_more_of_it_than_there_is() {
    let (clips, new_tracks) = recorder(LIMITS);
    let mut packets = speech(0, 100);
    for (index, packet) in packets.iter_mut().enumerate().skip(1).take(98) {
        packet.timestamp = index as u64 * 700_000;
    }
    drop(say(&new_tracks, packets).await);
    settle().await;
    let all: usize = {
        let mut sum = 0;
        for clip in clips.list() {
            sum += clips.file(&clip).await.len();
        }
        sum
    };
    assert!(all < 1_000_000, "{all}");
}

#[tokio::test(start_paused = true)]
async fn garbage_is_no_harm() {
    let (clips, new_tracks) = recorder(LIMITS);
    let mut packets = speech(0, 20);
    for (index, packet) in packets.iter_mut().enumerate() {
        packet.payload = vec![0xff; index].into();
        packet.timestamp = if index % 3 == 0 { 480_000 * index as u64 } else { index as u64 };
    }
    drop(say(&new_tracks, packets).await);
    settle().await;
    let clip = clips.find(None).expect("a clip");
    assert!(clips.file(&clip).await.len() < 4_000_000);
}
