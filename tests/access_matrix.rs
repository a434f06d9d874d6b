//! Who may do what, as one table: every route and every message against every visitor, in every state of a room, at
//! every door. The cells are made from the table and asked of the daemon; a route without a row fails the test.
//!
//! The table is written here anew, and not taken from the daemon, which has its own in `src/access/action.rs`: what is to
//! be proved is that the two are the same.

#[path = "access_matrix/entities.rs"]
mod entities;
mod support;
#[path = "access_matrix/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use support::live::{PATIENCE, Participant, Sender, Signalling, loopback_config, sender_with, tone};
use table::{About, MESSAGES, MP3_ROUTES, ROUTES, SOME_ID};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use voice_relay::access::{Claims, Scope, Scopes, Tokens};
use voice_relay::app::App;
use voice_relay::data::DataFolder;
use voice_relay::hass::Home;

/// Where Home Assistant's proxy is in these tests; nobody else is admitted at its door.
const SUPERVISOR: [u8; 4] = [127, 0, 0, 3];

/// Of whom it is that was sent out of the attic.
const KICKED: [u8; 4] = [127, 0, 0, 4];

const PIN: &str = "4711";

/// What a token of a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Good {
    Yes,
    Expired,
    Revoked,
}

/// Somebody who asks.
#[derive(Debug, Clone)]
struct Asking {
    scopes: Vec<Scope>,
    /// The only room of their token.
    room: Option<&'static str>,
    /// `None`: no token.
    token: Option<(String, Good)>,
    /// Through Home Assistant's proxy.
    panel: bool,
}

impl Asking {
    fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// A room of a cell, and what is shown there.
#[derive(Debug, Clone)]
struct Place {
    room: &'static str,
    stream: String,
    pin: &'static str,
    is_open: bool,
    is_locked: bool,
    has_pin: bool,
    /// Whether whoever asks was sent out of it.
    from: [u8; 4],
}

/// The expected answer: 200 stands for whatever is said to those who may.
fn expected(needs: Option<Scope>, about: About, asking: &Asking, place: &Place) -> u16 {
    if asking.token.as_ref().is_some_and(|(_, good)| *good != Good::Yes) {
        return 401;
    }
    if needs.is_some_and(|scope| !asking.has(scope)) {
        return 401;
    }
    let elsewhere = asking.room.is_some_and(|only| only != place.room);
    let kicked = place.room == "attic" && place.from == KICKED;
    let pin_lacks = place.has_pin && place.pin != PIN;
    let refused = match about {
        About::Nothing | About::Confined => false,
        About::House => asking.room.is_some(),
        About::Hearing | About::Joining => elsewhere || kicked || place.is_locked || pin_lacks,
        About::OnPlayers => asking.room.is_some() || kicked || place.is_locked || place.has_pin,
        About::Looking => elsewhere || pin_lacks,
        About::Talking => elsewhere || kicked || !(place.is_open || asking.has(Scope::Share)),
        About::TalkingAnywhere => asking.room.is_some_and(|only| {
            let is_closed = ["secret", "locked"].contains(&only) && !asking.has(Scope::Share);
            is_closed || (only == "attic" && place.from == KICKED)
        }),
        About::AtHome => asking.room.is_some_and(|only| only != "home"),
        About::Hosting => elsewhere || !asking.has(Scope::Share),
    };
    if refused { 403 } else { 200 }
}

/// A daemon with rooms in every state, and those who keep them so.
struct House {
    app: App,
    folder: tempfile::TempDir,
    places: Vec<Place>,
    _people: Vec<Participant>,
    _senders: Vec<Sender>,
}

async fn house() -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let flags = ["--access=token", "--rooms-intercom=Kitchen,Attic", "--limits-wrong-tokens=1000000", &data];
    let home = Home { ingress_port: Some(0), supervisor: SUPERVISOR.into(), ..Home::default() };
    let app = App::start(&loopback_config(&flags), &home).expect("free ports");
    let tokens = Tokens::new(DataFolder::new(folder.path().into()));
    let token = signed(&tokens, Scopes::all(), None, Good::Yes);
    let mut senders = Vec::new();
    for room in ["home", "kitchen", "attic"] {
        senders.push(sender_with(app.ports, &format!("/t/{token}"), room, Some(tone(400.0))).await);
    }
    let (mut places, mut people) = (Vec::new(), Vec::new());
    let here = [127, 0, 0, 1];
    for (sender, room) in senders.iter().zip(["home", "kitchen", "attic"]) {
        let stream = sender.stream.clone();
        let open = Place { room, stream, pin: "", is_open: true, is_locked: false, has_pin: false, from: here };
        if room == "attic" {
            places.push(Place { from: KICKED, ..open.clone() });
        }
        places.push(open);
    }
    for (name, pin, lock) in [("secret", Some(PIN), false), ("locked", None, true)] {
        let (host, stream) = host(&app, &token, name, pin, lock).await;
        people.push(host);
        let place = |pin| Place {
            room: name,
            stream: stream.clone(),
            pin,
            is_open: false,
            is_locked: lock,
            has_pin: name == "secret",
            from: here,
        };
        places.push(place(""));
        if pin.is_some() {
            places.push(place(PIN));
        }
    }
    people.push(kick(&app, &token).await);
    House { app, folder, places, _people: people, _senders: senders }
}

/// Somebody who opened this room, and talks there; and their stream, which nobody is told of.
async fn host(app: &App, token: &str, name: &str, pin: Option<&str>, lock: bool) -> (Participant, String) {
    let wish = json!({ "roomName": name, "pin": pin }).to_string();
    let line = "POST /api/rooms";
    let (_, opened) = ask(app.ports.http, [127, 0, 0, 1], line, Some(&wish), &authorization(token)).await;
    let key = serde_json::from_str::<Value>(&opened).expect("JSON")["hostId"].clone();
    let before: Vec<_> = app.live().iter().map(|live| live.id).collect();
    let join = json!({ "type": "join", "room": name, "name": "Host", "key": key });
    let mut host = support::live::participant_at(app.ports, &format!("/t/{token}/ws"), join).await;
    host.talk().await;
    if lock {
        host.say(json!({ "type": "host", "action": "lock" })).await;
    }
    let limit = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(live) = app.live().iter().find(|live| !before.contains(&live.id)) {
            return (host, live.id.to_string());
        }
        assert!(std::time::Instant::now() < limit, "the host is not heard");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sends whoever is at that address out of the attic.
async fn kick(app: &App, token: &str) -> Participant {
    let join = |name: &str| json!({ "type": "join", "room": "attic", "name": name });
    let mut admin = support::live::participant_at(app.ports, &format!("/t/{token}/ws"), join("Admin")).await;
    let mut guest = Signalling::connect_from(KICKED, app.ports.http, &format!("/t/{token}/ws")).await;
    guest.send(join("Guest")).await;
    let who = guest.expect("joined").await["you"].as_str().expect("an id").to_owned();
    admin.host("kick", &who).await;
    guest.expect("removed").await;
    admin
}

fn signed(tokens: &Tokens, scopes: Scopes, room: Option<&str>, good: Good) -> String {
    let now = SystemTime::now();
    let (from, life) = match good {
        Good::Expired => (now - Duration::from_secs(100), Duration::from_secs(50)),
        _ => (now, Duration::from_secs(3_600)),
    };
    let claims = Claims::new(scopes, room.map(str::to_owned), None, from, life);
    let token = tokens.sign(&claims).expect("signed");
    if good == Good::Revoked {
        tokens.revoke(claims.jti).expect("revoked");
    }
    token
}

/// Everybody who can ask at the main port: no token, and tokens of each scope, of two, of all, for the house, for the
/// kitchen and for the room with the PIN, good and void.
fn visitors(tokens: &Tokens) -> Vec<Asking> {
    let mut sets: Vec<Vec<Scope>> = Scope::ALL.iter().map(|scope| vec![*scope]).collect();
    sets.push(vec![Scope::Listen, Scope::Talk]);
    sets.push(Scope::ALL.to_vec());
    let mut visitors = vec![Asking { scopes: vec![], room: None, token: None, panel: false }];
    for scopes in sets {
        for room in [None, Some("kitchen"), Some("secret")] {
            for good in [Good::Yes, Good::Expired, Good::Revoked] {
                // What a void token said is all the same: once is enough.
                if good != Good::Yes && (scopes.len() < Scope::ALL.len() || room == Some("secret")) {
                    continue;
                }
                let token = signed(tokens, scopes.iter().copied().collect(), room, good);
                visitors.push(Asking { scopes: scopes.clone(), room, token: Some((token, good)), panel: false });
            }
        }
    }
    visitors
}

fn authorization(token: &str) -> Vec<String> {
    vec![format!("Authorization: Bearer {token}")]
}

/// The status, and the body.
async fn ask(to: SocketAddr, from: [u8; 4], line: &str, body: Option<&str>, headers: &[String]) -> (u16, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((from, 0))).expect("an address of the loopback");
    let mut stream = socket.connect(to).await.expect("a listening port");
    let kind = match line {
        _ if line.contains("/session/") => "application/trickle-ice-sdpfrag",
        _ if line.contains(" /whip/") || line.contains(" /whep/") => "application/sdp",
        _ => "application/json",
    };
    let length = body.map(|body| format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len()));
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let head = format!("{line} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n{headers}{}", length.unwrap_or_default());
    let request = format!("{head}\r\n{}", body.unwrap_or_default());
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status.unwrap_or_else(|| panic!("no answer to {line}: {answer:?}")), body)
}

/// A row's text in a cell.
fn filled(text: &str, place: &Place) -> String {
    let text = text.replace("{room}", place.room).replace("{stream}", &place.stream).replace("{id}", SOME_ID);
    if place.pin.is_empty() { text.replace("?pin={pin}", "") } else { text.replace("{pin}", place.pin) }
}

/// Whether this answer says that somebody may; 200 then.
fn verdict(status: u16) -> u16 {
    if matches!(status, 401 | 403) { status } else { 200 }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_everybody_as_the_table_says() {
    let House { app, folder, places, _people, _senders } = &house().await;
    let visitors = visitors(&Tokens::new(DataFolder::new(folder.path().into())));
    let panel = Asking { scopes: Scope::ALL.to_vec(), room: None, token: None, panel: true };
    let ports = app.ports;
    let (mut cells, mut wrong) = (0, Vec::new());
    for row in ROUTES {
        let is_of_room = row.line.contains("{room}") || row.line.contains("{stream}");
        let is_of_room = is_of_room || row.body.is_some_and(|body| body.contains("{room}"));
        for place in places.iter().filter(|place| is_of_room || place.room == "kitchen") {
            // What would close the rooms of the others is tried on one that is empty and stays.
            if row.about == About::Hosting && place.room != "kitchen" && place.room != "secret" {
                continue;
            }
            let line = filled(row.line, place);
            let body = row.body.map(|body| filled(body, place));
            let path = line.split_once(' ').expect("a method and a path").1;
            let is_of_mp3 = MP3_ROUTES.iter().any(|prefix| path.starts_with(prefix));
            let mut doors = vec![(ports.http, false)];
            doors.extend(is_of_mp3.then_some((ports.mp3, false)));
            doors.push((ports.ingress.expect("a panel"), true));
            for (door, is_panel) in doors {
                let asking: Vec<_> = if is_panel { vec![&panel] } else { visitors.iter().collect() };
                for asking in asking {
                    if row.about == About::Hosting && place.room == "secret" && asking.has(Scope::Share) {
                        continue;
                    }
                    let from = if asking.panel { SUPERVISOR } else { place.from };
                    let place = &Place { from, ..place.clone() };
                    let headers = asking.token.as_ref().map(|(token, _)| authorization(token)).unwrap_or_default();
                    let (status, said) = ask(door, from, &line, body.as_deref(), &headers).await;
                    let wanted = expected(row.needs, row.about, asking, place);
                    let besides = expected(row.also, About::Nothing, asking, place);
                    // Of two reasons to refuse it one is told.
                    let refused = [wanted, besides].into_iter().filter(|status| *status != 200).collect::<Vec<_>>();
                    let is_right = match &*refused {
                        [] => verdict(status) == 200,
                        reasons => reasons.contains(&status),
                    };
                    cells += 1;
                    if !is_right || status >= 500 && status != 503 {
                        wrong.push(format!(
                            "{line} from {from:?} by {asking:?}: {status}, not {wanted} and {besides}: {said}"
                        ));
                    }
                }
            }
        }
    }
    println!("{cells} cells of routes");
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong[..wrong.len().min(30)].join("\n"));
    assert!(cells > 2_000, "{cells}");
}

/// A message of this type in a cell.
fn message(kind: &str, place: &Place) -> Value {
    let pin = Some(place.pin).filter(|pin| !pin.is_empty());
    match kind {
        "start_sending" => json!({ "type": kind, "room": place.room }),
        "start_receiving" => json!({ "type": kind, "stream_id": place.stream }),
        "join" => json!({ "type": kind, "room": place.room, "name": "x", "pin": pin }),
        "watch_rooms" | "talk" | "music" => json!({ "type": kind, "on": true }),
        "webrtc_offer" => json!({ "type": kind, "offer": { "type": "offer", "sdp": "" } }),
        "webrtc_answer" => json!({ "type": kind, "answer": { "type": "answer", "sdp": "" } }),
        "offer" | "video_offer" => json!({ "type": kind, "sdp": "" }),
        "show" => json!({ "type": kind, "kind": "camera", "on": true }),
        "view" => json!({ "type": kind, "tiles": [] }),
        "listen" => json!({ "type": kind, "who": "all" }),
        "station" => json!({ "type": kind, "name": "" }),
        "ring" => json!({ "type": kind, "to": ["nobody"] }),
        "quiet_hours" => json!({ "type": kind, "hours": null }),
        "answer_call" | "hang_up" => json!({ "type": kind, "call": SOME_ID }),
        "record_voice_message" => {
            json!({ "type": kind, "to": "nobody", "offer": { "type": "offer", "sdp": "" } })
        }
        "chat" => json!({ "type": kind, "text": "x" }),
        "host" => json!({ "type": kind, "action": "lock" }),
        kind => json!({ "type": kind }),
    }
}

/// Whether a client's request was let through, by what it was told until the answer to a ping.
async fn is_let_through(signalling: &mut Signalling, message: Value) -> (bool, Vec<Value>) {
    // By ids, the older protocol has no PIN to show.
    let is_by_id = message["type"] == "start_receiving";
    signalling.send(message).await;
    signalling.send(json!({ "type": "ping" })).await;
    let mut told = Vec::new();
    loop {
        let frame = signalling.next().await.expect("an open socket");
        if frame["type"] == "pong" {
            break;
        }
        told.push(frame);
    }
    let refusals = ["not_permitted", "pin_needed", "wrong_pin", "locked", "kicked"];
    let is_refusal = |frame: &Value| {
        let code = frame["code"].as_str().unwrap_or_default();
        refusals.contains(&code) || is_by_id && code == "no_stream"
    };
    (!told.iter().any(is_refusal), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_is_answered_to_everybody_as_the_table_says() {
    let House { app, folder, places, _people, _senders } = &house().await;
    let visitors = visitors(&Tokens::new(DataFolder::new(folder.path().into())));
    let (mut cells, mut wrong) = (0, Vec::new());
    for (kind, needs, about) in MESSAGES {
        let is_of_room = !matches!(about, About::Nothing | About::Confined | About::AtHome);
        for place in places.iter().filter(|place| is_of_room || place.room == "kitchen") {
            for asking in &visitors {
                let Some((token, Good::Yes)) = &asking.token else { continue };
                // Whoever may neither listen nor talk is not connected at all.
                if !asking.has(Scope::Listen) && !asking.has(Scope::Talk) {
                    continue;
                }
                let mut signalling =
                    Signalling::connect_from(place.from, app.ports.http, &format!("/t/{token}/ws")).await;
                let (let_through, told) = is_let_through(&mut signalling, message(kind, place)).await;
                // In words of the older protocol a PIN cannot be shown.
                let shown = if *kind == "start_receiving" { Place { pin: "", ..place.clone() } } else { place.clone() };
                let wanted = expected(*needs, *about, asking, &shown) == 200;
                cells += 1;
                if let_through != wanted {
                    wrong.push(format!("{kind} in {place:?} by {asking:?}: {let_through}, not {wanted}: {told:?}"));
                }
            }
        }
    }
    println!("{cells} cells of messages");
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong[..wrong.len().min(30)].join("\n"));
    assert!(cells > 400, "{cells}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_for_one_room_is_told_of_that_one_alone() {
    let House { app, folder, places, _people, _senders } = &house().await;
    let tokens = Tokens::new(DataFolder::new(folder.path().into()));
    let token = signed(&tokens, Scopes::all(), Some("kitchen"), Good::Yes);
    let (_, rooms) = ask(app.ports.http, [127, 0, 0, 1], "GET /api/rooms", None, &authorization(&token)).await;
    let rooms = serde_json::from_str::<Value>(&rooms).expect("JSON");
    let ids: Vec<_> = rooms["rooms"].as_array().expect("a list").iter().map(|room| room["id"].clone()).collect();
    assert_eq!(ids, ["kitchen"]);
    let mut signalling = Signalling::connect_from([127, 0, 0, 1], app.ports.http, &format!("/t/{token}/ws")).await;
    assert_eq!(signalling.expect("available_streams").await["streams"], json!([]), "those at home are not for it");
    signalling.send(json!({ "type": "watch_rooms", "on": true })).await;
    let watched = signalling.expect("rooms").await;
    assert_eq!(
        watched["rooms"].as_array().map(|rooms| (rooms.len(), rooms[0]["id"].clone())),
        Some((1, "kitchen".into()))
    );
    let home = places.iter().find(|place| place.room == "home").expect("a home");
    for message in
        [json!({ "type": "start_receiving" }), json!({ "type": "start_receiving", "stream_id": home.stream })]
    {
        assert!(!is_let_through(&mut signalling, message).await.0);
    }
}

#[test]
fn every_route_that_is_documented_and_every_message_has_its_row() {
    let documented = std::fs::read_to_string("docs/openapi.yaml").expect("read");
    let documented: serde_yaml_ng::Value = serde_yaml_ng::from_str(&documented).expect("YAML");
    let plain = |path: &str| -> String {
        let path = path.split('?').next().expect("a path");
        let parts = path.split('/').map(|part| if part.contains('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let rows: BTreeSet<String> = ROUTES
        .iter()
        .map(|row| {
            let (method, path) = row.line.split_once(' ').expect("a method and a path");
            format!("{method} {}", plain(&path.replace(SOME_ID, "{}")))
        })
        .collect();
    let methods = ["get", "put", "post", "delete", "patch"];
    let mut missing = Vec::new();
    for (path, operations) in documented["paths"].as_mapping().expect("paths") {
        for method in methods.iter().filter(|method| operations.get(**method).is_some()) {
            let route = format!("{} {}", method.to_uppercase(), plain(path.as_str().expect("a text")));
            if !rows.contains(&route) {
                missing.push(route);
            }
        }
    }
    assert!(missing.is_empty(), "no row says who may do this: {missing:?}");
    let told: BTreeSet<_> = MESSAGES.iter().map(|(kind, ..)| *kind).collect();
    let all: BTreeSet<_> = voice_relay::http::fuzzing::message_types().iter().copied().collect();
    assert_eq!(told, all);
}

#[tokio::test]
async fn the_panels_door_is_closed_to_all_but_the_supervisor() {
    let home = Home { ingress_port: Some(0), supervisor: SUPERVISOR.into(), ..Home::default() };
    let app = App::start(&loopback_config(&[]), &home).expect("free ports");
    let port = app.ports.ingress.expect("a panel");
    let (status, _) = ask(port, SUPERVISOR, "GET /health", None, &[]).await;
    assert_eq!(status, 200);
    for elsewhere in [[127, 0, 0, 1], KICKED] {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((IpAddr::from(elsewhere), 0))).expect("an address of the loopback");
        let mut stream = socket.connect(port).await.expect("accepted by the kernel");
        let _ = stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{elsewhere:?}");
    }
    app.stop().await;
}
