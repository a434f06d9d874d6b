//! Participants of rooms: one connection each, on which it speaks, plays music, and hears all the others in slots.
//!
//! Which rooms there are, and who may do what in them, is decided elsewhere: here is only what that means for packets.

use std::time::{Duration, Instant};

use str0m::media::Mid;
use str0m::stats::MediaEgressStats;

use crate::domain::{LiveStream, PeerId, RoomId, StreamId};

use super::forwarding::{Heard, Packet};
use super::lifecycle::CloseReason;
use super::negotiation::PublishError;
use super::peer::{Peer, Role};
use super::quality::{BITRATES, Bearable};
use super::session::{Purpose, Rtp, Session};
use super::slots::{Claim, Slots};
use super::stats::DropReason;
use super::timeline::{Numbered, Position};
use super::{Event, Output, Relay, sdp};

/// Who is to be a participant of which room.
#[derive(Debug, Clone, Copy)]
pub struct Membership {
    /// The room.
    pub room: RoomId,
    /// Its voice; also what it is called by.
    pub voice: StreamId,
    /// Its music.
    pub music: StreamId,
    /// It may hear, and never speak, whatever those in the room decide.
    pub only_listens: bool,
}

/// A participant's offer was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Joined {
    /// The connection, new or renewed.
    pub peer: PeerId,
    /// SDP for the participant.
    pub answer: String,
    /// The m-line of its voice, if it offered one.
    pub voice: Option<String>,
    /// The m-line of its music.
    pub music: Option<String>,
    /// The m-lines on which it hears.
    pub slots: Vec<String>,
}

/// Whom a participant wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Wanted {
    /// Everybody in the room.
    #[default]
    All,
    /// These streams.
    Only(Vec<StreamId>),
}

/// What is measured of a participant's connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberStats {
    /// Its voice, by which it is called.
    pub voice: StreamId,
    /// Its room.
    pub room: RoomId,
    /// Bytes of Opus that came from it, ever.
    pub bytes_in: u64,
    /// Bytes of Opus that were sent to it, ever.
    pub bytes_out: u64,
    /// The share of packets that it lost lately, 0 to 1; `None` before its first report.
    pub loss: Option<f32>,
    /// From us to it and back.
    pub round_trip: Option<Duration>,
    /// How unevenly packets arrive there.
    pub jitter: Option<Duration>,
    /// Bits a second that it can bear.
    pub bearable: u32,
}

/// What the relay keeps of a participant.
pub(super) struct Member {
    membership: Membership,
    fingerprint: String,
    voice: Option<Mid>,
    music: Option<Mid>,
    slots: Slots,
    wanted: Wanted,
    /// Its packets go no further.
    silenced: bool,
    bearable: Bearable,
    /// The bitrate that it was last told to send.
    told: u32,
    stats: MemberStats,
}

impl Member {
    fn new(membership: Membership, fingerprint: String) -> Self {
        let Membership { voice, room, .. } = membership;
        let stats = MemberStats {
            voice,
            room,
            bytes_in: 0,
            bytes_out: 0,
            loss: None,
            round_trip: None,
            jitter: None,
            bearable: BITRATES[0],
        };
        Self {
            membership,
            fingerprint,
            voice: None,
            music: None,
            slots: Slots::default(),
            wanted: Wanted::All,
            silenced: false,
            bearable: Bearable::default(),
            told: BITRATES[0],
            stats,
        }
    }

    /// Takes note of what was agreed.
    fn set_lines(&mut self, session: &Session, answer: &str) {
        let lines = sdp::audio_lines(answer);
        let mid = |line: &String| Mid::from(line.as_str());
        self.voice = lines.receiving.first().map(mid);
        self.music = lines.receiving.get(1).map(mid);
        self.slots.set_lanes(lines.sending.iter().filter_map(|line| session.lane(mid(line))));
    }

    fn has_audio(&self) -> bool {
        self.voice.is_some() || self.slots.lanes().next().is_some()
    }

    /// The stream that packets of this m-line are of.
    fn feeds(&self, mid: Mid) -> Option<LiveStream> {
        let Membership { room, voice, music, .. } = self.membership;
        match Some(mid) {
            line if line == self.voice => Some(LiveStream { id: voice, room, music: false }),
            line if line == self.music => Some(LiveStream { id: music, room, music: true }),
            _ => None,
        }
    }

    fn wants(&self, stream: StreamId) -> bool {
        match &self.wanted {
            Wanted::All => true,
            Wanted::Only(streams) => streams.contains(&stream),
        }
    }

    fn joined(&self, peer: PeerId, session: &Session, answer: &str) -> Joined {
        Joined {
            peer,
            answer: session.written(answer),
            voice: self.voice.map(|mid| session.original(mid)),
            music: self.music.map(|mid| session.original(mid)),
            slots: self.slots.lanes().map(|lane| session.original(lane.mid())).collect(),
        }
    }

    fn slots_event(&self) -> Output {
        let taken = self.slots.taken().map(|(lane, stream)| (lane.mid().to_string(), stream)).collect();
        Output::Event(Event::Slots(self.membership.voice, taken))
    }

    /// Bits a second that it can bear.
    pub(super) fn bearable(&self) -> u32 {
        self.bearable.bitrate()
    }

    /// What it is to be told if it may send so much now, and did not know.
    pub(super) fn allow(&mut self, bitrate: u32) -> Option<Output> {
        let is_news = std::mem::replace(&mut self.told, bitrate) != bitrate;
        is_news.then_some(Output::Event(Event::Bitrate(self.membership.voice, bitrate)))
    }

    /// Hears this stream no longer, since it is over; what it is to be told then, if it heard it.
    pub(super) fn release(&mut self, ended: StreamId) -> Option<Output> {
        self.slots.release(ended).then(|| self.slots_event())
    }

    /// Takes note of a report. True when it changes what is bearable.
    fn note_report(&mut self, report: &MediaEgressStats, now: Instant) -> bool {
        let stats = &mut self.stats;
        stats.round_trip = report.rtt.or(stats.round_trip);
        // In units of the RTP clock (RFC 3550 6.4.1).
        let jitter = report.remote.as_ref().map(|remote| Duration::from_secs(remote.jitter.into()) / 48_000);
        stats.jitter = jitter.or(stats.jitter);
        let Some(lost) = report.loss else { return false };
        stats.loss = Some(lost);
        let changed = self.bearable.note_loss(lost, now);
        stats.bearable = self.bearable.bitrate();
        changed
    }
}

impl Relay {
    /// Answers the offer of a participant; `local` as in [`publish`](Self::publish). An offer with the certificate of
    /// its present connection renews that one; any other one takes its place.
    ///
    /// # Errors
    /// See [`PublishError`]; nothing has changed then.
    pub fn join(
        &mut self,
        now: Instant,
        membership: Membership,
        offer: &str,
        local: bool,
    ) -> Result<Joined, PublishError> {
        self.now = now;
        sdp::check(offer).map_err(|error| PublishError::InvalidOffer(error.to_string()))?;
        let fingerprint = sdp::fingerprint(offer).unwrap_or_default().to_owned();
        let former = self.members.get(&membership.voice).copied();
        if let Some(id) = former.filter(|id| self.is_member_with(*id, &fingerprint)) {
            return self.renew_member(id, offer);
        }
        if self.peers.len() >= self.config.max_peers {
            return Err(PublishError::TooManyPeers(self.config.max_peers));
        }
        let mut session = self.new_session(local, Purpose::TakesPart);
        let answer = session.accept_offer(offer)?;
        let mut member = Member::new(membership, fingerprint);
        member.set_lines(&session, &answer);
        if !member.has_audio() {
            return Err(PublishError::NoAudio);
        }
        if let Some(former) = former {
            self.close_peer(former, CloseReason::Replaced);
        }
        let peer = self.admit(session, Role::Member(Box::new(member)));
        self.members.insert(membership.voice, peer);
        self.members.insert(membership.music, peer);
        self.rooms.entry(membership.room).or_default().members.push(peer);
        self.tell_bitrates(membership.room);
        let Peer { role: Role::Member(member), session, .. } = &self.peers[&peer] else {
            unreachable!("a participant stays one")
        };
        Ok(member.joined(peer, session, &answer))
    }

    /// Ends a participant's connection. Unknown ones have ended already.
    pub fn leave(&mut self, now: Instant, voice: StreamId) {
        self.now = now;
        if let Some(id) = self.members.get(&voice) {
            self.close_peer(*id, CloseReason::Requested);
        }
    }

    /// Whether packets of a sender go no further. What a participant is saying ends with it; the stream of another one
    /// goes on, without a sound.
    pub fn set_silenced(&mut self, now: Instant, voice: StreamId, silenced: bool) {
        self.now = now;
        let Some(member) = self.member_of(voice) else { return self.silence_sender(voice, silenced) };
        member.silenced = silenced;
        let Membership { voice, music, .. } = member.membership;
        if silenced {
            self.end_stream(voice);
            self.end_stream(music);
        }
    }

    /// The same for one who takes part in no room: an older client, WHIP, this machine's own.
    fn silence_sender(&mut self, stream: StreamId, silenced: bool) {
        if !silenced {
            self.silenced.remove(&stream);
        } else if self.has_publisher(stream) {
            self.silenced.insert(stream);
        }
    }

    /// A participant says that it has said all: nobody waits for the end of its silence.
    pub fn end_said(&mut self, now: Instant, stream: StreamId) {
        self.now = now;
        self.end_stream(stream);
    }

    /// Whom a participant hears from now on.
    pub fn set_wanted(&mut self, now: Instant, voice: StreamId, wanted: Wanted) {
        self.now = now;
        let Some(member) = self.member_of(voice) else { return };
        member.wanted = wanted;
        let Member { slots, wanted, .. } = member;
        let keeps = |stream| match &*wanted {
            Wanted::All => true,
            Wanted::Only(streams) => streams.contains(&stream),
        };
        if slots.release_unless(keeps) {
            let event = member.slots_event();
            self.outbox.push_back(event);
        }
    }

    /// What is measured of all participants.
    pub fn member_stats(&self) -> Vec<MemberStats> {
        self.rooms.values().flat_map(|room| &room.members).filter_map(|id| Some(self.member(*id)?.stats)).collect()
    }

    /// Takes a packet of a participant.
    pub(super) fn ingest_of_member(&mut self, id: PeerId, packet: str0m::rtp::RtpPacket) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Role::Member(member) = &mut peer.role else { return };
        let Some(feeds) = peer.session.mid_of(packet.header.ssrc).and_then(|mid| member.feeds(mid)) else {
            return self.stats.count_drop(DropReason::Malformed);
        };
        if member.silenced || member.membership.only_listens {
            return self.stats.count_drop(DropReason::Silenced);
        }
        member.stats.bytes_in += packet.payload.len() as u64;
        self.ingest(feeds, Some(id), Numbered::of(&packet), Packet::from(packet));
    }

    /// Seals a packet for a participant, if there is a slot for it.
    pub(super) fn forward_to_member(&mut self, id: PeerId, packet: &Packet, heard: Heard, place: Position) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Role::Member(member) = &mut peer.role else { return };
        if !member.wants(heard.stream) {
            return;
        }
        if !peer.connected {
            return self.stats.count_drop(DropReason::ReceiverNotReady);
        }
        let claim = Claim { stream: heard.stream, loud: heard.loud, pinned: heard.pinned };
        let Some(seat) = member.slots.seat(claim, now) else {
            return self.stats.count_drop(DropReason::NoSlot);
        };
        if seat.is_new {
            self.outbox.push_back(member.slots_event());
        }
        let Some((lane, place)) = member.slots.place(seat, place, now) else {
            return self.stats.count_drop(DropReason::Late);
        };
        member.stats.bytes_out += packet.payload.len() as u64;
        self.seal(id, &Rtp { lane, place, packet, begins: seat.is_new });
    }

    /// Takes what a participant reports of what it was sent.
    pub(super) fn note_reports(&mut self, id: PeerId, reports: impl Iterator<Item = MediaEgressStats>) {
        let now = self.now;
        let Some(member) = self.member_mut(id) else { return };
        // Of a slot in which nobody was lately nothing is lost; the worst of the others counts.
        let worst = reports.filter(|report| report.loss.is_some() || report.rtt.is_some());
        let worst = worst.max_by(|a, b| a.loss.unwrap_or(0.0).total_cmp(&b.loss.unwrap_or(0.0)));
        let room = member.membership.room;
        if worst.is_some_and(|report| member.note_report(&report, now)) {
            self.tell_bitrates(room);
        }
    }

    /// Takes a participant that is gone out of its room.
    pub(super) fn forget_member(&mut self, id: PeerId, member: &Member) {
        let Membership { room, voice, music, .. } = member.membership;
        if self.members.get(&voice) == Some(&id) {
            self.members.remove(&voice);
            self.members.remove(&music);
            self.end_stream(voice);
            self.end_stream(music);
        }
        if let Some(members) = self.rooms.get_mut(&room) {
            members.members.retain(|member| *member != id);
        }
        self.tell_bitrates(room);
    }

    fn is_member_with(&self, id: PeerId, fingerprint: &str) -> bool {
        self.member(id).is_some_and(|member| member.fingerprint == fingerprint)
    }

    pub(super) fn renew_member(&mut self, id: PeerId, offer: &str) -> Result<Joined, PublishError> {
        let answer = self.renew_session(id, offer)?;
        let peer = self.peers.get_mut(&id).expect("a renewable peer exists");
        let Role::Member(member) = &mut peer.role else { unreachable!("a participant stays one") };
        member.set_lines(&peer.session, &answer);
        Ok(member.joined(id, &peer.session, &answer))
    }

    pub(super) fn member(&self, id: PeerId) -> Option<&Member> {
        match &self.peers.get(&id)?.role {
            Role::Member(member) => Some(member),
            _ => None,
        }
    }

    pub(super) fn member_mut(&mut self, id: PeerId) -> Option<&mut Member> {
        match &mut self.peers.get_mut(&id)?.role {
            Role::Member(member) => Some(member),
            _ => None,
        }
    }

    fn member_of(&mut self, voice: StreamId) -> Option<&mut Member> {
        self.member_mut(*self.members.get(&voice)?)
    }
}
