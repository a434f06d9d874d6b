//! A peer connection as clients have it: audio alone, in one direction. Sans-IO, as the relay's own.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::DtlsCert;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionValues, RtpPacket, RtpWrite, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};

/// A description of the server's was of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("the server's description cannot be used: {0}")]
    Description(#[from] RtcError),
    #[error("the server offers no candidate at {0}, the only address that is spoken to")]
    NoCandidate(IpAddr),
    #[error("the server does not take Opus")]
    NoOpus,
    #[error("it answers an offer that was never made")]
    NoOffer,
}

/// A certificate of DTLS. Making one takes longer than all else of a connection, so receivers share theirs.
pub(crate) fn certificate() -> DtlsCert {
    let crypto = str0m::crypto::from_feature_flags();
    crypto.dtls_provider.generate_certificate().expect("the crypto library makes certificates")
}

/// What came of a datagram, or of time.
#[derive(Debug, Default)]
pub(crate) struct PeerOutput {
    pub(crate) transmits: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) packets: Vec<RtpPacket>,
    pub(crate) connected: bool,
    /// Why there will be nothing more.
    pub(crate) over: Option<String>,
}

/// One connection, and when it wants time to pass.
pub(crate) struct ClientPeer {
    rtc: Rtc,
    local: SocketAddr,
    pub(crate) deadline: Instant,
    mid: Option<Mid>,
    pending: Option<SdpPendingOffer>,
}

impl ClientPeer {
    pub(crate) fn new(local: SocketAddr, certificate: &DtlsCert, now: Instant) -> Self {
        let mut rtc = Rtc::builder()
            .set_dtls_cert(certificate.clone())
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .clear_extension_map()
            .set_extension(1, Extension::AudioLevel)
            .set_extension(4, Extension::RtpMid)
            .build(now);
        if let Ok(candidate) = Candidate::host(local, "udp") {
            rtc.add_local_candidate(candidate);
        }
        Self { rtc, local, deadline: now, mid: None, pending: None }
    }

    /// Offers to send audio, or to receive it.
    pub(crate) fn offer(&mut self, direction: Direction) -> String {
        let mut changes = self.rtc.sdp_api();
        self.mid = Some(changes.add_media(MediaKind::Audio, direction, None, None, None));
        let (offer, pending) = changes.apply().expect("a new m-line always needs an offer");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// Takes the answer to the offer, if only its candidates at this address.
    pub(crate) fn accept_answer(&mut self, answer: &str, server: IpAddr) -> Result<(), PeerError> {
        let pending = self.pending.take().ok_or(PeerError::NoOffer)?;
        let answer = SdpAnswer::from_sdp_string(&only_at(server, answer)?).map_err(RtcError::from)?;
        self.rtc.sdp_api().accept_answer(pending, answer)?;
        let media = self.mid.and_then(|mid| self.rtc.media(mid)).ok_or(PeerError::NoOpus)?;
        if media.remote_pts().is_empty() { Err(PeerError::NoOpus) } else { Ok(()) }
    }

    /// Answers an offer, with the same caution.
    pub(crate) fn accept_offer(&mut self, offer: &str, server: IpAddr) -> Result<String, PeerError> {
        let offer = SdpOffer::from_sdp_string(&only_at(server, offer)?).map_err(RtcError::from)?;
        Ok(self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
    }

    /// Feeds a datagram.
    pub(crate) fn receive(&mut self, source: SocketAddr, datagram: &[u8], now: Instant, out: &mut PeerOutput) {
        // What is no datagram of WebRTC is none of ours.
        let Ok(datagram) = Receive::new(Protocol::Udp, source, self.local, datagram) else { return };
        let input = Input::Receive(now, datagram);
        if self.rtc.accepts(&input) {
            self.drive(input, out);
        }
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, now: Instant, out: &mut PeerOutput) {
        self.drive(Input::Timeout(now), out);
    }

    /// Sends a packet with these numbers.
    pub(crate) fn send(&mut self, sequence: u64, timestamp: u32, payload: Vec<u8>, now: Instant, out: &mut PeerOutput) {
        let media = self.mid.and_then(|mid| self.rtc.media(mid));
        let Some((mid, payload_type)) = media.and_then(|media| Some((media.mid(), *media.remote_pts().first()?)))
        else {
            return;
        };
        let levels =
            ExtensionValues { audio_level: Some(-30), voice_activity: Some(true), ..ExtensionValues::default() };
        let packet = RtpWrite::new(payload_type, sequence.into(), timestamp, now, payload).ext_vals(levels);
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(mid, None) {
            stream.write_rtp(packet);
        }
        // What was written goes out when time is fed.
        self.poll(out);
        self.advance(now, out);
    }

    /// Asks for nothing again: packets that are left out here on purpose are not lost.
    pub(crate) fn never_ask_again(&mut self, ssrc: Ssrc) {
        if let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc) {
            stream.suppress_nack(true);
        }
    }

    /// Says goodbye: RTCP BYE and DTLS close_notify.
    pub(crate) fn close(&mut self, out: &mut PeerOutput) {
        // One that cannot even say goodbye is gone all the same.
        let _ = self.rtc.close();
        self.poll(out);
    }

    fn drive(&mut self, input: Input<'_>, out: &mut PeerOutput) {
        match self.rtc.handle_input(input) {
            Ok(()) => self.poll(out),
            Err(error) => out.over = Some(error.to_string()),
        }
    }

    fn poll(&mut self, out: &mut PeerOutput) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.deadline = at;
                    return;
                }
                Ok(Output::Transmit(transmit)) => out.transmits.push((transmit.destination, transmit.contents.into())),
                Ok(Output::Event(Event::RtpPacket(packet))) => out.packets.push(packet),
                Ok(Output::Event(Event::Connected)) => out.connected = true,
                Ok(Output::Event(Event::Closed)) => out.over = Some("the server closed the connection".into()),
                Ok(Output::Event(_)) => {}
                Err(error) => {
                    out.over = Some(error.to_string());
                    return;
                }
            }
        }
    }
}

/// A description without the candidates at other addresses: a load goes where it was sent, and nowhere else.
fn only_at(server: IpAddr, description: &str) -> Result<String, PeerError> {
    let address = server.to_string();
    let is_elsewhere = |line: &&str| {
        line.starts_with("a=candidate:") && line.split_ascii_whitespace().nth(4) != Some(address.as_str())
    };
    let kept: String = description.split_inclusive('\n').filter(|line| !is_elsewhere(line)).collect();
    if kept.contains("a=candidate:") { Ok(kept) } else { Err(PeerError::NoCandidate(server)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_itself_is_spoken_to() {
        let description = "v=0\r\na=candidate:1 1 udp 99 10.0.0.1 80 typ host\r\n\
                           a=candidate:2 1 udp 98 127.0.0.1 80 typ host\r\na=end-of-candidates\r\n";
        let kept = only_at("127.0.0.1".parse().expect("an address"), description).expect("a candidate");
        assert_eq!(kept, "v=0\r\na=candidate:2 1 udp 98 127.0.0.1 80 typ host\r\na=end-of-candidates\r\n");
        let elsewhere = "10.0.0.2".parse().expect("an address");
        assert!(matches!(only_at(elsewhere, description), Err(PeerError::NoCandidate(_))));
    }
}
