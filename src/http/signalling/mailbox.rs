//! What a client does with voice messages: as a station it is told of those that are for it, and leaves some for others.

use tokio::sync::watch;
use uuid::Uuid;

use crate::access::{Action, Permit, Target};
use crate::calls::{EVERYBODY, MAX_ROOMS, StationId};
use crate::domain::{RoomId, StreamId, Track};
use crate::engine::PeerAddress;
use crate::mailbox::{Ending, MailboxError, MailboxHandle, MessageSender, Recording, VoiceMessage};

use super::Guest;
use super::messages::{ServerMessage, SessionDescription};
use super::session::{ClientSession, refused};

/// Messages of which a station is told.
pub(super) struct MessageWatch {
    mailbox: MailboxHandle,
    station: StationId,
    /// Rooms that it listens to.
    rooms: Vec<String>,
    changes: watch::Receiver<()>,
}

/// A message that the client says just now.
pub(super) struct MessageRecording {
    pub(super) recording: Recording,
    pub(super) peer: PeerAddress,
    /// To leave it. When that ends, so does the connection, and what was said until then is kept.
    _permit: Permit,
}

impl MessageWatch {
    pub(super) fn new(mailbox: &MailboxHandle, station: &StationId, mut rooms: Vec<String>) -> Self {
        rooms.truncate(MAX_ROOMS);
        let mut changes = mailbox.changes();
        // What there is by now is news as well.
        changes.mark_changed();
        Self { mailbox: mailbox.clone(), station: station.clone(), rooms, changes }
    }

    /// Waits until there is something else to tell than before.
    pub(super) async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // The mailbox is gone: the daemon is going down.
            std::future::pending::<()>().await;
        }
    }

    /// All messages that are for it.
    pub(super) async fn tell(&self, guest: &Guest) -> ServerMessage {
        let mut places = vec![self.station.0.as_str()];
        for place in self.rooms.iter().map(String::as_str).chain([EVERYBODY]) {
            if guest.gate.access().may_read_voice_messages(guest.visitor(), place).await {
                places.push(place);
            }
        }
        let voice_messages = self.mailbox.list(|place| places.contains(&place));
        ServerMessage::VoiceMessages { voice_messages }
    }
}

impl ClientSession {
    /// Begins to say a message for a place, on a connection that is offered for it.
    pub(super) async fn record_message(&mut self, to: &str, offer: SessionDescription) -> ServerMessage {
        match self.begin_message(to, offer).await {
            Ok(begun) => begun,
            Err(refusal) => refusal,
        }
    }

    async fn begin_message(&mut self, to: &str, offer: SessionDescription) -> Result<ServerMessage, ServerMessage> {
        let permit = self.guest.authorize(Action::LeaveVoiceMessage, Target::House).await?;
        let (Some(line), None) = (&self.station, &self.message) else {
            return Err(ServerMessage::complaint("out_of_order", "Be a station, and end the message before"));
        };
        if !self.guest.gate.access().may_leave_voice_message(self.guest.visitor(), to).await {
            return Err(complaint(&MailboxError::NoPlace(to.to_owned())));
        }
        self.guest.may_join()?;
        let from = MessageSender { station: line.station().clone(), name: line.name() };
        let mailbox = self.guest.house.mailbox(&permit);
        let track = Track::voice(StreamId::of_connection(Uuid::new_v4()), RoomId::MAILBOX);
        let mut recording = mailbox.record(permit.owner(), from, to, track.id).map_err(|error| complaint(&error))?;
        let longest = mailbox.longest();
        match self.relay.publish(permit.clone(), track, String::new(), offer.sdp).await {
            Ok((peer, accepted)) => {
                self.message = Some(MessageRecording { recording, peer, _permit: permit });
                let answer = SessionDescription::answer(accepted.answer);
                Ok(ServerMessage::VoiceMessageRecording { answer, seconds: longest.as_secs() })
            }
            Err(error) => {
                recording.end(Ending::Discard);
                Err(refused(&error))
            }
        }
    }

    /// Ends the message that is being said.
    pub(super) fn end_message(&mut self, ending: Ending) -> Result<(), ServerMessage> {
        let out_of_order = || ServerMessage::complaint("out_of_order", "No message is being recorded");
        self.message.as_mut().ok_or_else(out_of_order)?.recording.end(ending);
        Ok(())
    }

    /// It is over; gives what the client is told.
    pub(super) async fn note_message(&mut self, over: Result<Option<VoiceMessage>, MailboxError>) -> ServerMessage {
        if let Some(MessageRecording { peer, .. }) = self.message.take() {
            self.relay.close(peer).await;
        }
        match over {
            Ok(kept) => ServerMessage::VoiceMessageOver { voice_message: kept.map(Box::new) },
            Err(error) => complaint(&error),
        }
    }
}

fn complaint(error: &MailboxError) -> ServerMessage {
    ServerMessage::complaint(error.code(), error.to_string())
}
