//! The web client, carried inside the binary.

use rust_embed::{EmbeddedFile, RustEmbed};
use warp::host::Authority;
use warp::http::StatusCode;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
};
use warp::path::Tail;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use super::Shared;
use super::reply::{text, with};

/// Where Home Assistant is found unless somebody changed it.
const HOME_ASSISTANT: [&str; 2] = ["homeassistant.local", "homeassistant"];
const HOME_ASSISTANT_PORT: u16 = 8_123;

/// What the page may ask the browser for, and what nothing in it ever needs.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "microphone=(self), screen-wake-lock=(self), camera=(self), display-capture=(self), geolocation=(), payment=(), usb=()",
);
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Files under this folder carry a hash of their contents in their names.
const HASHED: &str = "assets/";

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct ClientFiles;

/// The page at `/`, and its files.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let get = warp::get().or(warp::head()).unify();
    let policy = warp::host::optional()
        .map(move |host: Option<Authority>| policy(host.as_ref(), shared.mp3_port, shared.gate.added_hosts()));
    let page = warp::path::end().and(get).and(policy.clone()).map(|policy| file("index.html", policy));
    let files = warp::path::tail().and(get).and(policy).map(|path: Tail, policy| file(path.as_str(), policy));
    page.or(files).unify()
}

/// Nothing from another host, ever, and no script or style in the page itself: signalling comes from this very origin,
/// and audio from the MP3 port of this host. Home Assistant on this host, or by its usual name, may frame the page, and
/// so may the hosts of `http.origins`; nobody else.
fn policy(authority: Option<&Authority>, mp3_port: u16, added: &[String]) -> HeaderValue {
    // What is no plain name or address would be words of the policy itself.
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    let authority = authority.filter(|authority| is_plain(authority.as_str()));
    // Browsers of before 2022 do not take 'self' for it.
    let signalling = authority.map(|own| format!(" ws://{own} wss://{own}")).unwrap_or_default();
    let host = authority.map(Authority::host);
    let audio = host.map(|host| format!(" http://{host}:{mp3_port}")).unwrap_or_default();
    let frames = HOME_ASSISTANT.into_iter().chain(host).chain(added.iter().map(String::as_str));
    let frames =
        frames.map(|host| format!(" http://{host}:{HOME_ASSISTANT_PORT} https://{host}:{HOME_ASSISTANT_PORT}"));
    let added = added.iter().map(|host| format!(" https://{host}"));
    let frames: String = frames.chain(added).collect();
    let policy = format!(
        "default-src 'self'; connect-src 'self'{signalling}; img-src 'self' data:; media-src 'self' blob:{audio}; \
         object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'{frames}"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'self'"))
}

fn file(path: &str, policy: HeaderValue) -> Response {
    match ClientFiles::get(path) {
        Some(embedded) => found(path, embedded, policy),
        None if path == "index.html" => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "This build carries no web page: build web/ first (make build does), then the daemon",
        ),
        None => text(StatusCode::NOT_FOUND, "There is nothing here"),
    }
}

fn found(path: &str, embedded: EmbeddedFile, policy: HeaderValue) -> Response {
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    // A media type of the embedding crate is made of header-safe characters.
    let kind = HeaderValue::from_str(embedded.metadata.mimetype()).unwrap_or(HeaderValue::from_static("text/plain"));
    let reply = with(embedded.data.into_owned().into_response(), CONTENT_TYPE, kind);
    let reply = with(reply, CACHE_CONTROL, HeaderValue::from_static(cache));
    // Dashboards of other origins load the card from here.
    let reply = with(reply, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let reply = with(reply, PERMISSIONS_POLICY, PERMISSIONS);
    with(reply, CONTENT_SECURITY_POLICY, policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy_of(host: &str, added: &[&str]) -> String {
        let added: Vec<_> = added.iter().map(ToString::to_string).collect();
        policy(host.parse().ok().as_ref(), 8_081, &added).to_str().expect("text").to_owned()
    }

    #[test]
    fn only_this_host_is_reached_and_only_home_assistant_and_what_is_configured_frame_the_page() {
        let policy = policy_of("192.168.1.5:8080", &["intercom.example.org"]);
        assert!(policy.contains("connect-src 'self' ws://192.168.1.5:8080 wss://192.168.1.5:8080;"), "{policy}");
        assert!(policy.contains("media-src 'self' blob: http://192.168.1.5:8081;"), "{policy}");
        let frames = policy.split_once("frame-ancestors").expect("there").1;
        for framing in ["'self'", "http://192.168.1.5:8123", "https://homeassistant.local:8123"] {
            assert!(frames.split(' ').any(|word| word == framing), "{framing}: {frames}");
        }
        assert!(frames.contains(" https://intercom.example.org"), "{frames}");
        assert!(!policy.contains('\n') && !policy.contains("ws: ") && !policy.contains("http: "), "{policy}");
        assert!(!frames.contains('*'), "no other host's port 8123: {frames}");
    }

    #[test]
    fn a_host_with_words_of_its_own_adds_none_to_the_policy() {
        for host in ["a;script-src *", "a 'unsafe-inline'", "a,b", "a\"b", "é"] {
            let policy = policy_of(host, &[]);
            assert!(!policy.contains(host) && policy.contains("media-src 'self' blob:;"), "{policy}");
        }
        assert!(policy_of("[fd00::1]", &[]).contains("ws://[fd00::1] "));
    }
}
