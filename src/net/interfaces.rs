//! Which addresses of this machine its peers can reach: those of the real interfaces, kept fresh.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Engine, ThreadId};

use super::Admission;

/// How often the interfaces are looked at: a new Wi-Fi lease is in the next offer.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);

/// Interfaces of containers and virtual machines, which no phone can reach, by how their names begin.
const VIRTUAL: [&str; 9] = ["docker", "br-", "veth", "hassio", "virbr", "vmnet", "vboxnet", "cni", "flannel"];

/// Candidates for a socket bound to `bound`: its own address, or every real one of this machine when
/// it is bound to all, then the `advertised` ones.
///
/// Loopback is among them, for clients on this machine; the relay keeps it from others.
pub fn host_addresses(bound: SocketAddr, advertised: &[IpAddr]) -> Vec<SocketAddr> {
    let (bound, port) = (bound.ip(), bound.port());
    let mut addresses = if bound.is_unspecified() { interface_addresses(bound.is_ipv6()) } else { vec![bound] };
    addresses.extend(advertised);
    let mut unique: Vec<IpAddr> = Vec::with_capacity(addresses.len());
    for address in addresses {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    unique.into_iter().map(|address| SocketAddr::new(address, port)).collect()
}

/// Tells one of the relay's media threads, and the rule of admission, whenever the addresses have changed. Runs until
/// it is dropped.
pub async fn keep_addresses_fresh(
    relay: Engine,
    thread: ThreadId,
    admission: Arc<Admission>,
    bound: SocketAddr,
    advertised: Vec<IpAddr>,
) {
    let mut known = host_addresses(bound, &advertised);
    loop {
        tokio::time::sleep(REFRESH_INTERVAL).await;
        let current = host_addresses(bound, &advertised);
        if current != known {
            admission.refresh();
            tracing::info!(count = current.len(), "the machine's addresses changed");
            relay.set_addresses(thread, current.clone()).await;
            known = current;
        }
    }
}

fn interface_addresses(with_ipv6: bool) -> Vec<IpAddr> {
    let interfaces = match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces,
        Err(error) => {
            tracing::warn!(%error, "cannot list the network interfaces: set media.advertise to be reachable");
            Vec::new()
        }
    };
    let real = interfaces.iter().filter(|interface| is_real(&interface.name)).map(if_addrs::Interface::ip);
    let mut addresses: Vec<_> = real.filter(|ip| is_reachable(*ip, with_ipv6)).collect();
    // IPv4 first: on home networks it is the one that works.
    addresses.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6()));
    addresses
}

fn is_real(name: &str) -> bool {
    !VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
}

/// Link-local IPv6 addresses need a zone, which a candidate cannot carry.
fn is_reachable(ip: IpAddr, with_ipv6: bool) -> bool {
    match ip {
        IpAddr::V4(_) => true,
        IpAddr::V6(v6) => with_ipv6 && !v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bridges_of_containers_are_not_real() {
        assert!(is_real("eth0") && is_real("wlan0") && is_real("end0") && is_real("lo"));
        assert!(!is_real("docker0") && !is_real("hassio") && !is_real("veth1234") && !is_real("br-5f2a"));
    }

    #[test]
    fn a_socket_bound_to_one_address_offers_that_and_the_advertised_ones() {
        let bound = IpAddr::from([127, 0, 0, 1]);
        let advertised = [IpAddr::from([192, 168, 1, 9]), bound];
        let expected = [SocketAddr::from(([127, 0, 0, 1], 5)), SocketAddr::from(([192, 168, 1, 9], 5))];
        assert_eq!(host_addresses(SocketAddr::new(bound, 5), &advertised), expected);
    }

    #[test]
    fn a_socket_bound_to_all_offers_the_loopback_last() {
        let addresses = host_addresses(SocketAddr::from(([0, 0, 0, 0], 5)), &[]);
        assert!(addresses.last().is_some_and(|address| address.ip().is_loopback()));
        assert!(addresses.iter().all(SocketAddr::is_ipv4));
    }
}
