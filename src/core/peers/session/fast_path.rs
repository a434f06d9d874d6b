//! The fast path of a packet: past str0m, for all that are like the one before.
//!
//! str0m spends some twelve thousand instructions on a packet, a seventh of them on sealing it; and of what it decides
//! on the way nothing changes from one packet of a voice to the next. So a packet goes through str0m whenever something
//! may have changed since the last one: the remote sent a check from elsewhere, or the first report (str0m stops to
//! name the m-line then), or a while has passed (str0m's own reports want to know the time). What str0m made of that
//! packet is the pattern for the following ones: the same header with other numbers, to the same address.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use smallvec::SmallVec;
use str0m::rtp::rtcp::Nack;

use super::header::{ExtensionIds, Header};
use super::output::Retransmitted;
use super::retransmission::RetransmissionBuffer;
use super::srtp::{Sealer, TAG};
use super::stun::is_stun;
use crate::core::Transmit;
use crate::core::packet::{EgressPacket, Mid};

/// For so long packets follow one pattern.
const PATTERN_HOLDS: Duration = Duration::from_secs(2);

/// What a session's packets are made from.
#[derive(Default)]
pub(super) struct FastPath {
    /// Once DTLS has agreed on keys that it can use.
    pub(super) sealer: Option<Sealer>,
    /// One for each m-line on which something was sent. Between two packets of a voice the processor's caches forget them
    /// all, and to fetch them anew is a third of what a copy costs here: hence one of them in place, and each small.
    tracks: SmallVec<[SentTrack; 1]>,
}

struct SentTrack {
    mid: Mid,
    /// What was sent already.
    sent: SentPlaces,
    /// What str0m made of the last packet that it had.
    pattern: Option<Pattern>,
    /// What may be asked for again, once something was.
    buffer: Option<Box<RetransmissionBuffer>>,
}

struct Pattern {
    header: Header,
    source: SocketAddr,
    destination: SocketAddr,
    /// When it was made; `None` once something may have changed.
    made: Option<Instant>,
}

/// What became of a packet that was to be sealed.
pub(in crate::core) enum Sealed {
    /// It is sealed; and the one before goes once more, to a remote that loses many.
    Fast(Transmit, Option<Transmit>),
    /// It has to go the slow path: only str0m knows how to seal it.
    Slow,
    /// Its place was sent already: another one sealed for it would betray both (RFC 7714 8.1).
    Duplicate,
}

impl FastPath {
    /// What was agreed may have changed, and how str0m sends with it.
    pub(super) fn forget_patterns(&mut self) {
        self.forget_patterns_if(|_| true);
    }

    /// Takes note of what came from the remote, RTP apart: it may change how str0m sends to it.
    pub(super) fn note_received(&mut self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        match payload.first() {
            // A check: the remote may want what it hears at this address from now on.
            Some(_) if is_stun(payload) => self.forget_patterns_if(|pattern| !pattern.is_between(destination, source)),
            // A report.
            Some(128..=191) => self.forget_patterns_if(|pattern| pattern.header.names_mid),
            _ => self.forget_patterns(),
        }
    }

    fn forget_patterns_if(&mut self, is_over: impl Fn(&Pattern) -> bool) {
        let patterns = self.tracks.iter_mut().filter_map(|track| track.pattern.as_mut());
        for pattern in patterns.filter(|pattern| is_over(pattern)) {
            pattern.made = None;
        }
    }

    /// Takes the place of a packet, and seals it into `buffer` if it is like the one before.
    pub(super) fn seal(&mut self, now: Instant, egress: &EgressPacket<'_>, buffer: impl FnOnce() -> Vec<u8>) -> Sealed {
        let mid = egress.track.mid;
        let index = match self.tracks.iter().position(|track| track.mid == mid) {
            Some(index) => index,
            None => self.begin_track(mid),
        };
        let track = &mut self.tracks[index];
        if !track.sent.take(egress.place.sequence) {
            return Sealed::Duplicate;
        }
        let pattern = track.pattern.as_ref().filter(|pattern| pattern.fits(now, egress));
        let (Some(pattern), Some(sealer)) = (pattern, &mut self.sealer) else { return Sealed::Slow };
        let Some(transmit) = pattern.seal(egress, sealer, buffer()) else { return Sealed::Slow };
        let Some(buffer) = &mut track.buffer else { return Sealed::Fast(transmit, None) };
        let duplicate =
            buffer.duplicate(now).map(|datagram| Transmit { payload: datagram.to_vec(), forwarded: false, ..transmit });
        buffer.push(egress.place.sequence as u16, &transmit.payload);
        Sealed::Fast(transmit, duplicate)
    }

    /// Learns from what str0m made of a packet.
    pub(super) fn learn(&mut self, now: Instant, mid: Mid, ids: ExtensionIds, made: &Transmit) {
        let Some(header) = Header::of(&made.payload, ids) else { return };
        let Some(track) = self.tracks.iter_mut().find(|track| track.mid == mid) else { return };
        if let Some(buffer) = &mut track.buffer {
            buffer.push(header.sequence(), &made.payload);
        }
        let (source, destination) = (made.source, made.destination);
        track.pattern = Some(Pattern { header, source, destination, made: Some(now) });
    }

    /// Sends again what the remote says it lost, as far as that is buffered.
    pub(super) fn retransmit(&mut self, now: Instant, nack: &Nack, mut send: impl FnMut(Transmit)) -> Retransmitted {
        let mut done = Retransmitted::default();
        let made_by_str0m =
            self.tracks.iter_mut().filter_map(|track| Some((track.pattern.as_ref()?, &mut track.buffer)));
        let mut of_it = made_by_str0m.filter(|(pattern, _)| pattern.header.ssrc() == *nack.ssrc);
        let Some((Pattern { source, destination, .. }, buffer)) = of_it.next() else { return done };
        let buffer = buffer.get_or_insert_default();
        buffer.note_asked(now);
        for lost in nack.reports.iter().flat_map(|entry| lost(entry.pid, entry.blp)) {
            let Some(datagram) = buffer.retransmit(lost) else {
                done.refused += 1;
                continue;
            };
            done.sent += 1;
            let (source, destination) = (*source, *destination);
            send(Transmit { source, destination, payload: datagram.to_vec(), forwarded: false });
        }
        done
    }

    fn begin_track(&mut self, mid: Mid) -> usize {
        self.tracks.push(SentTrack { mid, sent: SentPlaces::default(), pattern: None, buffer: None });
        self.tracks.len() - 1
    }
}

impl Pattern {
    fn is_between(&self, source: SocketAddr, destination: SocketAddr) -> bool {
        (self.source, self.destination) == (source, destination)
    }

    fn fits(&self, now: Instant, egress: &EgressPacket<'_>) -> bool {
        self.made.is_some_and(|made| now.saturating_duration_since(made) < PATTERN_HOLDS) && self.header.fits(egress)
    }

    fn seal(&self, egress: &EgressPacket<'_>, sealer: &mut Sealer, mut datagram: Vec<u8>) -> Option<Transmit> {
        datagram.clear();
        datagram.reserve(self.header.len() + egress.packet.payload.len() + TAG);
        self.header.write(egress, &mut datagram);
        sealer.seal(self.header.ssrc(), egress.place.sequence, &egress.packet.payload, &mut datagram).ok()?;
        let Self { source, destination, .. } = *self;
        Some(Transmit { source, destination, payload: datagram, forwarded: true })
    }
}

/// The sequence numbers that an entry names: the first, and which of the sixteen after it.
fn lost(first: u16, following: u16) -> impl Iterator<Item = u16> {
    let others = (0..16).filter(move |bit| following >> bit & 1 == 1).map(move |bit| first.wrapping_add(bit + 1));
    std::iter::once(first).chain(others)
}

/// Which places of an m-line were sent, as far back as a packet may still come.
#[derive(Debug, Default)]
struct SentPlaces {
    /// One after the furthest.
    next: u64,
    /// Those before it, the furthest in the lowest bit.
    before: u128,
}

impl SentPlaces {
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
        let mut sent = SentPlaces::default();
        let taken: Vec<_> = [5, 5, 7, 6, 6, 7, 8].map(|place| sent.take(place)).into();
        assert_eq!(taken, [true, false, true, true, false, false, true]);
    }

    #[test]
    fn an_entry_names_up_to_seventeen_packets() {
        assert_eq!(lost(65_534, 0b101).collect::<Vec<_>>(), [65_534, 65_535, 1]);
        assert_eq!(lost(3, 0xffff).count(), 17);
    }

    #[test]
    fn what_is_too_far_back_to_tell_is_taken_for_sent() {
        let mut sent = SentPlaces::default();
        assert!(sent.take(1_000));
        assert!(sent.take(1_000 - 127), "as far back as it is known");
        assert!(!sent.take(1_000 - 128), "further back");
        assert!(sent.take(1_000_000_000_000), "however far it jumps");
        assert!(!sent.take(1_000));
    }
}
