//! The thread on which one room's announcements are heard: it decodes, encodes and sends at the pace of the clock, for
//! as long as there is something to be heard.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::core::LocalPacket;
use crate::domain::{Priority, RoomId, StreamId, TrackKind};
use crate::engine::LocalSender;
use crate::live::Speech;

use super::pace::Pace;
use super::playlist::Performance;
use super::{Announcement, Announcer, Outcome};

/// A media thread that takes no packet for so long carries nobody's voice.
const PATIENCE: Duration = Duration::from_secs(1);

/// Frames of what is of low priority between two looks whether somebody talks: a fifth of a second.
const LOOK: u64 = 10;

/// Pause before a packet is offered again.
const RETRY: Duration = Duration::from_millis(5);

/// Performs what is in the room's line until that is empty, on a thread of its own.
pub(super) fn open(announcer: Announcer, room: RoomId) -> std::io::Result<()> {
    let player = Player { announcer, room, begun: Vec::new(), on_air: None };
    thread::Builder::new().name("announce".into()).spawn(|| player.run()).map(drop)
}

struct Player {
    announcer: Announcer,
    room: RoomId,
    /// Those that have begun: one that was interrupted goes on where it was.
    begun: Vec<Begun>,
    on_air: Option<OnAir>,
}

/// An announcement that has begun.
struct Begun {
    announcement: Arc<Announcement>,
    performance: Performance,
}

/// The one that is heard, as a sender. When it ends, so does its stream.
struct OnAir {
    announcement: Arc<Announcement>,
    sender: LocalSender,
    speech: Speech,
}

/// A line without a player would wait for ever.
impl Drop for Player {
    fn drop(&mut self) {
        if thread::panicking() {
            self.announcer.abandon(self.room);
        }
    }
}

impl Player {
    fn run(mut self) {
        let mut pace = Pace::new(Instant::now());
        while let Some(announcement) = self.announcer.to_be_heard(self.room) {
            self.begun.retain(|one| !one.announcement.is_over());
            if self.on_air.as_ref().is_none_or(|on_air| on_air.announcement.id != announcement.id) {
                self.go_on_air(&announcement);
            }
            if let Some(outcome) = self.play(&announcement, pace.due()) {
                self.announcer.end(&announcement, outcome);
            }
            thread::sleep(pace.advance(Instant::now()));
        }
    }

    fn go_on_air(&mut self, announcement: &Arc<Announcement>) {
        // The former stream ends before the next begins.
        self.on_air = None;
        let id = StreamId::of_connection(announcement.id.0);
        let permit = announcement.permit.clone();
        let kind = if announcement.priority == Priority::Urgent { TrackKind::Urgent } else { TrackKind::Voice };
        let sender = self.announcer.relay().local_sender(permit, id, kind, announcement.name.to_string());
        match Speech::of_recordings() {
            Ok(speech) => self.on_air = Some(OnAir { announcement: Arc::clone(announcement), sender, speech }),
            Err(error) => {
                self.announcer.end(announcement, Outcome::Failed(error.to_string()));
            }
        }
    }

    /// Whether somebody talks meanwhile, and it is of low priority.
    fn gives_way(&self, announcement: &Announcement) -> bool {
        let is_time = announcement.frames.load(Ordering::Relaxed).is_multiple_of(LOOK);
        announcement.priority == Priority::Low && is_time && self.announcer.is_talked_in(self.room)
    }

    /// Lets 20 ms of it be heard; says how it ended, if it did.
    fn play(&mut self, announcement: &Arc<Announcement>, due: Instant) -> Option<Outcome> {
        // The room's host has sent it out, whoever wanted it may do so no more, or somebody talks.
        if announcement.permit.is_ended() || self.gives_way(announcement) {
            return Some(Outcome::Stopped);
        }
        let on_air = self.on_air.as_mut()?;
        let frame = act_of(&mut self.begun, announcement).performance.frame();
        let pcm = match frame {
            Ok(Some(pcm)) => pcm,
            Ok(None) => return Some(on_air.all_was_sent()),
            Err(error) => return Some(Outcome::Failed(error.to_string())),
        };
        announcement.frames.fetch_add(1, Ordering::Relaxed);
        let spoken = on_air.speech.encode(due, &pcm)?;
        let packet = LocalPacket { timestamp: spoken.timestamp, level: spoken.level, payload: spoken.payload };
        let sent = on_air.send(&packet);
        if sent.is_err() {
            self.announcer.stats().packets_lost.fetch_add(1, Ordering::Relaxed);
        }
        sent.err()
    }
}

impl OnAir {
    /// Sends one packet; says how the announcement ended if that cannot be done.
    fn send(&self, packet: &LocalPacket) -> Result<(), Outcome> {
        if let Some(full) = self.sender.refusal() {
            return Err(Outcome::Failed(full.to_string()));
        }
        self.within_patience(|| self.sender.send(packet.clone()))
    }

    /// How it ended, once the relay has had all of it or did not take it.
    fn all_was_sent(&self) -> Outcome {
        let arrived = self.within_patience(|| self.sender.has_all_arrived() || self.sender.refusal().is_some());
        match (self.sender.refusal(), arrived) {
            (Some(full), _) => Outcome::Failed(full.to_string()),
            (None, Err(outcome)) => outcome,
            (None, Ok(())) => Outcome::Played,
        }
    }

    fn within_patience(&self, mut done: impl FnMut() -> bool) -> Result<(), Outcome> {
        let began = Instant::now();
        while !done() {
            if self.announcement.permit.is_ended() {
                return Err(Outcome::Stopped);
            }
            if began.elapsed() >= PATIENCE {
                return Err(Outcome::Failed("the relay is too busy to send it".into()));
            }
            thread::sleep(RETRY);
        }
        Ok(())
    }
}

/// Its performance, where it was, or from the beginning.
fn act_of<'a>(begun: &'a mut Vec<Begun>, announcement: &Arc<Announcement>) -> &'a mut Begun {
    let place = begun.iter().position(|one| one.announcement.id == announcement.id).unwrap_or_else(|| {
        let performance = Performance::new(announcement.playlist.clone());
        begun.push(Begun { announcement: Arc::clone(announcement), performance });
        begun.len() - 1
    });
    &mut begun[place]
}
