//! What a group of receivers measured since its window was opened.

use super::histogram::DelayHistogram;

/// Counts and times of many receivers.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// From the sender's call of the kernel to the kernel's stamp of arrival.
    pub(crate) delay: DelayHistogram,
    /// From the begin of the request to the arrival of the first packet that could be decrypted.
    pub(crate) join: DelayHistogram,
    /// Packets that were to come, and that came.
    pub(crate) expected: u64,
    pub(crate) heard: u64,
    /// Packets of the window that came twice.
    pub(crate) again: u64,
    /// Packets that were decrypted and compared with what was said; those that were something else, or whose numbers
    /// contradict one another.
    pub(crate) proved: u64,
    pub(crate) corrupt: u64,
    /// Our own datagrams that the kernel did not take.
    pub(crate) unsent: u64,
    /// Receivers whose connection ended.
    pub(crate) ended: u64,
}

impl Meter {
    /// The share of packets that never came.
    pub(crate) fn loss(&self) -> f64 {
        let lost = self.expected.saturating_sub(self.heard);
        if self.expected == 0 { 0.0 } else { lost as f64 / self.expected as f64 }
    }
}
