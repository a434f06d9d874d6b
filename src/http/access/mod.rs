//! Who may do what: one gate before every request, on every port. It knows the visitor by address, by
//! token, or by what Home Assistant says of it; it turns away other people's web pages; and it bounds how
//! fast one address may ask. What it lets through carries a [`Visitor`].
//!
//! `guarded` is the gate as a service, and `asked` what a request says of itself. The rules are of three kinds, each in a file: `origin` (which web pages are ours), `tokens` (signed
//! permissions) and `rates` (how often). Source addresses are checked before, where connections are accepted.

mod asked;
mod guarded;
mod origin;
mod rates;
mod tokens;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::Request;
use warp::http::StatusCode;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use warp::reply::Response;

use crate::config::{Access, Limits};
use crate::net::Admission;
use crate::tls::Certificates;

use super::reply::with;
use super::server::ClientAddress;

use asked::{bearer, forwarded_for, host_of, is_audio, is_socket, needed_scope, take_token};
use guarded::Guarded;
pub(super) use guarded::Prefix;
use origin::Origins;
use rates::Rates;
pub use tokens::{Claims, Scope, Scopes, Tokens};

/// The Supervisor's name for the user of an ingress session.
const USER_NAME: HeaderName = HeaderName::from_static("x-remote-user-display-name");

/// Which way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The main port, plain or with TLS.
    Main,
    /// The MP3 port.
    Mp3,
    /// Home Assistant's proxy, which has checked who asks.
    Ingress,
}

/// What the gate counts.
#[derive(Debug, Default)]
pub struct GateStats {
    /// Requests from web pages that are not ours.
    pub foreign_origin: AtomicU64,
    /// Requests by a host name that is not ours.
    pub foreign_host: AtomicU64,
    /// Requests with a token that is forged, expired or revoked.
    pub bad_token: AtomicU64,
    /// Requests for which a permission was lacking.
    pub not_permitted: AtomicU64,
    /// Requests, messages and joins that came too fast.
    pub too_fast: AtomicU64,
    /// Requests whose body came too slowly.
    pub too_slow: AtomicU64,
}

/// Somebody whom the gate let in, as an extension of the request.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Where it is, as far as is known.
    pub address: IpAddr,
    /// What it may do.
    pub scopes: Scopes,
    /// How Home Assistant, or its token, calls it.
    pub name: Option<String>,
    /// Whether it comes through Home Assistant's proxy, which alone says where it is.
    pub is_proxied: bool,
    /// The only room in which it may do that, where its token says so.
    pub room: Option<String>,
}

impl Visitor {
    /// Whether it may be in the room of this id at all.
    pub fn may_enter(&self, room: &str) -> bool {
        self.room.as_deref().is_none_or(|only| only == room)
    }
}

/// The gate. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    access: Access,
    origins: Origins,
    tokens: Tokens,
    rates: Rates,
    stats: GateStats,
}

/// Why a request is not let in.
enum Refusal {
    /// By this status, with this sentence.
    Status(StatusCode, &'static str),
    /// To the same address with a slash behind it, so that relative addresses work.
    Slash,
}

impl Gate {
    /// A gate with these rules; `origins` are host names of web pages that are ours besides the usual, and
    /// those that the certificates name.
    pub fn new(
        access: Access,
        origins: Vec<String>,
        admission: Arc<Admission>,
        certificates: Certificates,
        tokens: Tokens,
        limits: &Limits,
    ) -> Self {
        let origins = Origins::new(origins, admission, certificates);
        Self(Arc::new(Inner { access, origins, tokens, rates: Rates::new(limits), stats: GateStats::default() }))
    }

    /// What was turned away.
    pub fn stats(&self) -> &GateStats {
        &self.0.stats
    }

    /// The signed permissions.
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Whether this visitor may do this; counts when it may not.
    pub fn permits(&self, visitor: &Visitor, scope: Scope) -> bool {
        let permitted = visitor.scopes.contains(scope);
        if !permitted {
            self.0.stats.not_permitted.fetch_add(1, Ordering::Relaxed);
        }
        permitted
    }

    /// Whether this visitor may send one more signalling message now; counts when it may not.
    pub fn may_say(&self, visitor: &Visitor) -> bool {
        self.counted(self.0.rates.message(visitor.address))
    }

    /// Whether this visitor may make one more media connection now; counts when it may not.
    pub fn may_join(&self, visitor: &Visitor) -> bool {
        self.counted(self.0.rates.join(visitor.address))
    }

    /// Forgets addresses that have been quiet. To be called from time to time.
    pub fn tidy(&self) {
        self.0.rates.tidy();
    }

    /// The service behind this gate.
    pub fn guard<S>(&self, door: Door, service: S) -> Guarded<S> {
        Guarded { gate: self.clone(), door, service }
    }

    fn counted(&self, allowed: bool) -> bool {
        if !allowed {
            self.0.stats.too_fast.fetch_add(1, Ordering::Relaxed);
        }
        allowed
    }

    /// Lets a request in, or says why not. Takes a token off its path.
    fn judge<B>(&self, door: Door, request: &mut Request<B>) -> Result<Visitor, Refusal> {
        let source = request.extensions().get::<ClientAddress>().map_or(IpAddr::from([0; 16]), |address| address.0);
        let address = if door == Door::Ingress { forwarded_for(request.headers()).unwrap_or(source) } else { source };
        if !self.counted(self.0.rates.request(address)) {
            return Err(Refusal::Status(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests from this address; wait a little",
            ));
        }
        let token = take_token(request)?;
        let visitor = self.identify(door, address, request.headers(), token.as_deref())?;
        let needed = needed_scope(request);
        if door != Door::Ingress && (needed.is_some() || is_socket(request)) {
            self.check_page(request)?;
        }
        // Either of the two will do for a socket; each of its messages is looked at by itself.
        let mute = is_socket(request) && !visitor.scopes.contains(Scope::Talk);
        match needed.or(mute.then_some(Scope::Listen)) {
            Some(scope) if !self.permits(&visitor, scope) => {
                Err(Refusal::Status(StatusCode::UNAUTHORIZED, scope.lacking()))
            }
            _ => Ok(visitor),
        }
    }

    fn identify(
        &self,
        door: Door,
        address: IpAddr,
        headers: &HeaderMap,
        token: Option<&str>,
    ) -> Result<Visitor, Refusal> {
        if door == Door::Ingress {
            let name = headers.get(USER_NAME).and_then(|name| name.to_str().ok()).map(str::to_owned);
            return Ok(Visitor { address, scopes: Scopes::all(), name, is_proxied: true, room: None });
        }
        if let Some(token) = token.or_else(|| bearer(headers)) {
            return self.verify(address, token);
        }
        let scopes = if self.0.access == Access::Token { Scopes::none() } else { Scopes::household() };
        Ok(Visitor { address, scopes, name: None, is_proxied: false, room: None })
    }

    fn verify(&self, address: IpAddr, token: &str) -> Result<Visitor, Refusal> {
        let error = match self.0.tokens.verify(token) {
            Ok(Claims { scope, name, room, .. }) => {
                return Ok(Visitor { address, scopes: scope, name, is_proxied: false, room });
            }
            Err(error) => error,
        };
        self.0.stats.bad_token.fetch_add(1, Ordering::Relaxed);
        if self.counted(self.0.rates.wrong_token(address)) {
            return Err(Refusal::Status(StatusCode::UNAUTHORIZED, error.sentence()));
        }
        Err(Refusal::Status(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong tokens came from this address; wait a minute",
        ))
    }

    /// Other people's web pages may neither listen in nor change anything: not under a name of theirs that
    /// leads to us (DNS rebinding), and not under their own.
    fn check_page<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let headers = request.headers();
        let host = host_of(headers);
        // Browsers always name a host; players of HTTP/1.0 need not.
        if headers.contains_key(HOST) && !self.0.origins.is_ours(host) {
            self.0.stats.foreign_host.fetch_add(1, Ordering::Relaxed);
            return Err(Refusal::Status(
                StatusCode::MISDIRECTED_REQUEST,
                "The voice relay is not known by this name; use its address, or add the name to http.origins",
            ));
        }
        match headers.get(ORIGIN) {
            // Audio is given to any player; `dress` decides which pages can read it.
            Some(origin) if !is_audio(request.uri().path()) && !self.0.origins.admits(origin) => {
                self.0.stats.foreign_origin.fetch_add(1, Ordering::Relaxed);
                Err(Refusal::Status(
                    StatusCode::FORBIDDEN,
                    "A page of another site may not use the voice relay; http.origins may allow it",
                ))
            }
            // What is not a web page says nothing of an origin, and is no danger to those who browse.
            _ => Ok(()),
        }
    }

    /// What every reply says: which pages may read it, unless all may, and that addresses, which may hold a
    /// token, are told to nobody.
    fn dress(&self, origin: Option<&HeaderValue>, reply: Response) -> Response {
        let reply = with(reply, REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        let reply = with(reply, X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let Some(origin) = origin else { return reply };
        let mut reply = with(reply, VARY, HeaderValue::from_static("Origin"));
        if self.0.origins.admits(origin) || Origins::is_player(origin) {
            reply.headers_mut().entry(ACCESS_CONTROL_ALLOW_ORIGIN).or_insert_with(|| origin.clone());
        }
        reply
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

#[cfg(test)]
mod tests;
