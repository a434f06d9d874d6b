//! What a session has to say, once it is quiet again.

use std::time::Instant;

use str0m::rtp::rtcp::{Nack, Rtcp};
use str0m::rtp::{RawPacket, RtpPacket};
use str0m::stats::MediaEgressStats;
use str0m::{Event, IceConnectionState, Output, Rtc, RtcError};

use super::channel::ChannelSaid;

/// What sessions said while they were drained. One is reused for all, so that the steady state
/// allocates nothing here.
#[derive(Default)]
pub(in crate::relay) struct Drained {
    /// Datagrams to send.
    pub(in crate::relay) transmits: Vec<str0m::net::Transmit>,
    /// Decrypted packets, in order of arrival.
    pub(in crate::relay) packets: Vec<RtpPacket>,
    /// What the remote reports of packets that were sent to it, one for each m-line.
    pub(in crate::relay) reports: Vec<MediaEgressStats>,
    /// What the remote says it lost.
    pub(in crate::relay) nacks: Vec<Nack>,
    /// What is to be known of data channels.
    pub(in crate::relay) channels: Vec<ChannelSaid>,
    /// ICE and DTLS have just completed.
    pub(in crate::relay) connected: bool,
    /// The session has ended by itself.
    pub(in crate::relay) over: Option<Over>,
}

/// Why a session has ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::relay) enum Over {
    /// The remote closed DTLS.
    RemoteClosed,
    /// No ICE check for too long (RFC 7675).
    ConsentLost,
    /// The session failed: a protocol error, logged where it happened.
    Failed,
    /// The session panicked: a bug, caught here.
    Panicked,
}

/// Polls until the session is quiet; gives its next deadline.
pub(super) fn drain(rtc: &mut Rtc, out: &mut Drained) -> Result<Instant, RtcError> {
    loop {
        match rtc.poll_output()? {
            Output::Timeout(at) => return Ok(at),
            Output::Transmit(transmit) => out.transmits.push(transmit),
            Output::Event(Event::RtpPacket(packet)) => out.packets.push(packet),
            Output::Event(Event::MediaEgressStats(report)) => out.reports.push(report),
            Output::Event(Event::RawPacket(raw)) => out.nacks.extend(nack(*raw)),
            Output::Event(Event::Connected) => out.connected = true,
            Output::Event(Event::Closed) => out.over = Some(Over::RemoteClosed),
            Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected)) => {
                out.over = Some(Over::ConsentLost);
            }
            Output::Event(event) => out.channels.extend(ChannelSaid::of(event)),
        }
    }
}

/// What the remote says it lost, if that is what it says.
fn nack(raw: RawPacket) -> Option<Nack> {
    match raw {
        RawPacket::RtcpRx(Rtcp::Nack(nack)) => Some(nack),
        _ => None,
    }
}
