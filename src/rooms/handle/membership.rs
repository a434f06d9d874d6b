//! Somebody's being in a room, or watching the list of them, as the session holds it that serves them.

use std::time::SystemTime;

use crate::domain::{RoomId, StreamId, TrackKind};

use super::super::admission::Asker;
use super::super::chat::ChatError;
use super::super::event::LeaveReason;
use super::super::media::TalkError;
use super::super::membership::Joined;
use super::super::moderation::{HostAction, HostError};
use super::super::participant::ParticipantId;
use super::RoomsHandle;

/// Somebody's being in a room: over when it is dropped, as if their connection were lost.
#[derive(Debug)]
pub struct Membership {
    pub(super) rooms: RoomsHandle,
    pub(super) asker: Asker,
    pub(super) joined: Joined,
}

impl Membership {
    /// Where, who, and by which connection.
    pub fn joined(&self) -> Joined {
        self.joined
    }

    /// They begin to talk.
    ///
    /// # Errors
    /// When they may not, and why; also when they were put out.
    pub fn begin_talking(&self) -> Result<(), TalkError> {
        self.rooms.with(|outbox, now| outbox.rooms.begin_talking(now, self.joined.session))
    }

    /// They have finished.
    pub fn end_talking(&self) {
        self.rooms.with(|outbox, _| outbox.rooms.end_talking(self.joined.session));
    }

    /// Whether they may play music.
    ///
    /// # Errors
    /// When they may not, and why; also when they were put out.
    pub fn may_play(&self) -> Result<(), TalkError> {
        self.rooms.lock().rooms.may_talk(self.joined.session)
    }

    /// Whether they may show their camera or their screen.
    ///
    /// # Errors
    /// When they may not, and why; also when they were put out.
    pub fn may_show(&self) -> Result<(), TalkError> {
        self.rooms.lock().rooms.may_show(self.joined.session)
    }

    /// The connection for video is there.
    pub fn note_video_connected(&self) {
        self.rooms.with(|outbox, _| outbox.rooms.note_video_connected(self.joined.session));
    }

    /// The track of what somebody in the same room shows, or would.
    pub fn video_of(&self, who: ParticipantId, kind: TrackKind) -> Option<StreamId> {
        self.rooms.lock().rooms.video_of(self.joined.session, who, kind)
    }

    /// The media connection is there.
    pub fn note_connected(&self) {
        self.rooms.with(|outbox, now| outbox.rooms.note_connected(now, self.joined.session));
    }

    /// People call them otherwise from now on; gives how, if that is different and they are there.
    pub fn rename(&self, name: &str) -> Option<String> {
        self.rooms.with(|outbox, now| outbox.rooms.rename(now, self.joined.session, name))
    }

    /// They want to hear others there, or nobody.
    pub fn note_listening(&self, on: bool) {
        self.rooms.with(|outbox, now| outbox.rooms.note_listening(now, self.joined.session, on));
    }

    /// Writes to all in the room.
    ///
    /// # Errors
    /// When nobody gets it, and why.
    pub fn chat(&self, text: &str) -> Result<(), ChatError> {
        self.rooms.with(|outbox, now| outbox.rooms.chat(now, SystemTime::now(), self.joined.session, text))
    }

    /// Does what a host may.
    ///
    /// # Errors
    /// When it is not theirs to do, or cannot be done.
    pub fn host(&self, action: HostAction) -> Result<(), HostError> {
        self.rooms.with(|outbox, now| outbox.rooms.host(now, &self.asker, self.joined.session, action))
    }

    /// Leaves, and is told so.
    pub fn leave(self) {
        self.rooms.with(|outbox, now| outbox.rooms.leave(now, self.joined.session, LeaveReason::Left));
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.rooms.with(|outbox, now| {
            outbox.rooms.leave(now, self.joined.session, LeaveReason::Gone);
            outbox.senders.remove(&self.joined.session);
        });
    }
}

/// Somebody's watching the list of rooms: over when it is dropped.
#[derive(Debug)]
pub struct Watching {
    pub(super) rooms: RoomsHandle,
    pub(super) watcher: u64,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.rooms.lock().watchers.remove(&self.watcher);
    }
}

/// Somebody's hearing a room without having joined it: over when it is dropped.
#[derive(Debug)]
pub struct Listening {
    pub(super) rooms: RoomsHandle,
    pub(super) room: RoomId,
    pub(super) who: ParticipantId,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.rooms.with(|outbox, now| outbox.rooms.listener_left(now, self.room, self.who));
    }
}
