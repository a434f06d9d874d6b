//! What is said in the rooms: joins `rooms`, where it is known who is there and who may speak, and the relay, where
//! it is heard. Facts go one way, orders the other; how well all goes is measured here.

mod measures;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc};

use crate::access::{Access, Permit};
use crate::core::{MemberStats, ViewState};
use crate::domain::{GrantId, RoomId, StreamId, Track, TrackKind};
use crate::engine::{Engine, Levels, MediaEvent, MediaEvents, StreamEvent};
use crate::rooms::{
    GuestStats, ListenerKind, Listening, Measures, Order, ParticipantId, RoomEvent, RoomStats, RoomsHandle, SlotInfo,
    VideoState, ViewInfo,
};

pub use measures::HearingReport;
use measures::{SentBytes, delay, mean, median, millis, quality};

/// Between two looks at how well all goes.
const MEASURE_INTERVAL: Duration = Duration::from_secs(2);

/// A report of a participant that is older than this says nothing any more.
const REPORT_LIFE: Duration = Duration::from_secs(10);

/// Bits a second of a voice: more is not heard.
const VOICE_BITRATE: u32 = 64_000;

/// Bits a second of music where all can bear the best.
const MUSIC_BITRATE: u32 = 256_000;

/// Rooms and relay, joined. Cheap to clone.
#[derive(Clone)]
pub struct Bridge {
    rooms: RoomsHandle,
    relay: Engine,
    /// Where it is seen.
    video: Engine,
    access: Access,
    /// Those who hear by connections with an address of their own, by what they were granted.
    listening: Arc<Mutex<HashMap<GrantId, Listening>>>,
    reports: Arc<Mutex<HashMap<ParticipantId, (Instant, HearingReport)>>>,
}

impl Bridge {
    /// Joins them; somebody has to [`carry`](Self::carry) what happens from one to the other.
    pub fn new(rooms: RoomsHandle, relay: Engine, video: Engine, access: Access) -> Self {
        Self { rooms, relay, video, access, listening: Arc::default(), reports: Arc::default() }
    }

    /// Who is there, and who may speak.
    pub fn rooms(&self) -> &RoomsHandle {
        &self.rooms
    }

    /// Who may do what there.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Where it is heard.
    pub fn relay(&self) -> &Engine {
        &self.relay
    }

    /// Where it is seen.
    pub fn video(&self) -> &Engine {
        &self.video
    }

    /// Those in the room are to know of somebody who hears it by a connection with an address, until that is over.
    pub fn note_listening(&self, permit: &Permit) {
        let called = permit.visitor().called();
        let listen = |room| self.rooms.listen(room, permit.granted(), &called, ListenerKind::Client);
        if let Some(listening) = permit.room().and_then(listen) {
            self.lock_listening().insert(permit.id(), listening);
        }
    }

    /// That connection is over, or did not come to be.
    pub fn note_closed(&self, grant: GrantId) {
        // Unlocked before it is dropped, which tells the room.
        let listening = self.lock_listening().remove(&grant);
        drop(listening);
    }

    /// Keeps what a participant says of how it hears.
    pub fn note_report(&self, who: ParticipantId, report: HearingReport) {
        self.lock_reports().insert(who, (Instant::now(), report));
    }

    /// Carries what happens from the relay to the rooms, and what they order back, for as long as it is polled.
    pub async fn carry(self, mut events: MediaEvents, mut video_events: MediaEvents) {
        let mut orders = self.rooms.orders();
        let mut levels = self.relay.levels();
        let mut measuring = tokio::time::interval(MEASURE_INTERVAL);
        let mut bytes = SentBytes::default();
        loop {
            tokio::select! {
                event = next(&mut events) => self.note(event),
                event = next(&mut video_events) => self.note_video(event),
                order = next(&mut orders) => self.follow(order).await,
                level = levels.recv() => self.tell_levels(level),
                _ = measuring.tick() => self.measure(&mut bytes).await,
            }
        }
    }

    fn note(&self, event: MediaEvent) {
        match event {
            MediaEvent::Stream(StreamEvent::Available(stream), grant) => self.note_unjoined(stream, grant),
            MediaEvent::Stream(StreamEvent::Ended(stream), _) => self.rooms.talker_left(stream.id),
            MediaEvent::Closed(grant) => self.note_closed(grant),
            MediaEvent::Talks(stream, on) => {
                if let Some((who, kind)) = self.rooms.who_is(stream.id) {
                    self.rooms.note_talking(who, on, kind == TrackKind::Music);
                }
            }
            MediaEvent::Slots(voice, taken) => self.tell_slots(voice, &taken),
            // Of video another relay tells.
            MediaEvent::Views(..) | MediaEvent::VideoWanted(..) => {}
            MediaEvent::Bitrate(voice, bitrate) => {
                let best = bitrate == crate::core::BITRATES[0];
                let music = if best { MUSIC_BITRATE } else { bitrate };
                self.tell(voice, RoomEvent::Bitrate { voice: bitrate.min(VOICE_BITRATE), music });
            }
        }
    }

    /// What happens where it is seen.
    fn note_video(&self, event: MediaEvent) {
        match event {
            MediaEvent::Stream(StreamEvent::Available(track), _) => self.note_shown(track, true),
            MediaEvent::Stream(StreamEvent::Ended(track), _) => self.note_shown(track, false),
            MediaEvent::Views(who, states) => self.tell_views(who, &states),
            MediaEvent::VideoWanted(track, height) => {
                if let Some((who, kind)) = self.rooms.who_is(track) {
                    self.rooms.tell(who, RoomEvent::VideoWanted { kind, height });
                }
            }
            // Nothing is heard there.
            MediaEvent::Talks(..) | MediaEvent::Slots(..) | MediaEvent::Bitrate(..) | MediaEvent::Closed(_) => {}
        }
    }

    fn note_shown(&self, track: Track, on: bool) {
        if let Some((who, kind)) = self.rooms.who_is(track.id) {
            self.rooms.note_shown(who, kind, on);
        }
    }

    fn tell_views(&self, voice: StreamId, states: &[(String, StreamId, ViewState)]) {
        let view = |(slot, track, state): &(String, StreamId, ViewState)| {
            let (who, kind) = self.rooms.who_is(*track)?;
            let (state, height) = match *state {
                ViewState::Waiting => (VideoState::Waiting, None),
                ViewState::Playing(height) => (VideoState::Playing, height),
                ViewState::TooNarrow => (VideoState::TooNarrow, None),
                ViewState::CannotDecode => (VideoState::CannotDecode, None),
            };
            Some(ViewInfo { slot: slot.clone(), who, kind, state, height })
        };
        self.tell(voice, RoomEvent::Views { views: states.iter().filter_map(view).collect() });
    }

    /// Whoever talks in a room without having joined it: by the older protocol, or the machine's own microphone.
    fn note_unjoined(&self, stream: Track, grant: Option<GrantId>) {
        if self.rooms.who_is(stream.id).is_none() {
            let name = self.relay.name(stream.id);
            let granted = grant.and_then(|grant| self.access.granted(grant));
            self.rooms.talker_came(stream, name.as_deref().unwrap_or_default(), granted);
        }
    }

    async fn follow(&self, order: Order) {
        match order {
            Order::Silence(stream, silenced) => self.relay.set_silenced(stream, silenced).await,
            // Whoever is there again by another connection has replaced this one there, too.
            Order::Remove(voice, _) if self.rooms.who_is(voice).is_some() => {}
            Order::Remove(voice, _) => {
                self.relay.leave(voice).await;
                self.video.leave_video(voice).await;
            }
            Order::Hide(voice, hidden) => self.video.set_hidden(voice, hidden).await,
            Order::End(grant) => self.access.end(grant),
            Order::Forget(room) => {
                self.relay.remove_room(room).await;
                self.video.remove_room(room).await;
                // Whoever heard or talked there without having joined.
                self.access.review();
            }
            Order::Pin(room, voice) => self.relay.pin(room, voice).await,
        }
    }

    fn tell_slots(&self, voice: StreamId, taken: &[(String, StreamId)]) {
        let slot = |(mid, stream): &(String, StreamId)| {
            let (who, kind) = self.rooms.who_is(*stream)?;
            Some(SlotInfo { mid: mid.clone(), who, music: kind == TrackKind::Music })
        };
        self.tell(voice, RoomEvent::Slots { slots: taken.iter().filter_map(slot).collect() });
    }

    fn tell_levels(&self, levels: Result<Levels, broadcast::error::RecvError>) {
        // Having missed some is nothing: the next ones are along in a moment.
        let Ok(levels) = levels else { return };
        let mut by_room = HashMap::<RoomId, BTreeMap<_, _>>::new();
        let live = self.relay.live();
        for (stream, level) in levels.iter() {
            let room = live.iter().find(|live| live.id == *stream && !live.is_music()).map(|live| live.room);
            if let (Some(room), Some((who, _))) = (room, self.rooms.who_is(*stream)) {
                by_room.entry(room).or_default().insert(who, *level);
            }
        }
        for (room, levels) in by_room {
            self.rooms.tell_room(room, RoomEvent::Levels { levels });
        }
    }

    async fn measure(&self, sent: &mut SentBytes) {
        // Without the relay there is nothing to measure.
        let Ok(members) = self.relay.member_stats().await else { return };
        let mut rooms = HashMap::<RoomId, Vec<&MemberStats>>::new();
        for member in &members {
            rooms.entry(member.room).or_default().push(member);
        }
        self.lock_reports().retain(|_, (at, _)| at.elapsed() < REPORT_LIFE);
        for (room, members) in rooms {
            let stats = self.stats_of(&members, sent);
            self.rooms.note_stats(room, stats);
        }
        sent.forget_all_but(&members);
    }

    fn stats_of(&self, members: &[&MemberStats], sent: &mut SentBytes) -> RoomStats {
        let reports = self.lock_reports();
        let mut guests = Vec::new();
        let mut buffers = Vec::new();
        for member in members {
            let Some((id, _)) = self.rooms.who_is(member.voice) else { continue };
            let report = reports.get(&id).map(|(_, report)| *report).unwrap_or_default();
            buffers.extend(report.delay_ms);
            guests.push(GuestStats {
                id,
                rtt: member.round_trip.map(millis),
                loss: member.loss.map(f64::from),
                jitter: member.jitter.map(millis),
                delay: delay(member, report),
            });
            if let Some(quality) = quality(member, report) {
                self.rooms.note_quality(id, quality);
            }
        }
        let whole = Measures {
            bitrate: sent.bitrate(members),
            latency: median(guests.iter().filter_map(|guest| guest.delay)),
            buffer_level: median(buffers.into_iter()),
            loss: mean(guests.iter().filter_map(|guest| guest.loss)),
            jitter: median(guests.iter().filter_map(|guest| guest.jitter)),
        };
        RoomStats { whole, guests }
    }

    fn tell(&self, voice: StreamId, event: RoomEvent) {
        if let Some((who, _)) = self.rooms.who_is(voice) {
            self.rooms.tell(who, event);
        }
    }

    fn lock_listening(&self) -> MutexGuard<'_, HashMap<GrantId, Listening>> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_reports(&self) -> MutexGuard<'_, HashMap<ParticipantId, (Instant, HearingReport)>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next one; never, where whoever made them is gone.
async fn next<T>(queue: &mut mpsc::Receiver<T>) -> T {
    match queue.recv().await {
        Some(next) => next,
        None => std::future::pending().await,
    }
}
