//! The media thread's side of the door: the core, and everybody who is told what happens there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tokio::sync::{broadcast, mpsc, watch};

use crate::access::{Action, Permit};
use crate::core::{CloseReason, Event, Relay};
use crate::domain::{GrantId, Owner, PeerId, RoomId, StreamId, Track};
use crate::limits::{Full, MediaPlaces, Place};

use super::files::Channels;
use super::pipes::Links;
use super::ports::PortCommand;
use super::resources::Resources;
use super::taps::Tap;
use super::{Command, Levels, MediaEvent, MediaStats, Names, NewTrack, SocketStats, StreamEvent, ThreadId};

/// Characters of a stream's name that are kept.
const MAX_NAME: usize = 64;

/// Ways out of the media threads. Cheap to clone.
#[derive(Clone)]
pub(super) struct Outlets {
    pub(super) new_tracks: mpsc::Sender<NewTrack>,
    pub(super) voice_messages: mpsc::Sender<NewTrack>,
    pub(super) rooms: mpsc::Sender<MediaEvent>,
    pub(super) events: broadcast::Sender<StreamEvent>,
    pub(super) levels: broadcast::Sender<Levels>,
    pub(super) streams: watch::Sender<Arc<[Track]>>,
    pub(super) names: Names,
}

/// What a media thread works with. Commands run on it.
pub struct Media {
    /// The core.
    pub relay: Relay,
    /// What the socket counted.
    pub socket: SocketStats,
    /// By which each peer is there, and the place that it takes; gone with it.
    admitted: HashMap<PeerId, (Permit, Place)>,
    /// What the senders of streams were granted, and who answers for them.
    senders: HashMap<StreamId, (GrantId, Owner)>,
    pub(super) places: MediaPlaces,
    /// Of the streams that are live.
    sending: HashMap<StreamId, Place>,
    pub(super) taps: HashMap<StreamId, Vec<Tap>>,
    pub(super) tap_overflows: u64,
    room_events_lost: u64,
    pub(super) channels: Channels,
    pub(super) resources: Resources,
    pub(super) links: Links,
    pub(super) outlets: Outlets,
    /// Commands that were done, by their kind.
    commands: BTreeMap<&'static str, u64>,
}

impl Media {
    pub(super) fn new(thread: ThreadId, relay: Relay, outlets: Outlets) -> Self {
        Self {
            relay,
            socket: SocketStats::default(),
            admitted: HashMap::new(),
            senders: HashMap::new(),
            places: MediaPlaces::default(),
            sending: HashMap::new(),
            taps: HashMap::new(),
            tap_overflows: 0,
            room_events_lost: 0,
            channels: Channels::default(),
            resources: Resources::default(),
            links: Links::new(thread, outlets.streams.subscribe()),
            outlets,
            commands: BTreeMap::new(),
        }
    }

    /// Does what it is asked to do. Gives when a packet that it carries on came from the network.
    pub fn run(&mut self, command: Command, now: Instant) -> Option<Instant> {
        let kind = command.kind();
        *self.commands.entry(kind).or_default() += 1;
        tracing::trace!(kind, "command");
        let arrived = if let Command::Port(PortCommand::Pipe { arrived, .. }) = &command { *arrived } else { None };
        match command {
            Command::Peer(command) => self.run_peer_command(command, now),
            Command::Room(command) => self.run_room_command(command, now),
            Command::Resource(command) => self.run_resource_command(command, now),
            Command::Port(command) => self.run_port_command(command, now),
            Command::Files(command) => self.run_files_command(command, now),
            Command::Video(command) => self.run_video_command(command, now),
            Command::Control(command) => self.run_control_command(command, now),
        }
        arrived
    }

    /// Makes an event of the core known. What led to it came from the network at `arrived`.
    pub fn publish(&mut self, event: Event, arrived: Instant) {
        if self.links.is_further() {
            return self.publish_further(event);
        }
        match event {
            Event::StreamAvailable(stream) => {
                self.take_place(stream.id);
                self.record(stream);
                self.renew_interest(stream.id);
                self.announce(StreamEvent::Available(stream));
            }
            Event::StreamEnded(stream) => {
                // Dropping the senders tells the decoders.
                self.taps.remove(&stream.id);
                self.sending.remove(&stream.id);
                self.announce(StreamEvent::Ended(stream));
            }
            Event::Piped(pipe, packet) => self.links.carry(pipe, packet, arrived),
            // Nobody may be listening: then there is nothing to tell.
            Event::Levels(levels) => drop(self.outlets.levels.send(levels.into())),
            Event::Tapped(stream, packet) => self.feed_taps(stream, &packet),
            Event::Talks(stream, on) => self.tell_rooms(MediaEvent::Talks(stream, on)),
            Event::Slots(voice, taken) => self.tell_rooms(MediaEvent::Slots(voice, taken)),
            Event::Bitrate(voice, bitrate) => self.tell_rooms(MediaEvent::Bitrate(voice, bitrate)),
            Event::Views(who, states) => self.tell_rooms(MediaEvent::Views(who, states)),
            Event::VideoWanted(track, height) => self.tell_rooms(MediaEvent::VideoWanted(track.id, height)),
            Event::Channel(peer, event) => self.tell_channel(peer, event),
            Event::PeerClosed(peer, reason) => self.note_closed(peer, reason),
            // Only of streams that come from elsewhere: there are none here.
            Event::Wanted(..) => {}
        }
    }

    /// Of streams the first thread tells; here is known who hears them.
    fn publish_further(&mut self, event: Event) {
        match event {
            Event::PeerClosed(peer, reason) => self.note_closed(peer, reason),
            Event::Wanted(stream, wanted) => self.links.ask_for(stream, wanted),
            _ => {}
        }
    }

    fn note_closed(&mut self, peer: PeerId, reason: CloseReason) {
        self.forget_channel(peer);
        let admitted = self.admitted.remove(&peer);
        if let (true, Some((permit, _))) = (self.resources.forget(peer), admitted) {
            self.tell_rooms(MediaEvent::Closed(permit.id()));
        }
        tracing::info!(%peer, ?reason, "peer closed");
    }

    /// A place for one more peer of whoever answers for this permit; none is needed for one that is there already.
    pub(super) fn place_of_peer(&self, permit: &Permit, is_renewed: bool) -> Result<Option<Place>, Full> {
        (!is_renewed).then(|| self.places.peers.take(&permit.owner())).transpose()
    }

    /// Keeps what a peer is there by, until its connection is gone.
    pub(super) fn keep(&mut self, peer: PeerId, permit: Permit, place: Option<Place>) {
        let place = place.or_else(|| self.admitted.remove(&peer).map(|(_, place)| place));
        // Without a place it was renewed, and is gone in this moment.
        drop(place.map(|place| self.admitted.insert(peer, (permit, place))));
    }

    /// The same of a sender.
    pub(super) fn keep_sender(&mut self, peer: PeerId, stream: StreamId, permit: Permit, place: Option<Place>) {
        self.note_sender(stream, &permit);
        self.keep(peer, permit, place);
    }

    /// Notes who answers for a stream; nearly free where that is known, since a sender on this machine has it noted with
    /// each packet.
    pub(super) fn note_sender(&mut self, stream: StreamId, permit: &Permit) {
        let Self { senders, relay, .. } = self;
        if senders.get(&stream).is_some_and(|(grant, _)| *grant == permit.id()) {
            return;
        }
        senders.retain(|stream, _| relay.has_publisher(*stream));
        senders.insert(stream, (permit.id(), permit.owner()));
    }

    /// A sender takes its place with its first packet. Where there is none for whoever answers for it, its connection is
    /// closed: it was told so when it came, unless it had others connect meanwhile.
    fn take_place(&mut self, stream: StreamId) {
        let Some((grant, owner)) = self.senders.get(&stream) else { return };
        match self.places.streams.take(owner) {
            Ok(place) => drop(self.sending.insert(stream, place)),
            Err(full) => {
                let sender = self.admitted.iter().find(|(_, (permit, _))| permit.id() == *grant);
                if let Some(peer) = sender.map(|(peer, _)| *peer) {
                    tracing::info!(%peer, %full, "a sender has no place");
                    self.relay.close(Instant::now(), peer);
                }
            }
        }
    }

    /// Whether this permits to hear this stream, or the newest where none is named: looked at here, where no stream changes
    /// meanwhile.
    pub(super) fn may_hear(&self, permit: &Permit, stream: Option<StreamId>) -> bool {
        let room = match stream {
            Some(stream) => self.relay.room_of(stream),
            None => Some(RoomId::HOME),
        };
        room.is_some_and(|room| permit.permits_in(Action::Hear, room))
    }

    /// Closes every peer whose permit has ended.
    pub(super) fn end_unpermitted(&mut self, now: Instant) {
        let over = self.admitted.iter().filter(|(_, (permit, _))| permit.is_ended());
        for peer in over.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.relay.close(now, peer);
        }
    }

    /// Everything that is counted here.
    pub(super) fn stats(&self) -> MediaStats {
        MediaStats {
            relay: self.relay.stats(),
            socket: self.socket.clone(),
            taps: self.taps.values().map(Vec::len).sum(),
            tap_overflows: self.tap_overflows,
            room_events_lost: self.room_events_lost,
            resources: self.resources.counts(),
            pipe_overflows: self.links.overflows(),
            commands: self.commands.clone(),
        }
    }

    /// Without waiting: the rooms' own task is quick, or stuck.
    fn tell_rooms(&mut self, event: MediaEvent) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.outlets.rooms.try_send(event) {
            self.room_events_lost += 1;
            tracing::warn!(?event, "the rooms are too busy to be told");
        }
    }

    /// The list changes before the event is told, so that whoever hears the event finds it in the list.
    fn announce(&mut self, event: StreamEvent) {
        let (StreamEvent::Available(stream) | StreamEvent::Ended(stream)) = event;
        let _span =
            tracing::info_span!("track", stream = %stream.id, room = stream.room.0, kind = ?stream.kind).entered();
        tracing::info!(is_live = matches!(event, StreamEvent::Available(_)), "streams changed");
        let grant = self.senders.get(&stream.id).map(|(grant, _)| *grant);
        self.tell_rooms(MediaEvent::Stream(event, grant));
        self.outlets.streams.send_replace(self.relay.live().into());
        drop(self.outlets.events.send(event));
    }

    /// Who answers for a stream: whoever its connection is of; of those without one, whoever had it sent.
    pub(super) fn owner_of(&self, stream: StreamId) -> Owner {
        let admitted = self.relay.peer_of(stream).and_then(|peer| self.admitted.get(&peer));
        let local = || self.senders.get(&stream).map_or(Owner::Machine, |(_, owner)| owner.clone());
        admitted.map_or_else(local, |(permit, _)| permit.owner())
    }

    /// Keeps what is fit to be shown of a stream's name, and forgets the names of those that are gone.
    pub(super) fn name(&mut self, stream: StreamId, name: &str) {
        let name: String = name.trim().chars().filter(|it| !it.is_control()).take(MAX_NAME).collect();
        let mut names = self.outlets.names.write().unwrap_or_else(PoisonError::into_inner);
        if names.get(&stream).is_some_and(|known| **known == *name) {
            return;
        }
        names.retain(|stream, _| self.relay.has_publisher(*stream));
        if !name.is_empty() {
            names.insert(stream, name.into());
        }
    }
}
