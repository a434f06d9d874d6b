//! Packets that were sent lately, byte for byte, for a remote that asks for lost ones again (RFC 4585 6.2.1).
//!
//! Byte for byte, since another packet sealed for the same place would betray both (RFC 7714 8.1). Kept only for those
//! who have asked once: on most networks nobody ever does. Whoever asks often is sent each packet once more together
//! with the next one, unasked: an answer that is lost as well would come too late.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets kept for each m-line: half a second. What is older would come too late to be played.
const KEPT: usize = 25;

/// One packet is sent again no more often than this: whoever asks on and on gets no flood.
const MAX_REPEATS: u8 = 3;

/// Whoever asks twice within this loses a twentieth or more.
const OFTEN: Duration = Duration::from_millis(500);

/// For so long after the last question packets are sent twice.
const DOUBLED_FOR: Duration = Duration::from_secs(10);

/// The latest packets of one m-line.
#[derive(Debug, Default)]
pub(super) struct Kept {
    packets: VecDeque<Packet>,
    asked: Option<Instant>,
    doubled_until: Option<Instant>,
}

#[derive(Debug)]
struct Packet {
    sequence: u16,
    datagram: Vec<u8>,
    repeats: u8,
}

impl Kept {
    /// Keeps a packet, in place of the oldest.
    pub(super) fn push(&mut self, sequence: u16, datagram: &[u8]) {
        let oldest = if self.packets.len() < KEPT { None } else { self.packets.pop_front() };
        let mut buffer = oldest.map(|packet| packet.datagram).unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(datagram);
        self.packets.push_back(Packet { sequence, datagram: buffer, repeats: 0 });
    }

    /// Takes note that something was asked for.
    pub(super) fn note_asked(&mut self, now: Instant) {
        let before = self.asked.replace(now);
        let often = before.is_some_and(|before| now.saturating_duration_since(before) < OFTEN);
        if often || self.is_doubled(now) {
            self.doubled_until = Some(now + DOUBLED_FOR);
        }
    }

    /// The last packet, where it is to be sent once more with the next.
    pub(super) fn doubled(&self, now: Instant) -> Option<&[u8]> {
        self.packets.back().filter(|_| self.is_doubled(now)).map(|packet| &*packet.datagram)
    }

    fn is_doubled(&self, now: Instant) -> bool {
        self.doubled_until.is_some_and(|until| now < until)
    }

    /// A packet to send again, if it is there and was not asked for too often.
    pub(super) fn repeat(&mut self, sequence: u16) -> Option<&[u8]> {
        let packet = self.packets.iter_mut().find(|packet| packet.sequence == sequence)?;
        packet.repeats += 1;
        (packet.repeats <= MAX_REPEATS).then_some(&*packet.datagram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_repeated_as_it_was_and_not_for_ever() {
        let mut kept = Kept::default();
        kept.push(7, b"seven");
        for _ in 0..MAX_REPEATS {
            assert_eq!(kept.repeat(7), Some(&b"seven"[..]));
        }
        assert_eq!(kept.repeat(7), None);
        assert_eq!(kept.repeat(8), None, "it never was");
    }

    #[test]
    fn whoever_asks_often_gets_packets_twice_for_a_while() {
        let (mut kept, start) = (Kept::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        kept.push(7, b"seven");
        kept.note_asked(at(0));
        kept.note_asked(at(1_000));
        assert_eq!(kept.doubled(at(1_000)), None, "now and then is not often");
        kept.note_asked(at(1_400));
        assert_eq!(kept.doubled(at(1_400)), Some(&b"seven"[..]));
        kept.note_asked(at(9_000));
        assert!(kept.doubled(at(18_999)).is_some(), "it is asked for still");
        assert_eq!(kept.doubled(at(19_000)), None);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut kept = Kept::default();
        for sequence in 0..100 {
            kept.push(sequence, &sequence.to_be_bytes());
        }
        assert_eq!(kept.packets.len(), KEPT);
        assert_eq!(kept.repeat(74), None);
        assert_eq!(kept.repeat(75), Some(&75_u16.to_be_bytes()[..]));
    }
}
