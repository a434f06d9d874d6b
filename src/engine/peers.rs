//! Peers at the door: browsers and others that offer, or are offered, a connection.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::access::{Action, Permit};
use crate::core::{Accepted, AnswerError, NegotiationError, Role, Subscribed};
use crate::domain::{PeerId, RoomId, StreamId, Track};

use super::command::ReplyTo;
use super::{ConnectError, Engine, EngineGone, Media, PeerAddress};

/// How long a stream that is connecting is waited for.
const ARRIVAL: Duration = Duration::from_secs(2);

/// Something to do with a peer connection.
#[derive(Debug, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PeerCommand {
    Publish {
        #[serde(skip)]
        permit: Option<Permit>,
        stream: Track,
        name: String,
        offer: String,
        #[serde(skip)]
        reply: ReplyTo<Result<Accepted, ConnectError>>,
    },
    Subscribe {
        #[serde(skip)]
        permit: Option<Permit>,
        stream: Option<StreamId>,
        #[serde(skip)]
        reply: ReplyTo<Result<Subscribed, ConnectError>>,
    },
    Answer {
        peer: PeerId,
        answer: String,
        #[serde(skip)]
        reply: ReplyTo<Result<(), AnswerError>>,
    },
    AddCandidate {
        peer: PeerId,
        candidate: String,
    },
    KeepAlive {
        peer: PeerId,
    },
    Close {
        peer: PeerId,
    },
    HasPublisher {
        stream: StreamId,
        #[serde(skip)]
        reply: ReplyTo<bool>,
    },
}

impl Engine {
    /// Answers a sender's offer; see [`Relay::accept`](crate::core::Relay::accept). `name` is for people, and may be empty.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn publish(
        &self,
        permit: Permit,
        stream: Track,
        name: String,
        offer: String,
    ) -> Result<(PeerAddress, Accepted), ConnectError> {
        let publish = |reply| PeerCommand::Publish { permit: Some(permit), stream, name, offer, reply };
        let accepted = self.threads.first().ask(publish).await??;
        Ok((self.at_first(accepted.peer), accepted))
    }

    /// Makes an offer to a receiver; see [`Relay::subscribe`](crate::core::Relay::subscribe).
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn subscribe(
        &self,
        permit: Permit,
        stream: Option<StreamId>,
    ) -> Result<(PeerAddress, Subscribed), ConnectError> {
        let subscribe = |reply| PeerCommand::Subscribe { permit: Some(permit.clone()), stream, reply };
        let (thread, subscribed) = self.ask_in_turn(subscribe).await?;
        Ok((PeerAddress { thread, peer: subscribed.peer }, subscribed))
    }

    /// Takes a receiver's answer; see [`Relay::answer`](crate::core::Relay::answer).
    ///
    /// # Errors
    /// The outer one when the engine is shutting down.
    pub async fn answer(&self, peer: PeerAddress, answer: String) -> Result<Result<(), AnswerError>, EngineGone> {
        self.threads.of(peer).ask(|reply| PeerCommand::Answer { peer: peer.peer, answer, reply }).await
    }

    /// Tells of a remote address; see [`Relay::add_candidate`](crate::core::Relay::add_candidate).
    pub async fn add_candidate(&self, peer: PeerAddress, candidate: String) {
        self.threads.of(peer).tell(PeerCommand::AddCandidate { peer: peer.peer, candidate }).await;
    }

    /// The peer's client answered a ping; see [`Relay::keep_alive`](crate::core::Relay::keep_alive).
    pub async fn keep_alive(&self, peer: PeerAddress) {
        self.threads.of(peer).tell(PeerCommand::KeepAlive { peer: peer.peer }).await;
    }

    /// Closes a peer connection.
    pub async fn close(&self, peer: PeerAddress) {
        self.threads.of(peer).tell(PeerCommand::Close { peer: peer.peer }).await;
    }

    /// The live stream of this identity. Whoever was told of it by its sender may ask before its first packet is here:
    /// one that is connecting is waited for, for up to two seconds.
    pub async fn arrival(&self, stream: StreamId) -> Option<Track> {
        let mut streams = self.streams.clone();
        let find = |live: &std::sync::Arc<[Track]>| live.iter().find(|live| live.id == stream).copied();
        if let Some(live) = find(&streams.borrow_and_update()) {
            return Some(live);
        }
        let has_publisher = self.threads.first().ask(|reply| PeerCommand::HasPublisher { stream, reply });
        if !has_publisher.await.unwrap_or(false) {
            return None;
        }
        let arriving = streams.wait_for(|live| find(live).is_some());
        let arrived = tokio::time::timeout(ARRIVAL, arriving).await;
        arrived.ok()?.ok().and_then(|live| find(&live))
    }
}

impl Media {
    pub(super) fn run_peer_command(&mut self, command: PeerCommand, now: Instant) {
        match command {
            PeerCommand::Publish { permit, stream, name, offer, reply } => {
                reply.send(self.publish_peer(now, permit, stream, &name, &offer));
            }
            PeerCommand::Subscribe { permit, stream, reply } => reply.send(self.subscribe_peer(now, permit, stream)),
            PeerCommand::Answer { peer, answer, reply } => reply.send(self.relay.answer(now, peer, &answer)),
            PeerCommand::AddCandidate { peer, candidate } => self.relay.add_candidate(now, peer, &candidate),
            PeerCommand::KeepAlive { peer } => self.relay.keep_alive(now, peer),
            PeerCommand::Close { peer } => self.relay.close(now, peer),
            PeerCommand::HasPublisher { stream, reply } => reply.send(self.relay.has_publisher(stream)),
        }
    }

    fn publish_peer(
        &mut self,
        now: Instant,
        permit: Option<Permit>,
        stream: Track,
        name: &str,
        offer: &str,
    ) -> Result<Accepted, ConnectError> {
        let permit = permit.filter(|permit| match stream.room {
            RoomId::MAILBOX => permit.permits(Action::LeaveVoiceMessage),
            room => permit.permits_in(Action::Talk, room),
        });
        let permit = permit.ok_or(ConnectError::NotPermitted)?;
        let is_renewed = self.relay.has_publisher(stream.id);
        let place = self.place_of_peer(&permit, is_renewed)?;
        if !is_renewed {
            // Looked at now, so that it is told; taken with its first packet.
            self.places.streams.take(&permit.owner())?;
        }
        let accepted = self.relay.accept(now, Role::Publish(stream), offer, permit.visitor().is_local())?;
        self.name(stream.id, name);
        self.keep_sender(accepted.peer, stream.id, permit, place);
        Ok(accepted)
    }

    fn subscribe_peer(
        &mut self,
        now: Instant,
        permit: Option<Permit>,
        stream: Option<StreamId>,
    ) -> Result<Subscribed, ConnectError> {
        self.note_streams(now);
        let permit = permit.filter(|permit| self.may_hear(permit, stream)).ok_or(NegotiationError::NoStream)?;
        let place = self.place_of_peer(&permit, false)?;
        let subscribed = self.relay.subscribe(now, stream, permit.visitor().is_local())?;
        self.keep(subscribed.peer, permit, place);
        Ok(subscribed)
    }
}
