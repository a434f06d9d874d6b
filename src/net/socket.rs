//! The UDP socket: datagrams in batches, with the local address and the kernel's time of arrival.
//!
//! A wildcard socket must answer from the very address that a peer checked, so each datagram carries
//! its local address in ancillary data (IP_PKTINFO, RFC 3542 6.1), in both directions. The
//! standard library and tokio have neither that nor batches: this file calls recvmmsg(2) and
//! sendmmsg(2) itself.
#![allow(unsafe_code)] // Each block says why it is sound.

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;
use std::time::{Duration, Instant, SystemTime};

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

use crate::relay::Transmit;
use crate::relay_handle::SocketStats;

/// Datagrams read by one system call.
const BATCH: usize = 32;

/// Datagrams sent by one. Few: the first receivers of a fan-out must not wait until more are sealed,
/// and a larger batch saves next to nothing (see `docs/performance.md`).
const SEND_BATCH: usize = 8;

/// Longer than any datagram that WebRTC sends over Ethernet; what is longer is cut, counted and dropped.
const MAX_DATAGRAM: usize = 2_048;

/// Room for the ancillary data of one datagram: a local address and a time of arrival.
const CONTROL_SPACE: usize = 128;

/// Kernel buffers: a fan-out to a thousand receivers, and a burst from as many senders.
const SEND_BUFFER: usize = 4 << 20;
const RECEIVE_BUFFER: usize = 2 << 20;

/// A kernel time of arrival older than this is a clock that was set, not a queue that was long.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(2);

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

    /// The address that it is bound to; unspecified for all.
    pub fn address(&self) -> IpAddr {
        self.local.ip()
    }

    /// A second handle that the runtime of the calling thread tells when there is something to read.
    pub(super) fn register(&self) -> io::Result<tokio::net::UdpSocket> {
        tokio::net::UdpSocket::from_std(self.socket.try_clone()?)
    }

    /// Reads all that waits, up to a batch.
    ///
    /// # Errors
    /// `WouldBlock` when nothing waits.
    pub(super) fn receive(&self, batch: &mut Batch) -> io::Result<()> {
        batch.fill_from(self.socket.as_raw_fd(), self.local.ip())
    }

    /// Sends a batch. What the kernel does not take at once is dropped and counted: late audio is worthless.
    pub(super) fn send(&self, outgoing: &mut Outgoing, stats: &mut SocketStats) {
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

/// A datagram as it was read.
pub(super) struct Received<'a> {
    pub(super) source: SocketAddr,
    /// The local address that it was sent to.
    pub(super) destination: IpAddr,
    pub(super) payload: &'a [u8],
    /// When the kernel got it.
    pub(super) arrived: Instant,
    /// It was longer than there was room for.
    pub(super) truncated: bool,
}

/// Ancillary data must be aligned as its headers are.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_SPACE]);

/// Buffers for one batch of datagrams to read.
pub(super) struct Batch {
    payloads: Box<[[u8; MAX_DATAGRAM]; BATCH]>,
    read: Vec<ReadHeader>,
}

/// What came with a datagram.
struct ReadHeader {
    source: SocketAddr,
    destination: IpAddr,
    length: usize,
    truncated: bool,
    arrived: Option<SystemTime>,
}

impl Default for Batch {
    fn default() -> Self {
        Self { payloads: Box::new([[0; MAX_DATAGRAM]; BATCH]), read: Vec::with_capacity(BATCH) }
    }
}

impl Batch {
    /// The datagrams read; `now` on the monotonic clock is needed to place the kernel's times on it.
    pub(super) fn iter(&self, now: Instant) -> impl Iterator<Item = Received<'_>> {
        let wall = SystemTime::now();
        self.payloads.iter().zip(&self.read).map(move |(payload, header)| Received {
            source: header.source,
            destination: header.destination,
            payload: &payload[..header.length],
            arrived: header.arrived.map_or(now, |arrived| place(arrived, wall, now)),
            truncated: header.truncated,
        })
    }

    fn fill_from(&mut self, socket: RawFd, bound: IpAddr) -> io::Result<()> {
        self.read.clear();
        let mut names = [const { MaybeUninit::<libc::sockaddr_storage>::zeroed() }; BATCH];
        let mut controls = [Control([0; CONTROL_SPACE]); BATCH];
        let mut slices: [libc::iovec; BATCH] = std::array::from_fn(|index| slice(&mut self.payloads[index]));
        let mut messages: [libc::mmsghdr; BATCH] = std::array::from_fn(|index| {
            let mut message = empty_message(&mut slices[index], &mut controls[index]);
            message.msg_hdr.msg_name = names[index].as_mut_ptr().cast();
            message.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as _;
            message
        });
        // SAFETY: every header points to a name, a buffer and a control area of its own with their
        // true lengths, all of which outlive the call; no timeout is passed.
        let count = unsafe {
            libc::recvmmsg(socket, messages.as_mut_ptr(), BATCH as _, libc::MSG_DONTWAIT as _, ptr::null_mut())
        };
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        for (message, name) in messages.iter().zip(&names).take(count as usize) {
            // SAFETY: the kernel filled this header, its name and its control area.
            let header = unsafe { read_header(message, name, bound) };
            self.read.push(header);
        }
        Ok(())
    }
}

/// Where on the monotonic clock a wall-clock time of arrival lies.
fn place(arrived: SystemTime, wall: SystemTime, now: Instant) -> Instant {
    let queued = wall.duration_since(arrived).unwrap_or_default();
    now.checked_sub(queued).filter(|_| queued < MAX_QUEUE_TIME).unwrap_or(now)
}

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

/// # Safety
/// `message` and `name` must have been filled by recvmmsg, and what `message` points to must be alive.
unsafe fn read_header(
    message: &libc::mmsghdr,
    name: &MaybeUninit<libc::sockaddr_storage>,
    bound: IpAddr,
) -> ReadHeader {
    let mut header = ReadHeader {
        source: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
        destination: bound,
        length: message.msg_len as usize,
        truncated: message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        arrived: None,
    };
    // SAFETY: the storage is zeroed memory of the right size, filled by the kernel up to the length given.
    let source = unsafe {
        let mut storage = SockAddrStorage::zeroed();
        *storage.view_as::<libc::sockaddr_storage>() = name.assume_init();
        SockAddr::new(storage, message.msg_hdr.msg_namelen)
    };
    if let Some(source) = source.as_socket() {
        header.source = SocketAddr::new(source.ip().to_canonical(), source.port());
    }
    // SAFETY: the macros walk the control area within the length that the kernel wrote; each
    // payload is read unaligned, as the type that its level and kind promise.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(&raw const message.msg_hdr);
        while !control.is_null() {
            note_control(&mut header, &*control, libc::CMSG_DATA(control));
            control = libc::CMSG_NXTHDR(&raw const message.msg_hdr, control);
        }
    }
    header
}

/// # Safety
/// `payload` must be the data of `control`, as the kernel wrote it.
unsafe fn note_control(header: &mut ReadHeader, control: &libc::cmsghdr, payload: *const u8) {
    match (control.cmsg_level, control.cmsg_type) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            // SAFETY: this kind carries an in_pktinfo.
            let info = unsafe { payload.cast::<libc::in_pktinfo>().read_unaligned() };
            header.destination = Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into();
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            // SAFETY: this kind carries an in6_pktinfo.
            let info = unsafe { payload.cast::<libc::in6_pktinfo>().read_unaligned() };
            header.destination = IpAddr::from(Ipv6Addr::from(info.ipi6_addr.s6_addr)).to_canonical();
        }
        (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
            // SAFETY: this kind carries a timespec.
            let time = unsafe { payload.cast::<libc::timespec>().read_unaligned() };
            header.arrived = SystemTime::UNIX_EPOCH.checked_add(Duration::new(time.tv_sec as u64, time.tv_nsec as u32));
        }
        _ => {}
    }
}

/// Datagrams to send, up to a batch.
#[derive(Default)]
pub(super) struct Outgoing {
    waiting: Vec<Waiting>,
}

struct Waiting {
    transmit: Transmit,
    arrived: Instant,
}

impl Outgoing {
    /// Adds one; `arrived` is when what led to it came.
    pub(super) fn push(&mut self, transmit: Transmit, arrived: Instant) {
        self.waiting.push(Waiting { transmit, arrived });
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= SEND_BATCH
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn send_to(&mut self, socket: RawFd, local: SocketAddr, stats: &mut SocketStats) {
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
        for waiting in self.waiting.drain(..).take(next).filter(|waiting| waiting.transmit.forwarded) {
            stats.forward_delay.observe(sent_at.saturating_duration_since(waiting.arrived));
        }
    }

    /// Sends from `first` on; gives how many went.
    fn send_batch(&mut self, socket: RawFd, local: SocketAddr, first: usize) -> io::Result<usize> {
        let batch = &mut self.waiting[first..];
        let count = batch.len().min(SEND_BATCH);
        let names: [Option<SockAddr>; SEND_BATCH] = std::array::from_fn(|index| {
            batch.get(index).map(|waiting| socket_name(waiting.transmit.destination, local))
        });
        let mut controls = [Control([0; CONTROL_SPACE]); SEND_BATCH];
        let mut slices: [libc::iovec; SEND_BATCH] = std::array::from_fn(|index| match batch.get_mut(index) {
            Some(waiting) => slice(&mut waiting.transmit.payload),
            None => libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 },
        });
        let mut messages: [libc::mmsghdr; SEND_BATCH] = std::array::from_fn(|index| {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads until a datagram is there.
    fn read_one(socket: &MediaSocket, batch: &mut Batch) {
        for _ in 0..1_000 {
            match socket.receive(batch) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
        panic!("nothing arrived");
    }

    fn transmit(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Transmit {
        Transmit { source, destination, payload: payload.to_vec(), forwarded: true }
    }

    #[test]
    fn a_datagram_is_answered_from_the_address_that_it_was_sent_to() {
        for (bound, target) in
            [("::", "127.0.0.7"), ("::", "::1"), ("0.0.0.0", "127.0.0.7"), ("127.0.0.1", "127.0.0.1")]
        {
            let socket = MediaSocket::bind(bound.parse().expect("an address"), 0).expect("a free port");
            let target: IpAddr = target.parse().expect("an address");
            let client = UdpSocket::bind(SocketAddr::new(
                if target.is_ipv4() { "127.0.0.1" } else { "::1" }.parse().expect("an address"),
                0,
            ))
            .expect("a free port");
            client.send_to(b"question", SocketAddr::new(target, socket.port())).expect("sent");

            let mut batch = Batch::default();
            read_one(&socket, &mut batch);
            let now = Instant::now();
            let question = batch.iter(now).next().expect("one datagram");
            assert_eq!((question.payload, question.destination), (&b"question"[..], target));
            assert!(question.arrived <= now && !question.truncated);

            let mut outgoing = Outgoing::default();
            outgoing.push(transmit(SocketAddr::new(target, socket.port()), question.source, b"answer"), now);
            let mut stats = SocketStats::default();
            socket.send(&mut outgoing, &mut stats);
            let mut buffer = [0; 16];
            let (length, from) = client.recv_from(&mut buffer).expect("an answer");
            assert_eq!((&buffer[..length], from), (&b"answer"[..], SocketAddr::new(target, socket.port())));
            assert_eq!((stats.send_failed, stats.forward_delay.count()), (0, 1));
        }
    }

    #[test]
    fn a_hundred_datagrams_take_thirteen_system_calls_and_keep_their_order() {
        let socket = MediaSocket::bind(Ipv4Addr::LOCALHOST.into(), 0).expect("a free port");
        let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let destination = client.local_addr().expect("bound");
        let mut outgoing = Outgoing::default();
        for number in 0..100_u8 {
            outgoing.push(transmit(socket.local, destination, &[number]), Instant::now());
        }
        let mut stats = SocketStats::default();
        socket.send(&mut outgoing, &mut stats);
        assert_eq!(stats.send_calls, 13);
        for number in 0..100_u8 {
            let mut buffer = [0; 2];
            assert_eq!(client.recv(&mut buffer).expect("a datagram"), 1);
            assert_eq!(buffer[0], number);
        }
    }

    #[test]
    fn one_that_cannot_be_sent_does_not_hold_up_the_others() {
        let socket = MediaSocket::bind(Ipv4Addr::LOCALHOST.into(), 0).expect("a free port");
        let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let mut outgoing = Outgoing::default();
        // Loopback has no way to a multicast address.
        outgoing.push(transmit(socket.local, SocketAddr::from(([255, 255, 255, 255], 9)), b"lost"), Instant::now());
        outgoing.push(transmit(socket.local, client.local_addr().expect("bound"), b"kept"), Instant::now());
        let mut stats = SocketStats::default();
        socket.send(&mut outgoing, &mut stats);
        let mut buffer = [0; 8];
        assert_eq!(client.recv(&mut buffer).expect("a datagram"), 4);
        assert_eq!((stats.send_failed, stats.forward_delay.count()), (1, 2));
    }

    #[test]
    fn an_oversized_datagram_is_marked() {
        let socket = MediaSocket::bind(Ipv4Addr::LOCALHOST.into(), 0).expect("a free port");
        let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        client.send_to(&[7; 60_000], socket.local).expect("sent");
        let mut batch = Batch::default();
        read_one(&socket, &mut batch);
        assert!(batch.iter(Instant::now()).all(|datagram| datagram.truncated));
    }
}
