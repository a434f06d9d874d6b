//! The header of an RTP packet (RFC 3550 5.1), as str0m wrote it once, to be written again with other numbers.

use std::ops::Range;

use crate::core::packet::EgressPacket;

/// Bytes of a header without extensions.
const FIXED: usize = 12;

/// Bytes of the longest header that is copied: the extensions for the level and the m-line fit well.
const MAX: usize = 48;

/// Version 2, extensions, neither padding nor contributing sources: what str0m writes.
const FIRST_BYTE: u8 = 0b1001_0000;

/// Marks extensions of the one-byte kind (RFC 8285 4.2).
const ONE_BYTE: [u8; 2] = [0xBE, 0xDE];

/// A header to copy.
#[derive(Debug)]
pub(super) struct Header {
    bytes: [u8; MAX],
    length: u8,
    /// Where the level is, if the packet had one.
    level: Option<u8>,
    /// The remote wants to know levels.
    takes_levels: bool,
    /// It says of which m-line the packet is: what str0m does until the remote has reported that something came there.
    pub(super) names_mid: bool,
}

/// By which numbers the remote wants to be told what of a packet, where it does (RFC 8285 5).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ExtensionIds {
    /// How loud it is (RFC 6464).
    pub(super) level: Option<u8>,
    /// Of which m-line it is (RFC 9143 15).
    pub(super) mid: Option<u8>,
}

impl Header {
    /// That of an RTP packet, sealed or not; `None` when it is none, or not of the usual kind.
    pub(super) fn of(datagram: &[u8], ids: ExtensionIds) -> Option<Self> {
        let (fixed, rest) = datagram.split_at_checked(FIXED)?;
        // A type that is RTCP's, without the bit that is RTP's marker, is no RTP (RFC 5761 4).
        if fixed[0] != FIRST_BYTE || (64..96).contains(&(fixed[1] & 0x7f)) {
            return None;
        }
        let (head, rest) = rest.split_at_checked(4)?;
        let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let extensions = rest.get(..4 * words).filter(|_| head[..2] == ONE_BYTE)?;
        let found = |id: Option<u8>| id.and_then(|id| find(extensions, id));
        let level = found(ids.level).filter(|data| data.len() == 1).map(|data| FIXED + 4 + data.start);
        let length = FIXED + 4 + extensions.len();
        let mut bytes = [0; MAX];
        bytes.get_mut(..length)?.copy_from_slice(&datagram[..length]);
        Some(Self {
            bytes,
            // As the level's place, below the maximum.
            length: length as u8,
            level: level.map(|at| at as u8),
            takes_levels: ids.level.is_some(),
            names_mid: found(ids.mid).is_some(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.length.into()
    }

    pub(super) fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    pub(super) fn ssrc(&self) -> u32 {
        u32::from_be_bytes([self.bytes[8], self.bytes[9], self.bytes[10], self.bytes[11]])
    }

    /// Whether a packet's header differs from this one in numbers only.
    pub(super) fn fits(&self, egress: &EgressPacket<'_>) -> bool {
        let has_level = self.takes_levels && measured(egress).is_some();
        has_level == self.level.is_some() && self.bytes[1] & 0x7f == egress.track.payload_type
    }

    /// Appends the header of a packet that [fits](Self::fits).
    pub(super) fn write(&self, egress: &EgressPacket<'_>, datagram: &mut Vec<u8>) {
        let start = datagram.len();
        datagram.extend_from_slice(&self.bytes[..self.len()]);
        let header = &mut datagram[start..];
        header[1] = egress.track.payload_type | if egress.marker() { 0x80 } else { 0 };
        header[2..4].copy_from_slice(&(egress.place.sequence as u16).to_be_bytes());
        header[4..8].copy_from_slice(&egress.timestamp().to_be_bytes());
        if let (Some(at), Some((level, voice))) = (self.level, measured(egress)) {
            header[usize::from(at)] = if voice { 0x80 } else { 0 } | (level.unsigned_abs() & 0x7f);
        }
    }
}

/// How loud the packet is, in dBov, and whether it is a voice (RFC 6464): of both or of neither the remote is told.
fn measured(egress: &EgressPacket<'_>) -> Option<(i8, bool)> {
    egress.packet.level.zip(egress.packet.voice)
}

/// Where the data of the extension with this id is.
fn find(extensions: &[u8], id: u8) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(&head) = extensions.get(at) {
        let data = at + 1..at + 2 + usize::from(head & 0x0f);
        match head >> 4 {
            // A byte of padding.
            0 => at += 1,
            found if found == id => return (data.end <= extensions.len()).then_some(data),
            _ => at = data.end,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MID_AND_LEVEL: [u8; 8] = [0x42, b'a', b'b', b'c', 0x10, 0x85, 0, 0];
    const IDS: ExtensionIds = ExtensionIds { level: Some(1), mid: Some(4) };

    fn datagram(first: u8, kind: u8, extensions: &[u8]) -> Vec<u8> {
        let mut datagram = vec![first, kind, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4, 0xBE, 0xDE, 0, (extensions.len() / 4) as u8];
        datagram.extend_from_slice(extensions);
        datagram.extend_from_slice(b"sealed");
        datagram
    }

    #[test]
    fn the_level_is_found_behind_other_extensions() {
        let header = Header::of(&datagram(0x90, 111, &MID_AND_LEVEL), IDS).expect("a header");
        assert_eq!((header.len(), header.ssrc(), header.level), (24, 0x0102_0304, Some(21)));
        assert!(header.names_mid);
    }

    #[test]
    fn a_remote_that_wants_no_levels_has_none() {
        let header = Header::of(&datagram(0x90, 111, &MID_AND_LEVEL), ExtensionIds::default()).expect("a header");
        assert_eq!((header.level, header.names_mid), (None, false));
    }

    #[test]
    fn extensions_that_are_cut_short_or_of_another_length_are_none() {
        let header = |extensions: &[u8]| Header::of(&datagram(0x90, 111, extensions), IDS).expect("a header");
        assert_eq!(header(&[0x11, 0x85, 0x85, 0]).level, None, "two bytes of level");
        assert_eq!(header(&[0, 0, 0, 0x10]).level, None, "no byte of it");
        assert!(!header(&[0x45, b'a', b'b', b'c']).names_mid, "six bytes said, three there");
    }

    #[test]
    fn what_is_no_rtp_or_of_another_kind_is_no_pattern() {
        let of = |bytes: &[u8]| Header::of(bytes, IDS).is_some();
        assert!(!of(&datagram(0x90, 200, &[])), "a sender report");
        assert!(!of(&datagram(0xb0, 111, &[])), "padding");
        assert!(!of(&datagram(0x91, 111, &[])), "a contributing source");
        assert!(!of(&datagram(0x90, 111, &[0; 64])), "extensions without end");
        for length in 0..16 {
            assert!(!of(&datagram(0x90, 111, &[])[..length]), "cut short");
        }
    }
}
