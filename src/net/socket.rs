//! The UDP socket: datagrams in batches, with the local address and the kernel's time of arrival.
//!
//! A wildcard socket must answer from the very address that a peer checked, so each datagram carries
//! its local address in ancillary data (IP_PKTINFO, RFC 3542 6.1), in both directions. The
//! standard library and tokio have neither that nor batches: this file calls recvmmsg(2) and
//! sendmmsg(2) itself.
#![allow(unsafe_code)] // Each block says why it is sound.

mod receive;
mod send;

use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use socket2::{Domain, Protocol, Socket, Type};

use crate::engine::SocketStats;

pub use receive::{Batch, Received};
pub use send::Outgoing;

/// Room for the ancillary data of one datagram: a local address and a time of arrival.
const CONTROL_SPACE: usize = 128;

/// Kernel buffers: a fan-out to a thousand receivers, and a burst from as many senders.
const SEND_BUFFER: usize = 4 << 20;
const RECEIVE_BUFFER: usize = 2 << 20;

/// The one socket of a media thread.
pub struct MediaSocket {
    socket: UdpSocket,
    local: SocketAddr,
}

impl MediaSocket {
    /// Binds it. `::` takes IPv4 as well; where the kernel has no IPv6, it means `0.0.0.0`.
    ///
    /// # Errors
    /// When the port is in use, or the address is not of this machine.
    pub fn bind(address: IpAddr, port: u16) -> io::Result<Self> {
        let wanted = SocketAddr::new(address, port);
        let bound = match open(wanted) {
            Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) && address.is_unspecified() => {
                open(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))
            }
            result => result,
        }?;
        let local = bound.local_addr()?;
        Ok(Self { socket: bound, local })
    }

    /// The port that it is bound to.
    pub fn port(&self) -> u16 {
        self.local.port()
    }

    /// Where it is bound; the address is unspecified for all.
    pub fn bound(&self) -> SocketAddr {
        self.local
    }

    /// A second handle that the runtime of the calling thread tells when there is something to read.
    ///
    /// # Errors
    /// When the operating system gives no second handle, or the calling thread has no runtime.
    pub fn register(&self) -> io::Result<tokio::net::UdpSocket> {
        tokio::net::UdpSocket::from_std(self.socket.try_clone()?)
    }

    /// Reads all that waits, up to a batch.
    ///
    /// # Errors
    /// `WouldBlock` when nothing waits.
    pub fn receive(&self, batch: &mut Batch) -> io::Result<()> {
        batch.fill_from(self.socket.as_raw_fd(), self.local.ip())
    }

    /// Sends a batch. What the kernel does not take at once is dropped and counted: late audio is worthless.
    pub fn send(&self, outgoing: &mut Outgoing, stats: &mut SocketStats) {
        outgoing.send_to(self.socket.as_raw_fd(), self.local, stats);
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
        set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)?;
    } else {
        set_option(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO)?;
    }
    set_option(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)?;
    // The kernel may grant less; it says nothing then, and neither do we.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn set_option(socket: &Socket, level: libc::c_int, name: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open, and the option's value is an int that lives through the call.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const on).cast(), size_of::<libc::c_int>() as _)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Ancillary data must be aligned as its headers are.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_SPACE]);

fn slice(bytes: &mut [u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() }
}

fn empty_message(slice: &mut libc::iovec, control: &mut Control) -> libc::mmsghdr {
    // SAFETY: a header of zeros is valid: no name, no buffers, no flags.
    let mut message: libc::mmsghdr = unsafe { mem::zeroed() };
    message.msg_hdr.msg_iov = slice;
    message.msg_hdr.msg_iovlen = 1;
    message.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
    message.msg_hdr.msg_controllen = CONTROL_SPACE as _;
    message
}

#[cfg(test)]
mod tests;
