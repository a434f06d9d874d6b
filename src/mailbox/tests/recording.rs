//! What is recorded of a message, in paused time, from packets of known sound.

use std::convert::Infallible;

use tokio::sync::{mpsc, oneshot};

use crate::audio::tone;
use crate::domain::{OpusPacket, Owner, StreamId};
use crate::engine::NewTrack;
use crate::limits::Places;
use crate::live::Packets;
use crate::mailbox::recording::Intake;

use super::*;

/// Somebody who speaks, until this is dropped.
struct Speaker {
    packets: mpsc::Sender<OpusPacket>,
    ending: Option<oneshot::Sender<Ending>>,
    _over: oneshot::Sender<Infallible>,
    said: tokio::task::JoinHandle<Result<Option<Packets>, MailboxError>>,
}

impl Speaker {
    async fn say(&self, first: u64, count: u64) {
        for packet in speech(first, count) {
            self.packets.send(packet).await.expect("recorded");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    fn end(&mut self, ending: Ending) {
        self.ending.take().expect("once").send(ending).expect("it listens");
    }

    /// How much was recorded.
    async fn duration(self) -> Option<Duration> {
        self.said.await.expect("it ends").expect("recorded").map(|packets| packets.duration())
    }
}

/// Packets of 20 ms of a tone, numbered from `first`.
fn speech(first: u64, count: u64) -> Vec<OpusPacket> {
    let arrival = std::time::Instant::now();
    (first..first + count)
        .zip(tone(440.0))
        .map(|(sequence, payload)| OpusPacket { sequence, timestamp: sequence * 960, arrival, payload })
        .collect()
}

fn speaker(memory: u64) -> Speaker {
    let ((track_sender, track), (ending_sender, ending)) = (oneshot::channel(), oneshot::channel());
    let ((packets, received), (over, ended)) = (mpsc::channel(128), oneshot::channel());
    let owner = Owner::Machine;
    let (memory, longest) = (Places::shared(memory, memory), Duration::from_secs(10));
    let intake = Intake { track, ending, owner: owner.clone(), memory, longest };
    let said = tokio::spawn(intake.listen());
    let stream = StreamId::of_connection(Uuid::from_u128(1));
    assert!(track_sender.send(NewTrack { stream, owner, packets: received, ended }).is_ok());
    Speaker { packets, ending: Some(ending_sender), _over: over, said }
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_when_somebody_ends_is_in_the_message() {
    let mut speaker = speaker(1_000_000);
    speaker.say(0, 50).await;
    speaker.end(Ending::Keep);
    for first in [50, 55, 60] {
        tokio::time::sleep(Duration::from_millis(250)).await;
        speaker.say(first, 5).await;
    }
    assert_eq!(speaker.duration().await, Some(Duration::from_millis(1_300)));
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_for_ever_is_not_waited_for() {
    let mut speaker = speaker(1_000_000);
    speaker.say(0, 50).await;
    speaker.end(Ending::Keep);
    for number in 0..1_000 {
        let late = speech(50 + number, 1).remove(0);
        if speaker.packets.send(late).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let recorded = speaker.duration().await.expect("kept");
    assert!((2_900..3_200).contains(&recorded.as_millis()), "{recorded:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_is_kept_when_its_speaker_is_gone_or_says_too_much() {
    let gone = speaker(1_000_000);
    gone.say(0, 50).await;
    let Speaker { packets, said, ending, .. } = gone;
    drop((packets, ending));
    assert_eq!(said.await.expect("ends").expect("kept").map(|it| it.duration()), Some(Duration::from_secs(1)));

    let long = speaker(1_000_000);
    for second in 0..10 {
        long.say(second * 50, 50).await;
    }
    assert_eq!(long.duration().await, Some(Duration::from_secs(10)));

    let wide = speaker(20_000);
    for packet in speech(0, 200) {
        let _ = wide.packets.send(packet).await;
    }
    let kept = wide.duration().await.expect("what there was memory for");
    assert!(kept > Duration::from_secs(1) && kept < Duration::from_secs(4), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_discarded_or_too_short_or_never_comes_is_no_message() {
    let mut discarded = speaker(1_000_000);
    discarded.say(0, 50).await;
    discarded.end(Ending::Discard);
    assert_eq!(discarded.duration().await, None);

    let mut short = speaker(1_000_000);
    short.say(0, 10).await;
    short.end(Ending::Keep);
    assert!(matches!(short.said.await.expect("ends"), Err(MailboxError::NothingSaid)));

    let (_track, track) = oneshot::channel();
    let (_ending, ending) = oneshot::channel();
    let owner = Owner::Machine;
    let memory = Places::shared(1_000, 1_000);
    let absent = Intake { track, ending, owner, memory, longest: Duration::from_secs(10) };
    assert!(matches!(absent.listen().await, Err(MailboxError::NothingSaid)), "after its time");
}

#[test]
fn a_file_has_the_packets_as_they_were_sent_and_silence_for_those_that_were_lost() {
    let mut take = crate::live::Take::new(Owner::Machine, Places::shared(1_000_000, 1_000_000));
    let mut said = speech(0, 100);
    said.drain(40..45);
    said.swap(10, 11);
    for packet in &said {
        assert!(take.add(packet.clone()));
    }
    let (packets, _) = take.end();
    let file = crate::live::ogg_file(&packets);
    let in_file: Vec<_> = crate::audio::packets_of_ogg(&file).collect();
    assert_eq!(in_file.len(), 101, "a hundred, and what closes it");
    said.swap(10, 11);
    for packet in &said {
        assert_eq!(*in_file[packet.sequence as usize], *packet.payload);
    }
    let peaks = crate::live::peaks_of_ogg(&file, 10);
    assert!(peaks[0] > 60 && peaks[9] > 60 && peaks.len() == 10, "{peaks:?}");
    assert_eq!(crate::live::peaks_of_ogg(&[], 3), [0, 0, 0], "of what is no file");
    assert!(crate::live::mp3_of_ogg(&file).len() > 30_000);
}
