//! The mailbox by itself: which messages are kept, and what is recorded of one that is said.

mod recording;
mod store;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const SETTINGS: MailboxSettings = MailboxSettings {
    count: 10,
    bytes: 1_000,
    age: Duration::from_secs(100),
    length: Duration::from_secs(10),
    share: 100,
};

fn station(id: &str) -> StationId {
    StationId(id.into())
}

fn message(number: u128, from: &str, at: u64, bytes: u64) -> VoiceMessage {
    VoiceMessage {
        id: VoiceMessageId(Uuid::from_u128(number)),
        from: MessageSender { station: station(from), name: from.into() },
        to: "hall".into(),
        at,
        milliseconds: 1_000,
        bytes,
        heard: false,
        peaks: Vec::new(),
    }
}

fn heard(message: VoiceMessage) -> VoiceMessage {
    VoiceMessage { heard: true, ..message }
}

fn ids(gone: Result<Vec<VoiceMessageId>, MailboxError>) -> Vec<u128> {
    gone.expect("room").into_iter().map(|id| id.0.as_u128()).collect()
}

#[test]
fn the_oldest_that_was_heard_goes_for_a_new_one_and_what_nobody_has_heard_never_does() {
    let kept = vec![message(1, "anna", 1, 300), heard(message(2, "anna", 3, 300)), heard(message(3, "bert", 2, 300))];
    let mut mailbox = Mailbox::new(SETTINGS, kept);
    assert_eq!(ids(mailbox.clone().make_room(&station("anna"), 100)), [] as [u128; 0]);
    assert_eq!(ids(mailbox.clone().make_room(&station("anna"), 101)), [3]);
    assert_eq!(ids(mailbox.clone().make_room(&station("anna"), 700)), [3, 2]);
    assert_eq!(mailbox.make_room(&station("anna"), 701), Err(MailboxError::Full(1)));
}

#[test]
fn one_device_has_its_share_and_makes_room_for_itself_alone() {
    let settings = MailboxSettings { count: 16, share: 50, bytes: u64::MAX, ..SETTINGS };
    let mut kept: Vec<_> = (0..8).map(|number| message(number, "anna", 10 + number as u64, 1)).collect();
    kept.push(heard(message(100, "bert", 1, 1)));
    let mut mailbox = Mailbox::new(settings, kept);
    assert_eq!(mailbox.clone().make_room(&station("anna"), 1), Err(MailboxError::FullOfOne(8)));
    assert_eq!(ids(mailbox.clone().make_room(&station("carla"), 1)), [] as [u128; 0]);
    mailbox.find(VoiceMessageId(Uuid::from_u128(5))).expect("there").heard = true;
    assert_eq!(ids(mailbox.make_room(&station("anna"), 1)), [5], "and not that of another, which is older");
}

#[test]
fn nothing_is_left_where_messages_are_turned_off() {
    let mut mailbox = Mailbox::new(MailboxSettings { count: 0, ..SETTINGS }, Vec::new());
    assert_eq!(mailbox.make_room(&station("anna"), 0), Err(MailboxError::Off));
}

#[test]
fn a_message_is_over_after_its_time_and_not_before_also_when_the_clock_is_set_back() {
    for (at, now, over) in [(1_000, 1_099, false), (1_000, 1_100, true), (1_000, 0, false), (0, u64::MAX, true)] {
        assert_eq!(SETTINGS.is_over(&message(1, "anna", at, 1), now), over, "{at} {now}");
    }
}

#[test]
fn ten_thousand_random_acts_keep_every_limit_and_lose_nothing_that_nobody_has_heard() {
    let settings = MailboxSettings { count: 20, bytes: 5_000, share: 50, ..SETTINGS };
    let mut mailbox = Mailbox::new(settings, Vec::new());
    let mut random = StdRng::seed_from_u64(18);
    let (mut refused, mut displaced) = (0, 0);
    for number in 0..10_000_u128 {
        let before = mailbox.clone();
        let unheard = |mailbox: &Mailbox| {
            mailbox.messages.values().filter(|message| !message.heard).map(|message| message.id).collect::<Vec<_>>()
        };
        match random.random_range(0..10) {
            0..=5 => {
                let from = ["anna", "bert", "carla", "doris"][random.random_range(0..4)];
                let new = message(number, from, random.random_range(0..1_000), random.random_range(0..1_000));
                match mailbox.make_room(&new.from.station, new.bytes) {
                    Ok(gone) => {
                        displaced += gone.len();
                        mailbox.add(new);
                        assert!(unheard(&before).iter().all(|id| unheard(&mailbox).contains(id)));
                    }
                    Err(_) => {
                        // Whoever shows it only when it is kept goes on with what was there.
                        mailbox = before;
                        refused += 1;
                    }
                }
            }
            act => {
                let count = mailbox.messages.len().max(1);
                let one = mailbox.messages.values().nth(random.random_range(0..count)).map(|message| message.id);
                let Some(id) = one else { continue };
                match act {
                    6..=8 => mailbox.find(id).expect("there").heard = true,
                    _ => assert_eq!(mailbox.delete(|message| message.id == id), [id]),
                }
            }
        }
        assert!(mailbox.messages.len() <= 20 && mailbox.bytes() <= 5_000);
        for from in ["anna", "bert", "carla", "doris"] {
            assert!(mailbox.messages.values().filter(|message| message.from.name == from).count() <= 10);
        }
    }
    assert!(refused > 100 && displaced > 100, "{refused} {displaced}");
}
