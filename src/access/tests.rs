use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::data::DataFolder;
use crate::rooms::{ListenerKind, RoomKind, Rooms, RoomsSettings};

const HOUR: Duration = Duration::from_secs(3_600);

/// An access with a kitchen and a room with a PIN, and the folder of its tokens.
async fn house() -> (Access, RoomsHandle, RoomId, ParticipantKey, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let house = RoomsSettings {
        home: "Home".into(),
        intercom: vec!["Kitchen".into()],
        broadcast: vec![],
        max: 5,
        intercom_size: 10,
        broadcast_size: 10,
        share: 25,
    };
    let rooms = RoomsHandle::new(Rooms::new(house, Instant::now(), SystemTime::now()));
    let pin = "4711".parse().expect("a PIN");
    let (opened, _) = rooms.open("Secret".into(), RoomKind::Intercom, Some(pin), None, None).await.expect("opened");
    let access = Access::new(Tokens::new(DataFolder::new(folder.path().into())), rooms.clone());
    (access, rooms, opened.room, opened.key, folder)
}

fn visitor(number: u8) -> Visitor {
    Visitor::at(IpAddr::from([192, 168, 1, number]), Scopes::household())
}

/// Somebody with a token that is good for an hour.
fn with_token(access: &Access, scopes: Scopes, room: Option<&str>) -> Visitor {
    let claims = Claims::new(scopes, room.map(str::to_owned), None, SystemTime::now(), HOUR);
    access.tokens().sign(&claims).expect("signed");
    let (scopes, room, token) = (claims.scope, claims.room.clone(), Some(claims.id()));
    Visitor { room, token, ..Visitor::at(IpAddr::from([192, 168, 1, 9]), scopes) }
}

#[tokio::test]
async fn a_room_with_a_pin_is_heard_by_those_who_know_it_whichever_way_they_ask() {
    let (access, _, secret, ..) = house().await;
    for action in [Action::Hear, Action::TurnStream] {
        let asked = async |pin| {
            access.authorize(&visitor(1), action, Target::Room(secret, RoomCredentials { pin, key: None })).await
        };
        assert_eq!(asked(None).await.err(), Some(Denied::Room(JoinError::PinNeeded)), "{action:?}");
        assert_eq!(asked(Some("0000")).await.err(), Some(Denied::Room(JoinError::WrongPin)), "{action:?}");
        assert!(asked(Some("4711")).await.expect("let in").permits_in(action, secret));
    }
    for action in [Action::Talk, Action::Announce, Action::TurnAnnouncements] {
        let refused = access.authorize(&visitor(1), action, Target::room(secret)).await;
        assert_eq!(refused.err(), Some(Denied::Room(JoinError::NotOpen)), "{action:?}");
    }
}

#[tokio::test]
async fn a_permit_is_for_its_action_and_its_room_alone() {
    let (access, rooms, ..) = house().await;
    let kitchen = rooms.find("kitchen").expect("there");
    let permit = access.authorize(&visitor(1), Action::Hear, Target::room(kitchen)).await.expect("open to all");
    assert!(permit.permits_in(Action::Hear, kitchen));
    assert!(!permit.permits_in(Action::Talk, kitchen) && !permit.permits_in(Action::Hear, RoomId::HOME));
    assert_eq!(access.open(), 1);
    drop(permit);
    assert_eq!(access.open(), 0);
}

#[tokio::test]
async fn a_token_for_one_room_does_nothing_in_another_nor_in_the_house() {
    let (access, rooms, secret, ..) = house().await;
    let kitchen = rooms.find("kitchen").expect("there");
    let guest = with_token(&access, Scopes::all(), Some("kitchen"));
    for action in [Action::Hear, Action::Talk, Action::Announce, Action::Join, Action::Look, Action::CloseRoom] {
        assert!(access.authorize(&guest, action, Target::room(kitchen)).await.is_ok(), "{action:?}");
        for elsewhere in [RoomId::HOME, secret] {
            let refused = access.authorize(&guest, action, Target::room(elsewhere)).await;
            assert_eq!(refused.err(), Some(Denied::OtherRoom), "{action:?}");
        }
    }
    for action in [Action::ReadClips, Action::ReadFiles, Action::ReadMetrics, Action::TurnSound, Action::OpenRoom] {
        let refused = access.authorize(&guest, action, Target::House).await;
        assert_eq!(refused.err(), Some(Denied::OneRoom), "{action:?}");
    }
}

#[tokio::test]
async fn what_is_open_ends_when_its_token_is_revoked_or_has_expired_and_nothing_else_does() {
    let (access, ..) = house().await;
    let (first, second) = (with_token(&access, Scopes::all(), None), with_token(&access, Scopes::all(), None));
    let mut short = with_token(&access, Scopes::all(), None);
    let open = async |visitor: &Visitor| access.authorize(visitor, Action::Connect, Target::House).await.expect("good");
    let (revoked, kept, expiring) = (open(&first).await, open(&second).await, open(&short).await);
    access.revoke(first.token.expect("a token").id).expect("written");
    assert!(revoked.is_ended() && !kept.is_ended() && !expiring.is_ended());
    assert!(matches!(access.authorize(&first, Action::Connect, Target::House).await, Err(Denied::Token(_))));
    let token = short.token.as_mut().expect("a token");
    token.expires = 0;
    let over = Permit::new(Action::Connect, None, short.clone(), &access.0.grants);
    assert_eq!(access.review(), 1);
    assert!(over.is_ended() && !kept.is_ended());
}

#[tokio::test]
async fn whoever_is_sent_out_hears_no_more_by_any_way_and_may_not_come_back_at_once() {
    let (access, rooms, secret, key, _folder) = house().await;
    let host =
        rooms.join(visitor(1).asker(), "secret", "Host", None, Some(&key_text(key)), unread()).await.expect("host");
    let shown = RoomCredentials { pin: Some("4711"), key: None };
    let hear = access.authorize(&visitor(2), Action::Hear, Target::Room(secret, shown)).await.expect("knows the PIN");
    let _listening = rooms.listen(secret, hear.granted(), "Player", ListenerKind::Player).expect("listed");
    let who = rooms.detail(secret).expect("there").listeners[0].id;
    let mut orders = rooms.orders();
    host.host(crate::rooms::HostAction::Kick { who }).expect("the host may");
    while let Ok(order) = orders.try_recv() {
        if let crate::rooms::Order::End(grant) = order {
            access.end(grant);
        }
    }
    assert!(hear.is_ended());
    let again = access.authorize(&visitor(2), Action::Hear, Target::Room(secret, shown)).await;
    assert_eq!(again.err(), Some(Denied::Room(JoinError::Kicked)));
    assert!(access.authorize(&visitor(3), Action::Hear, Target::Room(secret, shown)).await.is_ok());
}

#[tokio::test]
async fn a_locked_room_keeps_out_who_comes_and_lists_who_was_there() {
    let (access, rooms, secret, key, _folder) = house().await;
    let host =
        rooms.join(visitor(1).asker(), "secret", "Host", None, Some(&key_text(key)), unread()).await.expect("host");
    let shown = RoomCredentials { pin: Some("4711"), key: None };
    let hear = access.authorize(&visitor(2), Action::Hear, Target::Room(secret, shown)).await.expect("knows the PIN");
    let _listening = rooms.listen(secret, hear.granted(), "Kitchen tablet", ListenerKind::Client);
    host.host(crate::rooms::HostAction::Lock).expect("the host may");
    access.review();
    assert!(!hear.is_ended());
    assert_eq!(rooms.detail(secret).expect("there").listeners[0].name, "Kitchen tablet");
    let late = access.authorize(&visitor(3), Action::Hear, Target::Room(secret, shown)).await;
    assert_eq!(late.err(), Some(Denied::Room(JoinError::Locked)));
}

#[tokio::test]
async fn what_is_open_in_a_room_ends_with_it() {
    let (access, rooms, secret, key, _folder) = house().await;
    let shown = RoomCredentials { pin: Some("4711"), key: None };
    let hear = access.authorize(&visitor(2), Action::Hear, Target::Room(secret, shown)).await.expect("knows the PIN");
    rooms.close(visitor(1).asker(), "secret", Some(key)).expect("the host may");
    assert_eq!((access.review(), hear.is_ended()), (1, true));
}

fn key_text(key: ParticipantKey) -> String {
    serde_json::to_value(key).expect("a text").as_str().expect("a text").to_owned()
}

fn unread() -> crate::rooms::EventSender {
    crate::rooms::EventSender::new().0
}
