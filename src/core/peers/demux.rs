//! Which peer a datagram belongs to: by its source address once that is known, by the ICE username
//! (RFC 8445 7.1.2) before. An address is learned only after its STUN check was authenticated.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::domain::PeerId;

use super::session::stun::{find_claimed, is_stun};

/// Addresses that one peer may hold at once: a phone's Wi-Fi and mobile addresses, IPv4 and IPv6.
/// The oldest is forgotten beyond that, so that no peer can fill the table.
const MAX_ADDRESSES: usize = 8;

/// The two tables, and for each peer what it holds in them.
#[derive(Debug, Default)]
pub(super) struct Demux {
    by_address: HashMap<SocketAddr, PeerId>,
    by_ufrag: HashMap<String, PeerId>,
}

/// What one peer holds in the tables.
#[derive(Debug, Default)]
pub(super) struct Routes {
    ufrag: String,
    addresses: Vec<SocketAddr>,
}

impl Demux {
    /// The peer that this datagram claims to be of; it is still to be authenticated.
    pub(super) fn find(&self, source: SocketAddr, payload: &[u8]) -> Option<PeerId> {
        if is_stun(payload) {
            find_claimed(payload, |ufrag| self.find_ufrag(ufrag), || self.owner(source))
        } else {
            self.owner(source)
        }
    }

    /// The peer with this local username.
    pub(super) fn find_ufrag(&self, ufrag: &str) -> Option<PeerId> {
        self.by_ufrag.get(ufrag).copied()
    }

    /// Whose address this is.
    pub(super) fn owner(&self, address: SocketAddr) -> Option<PeerId> {
        self.by_address.get(&address).copied()
    }

    /// Routes checks with this local username to the peer, in place of its former one (ICE restart).
    pub(super) fn set_ufrag(&mut self, peer: PeerId, routes: &mut Routes, ufrag: String) {
        if routes.ufrag != ufrag {
            self.by_ufrag.remove(&routes.ufrag);
            self.by_ufrag.insert(ufrag.clone(), peer);
            routes.ufrag = ufrag;
        }
    }

    /// Routes this address to the peer. True when the peer was known under others only.
    pub(super) fn learn(&mut self, peer: PeerId, routes: &mut Routes, address: SocketAddr) -> bool {
        if self.by_address.insert(address, peer) == Some(peer) {
            return false;
        }
        if routes.addresses.len() == MAX_ADDRESSES {
            let oldest = routes.addresses.remove(0);
            self.forget_address(peer, oldest);
        }
        routes.addresses.push(address);
        routes.addresses.len() > 1
    }

    /// Removes all that the peer holds.
    pub(super) fn remove(&mut self, peer: PeerId, routes: &Routes) {
        self.by_ufrag.remove(&routes.ufrag);
        for address in &routes.addresses {
            self.forget_address(peer, *address);
        }
    }

    /// Another peer may have taken the address over since: then it stays.
    fn forget_address(&mut self, peer: PeerId, address: SocketAddr) {
        if self.by_address.get(&address) == Some(&peer) {
            self.by_address.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn an_address_that_moved_to_another_peer_stays_with_it() {
        let mut demux = Demux::default();
        let (mut old, mut new) = (Routes::default(), Routes::default());
        demux.learn(PeerId(1), &mut old, address(5000));
        demux.learn(PeerId(2), &mut new, address(5000));
        demux.remove(PeerId(1), &old);
        assert_eq!(demux.find(address(5000), &[0x80]), Some(PeerId(2)));
        demux.remove(PeerId(2), &new);
        assert!(demux.by_address.is_empty());
    }

    #[test]
    fn a_peer_holds_a_bounded_number_of_addresses() {
        let mut demux = Demux::default();
        let mut routes = Routes::default();
        for port in 1..=100 {
            demux.learn(PeerId(1), &mut routes, address(port));
        }
        assert_eq!(demux.by_address.len(), MAX_ADDRESSES);
        assert_eq!(demux.find(address(100), &[0x80]), Some(PeerId(1)));
    }

    #[test]
    fn an_ice_restart_moves_the_username() {
        let mut demux = Demux::default();
        let mut routes = Routes::default();
        demux.set_ufrag(PeerId(1), &mut routes, "old".into());
        demux.set_ufrag(PeerId(1), &mut routes, "new".into());
        assert_eq!(demux.by_ufrag.keys().collect::<Vec<_>>(), ["new"]);
        demux.remove(PeerId(1), &routes);
        assert!(demux.by_ufrag.is_empty());
    }
}
