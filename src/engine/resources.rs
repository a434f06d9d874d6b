//! Resources at the door: connections that have an address of their own (WHIP, WHEP), by which alone they are renewed and ended.
//! They are kept here, on their media thread, so that a connection and its address end at once.

use std::collections::HashMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{Action, Permit};
use crate::core::{Accepted, Credentials, NegotiationError, Offer, ParticipantTracks, Role, fragment_of, ufrag_of};
use crate::domain::{PeerId, RoomId, StreamId, Track};

use super::command::ReplyTo;
use super::{ConnectError, Engine, EngineGone, Media};

/// Name of a connection for whoever made it, and for nobody else: 122 bits of chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResourceId(pub Uuid);

/// What a connection with an address is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceRole {
    /// It feeds a stream, which people call so.
    Send(Track, String),
    /// It hears a stream.
    Hear(StreamId),
    /// It hears everybody in a room.
    HearRoom(RoomId),
}

/// Paths for which a fragment is (RFC 9110 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Whatever they are.
    Any,
    /// Those that are known by one of these tags.
    Tags(Vec<String>),
}

impl Condition {
    fn holds_for(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|known| known == tag),
        }
    }
}

/// Something to do with a connection that has an address of its own.
#[derive(Debug, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ResourceCommand {
    Open {
        #[serde(skip)]
        permit: Option<Permit>,
        id: ResourceId,
        role: ResourceRole,
        offer: String,
        #[serde(skip)]
        reply: ReplyTo<Result<OpenedResource, ConnectError>>,
    },
    Patch {
        id: ResourceId,
        sends: bool,
        condition: Option<Condition>,
        credentials: Option<Credentials>,
        #[serde(skip)]
        reply: ReplyTo<Result<Patched, PatchError>>,
    },
    End {
        id: ResourceId,
        sends: bool,
        #[serde(skip)]
        reply: ReplyTo<bool>,
    },
}

/// A connection was made.
#[derive(Debug)]
pub struct OpenedResource {
    /// What it is known by.
    pub id: ResourceId,
    /// What its paths are known by: another one after each restart of ICE.
    pub tag: String,
    /// SDP for the client.
    pub answer: String,
}

/// What a fragment did.
#[derive(Debug, PartialEq, Eq)]
pub enum Patched {
    /// Nothing: the client's checks tell what candidates would.
    Noted,
    /// It renewed the paths.
    Restarted {
        /// As in [`OpenedResource`].
        tag: String,
        /// What the client needs to know of our side of them.
        fragment: String,
    },
}

/// A fragment was not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// There is no such connection, or no more.
    #[error("There is no such session, or it is over")]
    Unknown,
    /// It would renew the paths, and does not say which.
    #[error("If-Match says which paths are to be renewed: the ETag that was given last, or *")]
    Unconditional,
    /// It is of other paths than the present ones.
    #[error("The session was restarted since; this is for how it was before")]
    Outdated,
    /// The paths cannot be renewed.
    #[error(transparent)]
    Restart(#[from] NegotiationError),
}

/// How many connections with an address there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResourceCounts {
    /// Those that send.
    pub senders: usize,
    /// Those that hear.
    pub receivers: usize,
}

/// Connections that have an address; each is a peer, and `limits.peers` bounds them.
#[derive(Debug, Default)]
pub(super) struct Resources {
    by_id: HashMap<ResourceId, Resource>,
    by_peer: HashMap<PeerId, ResourceId>,
}

#[derive(Debug)]
struct Resource {
    peer: PeerId,
    sends: bool,
    tag: String,
    offer: Offer,
}

impl Resources {
    fn insert(&mut self, id: ResourceId, resource: Resource) {
        self.by_peer.insert(resource.peer, id);
        self.by_id.insert(id, resource);
    }

    /// Only by the surface that made it: what permits to hear permits nothing with senders.
    fn find(&mut self, id: ResourceId, sends: bool) -> Option<&mut Resource> {
        self.by_id.get_mut(&id).filter(|resource| resource.sends == sends)
    }

    /// The connection is gone, and with it its address. False: it had none.
    pub(super) fn forget(&mut self, peer: PeerId) -> bool {
        let id = self.by_peer.remove(&peer);
        id.inspect(|id| drop(self.by_id.remove(id))).is_some()
    }

    pub(super) fn counts(&self) -> ResourceCounts {
        let senders = self.by_id.values().filter(|resource| resource.sends).count();
        ResourceCounts { senders, receivers: self.by_id.len() - senders }
    }
}

impl Engine {
    /// Answers an offer, and gives its connection an address.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn open(
        &self,
        permit: Permit,
        role: ResourceRole,
        offer: String,
    ) -> Result<OpenedResource, ConnectError> {
        let hears_a_stream = matches!(role, ResourceRole::Hear(_));
        let id = ResourceId(Uuid::new_v4());
        let open = |reply| ResourceCommand::Open {
            permit: Some(permit.clone()),
            id,
            role: role.clone(),
            offer: offer.clone(),
            reply,
        };
        if hears_a_stream { Ok(self.ask_in_turn(open).await?.1) } else { self.threads.first().ask(open).await? }
    }

    /// Takes a fragment (RFC 8840) for a connection, if the condition holds for its paths: `credentials` that are not those
    /// that it has restart ICE, for which it has to say for which paths.
    ///
    /// # Errors
    /// The outer one when the engine is shutting down.
    pub async fn patch(
        &self,
        id: ResourceId,
        sends: bool,
        condition: Option<Condition>,
        credentials: Option<Credentials>,
    ) -> Result<Result<Patched, PatchError>, EngineGone> {
        for thread in self.threads.all() {
            let (condition, credentials) = (condition.clone(), credentials.clone());
            let patch = |reply| ResourceCommand::Patch { id, sends, condition, credentials, reply };
            match thread.ask(patch).await? {
                Err(PatchError::Unknown) => {}
                patched => return Ok(patched),
            }
        }
        Ok(Err(PatchError::Unknown))
    }

    /// Ends a connection. False: there is none of that address.
    ///
    /// # Errors
    /// When the engine is shutting down.
    pub async fn end(&self, id: ResourceId, sends: bool) -> Result<bool, EngineGone> {
        for thread in self.threads.all() {
            if thread.ask(|reply| ResourceCommand::End { id, sends, reply }).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Media {
    pub(super) fn run_resource_command(&mut self, command: ResourceCommand, now: Instant) {
        match command {
            ResourceCommand::Open { permit, id, role, offer, reply } => {
                reply.send(self.open(now, permit, id, role, &offer));
            }
            ResourceCommand::Patch { id, sends, condition, credentials, reply } => {
                reply.send(self.patch(now, id, sends, condition.as_ref(), credentials));
            }
            ResourceCommand::End { id, sends, reply } => reply.send(self.end(now, id, sends)),
        }
    }

    fn open(
        &mut self,
        now: Instant,
        permit: Option<Permit>,
        id: ResourceId,
        role: ResourceRole,
        offer: &str,
    ) -> Result<OpenedResource, ConnectError> {
        self.note_streams(now);
        let permit = permit.filter(|permit| self.may(permit, &role)).ok_or(ConnectError::NotPermitted)?;
        let feeds = if let ResourceRole::Send(feeds, _) = &role { Some(feeds.id) } else { None };
        let sends = feeds.is_some();
        let offer = if sends { Offer::to_send(offer) } else { Offer::to_hear(offer) };
        let place = self.place_of_peer(&permit, false)?;
        if sends {
            // Looked at now, so that it is told; taken with its first packet.
            self.places.streams.take(&permit.owner())?;
        }
        let Accepted { peer, answer, .. } = self.answer(now, role, &offer, permit.visitor().is_local())?;
        match feeds {
            Some(stream) => self.keep_sender(peer, stream, permit, place),
            None => self.keep(peer, permit, place),
        }
        let tag = ufrag_of(&answer).unwrap_or_default().to_owned();
        self.resources.insert(id, Resource { peer, sends, tag: tag.clone(), offer });
        Ok(OpenedResource { id, tag, answer })
    }

    fn may(&self, permit: &Permit, role: &ResourceRole) -> bool {
        match role {
            ResourceRole::Send(feeds, _) => permit.permits_in(Action::Talk, feeds.room),
            // One that is not there is said to be so.
            ResourceRole::Hear(stream) => self.relay.room_of(*stream).is_none() || self.may_hear(permit, Some(*stream)),
            ResourceRole::HearRoom(room) => permit.permits_in(Action::Hear, *room),
        }
    }

    fn answer(
        &mut self,
        now: Instant,
        role: ResourceRole,
        offer: &Offer,
        local: bool,
    ) -> Result<Accepted, NegotiationError> {
        match role {
            ResourceRole::Send(feeds, name) => {
                let accepted = self.relay.accept(now, Role::Publish(feeds), offer.as_ref(), local)?;
                self.name(feeds.id, &name);
                self.relay.set_unattended(accepted.peer);
                Ok(accepted)
            }
            ResourceRole::Hear(stream) => self.relay.accept(now, Role::Listen(stream), offer.as_ref(), local),
            ResourceRole::HearRoom(room) => {
                let [voice, music] = [(); 2].map(|()| StreamId::of_connection(Uuid::new_v4()));
                let membership = ParticipantTracks { room, voice, music, only_listens: true };
                let accepted = self.relay.accept(now, Role::Participate(membership), offer.as_ref(), local);
                // For one who takes part it would do to talk.
                let hears_nothing = accepted.as_ref().is_ok_and(|accepted| accepted.slots.is_empty());
                if hears_nothing || accepted == Err(NegotiationError::NoAudioToSend) {
                    self.relay.leave(now, voice);
                    return Err(NegotiationError::NoAudioToHear);
                }
                accepted
            }
        }
    }

    fn patch(
        &mut self,
        now: Instant,
        id: ResourceId,
        sends: bool,
        condition: Option<&Condition>,
        credentials: Option<Credentials>,
    ) -> Result<Patched, PatchError> {
        let resource = self.resources.find(id, sends).ok_or(PatchError::Unknown)?;
        if condition.is_some_and(|condition| !condition.holds_for(&resource.tag)) {
            return Err(PatchError::Outdated);
        }
        let news = credentials.filter(|credentials| resource.offer.ufrag() != Some(&credentials.ufrag));
        let Some(credentials) = news else { return Ok(Patched::Noted) };
        if condition.is_none() {
            return Err(PatchError::Unconditional);
        }
        let offer = resource.offer.renewed(&credentials);
        let Accepted { answer, .. } = self.relay.restart(now, resource.peer, &offer)?;
        resource.offer = offer;
        resource.tag = ufrag_of(&answer).unwrap_or_default().to_owned();
        Ok(Patched::Restarted { tag: resource.tag.clone(), fragment: fragment_of(&answer) })
    }

    fn end(&mut self, now: Instant, id: ResourceId, sends: bool) -> bool {
        let Some(peer) = self.resources.find(id, sends).map(|resource| resource.peer) else { return false };
        // At once, so that no second request finds it; all else goes by the event, when this command is done.
        self.resources.by_id.remove(&id);
        self.relay.close(now, peer);
        true
    }
}
