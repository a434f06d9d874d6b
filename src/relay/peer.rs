//! A peer connection as the relay keeps it: its session, what it is for, and when it was last heard.

use std::time::{Duration, Instant};

use str0m::channel::ChannelId;

use crate::domain::{LiveStream, StreamId};

use super::demux::Routes;
use super::files::FILES_CONNECT_TIMEOUT;
use super::lifecycle::CONNECT_TIMEOUT;
use super::member::Member;
use super::session::{Lane, PendingOffer, Session};
use super::timeline::View;

/// A publisher that checked in for so long without sending audio has paused by its own will.
const PAUSED_AFTER: Duration = Duration::from_secs(1);

/// One peer connection.
pub(super) struct Peer {
    pub(super) session: Session,
    pub(super) role: Role,
    /// What it holds in the demultiplexer.
    pub(super) routes: Routes,
    /// Its entry in the timers.
    pub(super) scheduled: Option<Instant>,
    pub(super) created: Instant,
    pub(super) connected: bool,
    pub(super) heard: Heard,
    /// It has no signalling connection that could be a witness of its life.
    pub(super) is_unattended: bool,
}

/// What a peer is for.
pub(super) enum Role {
    /// Feeds a stream.
    Publisher {
        feeds: LiveStream,
        /// Of its certificate: an offer with the same one renews this connection.
        fingerprint: String,
    },
    /// Takes part in a room.
    Member(Box<Member>),
    /// Is sent files.
    Files {
        /// Where they go, once it is open.
        channel: Option<ChannelId>,
    },
    /// Hears a stream.
    Subscriber {
        stream: StreamId,
        /// Our offer, until it is answered.
        offer: Option<Box<PendingOffer>>,
        /// Where its packets go, once it is answered.
        lane: Option<Lane>,
        view: View,
    },
}

/// Signs of life of a peer, each authenticated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    /// Any datagram: an ICE check or a packet.
    pub(super) datagram: Instant,
    /// An RTP packet.
    pub(super) media: Instant,
    /// Its signalling connection answered a ping.
    pub(super) signalling: Instant,
}

impl Heard {
    pub(super) fn at(now: Instant) -> Self {
        Self { datagram: now, media: now, signalling: now }
    }

    /// The last sign that counts. Whoever sends audio is judged by its datagrams: they come every
    /// 20 ms, or 400 ms in silence (DTX). Whoever has paused sends a check every 2.5 s or 5 s only,
    /// of which Wi-Fi may lose some: there the signalling connection is a witness too.
    pub(super) fn last_sign(&self) -> Instant {
        if self.has_paused() { self.datagram.max(self.signalling) } else { self.datagram }
    }

    fn has_paused(&self) -> bool {
        self.datagram.saturating_duration_since(self.media) > PAUSED_AFTER
    }
}

impl Peer {
    pub(super) fn new(session: Session, role: Role, now: Instant) -> Self {
        Self {
            session,
            role,
            routes: Routes::default(),
            scheduled: None,
            created: now,
            connected: false,
            heard: Heard::at(now),
            is_unattended: false,
        }
    }

    /// When it will have vanished, if nothing more is heard of it. Others would miss whoever feeds a stream. Of one who
    /// has no other witness ICE alone can tell (RFC 7675): once they are silent, their checks come every 4 to 6 s.
    pub(super) fn vanishes_at(&self, timeout: Duration) -> Option<Instant> {
        (self.is_publisher() && !self.is_unattended).then(|| self.heard.last_sign() + timeout)
    }

    /// Whether it feeds a stream just now.
    pub(super) fn is_talking(&self, now: Instant) -> bool {
        self.is_publisher() && self.connected && now.saturating_duration_since(self.heard.media) < PAUSED_AFTER
    }

    /// When ICE and DTLS must be complete.
    pub(super) fn connect_deadline(&self) -> Instant {
        self.created + if self.is_sent_files() { FILES_CONNECT_TIMEOUT } else { CONNECT_TIMEOUT }
    }

    /// Whether it is there for a data channel only.
    pub(super) fn is_sent_files(&self) -> bool {
        matches!(self.role, Role::Files { .. })
    }

    /// Whether it is judged by what is heard of it: others would miss it, and it sends all the time.
    fn is_publisher(&self) -> bool {
        matches!(self.role, Role::Publisher { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talking_publisher_is_judged_by_its_datagrams_alone() {
        let start = Instant::now();
        let mut heard = Heard::at(start);
        heard.signalling = start + Duration::from_secs(9);
        assert_eq!(heard.last_sign(), start);
    }

    #[test]
    fn a_paused_publisher_is_kept_by_its_signalling_connection() {
        let start = Instant::now();
        let mut heard = Heard::at(start);
        heard.datagram = start + Duration::from_secs(3);
        heard.signalling = start + Duration::from_secs(9);
        assert_eq!(heard.last_sign(), heard.signalling);
    }
}
