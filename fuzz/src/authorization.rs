//! Random acts of random visitors, in rooms that are opened, locked, left and closed meanwhile. Whatever the order, nobody
//! holds a permit that they must not have.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use voice_relay::access::{Access, Action, Claims, Permit, RoomCredentials, Scope, Scopes, Target, Tokens, Visitor};
use voice_relay::data::DataFolder;
use voice_relay::domain::RoomId;
use voice_relay::rooms::{
    Asker, EventSender, HostAction, ListenerKind, Listening, Membership, Order, RoomKind, Rooms, RoomsHandle,
    RoomsSettings,
};

/// The PIN of every room that has one.
const PIN: &str = "4711";

/// Addresses of those who ask.
const VISITORS: u8 = 4;

/// Rooms that are always there, besides the one with the PIN.
const ROOMS: [&str; 3] = ["home", "kitchen", "stage"];

const ACTIONS: [Action; 22] = [
    Action::SeePage,
    Action::Connect,
    Action::Hear,
    Action::Talk,
    Action::TalkInside,
    Action::Join,
    Action::Announce,
    Action::SeeAnnouncements,
    Action::Look,
    Action::ListRooms,
    Action::OpenRoom,
    Action::CloseRoom,
    Action::ListStreams,
    Action::TurnStream,
    Action::ReadInfo,
    Action::ReadMetrics,
    Action::ReadSound,
    Action::TurnSound,
    Action::ReadClips,
    Action::DeleteClip,
    Action::ReadFiles,
    Action::MakeToken,
];

/// What somebody does.
#[derive(Debug, Arbitrary)]
enum Act {
    /// Asks for something.
    Ask { who: u8, token: u8, action: u8, room: u8, pin: u8 },
    /// Gets a token of these scopes, for a room or for all.
    Sign { scopes: u8, room: u8 },
    /// Takes one back.
    Revoke { token: u8 },
    /// Joins a room.
    Join { who: u8, room: u8, pin: u8 },
    /// Does something in a room as one who may do everything there.
    Host { action: u8, member: u8, listener: bool },
    /// Leaves a room.
    Leave { member: u8 },
    /// Gives up what it holds.
    Drop { permit: u8 },
}

/// What is held, and what it was given for.
struct Held {
    permit: Permit,
    visitor: Visitor,
    room: Option<RoomId>,
    _listening: Option<Listening>,
}

struct Scene {
    access: Access,
    rooms: RoomsHandle,
    orders: tokio::sync::mpsc::Receiver<Order>,
    tokens: Vec<(Claims, bool)>,
    members: Vec<Membership>,
    held: Vec<Held>,
}

thread_local! {
    static PLACE: (Runtime, TempDir) =
        (Builder::new_current_thread().build().expect("a runtime"), tempfile::tempdir().expect("a folder"));
}

/// A script of acts.
pub fn authorization(data: &[u8]) {
    PLACE.with(|(runtime, folder)| runtime.block_on(play(data, folder)));
}

async fn play(data: &[u8], folder: &TempDir) {
    let mut scene = Scene::new(folder).await;
    let mut bytes = Unstructured::new(data);
    while let Ok(act) = Act::arbitrary(&mut bytes) {
        if bytes.is_empty() {
            break;
        }
        scene.act(act).await;
        scene.follow();
        scene.check();
    }
}

impl Scene {
    async fn new(folder: &TempDir) -> Self {
        let house = RoomsSettings {
            home: "Home".into(),
            intercom: vec!["Kitchen".into()],
            broadcast: vec!["Stage".into()],
            max: 2,
            intercom_size: 10,
            broadcast_size: 10,
            share: 25,
        };
        let rooms = RoomsHandle::new(Rooms::new(house, Instant::now(), SystemTime::now()));
        let orders = rooms.orders();
        let pin = PIN.parse().expect("a PIN");
        rooms.open("Secret".into(), RoomKind::Intercom, Some(pin), None, None).await.expect("opened");
        let access = Access::new(Tokens::new(DataFolder::new(folder.path().into())), rooms.clone());
        Self { access, rooms, orders, tokens: vec![], members: vec![], held: vec![] }
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Ask { who, token, action, room, pin } => self.ask(who, token, action, room, pin).await,
            Act::Sign { scopes, room } if self.tokens.len() < 8 => {
                let scopes: Scopes = Scope::ALL
                    .into_iter()
                    .enumerate()
                    .filter(|(bit, _)| scopes >> bit & 1 == 1)
                    .map(|it| it.1)
                    .collect();
                let room = ROOMS.get(usize::from(room) % 5).map(ToString::to_string);
                let claims = Claims::new(scopes, room, None, SystemTime::now(), Duration::from_secs(600));
                self.tokens.push((claims, true));
            }
            Act::Revoke { token } if !self.tokens.is_empty() => {
                let place = usize::from(token) % self.tokens.len();
                self.tokens[place].1 = false;
                self.access.revoke(self.tokens[place].0.jti).expect("written");
            }
            Act::Join { who, room, pin } if self.members.len() < 8 => {
                let asker = visitor(who, None).asker();
                let room = Self::slug(room);
                if let Ok(member) = self.rooms.join(asker, room, "x", shown(pin), None, EventSender::new().0).await {
                    self.members.push(member);
                }
            }
            Act::Host { action, member, listener } => self.host(action, member, listener),
            Act::Leave { member } if !self.members.is_empty() => {
                self.members.swap_remove(usize::from(member) % self.members.len()).leave();
            }
            Act::Drop { permit } if !self.held.is_empty() => {
                self.held.swap_remove(usize::from(permit) % self.held.len());
            }
            _ => {}
        }
    }

    async fn ask(&mut self, who: u8, token: u8, action: u8, room: u8, pin: u8) {
        let token = self.tokens.get(usize::from(token) % 9);
        let visitor = visitor(who, token.map(|(claims, _)| claims));
        let is_void = token.is_some_and(|(_, good)| !good);
        let action = ACTIONS[usize::from(action) % ACTIONS.len()];
        let slug = Self::slug(room);
        let Some(room) = self.rooms.find(slug) else { return };
        let is_of_room = matches!(
            action,
            Action::Hear | Action::Talk | Action::Join | Action::Announce | Action::Look | Action::TurnStream
        );
        let pin = shown(pin);
        let target = if is_of_room { Target::Room(room, RoomCredentials { pin, key: None }) } else { Target::House };
        let Ok(permit) = self.access.authorize(&visitor, action, target).await else { return };
        assert!(!is_void, "a token that was revoked is good for {action:?}");
        assert!(!is_of_room || visitor.may_enter(slug), "a token for one room is good in another");
        let in_room = is_of_room.then_some(room);
        assert_eq!(permit.room(), in_room);
        let info = self.rooms.detail(room).expect("there").room;
        match action {
            Action::Hear | Action::TurnStream => {
                assert!(!info.locked, "a locked room is heard");
                assert!(!info.pin || pin == Some(PIN), "a room is heard without its PIN");
            }
            Action::Look => assert!(!info.pin || pin == Some(PIN), "a room is looked into without its PIN"),
            Action::Talk | Action::Announce => {
                let is_open = !info.locked && !info.pin && info.kind == RoomKind::Intercom;
                assert!(is_open || visitor.scopes.contains(Scope::Share), "a room that is not open is talked in");
            }
            _ => {}
        }
        let is_heard = action == Action::Hear;
        let listen = || self.rooms.listen(room, permit.granted(), "x", ListenerKind::Player);
        let listening = if is_heard { listen() } else { None };
        if self.held.len() < 16 {
            self.held.push(Held { permit, visitor, room: in_room, _listening: listening });
        }
    }

    fn host(&mut self, action: u8, member: u8, listener: bool) {
        if self.members.is_empty() {
            return;
        }
        let member = &self.members[usize::from(member) % self.members.len()];
        let room = member.joined().room;
        let Some(detail) = self.rooms.detail(room) else { return };
        let who = match (listener, detail.listeners.first(), detail.participants.first()) {
            (true, Some(listener), _) => listener.id,
            (_, _, Some(participant)) => participant.id,
            _ => return,
        };
        let action = match action % 6 {
            0 => HostAction::Mute { who },
            1 => HostAction::Unmute { who },
            2 => HostAction::Kick { who },
            3 => HostAction::Lock,
            4 => HostAction::Unlock,
            _ => HostAction::Claim,
        };
        let _ = member.host(action);
    }

    /// What the rooms order, as the daemon does it.
    fn follow(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            if let Order::End(grant) = order {
                self.access.end(grant);
            }
        }
        self.access.review();
    }

    /// What must hold of all that is held.
    fn check(&self) {
        for Held { permit, visitor, room, .. } in &self.held {
            if permit.is_ended() {
                continue;
            }
            let token = visitor.token.and_then(|token| self.tokens.iter().find(|(claims, _)| claims.jti == token.id));
            assert!(token.is_none_or(|(_, good)| *good), "what was opened by a token outlives it");
            if let (Some(room), true) = (room, permit.is_for(Action::Hear)) {
                let asker: Asker = visitor.asker();
                assert!(self.rooms.may_stay(&asker, *room), "whoever was sent out hears on");
            }
        }
    }

    fn slug(room: u8) -> &'static str {
        ROOMS.get(usize::from(room) % 4).copied().unwrap_or("secret")
    }
}

fn visitor(who: u8, token: Option<&Claims>) -> Visitor {
    let address = IpAddr::from([10, 0, 0, who % VISITORS + 1]);
    match token {
        Some(claims) => {
            Visitor { room: claims.room.clone(), token: Some(claims.id()), ..Visitor::at(address, claims.scope) }
        }
        None => Visitor::at(address, Scopes::household()),
    }
}

fn shown(pin: u8) -> Option<&'static str> {
    [None, Some("0000"), Some(PIN)][usize::from(pin) % 3]
}
