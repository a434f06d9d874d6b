//! Which web pages, and which names in an address, are ours or the house's: what no public web site can
//! have. A public site's own name may lead to our address (DNS rebinding); it is still the site's name.

use std::net::IpAddr;
use std::sync::Arc;

use warp::http::{HeaderValue, Uri};

use crate::net::Admission;
use crate::tls::{Certificates, Name};

/// Domains that exist inside of houses only: special use (RFC 6761, 6762, 8375, ICANN's `internal`), and
/// what home routers hand out.
const HOUSE_DOMAINS: [&str; 8] =
    ["localhost", "local", "home.arpa", "internal", "lan", "home", "localdomain", "fritz.box"];

/// Cast devices read audio by a page of this origin.
const CAST: &str = "https://www.gstatic.com";

/// The rule.
pub(super) struct Origins {
    /// Host names besides the usual, in lower case.
    added: Vec<String>,
    admission: Arc<Admission>,
    /// Whoever could have the certificate for a name owns the name.
    certificates: Certificates,
}

impl Origins {
    pub(super) fn new(added: Vec<String>, admission: Arc<Admission>, certificates: Certificates) -> Self {
        let added = added.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { added, admission, certificates }
    }

    /// Host names besides the usual.
    pub(super) fn added(&self) -> &[String] {
        &self.added
    }

    /// Whether this is a name or address, with or without a port, that a public web site cannot have.
    pub(super) fn is_ours(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<warp::http::uri::Authority>() else { return false };
        let host = authority.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        match host.parse::<IpAddr>() {
            Ok(address) => self.admission.is_near(address) || self.added.contains(&host),
            Err(_) => is_house_name(&host) || self.added.contains(&host) || self.is_certified(host),
        }
    }

    /// Whether the certificate that is served names this host. Wildcards are for `http.origins` to spell out.
    fn is_certified(&self, host: String) -> bool {
        let name = Name::Dns(host);
        self.certificates.served().is_some_and(|served| served.identity.facts.names.contains(&name))
    }

    /// Whether a page of this origin may use us: one of a host that is ours, on whatever port.
    pub(super) fn admits(&self, origin: &HeaderValue) -> bool {
        let Some(uri) = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()) else { return false };
        let Some(authority) = uri.authority() else { return false };
        matches!(uri.scheme_str(), Some("http" | "https")) && self.is_ours(authority.as_str())
    }

    /// Whether it is the page of a media player, which reads audio and nothing else.
    pub(super) fn is_player(origin: &HeaderValue) -> bool {
        origin == CAST
    }
}

/// A name without a dot is found inside of the house alone.
fn is_house_name(host: &str) -> bool {
    let is_below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !host.is_empty() && (!host.contains('.') || HOUSE_DOMAINS.into_iter().any(is_below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AccessMode;

    fn origins(added: &[&str]) -> Origins {
        let added = added.iter().map(ToString::to_string).collect();
        Origins::new(added, Arc::new(Admission::new(AccessMode::Lan)), Certificates::default())
    }

    #[test]
    fn names_and_addresses_of_the_house_are_ours_with_and_without_a_port() {
        let origins = origins(&["Intercom.Example.org"]);
        for ours in [
            "192.168.1.5",
            "192.168.1.5:8080",
            "[fd00::1]:8080",
            "localhost:8080",
            "127.0.0.1",
            "homeassistant",
            "homeassistant.local:8123",
            "HomeAssistant.LOCAL.",
            "nas.fritz.box",
            "hub.home.arpa",
            "pi.lan:1",
            "intercom.example.org:8443",
        ] {
            assert!(origins.is_ours(ours), "{ours}");
        }
    }

    #[test]
    fn names_that_a_public_site_can_have_are_not_ours() {
        for theirs in [
            "",
            "evil.example",
            "rebound.example.com:8080",
            "8.8.8.8",
            "[2001:4860::1]",
            "local.example.com",
            "notlocal.evil",
            "evillan.com",
            "xfritz.box",
            "a b",
            "user@192.168.1.5@evil.example",
        ] {
            assert!(!origins(&[]).is_ours(theirs), "{theirs}");
        }
    }

    #[test]
    fn pages_of_the_house_and_of_our_own_host_are_admitted_others_and_null_are_not() {
        let origins = origins(&["intercom.example.org"]);
        let admits = |origin: &'static str| origins.admits(&HeaderValue::from_static(origin));
        assert!(admits("http://homeassistant.local:8123"));
        assert!(admits("https://intercom.example.org:8443"));
        assert!(admits("http://[fd00::1]:8123"));
        for foreign in ["https://evil.example", "null", "file://", "chrome-extension://192.168.1.5", "", "http://"] {
            assert!(!admits(foreign), "{foreign}");
        }
        assert!(!admits("http://evil.example:8080"), "a rebound name vouches for nobody");
    }
}
