//! The door to the rooms: queues, slow clients, and the clock.

use std::sync::Arc;

use super::*;

fn rooms() -> RoomsHandle {
    let now = tokio::time::Instant::now().into_std();
    RoomsHandle::new(Rooms::new(house(), now, SystemTime::now()))
}

async fn join(rooms: &RoomsHandle, name: &str) -> (Membership, ClientSender, Frames) {
    let (wire, frames) = ClientSender::new();
    let joined = rooms.join(Asker::default(), "home", name, None, None, wire.clone()).await;
    (joined.expect("let in"), wire, frames)
}

/// The types of all that was told so far.
fn kinds(frames: &mut Frames) -> Vec<String> {
    let frames = std::iter::from_fn(|| frames.next_waiting());
    let kind =
        |frame: Arc<str>| serde_json::from_str::<Value>(&frame).expect("JSON")["type"].as_str().map(str::to_owned);
    frames.filter_map(kind).collect()
}

#[tokio::test(start_paused = true)]
async fn who_joins_hears_of_it_first_and_is_there_until_his_membership_is_dropped() {
    let rooms = rooms();
    let (anna, _, mut annas) = join(&rooms, "Anna").await;
    let (bert, _, mut berts) = join(&rooms, "Bert").await;
    anna.chat("hello").expect("passed on");
    assert_eq!(kinds(&mut berts), ["joined", "chat"]);
    drop(bert);
    assert_eq!(kinds(&mut annas), ["joined", "participant_joined", "chat", "participant_left"]);
    anna.leave();
    assert_eq!(kinds(&mut annas), ["left"]);
    assert!(annas.next_waiting().is_none());
    assert_eq!(rooms.population().1, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_given_up_and_nobody_waits_for_it() {
    let rooms = rooms();
    let (anna, annas_wire, _unread) = join(&rooms, "Anna").await;
    let (bert, berts_wire, mut berts) = join(&rooms, "Bert").await;
    let mut told = Vec::new();
    // Everybody who comes and goes is told of.
    for _ in 0..WIRE_CAPACITY / 2 {
        drop(join(&rooms, "Carla").await);
        told.extend(kinds(&mut berts));
    }
    assert_eq!(told.iter().filter(|kind| *kind == "participant_left").count(), WIRE_CAPACITY / 2 + 1);
    assert_eq!(bert.joined().room, RoomId::HOME);
    assert_eq!((rooms.population().1, rooms.too_slow()), (1, 1));
    annas_wire.cut().await;
    assert_eq!(anna.chat("x"), Err(ChatError::NotJoined));
    assert!(tokio::time::timeout(MOMENT, berts_wire.cut()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_late_hears_how_things_are_and_is_not_given_up_for_what_they_were() {
    let rooms = rooms();
    let (_anna, _wire, mut annas) = join(&rooms, "Anna").await;
    let (bert, _, mut berts) = join(&rooms, "Bert").await;
    for number in 0..5 * WIRE_CAPACITY {
        rooms.note_talking(bert.joined().id, number % 2 == 0, false);
        rooms.note_talking(bert.joined().id, number % 3 == 0, true);
        kinds(&mut berts);
    }
    bert.chat("hello").expect("passed on");
    rooms.note_talking(bert.joined().id, true, false);
    assert_eq!(kinds(&mut annas), ["joined", "participant_joined", "talking", "chat", "talking"]);
    assert_eq!((rooms.population().1, rooms.too_slow()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn watchers_have_the_list_at_once_and_when_it_is_different_until_they_stop() {
    let rooms = rooms();
    tokio::spawn(rooms.clone().keep_time());
    let (wire, mut list) = ClientSender::new();
    let watching = rooms.watch(wire, None);
    assert_eq!(kinds(&mut list), ["rooms"]);
    let (anna, ..) = join(&rooms, "Anna").await;
    assert_eq!(kinds(&mut list), ["rooms"], "the first change is told at once");
    drop(anna);
    assert_eq!(kinds(&mut list), [""; 0], "and the next one when it is time");
    tokio::time::sleep(LIST_INTERVAL).await;
    tokio::task::yield_now().await;
    assert_eq!(kinds(&mut list), ["rooms"]);
    drop(watching);
    let _bert = join(&rooms, "Bert").await;
    tokio::time::sleep(LIST_INTERVAL * 2).await;
    assert_eq!(kinds(&mut list), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_done_when_it_is_due() {
    let rooms = rooms();
    tokio::spawn(rooms.clone().keep_time());
    rooms.open("Party".into(), Kind::Intercom, None, None, None).await.expect("there is room");
    tokio::time::sleep(EMPTY_TIMEOUT - MOMENT).await;
    assert!(rooms.find("party").is_some());
    tokio::time::sleep(MOMENT * 2).await;
    tokio::task::yield_now().await;
    assert!(rooms.find("party").is_none());
}

#[tokio::test]
async fn a_pin_is_looked_at_on_the_way_in() {
    let rooms = rooms();
    let pin = "4711".parse().expect("a PIN");
    let (opened, _) = rooms.open("Secret".into(), Kind::Intercom, Some(pin), None, None).await.expect("there is room");
    let mut results = Vec::new();
    for pin in [None, Some("4712"), Some("4711")] {
        let (wire, _frames) = ClientSender::new();
        let joined = rooms.join(Asker::default(), "secret", "Anna", pin, None, wire).await;
        results.push(joined.map(|membership| membership.joined().room));
    }
    assert_eq!(results, [Err(JoinError::PinNeeded), Err(JoinError::WrongPin), Ok(opened.room)]);
    let (wire, _frames) = ClientSender::new();
    let nowhere = rooms.join(Asker::default(), "nowhere", "Anna", None, None, wire).await;
    assert_eq!(nowhere.map(|_| ()), Err(JoinError::NoRoom));
}

#[tokio::test(start_paused = true)]
async fn orders_come_to_whoever_asked_for_them() {
    let rooms = rooms();
    let (wire, _frames) = ClientSender::new();
    let admin = Asker { owner: None, admin: true };
    let anna = rooms.join(admin, "home", "Anna", None, None, wire).await.expect("let in");
    let mut orders = rooms.orders();
    let who = anna.joined().id;
    anna.host(HostAction::Mute { who }).expect("admins may");
    assert_eq!(anna.may_talk(), Err(TalkError::Muted));
    anna.host(HostAction::Kick { who }).expect("admins may");
    let expected =
        [Order::Silence(anna.joined().voice, true), Order::Remove(anna.joined().voice, anna.joined().session)];
    assert_eq!([orders.recv().await, orders.recv().await], expected.map(Some));
}
