//! The short way of a packet: past str0m, for all that are like the one before.
//!
//! str0m spends some twelve thousand instructions on a packet, a seventh of them on sealing it; and of what it decides
//! on the way nothing changes from one packet of a voice to the next. So a packet goes through str0m whenever something
//! may have changed since the last one: the remote sent a check (its address may be another) or a report (str0m stops
//! to name the m-line then), or a while has passed (str0m's own reports want to know the time). What str0m made of that
//! packet is the pattern for the following ones: the same header with other numbers, to the same address.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::media::Mid;

use super::Rtp;
use super::header::Header;
use super::srtp::{Sealer, TAG};
use crate::relay::Transmit;

/// For so long packets follow one pattern.
const PATTERN_HOLDS: Duration = Duration::from_secs(2);

/// What a session's packets are made from.
#[derive(Default)]
pub(super) struct Shortcut {
    /// Once DTLS has agreed on keys that it can use.
    pub(super) sealer: Option<Sealer>,
    /// One for each m-line on which something was sent.
    tracks: Vec<Track>,
}

struct Track {
    mid: Mid,
    /// What was sent already.
    sent: Sent,
    /// What str0m made of the last packet that it had.
    pattern: Option<Pattern>,
}

struct Pattern {
    header: Header,
    source: SocketAddr,
    destination: SocketAddr,
    at: Instant,
}

/// How a packet may go.
pub(in crate::relay) enum Way {
    /// It is sealed.
    Short(Transmit),
    /// Only str0m knows how.
    Long,
    /// Its place was sent already: another one sealed for it would betray both (RFC 7714 8.1).
    Taken,
}

impl Shortcut {
    /// Something came from the remote that may change how str0m sends to it.
    pub(super) fn forget_patterns(&mut self) {
        for track in &mut self.tracks {
            track.pattern = None;
        }
    }

    /// Takes the place of a packet, and seals it into `buffer` if it is like the one before.
    pub(super) fn take(&mut self, now: Instant, rtp: &Rtp<'_>, buffer: impl FnOnce() -> Vec<u8>) -> Way {
        let index = match self.tracks.iter().position(|track| track.mid == rtp.lane.mid) {
            Some(index) => index,
            None => self.begin_track(rtp.lane.mid),
        };
        let track = &mut self.tracks[index];
        if !track.sent.take(rtp.place.sequence) {
            return Way::Taken;
        }
        let pattern = track.pattern.as_ref().filter(|pattern| pattern.fits(now, rtp));
        match (pattern, &mut self.sealer) {
            (Some(pattern), Some(sealer)) => pattern.seal(rtp, sealer, buffer()).map_or(Way::Long, Way::Short),
            _ => Way::Long,
        }
    }

    /// Learns from what str0m made of a packet; `level_id` is the extension by which the remote is told how loud it is.
    pub(super) fn learn(&mut self, now: Instant, mid: Mid, level_id: Option<u8>, made: &str0m::net::Transmit) {
        let Some(header) = Header::of(&made.contents, level_id) else { return };
        if let Some(track) = self.tracks.iter_mut().find(|track| track.mid == mid) {
            let (source, destination) = (made.source, made.destination);
            track.pattern = Some(Pattern { header, source, destination, at: now });
        }
    }

    fn begin_track(&mut self, mid: Mid) -> usize {
        self.tracks.push(Track { mid, sent: Sent::default(), pattern: None });
        self.tracks.len() - 1
    }
}

impl Pattern {
    fn fits(&self, now: Instant, rtp: &Rtp<'_>) -> bool {
        now.saturating_duration_since(self.at) < PATTERN_HOLDS && self.header.fits(rtp)
    }

    fn seal(&self, rtp: &Rtp<'_>, sealer: &mut Sealer, mut datagram: Vec<u8>) -> Option<Transmit> {
        datagram.clear();
        datagram.reserve(self.header.len() + rtp.packet.payload.len() + TAG);
        self.header.write(rtp, &mut datagram);
        sealer.seal(self.header.ssrc(), rtp.place.sequence, &rtp.packet.payload, &mut datagram).ok()?;
        let Self { source, destination, .. } = *self;
        Some(Transmit { source, destination, payload: datagram, forwarded: true })
    }
}

/// Which places of an m-line were sent, as far back as a packet may still come.
#[derive(Debug, Default)]
struct Sent {
    /// One after the furthest.
    next: u64,
    /// Those before it, the furthest in the lowest bit.
    before: u128,
}

impl Sent {
    /// Takes a place. False when it was taken, or is too far back to tell.
    fn take(&mut self, place: u64) -> bool {
        match place.checked_sub(self.next) {
            Some(ahead) => {
                let shift = u32::try_from(ahead + 1).unwrap_or(u32::MAX);
                self.before = self.before.checked_shl(shift).unwrap_or(0) | 1;
                self.next = place + 1;
                true
            }
            None => {
                let back = self.next - 1 - place;
                let bit = u32::try_from(back).ok().and_then(|back| 1_u128.checked_shl(back)).unwrap_or(0);
                let free = bit != 0 && self.before & bit == 0;
                self.before |= bit;
                free
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_sent_twice_and_reordered_ones_are_sent_once() {
        let mut sent = Sent::default();
        let taken: Vec<_> = [5, 5, 7, 6, 6, 7, 8].map(|place| sent.take(place)).into();
        assert_eq!(taken, [true, false, true, true, false, false, true]);
    }

    #[test]
    fn what_is_too_far_back_to_tell_is_taken_for_sent() {
        let mut sent = Sent::default();
        assert!(sent.take(1_000));
        assert!(sent.take(1_000 - 127), "as far back as it is known");
        assert!(!sent.take(1_000 - 128), "further back");
        assert!(sent.take(1_000_000_000_000), "however far it jumps");
        assert!(!sent.take(1_000));
    }
}
