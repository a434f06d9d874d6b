//! The one gate before every request, on every port. It knows the visitor by address, by token, or by what Home Assistant
//! says of them; it turns away other people's web pages; it bounds how fast one address may ask; and it lets nobody through
//! who may not do what the path is for. What it lets through carries a [`Visitor`]; what exactly that may do, each handler
//! asks [`access`](crate::access).
//!
//! `guarded` is the gate as a service, and `request` what a request says of itself. `origin` is which web pages are ours, and
//! `rates` how often. Source addresses are checked before, where connections are accepted.

mod guarded;
mod origin;
mod rates;
mod request;

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

use crate::access::{Access, Action, Claims, Denied, Scopes, TokenError, Visitor};
use crate::config::{self, Limits};
use crate::net::Admission;
use crate::tls::Certificates;

use super::reply::with;
use super::server::ClientAddress;

use guarded::Guarded;
pub(super) use guarded::Prefix;
use origin::Origins;
use rates::Rates;
use request::{action_of, bearer, forwarded_for, host_of, is_audio, is_cross_site, is_origin_form, take_token};

/// The Supervisor's names for the user of an ingress session, and for the host that their browser asked.
const USER_ID: HeaderName = HeaderName::from_static("x-remote-user-id");
const USER_NAME: HeaderName = HeaderName::from_static("x-remote-user-display-name");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Which way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortKind {
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

/// The gate. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    /// Who needs a token.
    open_to: config::AccessMode,
    access: Access,
    origins: Origins,
    rates: Rates,
    stats: GateStats,
}

/// Why a request is not let in.
enum GateRefusal {
    /// By this status, with this sentence.
    Status(StatusCode, &'static str),
    /// To the same address with a slash behind it, so that relative addresses work.
    Slash,
}

impl Gate {
    /// A gate with these rules; `origins` are host names of web pages that are ours besides the usual, and
    /// those that the certificates name.
    pub fn new(
        open_to: config::AccessMode,
        origins: Vec<String>,
        admission: Arc<Admission>,
        certificates: Certificates,
        access: Access,
        limits: &Limits,
    ) -> Self {
        let (origins, rates) = (Origins::new(origins, admission, certificates), Rates::new(limits));
        Self(Arc::new(Inner { open_to, access, origins, rates, stats: GateStats::default() }))
    }

    /// What was turned away.
    pub fn stats(&self) -> &GateStats {
        &self.0.stats
    }

    /// Host names of web pages that are ours besides the usual.
    pub(super) fn added_hosts(&self) -> &[String] {
        self.0.origins.added()
    }

    /// Who may do what.
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// Counts what somebody may not do.
    pub fn note_denied(&self) {
        self.0.stats.not_permitted.fetch_add(1, Ordering::Relaxed);
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
    pub fn guard<S>(&self, port: PortKind, service: S) -> Guarded<S> {
        Guarded { gate: self.clone(), port, service }
    }

    fn counted(&self, allowed: bool) -> bool {
        if !allowed {
            self.0.stats.too_fast.fetch_add(1, Ordering::Relaxed);
        }
        allowed
    }

    /// Lets a request in, or says why not. Takes a token off its path.
    fn judge<B>(&self, port: PortKind, request: &mut Request<B>) -> Result<Visitor, GateRefusal> {
        if !is_origin_form(request) {
            return Err(GateRefusal::Status(StatusCode::BAD_REQUEST, "Ask for a path of this server, such as GET /"));
        }
        let source = request.extensions().get::<ClientAddress>().map_or(IpAddr::from([0; 16]), |address| address.0);
        let address =
            if port == PortKind::Ingress { forwarded_for(request.headers()).unwrap_or(source) } else { source };
        if !self.counted(self.0.rates.request(address)) {
            return Err(GateRefusal::Status(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests from this address; wait a little",
            ));
        }
        let token = take_token(request)?;
        let visitor = self.identify(port, address, request.headers(), token.as_deref())?;
        let action = action_of(request);
        if action != Action::SeePage {
            self.check_page(port, request)?;
        }
        self.admit(&visitor, action).map(|()| visitor)
    }

    fn admit(&self, visitor: &Visitor, action: Action) -> Result<(), GateRefusal> {
        self.0.access.admit(visitor, action).map_err(|denied| {
            self.note_denied();
            match denied {
                Denied::Scope(scope) => GateRefusal::Status(StatusCode::UNAUTHORIZED, scope.lacking()),
                _ => GateRefusal::Status(
                    StatusCode::FORBIDDEN,
                    "This link is for one room, and this is about the whole house",
                ),
            }
        })
    }

    fn identify(
        &self,
        port: PortKind,
        address: IpAddr,
        headers: &HeaderMap,
        token: Option<&str>,
    ) -> Result<Visitor, GateRefusal> {
        if port == PortKind::Ingress {
            let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
            return Ok(Visitor {
                name: text(USER_NAME).map(str::to_owned),
                user: text(USER_ID).map(Arc::from),
                is_proxied: true,
                ..Visitor::at(address, Scopes::all())
            });
        }
        if let Some(token) = token.or_else(|| bearer(headers)) {
            return self.verify(address, token);
        }
        let scopes = if self.0.open_to == config::AccessMode::Token { Scopes::none() } else { Scopes::household() };
        Ok(Visitor::at(address, scopes))
    }

    fn verify(&self, address: IpAddr, token: &str) -> Result<Visitor, GateRefusal> {
        let error = match self.0.access.tokens().verify(token) {
            Ok(claims) => {
                let token = Some(claims.id());
                let Claims { scope, name, room, .. } = claims;
                return Ok(Visitor { name, room, token, ..Visitor::at(address, scope) });
            }
            Err(error) => error,
        };
        self.0.stats.bad_token.fetch_add(1, Ordering::Relaxed);
        if self.counted(self.0.rates.wrong_token(address)) {
            return Err(GateRefusal::Status(StatusCode::UNAUTHORIZED, TokenError::sentence(error)));
        }
        Err(GateRefusal::Status(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong tokens came from this address; wait a minute",
        ))
    }

    /// Other people's web pages may neither listen in nor change anything: not under a name of theirs that
    /// leads to us (DNS rebinding), and not under their own.
    fn check_page<B>(&self, port: PortKind, request: &Request<B>) -> Result<(), GateRefusal> {
        let (headers, uri) = (request.headers(), request.uri());
        let host = host_of(headers);
        // Browsers always name a host; players of HTTP/1.0 need not. By which name Home Assistant is known is its own
        // business.
        if port != PortKind::Ingress && headers.contains_key(HOST) && !self.0.origins.is_ours(host) {
            self.0.stats.foreign_host.fetch_add(1, Ordering::Relaxed);
            return Err(GateRefusal::Status(
                StatusCode::MISDIRECTED_REQUEST,
                "The voice relay is not known by this name; use its address, or add the name to http.origins",
            ));
        }
        let is_foreign = match headers.get(ORIGIN) {
            // Audio is given to any player; `dress` decides which pages can read it.
            Some(_) if is_audio(uri.path()) => false,
            Some(origin) => !self.is_own_page(port, headers, origin),
            // Dashboards of other hosts have sound in their pages; whether a PIN is right is not for them to find out.
            None if is_audio(uri.path()) => is_cross_site(headers) && uri.query().is_some_and(|it| it.contains("pin=")),
            // What is not a web page says nothing of an origin, and is no danger to those who browse.
            None => is_cross_site(headers),
        };
        if is_foreign {
            self.0.stats.foreign_origin.fetch_add(1, Ordering::Relaxed);
            return Err(GateRefusal::Status(
                StatusCode::FORBIDDEN,
                "A page of another site may not use the voice relay; http.origins may allow it",
            ));
        }
        Ok(())
    }

    /// Whether a page of this origin may use us. In Home Assistant's panel it is Home Assistant's own, by whatever name
    /// the browser knows that.
    fn is_own_page(&self, port: PortKind, headers: &HeaderMap, origin: &HeaderValue) -> bool {
        let authority =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
        let forwarded = headers.get(FORWARDED_HOST).and_then(|host| host.to_str().ok());
        let is_panel = port == PortKind::Ingress && authority.is_some() && authority == forwarded;
        is_panel || self.0.origins.admits(origin)
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
