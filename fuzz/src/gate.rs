//! The gate before every request: paths, hosts, origins, tokens and what proxies say.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use hyper::Request;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;
use voice_relay::access::{Access, Tokens};
use voice_relay::config;
use voice_relay::data::DataFolder;
use voice_relay::http::{Gate, PortKind};
use voice_relay::net::Admission;
use voice_relay::rooms::{Rooms, RoomsHandle};
use voice_relay::tls::Certificates;
use warp::http::HeaderValue;
use warp::http::header::ORIGIN;
use warp::reply::{Reply, Response};

/// A page that must change nothing, whatever it asks for and however.
const EVIL: HeaderValue = HeaderValue::from_static("https://evil.example");

thread_local! {
    static HOME: (Gate, Runtime) = make();
}

/// A request as its lines: method and path, then headers; the first byte says at which door, and who asks.
pub fn gate(data: &[u8]) {
    let Some((way, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let Some(mut request) = request(&text) else { return };
    let is_evil = way & 1 == 1;
    if is_evil {
        request.headers_mut().insert(ORIGIN, EVIL);
    }
    let door = if way & 2 == 2 { PortKind::Mp3 } else { PortKind::Main };
    let reply = HOME.with(|(gate, runtime)| runtime.block_on(gate.guard(door, Inner { is_evil }).call(request)));
    let Ok(reply) = reply;
    let is_open = is_evil && reply.headers().get("access-control-allow-origin") == Some(&EVIL);
    assert!(!is_open, "another site may read this");
}

fn request(text: &str) -> Option<Request<()>> {
    let mut lines = text.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    headers
        .fold(Request::builder().method(method).uri(path), |request, (name, value)| request.header(name, value))
        .body(())
        .ok()
}

fn make() -> (Gate, Runtime) {
    let flags = ["voice-relay", "--data-dir=/dev/null/data", "--limits-requests=1000000"].map(Into::into);
    let config = config::load(flags, []).expect("a valid configuration").config;
    let admission = Arc::new(Admission::new(config.access));
    let rooms = RoomsHandle::new(Rooms::new(config.house(), Instant::now(), SystemTime::now()));
    let access = Access::new(Tokens::new(DataFolder::new(config.data_dir)), rooms);
    let gate = Gate::new(config.access, Vec::new(), admission, Certificates::default(), access, &config.limits);
    (gate, Builder::new_current_thread().enable_time().build().expect("a runtime"))
}

/// What is behind the gate.
struct Inner {
    is_evil: bool,
}

impl Service<Request<()>> for Inner {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let changes = !matches!(request.method().as_str(), "GET" | "HEAD" | "OPTIONS");
        let is_api = request.uri().path().starts_with("/api/");
        assert!(!(self.is_evil && changes && is_api), "another site got through to {}", request.uri());
        ready(Ok("".into_response()))
    }
}
