//! One WebRTC session: str0m's `Rtc` behind the few operations that the relay needs.
//!
//! Here, and only here, str0m is driven: one mutation, then drained until it is quiet. A panic
//! inside it costs this session alone.

mod channel;
mod header;
mod kept;
mod keys;
mod shortcut;
mod srtp;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::DtlsCert;
use str0m::crypto::from_feature_flags;
use str0m::format::{CodecConfig, PayloadParams};
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::Receive;
use str0m::rtp::rtcp::{Nack, Rtcp};
use str0m::rtp::{Extension, ExtensionValues, RawPacket, RtpPacket, RtpWrite, SeqNo, Ssrc};
use str0m::stats::MediaEgressStats;
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig, RtcError};

use super::Transmit;
use super::forwarding::Packet;
use super::timeline::Position;

pub(super) use channel::ChannelSaid;
use shortcut::Shortcut;
pub(super) use shortcut::{Repeated, Way};
use srtp::Sealer;

/// Header extensions, by the ids that browsers use. No transport-wide congestion control: on a LAN
/// it doubles a receiver's memory and costs as much as forwarding does.
const EXTENSIONS: [(u8, Extension); 2] = [(1, Extension::AudioLevel), (4, Extension::RtpMid)];

/// Between two looks at what the remote reports of losses and delays.
const REPORTS_INTERVAL: Duration = Duration::from_secs(2);

/// What sessions said while they were drained. One is reused for all, so that the steady state
/// allocates nothing here.
#[derive(Default)]
pub(super) struct Drained {
    /// Datagrams to send.
    pub(super) transmits: Vec<str0m::net::Transmit>,
    /// Decrypted packets, in order of arrival.
    pub(super) packets: Vec<RtpPacket>,
    /// What the remote reports of packets that were sent to it, one for each m-line.
    pub(super) reports: Vec<MediaEgressStats>,
    /// What the remote says it lost.
    pub(super) nacks: Vec<Nack>,
    /// What is to be known of data channels.
    pub(super) channels: Vec<ChannelSaid>,
    /// ICE and DTLS have just completed.
    pub(super) connected: bool,
    /// The session has ended by itself.
    pub(super) over: Option<Over>,
}

/// Why a session has ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The remote closed DTLS.
    RemoteClosed,
    /// No ICE check for too long (RFC 7675).
    ConsentLost,
    /// The session failed: a protocol error, logged where it happened.
    Failed,
    /// The session panicked: a bug, caught here.
    Panicked,
}

/// The remote's description was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// Not SDP, or SDP that contradicts itself or what was agreed.
    #[error("{0}")]
    Invalid(#[from] RtcError),
    /// The session panicked over it.
    #[error("it broke the session")]
    Panicked,
}

/// An offer of ours that waits for its answer.
pub(super) struct PendingOffer {
    mid: Mid,
    pending: SdpPendingOffer,
}

impl PendingOffer {
    /// Whether the answer speaks of this offer's m-line: each offer has a mid of its own.
    pub(super) fn is_answered_by(&self, answer: &str) -> bool {
        answer.lines().filter_map(|line| line.strip_prefix("a=mid:")).any(|mid| mid.trim_end() == &*self.mid)
    }
}

/// Where a subscriber's packets go: the m-line and payload type that it agreed to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    mid: Mid,
    payload_type: Pt,
}

impl Lane {
    /// The m-line.
    pub(super) fn mid(self) -> Mid {
        self.mid
    }

    /// One of many, for tests that send nothing.
    #[cfg(test)]
    pub(super) fn numbered(number: usize) -> Self {
        Self { mid: number.to_string().as_str().into(), payload_type: 111.into() }
    }
}

/// A packet of a stream on its way to one receiver.
#[derive(Clone, Copy)]
pub(super) struct Rtp<'a> {
    pub(super) lane: Lane,
    /// Its place in what this receiver hears on that lane.
    pub(super) place: Position,
    pub(super) packet: &'a Packet,
    /// Another voice begins with it.
    pub(super) begins: bool,
}

impl Rtp<'_> {
    /// Tells a jitter buffer that it may adapt here.
    fn marker(&self) -> bool {
        self.packet.marker || self.begins
    }

    /// The timestamp on the wire is the lower half of ours (RFC 3550 5.1).
    fn timestamp(&self) -> u32 {
        self.place.timestamp as u32
    }
}

/// One str0m session.
pub(super) struct Session {
    rtc: Box<Rtc>,
    deadline: Instant,
    shortcut: Shortcut,
}

/// What a session is for, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The remote speaks.
    Speaks,
    /// The remote hears.
    Hears,
    /// Both, and it is looked at how well it hears.
    TakesPart,
}

impl Session {
    /// A session that answers to these local addresses (ICE-lite: it never checks by itself).
    pub(super) fn new(certificate: &DtlsCert, addresses: &[SocketAddr], purpose: Purpose, now: Instant) -> Self {
        let reports = (purpose == Purpose::TakesPart).then_some(REPORTS_INTERVAL);
        let mut config = Rtc::builder()
            .set_stats_interval(reports)
            // What it is told of lost packets is in these, and nowhere else.
            .enable_raw_packets(purpose != Purpose::Speaks)
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_dtls_cert(certificate.clone())
            .clear_extension_map();
        *config.codec_config() = opus();
        for (id, extension) in EXTENSIONS {
            config = config.set_extension(id, extension);
        }
        Self::built(config, addresses, now)
    }

    /// A session with nothing but a data channel, which the remote opens.
    pub(super) fn for_channel(certificate: &DtlsCert, addresses: &[SocketAddr], now: Instant) -> Self {
        Self::built(channel::config(certificate), addresses, now)
    }

    fn built(config: RtcConfig, addresses: &[SocketAddr], now: Instant) -> Self {
        let rtc = config.set_crypto_provider(keys::provider()).build(now);
        let mut session = Self { rtc: Box::new(rtc), deadline: now, shortcut: Shortcut::default() };
        session.add_addresses(addresses);
        session
    }

    /// Makes further local addresses known; those it has already are kept once.
    pub(super) fn add_addresses(&mut self, addresses: &[SocketAddr]) {
        for address in addresses {
            // Refused are unspecified and multicast addresses, which no interface has.
            if let Ok(candidate) = Candidate::host(*address, "udp") {
                self.rtc.add_local_candidate(candidate);
            }
        }
    }

    /// The username that authenticates the remote's checks.
    pub(super) fn ufrag(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Takes the remote's offer, first or renewed, and gives the answer.
    pub(super) fn accept_offer(&mut self, offer: &str) -> Result<String, Refused> {
        guarded(|| {
            let offer = SdpOffer::from_sdp_string(offer).map_err(RtcError::from)?;
            let answer = self.rtc.sdp_api().accept_offer(offer)?;
            Ok(answer.to_sdp_string())
        })
    }

    /// Offers one audio stream under these msid names (RFC 8830).
    pub(super) fn offer_audio(&mut self, stream: String, track: String) -> (String, PendingOffer) {
        let mut changes = self.rtc.sdp_api();
        let mid = changes.add_media(MediaKind::Audio, Direction::SendOnly, Some(stream), Some(track), None);
        let (offer, pending) = changes.apply().expect("a new m-line always needs an offer");
        (offer.to_sdp_string(), PendingOffer { mid, pending })
    }

    /// Takes the answer to our offer; the lane is `None` when the remote takes no Opus.
    pub(super) fn accept_answer(&mut self, offer: PendingOffer, answer: &str) -> Result<Option<Lane>, Refused> {
        guarded(|| {
            let answer = SdpAnswer::from_sdp_string(answer).map_err(RtcError::from)?;
            self.rtc.sdp_api().accept_answer(offer.pending, answer)?;
            let media = self.rtc.media(offer.mid).filter(|media| media.direction().is_sending());
            let payload_type = media.and_then(|media| media.remote_pts().first().copied());
            Ok(payload_type.map(|payload_type| Lane { mid: offer.mid, payload_type }))
        })
    }

    /// Where packets for this m-line of the remote's offer go; `None` when it takes no Opus there.
    pub(super) fn lane(&self, mid: Mid) -> Option<Lane> {
        let media = self.rtc.media(mid).filter(|media| media.direction().is_sending())?;
        Some(Lane { mid, payload_type: *media.remote_pts().first()? })
    }

    /// The m-line on which packets of this SSRC come.
    pub(super) fn mid_of(&mut self, ssrc: Ssrc) -> Option<Mid> {
        self.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid())
    }

    /// Tells of one more address of the remote. Not needed (its checks tell as much), so a bad one is no error.
    pub(super) fn add_remote_candidate(&mut self, candidate: &str) {
        if let Ok(candidate) = Candidate::from_sdp_string(candidate) {
            self.rtc.add_remote_candidate(candidate);
        }
    }

    /// Feeds a datagram. False when it proves not to be of this session: its address was never
    /// validated, or its ICE check fails the integrity test.
    pub(super) fn receive(&mut self, now: Instant, datagram: Receive<'_>, is_rtp: bool, out: &mut Drained) -> bool {
        let input = Input::Receive(now, datagram);
        let accepted = catch_unwind(AssertUnwindSafe(|| self.rtc.accepts(&input))).unwrap_or(false);
        if accepted {
            self.drive(out, |rtc| rtc.handle_input(input));
        }
        if !is_rtp {
            self.shortcut.forget_patterns();
        }
        accepted
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now: Instant, out: &mut Drained) {
        self.drive(out, |rtc| rtc.handle_input(Input::Timeout(now)));
    }

    /// Takes the place of a packet, and seals it if that is quickly done; what takes the long way is to be
    /// [sent](Self::send).
    pub(super) fn take(&mut self, now: Instant, rtp: &Rtp<'_>, buffer: impl FnOnce() -> Vec<u8>) -> Way {
        self.shortcut.take(now, rtp, buffer)
    }

    /// Seals one packet for the remote, and learns from it how those that follow are sealed.
    pub(super) fn send(&mut self, now: Instant, rtp: &Rtp<'_>, out: &mut Drained) {
        let mid = rtp.lane.mid;
        self.drive(out, |rtc| {
            if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
                stream.write_rtp(rtp_write(rtp));
            }
            Ok(())
        });
        // What was written goes out when time is fed, even if none has passed.
        let before = out.transmits.len();
        self.advance(now, out);
        let level_id = self.rtc.media(mid).and_then(|media| media.remote_extmap().id_of(Extension::AudioLevel));
        for made in &out.transmits[before..] {
            self.shortcut.learn(now, mid, level_id, made);
        }
    }

    /// Sends again what the remote says it lost.
    pub(super) fn repeat(&mut self, now: Instant, nack: &Nack, send: impl FnMut(Transmit)) -> Repeated {
        self.shortcut.repeat(now, nack, send)
    }

    /// Asks for what was lost of the packets with this SSRC. Browsers do not say that they send audio again, and do.
    pub(super) fn ask_again(&mut self, ssrc: Ssrc) {
        if let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc) {
            stream.suppress_nack(false);
        }
    }

    /// Says goodbye: RTCP BYE and DTLS close_notify.
    pub(super) fn close(&mut self, out: &mut Drained) {
        self.drive(out, Rtc::close);
    }

    /// When the session wants time to pass.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    fn drive(&mut self, out: &mut Drained, mutate: impl FnOnce(&mut Rtc) -> Result<(), RtcError>) {
        let result = guarded(|| {
            mutate(&mut self.rtc)?;
            self.deadline = drain(&mut self.rtc, out)?;
            Ok(())
        });
        if let Some(agreed) = keys::take_agreed() {
            self.shortcut.sealer = Sealer::new(&agreed, from_feature_flags().srtp_provider);
        }
        match result {
            Ok(()) => {}
            Err(Refused::Invalid(error)) => {
                tracing::debug!(%error, "session failed");
                out.over = Some(Over::Failed);
            }
            Err(Refused::Panicked) => out.over = Some(Over::Panicked),
        }
    }
}

/// Polls until the session is quiet; gives its next deadline.
fn drain(rtc: &mut Rtc, out: &mut Drained) -> Result<Instant, RtcError> {
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

/// Opus, of which lost packets may be asked for again (RFC 4585).
fn opus() -> CodecConfig {
    let mut codecs = CodecConfig::empty();
    codecs.enable_opus(true, false);
    let nackable = |params: &PayloadParams| {
        let mut params = *params;
        params.set_fb_nack(true);
        params
    };
    CodecConfig::new_from_payload_params(codecs.params().iter().map(nackable).collect())
}

/// What the remote says it lost, if that is what it says.
fn nack(raw: RawPacket) -> Option<Nack> {
    match raw {
        RawPacket::RtcpRx(Rtcp::Nack(nack)) => Some(nack),
        _ => None,
    }
}

/// A packet of the stream as this receiver is to see it. Its SSRC and MID are the session's own.
fn rtp_write(rtp: &Rtp<'_>) -> RtpWrite {
    let Rtp { lane, place, packet, .. } = *rtp;
    let extensions =
        ExtensionValues { audio_level: packet.level, voice_activity: packet.voice, ..ExtensionValues::default() };
    let sequence = SeqNo::from(place.sequence);
    RtpWrite::new(lane.payload_type, sequence, rtp.timestamp(), packet.arrived, packet.payload.clone())
        .marker(rtp.marker())
        .ext_vals(extensions)
}

/// Runs str0m so that a panic in it, which is a bug of its own, costs only the session at hand.
fn guarded<T>(run: impl FnOnce() -> Result<T, RtcError>) -> Result<T, Refused> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => Ok(result?),
        Err(_) => Err(Refused::Panicked),
    }
}
