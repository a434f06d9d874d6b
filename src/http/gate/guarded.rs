//! A service behind the gate: each request is judged first, and each reply dressed for whoever may read it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Request;
use tower_service::Service;
use warp::http::StatusCode;
use warp::http::header::{HeaderName, HeaderValue, LOCATION, ORIGIN};
use warp::reply::Response;

use super::{Gate, GateRefusal, PortKind};
use crate::http::problem::{reads_problems, refusal};
use crate::http::reply::text;

/// The Supervisor's name for the path at which a panel is served.
const INGRESS_PATH: HeaderName = HeaderName::from_static("x-ingress-path");

/// A request whose answer has not begun by then is given up: its body came too slowly, or something hangs.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What was before our own path, as an extension of the request where there was anything: a token, or the path at which
/// Home Assistant's proxy serves us. Addresses that a reply names begin with it.
#[derive(Debug, Clone)]
pub(in crate::http) struct Prefix(pub(in crate::http) String);

impl Prefix {
    fn of<B>(port: PortKind, path: &str, request: &Request<B>) -> Option<Self> {
        let proxied = request.headers().get(INGRESS_PATH).filter(|_| port == PortKind::Ingress);
        let proxied = proxied.and_then(|path| path.to_str().ok()).filter(|path| path.starts_with('/'));
        let token = path.strip_suffix(request.uri().path()).unwrap_or_default();
        let prefix = format!("{}{token}", proxied.unwrap_or_default().trim_end_matches('/'));
        Some(Self(prefix)).filter(|prefix| !prefix.0.is_empty())
    }
}

/// A service behind a gate.
#[derive(Clone)]
pub struct Guarded<S> {
    pub(super) gate: Gate,
    pub(super) port: PortKind,
    pub(super) service: S,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let gate = self.gate.clone();
        let origin = request.headers().get(ORIGIN).cloned();
        let path = request.uri().path().to_owned();
        let inner = gate.judge(self.port, &mut request).map(|visitor| {
            request.extensions_mut().insert(visitor);
            if let Some(prefix) = Prefix::of(self.port, &path, &request) {
                request.extensions_mut().insert(prefix);
            }
            self.service.call(request)
        });
        let wants_problems = reads_problems(&path);
        Box::pin(async move {
            let reply = match inner {
                Ok(reply) => match tokio::time::timeout(REQUEST_TIMEOUT, reply).await {
                    Ok(reply) => reply?,
                    Err(_) => {
                        gate.0.stats.too_slow.fetch_add(1, Ordering::Relaxed);
                        text(StatusCode::REQUEST_TIMEOUT, "The request took too long")
                    }
                },
                Err(GateRefusal::Status(status, sentence)) if wants_problems => refusal(status, sentence),
                Err(GateRefusal::Status(status, sentence)) => text(status, sentence),
                Err(GateRefusal::Slash) => slash(&path),
            };
            Ok(gate.dress(origin.as_ref(), reply))
        })
    }
}

fn slash(path: &str) -> Response {
    let mut reply = text(StatusCode::PERMANENT_REDIRECT, "");
    if let Ok(to) = HeaderValue::try_from(format!("{path}/")) {
        reply.headers_mut().insert(LOCATION, to);
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(port: PortKind, path: &str, own: &str, proxied: &str) -> Option<String> {
        let request = Request::builder().uri(own).header(INGRESS_PATH, proxied).body(()).expect("a request");
        Prefix::of(port, path, &request).map(|prefix| prefix.0)
    }

    #[test]
    fn addresses_in_replies_begin_with_what_the_clients_began_with() {
        let ingress = "/api/hassio_ingress/abc";
        assert_eq!(prefix(PortKind::Main, "/whip/home", "/whip/home", ingress), None, "only the proxy may say so");
        assert_eq!(prefix(PortKind::Ingress, "/whip/home", "/whip/home", ingress).as_deref(), Some(ingress));
        assert_eq!(prefix(PortKind::Ingress, "/whip/home", "/whip/home", "http://evil.example"), None);
        assert_eq!(prefix(PortKind::Main, "/t/abc/whip/home", "/whip/home", "").as_deref(), Some("/t/abc"));
    }
}
