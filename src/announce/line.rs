//! The announcements of one room, in the order in which they are heard: the urgent before the others, each kind as they
//! came. The first is the one that plays.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::Priority;
use crate::limits::Full;

use super::{Announcement, AnnouncementId};

/// Those of one room.
#[derive(Debug, Default)]
pub(super) struct RoomQueue(VecDeque<Arc<Announcement>>);

/// What came of one more.
#[derive(Debug)]
pub(super) struct Placed {
    /// How many are before it.
    pub(super) position: usize,
    /// One that had to go for it, and was never heard.
    pub(super) displaced: Option<Arc<Announcement>>,
}

impl RoomQueue {
    /// One more, behind which `waiting` may wait at most, and `share` of whom one owner may have. An urgent one interrupts
    /// what is not; where there is no room for it, the last that is not urgent goes.
    pub(super) fn place(&mut self, new: Arc<Announcement>, waiting: usize, share: usize) -> Result<Placed, Full> {
        let owner = new.permit.owner();
        // One who may have all is told that it is full.
        if share <= waiting && self.0.iter().filter(|other| other.permit.owner() == owner).count() >= share {
            return Err(Full::Share(share as u64));
        }
        let urgent = self.0.iter().take_while(|other| other.priority == Priority::Urgent).count();
        let position = if new.priority == Priority::Urgent { urgent } else { self.0.len() };
        let mut displaced = None;
        if self.0.len() > waiting {
            // One that is not urgent is behind it.
            if position == self.0.len() {
                return Err(Full::All(waiting as u64 + 1));
            }
            displaced = self.0.pop_back();
        }
        self.0.insert(position, new);
        Ok(Placed { position, displaced })
    }

    /// The one that is to be heard now.
    pub(super) fn first(&self) -> Option<&Arc<Announcement>> {
        self.0.front()
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, id: AnnouncementId) -> Option<Arc<Announcement>> {
        let place = self.0.iter().position(|one| one.id == id)?;
        self.0.remove(place)
    }

    /// All, the one that plays first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Announcement>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::access::{Action, Permit};
    use crate::announce::Prepared;
    use crate::announce::playlist::Playlist;
    use crate::domain::RoomId;
    use crate::library::Recording;

    fn one(number: u128, priority: Priority) -> Arc<Announcement> {
        let nothing = Recording::of_bytes(b"").expect("memory");
        let prepared = Prepared {
            name: number.to_string().into(),
            priority,
            playlist: Playlist::new(None, &nothing, 1, 0.0),
            seconds: None,
            memory: None,
        };
        let permit = Permit::of_a_test(Action::Announce, RoomId::HOME);
        Arc::new(Announcement::new(AnnouncementId(Uuid::from_u128(number)), prepared, RoomId::HOME, permit))
    }

    fn names(line: &RoomQueue) -> Vec<&str> {
        line.iter().map(|one| &*one.name).collect()
    }

    #[test]
    fn they_are_heard_as_they_came_and_the_urgent_before_the_others() {
        let mut line = RoomQueue::default();
        let mut place = |number, priority| line.place(one(number, priority), 9, 99).expect("room").position;
        let positions = [
            place(1, Priority::Normal),
            place(2, Priority::Normal),
            place(3, Priority::Urgent),
            place(4, Priority::Urgent),
            place(5, Priority::Normal),
        ];
        assert_eq!(positions, [0, 1, 0, 1, 4]);
        assert_eq!(names(&line), ["3", "4", "1", "2", "5"]);
        line.remove(AnnouncementId(Uuid::from_u128(3))).expect("there");
        assert!(line.remove(AnnouncementId(Uuid::from_u128(3))).is_none());
        assert_eq!(line.first().map(|one| &*one.name), Some("4"));
    }

    #[test]
    fn a_full_line_takes_no_more_but_for_the_urgent_which_displace_the_last() {
        let mut line = RoomQueue::default();
        for number in 1..=3 {
            line.place(one(number, Priority::Normal), 2, 99).expect("room");
        }
        assert_eq!(line.place(one(4, Priority::Normal), 2, 99).expect_err("full"), Full::All(3));
        let displaced = |placed: Placed| placed.displaced.map(|one| one.name.clone());
        assert_eq!(displaced(line.place(one(5, Priority::Urgent), 2, 99).expect("room")).as_deref(), Some("3"));
        assert_eq!(displaced(line.place(one(6, Priority::Urgent), 2, 99).expect("room")).as_deref(), Some("2"));
        assert_eq!(displaced(line.place(one(7, Priority::Urgent), 2, 99).expect("room")).as_deref(), Some("1"));
        assert_eq!(line.place(one(8, Priority::Urgent), 2, 99).expect_err("full of the urgent"), Full::All(3));
        assert_eq!(names(&line), ["5", "6", "7"]);
    }

    #[test]
    fn where_none_may_wait_one_plays_all_the_same() {
        let mut line = RoomQueue::default();
        assert!(line.place(one(1, Priority::Normal), 0, 99).is_ok());
        assert!(line.place(one(2, Priority::Normal), 0, 99).is_err());
    }

    #[test]
    fn one_owner_has_a_share_of_the_line_also_with_what_is_urgent() {
        let mut line = RoomQueue::default();
        for number in 1..=2 {
            line.place(one(number, Priority::Urgent), 9, 2).expect("room");
        }
        assert_eq!(line.place(one(3, Priority::Urgent), 9, 2).expect_err("a share"), Full::Share(2));
        assert_eq!(names(&line), ["1", "2"]);
    }
}
