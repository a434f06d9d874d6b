//! Receivers that offer by themselves, and are answered; and paths of connections that are renewed (ICE restart).

use std::time::Instant;

use str0m::media::Mid;

use crate::domain::{PeerId, StreamId};
use crate::limits::Full;

use super::negotiation::PublishError;
use super::offer::Offer;
use super::peer::Role;
use super::session::{Purpose, Refused};
use super::timeline::View;
use super::{Relay, sdp};

/// A receiver's offer was taken.
#[derive(Debug)]
pub struct Listening {
    /// The new connection.
    pub peer: PeerId,
    /// SDP for the receiver.
    pub answer: String,
}

/// A receiver's offer was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// Nobody speaks there, or no more.
    #[error("No audio stream available")]
    NoStream,
    /// The description is not one that we can answer.
    #[error("The offer cannot be used: {0}")]
    InvalidOffer(String),
    /// It has no m-line on which Opus could be heard.
    #[error(
        "The offer has no m-line that takes Opus audio: a=rtpmap:<number> opus/48000/2, and a=recvonly or a=sendrecv"
    )]
    NoAudio,
    /// `limits.peers` are connected.
    #[error("The relay is full: {0} connections at once")]
    TooManyPeers(usize),
    /// Whoever answers for it has what one may have.
    #[error("The relay takes no more: {0}")]
    Full(#[from] Full),
    /// What permitted it has ended.
    #[error("This is not permitted any more")]
    NotPermitted,
}

/// The paths of a connection cannot be renewed; it goes on as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestartError {
    /// The connection is gone.
    #[error("The connection is gone")]
    NoSuchPeer,
    /// The description is not one that we can answer.
    #[error("The offer cannot be used: {0}")]
    InvalidOffer(String),
}

impl Relay {
    /// Answers the offer of a receiver of this stream; `local` as in [`publish`](Self::publish). It hears it on the
    /// first m-line that takes Opus.
    ///
    /// # Errors
    /// See [`ListenError`]; nothing has changed then.
    pub fn listen(
        &mut self,
        now: Instant,
        stream: StreamId,
        offer: &Offer,
        local: bool,
    ) -> Result<Listening, ListenError> {
        self.now = now;
        sdp::check(offer.as_ref()).map_err(|error| ListenError::InvalidOffer(error.to_string()))?;
        if !self.streams.contains_key(&stream) {
            return Err(ListenError::NoStream);
        }
        if self.peers.len() >= self.config.max_peers {
            return Err(ListenError::TooManyPeers(self.config.max_peers));
        }
        let mut session = self.new_session(local, Purpose::Hears);
        let answer = session.accept_offer(offer.as_ref())?;
        let lines = sdp::audio_lines(&answer).sending;
        let lane = lines.iter().find_map(|line| session.lane(Mid::from(line.as_str()))).ok_or(ListenError::NoAudio)?;
        let role = Role::Subscriber { stream, offer: None, lane: Some(lane), view: View::default() };
        let answer = session.written(&answer);
        let peer = self.admit(session, role);
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.add_subscriber(peer);
        }
        Ok(Listening { peer, answer })
    }

    /// Answers the offer of a connection that there is, with other credentials than before; gives the answer.
    ///
    /// # Errors
    /// See [`RestartError`].
    pub fn restart(&mut self, now: Instant, id: PeerId, offer: &Offer) -> Result<String, RestartError> {
        self.now = now;
        if !self.peers.contains_key(&id) {
            return Err(RestartError::NoSuchPeer);
        }
        let answer = match self.member(id) {
            Some(_) => self.renew_member(id, offer.as_ref()).map(|joined| joined.answer),
            None => self.renew_session(id, offer.as_ref()).map(|answer| self.peers[&id].session.written(&answer)),
        };
        answer.map_err(|error| RestartError::InvalidOffer(error.to_string()))
    }
}

impl From<Refused> for ListenError {
    fn from(refused: Refused) -> Self {
        Self::InvalidOffer(refused.to_string())
    }
}

/// Whoever hears a room is a participant there, as the relay sees it.
impl From<PublishError> for ListenError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::InvalidOffer(why) => Self::InvalidOffer(why),
            PublishError::NoAudio => Self::NoAudio,
            PublishError::NotPermitted => Self::NotPermitted,
            PublishError::Full(full) => Self::Full(full),
            PublishError::TooManyPeers(most) | PublishError::TooManyStreams(most) => Self::TooManyPeers(most),
        }
    }
}
