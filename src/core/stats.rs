//! What the core counts: plain numbers, read as a whole by whoever publishes them.

use std::time::Duration;

/// Why a datagram or a packet went no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// Neither STUN, DTLS, RTP nor RTCP by its first bytes, or cut short.
    Malformed,
    /// From an address, or with a username, that belongs to no peer.
    UnknownPeer,
    /// Claims to be of a known peer, but its integrity check failed, or it is a packet that came before.
    Unauthenticated,
    /// An RTP packet that came after its place in the receiver's sequence was gone.
    Late,
    /// The receiver is not ready: DTLS still under way, or Opus refused in its answer.
    ReceiverNotReady,
    /// Of a participant who may not speak just now.
    Silenced,
    /// Of a participant, where `limits.streams` are being sent.
    TooManyStreams,
    /// For a participant who hears as many others as it has slots.
    NoSlot,
    /// A check from the address of another peer, which is there.
    AddressInUse,
    /// Of a track of video that has as many simulcast layers as any.
    TooManyLayers,
}

impl DropReason {
    /// Every reason, in the order of [`RelayStats::dropped`].
    pub const ALL: [Self; 10] = [
        Self::Malformed,
        Self::UnknownPeer,
        Self::Unauthenticated,
        Self::Late,
        Self::ReceiverNotReady,
        Self::Silenced,
        Self::TooManyStreams,
        Self::NoSlot,
        Self::AddressInUse,
        Self::TooManyLayers,
    ];

    /// The label under which metrics show it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownPeer => "unknown_peer",
            Self::Unauthenticated => "unauthenticated",
            Self::Late => "late",
            Self::ReceiverNotReady => "receiver_not_ready",
            Self::Silenced => "silenced",
            Self::TooManyStreams => "too_many_streams",
            Self::NoSlot => "no_slot",
            Self::AddressInUse => "address_in_use",
            Self::TooManyLayers => "too_many_layers",
        }
    }
}

/// Counts since the start, and gauges of this moment.
#[derive(Debug, Clone, Default)]
pub struct RelayStats {
    /// Peer connections now, connected or connecting.
    pub peers: usize,
    /// Live streams now.
    pub streams: usize,
    /// Peers that are subscribed to a stream now.
    pub receivers: usize,
    /// Datagrams handed in.
    pub datagrams_in: u64,
    /// Datagrams handed out, of every kind.
    pub datagrams_out: u64,
    /// Decrypted RTP packets of publishers.
    pub packets_in: u64,
    /// RTP packets sealed for a subscriber.
    pub packets_forwarded: u64,
    /// Those of them that went past str0m, sealed after the pattern of an earlier one.
    pub packets_fast: u64,
    /// RTP packets sent again, since a receiver had lost them.
    pub packets_retransmitted: u64,
    /// RTP packets sent once more unasked, to receivers who lose many.
    pub packets_duplicated: u64,
    /// Packets that a receiver asked for again, and that were too old, or were asked for too often.
    pub retransmissions_refused: u64,
    /// Opus bytes received from publishers.
    pub audio_bytes_in: u64,
    /// Opus bytes forwarded to subscribers.
    pub audio_bytes_out: u64,
    /// Live tracks of video now.
    pub video_tracks: usize,
    /// Decrypted packets of video.
    pub video_packets_in: u64,
    /// Packets of video given to a viewer's session.
    pub video_packets_forwarded: u64,
    /// Bytes of video received.
    pub video_bytes_in: u64,
    /// Bytes of video forwarded.
    pub video_bytes_out: u64,
    /// Keyframes that senders of video were asked for.
    pub keyframes_requested: u64,
    /// Times that all but one picture of a viewer was stopped, since what was sent to it did not get through.
    pub video_brakes: u64,
    /// By [`DropReason`], in the order of [`DropReason::ALL`].
    pub dropped: [u64; DropReason::ALL.len()],
    /// Streams that became live.
    pub streams_started: u64,
    /// Streams that ended.
    pub streams_ended: u64,
    /// Peers that completed ICE and DTLS.
    pub joins: u64,
    /// Peers that did not complete them in time.
    pub joins_failed: u64,
    /// From the offer (made or taken) to ICE and DTLS complete.
    pub join_duration: Histogram,
    /// Peers lost to a panic inside their WebRTC session; each is a bug.
    pub peer_panics: u64,
    /// Streams that the periodic clean-up removed.
    pub stale_removed: u64,
    /// Addresses that changed under a connected peer (roaming).
    pub address_changes: u64,
}

impl RelayStats {
    /// Adds what a core counted to which this one's streams are [piped](super::Event::Piped), but for the streams and their
    /// packets: they are those of this one.
    pub fn add_remote(&mut self, remote: &Self) {
        self.peers += remote.peers;
        self.receivers += remote.receivers;
        self.datagrams_in += remote.datagrams_in;
        self.datagrams_out += remote.datagrams_out;
        self.packets_forwarded += remote.packets_forwarded;
        self.packets_fast += remote.packets_fast;
        self.packets_retransmitted += remote.packets_retransmitted;
        self.packets_duplicated += remote.packets_duplicated;
        self.retransmissions_refused += remote.retransmissions_refused;
        self.audio_bytes_out += remote.audio_bytes_out;
        for (own, theirs) in self.dropped.iter_mut().zip(remote.dropped) {
            *own += theirs;
        }
        self.joins += remote.joins;
        self.joins_failed += remote.joins_failed;
        self.join_duration.add(&remote.join_duration);
        self.peer_panics += remote.peer_panics;
        self.address_changes += remote.address_changes;
    }

    pub(super) fn count_drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }
}

/// Durations counted in fixed classes, as Prometheus wants them.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    counts: [u64; Self::BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// Upper bounds of the classes, in seconds; one more class holds what is above.
    ///
    /// Fine where a forward's delay is judged (0.2 ms, 1 ms), coarse where a join's is.
    pub const BOUNDS: [f64; 20] = [
        0.000_02, 0.000_05, 0.000_1, 0.000_15, 0.000_2, 0.000_3, 0.000_5, 0.000_75, 0.001, 0.002, 0.005, 0.01, 0.02,
        0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 5.0,
    ];

    /// Counts one duration.
    pub fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let class = Self::BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[class] += 1;
        self.sum += duration;
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (own, theirs) in self.counts.iter_mut().zip(other.counts) {
            *own += theirs;
        }
        self.sum += other.sum;
    }

    /// Durations counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them added up.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// (upper bound in seconds, count in this class alone); the last bound is infinite.
    pub fn classes(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        Self::BOUNDS.into_iter().chain([f64::INFINITY]).zip(self.counts)
    }

    /// The upper bound, in seconds, of the class that holds the given share (0 to 1) of all.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        self.classes()
            .find(|(_, count)| {
                seen += count;
                seen >= wanted && seen > 0
            })
            .map(|(bound, _)| bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_bound_of_its_class() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for _ in 0..99 {
            histogram.observe(Duration::from_micros(120));
        }
        histogram.observe(Duration::from_secs(60));
        assert_eq!(histogram.quantile(0.5), Some(0.000_15));
        assert_eq!(histogram.quantile(1.0), Some(f64::INFINITY));
        assert_eq!(histogram.count(), 100);
    }

    #[test]
    fn every_drop_reason_has_its_own_counter() {
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }
}
