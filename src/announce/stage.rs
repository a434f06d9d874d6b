//! The thread on which one room's announcements are heard: it decodes, encodes and sends at the pace of the clock, for
//! as long as there is something to be heard.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use crate::audio::Speech;
use crate::domain::{RoomId, StreamId};
use crate::relay::LocalPacket;
use crate::relay_handle::LocalSender;

use super::pace::Pace;
use super::script::Performance;
use super::{Announcement, Announcer, Outcome};

/// Performs what is in the room's line until that is empty, on a thread of its own.
pub(super) fn open(announcer: Announcer, room: RoomId) -> std::io::Result<()> {
    let stage = Stage { announcer, room, acts: Vec::new(), on_air: None };
    thread::Builder::new().name("announce".into()).spawn(|| stage.run()).map(drop)
}

struct Stage {
    announcer: Announcer,
    room: RoomId,
    /// Those that have begun: one that was interrupted goes on where it was.
    acts: Vec<Act>,
    on_air: Option<OnAir>,
}

/// An announcement that has begun.
struct Act {
    announcement: Arc<Announcement>,
    performance: Performance,
}

/// The one that is heard, as a sender. When it ends, so does its stream.
struct OnAir {
    announcement: Arc<Announcement>,
    sender: LocalSender,
    speech: Speech,
}

/// A line without a stage would wait for ever.
impl Drop for Stage {
    fn drop(&mut self) {
        if thread::panicking() {
            self.announcer.abandon(self.room);
        }
    }
}

impl Stage {
    fn run(mut self) {
        let mut pace = Pace::new(Instant::now());
        while let Some(announcement) = self.announcer.to_be_heard(self.room) {
            self.acts.retain(|act| !act.announcement.is_over());
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
        let sender = self.announcer.relay().local_sender(permit, id, announcement.name.clone());
        match Speech::of_recordings() {
            Ok(speech) => self.on_air = Some(OnAir { announcement: Arc::clone(announcement), sender, speech }),
            Err(error) => {
                self.announcer.end(announcement, Outcome::Failed(error.to_string()));
            }
        }
    }

    /// Lets 20 ms of it be heard; says how it ended, if it did.
    fn play(&mut self, announcement: &Arc<Announcement>, due: Instant) -> Option<Outcome> {
        let on_air = self.on_air.as_mut()?;
        if announcement.permit.is_ended() {
            // The room's host has sent it out, or whoever wanted it may do so no more.
            return Some(Outcome::Stopped);
        }
        let frame = act_of(&mut self.acts, announcement).performance.frame();
        let pcm = match frame {
            Ok(Some(pcm)) => pcm,
            Ok(None) => return Some(Outcome::Played),
            Err(error) => return Some(Outcome::Failed(error.to_string())),
        };
        announcement.frames.fetch_add(1, Ordering::Relaxed);
        let spoken = on_air.speech.encode(due, &pcm)?;
        let packet = LocalPacket { timestamp: spoken.timestamp, level: spoken.level, payload: spoken.payload };
        if !on_air.sender.send(packet) {
            self.announcer.stats().packets_lost.fetch_add(1, Ordering::Relaxed);
        }
        None
    }
}

/// Its performance, where it was, or from the beginning.
fn act_of<'a>(acts: &'a mut Vec<Act>, announcement: &Arc<Announcement>) -> &'a mut Act {
    let place = acts.iter().position(|act| act.announcement.id == announcement.id).unwrap_or_else(|| {
        let performance = Performance::new(announcement.script.clone());
        acts.push(Act { announcement: Arc::clone(announcement), performance });
        acts.len() - 1
    });
    &mut acts[place]
}
