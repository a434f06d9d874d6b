//! Packets that were sent lately, byte for byte, for a remote that asks for lost ones again (RFC 4585 6.2.1).
//!
//! Byte for byte, since another packet sealed for the same place would betray both (RFC 7714 8.1). Kept only for those
//! who have asked once: on most networks nobody ever does. Whoever asks often is sent each packet once more together
//! with the next one, unasked: an answer that is lost as well would come too late.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets kept for each m-line: half a second. What is older would come too late to be played.
const CAPACITY: usize = 25;

/// One packet is sent again no more often than this: whoever asks on and on gets no flood.
const MAX_RETRANSMISSIONS: u8 = 3;

/// Whoever asks twice within this loses a twentieth or more.
const OFTEN: Duration = Duration::from_millis(500);

/// For so long after the last question packets are sent twice.
const DUPLICATED_FOR: Duration = Duration::from_secs(10);

/// The latest packets of one m-line.
#[derive(Debug, Default)]
pub(super) struct RetransmissionBuffer {
    packets: VecDeque<BufferedPacket>,
    asked: Option<Instant>,
    duplicate_until: Option<Instant>,
}

#[derive(Debug)]
struct BufferedPacket {
    sequence: u16,
    datagram: Vec<u8>,
    retransmissions: u8,
}

impl RetransmissionBuffer {
    /// Keeps a packet, in place of the oldest.
    pub(super) fn push(&mut self, sequence: u16, datagram: &[u8]) {
        let oldest = if self.packets.len() < CAPACITY { None } else { self.packets.pop_front() };
        let mut buffer = oldest.map(|packet| packet.datagram).unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(datagram);
        self.packets.push_back(BufferedPacket { sequence, datagram: buffer, retransmissions: 0 });
    }

    /// Takes note that something was asked for.
    pub(super) fn note_asked(&mut self, now: Instant) {
        let before = self.asked.replace(now);
        let often = before.is_some_and(|before| now.saturating_duration_since(before) < OFTEN);
        if often || self.is_duplicating(now) {
            self.duplicate_until = Some(now + DUPLICATED_FOR);
        }
    }

    /// The last packet, where it is to be sent once more with the next.
    pub(super) fn duplicate(&self, now: Instant) -> Option<&[u8]> {
        self.packets.back().filter(|_| self.is_duplicating(now)).map(|packet| &*packet.datagram)
    }

    fn is_duplicating(&self, now: Instant) -> bool {
        self.duplicate_until.is_some_and(|until| now < until)
    }

    /// A packet to send again, if it is there and was not asked for too often.
    pub(super) fn retransmit(&mut self, sequence: u16) -> Option<&[u8]> {
        let packet = self.packets.iter_mut().find(|packet| packet.sequence == sequence)?;
        packet.retransmissions += 1;
        (packet.retransmissions <= MAX_RETRANSMISSIONS).then_some(&*packet.datagram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_retransmitted_as_it_was_and_not_for_ever() {
        let mut buffer = RetransmissionBuffer::default();
        buffer.push(7, b"seven");
        for _ in 0..MAX_RETRANSMISSIONS {
            assert_eq!(buffer.retransmit(7), Some(&b"seven"[..]));
        }
        assert_eq!(buffer.retransmit(7), None);
        assert_eq!(buffer.retransmit(8), None, "it never was");
    }

    #[test]
    fn whoever_asks_often_gets_packets_twice_for_a_while() {
        let (mut buffer, start) = (RetransmissionBuffer::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        buffer.push(7, b"seven");
        buffer.note_asked(at(0));
        buffer.note_asked(at(1_000));
        assert_eq!(buffer.duplicate(at(1_000)), None, "now and then is not often");
        buffer.note_asked(at(1_400));
        assert_eq!(buffer.duplicate(at(1_400)), Some(&b"seven"[..]));
        buffer.note_asked(at(9_000));
        assert!(buffer.duplicate(at(18_999)).is_some(), "it is asked for still");
        assert_eq!(buffer.duplicate(at(19_000)), None);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut buffer = RetransmissionBuffer::default();
        for sequence in 0..100 {
            buffer.push(sequence, &sequence.to_be_bytes());
        }
        assert_eq!(buffer.packets.len(), CAPACITY);
        assert_eq!(buffer.retransmit(74), None);
        assert_eq!(buffer.retransmit(75), Some(&75_u16.to_be_bytes()[..]));
    }
}
