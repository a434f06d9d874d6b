//! Consumers: peers that hear something.

use crate::domain::{PeerId, StreamId};

use super::fanout::PacketMeta;
use super::participant::RoomConsumer;
use super::sequence::SequenceRewriter;
use super::{ConsumerKey, Context, Event, Router};
use crate::core::packet::{EgressTrack, Position};
use crate::core::stats::DropReason;

/// Peer that hears something.
pub(super) struct Consumer {
    pub(super) peer: PeerId,
    /// Its connection is complete.
    pub(super) is_connected: bool,
    pub(super) hears: Hears,
}

/// What a consumer hears.
pub(super) enum Hears {
    /// One track.
    Track(TrackConsumer),
    /// Everybody else in a room.
    Room(Box<RoomConsumer>),
}

/// Consumer of one track.
pub(super) struct TrackConsumer {
    stream: StreamId,
    /// Where its packets go; known once it has agreed to it.
    egress: Option<EgressTrack>,
    rewriter: SequenceRewriter,
}

/// Where a copy goes, and as which packet there.
pub(super) struct Selected {
    pub(super) track: EgressTrack,
    pub(super) place: Position,
    /// Another voice begins there with it.
    pub(super) begins: bool,
}

impl Consumer {
    /// Where the copy of a packet goes; `None`, and counted, when this consumer cannot have it.
    pub(super) fn select(
        &mut self,
        cx: &mut Context,
        meta: &PacketMeta,
        place: Position,
        length: usize,
    ) -> Option<Selected> {
        let taken = match &mut self.hears {
            Hears::Track(track) => track.select(self.is_connected, meta, place),
            Hears::Room(participant) => participant.select(cx, self.is_connected, meta, place, length),
        };
        taken.unwrap_or_else(|reason| {
            cx.count_drop(reason);
            None
        })
    }
}

impl TrackConsumer {
    fn select(
        &mut self,
        is_connected: bool,
        meta: &PacketMeta,
        place: Position,
    ) -> Result<Option<Selected>, DropReason> {
        if meta.stream != self.stream {
            // This place was another consumer's when the packet came.
            return Ok(None);
        }
        let track = self.egress.filter(|_| is_connected).ok_or(DropReason::ReceiverNotReady)?;
        let place = self.rewriter.rewrite(place).ok_or(DropReason::Late)?;
        Ok(Some(Selected { track, place, begins: false }))
    }
}

impl Router {
    /// A peer hears this track from now on, if it is live; without `egress`, once it has agreed to it.
    pub(in crate::core) fn attach_listener(
        &mut self,
        cx: &mut Context,
        peer: PeerId,
        stream: StreamId,
        egress: Option<EgressTrack>,
    ) {
        let hears = Hears::Track(TrackConsumer { stream, egress, rewriter: SequenceRewriter::default() });
        let key = self.consumers.insert(Consumer { peer, is_connected: false, hears });
        self.endpoints.entry(peer).or_default().consumer = Some(key);
        if let Some(track) = self.tracks.get_mut(&stream) {
            track.consumers.push(key);
            if track.is_remote && track.consumers.len() == 1 {
                cx.tell(Event::Wanted(stream, true));
            }
        }
    }

    /// A peer that hears a track has agreed to this.
    pub(in crate::core) fn set_egress(&mut self, peer: PeerId, egress: EgressTrack) {
        if let Some(Consumer { hears: Hears::Track(track), .. }) = self.consumer_mut(peer) {
            track.egress = Some(egress);
        }
    }

    /// A peer's connection is complete.
    pub(in crate::core) fn set_connected(&mut self, peer: PeerId) {
        if let Some(consumer) = self.consumer_mut(peer) {
            consumer.is_connected = true;
        }
    }

    /// Takes a consumer out of all that it hears.
    pub(super) fn remove_consumer(&mut self, cx: &mut Context, key: ConsumerKey) {
        match self.consumers.remove(key).hears {
            Hears::Track(TrackConsumer { stream, .. }) => {
                if let Some(track) = self.tracks.get_mut(&stream) {
                    track.consumers.retain(|other| *other != key);
                    if track.is_remote && track.consumers.is_empty() {
                        cx.tell(Event::Wanted(stream, false));
                    }
                }
            }
            Hears::Room(participant) => {
                let room = participant.room();
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.consumers.retain(|other| *other != key);
                }
                self.tell_bitrates(cx, room);
            }
        }
    }

    pub(super) fn consumer_mut(&mut self, peer: PeerId) -> Option<&mut Consumer> {
        let key = self.endpoints.get(&peer)?.consumer?;
        self.consumers.get_mut(key)
    }
}
