//! How peers come to be, for whatever they are for: an offer is [accepted](Relay::accept), or one is made.

use std::time::Instant;

use crate::domain::{PeerId, StreamId, Track};

use super::Relay;
use super::error::{AnswerError, NegotiationError};
use super::packet::{MAX_SLOTS, Mid};
use super::peers::offer::Offer;
use super::peers::{CloseReason, Negotiated, Purpose, check_offer};
use super::router::ParticipantTracks;
use super::video::VideoMembership;

/// What a peer that offers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Feeds this stream.
    Publish(Track),
    /// Hears this stream.
    Listen(StreamId),
    /// Takes part in a room.
    Participate(ParticipantTracks),
    /// Shows and sees video in a room.
    Video(VideoMembership),
    /// Is sent files.
    Files,
}

/// Offer that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Connection, new or renewed.
    pub peer: PeerId,
    /// SDP for the client.
    pub answer: String,
    /// M-lines on which it sends: of its voice and its music, or of its camera and its screen.
    pub sends: Vec<String>,
    /// M-lines on which it hears, or sees.
    pub slots: Vec<String>,
    /// Bytes of the longest message that it takes on its data channel.
    pub longest_message: usize,
}

/// Offer to a receiver.
#[derive(Debug)]
pub struct Subscribed {
    /// The new connection.
    pub peer: PeerId,
    /// Stream that it will hear.
    pub stream: StreamId,
    /// SDP for the receiver.
    pub offer: String,
}

impl Relay {
    /// Answers an offer. `local`: the client is on this machine, so that the loopback address is of use to it.
    ///
    /// An offer with the certificate of the present sender of a stream, or of the present connection of a participant,
    /// renews that connection (ICE restart after a change of network); any other one takes its place.
    ///
    /// # Errors
    /// See [`NegotiationError`]; nothing has changed then.
    pub fn accept(&mut self, now: Instant, role: Role, offer: &str, local: bool) -> Result<Accepted, NegotiationError> {
        self.cx.now = now;
        check_offer(offer)?;
        if let Some(peer) = self.renewable(role, offer) {
            return self.renew(peer, offer);
        }
        self.check_role(role)?;
        let purpose = match role {
            Role::Publish(_) => Purpose::Speaks,
            Role::Listen(_) => Purpose::Hears,
            Role::Participate(_) => Purpose::TakesPart,
            Role::Video(_) => Purpose::Video,
            Role::Files => Purpose::TakesFiles,
        };
        let negotiated = self.peers.accept(&mut self.cx, purpose, offer, local)?;
        self.attach_peer(role, &negotiated);
        self.process_events();
        Ok(self.accepted(negotiated))
    }

    /// Answers the offer of a connection that there is, with other credentials than before.
    ///
    /// # Errors
    /// [`NegotiationError::NoSuchPeer`], [`NegotiationError::InvalidOffer`]; the connection goes on as it was then.
    pub fn restart(&mut self, now: Instant, peer: PeerId, offer: &Offer) -> Result<Accepted, NegotiationError> {
        self.cx.now = now;
        self.renew(peer, offer.as_ref())
    }

    /// Makes an offer to a receiver: of this stream, or of the newest. `local` as for [`accept`](Self::accept).
    ///
    /// # Errors
    /// See [`NegotiationError`]; nothing has changed then.
    pub fn subscribe(
        &mut self,
        now: Instant,
        stream: Option<StreamId>,
        local: bool,
    ) -> Result<Subscribed, NegotiationError> {
        self.cx.now = now;
        let stream = match stream {
            Some(id) => self.router.find(id).map(|stream| stream.id),
            None => self.streams().last().copied(),
        }
        .ok_or(NegotiationError::NoStream)?;
        self.peers.check_capacity()?;
        let (peer, offer) = self.peers.offer(&mut self.cx, stream, local);
        self.router.attach_listener(&mut self.cx, peer, stream, None);
        self.process_events();
        Ok(Subscribed { peer, stream, offer })
    }

    /// Takes a receiver's answer to the offer of [`subscribe`](Self::subscribe).
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn answer(&mut self, now: Instant, peer: PeerId, answer: &str) -> Result<(), AnswerError> {
        self.cx.now = now;
        let taken = self.peers.take_answer(&mut self.cx, peer, answer);
        if let Ok(egress) = &taken {
            self.router.set_egress(peer, *egress);
        }
        self.process_events();
        taken.map(|_| ())
    }

    /// Tells of an address at which a peer can be reached. Never needed: its checks tell as much.
    pub fn add_candidate(&mut self, now: Instant, peer: PeerId, candidate: &str) {
        self.cx.now = now;
        self.peers.add_candidate(&mut self.cx, peer, candidate);
        self.process_events();
    }

    /// The connection that this offer is to renew.
    fn renewable(&self, role: Role, offer: &str) -> Option<PeerId> {
        let peer = match role {
            Role::Publish(stream) => self.router.peer_of(stream.id).filter(|peer| !self.router.is_participant(*peer)),
            Role::Participate(membership) => self.router.participant(membership.voice),
            Role::Video(membership) => self.video.peer_of(membership.who),
            Role::Listen(_) | Role::Files => None,
        };
        peer.filter(|peer| self.peers.is_renewed_by(*peer, offer))
    }

    /// What a role needs besides a place among the peers.
    fn check_role(&self, role: Role) -> Result<(), NegotiationError> {
        match role {
            Role::Listen(stream) if self.router.find(stream).is_none() => Err(NegotiationError::NoStream),
            Role::Publish(stream) => {
                self.peers.check_capacity()?;
                self.router.check_capacity(stream.id)
            }
            Role::Listen(_) | Role::Participate(_) | Role::Video(_) | Role::Files => Ok(()),
        }
    }

    fn renew(&mut self, peer: PeerId, offer: &str) -> Result<Accepted, NegotiationError> {
        let negotiated = self.peers.renew(&mut self.cx, peer, offer)?;
        if self.router.is_participant(peer) {
            self.router.set_lines(peer, &negotiated.ingress, &negotiated.egress);
        }
        self.set_video_lines(&negotiated);
        self.process_events();
        Ok(self.accepted(negotiated))
    }

    /// Lets the router know what a new peer is for; whoever was there in its place goes.
    fn attach_peer(&mut self, role: Role, negotiated: &Negotiated) {
        let peer = negotiated.peer;
        match role {
            Role::Publish(stream) => {
                if let Some(former) = self.router.attach_publisher(peer, stream) {
                    self.peers.close(&mut self.cx, former, CloseReason::Replaced);
                }
            }
            Role::Listen(stream) => {
                let egress = negotiated.egress.first().copied();
                self.router.attach_listener(&mut self.cx, peer, stream, egress);
            }
            Role::Participate(membership) => {
                if let Some(former) = self.router.participant(membership.voice) {
                    self.peers.close(&mut self.cx, former, CloseReason::Replaced);
                    // Their tracks end before those of the same names can begin anew.
                    self.process_events();
                }
                self.router.attach_participant(&mut self.cx, peer, membership);
                self.router.set_lines(peer, &negotiated.ingress, &negotiated.egress);
            }
            Role::Video(membership) => {
                if let Some(former) = self.video.peer_of(membership.who) {
                    self.peers.close(&mut self.cx, former, CloseReason::Replaced);
                    self.process_events();
                }
                self.video.attach(&self.cx, peer, membership);
                self.set_video_lines(negotiated);
            }
            Role::Files => {}
        }
    }

    /// Lets the router of video know what was agreed.
    fn set_video_lines(&mut self, negotiated: &Negotiated) {
        self.video.set_lines(negotiated.peer, &negotiated.ingress, negotiated.slots.clone());
    }

    fn accepted(&self, negotiated: Negotiated) -> Accepted {
        let Negotiated { peer, answer, ingress, egress, slots, longest_message } = negotiated;
        let name = |mid: &Mid| self.peers.original(peer, *mid);
        let slots = egress.iter().map(|track| &track.mid).chain(slots.iter().map(|slot| &slot.mid));
        Accepted {
            sends: ingress.iter().filter_map(name).collect(),
            slots: slots.take(MAX_SLOTS).filter_map(name).collect(),
            peer,
            answer,
            longest_message,
        }
    }
}
