//! What a session has to say, once it is quiet again.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use str0m::rtp::rtcp::{Nack, Rtcp};
use str0m::rtp::{RawPacket, RtpPacket};
use str0m::stats::MediaEgressStats;
use str0m::{Event, IceConnectionState, Output, Rtc, RtcError};

use super::channel::{ChannelEvent, DataChannel};
use super::rtp::{self, LastMid};
use super::video;
use crate::core::Transmit;
use crate::core::packet::{IngressPacket, Mid, PathReport, ReceptionReport, VideoPacket};
use crate::domain::TrackKind;

/// Output of sessions while they were driven. One is reused for all, so that the steady state allocates nothing here.
#[derive(Default)]
pub(in crate::core) struct SessionOutput {
    /// Datagrams to send.
    pub(in crate::core::peers) transmits: Vec<Transmit>,
    /// Decrypted packets, in order of arrival.
    pub(in crate::core::peers) packets: Vec<IngressPacket>,
    /// What the remote reports of packets that were sent to it.
    pub(in crate::core::peers) reception: Option<ReceptionReport>,
    /// What the remote said it lost; dealt with before anybody else looks.
    pub(super) nacks: Vec<Nack>,
    /// What was done about it.
    pub(in crate::core::peers) retransmitted: Retransmitted,
    /// Decrypted packets of video, in order of arrival.
    pub(in crate::core::peers) video: Vec<VideoPacket>,
    /// M-lines on which the remote cannot go on without a keyframe.
    pub(in crate::core::peers) keyframe_requests: Vec<Mid>,
    /// What is known anew of the way to a remote that sees video.
    pub(in crate::core::peers) path: PathReport,
    /// What happened on the data channel.
    pub(in crate::core::peers) channel: Vec<ChannelEvent>,
    /// ICE and DTLS have just completed.
    pub(in crate::core::peers) connected: bool,
    /// Reason for which the session has ended by itself.
    pub(in crate::core::peers) over: Option<Over>,
}

impl SessionOutput {
    /// Forgets all of it, and keeps its memory for the next one.
    pub(in crate::core::peers) fn clear(&mut self) {
        let Self { mut transmits, .. } = std::mem::take(self);
        transmits.clear();
        self.transmits = transmits;
    }
}

/// Packets that were asked for again.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::core) struct Retransmitted {
    /// Packets sent again.
    pub(in crate::core::peers) sent: u64,
    /// Packets that were too old, or asked for too often.
    pub(in crate::core::peers) refused: u64,
}

impl AddAssign for Retransmitted {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.refused += other.refused;
    }
}

/// Reason for which a session has ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Over {
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
pub(super) fn drain(
    rtc: &mut Rtc,
    channel: &mut DataChannel,
    last_mid: &mut LastMid,
    is_video: bool,
    out: &mut SessionOutput,
) -> Result<Instant, RtcError> {
    loop {
        match rtc.poll_output()? {
            Output::Timeout(at) => return Ok(at),
            Output::Transmit(transmit) => out.transmits.push(rtp::transmit(transmit)),
            Output::Event(Event::RtpPacket(packet)) if is_video => out.video.extend(video::ingress(rtc, packet)),
            Output::Event(Event::KeyframeRequest(request)) => out.keyframe_requests.push(rtp::own(request.mid)),
            Output::Event(Event::EgressBitrateEstimate(estimate)) => {
                out.path.estimate = video::bits_a_second(&estimate).or(out.path.estimate);
            }
            Output::Event(Event::PeerStats(stats)) => {
                out.path.loss = stats.egress_loss_fraction;
                out.path.round_trip = stats.rtt;
            }
            Output::Event(Event::RtpPacket(packet)) => out.packets.push(ingress(rtc, last_mid, packet)),
            Output::Event(Event::MediaEgressStats(report)) => note_report(&report, &mut out.reception),
            Output::Event(Event::RawPacket(raw)) => out.nacks.extend(nack(*raw)),
            Output::Event(Event::Connected) => out.connected = true,
            Output::Event(Event::Closed) => out.over = Some(Over::RemoteClosed),
            Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected)) => {
                out.over = Some(Over::ConsentLost);
            }
            Output::Event(event) => out.channel.extend(channel.note(rtc, event)),
        }
    }
}

/// A packet with the m-line that it came on. What is lost after it is asked for: browsers do not say that they send
/// audio again, and do.
fn ingress(rtc: &mut Rtc, last_mid: &mut LastMid, packet: RtpPacket) -> IngressPacket {
    let mut api = rtc.direct_api();
    let stream = api.stream_rx(&packet.header.ssrc);
    let mid = stream.map(|stream| {
        stream.suppress_nack(false);
        last_mid.own(stream.mid())
    });
    rtp::read(mid, packet)
}

/// Of a slot in which nobody was lately nothing is lost; the worst of the others counts.
fn note_report(report: &MediaEgressStats, worst: &mut Option<ReceptionReport>) {
    if report.loss.is_none() && report.rtt.is_none() {
        return;
    }
    // In units of the RTP clock (RFC 3550 6.4.1).
    let jitter =
        report.remote.as_ref().map(|remote| Duration::from_secs(remote.jitter.into()) / TrackKind::Voice.clock_rate());
    let report = ReceptionReport { loss: report.loss, round_trip: report.rtt, jitter };
    let loss = |report: &ReceptionReport| report.loss.unwrap_or(0.0);
    if worst.as_ref().is_none_or(|worst| loss(worst) <= loss(&report)) {
        *worst = Some(report);
    }
}

/// What the remote says it lost, if that is what it says.
fn nack(raw: RawPacket) -> Option<Nack> {
    match raw {
        RawPacket::RtcpRx(Rtcp::Nack(nack)) => Some(nack),
        _ => None,
    }
}
