//! What media threads count, and how it adds up.

use std::collections::BTreeMap;

use crate::core::{Histogram, RelayStats};

use super::ResourceCounts;

/// What the UDP socket counted.
#[derive(Debug, Clone, Default)]
pub struct SocketStats {
    /// Datagrams longer than any that WebRTC sends.
    pub oversized: u64,
    /// Datagrams from addresses that `access` excludes.
    pub foreign: u64,
    /// Datagrams that the kernel's send buffer had no room for.
    pub send_buffer_full: u64,
    /// Datagrams that the kernel refused to send: no route, no permission.
    pub send_failed: u64,
    /// System calls that read datagrams, and that sent some.
    pub receive_calls: u64,
    /// See `receive_calls`.
    pub send_calls: u64,
    /// Timers that went off so late that what is paced by them is not what it should be; only counted where that is
    /// everything.
    pub late_wakeups: u64,
    /// From the arrival of a publisher's packet in the kernel until the copy for one subscriber was sent.
    pub forward_delay: Histogram,
}

/// Everything the media threads count, at one moment.
#[derive(Debug, Clone)]
pub struct MediaStats {
    /// Of the core.
    pub relay: RelayStats,
    /// Of the socket.
    pub socket: SocketStats,
    /// Decoders that listen in on streams now.
    pub taps: usize,
    /// Packets that a decoder was too slow to take.
    pub tap_overflows: u64,
    /// Things that happened in rooms and were told to nobody.
    pub room_events_lost: u64,
    /// Connections that have an address of their own.
    pub resources: ResourceCounts,
    /// Packets that a further media thread was too busy to take.
    pub pipe_overflows: u64,
    /// Commands that were done, by their kind.
    pub commands: BTreeMap<&'static str, u64>,
}

impl SocketStats {
    fn add(&mut self, other: &Self) {
        self.oversized += other.oversized;
        self.foreign += other.foreign;
        self.send_buffer_full += other.send_buffer_full;
        self.send_failed += other.send_failed;
        self.receive_calls += other.receive_calls;
        self.send_calls += other.send_calls;
        self.late_wakeups += other.late_wakeups;
        self.forward_delay.add(&other.forward_delay);
    }
}

impl MediaStats {
    /// Adds what a further thread counts, which has nothing but receivers.
    pub(super) fn add_further(mut self, further: &Self) -> Self {
        self.relay.add_remote(&further.relay);
        self.socket.add(&further.socket);
        self.resources.receivers += further.resources.receivers;
        for (kind, done) in &further.commands {
            *self.commands.entry(kind).or_default() += done;
        }
        self
    }
}
