//! Names and addresses that a certificate is for, and the part of all names that an authority is confined to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How Home Assistant calls itself on most home networks.
const HOME_ASSISTANT: &str = "homeassistant.local";

/// What never leaves a home, whatever its machines are called: names of multicast DNS and of the machine itself.
const LOCAL_DOMAINS: [&str; 2] = ["local", "localhost"];

/// Networks that are not on the internet: private, loopback, link-local, and those that carriers and VPNs
/// share (RFC 1918, 3927, 6598, 4193, 4291).
const LOCAL_NETWORKS: [(IpAddr, u8); 9] = [
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), 10),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

/// What a browser may have in its address bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A host name, in lower case.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

/// A part of all names (RFC 5280 4.2.1.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subtree {
    /// A domain, and all that is below it.
    Domain(String),
    /// A network, as an address and the length of its prefix.
    Network(IpAddr, u8),
}

impl Subtree {
    /// Whether the name belongs to it.
    pub fn contains(&self, name: &Name) -> bool {
        match (self, name) {
            (Self::Domain(domain), Name::Dns(name)) => {
                let above = name.strip_suffix(domain.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            (Self::Network(IpAddr::V4(network), prefix), Name::Ip(IpAddr::V4(address))) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(*prefix)
            }
            (Self::Network(IpAddr::V6(network), prefix), Name::Ip(IpAddr::V6(address))) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(*prefix)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => f.write_str(domain),
            Self::Network(address, prefix) => write!(f, "{address}/{prefix}"),
        }
    }
}

/// What this machine may be called by its clients: `host` is the name that it has itself.
pub(super) fn names_of(host: &str, addresses: &[IpAddr]) -> Vec<Name> {
    let host = host.trim_end_matches('.').to_lowercase();
    let label = host.split('.').next().unwrap_or_default();
    let called = [host.clone(), label.to_owned(), format!("{label}.local"), HOME_ASSISTANT.into(), "localhost".into()];
    let called = called.into_iter().filter(|name| is_host_name(name)).map(Name::Dns);
    let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let addresses = addresses.iter().chain(&loopback).map(|address| Name::Ip(*address));
    let mut names = Vec::new();
    for name in called.chain(addresses) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What an authority of this machine is confined to: all that is local, and what the machine is called besides.
///
/// A house whose machines have public IPv4 addresses keeps them for years: the machine's own is let in. Public
/// IPv6 addresses change with the provider's mood, and will be somebody else's: they are not.
pub(super) fn confines_of(names: &[Name]) -> Vec<Subtree> {
    let domains = LOCAL_DOMAINS.map(|domain| Subtree::Domain(domain.into()));
    let networks = LOCAL_NETWORKS.map(|(address, prefix)| Subtree::Network(address, prefix));
    let mut confines: Vec<_> = domains.into_iter().chain(networks).collect();
    for name in names {
        if confines.iter().any(|subtree| subtree.contains(name)) {
            continue;
        }
        match name {
            Name::Dns(name) => confines.push(Subtree::Domain(name.clone())),
            Name::Ip(address @ IpAddr::V4(_)) => confines.push(Subtree::Network(*address, 32)),
            Name::Ip(IpAddr::V6(_)) => {}
        }
    }
    confines
}

/// Letters, digits and hyphens (RFC 1123 2.1): what else a machine may call itself fits into no certificate.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(name: &str) -> Name {
        Name::Dns(name.into())
    }

    fn ip(address: &str) -> Name {
        Name::Ip(address.parse().expect("an address"))
    }

    fn is_confined(name: &Name) -> bool {
        confines_of(&[]).iter().any(|subtree| subtree.contains(name))
    }

    #[test]
    fn a_machine_is_called_by_its_name_with_and_without_local_and_by_its_addresses() {
        let names = names_of("Kitchen", &["192.168.1.5".parse().expect("ip"), "fd00::5".parse().expect("ip")]);
        let expected = [
            dns("kitchen"),
            dns("kitchen.local"),
            dns("homeassistant.local"),
            dns("localhost"),
            ip("192.168.1.5"),
            ip("fd00::5"),
            ip("127.0.0.1"),
            ip("::1"),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_whole_domain_name_is_kept_and_what_is_no_host_name_is_left_out() {
        assert!(names_of("pc.example.org.", &[]).starts_with(&[dns("pc.example.org"), dns("pc"), dns("pc.local")]));
        let nameless = [dns("homeassistant.local"), dns("localhost"), ip("127.0.0.1"), ip("::1")];
        for host in ["", "my_pc", "-x", "küche", &"x".repeat(64)] {
            assert_eq!(names_of(host, &[]), nameless, "{host}");
        }
        assert_eq!(names_of("localhost", &[]).iter().filter(|name| **name == dns("localhost")).count(), 1);
    }

    #[test]
    fn what_is_local_is_within_the_confines_and_the_internet_is_not() {
        for inside in [dns("a.local"), dns("localhost"), ip("10.1.2.3"), ip("172.31.0.1"), ip("fd00::1"), ip("::1")] {
            assert!(is_confined(&inside), "{inside}");
        }
        for outside in [
            dns("example.org"),
            dns("notlocal"),
            dns("local.example.org"),
            ip("8.8.8.8"),
            ip("172.32.0.1"),
            ip("2001:db8::1"),
        ] {
            assert!(!is_confined(&outside), "{outside}");
        }
    }

    #[test]
    fn the_machines_own_name_and_public_address_are_let_in_alone() {
        let confines = confines_of(&[dns("kitchen"), ip("192.0.2.2"), ip("2001:db8::2")]);
        let permits = |name: &Name| confines.iter().any(|subtree| subtree.contains(name));
        assert!(permits(&dns("kitchen")) && permits(&ip("192.0.2.2")));
        for outside in [dns("kitchens"), ip("192.0.2.3"), ip("2001:db8::2")] {
            assert!(!permits(&outside), "{outside}");
        }
    }
}
