//! What a sender says, and when it said it: numbered packets, so that whoever gets one knows which it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// From one packet to the next.
pub(crate) const PTIME: Duration = Duration::from_millis(20);

/// The same on the clock of RTP.
pub(crate) const SAMPLES_PER_PACKET: u32 = 960;

/// Bytes of a packet of Opus at 64 kbit/s.
const PAYLOAD: usize = 160;

/// Packets whose time is remembered: the last 163 s.
const REMEMBERED: usize = 8_192;

/// The packet with this number, of this sender. No two are alike, so that what is mixed up is found out.
pub(crate) fn payload(number: u64, sender: u8) -> [u8; PAYLOAD] {
    let mut bytes = std::array::from_fn(|index| (index as u8).wrapping_mul(number as u8 | 1).wrapping_add(sender));
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// The number in a payload; `None` when the payload is not that packet's of this sender, byte by byte.
pub(crate) fn number_in(bytes: &[u8], sender: u8) -> Option<u64> {
    let number = u64::from_be_bytes(*bytes.first_chunk()?);
    (bytes == payload(number, sender)).then_some(number)
}

/// A sender's account, which it writes on one thread and the receivers read on another.
#[derive(Debug)]
pub(crate) struct SentLog {
    pub(crate) sender: u8,
    began: Instant,
    /// Of the packet whose number leaves the index as a remainder: nanoseconds after `began`.
    times: Box<[AtomicU64]>,
    sent: AtomicU64,
    /// Left more than [`LATE`](super::sender::LATE) after their time.
    pub(crate) late: AtomicU64,
    /// The kernel did not take them.
    pub(crate) refused: AtomicU64,
    /// Only packets from this one on, and before that one, are counted.
    from: AtomicU64,
    to: AtomicU64,
}

impl SentLog {
    pub(crate) fn new(sender: u8, began: Instant) -> Self {
        Self {
            sender,
            began,
            times: std::iter::repeat_with(AtomicU64::default).take(REMEMBERED).collect(),
            sent: AtomicU64::new(0),
            late: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            from: AtomicU64::new(u64::MAX),
            to: AtomicU64::new(u64::MAX),
        }
    }

    /// Notes that the next packet leaves now.
    pub(crate) fn note(&self, number: u64, now: Instant) {
        let time = now.saturating_duration_since(self.began).as_nanos() as u64;
        self.times[number as usize % REMEMBERED].store(time, Ordering::Relaxed);
        self.sent.store(number + 1, Ordering::Release);
    }

    /// Packets sent so far, which is the number of the next.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    /// When this packet was sent; `None` when it was not, or too long ago.
    pub(crate) fn time_of(&self, number: u64) -> Option<Instant> {
        let sent = self.sent();
        let known = number < sent && sent - number <= REMEMBERED as u64;
        known.then(|| {
            self.began + Duration::from_nanos(self.times[number as usize % REMEMBERED].load(Ordering::Relaxed))
        })
    }

    /// Counts from the next packet on.
    pub(crate) fn open_window(&self) {
        // Not the one that may be on its way out right now.
        self.from.store(self.sent() + 1, Ordering::Relaxed);
        self.to.store(u64::MAX, Ordering::Relaxed);
    }

    /// Counts no packet that is still to be sent.
    pub(crate) fn close_window(&self) {
        self.to.store(self.sent(), Ordering::Relaxed);
    }

    /// What is counted: from this number to below that one.
    pub(crate) fn window(&self) -> (u64, u64) {
        (self.from.load(Ordering::Relaxed), self.to.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_known_by_its_number_and_a_changed_one_by_none() {
        let mut bytes = payload(70_000, 3);
        assert_eq!(number_in(&bytes, 3), Some(70_000));
        assert_eq!(number_in(&bytes, 4), None);
        bytes[150] ^= 1;
        assert_eq!(number_in(&bytes, 3), None);
        assert_eq!(number_in(&[], 3), None);
    }

    #[test]
    fn the_times_of_the_last_packets_are_remembered() {
        let began = Instant::now();
        let log = SentLog::new(0, began);
        let count = REMEMBERED as u64 + 10;
        for number in 0..count {
            log.note(number, began + PTIME * number as u32);
        }
        assert_eq!(log.time_of(count - 1), Some(began + PTIME * (count as u32 - 1)));
        assert_eq!(log.time_of(10), Some(began + PTIME * 10));
        assert_eq!((log.time_of(9), log.time_of(count)), (None, None));
    }

    #[test]
    fn a_window_is_of_packets_that_are_sent_in_it() {
        let log = SentLog::new(0, Instant::now());
        assert_eq!(log.window(), (u64::MAX, u64::MAX), "nothing is counted before");
        log.note(0, Instant::now());
        log.open_window();
        log.note(1, Instant::now());
        log.note(2, Instant::now());
        log.close_window();
        assert_eq!(log.window(), (2, 3));
    }
}
