//! What outlives a restart, through the door that the daemon uses.

use crate::data::DataFolder;
use crate::rooms::{Rooms, RoomsHandle, RoomsSettings, StationPresence};

use super::*;

fn rooms(intercom: &[&str]) -> RoomsHandle {
    let settings = RoomsSettings {
        home: "Home".into(),
        intercom: intercom.iter().map(ToString::to_string).collect(),
        broadcast: Vec::new(),
        max: 3,
        intercom_size: 5,
        broadcast_size: 5,
        share: 100,
    };
    RoomsHandle::new(Rooms::new(settings, Instant::now(), SystemTime::now()))
}

/// A daemon's life with this folder; it is there as long as `live` runs, and everything is written before it ends.
async fn live<T>(data: &DataFolder, rooms: &RoomsHandle, live: impl AsyncFnOnce(&CallsHandle) -> T) -> T {
    let (calls, keeper) = CallsHandle::open(settings(), data, rooms.clone());
    let lived = live(&calls).await;
    keeper.write_all().await;
    lived
}

async fn entered(calls: &CallsHandle, name: &str, key: Option<StationKey>) -> (Line, StationKey) {
    let mut line = calls.enter(&owner(), name, key, Vec::new()).expect("entered");
    match line.next().await {
        Some(StationEvent::Station { key, .. }) => (line, key),
        other => panic!("told who it is first, not {other:?}"),
    }
}

#[tokio::test]
async fn stations_and_the_log_outlive_a_restart_and_what_is_forgotten_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataFolder::new(folder.path().join("data"));
    let key = live(&data, &rooms(&[]), async |calls| {
        let (hall, key) = entered(calls, "Hall tablet", None).await;
        let (anna, _) = entered(calls, "Anna", None).await;
        calls.set_phone(hall.station(), Some("mobile_app_pixel_8".into())).expect("a station");
        let from = Caller::Station(anna.station().clone());
        let to = vec![Target::Place("hall-tablet".into())];
        let call = calls.ring(Ring::new(from, to, Priority::Normal, owner())).expect("it rings");
        hall.hang_up(call.id).expect("declined");
        key
    })
    .await;
    let house = rooms(&[]);
    live(&data, &house, async |calls| {
        let known: Vec<_> = calls.stations().into_iter().map(|it| (it.id.0, it.presence)).collect();
        let (away, phone) = (StationPresence::Away, StationPresence::Phone);
        assert_eq!(known, [("anna".to_owned(), away), ("hall-tablet".to_owned(), phone)]);
        assert!(house.find("hall-tablet").is_some_and(|room| house.is_station(room)), "and it has its room");
        assert_eq!(calls.log().iter().map(|it| it.outcome).collect::<Vec<_>>(), [CallOutcome::Declined]);
        let (line, again) = entered(calls, "Hall tablet", Some(key)).await;
        assert_eq!((line.station(), again), (&id("hall-tablet"), key), "it is the same one");
        assert!(calls.forget(&id("anna")));
        calls.clear_log();
    })
    .await;
    live(&data, &rooms(&[]), async |calls| {
        let known: Vec<_> = calls.stations().into_iter().map(|it| it.id.0).collect();
        assert_eq!((known, calls.log().len()), (vec!["hall-tablet".to_owned()], 0));
    })
    .await;
}

#[tokio::test]
async fn a_daemon_that_is_killed_while_it_rings_knows_of_the_call_and_rings_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataFolder::new(folder.path().join("data"));
    let lines = live(&data, &rooms(&[]), async |calls| {
        let (hall, _) = entered(calls, "Hall", None).await;
        let (anna, _) = entered(calls, "Anna", None).await;
        let from = Caller::Station(anna.station().clone());
        let ring = Ring::new(from, vec![Target::Everybody], Priority::Normal, owner());
        calls.ring(ring).expect("it rings");
        [hall, anna]
    })
    .await;
    std::mem::forget(lines);
    live(&data, &rooms(&[]), async |calls| {
        assert!(calls.current().is_empty());
        assert_eq!(calls.log().iter().map(|it| it.outcome).collect::<Vec<_>>(), [CallOutcome::Cancelled]);
    })
    .await;
}

#[tokio::test]
async fn a_station_makes_way_for_a_room_that_was_configured_under_its_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataFolder::new(folder.path().join("data"));
    let key = live(&data, &rooms(&[]), async |calls| entered(calls, "Kitchen", None).await.1).await;
    for _ in 0..2 {
        let house = rooms(&["Kitchen"]);
        live(&data, &house, async |calls| {
            assert_eq!(calls.stations().into_iter().map(|it| it.id.0).collect::<Vec<_>>(), ["kitchen-2"]);
            assert_eq!(entered(calls, "Kitchen", Some(key)).await.0.station(), &id("kitchen-2"));
            assert!(!house.is_station(house.find("kitchen").expect("there")));
        })
        .await;
    }
}

#[tokio::test]
async fn one_that_does_not_read_is_given_up_and_the_others_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataFolder::new(folder.path().join("data"));
    live(&data, &rooms(&[]), async |calls| {
        let (mut deaf, _) = entered(calls, "Deaf", None).await;
        let (mut anna, _) = entered(calls, "Anna", None).await;
        tokio::time::pause();
        let mut told = 0;
        while calls.too_slow() == 0 {
            let from = Caller::Station(anna.station().clone());
            let ring = Ring::new(from, vec![Target::Everybody], Priority::Normal, owner());
            anna.hang_up(calls.ring(ring).expect("it rings").id).expect("given up");
            tokio::time::advance(INTERVAL * BURST).await;
            for _ in 0..2 {
                told += usize::from(anna.next().await.is_some());
            }
            assert!(told < 1_000, "it is given up at some time");
        }
        while deaf.next().await.is_some() {}
        assert!(told > 32, "{told}");
    })
    .await;
}

#[tokio::test]
async fn do_not_disturb_outlives_a_restart_where_the_place_is_there_still() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataFolder::new(folder.path().join("data"));
    live(&data, &rooms(&["Kitchen", "Study"]), async |calls| {
        for place in ["kitchen", "study", EVERYBODY] {
            calls.set_do_not_disturb(place, Some(Passes::Nothing), None).expect("there");
        }
        let hour = Some(Duration::from_secs(3_600));
        assert!(calls.set_do_not_disturb("cellar", Some(Passes::Urgent), hour).is_err());
    })
    .await;
    for _ in 0..2 {
        let house = rooms(&["Kitchen"]);
        live(&data, &house, async |calls| {
            let places: Vec<_> = calls.quiet_places().into_keys().collect();
            assert_eq!(places, [EVERYBODY, "kitchen"]);
            assert!(house.list().iter().all(|room| room.do_not_disturb));
        })
        .await;
    }
}
