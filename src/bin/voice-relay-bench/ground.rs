//! Where receivers have their sockets. On loopback one socket has thirty-two of them, since all of 127.0.0.0/8 is
//! ours: datagrams are then read by the batch, and the machine's other processor is left to the server.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use socket2::{MsgHdr, SockAddr, SockRef};
use voice_relay::net::MediaSocket;

/// Receivers of one socket on loopback. A fan-out to all of them fits the queue of a socket as small as Linux has it.
const SHARED: usize = 32;

/// What kind of network the receivers are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// Each receiver has an address: 127.0.1.1 and further.
    Loopback,
    /// Each receiver has a port of this address.
    Network(IpAddr),
}

/// One socket, and the addresses of those who share it.
pub(crate) struct SharedSocket {
    pub(crate) media: MediaSocket,
    pub(crate) socket: tokio::net::UdpSocket,
    ground: Ground,
}

impl Ground {
    /// That of clients of this server.
    pub(crate) fn near(server: IpAddr) -> io::Result<Self> {
        if server.is_loopback() && server.is_ipv4() {
            return Ok(Self::Loopback);
        }
        let wildcard = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let probe = UdpSocket::bind(wildcard)?;
        // Nothing is sent: the kernel only says which of our addresses it would send from.
        probe.connect(SocketAddr::new(server, 9))?;
        Ok(Self::Network(probe.local_addr()?.ip()))
    }

    /// The address of senders.
    pub(crate) fn address(self) -> IpAddr {
        match self {
            Self::Loopback => Ipv4Addr::LOCALHOST.into(),
            Self::Network(address) => address,
        }
    }

    /// Opens one more socket.
    pub(crate) fn open(self) -> io::Result<SharedSocket> {
        let address = match self {
            Self::Loopback => Ipv4Addr::UNSPECIFIED.into(),
            Self::Network(address) => address,
        };
        let media = MediaSocket::bind(address, 0)?;
        let socket = media.register()?;
        Ok(SharedSocket { media, socket, ground: self })
    }
}

impl SharedSocket {
    /// How many receivers share it.
    pub(crate) fn places(&self) -> usize {
        if self.ground == Ground::Loopback { SHARED } else { 1 }
    }

    /// The address of one of them.
    pub(crate) fn address_of(&self, place: usize) -> SocketAddr {
        let address = match self.ground {
            Ground::Loopback => Ipv4Addr::new(127, 0, 1, place as u8 + 1).into(),
            Ground::Network(address) => address,
        };
        SocketAddr::new(address, self.media.port())
    }

    /// Whose address this is.
    pub(crate) fn place_of(&self, address: IpAddr) -> Option<usize> {
        match (self.ground, address) {
            (Ground::Loopback, IpAddr::V4(address)) => usize::from(address.octets()[3]).checked_sub(1),
            (Ground::Loopback, IpAddr::V6(_)) => None,
            (Ground::Network(_), _) => Some(0),
        }
    }

    /// Sends a datagram of one of them.
    pub(crate) fn send(&self, place: usize, destination: SocketAddr, payload: &[u8]) -> io::Result<()> {
        let (to, buffers) = (SockAddr::from(destination), [IoSlice::new(payload)]);
        let message = MsgHdr::new().with_addr(&to).with_buffers(&buffers);
        let socket = SockRef::from(&self.socket);
        match self.address_of(place).ip() {
            IpAddr::V4(own) if self.ground == Ground::Loopback => {
                socket.sendmsg(&message.with_control(&sent_from(own)), 0).map(drop)
            }
            _ => socket.sendmsg(&message, 0).map(drop),
        }
    }
}

/// Ancillary data that make a datagram leave from this address: a header (cmsg(3)) and an `in_pktinfo` (ip(7)), as
/// the machine writes numbers.
fn sent_from(address: Ipv4Addr) -> Vec<u8> {
    let info: [[u8; 4]; 3] = [[0; 4], address.octets(), [0; 4]];
    let length = size_of::<libc::cmsghdr>() + size_of_val(&info);
    let mut control = length.to_ne_bytes().to_vec();
    control.extend(libc::IPPROTO_IP.to_ne_bytes());
    control.extend(libc::IP_PKTINFO.to_ne_bytes());
    control.extend(info.as_flattened());
    control.resize(length.next_multiple_of(size_of::<usize>()), 0);
    control
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_of_those_who_share_a_socket_has_an_address() {
        let port = Ground::Loopback.open().expect("a free port");
        let server = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        for place in [0, 1, port.places() - 1] {
            port.send(place, server.local_addr().expect("bound"), b"hello").expect("sent");
            let source = server.recv_from(&mut [0; 8]).expect("a datagram").1;
            assert_eq!(source, port.address_of(place));
            assert_eq!(port.place_of(source.ip()), Some(place));
        }
    }

    #[test]
    fn loopback_is_known_as_such() {
        let address: IpAddr = "127.0.0.1".parse().expect("an address");
        assert_eq!(Ground::near(address).expect("a way"), Ground::Loopback);
    }
}
