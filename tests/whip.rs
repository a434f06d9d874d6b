//! WHIP (RFC 9725) and WHEP against the real daemon: one request to send, one to hear.

mod support;

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;
use support::http::{Answer, get, post_json};
use support::live::{
    PATIENCE, Peer, metric_becomes, participant, program, receiver, sender_in, start, start_program, tone, url,
};
use support::sound::{Player, usual_share_at};
use support::whip::{SDP, Session, send};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use voice_relay::app::{App, Ports};

const TONE_HZ: f64 = 440.0;

/// The ids of the streams that are live at home, once there are so many.
async fn streams(ports: Ports, count: usize) -> Vec<String> {
    let limit = Instant::now() + PATIENCE;
    loop {
        let live = get(ports.mp3, "/stream/status").await.json()["active_streams"].clone();
        let live: Vec<String> = serde_json::from_value(live).expect("a list");
        if live.len() == count {
            return live;
        }
        assert!(Instant::now() < limit, "{live:?} are not {count}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An offer that is never answered.
async fn some_offer(hears: bool) -> String {
    let peer = Peer::new(0.0).await;
    peer.with(move |client, _| if hears { client.offer_to_hear(1) } else { client.offer(false) }).await
}

fn is_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
}

/// Nothing is left of what there was.
async fn is_empty(ports: Ports) {
    for name in ["whip_sessions", "whep_sessions", "peers", "streams", "receivers"] {
        metric_becomes(ports, name, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_by_whip_is_heard_by_whep_and_by_mp3_and_by_the_older_protocol() {
    let app = start(&[]);
    let sends = Session::publish(app.ports, "/whip/Radio%20Kitchen", Some(tone(TONE_HZ))).await;
    let stream = streams(app.ports, 1).await.remove(0);
    let named = get(app.ports.http, "/api/streams").await.json();
    assert_eq!(named["streams"][0]["name"], "Radio Kitchen");
    let mut hears = Vec::new();
    for path in ["/whep/latest", &format!("/whep/{stream}"), "/whep/home", "/whep/Radio%20Kitchen"] {
        hears.push(Session::hear(app.ports, path, 1).await);
    }
    let (_signalling, older) = receiver(app.ports, None).await;
    for session in &hears {
        session.peer.wait_for_packets(20).await;
    }
    older.wait_for_packets(20).await;
    let heard = Player::Ffmpeg.hear(&url(&app, "latest.mp3"), 2.0).await;
    assert!(usual_share_at(TONE_HZ, &heard[48_000..heard.len() - 4_800]) > 0.9);
    for session in hears.iter().chain([&sends]) {
        assert_eq!(session.end().await, 200);
        assert_eq!(session.end().await, 404, "it is over");
    }
    is_empty(app.ports).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_into_a_room_is_heard_there_and_who_hears_it_has_a_slot_for_each_who_talks() {
    let app = start(&[]);
    let room = post_json(app.ports.http, "/api/rooms", &json!({ "roomName": "Studio One" })).await.json();
    let id = room["roomId"].as_str().expect("an id").to_owned();
    let hears = Session::hear(app.ports, &format!("/whep/{id}"), 2).await;
    let mut member = participant(app.ports, json!({ "type": "join", "room": id, "name": "Mia" })).await;
    let _sends = Session::publish(app.ports, "/whip/studio%20one?name=Desk", None).await;
    member.peer.wait_for_packets(10).await;
    let joined = member.signalling.expect("participant_joined").await;
    assert_eq!(joined["participant"]["name"], "Desk");
    let _second = sender_in(app.ports, &id, None).await;
    let limit = Instant::now() + PATIENCE;
    loop {
        let sources = hears.peer.with(|client, _| {
            let mut sources: Vec<_> = client.received.iter().map(|packet| packet.ssrc).collect();
            sources.sort_unstable();
            sources.dedup();
            sources.len()
        });
        if sources.await == 2 {
            break;
        }
        assert!(Instant::now() < limit, "two are heard in two slots");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(streams(app.ports, 0).await.is_empty(), "nobody talks at home");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_says_what_the_rfc_asks_for() {
    let app = start(&[]);
    let answer = send(app.ports.http, "POST /whip/home", &[SDP], &some_offer(false).await).await;
    assert_eq!(answer.status, 201);
    assert!(answer.header("location").is_some_and(|it| it.starts_with("/whip/session/")), "{}", answer.head);
    assert_eq!(answer.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
    assert_eq!(answer.header("access-control-expose-headers"), Some("location, etag, link, accept-patch, accept-post"));
    assert_eq!(answer.header("link"), None, "there are no ICE servers");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let sdp = answer.text();
    assert!(sdp.contains("a=recvonly") && sdp.contains("a=setup:passive") && sdp.contains("a=ice-lite"), "{sdp}");
    assert!(sdp.contains("a=candidate:") && sdp.contains("a=end-of-candidates"), "{sdp}");
    let both = some_offer(false).await.replace("a=sendonly", "a=sendrecv");
    let answer =
        send(app.ports.http, "POST /whip/home", &["Content-Type: application/SDP; charset=utf-8"], &both).await;
    assert!(answer.status == 201 && answer.text().contains("a=recvonly"), "{}", answer.text());
    app.stop().await;
}

#[tokio::test]
async fn a_session_is_told_more_candidates_and_only_for_its_present_paths() {
    let app = start(&[]);
    let session = Session::publish(app.ports, "/whip/home", None).await;
    let candidate = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n";
    let present = format!("If-Match: {}", session.tag);
    let noted = session.patch(&[&present], candidate).await;
    assert_eq!((noted.status, noted.text().as_str()), (204, ""));
    assert_eq!(session.patch(&[], candidate).await.status, 204, "as many clients send them");
    assert_eq!(session.patch(&[], "a=\r\na=candidate:1\r\n").await.status, 204);
    let anew = "a=ice-ufrag:newer\r\na=ice-pwd:0123456789abcdefghijkl\r\n";
    is_problem(&session.patch(&[], anew).await, 428);
    for other in ["If-Match: \"other\"", "If-Match: W/\"weak\"", "If-Match: no tag"] {
        is_problem(&session.patch(&[other], candidate).await, 412);
    }
    is_problem(&session.patch(&[&present], "{}").await, 400);
    is_problem(&session.patch(&[&present], &"a=candidate:1\r\n".repeat(65)).await, 400);
    is_problem(&session.patch(&[&present], &"a=x\r\n".repeat(4_000)).await, 413);
    let wrong = send(app.ports.http, &format!("PATCH {}", session.location), &[SDP, &present], candidate).await;
    is_problem(&wrong, 415);
    assert_eq!(wrong.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
    metric_becomes(app.ports, "whip_candidates", 3).await;
    session.end().await;
    is_problem(&session.patch(&[&present], candidate).await, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ice_is_restarted_by_a_fragment_and_the_session_goes_on() {
    let app = start(&[]);
    let mut sends = Session::publish(app.ports, "/whip/home", None).await;
    streams(app.ports, 1).await;
    let mut hears = Session::hear(app.ports, "/whep/latest", 1).await;
    let mut in_room = Session::hear(app.ports, "/whep/home", 2).await;
    for session in [&hears, &in_room] {
        session.peer.wait_for_packets(5).await;
    }
    for session in [&mut sends, &mut hears, &mut in_room] {
        let before = session.tag.clone();
        session.restart().await;
        assert_ne!(session.tag, before);
        assert_eq!(session.patch(&[&format!("If-Match: {before}")], "a=end-of-candidates\r\n").await.status, 412);
        let present = format!("If-Match: {}", session.tag);
        assert_eq!(session.patch(&[&present], "a=end-of-candidates\r\n").await.status, 204);
    }
    for session in [&hears, &in_room] {
        let so_far = session.peer.packets_received().await;
        session.peer.wait_for_packets(so_far + 50).await;
    }
    assert!(sends.peer.with(|client, _| client.connected && !client.closed).await);
    metric_becomes(app.ports, "whip_restarted", 3).await;
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_the_reason() {
    let app = start(&["--limits-message-bytes=8192"]);
    let http = app.ports.http;
    let (sends, hears) = (some_offer(false).await, some_offer(true).await);
    let wrong = send(http, "POST /whip/home", &["Content-Type: application/json"], &sends).await;
    is_problem(&wrong, 415);
    assert_eq!(wrong.header("accept-post"), Some("application/sdp"));
    is_problem(&send(http, "POST /whip/home", &[], &sends).await, 415);
    is_problem(&send(http, "POST /whip/home", &[SDP], "no description").await, 400);
    is_problem(&send(http, "POST /whip/home", &[SDP], &"v=0\r\n".repeat(2_000)).await, 413);
    is_problem(&send(http, "POST /whip/home", &[SDP], &hears).await, 422);
    is_problem(&send(http, "POST /whep/home", &[SDP], &sends).await, 422);
    is_problem(&send(http, "POST /whip/", &[SDP], &sends).await, 404);
    let unknown = "stream_00000000-0000-0000-0000-000000000007";
    for name in [unknown, "nowhere", "session/7", "a/b", ""] {
        is_problem(&send(http, &format!("POST /whep/{name}"), &[SDP], &hears).await, 404);
    }
    let early = send(http, "POST /whep/latest", &[SDP], &hears).await;
    is_problem(&early, 409);
    assert!(early.header("retry-after").is_some(), "it may ask again");
    for method in ["GET", "PUT"] {
        let refused = send(http, &format!("{method} /whip/home"), &[], "").await;
        is_problem(&refused, 405);
        assert_eq!(refused.header("allow"), Some("post, options"));
        let id = "/whep/session/00000000-0000-0000-0000-000000000007";
        is_problem(&send(http, &format!("{method} {id}"), &[], "").await, 405);
    }
    is_problem(&send(http, "DELETE /whip/session/no-id", &[], "").await, 404);
    let stats = get(http, "/metrics").await.text();
    assert!(stats.contains("voice_relay_whip_published_total 0"), "nothing was taken");
    is_empty(app.ports).await;
    app.stop().await;
}

#[tokio::test]
async fn programs_and_browsers_may_ask_what_an_address_takes() {
    let app = start(&[]);
    let preflight = [
        "Origin: http://homeassistant.local:8123",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type,authorization",
    ];
    let endpoint = send(app.ports.http, "OPTIONS /whip/home", &preflight, "").await;
    assert_eq!(endpoint.status, 204);
    assert_eq!(endpoint.header("accept-post"), Some("application/sdp"));
    assert_eq!(endpoint.header("access-control-allow-origin"), Some("http://homeassistant.local:8123"));
    assert_eq!(endpoint.header("access-control-allow-headers"), Some("authorization, content-type, if-match"));
    let id = "/whep/session/00000000-0000-0000-0000-000000000007";
    let session = send(app.ports.http, &format!("OPTIONS {id}"), &preflight, "").await;
    assert_eq!(session.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
    assert_eq!(session.header("access-control-allow-methods"), Some("patch, delete, options"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_its_holders_alone_and_is_forgotten_when_its_peer_is_gone() {
    let app = start(&[]);
    let sends = Session::publish(app.ports, "/whip/home", None).await;
    streams(app.ports, 1).await;
    let hears = Session::hear(app.ports, "/whep/latest", 1).await;
    hears.peer.wait_for_packets(5).await;
    let by_the_other = sends.location.replace("/whip/", "/whep/");
    assert_eq!(send(app.ports.http, &format!("DELETE {by_the_other}"), &[], "").await.status, 404);
    sends.peer.with(|client, _| client.close()).await;
    is_empty(app.ports).await;
    assert_eq!((sends.end().await, hears.end().await), (404, 404));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_peers_streams_and_joins_hold() {
    let app = start(&["--limits-peers=2", "--limits-streams=1"]);
    let _sends = Session::publish(app.ports, "/whip/home", None).await;
    // Its place is taken with its first packet.
    metric_becomes(app.ports, "streams", 1).await;
    let second = send(app.ports.http, "POST /whip/home", &[SDP], &some_offer(false).await).await;
    is_problem(&second, 503);
    assert!(second.header("retry-after").is_some());
    let _hears = Session::hear(app.ports, "/whep/home", 1).await;
    for path in ["/whep/home", "/whip/home"] {
        let third =
            send(app.ports.http, &format!("POST {path}"), &[SDP], &some_offer(path == "/whep/home").await).await;
        is_problem(&third, 503);
    }
    app.stop().await;
    let app = start(&["--limits-joins=2"]);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(send(app.ports.http, "POST /whip/home", &[SDP], &some_offer(false).await).await.status);
    }
    assert_eq!(statuses, [201, 201, 429]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_permits_what_it_says_and_stays_in_the_address_that_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let (_daemon, ports) = start_program(&["--access=token", &data]).await;
    let make = async |arguments: &[&str]| {
        let output = program().arg("token").args(arguments).arg(&data).output().await.expect("run");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().next().expect("a token").to_owned()
    };
    let (talks, listens) = (make(&["--scope=talk"]).await, make(&["--scope=listen"]).await);
    let elsewhere = make(&["--scope=talk,listen", "--room=nowhere"]).await;
    let (sends, hears) = (some_offer(false).await, some_offer(true).await);
    let ask = async |path: &str, token: Option<&str>, offer: &str| {
        let bearer = token.map(|token| format!("Authorization: Bearer {token}"));
        let headers: Vec<_> = [SDP].into_iter().chain(bearer.as_deref()).collect();
        send(ports.http, &format!("POST {path}"), &headers, offer).await
    };
    let refused = ask("/whip/home", None, &sends).await;
    is_problem(&refused, 401);
    assert_eq!(refused.header("www-authenticate"), Some("bearer"));
    is_problem(&ask("/whip/home", Some(&listens), &sends).await, 401);
    is_problem(&ask("/whep/home", Some(&talks), &hears).await, 401);
    is_problem(&ask("/whip/home", Some(&elsewhere), &sends).await, 403);
    is_problem(&ask("/whip/radio", Some(&elsewhere), &sends).await, 403);
    is_problem(&ask("/whep/home", Some(&elsewhere), &hears).await, 403);
    assert_eq!(ask("/whep/home", Some(&listens), &hears).await.status, 201);
    let bearer = format!("Authorization: Bearer {talks}");
    let made = ask("/whip/home", Some(&talks), &sends).await;
    let location = made.header("location").expect("an address").to_owned();
    is_problem(&send(ports.http, &format!("DELETE {location}"), &[], "").await, 401);
    assert_eq!(send(ports.http, &format!("DELETE {location}"), &[&bearer], "").await.status, 200);
    let made = ask(&format!("/t/{talks}/whip/home"), None, &sends).await;
    let location = made.header("location").expect("an address").to_owned();
    // The head is in lower case, and so is the token in it.
    let location = location.replace(&talks.to_lowercase(), &talks);
    assert!(location.starts_with(&format!("/t/{talks}/whip/session/")), "{location}");
    assert_eq!(send(ports.http, &format!("DELETE {location}"), &[], "").await.status, 200);
}

#[tokio::test]
async fn pages_of_other_sites_and_rooms_that_are_not_open_are_closed() {
    let app = start(&[]);
    let (sends, hears) = (some_offer(false).await, some_offer(true).await);
    let foreign = send(app.ports.http, "POST /whip/home", &[SDP, "Origin: https://evil.example"], &sends).await;
    is_problem(&foreign, 403);
    let wish = json!({ "roomName": "Secret", "pin": "4711" });
    let room =
        post_json(app.ports.http, "/api/rooms", &wish).await.json()["roomId"].as_str().expect("an id").to_owned();
    is_problem(&send(app.ports.http, &format!("POST /whip/{room}"), &[SDP], &sends).await, 403);
    is_problem(&send(app.ports.http, &format!("POST /whep/{room}"), &[SDP], &hears).await, 403);
    is_problem(&send(app.ports.http, &format!("POST /whep/{room}?pin=1111"), &[SDP], &hears).await, 403);
    let heard = send(app.ports.http, &format!("POST /whep/{room}?pin=4711"), &[SDP], &hears).await;
    assert_eq!(heard.status, 201);
    app.stop().await;
}

/// GStreamer's client at this address, with a pipe to its input: it ends its session when that ends.
fn gstreamer(app: &App, arguments: &[&str], path: &str) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gstreamer/session.py");
    let address = format!("http://127.0.0.1:{}{path}", app.ports.http.port());
    // Debian's own: only that one knows its GStreamer.
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).arg(arguments[0]).arg(address).args(&arguments[1..]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("python3 with GStreamer")
}

/// Whether it ended its session in good order.
async fn ends_well(mut client: Child) -> bool {
    drop(client.stdin.take());
    tokio::time::timeout(PATIENCE, client.wait()).await.expect("it ends").expect("waited for").success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tone_that_gstreamer_sends_is_the_tone_that_gstreamer_hears() {
    // GStreamer finds no candidate on the loopback.
    let app = start(&["--bind=0.0.0.0"]);
    let here = |port: SocketAddr| SocketAddr::from(([127, 0, 0, 1], port.port()));
    let ports = Ports { http: here(app.ports.http), mp3: here(app.ports.mp3), ..app.ports };
    let sends = gstreamer(&app, &["send", "440"], "/whip/home");
    streams(ports, 1).await;
    let mut hears = gstreamer(&app, &["hear"], "/whep/latest");
    let mut bytes = vec![0; 2 * 96_000];
    let mut samples = hears.stdout.take().expect("piped");
    let read = tokio::time::timeout(PATIENCE, samples.read_exact(&mut bytes)).await;
    assert!(matches!(read, Ok(Ok(_))), "two seconds are heard: {read:?}");
    let heard: Vec<_> = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    assert!(usual_share_at(TONE_HZ, &heard[48_000..]) > 0.9, "{}", usual_share_at(TONE_HZ, &heard[48_000..]));
    let candidates = get(ports.http, "/metrics").await.text();
    assert!(!candidates.contains("voice_relay_whip_candidates_total 0"), "it tells its candidates by PATCH");
    assert!(ends_well(hears).await && ends_well(sends).await);
    is_empty(ports).await;
    app.stop().await;
}

/// An offer as whoever sends makes it, changed.
async fn changed(change: impl FnOnce(String) -> String) -> String {
    change(some_offer(false).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_in_other_words_are_answered_in_theirs_and_their_senders_are_heard() {
    let app = start(&[]);
    for (name, change) in [
        (
            "profile",
            &(|offer: String| offer.replace("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP")) as &dyn Fn(String) -> String,
        ),
        ("no-group", &|offer: String| without(&offer, "a=group:")),
        ("too-many-in-the-group", &|offer: String| offer.replace("a=group:BUNDLE 0", "a=group:BUNDLE 0 1 2")),
        ("a-mid", &|offer: String| {
            offer.replace("a=mid:0", "a=mid:audio-stream").replace("BUNDLE 0", "BUNDLE audio-stream")
        }),
        ("a-long-mid", &|offer: String| {
            offer
                .replace("a=mid:0", "a=mid:AudioStreamOfTheKitchen")
                .replace("BUNDLE 0", "BUNDLE AudioStreamOfTheKitchen")
        }),
        ("an-empty-line", &|offer: String| offer.replace("a=rtcp-mux", "a=\r\na=rtcp-mux")),
    ] {
        let offer = change(some_offer(false).await);
        let answer = send(app.ports.http, &format!("POST /whip/{name}"), &[SDP], &offer).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
        let lines = |text: &str, start: &str| -> Vec<String> {
            text.lines().filter(|line| line.starts_with(start)).map(|line| line.trim_end().to_owned()).collect()
        };
        let profile = |line: &String| line.split(' ').nth(2).map(str::to_owned);
        let answer = answer.text();
        assert_eq!(lines(&answer, "a=mid:"), lines(&offer, "a=mid:"), "{name}");
        assert_eq!(
            lines(&answer, "m=").iter().map(profile).collect::<Vec<_>>(),
            lines(&offer, "m=").iter().map(profile).collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(lines(&answer, "a=group:").is_empty(), lines(&offer, "a=group:").is_empty(), "{name}");
    }
    app.stop().await;
}

/// The text without lines that begin so.
fn without(text: &str, start: &str) -> String {
    text.lines().filter(|line| !line.starts_with(start)).map(|line| format!("{}\r\n", line.trim_end())).collect()
}

#[tokio::test]
async fn what_cannot_work_is_refused_in_a_sentence_that_says_why() {
    let app = start(&[]);
    for (offer, status, why) in [
        (changed(|offer| offer.replace("sha-256", "sha-384")).await, 400, "sha-256"),
        (changed(|offer| offer.replace("opus/48000/2", "opus/16000/1")).await, 422, "opus/48000/2"),
        ("not a description".to_owned(), 400, ""),
        (changed(|offer| without(&offer, "m=")).await, 400, ""),
    ] {
        let answer = send(app.ports.http, "POST /whip/home", &[SDP], &offer).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let detail = answer.json()["detail"].as_str().expect("a sentence").to_owned();
        assert!(detail.contains(why) && !detail.contains("0x") && !detail.contains("Pointer"), "{detail}");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_address_names_its_room_with_whatever_slashes_and_letters_and_never_another() {
    let app = start(&["--rooms-intercom=Küche"]);
    let offer = some_offer(false).await;
    let room = async || {
        let live = app.live();
        live.iter().map(|live| live.room.0).collect::<Vec<_>>()
    };
    assert!(room().await.is_empty());
    for path in
        ["/whip/kueche", "/whip/kueche/", "/whip//kueche", "/whip/K%C3%BCche", "/whip/Ku%CC%88che", "/whip/KU%CC%88CHE"]
    {
        let session = Session::publish(app.ports, path, None).await;
        let limit = std::time::Instant::now() + PATIENCE;
        while room().await.is_empty() {
            assert!(std::time::Instant::now() < limit, "{path} is not heard");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(room().await, [1], "{path}");
        session.end().await;
        while !room().await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    for path in ["/whip/", "/whip//", "/whip/kueche/x", "/whip/kueche%2Fx"] {
        let answer = send(app.ports.http, &format!("POST {path}"), &[SDP], &offer).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    app.stop().await;
}
