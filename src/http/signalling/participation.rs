//! What a client does in a room: one that it has joined, by one connection for all.

use serde_json::Value;

use crate::access::{Action, Permit, RoomCredentials, Target};
use crate::bridge::{Bridge, HearingReport};
use crate::core::{Accepted, ParticipantTracks, Wanted};
use crate::engine::PeerAddress;
use crate::rooms::{EventSender, JoinError, Membership, ParticipantKey, RoomsHandle};

use super::Guest;
use super::messages::{ClientMessage, Everybody, ServerMessage, WhoToHear};
use super::session::refused;
use super::video::VideoParticipation;

/// A client's being in a room.
pub(super) struct Participation {
    pub(super) bridge: Bridge,
    pub(super) membership: Membership,
    /// To be there.
    pub(super) permit: Permit,
    /// How people call it.
    name: String,
    /// Its media connection, once it has offered one.
    peer: Option<PeerAddress>,
    pub(super) video: VideoParticipation,
}

/// Who wants to join which room, in the client's words.
pub(super) struct Request {
    pub(super) room: String,
    pub(super) name: Value,
    pub(super) pin: Option<String>,
    pub(super) key: Option<String>,
}

impl Participation {
    /// Joins. What the room says goes into the queue, and so does that it worked.
    pub(super) async fn begin(
        bridge: &Bridge,
        guest: &Guest,
        request: Request,
        events: EventSender,
    ) -> Result<Self, ServerMessage> {
        let name = guest.name(&request.name);
        let Request { room, pin, key, .. } = &request;
        let id = rooms(bridge).find(room).ok_or_else(|| refusal(JoinError::NoRoom))?;
        let shown = RoomCredentials { pin: pin.as_deref(), key: key.as_deref().and_then(ParticipantKey::of_text) };
        let permit = guest.authorize(Action::Join, Target::Room(id, shown)).await?;
        guest.may_join()?;
        let asker = guest.visitor().asker();
        let joined = rooms(bridge).join(asker, room, &name, pin.as_deref(), key.as_deref(), events).await;
        let membership = joined.map_err(refusal)?;
        let video = VideoParticipation::default();
        Ok(Self { bridge: bridge.clone(), membership, permit, name, peer: None, video })
    }

    /// Deals with a message that is about the room; gives the reply, if there is to be one.
    pub(super) async fn handle(&mut self, message: ClientMessage, guest: &Guest) -> Option<ServerMessage> {
        let result = match message {
            ClientMessage::Offer { sdp } => return Some(self.take_offer(sdp, guest).await),
            ClientMessage::VideoOffer { sdp } => return Some(self.take_video_offer(sdp, guest).await),
            ClientMessage::Show { kind, on } => self.show(kind.into(), on, guest).await,
            ClientMessage::View { tiles } => self.view(tiles).await,
            ClientMessage::Talk { on } => self.talk(on, false, guest).await,
            ClientMessage::Music { on, title } => self.play(on, &title, guest).await,
            ClientMessage::Chat { text } => {
                self.membership.chat(&text).map_err(|error| complaint(error.code(), &error))
            }
            ClientMessage::Host(action) => {
                self.membership.host(action).map_err(|error| complaint(error.code(), &error))
            }
            ClientMessage::Rename { name } => {
                self.rename(&name, guest).await;
                Ok(())
            }
            ClientMessage::Listen { who } => {
                self.listen(who).await;
                Ok(())
            }
            ClientMessage::Report { delay_ms, concealed } => {
                let report = HearingReport::new(delay_ms, concealed);
                self.bridge.note_report(self.membership.joined().id, report);
                Ok(())
            }
            _ => Ok(()),
        };
        result.err()
    }

    /// The media connection, if there is one.
    pub(super) fn peer(&self) -> Option<PeerAddress> {
        self.peer
    }

    /// The client answered a ping.
    pub(super) async fn note_pong(&self) {
        if let Some(peer) = self.peer {
            self.bridge.relay().keep_alive(peer).await;
        }
    }

    /// Leaves the room by the client's wish.
    pub(super) async fn leave(self) {
        self.hang_up().await;
        self.membership.leave();
    }

    /// Its connection is lost: it may come back.
    pub(super) async fn lose(self) {
        self.hang_up().await;
    }

    async fn hang_up(&self) {
        if let Some(peer) = self.peer {
            self.bridge.relay().close(peer).await;
        }
        self.hang_up_video().await;
    }

    async fn take_offer(&mut self, sdp: String, guest: &Guest) -> ServerMessage {
        if let Err(refusal) = guest.may_join() {
            return refusal;
        }
        let joined = self.membership.joined();
        if rooms(&self.bridge).who_is(joined.voice).is_none() {
            return not_joined();
        }
        let only_listens = !guest.may(Action::TalkInside);
        let place = ParticipantTracks { room: joined.room, voice: joined.voice, music: joined.music, only_listens };
        let relay = self.bridge.relay();
        let (peer, agreed) = match relay.join(self.permit.clone(), place, self.name.clone(), sdp).await {
            Ok(agreed) => agreed,
            Err(error) => return refused(&error),
        };
        self.membership.note_connected();
        self.peer = Some(peer);
        let Accepted { answer, sends, slots, .. } = agreed;
        let mut sends = sends.into_iter();
        ServerMessage::Answer { sdp: answer, voice: sends.next(), music: sends.next(), slots }
    }

    async fn talk(&self, on: bool, music: bool, guest: &Guest) -> Result<(), ServerMessage> {
        if on {
            guest.authorize(Action::TalkInside, Target::House).await?;
            let may = if music { self.membership.may_play() } else { self.membership.begin_talking() };
            return may.map_err(|error| complaint(error.code(), &error));
        }
        if !music {
            self.membership.end_talking();
        }
        let joined = self.membership.joined();
        self.bridge.relay().end_said(if music { joined.music } else { joined.voice }).await;
        Ok(())
    }

    async fn play(&self, on: bool, title: &Value, guest: &Guest) -> Result<(), ServerMessage> {
        self.talk(on, true, guest).await?;
        if let Some(title) = title.as_str().filter(|title| on && !title.is_empty()) {
            let music = self.membership.joined().music;
            self.bridge.relay().set_name(music, format!("{}: {title}", self.name)).await;
        }
        Ok(())
    }

    async fn rename(&mut self, name: &str, guest: &Guest) {
        // Of whoever was put out there is no stream that could have a name.
        let Some(name) = self.membership.rename(&guest.name(&Value::from(name))) else { return };
        self.bridge.relay().set_name(self.membership.joined().voice, name.clone()).await;
        self.name = name;
    }

    async fn listen(&self, who: WhoToHear) {
        let wanted = match who {
            WhoToHear::All(Everybody::All) => Wanted::All,
            WhoToHear::These(participants) => Wanted::Only(rooms(&self.bridge).streams_of(&participants)),
        };
        self.membership.note_listening(wanted != Wanted::Only(Vec::new()));
        self.bridge.relay().set_wanted(self.membership.joined().voice, wanted).await;
    }
}

/// Somebody is in no room, or no more.
pub(super) fn not_joined() -> ServerMessage {
    ServerMessage::complaint("not_joined", "Join a room first")
}

fn rooms(bridge: &Bridge) -> &RoomsHandle {
    bridge.rooms()
}

fn refusal(error: JoinError) -> ServerMessage {
    complaint(error.code(), &error)
}

pub(super) fn complaint(code: &'static str, error: &impl std::error::Error) -> ServerMessage {
    ServerMessage::complaint(code, error.to_string())
}
