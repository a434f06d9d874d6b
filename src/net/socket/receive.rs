//! Reading datagrams by the batch (recvmmsg(2)), with what the kernel knows of each.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::RawFd;
use std::ptr;
use std::time::{Duration, Instant, SystemTime};

use socket2::{SockAddr, SockAddrStorage};

use super::{CONTROL_SPACE, Control, empty_message, slice};

/// Datagrams read by one system call.
const BATCH: usize = 32;

/// Longer than any datagram that WebRTC sends over Ethernet; what is longer is cut, counted and dropped.
const MAX_DATAGRAM: usize = 2_048;

/// A kernel time of arrival older than this is a clock that was set, not a queue that was long.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(2);

/// A datagram as it was read.
pub struct Received<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// The local address that it was sent to.
    pub destination: IpAddr,
    /// All of it, or its beginning.
    pub payload: &'a [u8],
    /// When the kernel got it.
    pub arrived: Instant,
    /// It was longer than there was room for.
    pub truncated: bool,
}

/// Buffers for one batch of datagrams to read.
pub struct Batch {
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
    pub fn iter(&self, now: Instant) -> impl Iterator<Item = Received<'_>> {
        let wall = SystemTime::now();
        self.payloads.iter().zip(&self.read).map(move |(payload, header)| Received {
            source: header.source,
            destination: header.destination,
            payload: &payload[..header.length],
            arrived: header.arrived.map_or(now, |arrived| place(arrived, wall, now)),
            truncated: header.truncated,
        })
    }

    pub(super) fn fill_from(&mut self, socket: RawFd, bound: IpAddr) -> io::Result<()> {
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
