//! What one receiver hears, counted from RTP headers alone, which are sent in clear (RFC 3711 3.1).
//!
//! Relays renumber packets for each receiver. One packet that was decrypted, and so says which of the sender's it is,
//! anchors their numbers to the sender's; from then on sequence numbers tell.

use super::voice::SAMPLES_PER_PACKET;

/// How far back a packet is still known to be new or not.
const REMEMBERED: u64 = 64;

/// Of the fixed header of RTP (RFC 3550 5.1), what is of interest here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

impl RtpHeader {
    /// `None` when the datagram is something else: STUN, DTLS, RTCP (RFC 7983, RFC 5761 4).
    pub(crate) fn read(datagram: &[u8]) -> Option<Self> {
        let bytes: &[u8; 12] = datagram.first_chunk()?;
        let is_rtp = (128..192).contains(&bytes[0]) && !(192..224).contains(&bytes[1]);
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        is_rtp.then(|| Self { sequence: u16::from_be_bytes([bytes[2], bytes[3]]), timestamp: word(4), ssrc: word(8) })
    }
}

/// What a packet is, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PacketFate {
    /// The sender's packet with this number, for the first time.
    Packet(u64),
    /// It was here before, or is too old to tell.
    Again,
    /// Its numbers contradict one another, or those before it.
    Strange,
}

/// The numbers of one receiver's packets.
#[derive(Debug, Default)]
pub(crate) struct StreamHearing {
    anchor: Option<ClockAnchor>,
    /// Bit n: whether the packet n before the newest is here.
    seen: u64,
    /// In the window that is being counted.
    pub(crate) counted: u64,
}

/// A packet whose number is known: the first, and then the newest.
#[derive(Debug, Clone, Copy)]
struct ClockAnchor {
    first: u64,
    number: u64,
    header: RtpHeader,
}

impl StreamHearing {
    /// Whether numbers are known.
    pub(crate) fn is_anchored(&self) -> bool {
        self.anchor.is_some()
    }

    /// The first packet that could be decrypted is this one of the sender's.
    pub(crate) fn anchor(&mut self, header: RtpHeader, number: u64) {
        self.anchor = Some(ClockAnchor { first: number, number, header });
        self.seen = 1;
    }

    /// Which of the sender's packets a header would be.
    pub(crate) fn number_of(&self, header: RtpHeader) -> Option<u64> {
        let ClockAnchor { number, header: known, .. } = self.anchor?;
        let ahead = i64::from(header.sequence.wrapping_sub(known.sequence) as i16);
        let samples = (ahead * i64::from(SAMPLES_PER_PACKET)) as u32;
        let agrees = header.ssrc == known.ssrc && header.timestamp == known.timestamp.wrapping_add(samples);
        number.checked_add_signed(ahead).filter(|_| agrees)
    }

    /// Takes note of a packet.
    pub(crate) fn hear(&mut self, header: RtpHeader) -> PacketFate {
        let (Some(number), Some(anchor)) = (self.number_of(header), &mut self.anchor) else {
            return PacketFate::Strange;
        };
        if number > anchor.number {
            let ahead = number - anchor.number;
            self.seen = if ahead < REMEMBERED { self.seen << ahead | 1 } else { 1 };
            (anchor.number, anchor.header) = (number, header);
            return PacketFate::Packet(number);
        }
        let behind = anchor.number - number;
        if behind >= REMEMBERED || self.seen & (1 << behind) != 0 {
            return PacketFate::Again;
        }
        self.seen |= 1 << behind;
        PacketFate::Packet(number)
    }

    /// How many packets of a window, which ends before `to`, this receiver should have had since it came.
    pub(crate) fn expected(&self, (from, to): (u64, u64)) -> u64 {
        self.anchor.map_or(0, |anchor| to.saturating_sub(from.max(anchor.first)))
    }

    /// The number of the packet after the newest.
    pub(crate) fn next(&self) -> u64 {
        self.anchor.map_or(0, |anchor| anchor.number + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, timestamp: u32) -> RtpHeader {
        RtpHeader { sequence, timestamp, ssrc: 7 }
    }

    /// Anchored at the sender's packet 1,000, which is number 65,534 here.
    fn hearing() -> StreamHearing {
        let mut hearing = StreamHearing::default();
        hearing.anchor(header(65_534, 4_000_000_000), 1_000);
        hearing
    }

    fn later(packets: u32) -> RtpHeader {
        header(65_534_u16.wrapping_add(packets as u16), 4_000_000_000_u32.wrapping_add(packets * SAMPLES_PER_PACKET))
    }

    #[test]
    fn numbers_go_on_where_sequence_numbers_and_timestamps_wrap() {
        let mut hearing = hearing();
        for packets in 1..400_000 {
            assert_eq!(hearing.hear(later(packets)), PacketFate::Packet(1_000 + u64::from(packets)));
        }
    }

    #[test]
    fn a_late_packet_is_heard_once() {
        let mut hearing = hearing();
        assert_eq!(hearing.hear(later(5)), PacketFate::Packet(1_005));
        assert_eq!(hearing.hear(later(3)), PacketFate::Packet(1_003));
        assert_eq!(hearing.hear(later(3)), PacketFate::Again);
        assert_eq!(hearing.hear(later(5)), PacketFate::Again);
        assert_eq!(hearing.hear(later(0)), PacketFate::Again);
    }

    #[test]
    fn numbers_that_contradict_one_another_are_strange() {
        let mut hearing = hearing();
        assert_eq!(hearing.hear(header(65_535, 4_000_000_000)), PacketFate::Strange);
        assert_eq!(hearing.hear(RtpHeader { ssrc: 8, ..later(1) }), PacketFate::Strange);
        assert_eq!(StreamHearing::default().hear(later(1)), PacketFate::Strange);
    }

    #[test]
    fn only_what_was_sent_since_a_receiver_came_is_expected() {
        let hearing = hearing();
        assert_eq!(hearing.expected((900, 1_100)), 100);
        assert_eq!(hearing.expected((1_050, 1_100)), 50);
        assert_eq!(hearing.expected((100, 200)), 0);
        assert_eq!(StreamHearing::default().expected((0, 10)), 0);
    }

    #[test]
    fn only_rtp_has_such_a_header() {
        let mut datagram = [0; 12];
        (datagram[0], datagram[1], datagram[3], datagram[11]) = (0x90, 111, 9, 7);
        assert_eq!(RtpHeader::read(&datagram), Some(header(9, 0)));
        datagram[1] = 200;
        assert_eq!(RtpHeader::read(&datagram), None, "a sender report");
        (datagram[0], datagram[1]) = (0, 1);
        assert_eq!(RtpHeader::read(&datagram), None, "a check of ICE");
        assert_eq!(RtpHeader::read(&[0x90; 11]), None);
    }
}
