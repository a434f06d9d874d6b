//! One continuous timeline for a track, whatever its sender does, and each receiver's own numbers.
//!
//! A sender may leave and return with a new SSRC, jump in sequence or timestamp, or pause. Receivers
//! must see sequence numbers and timestamps that go on (RFC 3550), and must begin at a rollover
//! count of zero (RFC 3711 3.3.1): a receiver that joins after 65,536 packets would decrypt nothing.

use std::time::{Duration, Instant};

use crate::core::packet::{Position, SenderSequence};

/// A jump of more packets than this is a restart of the sender, not loss (MAX_DROPOUT of RFC 3550 A.1).
const MAX_DROPOUT: u64 = 3_000;

/// A timestamp that runs ahead of the clock by more than this is a restart of the sender.
const MAX_TIMESTAMP_LEAD: Duration = Duration::from_secs(10);

/// Place of a track's first packet, and its time. Above zero, so that packets reordered before it have a place.
const START: (u64, Duration) = (1_000, Duration::from_secs(10));

/// What a sender's packets are apart in time, assumed where it cannot be known.
const FRAME: Duration = Duration::from_millis(20);

/// Maps what the sender numbers to the stream's own continuous numbers.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Ticks a second of the timestamps.
    clock_rate: u32,
    anchor: Option<Anchor>,
}

/// How the current run of the sender's numbers maps to ours.
#[derive(Debug)]
struct Anchor {
    ssrc: u32,
    /// First packet of this run: the sender's numbers, and ours.
    theirs: Position,
    ours: Position,
    /// The furthest packet so far, and when it came.
    newest: Position,
    newest_at: Instant,
}

impl Timeline {
    /// One on which nothing was placed, of a track with so many ticks a second.
    pub(super) fn new(clock_rate: u32) -> Self {
        Self { clock_rate, anchor: None }
    }

    /// Our numbers for a packet that arrived at `now`; `None` when it is older than its run's beginning.
    pub(super) fn place(&mut self, packet: SenderSequence, now: Instant) -> Option<Position> {
        let position = match &self.anchor {
            Some(anchor) if anchor.continues(packet, now, self.clock_rate) => anchor.translate(packet)?,
            Some(anchor) => self.restart(packet, anchor.resume(now, self.clock_rate), now),
            None => self.restart(packet, self.start(), now),
        };
        let anchor = self.anchor.as_mut().expect("placing a packet leaves an anchor");
        if position.sequence >= anchor.newest.sequence {
            anchor.newest = position;
            anchor.newest_at = now;
        }
        Some(position)
    }

    fn start(&self) -> Position {
        let (sequence, time) = START;
        Position { sequence, timestamp: ticks(time, self.clock_rate) }
    }

    fn restart(&mut self, packet: SenderSequence, ours: Position, now: Instant) -> Position {
        let theirs = Position { sequence: packet.sequence, timestamp: packet.timestamp };
        self.anchor = Some(Anchor { ssrc: packet.ssrc, theirs, ours, newest: ours, newest_at: now });
        ours
    }
}

impl Anchor {
    /// Whether the packet belongs to this run, allowing for loss, reordering and pauses.
    fn continues(&self, packet: SenderSequence, now: Instant, clock_rate: u32) -> bool {
        let newest_theirs = Position {
            sequence: self.newest.sequence - self.ours.sequence + self.theirs.sequence,
            timestamp: self.newest.timestamp - self.ours.timestamp + self.theirs.timestamp,
        };
        let passed = now.saturating_duration_since(self.newest_at);
        let furthest = newest_theirs.timestamp + ticks(passed + MAX_TIMESTAMP_LEAD, clock_rate);
        packet.ssrc == self.ssrc
            && packet.sequence.abs_diff(newest_theirs.sequence) <= MAX_DROPOUT
            && packet.timestamp <= furthest
            && (packet.sequence <= newest_theirs.sequence || packet.timestamp >= newest_theirs.timestamp)
    }

    fn translate(&self, packet: SenderSequence) -> Option<Position> {
        Some(Position {
            sequence: (self.ours.sequence + packet.sequence).checked_sub(self.theirs.sequence)?,
            timestamp: (self.ours.timestamp + packet.timestamp).checked_sub(self.theirs.timestamp)?,
        })
    }

    /// Where a new run begins: the next number, and as much later as the clock says.
    fn resume(&self, now: Instant, clock_rate: u32) -> Position {
        let passed = now.saturating_duration_since(self.newest_at).max(FRAME);
        Position { sequence: self.newest.sequence + 1, timestamp: self.newest.timestamp + ticks(passed, clock_rate) }
    }
}

/// A duration in ticks of a clock.
fn ticks(duration: Duration, clock_rate: u32) -> u64 {
    // 64 bits hold 12 million years of them.
    (duration.as_nanos() * u128::from(clock_rate) / 1_000_000_000) as u64
}

/// Numbers of one receiver: those of the stream, counted from the first packet that it was sent.
#[derive(Debug, Default)]
pub(super) struct SequenceRewriter {
    first: Option<Position>,
}

impl SequenceRewriter {
    /// The receiver's numbers for a packet of the stream; `None` when it is older than the first one sent.
    pub(super) fn rewrite(&mut self, position: Position) -> Option<Position> {
        let first = *self.first.get_or_insert(position);
        Some(Position {
            sequence: position.sequence.checked_sub(first.sequence)? + 1,
            timestamp: position.timestamp.checked_sub(first.timestamp)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, sequence: u64, timestamp: u64) -> SenderSequence {
        SenderSequence { ssrc, sequence, timestamp }
    }

    /// Places packets that arrive 20 ms apart.
    fn place_all(packets: &[SenderSequence]) -> Vec<Option<Position>> {
        let mut timeline = Timeline::new(48_000);
        let start = Instant::now();
        packets
            .iter()
            .enumerate()
            .map(|(index, packet)| timeline.place(*packet, start + Duration::from_millis(20) * index as u32))
            .collect()
    }

    fn steps(placed: &[Option<Position>]) -> Vec<(i64, i64)> {
        let placed: Vec<_> = placed.iter().map(|position| position.expect("placed")).collect();
        placed
            .windows(2)
            .map(|pair| {
                (pair[1].sequence as i64 - pair[0].sequence as i64, pair[1].timestamp as i64 - pair[0].timestamp as i64)
            })
            .collect()
    }

    #[test]
    fn loss_and_reordering_keep_the_senders_distances() {
        let placed = place_all(&[packet(1, 10, 0), packet(1, 13, 2880), packet(1, 12, 1920), packet(1, 14, 3840)]);
        assert_eq!(steps(&placed), [(3, 2880), (-1, -960), (2, 1920)]);
    }

    #[test]
    fn a_packet_reordered_before_the_first_has_a_place() {
        let placed = place_all(&[packet(1, 10, 960), packet(1, 9, 0)]);
        assert_eq!(steps(&placed), [(-1, -960)]);
    }

    #[test]
    fn a_pause_of_dtx_advances_the_timestamp_alone() {
        let placed = place_all(&[packet(1, 10, 0), packet(1, 11, 19_200)]);
        assert_eq!(steps(&placed), [(1, 19_200)]);
    }

    #[test]
    fn a_new_ssrc_goes_on_where_the_old_one_stopped() {
        let placed = place_all(&[packet(1, 10, 0), packet(2, 60_000, 4_000_000_000), packet(2, 60_001, 4_000_000_960)]);
        assert_eq!(steps(&placed), [(1, 960), (1, 960)]);
    }

    #[test]
    fn a_jump_of_sequence_or_timestamp_is_a_restart() {
        let placed =
            place_all(&[packet(1, 10, 0), packet(1, 30_000, 960), packet(1, 30_001, 960_000_000), packet(1, 5, 7)]);
        assert_eq!(steps(&placed), [(1, 960), (1, 960), (1, 960)]);
    }

    #[test]
    fn a_long_silence_lets_the_timestamp_catch_up_with_the_clock() {
        let mut timeline = Timeline::new(48_000);
        let start = Instant::now();
        let before = timeline.place(packet(1, 10, 0), start).expect("first");
        let after = timeline.place(packet(1, 11, 2_880_000), start + Duration::from_secs(60)).expect("second");
        assert_eq!(after.timestamp - before.timestamp, 2_880_000);
    }

    #[test]
    fn a_receiver_that_joins_late_begins_below_the_first_rollover() {
        let mut rewriter = SequenceRewriter::default();
        let late = Position { sequence: 200_000, timestamp: 192_000_000 };
        let first = rewriter.rewrite(late).expect("first");
        assert!(first.sequence < 65_536);
        assert_eq!(
            rewriter.rewrite(Position { sequence: 199_999, timestamp: 191_999_040 }),
            None,
            "older than its first"
        );
        let next = rewriter.rewrite(Position { sequence: 200_001, timestamp: 192_000_960 }).expect("next");
        assert_eq!((next.sequence - first.sequence, next.timestamp - first.timestamp), (1, 960));
    }
}
