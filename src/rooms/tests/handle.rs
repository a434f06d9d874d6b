//! The door to the rooms: queues, slow clients, and the clock.

use std::sync::Arc;

use super::*;

fn rooms() -> RoomsHandle {
    let now = tokio::time::Instant::now().into_std();
    RoomsHandle::new(Rooms::new(house(), now, SystemTime::now()))
}

async fn join(rooms: &RoomsHandle, name: &str) -> (Membership, EventReceiver) {
    let (sender, events) = EventSender::new();
    let joined = rooms.join(Asker::default(), "home", name, None, None, sender).await;
    (joined.expect("let in"), events)
}

/// The types of all that was told so far.
fn kinds(events: &mut EventReceiver) -> Vec<String> {
    let events = std::iter::from_fn(|| events.next_waiting());
    let kind =
        |event: Arc<Published>| serde_json::to_value(event.event()).expect("JSON")["type"].as_str().map(str::to_owned);
    events.filter_map(kind).collect()
}

#[tokio::test(start_paused = true)]
async fn who_joins_hears_of_it_first_and_is_there_until_his_membership_is_dropped() {
    let rooms = rooms();
    let (anna, mut annas) = join(&rooms, "Anna").await;
    let (bert, mut berts) = join(&rooms, "Bert").await;
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
    let (anna, mut unread) = join(&rooms, "Anna").await;
    let (bert, mut berts) = join(&rooms, "Bert").await;
    let mut told = Vec::new();
    // Everybody who comes and goes is told of.
    for _ in 0..QUEUE_CAPACITY / 2 {
        drop(join(&rooms, "Carla").await);
        told.extend(kinds(&mut berts));
    }
    assert_eq!(told.iter().filter(|kind| *kind == "participant_left").count(), QUEUE_CAPACITY / 2 + 1);
    assert_eq!(bert.joined().room, RoomId::HOME);
    assert_eq!((rooms.population().1, rooms.too_slow()), (1, 1));
    assert!(unread.next().await.is_none());
    assert_eq!(anna.chat("x"), Err(ChatError::NotJoined));
    assert!(
        tokio::time::timeout(MOMENT, berts.next()).await.is_err(),
        "nothing more is told, and nobody else given up"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_late_hears_how_things_are_and_is_not_given_up_for_what_they_were() {
    let rooms = rooms();
    let (_anna, mut annas) = join(&rooms, "Anna").await;
    let (bert, mut berts) = join(&rooms, "Bert").await;
    for number in 0..5 * QUEUE_CAPACITY {
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
    let (sender, mut list) = EventSender::new();
    let watching = rooms.watch(sender, None);
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
    rooms.open("Party".into(), RoomKind::Intercom, None, None, None).await.expect("there is room");
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
    let (opened, _) =
        rooms.open("Secret".into(), RoomKind::Intercom, Some(pin), None, None).await.expect("there is room");
    let mut results = Vec::new();
    for pin in [None, Some("4712"), Some("4711")] {
        let (sender, _events) = EventSender::new();
        let joined = rooms.join(Asker::default(), "secret", "Anna", pin, None, sender).await;
        results.push(joined.map(|membership| membership.joined().room));
    }
    assert_eq!(results, [Err(JoinError::PinNeeded), Err(JoinError::WrongPin), Ok(opened.room)]);
    let (sender, _events) = EventSender::new();
    let nowhere = rooms.join(Asker::default(), "nowhere", "Anna", None, None, sender).await;
    assert_eq!(nowhere.map(|_| ()), Err(JoinError::NoRoom));
}

#[tokio::test(start_paused = true)]
async fn orders_come_to_whoever_asked_for_them() {
    let rooms = rooms();
    let (sender, _events) = EventSender::new();
    let admin = Asker { owner: None, admin: true };
    let anna = rooms.join(admin, "home", "Anna", None, None, sender).await.expect("let in");
    let mut orders = rooms.orders();
    let who = anna.joined().id;
    anna.host(HostAction::Mute { who }).expect("admins may");
    assert_eq!(anna.begin_talking(), Err(TalkError::Muted));
    anna.host(HostAction::Kick { who }).expect("admins may");
    let expected =
        [Order::Silence(anna.joined().voice, true), Order::Remove(anna.joined().voice, anna.joined().session)];
    assert_eq!([orders.recv().await, orders.recv().await], expected.map(Some));
}

#[tokio::test(start_paused = true)]
async fn an_observer_hears_what_happens_in_every_room_and_nothing_that_is_for_one_alone() {
    let rooms = rooms();
    let (opened, _) = rooms.open("Party".into(), RoomKind::Intercom, None, None, None).await.expect("there is room");
    let mut observed = rooms.observe();
    let (anna, _annas) = join(&rooms, "Anna").await;
    let (sender, _events) = EventSender::new();
    let bert = rooms.join(Asker::default(), "party", "Bert", None, None, sender).await.expect("let in");
    rooms.note_talking(anna.joined().id, true, false);
    rooms.note_talking(bert.joined().id, true, false);
    rooms.note_talking(bert.joined().id, false, false);
    rooms.tell(bert.joined().id, RoomEvent::Bitrate { voice: 64_000, music: 256_000 });
    let key = ParticipantKey::of_text(serde_json::to_value(opened.key).expect("a key").as_str().expect("a text"));
    rooms.close(Asker::default(), "party", key).expect("the host may");
    let observed: Vec<_> = std::iter::from_fn(|| observed.next_waiting()).collect();
    let told: Vec<_> = observed.iter().map(|told| (told.room().expect("of a room"), told.event())).collect();
    let (home, party) = (anna.joined().room, opened.room);
    assert!(
        matches!(
            *told,
            [
                (one, RoomEvent::ParticipantJoined { .. }),
                (two, RoomEvent::ParticipantJoined { .. }),
                (three, RoomEvent::Talking { on: true, .. }),
                (four, RoomEvent::Talking { on: false, .. }),
                (five, RoomEvent::RoomClosed { .. }),
            ] if [one, two, three, four, five] == [home, party, home, party, party]
        ),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_is_written_once_however_many_are_told() {
    let rooms = rooms();
    let (anna, mut annas) = join(&rooms, "Anna").await;
    let (_bert, mut berts) = join(&rooms, "Bert").await;
    kinds(&mut annas);
    kinds(&mut berts);
    anna.chat("hello").expect("passed on");
    let written = std::cell::Cell::new(0);
    let write = |_: &RoomEvent| {
        written.set(written.get() + 1);
        "text".to_owned()
    };
    for events in [&mut annas, &mut berts] {
        assert_eq!(events.next().await.expect("a line").text(write), "text");
    }
    assert_eq!(written.get(), 1);
}
