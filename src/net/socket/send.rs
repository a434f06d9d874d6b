//! Sending datagrams by the batch (sendmmsg(2)), each from the local address that its peer knows.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::ptr;
use std::time::Instant;

use socket2::SockAddr;

use crate::core::Transmit;
use crate::engine::SocketStats;

use super::{CONTROL_SPACE, Control, empty_message, slice};

/// Datagrams sent by one system call. Few: the first receivers of a fan-out must not wait until more are sealed,
/// and a larger batch saves next to nothing (see `docs/performance.md`).
const BATCH: usize = 8;

/// Datagrams to send, up to a batch.
#[derive(Default)]
pub struct Outgoing {
    waiting: Vec<UnsentDatagrams>,
}

struct UnsentDatagrams {
    transmit: Transmit,
    arrived: Instant,
}

impl Outgoing {
    /// Adds one; `arrived` is when what led to it came.
    pub fn push(&mut self, transmit: Transmit, arrived: Instant) {
        self.waiting.push(UnsentDatagrams { transmit, arrived });
    }

    /// It is to be sent before more is added.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH
    }

    /// There is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Hands over the payloads of all that were sent, or dropped.
    pub fn spent(&mut self) -> impl Iterator<Item = Vec<u8>> {
        self.waiting.drain(..).map(|waiting| waiting.transmit.payload)
    }

    /// Sends what waits; it stays until it is [spent](Self::spent).
    pub(super) fn send_to(&mut self, socket: RawFd, local: SocketAddr, stats: &mut SocketStats) {
        let mut next = 0;
        while next < self.waiting.len() {
            stats.send_calls += 1;
            match self.send_batch(socket, local, next) {
                Ok(sent) => next += sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stats.send_buffer_full += (self.waiting.len() - next) as u64;
                    break;
                }
                Err(error) => {
                    // Of the first of the rest; those behind it may still go.
                    tracing::debug!(%error, "a datagram could not be sent");
                    stats.send_failed += 1;
                    next += 1;
                }
            }
        }
        let sent_at = Instant::now();
        for waiting in self.waiting[..next].iter().filter(|waiting| waiting.transmit.forwarded) {
            stats.forward_delay.observe(sent_at.saturating_duration_since(waiting.arrived));
        }
    }

    /// Sends from `first` on; gives how many went.
    fn send_batch(&mut self, socket: RawFd, local: SocketAddr, first: usize) -> io::Result<usize> {
        let batch = &mut self.waiting[first..];
        let count = batch.len().min(BATCH);
        let names: [Option<SockAddr>; BATCH] = std::array::from_fn(|index| {
            batch.get(index).map(|waiting| socket_name(waiting.transmit.destination, local))
        });
        let mut controls = [Control([0; CONTROL_SPACE]); BATCH];
        let mut slices: [libc::iovec; BATCH] = std::array::from_fn(|index| match batch.get_mut(index) {
            Some(waiting) => slice(&mut waiting.transmit.payload),
            None => libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 },
        });
        let mut messages: [libc::mmsghdr; BATCH] = std::array::from_fn(|index| {
            let mut message = empty_message(&mut slices[index], &mut controls[index]);
            message.msg_hdr.msg_controllen = 0;
            if let (Some(name), Some(waiting)) = (&names[index], batch.get(index)) {
                message.msg_hdr.msg_name = name.as_ptr().cast_mut().cast();
                message.msg_hdr.msg_namelen = name.len();
                if local.ip().is_unspecified() {
                    set_source(&mut message.msg_hdr, waiting.transmit.source.ip(), local.is_ipv6());
                }
            }
            message
        });
        // SAFETY: the first `count` headers point to names, payloads and control areas with their
        // true lengths, all of which outlive the call; the kernel only reads them.
        let sent = unsafe { libc::sendmmsg(socket, messages.as_mut_ptr(), count as _, libc::MSG_DONTWAIT as _) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
    }
}

/// An IPv4 address on an IPv6 socket is written as a mapped one (RFC 4291 2.5.5.2).
fn socket_name(address: SocketAddr, local: SocketAddr) -> SockAddr {
    match address {
        SocketAddr::V4(v4) if local.is_ipv6() => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()).into(),
        other => other.into(),
    }
}

/// Makes the datagram leave from this local address.
fn set_source(header: &mut libc::msghdr, source: IpAddr, socket_is_ipv6: bool) {
    if socket_is_ipv6 {
        let address = match source {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let info = libc::in6_pktinfo { ipi6_addr: libc::in6_addr { s6_addr: address.octets() }, ipi6_ifindex: 0 };
        write_control(header, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
    } else if let IpAddr::V4(v4) = source {
        let address = libc::in_addr { s_addr: u32::from(v4).to_be() };
        let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: address, ipi_addr: libc::in_addr { s_addr: 0 } };
        write_control(header, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
    }
}

fn write_control<T>(header: &mut libc::msghdr, level: libc::c_int, kind: libc::c_int, value: T) {
    // SAFETY: both macros only compute sizes.
    let (space, length) =
        unsafe { (libc::CMSG_SPACE(size_of::<T>() as _) as usize, libc::CMSG_LEN(size_of::<T>() as _)) };
    assert!(space <= CONTROL_SPACE, "the control area has room for a local address");
    header.msg_controllen = space as _;
    // SAFETY: the header points to a control area of CONTROL_SPACE aligned bytes, of which `space`
    // are declared, so that the first header is within it and its data has room for a T.
    unsafe {
        let control = libc::CMSG_FIRSTHDR(&raw const *header);
        (*control).cmsg_level = level;
        (*control).cmsg_type = kind;
        (*control).cmsg_len = length as _;
        libc::CMSG_DATA(control).cast::<T>().write_unaligned(value);
    }
}
