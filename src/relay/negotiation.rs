//! Offers and answers: how peers come to be. A sender's offer is answered; a receiver gets an offer.

use std::net::SocketAddr;
use std::time::Instant;

use crate::domain::{LiveStream, PeerId, StreamId};
use crate::limits::Full;

use super::lifecycle::CloseReason;
use super::peer::{Peer, Role};
use super::session::{Purpose, Refused, Session};
use super::timeline::View;
use super::{Relay, sdp};

/// A sender's offer was taken.
#[derive(Debug)]
pub struct Published {
    /// The connection, new or renewed.
    pub peer: PeerId,
    /// SDP for the sender.
    pub answer: String,
}

/// A receiver is to be offered this.
#[derive(Debug)]
pub struct Subscribed {
    /// The new connection.
    pub peer: PeerId,
    /// The stream that it will hear.
    pub stream: StreamId,
    /// SDP for the receiver.
    pub offer: String,
}

/// A sender's offer was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The description is not one that we can answer.
    #[error("The offer cannot be used: {0}")]
    InvalidOffer(String),
    /// It offers no Opus audio that we could receive.
    #[error(
        "The offer has no Opus audio to send: an m-line with a=rtpmap:<number> opus/48000/2, and a=sendonly or a=sendrecv"
    )]
    NoAudio,
    /// `limits.peers` are connected.
    #[error("The relay is full: {0} connections at once")]
    TooManyPeers(usize),
    /// `limits.streams` are being sent.
    #[error("The relay is full: {0} streams at once")]
    TooManyStreams(usize),
    /// Whoever answers for it has what one may have.
    #[error("The relay takes no more: {0}")]
    Full(#[from] Full),
    /// What permitted it has ended.
    #[error("This is not permitted any more")]
    NotPermitted,
}

/// A receiver cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// Nobody speaks, or not the one who was asked for.
    #[error("No audio stream available")]
    NoStream,
    /// `limits.peers` are connected.
    #[error("The relay is full: {0} connections at once")]
    TooManyPeers(usize),
    /// Whoever answers for it has what one may have.
    #[error("The relay takes no more: {0}")]
    Full(#[from] Full),
}

/// A receiver's answer was not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The connection is gone, or it never waited for an answer.
    #[error("The connection that this answers is gone")]
    NoSuchPeer,
    /// It answers an offer that was replaced since, or one that is answered already: harmless.
    #[error("The answer is to an earlier offer")]
    Stale,
    /// The description is not an answer to our offer; the connection is closed.
    #[error("The answer cannot be used: {0}")]
    InvalidAnswer(String),
    /// The receiver takes no Opus; the connection is closed.
    #[error("The answer refuses Opus")]
    NoAudio,
}

impl Relay {
    /// Answers a sender's offer.
    ///
    /// An offer with the certificate of the stream's present sender renews that connection (ICE
    /// restart after a change of network); any other one takes the stream over. `local`: the client
    /// is on this machine, so that the loopback address is of use to it.
    ///
    /// # Errors
    /// See [`PublishError`]; nothing has changed then.
    pub fn publish(
        &mut self,
        now: Instant,
        feeds: impl Into<LiveStream>,
        offer: &str,
        local: bool,
    ) -> Result<Published, PublishError> {
        self.now = now;
        let feeds = feeds.into();
        let stream = feeds.id;
        sdp::check(offer).map_err(|error| PublishError::InvalidOffer(error.to_string()))?;
        let fingerprint = sdp::fingerprint(offer).unwrap_or_default().to_owned();
        if let Some(peer) = self.renewable(stream, &fingerprint) {
            return self.renew(peer, offer);
        }
        self.check_room_for_publisher(stream)?;
        let mut session = self.new_session(local, Purpose::Speaks);
        let answer = session.accept_offer(offer)?;
        if !sdp::takes_audio(&answer) {
            return Err(PublishError::NoAudio);
        }
        let answer = session.written(&answer);
        let peer = self.admit(session, Role::Publisher { feeds, fingerprint });
        if let Some(former) = self.publishers.insert(stream, peer) {
            self.close_peer(former, CloseReason::Replaced);
        }
        Ok(Published { peer, answer })
    }

    /// Makes an offer to a receiver: of this stream, or of the newest. `local` as above.
    ///
    /// # Errors
    /// See [`SubscribeError`]; nothing has changed then.
    pub fn subscribe(
        &mut self,
        now: Instant,
        stream: Option<StreamId>,
        local: bool,
    ) -> Result<Subscribed, SubscribeError> {
        self.now = now;
        let stream = match stream {
            Some(id) => self.streams.contains_key(&id).then_some(id),
            None => self.streams().last().copied(),
        }
        .ok_or(SubscribeError::NoStream)?;
        if self.peers.len() >= self.config.max_peers {
            return Err(SubscribeError::TooManyPeers(self.config.max_peers));
        }
        let mut session = self.new_session(local, Purpose::Hears);
        let track = format!("audio_{}", self.next_peer);
        let (offer, pending) = session.offer_audio(stream.to_string(), track);
        let role = Role::Subscriber { stream, offer: Some(Box::new(pending)), lane: None, view: View::default() };
        let peer = self.admit(session, role);
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.add_subscriber(peer);
        }
        Ok(Subscribed { peer, stream, offer: sdp::finished(&offer) })
    }

    /// Takes a receiver's answer to the offer of [`subscribe`](Self::subscribe).
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn answer(&mut self, now: Instant, id: PeerId, answer: &str) -> Result<(), AnswerError> {
        self.now = now;
        let peer = self.peers.get_mut(&id).ok_or(AnswerError::NoSuchPeer)?;
        let Role::Subscriber { offer, lane, .. } = &mut peer.role else {
            return Err(AnswerError::NoSuchPeer);
        };
        let pending = offer.take_if(|offer| offer.is_answered_by(answer)).ok_or(AnswerError::Stale)?;
        let taken = sdp::check(answer)
            .map_err(|error| AnswerError::InvalidAnswer(error.to_string()))
            .and_then(|()| peer.session.accept_answer(*pending, answer).map_err(AnswerError::from));
        *lane = taken.as_ref().ok().copied().flatten();
        let result = taken.and_then(|lane| lane.map(|_| ()).ok_or(AnswerError::NoAudio));
        match result {
            Ok(()) => self.drive(id, Session::advance),
            Err(_) => self.close_peer(id, CloseReason::Refused),
        }
        result
    }

    /// Tells of an address at which a peer can be reached. Never needed: its checks tell as much.
    pub fn add_candidate(&mut self, now: Instant, peer: PeerId, candidate: &str) {
        self.now = now;
        self.drive(peer, |session, now, out| {
            session.add_remote_candidate(candidate);
            session.advance(now, out);
        });
    }

    fn renewable(&self, stream: StreamId, fingerprint: &str) -> Option<PeerId> {
        let id = *self.publishers.get(&stream)?;
        let same = matches!(&self.peers.get(&id)?.role, Role::Publisher { fingerprint: own, .. } if own == fingerprint);
        same.then_some(id)
    }

    fn renew(&mut self, id: PeerId, offer: &str) -> Result<Published, PublishError> {
        let answer = self.renew_session(id, offer)?;
        Ok(Published { peer: id, answer: self.peers[&id].session.written(&answer) })
    }

    /// Lets a connection that there is already answer a further offer of the same client.
    pub(super) fn renew_session(&mut self, id: PeerId, offer: &str) -> Result<String, PublishError> {
        let peer = self.peers.get_mut(&id).expect("a renewable peer exists");
        let answer = peer.session.accept_offer(offer)?;
        let ufrag = peer.session.ufrag();
        self.demux.set_ufrag(id, &mut peer.routes, ufrag);
        self.drive(id, Session::advance);
        Ok(answer)
    }

    fn check_room_for_publisher(&self, stream: StreamId) -> Result<(), PublishError> {
        if self.peers.len() >= self.config.max_peers {
            return Err(PublishError::TooManyPeers(self.config.max_peers));
        }
        if !self.publishers.contains_key(&stream) && self.streams.len() >= self.config.max_streams {
            return Err(PublishError::TooManyStreams(self.config.max_streams));
        }
        Ok(())
    }

    pub(super) fn new_session(&self, local: bool, purpose: Purpose) -> Session {
        Session::new(&self.certificate, &self.addresses_for(local), purpose, self.now)
    }

    /// Our addresses that are of use to a client, on this machine or elsewhere.
    pub(super) fn addresses_for(&self, local: bool) -> Vec<SocketAddr> {
        let only_loopback = self.config.addresses.iter().all(|address| address.ip().is_loopback());
        let mut addresses = self.config.addresses.clone();
        addresses.retain(|address| local || only_loopback || !address.ip().is_loopback());
        addresses
    }

    /// Gives a session its place among the peers.
    pub(super) fn admit(&mut self, mut session: Session, role: Role) -> PeerId {
        let id = PeerId(self.next_peer);
        self.next_peer += self.config.threads as u64;
        let ufrag = session.ufrag();
        let mut peer = Peer::new(session, role, self.now);
        self.demux.set_ufrag(id, &mut peer.routes, ufrag);
        self.peers.insert(id, peer);
        self.drive(id, Session::advance);
        id
    }
}

impl From<Refused> for PublishError {
    fn from(refused: Refused) -> Self {
        Self::InvalidOffer(refused.to_string())
    }
}

impl From<Refused> for AnswerError {
    fn from(refused: Refused) -> Self {
        Self::InvalidAnswer(refused.to_string())
    }
}
