//! Offers and answers: how peers come to be. Whoever offers is answered, whatever for; a receiver that cannot offer gets
//! an offer.

use std::net::SocketAddr;

use crate::core::error::{AnswerError, NegotiationError, SHORTEST_MESSAGE};
use crate::core::packet::{EgressTrack, MAX_SLOTS, Mid, VideoSlot};
use crate::domain::{PeerId, StreamId};

use super::lifecycle::CloseReason;
use super::peer::Peer;
use super::sdp::MediaLines;
use super::session::{Purpose, Session, SessionError};
use super::{Context, Peers, sdp};

/// The longest message that a remote takes which does not say (RFC 8841 6.1), in bytes.
const USUAL_MESSAGE: usize = 64 << 10;

/// Connection whose offer was answered, and what was agreed.
pub(in crate::core) struct Negotiated {
    pub(in crate::core) peer: PeerId,
    /// SDP for the remote.
    pub(in crate::core) answer: String,
    /// M-lines on which it sends: audio, or video where it is there for that.
    pub(in crate::core) ingress: Vec<Mid>,
    /// M-lines on which it hears.
    pub(in crate::core) egress: Vec<EgressTrack>,
    /// M-lines on which it sees.
    pub(in crate::core) slots: Vec<VideoSlot>,
    /// Bytes of the longest message that it takes on a data channel.
    pub(in crate::core) longest_message: usize,
}

impl Peers {
    /// Answers the offer of a new peer. `local`: it is on this machine, so that the loopback address is of use to it.
    ///
    /// # Errors
    /// See [`NegotiationError`]; nothing has changed then.
    pub(in crate::core) fn accept(
        &mut self,
        cx: &mut Context,
        purpose: Purpose,
        offer: &str,
        local: bool,
    ) -> Result<Negotiated, NegotiationError> {
        check_offer(offer)?;
        let longest_message = longest_message(offer);
        if purpose == Purpose::TakesFiles && longest_message < SHORTEST_MESSAGE {
            return Err(NegotiationError::ShortMessages(longest_message));
        }
        self.check_capacity()?;
        let mut session = self.new_session(cx, purpose, local);
        let answer = session.accept_offer(offer)?;
        let AgreedLines { ingress, egress, slots } = agreed_lines(&mut session, purpose, &answer);
        match purpose {
            Purpose::Video if ingress.is_empty() && slots.is_empty() => return Err(NegotiationError::NoVideo),
            Purpose::Speaks if ingress.is_empty() => return Err(NegotiationError::NoAudioToSend),
            Purpose::Hears if egress.is_empty() => return Err(NegotiationError::NoAudioToHear),
            Purpose::TakesPart if ingress.is_empty() && egress.is_empty() => {
                return Err(NegotiationError::NoAudioToSend);
            }
            Purpose::TakesFiles if !sdp::takes_channel(&answer) => return Err(NegotiationError::NoChannel),
            _ => {}
        }
        let answer = session.written(&answer);
        let peer = self.admit(cx, session, purpose, certificate_of(offer));
        Ok(Negotiated { peer, answer, ingress, egress, slots, longest_message })
    }

    /// Answers a further offer of a peer that is there: its paths are renewed (ICE restart), and it may have more
    /// m-lines than before.
    ///
    /// # Errors
    /// See [`NegotiationError`]; the connection goes on as it was then.
    pub(in crate::core) fn renew(
        &mut self,
        cx: &mut Context,
        id: PeerId,
        offer: &str,
    ) -> Result<Negotiated, NegotiationError> {
        let peer = self.table.get_mut(&id).ok_or(NegotiationError::NoSuchPeer)?;
        let answer = peer.session.accept_offer(offer)?;
        let ufrag = peer.session.ufrag();
        self.demux.set_ufrag(id, &mut peer.routes, ufrag);
        let AgreedLines { ingress, egress, slots } = agreed_lines(&mut peer.session, peer.purpose, &answer);
        let answer = peer.session.written(&answer);
        let longest_message = longest_message(offer);
        let negotiated = Negotiated { peer: id, answer, ingress, egress, slots, longest_message };
        self.drive(cx, id, Session::advance);
        Ok(negotiated)
    }

    /// Whether this offer is of the same client as that connection: it has the same certificate.
    pub(in crate::core) fn is_renewed_by(&self, id: PeerId, offer: &str) -> bool {
        self.table.get(&id).is_some_and(|peer| peer.fingerprint == certificate_of(offer))
    }

    /// Makes an offer to a receiver; `stream` and the connection name what is offered (RFC 8830).
    pub(in crate::core) fn offer(&mut self, cx: &mut Context, stream: StreamId, local: bool) -> (PeerId, String) {
        let mut session = self.new_session(cx, Purpose::Hears, local);
        let (offer, pending) = session.offer_audio(stream.to_string(), format!("audio_{}", self.next));
        let peer = self.admit(cx, session, Purpose::Hears, String::new());
        if let Some(peer) = self.table.get_mut(&peer) {
            peer.offer = Some(Box::new(pending));
        }
        (peer, sdp::finished(&offer))
    }

    /// Takes a receiver's answer to our [offer](Self::offer); gives where its packets go.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub(in crate::core) fn take_answer(
        &mut self,
        cx: &mut Context,
        id: PeerId,
        answer: &str,
    ) -> Result<EgressTrack, AnswerError> {
        let peer = self.table.get_mut(&id).filter(|peer| peer.purpose == Purpose::Hears);
        let peer = peer.ok_or(AnswerError::NoSuchPeer)?;
        let pending = peer.offer.take_if(|offer| offer.is_answered_by(answer)).ok_or(AnswerError::Stale)?;
        let taken = sdp::check(answer)
            .map_err(|error| AnswerError::InvalidAnswer(error.to_string()))
            .and_then(|()| peer.session.accept_answer(*pending, answer).map_err(AnswerError::from))
            .and_then(|track| track.ok_or(AnswerError::NoAudio));
        match taken {
            Ok(_) => self.drive(cx, id, Session::advance),
            Err(_) => self.close(cx, id, CloseReason::Refused),
        }
        taken
    }

    /// Tells of an address at which a peer can be reached. Never needed: its checks tell as much.
    pub(in crate::core) fn add_candidate(&mut self, cx: &mut Context, peer: PeerId, candidate: &str) {
        self.drive(cx, peer, |session, now, out| {
            session.add_remote_candidate(candidate);
            session.advance(now, out);
        });
    }

    /// Whether there is a place for one more.
    ///
    /// # Errors
    /// [`NegotiationError::TooManyPeers`].
    pub(in crate::core) fn check_capacity(&self) -> Result<(), NegotiationError> {
        if self.table.len() < self.max_peers { Ok(()) } else { Err(NegotiationError::TooManyPeers(self.max_peers)) }
    }

    fn new_session(&self, cx: &Context, purpose: Purpose, local: bool) -> Session {
        Session::new(&self.identity, &self.addresses_for(local), purpose, cx.now)
    }

    /// Our addresses that are of use to a client, on this machine or elsewhere.
    fn addresses_for(&self, local: bool) -> Vec<SocketAddr> {
        let only_loopback = self.addresses.iter().all(|address| address.ip().is_loopback());
        let mut addresses = self.addresses.clone();
        addresses.retain(|address| local || only_loopback || !address.ip().is_loopback());
        addresses
    }

    /// Gives a session its place among the peers.
    fn admit(&mut self, cx: &mut Context, mut session: Session, purpose: Purpose, fingerprint: String) -> PeerId {
        let id = PeerId(self.next);
        self.next += 1;
        let ufrag = session.ufrag();
        let mut peer = Peer::new(session, purpose, fingerprint, cx.now);
        self.demux.set_ufrag(id, &mut peer.routes, ufrag);
        self.table.insert(id, peer);
        self.drive(cx, id, Session::advance);
        id
    }
}

/// M-lines that an answer of ours takes.
struct AgreedLines {
    ingress: Vec<Mid>,
    egress: Vec<EgressTrack>,
    slots: Vec<VideoSlot>,
}

fn agreed_lines(session: &mut Session, purpose: Purpose, answer: &str) -> AgreedLines {
    if purpose == Purpose::Video {
        let MediaLines { receiving: ingress, sending } = sdp::media_lines(answer, "video");
        let slots = sending.into_iter().take(MAX_SLOTS).filter_map(|mid| session.video_slot(mid)).collect();
        return AgreedLines { ingress, egress: Vec::new(), slots };
    }
    let MediaLines { receiving: ingress, sending } = sdp::media_lines(answer, "audio");
    let egress = sending.into_iter().filter_map(|mid| session.egress_track(mid)).collect();
    AgreedLines { ingress, egress, slots: Vec::new() }
}

/// Whether an offer can be answered at all.
///
/// # Errors
/// [`NegotiationError::InvalidOffer`].
pub(in crate::core) fn check_offer(offer: &str) -> Result<(), NegotiationError> {
    sdp::check(offer).map_err(|error| NegotiationError::InvalidOffer(error.to_string()))
}

/// Fingerprint of the certificate that the offer speaks for.
fn certificate_of(offer: &str) -> String {
    sdp::fingerprint(offer).unwrap_or_default().to_owned()
}

/// Bytes of the longest message that the description's author takes.
fn longest_message(description: &str) -> usize {
    match sdp::attribute(description, "max-message-size").and_then(|size| size.parse().ok()) {
        // As long as one likes (RFC 8841 6.1).
        Some(0) => usize::MAX,
        Some(size) => size,
        None => USUAL_MESSAGE,
    }
}

impl From<SessionError> for NegotiationError {
    fn from(refused: SessionError) -> Self {
        Self::InvalidOffer(refused.to_string())
    }
}

impl From<SessionError> for AnswerError {
    fn from(refused: SessionError) -> Self {
        Self::InvalidAnswer(refused.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_message_is_what_the_offer_says() {
        assert_eq!(longest_message("m=application\r\na=max-message-size:262144\r\n"), 262_144);
        assert_eq!(longest_message("m=application\r\na=max-message-size:0\r\n"), usize::MAX);
        assert_eq!(longest_message("m=application\r\n"), USUAL_MESSAGE);
    }
}
