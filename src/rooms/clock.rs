//! What time does to rooms: who does not come back is forgotten, what nobody uses is closed, and the list is told.

use std::time::{Duration, Instant};

use crate::domain::RoomId;

use super::Rooms;
use super::event::{Closure, Recipients, RoomEvent};
use super::room::{Host, Room};

/// Whoever lost their connection may come back as the same within this time; so may a host.
pub const GRACE: Duration = Duration::from_secs(60);

/// A room that was opened is closed when nobody was in it for so long; its host is awaited as long at first.
pub const EMPTY_TIMEOUT: Duration = Duration::from_secs(300);

/// And when nobody talked or wrote in it for so long.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(7_200);

/// Watchers are told the list no more often than this.
pub const LIST_INTERVAL: Duration = Duration::from_millis(500);

impl Room {
    /// When it is to be closed, and why.
    fn end(&self) -> Option<(Instant, Closure)> {
        match self.empty_since {
            _ if self.permanent => None,
            Some(since) => Some((since + EMPTY_TIMEOUT, Closure::Idle)),
            None if self.is_live() => None,
            None => Some((self.active + IDLE_TIMEOUT, Closure::Idle)),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let forgotten = self.absent.iter().map(|absent| absent.until);
        forgotten.chain(self.end().map(|(at, _)| at)).chain(self.unjoined.due).chain(self.free_at()).min()
    }
}

impl Rooms {
    /// When to call [`tick`](Self::tick); `None` while there is nothing to wait for.
    pub fn deadline(&self) -> Option<Instant> {
        self.rooms.values().filter_map(Room::deadline).chain(self.list_due).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        let due = |room: &Room| room.deadline().is_some_and(|at| at <= now);
        let rooms: Vec<RoomId> = self.rooms.iter().filter(|(_, room)| due(room)).map(|(id, _)| *id).collect();
        for id in rooms {
            self.forget_absent(now, id);
            match self.rooms.get(&id).and_then(Room::end) {
                Some((at, why)) if at <= now => self.shut(now, id, why),
                _ => {}
            }
        }
        self.release_silent(now);
        self.tell_listeners(now);
        if self.list_due.is_some_and(|at| at <= now) {
            (self.list_due, self.list_told) = (None, Some(now));
            let rooms = self.listing(None);
            self.tell(Recipients::Watchers, RoomEvent::Rooms { rooms });
        }
    }

    /// The list is different: the watchers will be told, at once if they were not just told.
    pub(super) fn note_list(&mut self, now: Instant) {
        let due = self.list_told.map_or(now, |told| (told + LIST_INTERVAL).max(now));
        self.list_due.get_or_insert(due);
    }

    fn forget_absent(&mut self, now: Instant, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.absent.retain(|absent| absent.until > now);
        if let Host::Awaited(host) = room.host
            && !room.absent.iter().any(|absent| absent.who.id == host)
        {
            self.pass_on(now, id);
        }
    }
}
