//! The words that every other module shares: identities of streams and peers, and the packet that
//! travels between them. No behaviour beyond parsing and printing.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// Identity of one live stream, written `stream_<uuid>` on the wire.
///
/// The uuid is the `connection_id` that the sender was given in `sender_ready`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Uuid);

impl StreamId {
    /// The stream of the sender that holds this connection id.
    pub const fn of_connection(connection: Uuid) -> Self {
        Self(connection)
    }

    /// That connection id.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream_{}", self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not `stream_` followed by a uuid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stream id is written stream_<uuid>")]
pub struct InvalidStreamId;

impl FromStr for StreamId {
    type Err = InvalidStreamId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("stream_").and_then(|uuid| Uuid::try_parse(uuid).ok()).map(Self).ok_or(InvalidStreamId)
    }
}

impl Serialize for StreamId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Identity of one room, unique for the life of the process. How a room is called on the wire is `rooms`' business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoomId(pub u32);

impl RoomId {
    /// The room of those who name none.
    pub const HOME: Self = Self(0);

    /// Where voice messages are said: nobody is ever there, and it is no room on the wire.
    pub const MAILBOX: Self = Self(u32::MAX - 1);
}

/// Track: what one source sends, of one kind, and where it is heard. The protocols call it a stream, after its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Identity of it.
    pub id: StreamId,
    /// What it carries.
    pub kind: TrackKind,
    /// Room in which it is heard.
    pub room: RoomId,
}

/// Kind of what a track carries; all that follows from it is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackKind {
    /// Speech, which goes before music.
    Voice,
    /// Speech for the sake of which all else is turned down.
    Urgent,
    /// Music, which is heard below speech, and whose slot nobody takes.
    Music,
    /// What a camera sees.
    Camera,
    /// What is on a screen: text, which is wanted sharp rather than smooth.
    Screen,
}

impl TrackKind {
    /// Ticks a second of its RTP timestamps: 48,000 for Opus, whatever the microphone does (RFC 7587 4.1), and 90,000 for
    /// every codec of video (RFC 3551 5).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Voice | Self::Urgent | Self::Music => 48_000,
            Self::Camera | Self::Screen => 90_000,
        }
    }
}

impl Track {
    /// A voice in this room.
    pub const fn voice(id: StreamId, room: RoomId) -> Self {
        Self { id, kind: TrackKind::Voice, room }
    }

    /// Music in this room.
    pub const fn music(id: StreamId, room: RoomId) -> Self {
        Self { id, kind: TrackKind::Music, room }
    }

    /// Whether it has a slot of its own with whoever hears it, which nobody takes.
    pub fn is_pinned(&self) -> bool {
        self.kind != TrackKind::Voice
    }

    /// Whether speech goes before it.
    pub fn is_music(&self) -> bool {
        self.kind == TrackKind::Music
    }
}

/// Somebody's voice at home: all that those can say who know of no rooms.
impl From<StreamId> for Track {
    fn from(id: StreamId) -> Self {
        Self::voice(id, RoomId::HOME)
    }
}

/// What counts as one client where addresses are counted: one device may have as many addresses of an IPv6 network
/// (/64) as it likes.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// What goes before what: of announcements, and of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// As normal, but that it gives way to whoever talks: it is not announced then.
    Low,
    /// Waits for those that came before, and gets to nobody who does not want to be disturbed.
    #[default]
    Normal,
    /// Interrupts what is not urgent.
    Urgent,
}

/// Who answers for what is used and tried: a device by its address, or somebody whom Home Assistant has signed in, by
/// whatever device. Limits are shared out by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A device, or what counts as one: see [`network`].
    Address(IpAddr),
    /// A user of Home Assistant, by the id that it gives.
    User(Arc<str>),
    /// This machine itself: its sound card, its announcements.
    Machine,
}

impl<A: Into<IpAddr>> From<A> for Owner {
    fn from(address: A) -> Self {
        Self::Address(network(address.into()))
    }
}

/// Identity of what was granted to one client: a connection, a stream to hear. Unique for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct GrantId(pub u64);

/// A name as it is compared: letters with their marks in one piece (NFC), capitals as small ones. Macs write them in
/// pieces, and nobody sees the difference.
pub fn comparable(name: &str) -> String {
    composed(&name.to_lowercase())
}

/// A text with its letters and their marks in one piece (NFC).
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// Identity of one peer connection, unique for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeerId(pub u64);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer_{}", self.0)
    }
}

/// One Opus packet of a live stream, as consumers of PCM receive it.
///
/// Sequence and timestamp are continuous for the consumer, also when the sender leaves and returns:
/// they start at some small number and only ever grow (packets may still arrive out of order).
#[derive(Debug, Clone)]
pub struct OpusPacket {
    /// Extended RTP sequence number: grows by one a packet, does not wrap.
    pub sequence: u64,
    /// RTP timestamp of the first sample, in samples at 48 kHz, extended so that it does not wrap.
    pub timestamp: u64,
    /// When the datagram arrived.
    pub arrival: Instant,
    /// The Opus packet (RFC 6716); can be empty or garbage, since it comes from the network.
    pub payload: Arc<[u8]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_id_reads_back_what_it_printed() {
        let id = StreamId::of_connection(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn other_texts_are_no_stream_ids() {
        for text in
            ["", "stream_", "stream_1", "latest", "../etc/passwd", "STREAM_00000000-0000-0000-0000-000000000007"]
        {
            assert_eq!(text.parse::<StreamId>(), Err(InvalidStreamId), "{text}");
        }
    }
}
