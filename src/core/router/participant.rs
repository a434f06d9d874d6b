//! Participants of rooms: one connection each, on which they speak and hear everybody else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{PeerId, RoomId, StreamId, Track};

use super::consumer::{Consumer, Hears, Selected};
use super::fanout::PacketMeta;
use super::quality::{BITRATES, BitrateEstimate};
use super::slots::Slots;
use super::source::{Endpoint, IngressLine, Source};
use super::{Context, Event, Router};
use crate::core::packet::{EgressTrack, Mid, Position, ReceptionReport};
use crate::core::stats::DropReason;

/// Who is to be a participant of which room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantTracks {
    /// Room in which they are.
    pub room: RoomId,
    /// Stream of their voice; also what they are called by.
    pub voice: StreamId,
    /// Stream of their music.
    pub music: StreamId,
    /// They may hear, and never speak, whatever those in the room decide.
    pub only_listens: bool,
}

/// Whom a participant wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Everybody in the room.
    #[default]
    All,
    /// These streams.
    Only(Vec<StreamId>),
}

impl Wanted {
    fn includes(&self, stream: StreamId) -> bool {
        match self {
            Self::All => true,
            Self::Only(streams) => streams.contains(&stream),
        }
    }
}

/// What is measured of a participant's connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberStats {
    /// Stream of their voice, by which they are called.
    pub voice: StreamId,
    /// Room in which they are.
    pub room: RoomId,
    /// Bytes of Opus that came from them, ever.
    pub bytes_in: u64,
    /// Bytes of Opus that were sent to them, ever.
    pub bytes_out: u64,
    /// Share of packets that they lost lately, 0 to 1; `None` before their first report.
    pub loss: Option<f32>,
    /// Time from us to them and back.
    pub round_trip: Option<Duration>,
    /// Unevenness with which packets arrive there.
    pub jitter: Option<Duration>,
    /// Bits a second that they can bear.
    pub bearable: u32,
}

/// Consumer of everybody else in a room: a participant.
pub(super) struct RoomConsumer {
    membership: ParticipantTracks,
    slots: Slots,
    wanted: Wanted,
    estimate: BitrateEstimate,
    /// The bitrate that they were last told to send.
    allowed: u32,
    bytes_out: u64,
    reception: ReceptionReport,
}

impl RoomConsumer {
    fn new(membership: ParticipantTracks) -> Self {
        Self {
            membership,
            slots: Slots::default(),
            wanted: Wanted::All,
            estimate: BitrateEstimate::default(),
            allowed: BITRATES[0],
            bytes_out: 0,
            reception: ReceptionReport { loss: None, round_trip: None, jitter: None },
        }
    }

    pub(super) fn room(&self) -> RoomId {
        self.membership.room
    }

    /// Bits a second that they can bear.
    pub(super) fn bearable(&self) -> u32 {
        self.estimate.bitrate()
    }

    /// Where a packet goes: to the slot of its track, if there is one for it.
    pub(super) fn select(
        &mut self,
        cx: &mut Context,
        is_connected: bool,
        meta: &PacketMeta,
        place: Position,
        length: usize,
    ) -> Result<Option<Selected>, DropReason> {
        // Of another room it is when this place was another consumer's as the packet came: not a word of it may be heard.
        if meta.room != self.membership.room || !self.wanted.includes(meta.stream) {
            return Ok(None);
        }
        if !is_connected {
            return Err(DropReason::ReceiverNotReady);
        }
        let slot = self.slots.claim(meta, cx.now).ok_or(DropReason::NoSlot)?;
        if slot.is_new {
            cx.tell(self.slots_event());
        }
        let (track, place) = self.slots.place(slot, place, cx.now).ok_or(DropReason::Late)?;
        self.bytes_out += length as u64;
        Ok(Some(Selected { track, place, begins: slot.is_new }))
    }

    /// What they are to be told if they may send so much now, and did not know.
    pub(super) fn allow(&mut self, bitrate: u32) -> Option<Event> {
        let is_news = std::mem::replace(&mut self.allowed, bitrate) != bitrate;
        is_news.then_some(Event::Bitrate(self.membership.voice, bitrate))
    }

    /// They hear this stream no longer, since it is over; what they are to be told then, if they heard it.
    pub(super) fn release(&mut self, ended: StreamId) -> Option<Event> {
        self.slots.release(ended).then(|| self.slots_event())
    }

    fn slots_event(&self) -> Event {
        let taken = self.slots.taken().map(|(track, stream)| (track.mid.to_string(), stream)).collect();
        Event::Slots(self.membership.voice, taken)
    }

    /// Takes note of a report. True when it changes the estimate.
    fn note_report(&mut self, cx: &Context, report: ReceptionReport) -> bool {
        let former = self.reception;
        self.reception = ReceptionReport {
            loss: report.loss.or(former.loss),
            round_trip: report.round_trip.or(former.round_trip),
            jitter: report.jitter.or(former.jitter),
        };
        report.loss.is_some_and(|lost| self.estimate.note_loss(lost, cx.now))
    }

    fn stats(&self, bytes_in: u64) -> MemberStats {
        let ParticipantTracks { voice, room, .. } = self.membership;
        let ReceptionReport { loss, round_trip, jitter } = self.reception;
        let (bytes_out, bearable) = (self.bytes_out, self.bearable());
        MemberStats { voice, room, bytes_in, bytes_out, loss, round_trip, jitter, bearable }
    }
}

impl Router {
    /// A peer takes part in a room from now on. Whoever did so under the same name is gone already.
    pub(in crate::core) fn attach_participant(
        &mut self,
        cx: &mut Context,
        peer: PeerId,
        membership: ParticipantTracks,
    ) {
        let ParticipantTracks { room, voice, music, only_listens } = membership;
        let hears = Hears::Room(Box::new(RoomConsumer::new(membership)));
        let key = self.consumers.insert(Consumer { peer, is_connected: false, hears });
        let feeds = vec![voice, music];
        self.endpoints.insert(peer, Endpoint { feeds, only_listens, consumer: Some(key), ..Endpoint::default() });
        for id in [voice, music] {
            self.sources.insert(id, Source::Peer(peer));
        }
        self.rooms.entry(room).or_default().consumers.push(key);
        self.tell_bitrates(cx, room);
    }

    /// Takes note of what was agreed with a participant: m-lines on which they speak, and on which they hear.
    pub(in crate::core) fn set_lines(&mut self, peer: PeerId, ingress: &[Mid], egress: &[EgressTrack]) {
        let Some(participant) = self.participant_mut(peer) else { return };
        participant.slots.set_tracks(egress.iter().copied());
        let ParticipantTracks { room, voice, music, .. } = participant.membership;
        let streams = [Track::voice(voice, room), Track::music(music, room)];
        if let Some(endpoint) = self.endpoints.get_mut(&peer) {
            let line = |(mid, stream): (&Mid, Track)| IngressLine::new(Some(*mid), stream);
            endpoint.lines = ingress.iter().zip(streams).map(line).collect();
        }
    }

    /// The peer of the participant with this voice.
    pub(in crate::core) fn participant(&self, voice: StreamId) -> Option<PeerId> {
        let peer = self.peer_of(voice)?;
        let consumer = self.consumers.get(self.endpoints.get(&peer)?.consumer?)?;
        matches!(consumer.hears, Hears::Room(_)).then_some(peer)
    }

    /// Whether a peer takes part in a room.
    pub(in crate::core) fn is_participant(&self, peer: PeerId) -> bool {
        let consumer = self.endpoints.get(&peer).and_then(|endpoint| self.consumers.get(endpoint.consumer?));
        consumer.is_some_and(|consumer| matches!(consumer.hears, Hears::Room(_)))
    }

    /// Whether packets of a sender go no further. What a participant is saying ends with it; the track of another one
    /// goes on, without a sound.
    pub(in crate::core) fn set_muted(&mut self, cx: &mut Context, voice: StreamId, muted: bool) {
        let Some(peer) = self.participant(voice) else { return self.mute(voice, muted) };
        for id in self.endpoints[&peer].feeds.clone() {
            self.mute(id, muted);
            if muted {
                self.end_track(cx, id);
            }
        }
    }

    /// Whom a participant hears from now on.
    pub(in crate::core) fn set_wanted(&mut self, cx: &mut Context, voice: StreamId, wanted: Wanted) {
        let Some(participant) = self.participant(voice).and_then(|peer| self.participant_mut(peer)) else { return };
        participant.wanted = wanted;
        let RoomConsumer { slots, wanted, .. } = participant;
        if slots.release_unless(|stream| wanted.includes(stream)) {
            let event = participant.slots_event();
            cx.tell(event);
        }
    }

    /// Takes what a participant reports of what they were sent.
    pub(in crate::core) fn note_report(&mut self, cx: &mut Context, peer: PeerId, report: ReceptionReport) {
        let Some(participant) = self.participant_mut(peer) else { return };
        let room = participant.room();
        if participant.note_report(cx, report) {
            self.tell_bitrates(cx, room);
        }
    }

    /// What is measured of all participants.
    pub(in crate::core) fn participant_stats(&self) -> Vec<MemberStats> {
        let in_rooms = self.rooms.values().flat_map(|room| &room.consumers);
        let stats = |key: &usize| {
            let consumer = self.consumers.get(*key)?;
            let Hears::Room(participant) = &consumer.hears else { return None };
            Some(participant.stats(self.endpoints.get(&consumer.peer)?.bytes_in))
        };
        in_rooms.filter_map(stats).collect()
    }

    fn participant_mut(&mut self, peer: PeerId) -> Option<&mut RoomConsumer> {
        self.consumer_mut(peer)?.participant_mut()
    }
}

impl Consumer {
    /// The participant that it is, if it is one.
    pub(super) fn participant(&self) -> Option<&RoomConsumer> {
        match &self.hears {
            Hears::Room(participant) => Some(participant),
            Hears::Track(_) => None,
        }
    }

    /// See [`participant`](Self::participant).
    pub(super) fn participant_mut(&mut self) -> Option<&mut RoomConsumer> {
        match &mut self.hears {
            Hears::Room(participant) => Some(participant),
            Hears::Track(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
