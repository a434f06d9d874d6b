//! One WebRTC session: str0m's `Rtc` behind the few operations that the relay needs.
//!
//! Here, and only here, str0m is driven: one mutation, then drained until it is quiet. A panic
//! inside it costs this session alone.

mod audio;
mod channel;
mod curves;
mod fast_path;
mod header;
mod keys;
mod output;
mod retransmission;
mod rtp;
mod srtp;
pub(super) mod stun;
mod video;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use smallvec::SmallVec;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::DtlsCert;
use str0m::crypto::from_feature_flags;
use str0m::media::{Direction, Media, MediaKind, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, Ssrc};
use str0m::{Candidate, Input, Rtc, RtcConfig, RtcError};

use super::sdp::{self, Dialect, normalised};
use crate::core::packet::{EgressPacket, EgressTrack, Mid, VideoCodec};

pub(in crate::core) use audio::Purpose;
pub use channel::ChannelEvent;
use channel::DataChannel;
use fast_path::FastPath;
pub(super) use fast_path::Sealed;
use header::ExtensionIds;
use output::drain;
pub(super) use output::{Over, SessionOutput};
use rtp::LastMid;
use srtp::Sealer;
pub(in crate::core) use video::look_into_all as look_into;

/// Sources that one remote may have without naming them; each is a stream in memory.
const MAX_GUESSED: usize = 16;

/// The remote's description was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// Not SDP, or SDP that contradicts itself or what was agreed.
    #[error("{}", describe(.0))]
    Invalid(#[from] RtcError),
    /// The session panicked over it.
    #[error("it broke the session")]
    Panicked,
}

/// Certificate by which all sessions of one core are known, and what the way of one that sees video is taken to bear at
/// first, in bits a second.
#[derive(Clone)]
pub(super) struct DtlsIdentity(DtlsCert, u64);

impl DtlsIdentity {
    /// A new one. Takes 50 ms, so it is made once.
    ///
    /// # Panics
    /// When the crypto library cannot make a certificate: there is no relay without one.
    pub(super) fn generate(estimate: u64) -> Self {
        let made = from_feature_flags().dtls_provider.generate_certificate();
        Self(made.expect("the crypto library makes certificates"), estimate)
    }
}

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReceiveOutcome {
    /// The session took it.
    Taken,
    /// It proves not to be of this session: its address was never validated, its ICE check fails the integrity test, or
    /// it is a packet that came before.
    Unauthenticated,
    /// It is nothing that WebRTC knows.
    Malformed,
}

/// Offer of ours that waits for its answer.
pub(super) struct PendingOffer {
    mid: Mid,
    pending: SdpPendingOffer,
}

impl PendingOffer {
    /// Whether the answer speaks of this offer's m-line: each offer has a mid of its own.
    pub(super) fn is_answered_by(&self, answer: &str) -> bool {
        answer.lines().filter_map(|line| line.strip_prefix("a=mid:")).any(|mid| mid.trim_end() == self.mid.as_str())
    }
}

/// One str0m session.
pub(super) struct Session {
    rtc: Box<Rtc>,
    deadline: Instant,
    fast_path: FastPath,
    /// Its data channel, where it is there for one.
    channel: DataChannel,
    /// How the remote writes its offers.
    dialect: Dialect,
    /// Sources that were assigned by their payload type alone.
    guessed: usize,
    /// The source of the last packet: as a rule the next one has the same.
    last_source: Option<Ssrc>,
    last_mid: LastMid,
    purpose: Purpose,
    /// Numbers that the remote gave to codecs of video, of those that were sent.
    payload_types: SmallVec<[(Mid, VideoCodec, Pt); 0]>,
}

impl Session {
    /// A session that answers to these local addresses (ICE-lite: it never checks by itself).
    pub(super) fn new(identity: &DtlsIdentity, addresses: &[SocketAddr], purpose: Purpose, now: Instant) -> Self {
        curves::take_p224();
        let config: RtcConfig = match purpose {
            Purpose::TakesFiles => channel::config(&identity.0),
            Purpose::Video => video::config(&identity.0, identity.1),
            Purpose::Speaks | Purpose::Hears | Purpose::TakesPart => audio::config(&identity.0, purpose),
        };
        let mut session = Self {
            rtc: Box::new(config.build(now)),
            deadline: now,
            fast_path: FastPath::default(),
            channel: DataChannel::default(),
            dialect: Dialect::default(),
            guessed: 0,
            last_source: None,
            last_mid: LastMid::default(),
            purpose,
            payload_types: SmallVec::new(),
        };
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
    pub(super) fn accept_offer(&mut self, offer: &str) -> Result<String, SessionError> {
        self.fast_path.forget_patterns();
        self.payload_types.clear();
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
        (offer.to_sdp_string(), PendingOffer { mid: rtp::own(mid), pending })
    }

    /// Takes the answer to our offer; gives where packets go, `None` when the remote takes no Opus.
    pub(super) fn accept_answer(
        &mut self,
        offer: PendingOffer,
        answer: &str,
    ) -> Result<Option<EgressTrack>, SessionError> {
        guarded(|| {
            let answer = SdpAnswer::from_sdp_string(answer).map_err(RtcError::from)?;
            self.rtc.sdp_api().accept_answer(offer.pending, answer)?;
            Ok(())
        })?;
        Ok(self.egress_track(offer.mid))
    }

    /// Where packets for this m-line go; `None` when the remote takes no Opus there.
    pub(super) fn egress_track(&self, mid: Mid) -> Option<EgressTrack> {
        let media = self.rtc.media(rtp::theirs(mid)).filter(|media| media.direction().is_sending())?;
        Some(EgressTrack { mid, payload_type: **media.remote_pts().first()? })
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
        self.rtc.direct_api().expect_stream_rx(ssrc, None, rtp::theirs(mid), None);
    }

    fn only_line_with(&self, payload_type: Pt) -> Option<Mid> {
        let mids = self.dialect.mids();
        let mut fitting = mids.filter(|mid| {
            let media = self.rtc.media(rtp::theirs(*mid)).filter(|media| media.direction().is_receiving());
            media.is_some_and(|media| media.remote_pts().contains(&payload_type))
        });
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }

    /// Feeds a datagram.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
        out: &mut SessionOutput,
    ) -> ReceiveOutcome {
        let Ok(datagram) = Receive::new(Protocol::Udp, source, destination, payload) else {
            return ReceiveOutcome::Malformed;
        };
        let is_rtp = is_rtp(payload);
        // Streams of video name their m-lines and layers by themselves.
        if is_rtp && self.purpose != Purpose::Video {
            self.assign(payload);
        }
        let input = Input::Receive(now, datagram);
        if !catch_unwind(AssertUnwindSafe(|| self.rtc.accepts(&input))).unwrap_or(false) {
            return ReceiveOutcome::Unauthenticated;
        }
        self.drive(out, |rtc| rtc.handle_input(input));
        self.retransmit(now, out);
        // Of video there are also packets that only fill up, or were sent again in vain.
        if is_rtp && out.packets.is_empty() && self.purpose != Purpose::Video {
            return ReceiveOutcome::Unauthenticated;
        }
        if !is_rtp {
            self.fast_path.note_received(source, destination, payload);
        }
        ReceiveOutcome::Taken
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now: Instant, out: &mut SessionOutput) {
        self.drive(out, |rtc| rtc.handle_input(Input::Timeout(now)));
    }

    /// Takes the place of a packet, and seals it if it is like the one before; what goes the slow path is to be
    /// [sent](Self::send).
    pub(super) fn seal(&mut self, now: Instant, egress: &EgressPacket<'_>, buffer: impl FnOnce() -> Vec<u8>) -> Sealed {
        self.fast_path.seal(now, egress, buffer)
    }

    /// Seals one packet for the remote by str0m, and learns from it how those that follow are sealed.
    pub(super) fn send(&mut self, now: Instant, egress: &EgressPacket<'_>, out: &mut SessionOutput) {
        let mid = rtp::theirs(egress.track.mid);
        self.drive(out, |rtc| {
            if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
                stream.write_rtp(rtp::write(egress));
            }
            Ok(())
        });
        // What was written goes out when time is fed, even if none has passed.
        let before = out.transmits.len();
        self.advance(now, out);
        let extensions = self.rtc.media(mid).map(Media::remote_extmap);
        let id_of = |extension| extensions.and_then(|extensions| extensions.id_of(extension));
        let ids = ExtensionIds { level: id_of(Extension::AudioLevel), mid: id_of(Extension::RtpMid) };
        for made in &out.transmits[before..] {
            self.fast_path.learn(now, egress.track.mid, ids, made);
        }
    }

    /// Sends again what the remote has just said it lost.
    fn retransmit(&mut self, now: Instant, out: &mut SessionOutput) {
        let SessionOutput { nacks, transmits, retransmitted, .. } = out;
        for nack in nacks.drain(..) {
            *retransmitted += self.fast_path.retransmit(now, &nack, |transmit| transmits.push(transmit));
        }
    }

    /// Says goodbye: RTCP BYE and DTLS close_notify.
    pub(super) fn close(&mut self, out: &mut SessionOutput) {
        self.drive(out, Rtc::close);
    }

    /// When the session wants time to pass.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    fn drive(&mut self, out: &mut SessionOutput, mutate: impl FnOnce(&mut Rtc) -> Result<(), RtcError>) {
        let result = guarded(|| {
            mutate(&mut self.rtc)?;
            let is_video = self.purpose == Purpose::Video;
            self.deadline = drain(&mut self.rtc, &mut self.channel, &mut self.last_mid, is_video, out)?;
            Ok(())
        });
        if let Some(agreed) = keys::take_agreed() {
            self.fast_path.sealer = Sealer::new(&agreed, from_feature_flags().srtp_provider);
        }
        match result {
            Ok(()) => {}
            Err(SessionError::Invalid(error)) => {
                tracing::debug!(%error, "session failed");
                out.over = Some(Over::Failed);
            }
            Err(SessionError::Panicked) => out.over = Some(Over::Panicked),
        }
    }
}

/// By the first byte, and by the second, which tells it from RTCP (RFC 5761 4).
fn is_rtp(payload: &[u8]) -> bool {
    matches!(payload, [128..=191, kind, ..] if !(64..96).contains(&(kind & 0x7f)))
}

/// The payload type and source of an RTP packet (RFC 3550 5.1).
fn source_of(packet: &[u8]) -> Option<(Pt, Ssrc)> {
    let ssrc = u32::from_be_bytes(packet.get(8..12)?.try_into().ok()?);
    Some(((packet[1] & 0x7f).into(), ssrc.into()))
}

/// Why a description is refused, for people: the parser's own words are for its author, and name places in memory.
fn describe(error: &RtcError) -> String {
    match error {
        RtcError::Sdp(_) => "it is no session description that can be read (RFC 8866)".into(),
        error => error.to_string(),
    }
}

/// Runs str0m so that a panic in it, which is a bug of its own, costs only the session at hand.
fn guarded<T>(run: impl FnOnce() -> Result<T, RtcError>) -> Result<T, SessionError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => Ok(result?),
        Err(_) => Err(SessionError::Panicked),
    }
}
