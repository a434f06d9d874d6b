//! The core of Voice Relay: one speaker's Opus packets, forwarded undecoded to everyone who listens.
//!
//! Sans-IO: what goes in is time, datagrams and commands; what comes out is datagrams, events and
//! the next deadline. No socket, no clock, no thread: the same code runs under the UDP loop in
//! `net` and under the simulated network of `tests/support`.
//!
//! Layers, none of which knows the next one's business:
//!
//! * `peers`: connections. Whose is a datagram, what was agreed, is anybody still there. str0m is there, and only there.
//! * `router`: tracks, consumers, rooms as audiences. Who hears which packet, with which number, and in which slot.
//! * `video`: the router of video, of whose kind of tracks nothing is heard: layers, and which of them a viewer's way bears.
//! * `ports`: ways in and out that are no connections: senders on this machine, decoders, other cores.
//!
//! The way of a packet: [`Relay::handle`] takes a datagram → `peers` finds whose it is, and decrypts it → `router` gives it
//! its place in its track, and notes who is to have a copy → [`Relay::poll`] has the copies made one by one, so that the
//! first can leave before the last is sealed. [`Relay`] itself only carries things from one layer to the next.

mod context;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod opening;
mod packet;
mod peers;
mod ports;
mod relay;
mod router;
mod stats;
mod video;

use std::net::SocketAddr;
use std::time::Duration;

use crate::domain::{OpusPacket, PeerId, StreamId, Track};

pub use error::{AnswerError, NegotiationError};
pub use opening::{Accepted, Role, Subscribed};
pub use peers::offer::{Credentials, Offer, fragment_of, ufrag_of};
pub use peers::{CONNECT_TIMEOUT, ChannelEvent, CloseReason, FILES_CONNECT_TIMEOUT};
pub use ports::{Delivery, Interest, LocalPacket, Port, PortId, RemotePacket};
pub use relay::Relay;
pub use router::{BITRATES, MemberStats, ParticipantTracks, TooManyStreams, Wanted};
pub use stats::{DropReason, Histogram, RelayStats};
pub use video::{VideoMembership, View, ViewState};

/// Default for [`RelayConfig::publisher_timeout`].
pub const PUBLISHER_TIMEOUT: Duration = Duration::from_secs(4);

/// Default for [`RelayConfig::cleanup_interval`].
pub const CLEANUP_INTERVAL: Duration = Duration::from_secs(300);

/// Default for [`RelayConfig::stale_after`].
pub const STALE_AFTER: Duration = Duration::from_secs(600);

/// Default for [`RelayConfig::video_estimate`]: what a home network bears.
pub const VIDEO_ESTIMATE: u64 = 10_000_000;

/// What the core is told once, at its start.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Addresses at which peers reach the relay: they become ICE host candidates.
    pub addresses: Vec<SocketAddr>,
    /// Peer connections at once; further offers are refused.
    pub max_peers: usize,
    /// Senders at once, live or connecting; further ones are refused.
    pub max_streams: usize,
    /// A sender of whom nothing was heard for so long has vanished.
    pub publisher_timeout: Duration,
    /// Time between two clean-ups.
    pub cleanup_interval: Duration,
    /// What nobody has fed for so long is removed by the clean-up.
    pub stale_after: Duration,
    /// Streams are tapped from their first packet on.
    pub tap_all: bool,
    /// What a viewer's way is taken to bear before anything is known of it, in bits a second.
    pub video_estimate: u64,
    /// The best bitrate of a room that has none of its own, in bits a second.
    pub room_bitrate: u32,
    /// The first name that is given to a peer; the next ones count on. Cores that work as one have ranges of their own.
    pub first_peer: u64,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            max_peers: 1_000,
            max_streams: 100,
            publisher_timeout: PUBLISHER_TIMEOUT,
            cleanup_interval: CLEANUP_INTERVAL,
            stale_after: STALE_AFTER,
            tap_all: false,
            video_estimate: VIDEO_ESTIMATE,
            room_bitrate: BITRATES[0],
            first_peer: 0,
        }
    }
}

/// Input from outside.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A UDP datagram arrived.
    Datagram {
        /// Who sent it.
        source: SocketAddr,
        /// The local address that it was sent to.
        destination: SocketAddr,
        /// All of it.
        payload: &'a [u8],
    },
    /// The deadline was reached, or time simply went on.
    Timeout,
}

/// What the core wants done.
#[derive(Debug)]
pub enum Output {
    /// A UDP datagram is to be sent.
    Transmit(Transmit),
    /// Something happened that others may want to know.
    Event(Event),
}

/// A datagram to send.
#[derive(Debug)]
pub struct Transmit {
    /// The local address to send from, so that the peer sees the address it checked.
    pub source: SocketAddr,
    /// Whom to send it to.
    pub destination: SocketAddr,
    /// All of it.
    pub payload: Vec<u8>,
    /// It carries a publisher's packet on, as the answer to the datagram just handed in.
    pub forwarded: bool,
}

/// Something that others may want to know.
#[derive(Debug)]
pub enum Event {
    /// The first packet of this stream was decrypted: whoever subscribes now hears something.
    StreamAvailable(Track),
    /// The stream is over; told exactly once for each that was available.
    StreamEnded(Track),
    /// How loud each stream was since the last such event, in dBov (-127 silent, 0 loudest).
    Levels(Vec<(StreamId, i8)>),
    /// Somebody is, or is no longer, heard to talk (or to play) on this stream.
    Talks(Track, bool),
    /// Whose streams the participant with this voice hears, by the m-lines of its slots: all that are taken.
    Slots(StreamId, Vec<(String, StreamId)>),
    /// Bits a second that all can bear who hear the participant with this voice.
    Bitrate(StreamId, u32),
    /// What somebody sees, by the m-lines of their slots: all in which they want to see something.
    Views(StreamId, Vec<(String, StreamId, ViewState)>),
    /// Lines of the largest tile that shows this track; 0: nobody looks.
    VideoWanted(Track, u16),
    /// A packet for the core that this [pipe](Relay::attach_pipe) leads to.
    Piped(PortId, RemotePacket),
    /// Whether somebody here hears this stream, which comes from another core.
    Wanted(StreamId, bool),
    /// A packet of a stream that is [tapped](Relay::set_tapped).
    Tapped(StreamId, OpusPacket),
    /// Something happened on the data channel of a peer that is sent files.
    Channel(PeerId, ChannelEvent),
    /// A peer connection is gone.
    PeerClosed(PeerId, CloseReason),
}
