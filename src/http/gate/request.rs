//! What a request says of itself, before anybody answers it.

use std::net::{IpAddr, Ipv4Addr};

use hyper::Request;
use uuid::Uuid;
use warp::http::Uri;
use warp::http::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN, UPGRADE};
use warp::http::uri::PathAndQuery;

use crate::access::Action;

use super::GateRefusal;

/// Before a path, and behind it a token: players and pages can carry one no other way.
const TOKEN_PREFIX: &str = "/t/";

/// Takes `/t/<token>` off the path.
pub(super) fn take_token<B>(request: &mut Request<B>) -> Result<Option<String>, GateRefusal> {
    let Some(rest) = request.uri().path().strip_prefix(TOKEN_PREFIX) else { return Ok(None) };
    let Some((token, path)) = rest.split_once('/') else { return Err(GateRefusal::Slash) };
    let token = token.to_owned();
    let path = match request.uri().query() {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    };
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    // The rest of a valid path is one.
    parts.path_and_query = PathAndQuery::try_from(path).ok();
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    Ok(Some(token))
}

pub(super) fn host_of(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// The token that a program shows. A uuid is none: it is a room's key, and for the room to judge.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let shown = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    Some(shown).filter(|shown| Uuid::try_parse(shown).is_err())
}

/// The network on which Home Assistant's own proxies are: the Supervisor, and Core in front of it.
const PROXIES: (Ipv4Addr, u8) = (Ipv4Addr::new(172, 30, 32, 0), 23);

/// Where the proxy says that the request comes from: the last hop that is none of Home Assistant's own. What is before
/// that was written by whoever asks.
pub(super) fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let hops = headers.get_all("x-forwarded-for").iter().filter_map(|hops| hops.to_str().ok());
    let hops: Vec<_> = hops.flat_map(|hops| hops.split(',')).map(str::trim).collect();
    let addresses = hops.into_iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok());
    addresses.map(|address| address.to_canonical()).find(|address| !is_own_proxy(*address))
}

fn is_own_proxy(address: IpAddr) -> bool {
    let (network, prefix) = PROXIES;
    let is_beside = |v4: Ipv4Addr| (v4.to_bits() ^ network.to_bits()).leading_zeros() >= u32::from(prefix);
    address.is_loopback() || matches!(address, IpAddr::V4(v4) if is_beside(v4))
}

/// Whether the request is for a path of ours, and nothing else (origin-form, RFC 9112 3.2.1). Proxies are asked for
/// whole addresses and for tunnels; we are none.
pub(super) fn is_origin_form<B>(request: &Request<B>) -> bool {
    let uri = request.uri();
    uri.scheme().is_none() && uri.authority().is_none() && uri.path().starts_with('/')
}

/// Whether a browser says that a page of another site asks, of which it says nothing else (Fetch Metadata, 2.2): an
/// image, a frame, a form. Those pages whose origin is told are judged by that.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") && !headers.contains_key(ORIGIN)
}

pub(super) fn is_socket<B>(request: &Request<B>) -> bool {
    request.headers().contains_key(UPGRADE)
}

pub(super) fn is_audio(path: &str) -> bool {
    ["/stream/", "/clip/", "/announce/"].iter().any(|audio| path.starts_with(audio))
}

/// What a request asks for, as far as its method and path say; the handler asks again, of what it is about.
///
/// Every route has its line here. What has none is refused to all but those who may change everything.
pub(super) fn action_of<B>(request: &Request<B>) -> Action {
    let path = request.uri().path();
    let parts: Vec<_> = path.split('/').skip(1).collect();
    match (request.method().as_str(), &*parts) {
        // Browsers ask before a page may; nothing is told but what could be asked.
        ("OPTIONS", _) => Action::SeePage,
        (_, ["stream", "status"]) | ("GET" | "HEAD", ["api", "streams"]) => Action::ListStreams,
        (_, ["stream", ..] | ["whep", ..]) => Action::Hear,
        (_, ["whip", ..]) => Action::Talk,
        (_, ["clip", ..]) | ("GET" | "HEAD", ["api", "clips", ..]) => Action::ReadClips,
        (_, ["api", "clips", ..]) => Action::DeleteClip,
        (_, ["metrics"]) => Action::ReadMetrics,
        ("GET" | "HEAD", ["api", "rooms"]) => Action::ListRooms,
        ("POST", ["api", "rooms"]) => Action::OpenRoom,
        ("DELETE", ["api", "rooms", _]) => Action::CloseRoom,
        ("PUT", ["api", "rooms", _, "options"]) => Action::SetRoomOptions,
        ("GET" | "HEAD", ["api", "rooms", ..]) => Action::Look,
        ("GET" | "HEAD", ["api", "announce", ..]) => Action::SeeAnnouncements,
        (_, ["api", "announce", ..]) => Action::Announce,
        ("PUT", ["api", "streams", _]) => Action::TurnStream,
        ("GET" | "HEAD", ["api", "sound" | "devices"]) => Action::ReadSound,
        ("GET" | "HEAD", ["api", "players"]) => Action::ListPlayers,
        ("GET" | "HEAD", ["api", "people", _, "picture"]) => Action::SeePictures,
        ("GET" | "HEAD", ["api", "home-assistant"]) => Action::SeeHomeAssistant,
        (_, ["api", "home-assistant", ..]) => Action::ConnectHomeAssistant,
        ("GET" | "HEAD", ["api", "doorbells"]) => Action::SeeHomeAssistant,
        (_, ["api", "doorbells", ..]) => Action::SetDoorbell,
        ("GET" | "HEAD", ["api", "phones"]) => Action::SeeHomeAssistant,
        (_, ["api", "stations", _, "phone"]) => Action::SetPhone,
        ("GET" | "HEAD", ["api", "do-not-disturb" | "quiet-hours"]) => Action::SeeCalls,
        (_, ["api", "do-not-disturb" | "quiet-hours", ..]) => Action::SetDoNotDisturb,
        ("GET" | "HEAD", ["api", "stations"] | ["api", "calls", ..]) => Action::SeeCalls,
        ("DELETE", ["api", "stations", _] | ["api", "calls"]) => Action::ForgetCalls,
        (_, ["api", "calls", ..]) => Action::Call,
        ("GET" | "HEAD", ["api", "voice-messages", ..]) => Action::ReadVoiceMessages,
        (_, ["api", "voice-messages", ..]) => Action::ChangeVoiceMessage,
        (_, ["api", "sound"]) => Action::TurnSound,
        ("GET" | "HEAD", ["api", "info" | "trust"]) => Action::ReadInfo,
        ("GET" | "HEAD", ["api", "files", ..] | ["api", "health"]) | (_, ["api", "offer"]) => Action::ReadFiles,
        ("POST", ["api", "tokens"]) => Action::MakeToken,
        (_, ["api", "tokens", ..]) => Action::RevokeToken,
        (_, ["api", ..]) => Action::Other,
        _ if is_socket(request) => Action::Connect,
        _ => Action::SeePage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let values = values.iter().map(|value| value.parse().expect("a value"));
        values.fold(HeaderMap::new(), |mut headers, value| {
            headers.append(name, value);
            headers
        })
    }

    #[test]
    fn of_the_hops_that_a_proxy_tells_the_last_counts_that_is_not_its_own() {
        for (hops, client) in [
            (&["192.168.1.77"][..], Some("192.168.1.77")),
            (&["8.8.8.8, 192.168.1.77"], Some("192.168.1.77")),
            (&["8.8.8.8", "192.168.1.77, 172.30.32.1"], Some("192.168.1.77")),
            (&["192.168.1.77, 127.0.0.1, ::1, 172.30.33.9"], Some("192.168.1.77")),
            (&["192.168.1.77, nonsense"], None),
            (&["172.30.32.2"], None),
            (&["::ffff:192.168.1.77"], Some("192.168.1.77")),
            (&[""], None),
        ] {
            let expected = client.map(|client| client.parse::<IpAddr>().expect("an address"));
            assert_eq!(forwarded_for(&headers("x-forwarded-for", hops)), expected, "{hops:?}");
        }
    }

    #[test]
    fn only_a_path_is_asked_for() {
        let request = |method: &str, uri: &str| Request::builder().method(method).uri(uri).body(()).expect("a request");
        for (method, uri) in [("GET", "/"), ("GET", "/a?b"), ("OPTIONS", "/api/rooms")] {
            assert!(is_origin_form(&request(method, uri)), "{method} {uri}");
        }
        for (method, uri) in [("CONNECT", "a:1"), ("GET", "http://192.168.1.5/"), ("OPTIONS", "*"), ("GET", "a:80")] {
            assert!(!is_origin_form(&request(method, uri)), "{method} {uri}");
        }
    }
}
