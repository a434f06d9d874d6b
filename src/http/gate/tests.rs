use std::future::{Ready, pending, ready};

use std::convert::Infallible;
use std::task::{Context, Poll};

use tower_service::Service;

use super::guarded::REQUEST_TIMEOUT;
use super::*;
use crate::access::Scope;
use crate::access::Tokens;
use crate::config::{self, Config};
use crate::data::DataFolder;
use crate::http::reply::text;
use crate::rooms::{Rooms, RoomsHandle};

/// Nothing can be kept there; a test that signs tokens names a folder.
const NOWHERE: &str = "--data-dir=/dev/null/data";

fn config(flags: &[&str]) -> Config {
    let arguments = ["voice-relay", NOWHERE].iter().chain(flags).map(Into::into);
    config::load(arguments, []).expect("a valid configuration").config
}

fn gate(flags: &[&str]) -> Gate {
    let config = config(flags);
    let rooms = Rooms::new(config.house(), std::time::Instant::now(), std::time::SystemTime::now());
    let access = Access::new(Tokens::new(DataFolder::new(config.data_dir)), RoomsHandle::new(rooms));
    let admission = Arc::new(Admission::new(config.access));
    Gate::new(config.access, config.http.origins, admission, Certificates::default(), access, &config.limits)
}

fn request(line: &str, headers: &[(&str, &str)]) -> Request<()> {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(()).expect("a valid request");
    request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("192.168.1.5:8080"));
    request.extensions_mut().insert(ClientAddress(IpAddr::from([192, 168, 1, 9])));
    request
}

/// The status of a refusal, or 200.
fn judged(gate: &Gate, port: PortKind, line: &str, headers: &[(&str, &str)]) -> u16 {
    match gate.judge(port, &mut request(line, headers)) {
        Ok(_) => 200,
        Err(GateRefusal::Status(status, _)) => status.as_u16(),
        Err(GateRefusal::Slash) => 308,
    }
}

#[test]
fn other_sites_may_neither_listen_nor_talk_nor_change_anything() {
    let gate = gate(&[]);
    let socket = [("upgrade", "websocket")];
    for (line, extra) in [
        ("GET /ws", &socket[..]),
        ("GET /", &socket[..]),
        ("PUT /api/sound", &[]),
        ("POST /api/tokens", &[]),
        ("GET /api/streams", &[]),
        ("GET /metrics", &[]),
        ("GET /stream/status", &[]),
    ] {
        let with = |header| [extra, &[header]].concat();
        let is_audio = line.contains("/stream/");
        let from = |origin| judged(&gate, PortKind::Main, line, &with(("origin", origin)));
        assert_eq!(from("https://evil.example"), if is_audio { 200 } else { 403 }, "{line}");
        assert_eq!(from("null"), if is_audio { 200 } else { 403 }, "{line}");
        assert_eq!(judged(&gate, PortKind::Main, line, &with(("host", "rebound.example"))), 421, "{line}");
    }
    assert_eq!(judged(&gate, PortKind::Main, "GET /", &[("host", "rebound.example")]), 200, "the page is no secret");
    assert_eq!(judged(&gate, PortKind::Main, "GET /health", &[("origin", "https://evil.example")]), 200);
}

#[test]
fn who_shares_links_came_through_home_assistant_and_its_headers_count_nowhere_else() {
    let gate = gate(&[]);
    let user = [("x-remote-user-display-name", "Anna"), ("x-remote-user-id", "1"), ("x-hass-source", "core.ingress")];
    assert_eq!(judged(&gate, PortKind::Main, "POST /api/tokens", &user), 401);
    assert_eq!(judged(&gate, PortKind::Ingress, "POST /api/tokens", &user), 200);
    let mut stolen = request("GET /api/streams", &user);
    assert_eq!(gate.judge(PortKind::Main, &mut stolen).map(|visitor| visitor.name).ok(), Some(None));
    let mut given = request("GET /api/streams", &user);
    assert_eq!(gate.judge(PortKind::Ingress, &mut given).map(|visitor| visitor.name).ok(), Some(Some("Anna".into())));
}

#[test]
fn a_token_is_taken_off_the_path_and_permits_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let gate = gate(&["--access=token", &data]);
    let claims =
        Claims::new(Scopes::from_iter([Scope::Listen]), None, None, std::time::SystemTime::now(), REQUEST_TIMEOUT);
    let token = gate.access().tokens().sign(&claims).expect("signed");
    let path = format!("/t/{token}/stream/latest.mp3?profile=cast");
    let mut good = request(&format!("GET {path}"), &[]);
    assert!(gate.judge(PortKind::Mp3, &mut good).is_ok());
    assert_eq!(good.uri(), "/stream/latest.mp3?profile=cast");
    let bearer = format!("Bearer {token}");
    for (line, headers, status) in [
        ("GET /stream/latest.mp3".to_owned(), vec![], 401),
        ("GET /stream/latest.mp3".to_owned(), vec![("authorization", bearer.as_str())], 200),
        (format!("PUT /t/{token}/api/sound"), vec![], 401),
        (format!("GET /t/{token}"), vec![], 308),
        (format!("GET /t/{token}/"), vec![], 200),
        (format!("GET /t/{token}/ws"), vec![("upgrade", "websocket")], 200),
        ("GET /ws".to_owned(), vec![("upgrade", "websocket")], 401),
        ("GET /t/forged/".to_owned(), vec![], 401),
        ("GET /".to_owned(), vec![], 200),
        ("GET /health".to_owned(), vec![], 200),
    ] {
        assert_eq!(judged(&gate, PortKind::Main, &line, &headers), status, "{line}");
    }
}

#[test]
fn whoever_asks_too_fast_or_tries_tokens_is_told_to_wait() {
    let gate = gate(&["--limits-requests=1", "--limits-wrong-tokens=3"]);
    let statuses: Vec<_> = (0..12).map(|_| judged(&gate, PortKind::Main, "GET /health", &[])).collect();
    assert!(statuses[..10].iter().all(|status| *status == 200) && statuses[11] == 429, "{statuses:?}");
    let gate = self::gate(&["--limits-wrong-tokens=3"]);
    let statuses: Vec<_> = (0..5).map(|_| judged(&gate, PortKind::Main, "GET /t/wrong/", &[])).collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    assert_eq!(gate.stats().bad_token.load(Ordering::Relaxed), 5);
}

#[test]
fn what_is_no_path_of_ours_is_refused_before_anybody_looks_at_it() {
    let gate = gate(&[]);
    for line in ["CONNECT a:1", "GET http://192.168.1.5:8080/", "OPTIONS *", "POST a:80"] {
        for port in [PortKind::Main, PortKind::Mp3, PortKind::Ingress] {
            assert_eq!(judged(&gate, port, line, &[]), 400, "{line}");
        }
    }
}

#[test]
fn a_page_of_another_site_that_hides_its_origin_changes_and_learns_nothing() {
    let gate = gate(&[]);
    let from = |line, site| judged(&gate, PortKind::Main, line, &[("sec-fetch-site", site)]);
    for line in ["GET /api/rooms", "POST /api/announce", "GET /stream/room/secret.mp3?pin=0000", "GET /metrics"] {
        assert_eq!(from(line, "cross-site"), 403, "{line}");
        for site in ["same-origin", "same-site", "none"] {
            assert_eq!(from(line, site), 200, "{line} {site}");
        }
    }
    // The page itself, and sound in the dashboards of the house.
    assert_eq!((from("GET /", "cross-site"), from("GET /stream/latest.mp3", "cross-site")), (200, 200));
    let card = [("sec-fetch-site", "cross-site"), ("origin", "http://homeassistant.local:8123")];
    assert_eq!(judged(&gate, PortKind::Main, "GET /api/rooms", &card), 200);
}

#[test]
fn the_panel_is_for_pages_of_home_assistant_itself() {
    let gate = gate(&[]);
    let host = ("x-forwarded-host", "home.example.org");
    let from = |origin| judged(&gate, PortKind::Ingress, "POST /api/tokens", &[host, ("origin", origin)]);
    assert_eq!((from("https://home.example.org"), from("http://homeassistant.local:8123")), (200, 200));
    assert_eq!((from("https://evil.example"), from("null")), (403, 403));
    let hidden = [host, ("sec-fetch-site", "cross-site")];
    assert_eq!(judged(&gate, PortKind::Ingress, "POST /api/tokens", &hidden), 403);
}

#[test]
fn a_token_for_one_room_is_good_for_that_room_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let gate = gate(&["--access=token", &data]);
    let (now, kitchen) = (std::time::SystemTime::now(), Some("kitchen".to_owned()));
    let claims = Claims::new(Scopes::all(), kitchen, None, now, REQUEST_TIMEOUT);
    let token = gate.access().tokens().sign(&claims).expect("signed");
    for (line, status) in [
        ("GET /api/rooms", 200),
        ("GET /api/info", 200),
        ("POST /api/announce", 200),
        ("GET /stream/room/kitchen.mp3", 200),
        ("POST /api/rooms", 403),
        ("GET /api/clips", 403),
        ("GET /clip/latest.mp3", 403),
        ("GET /api/files", 403),
        ("GET /metrics", 403),
        ("PUT /api/sound", 403),
        ("GET /api/sound", 403),
        ("DELETE /api/tokens/1", 403),
        ("GET /api/something-new", 403),
    ] {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let line = format!("{method} /t/{token}{path}");
        assert_eq!(judged(&gate, PortKind::Main, &line, &[]), status, "{line}");
    }
}

/// Answers at once, or never.
#[derive(Clone)]
struct Inner200(bool);

impl Service<Request<()>> for Inner200 {
    type Response = Response;
    type Error = Infallible;
    type Future = futures_util::future::Either<
        Ready<Result<Response, Infallible>>,
        std::future::Pending<Result<Response, Infallible>>,
    >;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        match self.0 {
            true => futures_util::future::Either::Left(ready(Ok(text(StatusCode::OK, "")))),
            false => futures_util::future::Either::Right(pending()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_given_up() {
    let mut slow = gate(&[]).guard(PortKind::Main, Inner200(false));
    let reply = slow.call(request("PUT /api/sound", &[])).await.expect("never fails");
    assert_eq!(reply.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn only_pages_of_the_house_and_players_may_read_a_reply() {
    let mut service = gate(&["--http-origins=ha.example.org"]).guard(PortKind::Main, Inner200(true));
    for (origin, may) in [
        ("http://homeassistant.local:8123", true),
        ("https://ha.example.org", true),
        ("https://www.gstatic.com", true),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let reply = service.call(request("GET /stream/latest.mp3", &[("origin", origin)])).await.expect("never fails");
        let allowed = reply.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).map(HeaderValue::as_bytes);
        assert_eq!(allowed, may.then_some(origin.as_bytes()), "{origin}");
        assert_eq!(reply.headers()[VARY], "Origin");
    }
}
