//! What automations hear of: who comes, goes and talks in rooms, and what is announced.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::calls::{CallEvent, CallInfo, CallState};
use crate::dispatch::AnnouncementEvent;
use crate::domain::RoomId;
use crate::mailbox::MailboxEvent;
use crate::rooms::{ParticipantId, ParticipantInfo, Published, RoomEvent, RoomsHandle};

/// Who is where, as automations are told of it.
#[derive(Default)]
pub(super) struct Presence {
    /// People in rooms.
    people: HashMap<(RoomId, ParticipantId), KnownPerson>,
}

/// How somebody is called, and which user of Home Assistant they are, where that is known.
#[derive(Debug, Clone, Default)]
struct KnownPerson {
    name: String,
    user: Option<Arc<str>>,
}

impl Presence {
    /// Those who are in the rooms now.
    pub(super) fn of(rooms: &RoomsHandle) -> Self {
        let mut presence = Self::default();
        for room in rooms.list().iter().filter_map(|room| rooms.find(&room.id)) {
            for participant in rooms.participants(room).unwrap_or_default() {
                presence.note(room, &participant);
            }
        }
        presence
    }

    /// What automations are told of something that happened in a room; most of it is not for them.
    pub(super) fn news_of(&mut self, published: &Published, rooms: &RoomsHandle) -> Option<Value> {
        // Of a station it is told when it is called, not that it is in its own room.
        let room = published.room().filter(|room| !rooms.is_station(*room))?;
        let (kind, who, person) = match published.event() {
            RoomEvent::ParticipantJoined { participant } => {
                self.note(room, participant);
                ("joined", participant.id, KnownPerson::of(participant))
            }
            RoomEvent::ParticipantChanged { participant } => {
                self.note(room, participant);
                return None;
            }
            RoomEvent::ParticipantLeft { who, .. } => ("left", *who, self.people.remove(&(room, *who))?),
            RoomEvent::Talking { who, on, music: false } => {
                let person = self.people.get(&(room, *who)).cloned().unwrap_or_default();
                (if *on { "talk_started" } else { "talk_ended" }, *who, person)
            }
            RoomEvent::RoomClosed { .. } => {
                self.people.retain(|(of, _), _| *of != room);
                return None;
            }
            _ => return None,
        };
        let KnownPerson { name, user } = person;
        let room = rooms.slug(room)?;
        Some(json!({ "type": kind, "room": room, "participant": who, "name": name, "user_id": user }))
    }

    fn note(&mut self, room: RoomId, participant: &ParticipantInfo) {
        self.people.insert((room, participant.id), KnownPerson::of(participant));
    }
}

impl KnownPerson {
    fn of(ParticipantInfo { name, user, .. }: &ParticipantInfo) -> Self {
        Self { name: name.clone(), user: user.clone() }
    }
}

/// The same of calls.
pub(super) fn of_calls(event: &CallEvent) -> Option<Value> {
    match event {
        CallEvent::Call(call) => Some(of_call(call)),
        CallEvent::DoNotDisturb(place, set) => Some(json!({
            "type": "do_not_disturb", "place": place, "on": set.is_some(),
            "passes": set.map(|set| set.passes), "until": set.and_then(|set| set.until)
        })),
        CallEvent::Forgotten(_) => None,
    }
}

fn of_call(call: &CallInfo) -> Value {
    let kind = match call.state {
        CallState::Ringing => "call_ringing",
        CallState::Answered { .. } => "call_answered",
        CallState::Over { .. } => "call_ended",
    };
    let (answered_by, outcome) = match &call.state {
        CallState::Answered { by } => (Some(by), None),
        CallState::Over { outcome } => (None, Some(outcome)),
        CallState::Ringing => (None, None),
    };
    json!({
        "type": kind, "call": call.id, "from": call.from, "to": call.to, "room": call.room,
        "answered_by": answered_by, "outcome": outcome
    })
}

/// The same of voice messages: that there is one, not what is said in it.
pub(super) fn of_mailbox(event: &MailboxEvent) -> Value {
    let (kind, message) = match event {
        MailboxEvent::Left(message) => ("voice_message_left", message),
        MailboxEvent::Heard(message) => ("voice_message_heard", message),
    };
    json!({ "type": kind, "from": message.from, "to": message.to, "seconds": message.milliseconds.div_ceil(1_000) })
}

/// The same of an announcement.
pub(super) fn of_announcement(event: &AnnouncementEvent) -> Value {
    match event {
        AnnouncementEvent::Started { id, name, places } => {
            json!({ "type": "announcement_started", "announcement": id, "name": &**name, "to": places })
        }
        AnnouncementEvent::Ended { id, name, places, state } => json!({
            "type": "announcement_ended", "announcement": id, "name": &**name, "to": places, "state": state.name()
        }),
    }
}
