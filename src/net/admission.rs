//! Which addresses are served: all, or those of the LAN only. The LAN is what is private by its number, and what is
//! on the same network as this machine: IPv6 addresses at home are mostly global ones.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{PoisonError, RwLock};

use if_addrs::{IfAddr, Interface};

use crate::config::AccessMode;

/// A network that this machine is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

/// The rule, kept up to date with the machine's networks.
#[derive(Debug)]
pub struct Admission {
    rule: Rule,
    networks: RwLock<Vec<Network>>,
}

#[derive(Debug)]
enum Rule {
    Everybody,
    Lan,
    /// This one.
    Only(IpAddr),
}

impl Admission {
    /// The rule for the networks that this machine is on now.
    pub fn new(access: AccessMode) -> Self {
        let rule = if access == AccessMode::Lan { Rule::Lan } else { Rule::Everybody };
        let admission = Self { rule, networks: RwLock::default() };
        admission.refresh();
        admission
    }

    /// The rule for this address alone.
    pub fn only(address: IpAddr) -> Self {
        Self { rule: Rule::Only(address), networks: RwLock::default() }
    }

    /// Looks at the machine's networks again.
    pub(super) fn refresh(&self) {
        // Whoever cannot list them has been told so where the candidates are made.
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let networks = interfaces.iter().filter_map(network_of).collect();
        *self.networks.write().unwrap_or_else(PoisonError::into_inner) = networks;
    }

    /// Whether this client is served.
    pub fn admits(&self, client: IpAddr) -> bool {
        match self.rule {
            Rule::Everybody => true,
            Rule::Lan => self.is_near(client),
            Rule::Only(address) => client.to_canonical() == address,
        }
    }

    /// Whether this address is of the LAN, whoever is served.
    pub fn is_near(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_private(address) || self.is_on_our_networks(address)
    }

    fn is_on_our_networks(&self, client: IpAddr) -> bool {
        let networks = self.networks.read().unwrap_or_else(PoisonError::into_inner);
        networks.iter().any(|network| network.contains(client))
    }
}

impl Network {
    fn contains(&self, client: IpAddr) -> bool {
        match (self.address, client) {
            (IpAddr::V4(own), IpAddr::V4(client)) => {
                (own.to_bits() ^ client.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(client)) => {
                (own.to_bits() ^ client.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

/// An interface without a network around it (a tunnel's end) admits itself alone.
fn network_of(interface: &Interface) -> Option<Network> {
    let (address, prefix) = match &interface.addr {
        IfAddr::V4(v4) => (IpAddr::V4(v4.ip), v4.prefixlen),
        IfAddr::V6(v6) => (IpAddr::V6(v6.ip), v6.prefixlen),
    };
    // A prefix of zero would be the whole internet.
    (prefix > 0).then_some(Network { address, prefix })
}

fn is_private(client: IpAddr) -> bool {
    match client {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared(ip),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// 100.64.0.0/10 (RFC 6598): carriers' and, at home, Tailscale's.
fn is_shared(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 100 && (64..128).contains(&second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn lan(address: &str, prefix: u8) -> Admission {
        let networks = RwLock::new(vec![Network { address: ip(address), prefix }]);
        Admission { rule: Rule::Lan, networks }
    }

    #[test]
    fn what_is_private_is_the_lan() {
        let admission = lan("127.0.0.1", 8);
        for inside in [
            "192.168.1.7",
            "10.0.0.1",
            "172.16.0.1",
            "169.254.1.1",
            "100.100.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(admission.admits(ip(inside)), "{inside}");
        }
        for outside in ["8.8.8.8", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!admission.admits(ip(outside)), "{outside}");
        }
    }

    #[test]
    fn what_is_on_the_same_network_is_the_lan() {
        let admission = lan("2001:db8:1:2::5", 64);
        assert!(admission.admits(ip("2001:db8:1:2:aaaa::1")));
        assert!(!admission.admits(ip("2001:db8:1:3::1")));
        assert!(lan("203.0.113.9", 24).admits(ip("203.0.113.200")));
        assert!(!lan("203.0.113.9", 32).admits(ip("203.0.113.200")));
    }

    #[test]
    fn this_machine_is_on_its_own_lan_and_without_that_rule_everybody_is_admitted() {
        let admission = Admission::new(AccessMode::Lan);
        for interface in if_addrs::get_if_addrs().expect("interfaces") {
            assert!(admission.admits(interface.ip()), "{}", interface.ip());
        }
        for access in [AccessMode::Token, AccessMode::Open] {
            let admission = Admission::new(access);
            assert!(admission.admits(ip("8.8.8.8")) && !admission.is_near(ip("8.8.8.8")));
        }
    }
}
