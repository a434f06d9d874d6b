//! A peer connection as it is kept here: its session, its purpose, and the signs of its life.

use std::time::{Duration, Instant};

use super::demux::Routes;
use super::session::{PendingOffer, Purpose, Session};

/// A peer that has not completed ICE and DTLS by then is given up.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for a peer that is sent files: nobody waits for it in silence, and it may have to wake a disk.
pub const FILES_CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// A sender that checked in for so long without sending audio has paused by its own will.
const PAUSED_AFTER: Duration = Duration::from_secs(1);

/// An address stays its peer's for so long after its last sign of life: checks come every 4 to 6 s (RFC 7675 5.1).
const ADDRESS_KEPT: Duration = Duration::from_secs(6);

/// One peer connection.
pub(super) struct Peer {
    pub(super) session: Session,
    pub(super) purpose: Purpose,
    /// Certificate of the remote, as its offer names it: an offer with the same one renews this connection.
    pub(super) fingerprint: String,
    /// Offer of ours, until it is answered.
    pub(super) offer: Option<Box<PendingOffer>>,
    /// Entries in the demultiplexer.
    pub(super) routes: Routes,
    /// Entry in the timers.
    pub(super) scheduled: Option<Instant>,
    pub(super) created: Instant,
    pub(super) connected: bool,
    pub(super) liveness: Liveness,
    /// It has no signalling connection that could be a witness of its life.
    pub(super) is_unattended: bool,
}

/// Signs of life of a peer, each authenticated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Liveness {
    /// Time of the last datagram of any kind: an ICE check or a packet.
    pub(super) datagram: Instant,
    /// Time of the last RTP packet.
    pub(super) media: Instant,
    /// Time at which its signalling connection last answered a ping.
    pub(super) signalling: Instant,
}

impl Liveness {
    fn at(now: Instant) -> Self {
        Self { datagram: now, media: now, signalling: now }
    }

    /// The last sign that counts. Whoever sends audio is judged by its datagrams: they come every
    /// 20 ms, or 400 ms in silence (DTX). Whoever has paused sends a check every 2.5 s or 5 s only,
    /// of which Wi-Fi may lose some: there the signalling connection is a witness too.
    fn last_sign(&self) -> Instant {
        if self.has_paused() { self.datagram.max(self.signalling) } else { self.datagram }
    }

    fn has_paused(&self) -> bool {
        self.datagram.saturating_duration_since(self.media) > PAUSED_AFTER
    }
}

impl Peer {
    pub(super) fn new(session: Session, purpose: Purpose, fingerprint: String, now: Instant) -> Self {
        Self {
            session,
            purpose,
            fingerprint,
            offer: None,
            routes: Routes::default(),
            scheduled: None,
            created: now,
            connected: false,
            liveness: Liveness::at(now),
            is_unattended: false,
        }
    }

    /// When it will have vanished, if nothing more is heard of it. Others would miss whoever feeds a track. Of one who
    /// has no other witness ICE alone can tell (RFC 7675): once they are silent, their checks come every 4 to 6 s.
    pub(super) fn vanishes_at(&self, timeout: Duration) -> Option<Instant> {
        (self.is_publisher() && !self.is_unattended).then(|| self.liveness.last_sign() + timeout)
    }

    /// Whether it feeds a track just now.
    pub(super) fn is_talking(&self, now: Instant) -> bool {
        self.is_publisher() && self.connected && now.saturating_duration_since(self.liveness.media) < PAUSED_AFTER
    }

    /// When ICE and DTLS must be complete.
    pub(super) fn connect_deadline(&self) -> Instant {
        self.created + if self.is_sent_files() { FILES_CONNECT_TIMEOUT } else { CONNECT_TIMEOUT }
    }

    /// Whether it is there for a data channel only.
    pub(super) fn is_sent_files(&self) -> bool {
        self.purpose == Purpose::TakesFiles
    }

    /// Whether its addresses are still its own: it is there, and was heard lately.
    pub(super) fn keeps_addresses(&self, now: Instant) -> bool {
        self.connected && now.saturating_duration_since(self.liveness.datagram) < ADDRESS_KEPT
    }

    /// Whether it is judged by what is heard of it: others would miss it, and it sends all the time.
    pub(super) fn is_publisher(&self) -> bool {
        self.purpose == Purpose::Speaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talking_publisher_is_judged_by_its_datagrams_alone() {
        let start = Instant::now();
        let mut liveness = Liveness::at(start);
        liveness.signalling = start + Duration::from_secs(9);
        assert_eq!(liveness.last_sign(), start);
    }

    #[test]
    fn a_paused_publisher_is_kept_by_its_signalling_connection() {
        let start = Instant::now();
        let mut liveness = Liveness::at(start);
        liveness.datagram = start + Duration::from_secs(3);
        liveness.signalling = start + Duration::from_secs(9);
        assert_eq!(liveness.last_sign(), liveness.signalling);
    }
}
