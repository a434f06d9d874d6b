//! One WebRTC session: str0m's `Rtc` behind the few operations that the relay needs.
//!
//! Here, and only here, str0m is driven: one mutation, then drained until it is quiet. A panic
//! inside it costs this session alone.

mod audio;
mod channel;
mod curves;
mod drained;
mod header;
mod kept;
mod keys;
mod rtp;
mod shortcut;
mod srtp;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::DtlsCert;
use str0m::crypto::from_feature_flags;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::Receive;
use str0m::rtp::rtcp::Nack;
use str0m::rtp::{Extension, Ssrc};
use str0m::{Candidate, Input, Rtc, RtcConfig, RtcError};

use super::sdp::{self, Dialect, normalised};
use super::{Transmit, stun};

pub(super) use audio::Purpose;
pub(super) use channel::ChannelSaid;
use drained::drain;
pub(super) use drained::{Drained, Over};
use rtp::rtp_write;
pub(super) use rtp::{Lane, Rtp};
use shortcut::Shortcut;
pub(super) use shortcut::{Repeated, Way};
use srtp::Sealer;

/// Sources that one remote may have without naming them; each is a stream in memory.
const MAX_GUESSED: usize = 16;

/// The remote's description was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// Not SDP, or SDP that contradicts itself or what was agreed.
    #[error("{}", sentence(.0))]
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

/// One str0m session.
pub(super) struct Session {
    rtc: Box<Rtc>,
    deadline: Instant,
    shortcut: Shortcut,
    /// How the remote writes its offers.
    dialect: Dialect,
    /// Sources that were assigned by their payload type alone.
    guessed: usize,
    /// The source of the last packet: as a rule the next one has the same.
    last_source: Option<Ssrc>,
}

impl Session {
    /// A session that answers to these local addresses (ICE-lite: it never checks by itself).
    pub(super) fn new(certificate: &DtlsCert, addresses: &[SocketAddr], purpose: Purpose, now: Instant) -> Self {
        Self::built(audio::config(certificate, purpose), addresses, now)
    }

    /// A session with nothing but a data channel, which the remote opens.
    pub(super) fn for_channel(certificate: &DtlsCert, addresses: &[SocketAddr], now: Instant) -> Self {
        Self::built(channel::config(certificate), addresses, now)
    }

    fn built(config: RtcConfig, addresses: &[SocketAddr], now: Instant) -> Self {
        curves::take_p224();
        let (rtc, shortcut, dialect) = (Box::new(config.build(now)), Shortcut::default(), Dialect::default());
        let mut session = Self { rtc, deadline: now, shortcut, dialect, guessed: 0, last_source: None };
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
        self.shortcut.forget_patterns();
        let (offer, dialect) = normalised(offer);
        let answer = guarded(|| {
            let offer = SdpOffer::from_sdp_string(&offer).map_err(RtcError::from)?;
            let answer = self.rtc.sdp_api().accept_offer(offer)?;
            Ok(answer.to_sdp_string())
        })?;
        self.dialect = dialect;
        Ok(answer)
    }

    /// An answer of this session as it goes out, in the words of the offer.
    pub(super) fn written(&self, answer: &str) -> String {
        self.dialect.restored(&sdp::finished(answer))
    }

    /// The name of an m-line as the remote wrote it.
    pub(super) fn original(&self, mid: Mid) -> String {
        self.dialect.original(mid)
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

    /// A check that lacks something, made whole; `None` if it is not signed with this session's password.
    pub(super) fn completed(&mut self, check: &stun::Incomplete<'_>) -> Option<Vec<u8>> {
        let password = self.rtc.direct_api().local_ice_credentials().pass;
        check.completed(&password, from_feature_flags().sha1_hmac_provider)
    }

    /// Assigns a source that the offer did not name, and that names no m-line itself, to the only one on which the remote
    /// sends this payload type (RFC 9143 9.2).
    fn assign(&mut self, packet: &[u8]) {
        let Some((payload_type, ssrc)) = source_of(packet).filter(|(_, ssrc)| self.last_source != Some(*ssrc)) else {
            return;
        };
        self.last_source = Some(ssrc);
        if self.rtc.direct_api().stream_rx(&ssrc).is_some() || self.guessed == MAX_GUESSED {
            return;
        }
        let Some(mid) = self.only_line_with(payload_type) else { return };
        self.guessed += 1;
        self.rtc.direct_api().expect_stream_rx(ssrc, None, mid, None);
    }

    fn only_line_with(&self, payload_type: Pt) -> Option<Mid> {
        let mids = self.dialect.mids();
        let mut fitting = mids.filter(|mid| {
            let media = self.rtc.media(*mid).filter(|media| media.direction().is_receiving());
            media.is_some_and(|media| media.remote_pts().contains(&payload_type))
        });
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }

    /// Feeds a datagram. False when it proves not to be of this session: its address was never
    /// validated, or its ICE check fails the integrity test.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        datagram: Receive<'_>,
        payload: &[u8],
        is_rtp: bool,
        out: &mut Drained,
    ) -> bool {
        if is_rtp {
            self.assign(payload);
        }
        let input = Input::Receive(now, datagram);
        let accepted = catch_unwind(AssertUnwindSafe(|| self.rtc.accepts(&input))).unwrap_or(false);
        if accepted {
            self.drive(out, |rtc| rtc.handle_input(input));
        }
        if accepted && !is_rtp {
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

/// The payload type and source of an RTP packet (RFC 3550 5.1).
fn source_of(packet: &[u8]) -> Option<(Pt, Ssrc)> {
    let ssrc = u32::from_be_bytes(packet.get(8..12)?.try_into().ok()?);
    Some(((packet[1] & 0x7f).into(), ssrc.into()))
}

/// Why a description is refused, for people: the parser's own words are for its author, and name places in memory.
fn sentence(error: &RtcError) -> String {
    match error {
        RtcError::Sdp(_) => "it is no session description that can be read (RFC 8866)".into(),
        error => error.to_string(),
    }
}

/// Runs str0m so that a panic in it, which is a bug of its own, costs only the session at hand.
fn guarded<T>(run: impl FnOnce() -> Result<T, RtcError>) -> Result<T, Refused> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => Ok(result?),
        Err(_) => Err(Refused::Panicked),
    }
}
