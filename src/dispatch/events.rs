//! What is told of announcements while they go on, to whoever wants to know.

use std::sync::Arc;

use tokio::sync::broadcast;
use uuid::Uuid;

use super::found::{Found, Part, State};
use super::{Destination, Dispatcher};

/// Events that wait for whoever reads them; the oldest are lost.
pub(super) const EVENTS: usize = 256;

/// Something about an announcement.
#[derive(Debug, Clone)]
pub enum AnnouncementEvent {
    /// It plays, or waits for its turn.
    Started {
        /// Which.
        id: Uuid,
        /// How people call it.
        name: Arc<str>,
        /// Where.
        places: Vec<String>,
    },
    /// It is over everywhere.
    Ended {
        /// Which.
        id: Uuid,
        /// How people call it.
        name: Arc<str>,
        /// Where.
        places: Vec<String>,
        /// How.
        state: State,
    },
}

impl Dispatcher {
    /// What happens to announcements from now on.
    pub fn events(&self) -> broadcast::Receiver<AnnouncementEvent> {
        self.0.events.subscribe()
    }

    /// Tells that one has begun, and, when it is over in all its places, how.
    pub(super) fn follow(&self, id: Uuid, name: Arc<str>, parts: &[Part]) {
        let places: Vec<_> = parts.iter().map(Part::place).collect();
        // Nobody may want to know, in both cases.
        let started = AnnouncementEvent::Started { id, name: Arc::clone(&name), places: places.clone() };
        let _ = self.0.events.send(started);
        let (dispatcher, parts) = (self.clone(), parts.to_vec());
        self.0.tracker.spawn(async move {
            let mut states = Vec::new();
            for part in &parts {
                states.push(dispatcher.end_of(part).await);
            }
            let _ =
                dispatcher.0.events.send(AnnouncementEvent::Ended { id, name, places, state: State::of_all(&states) });
        });
    }

    /// Waits until it is over there, and gives how.
    async fn end_of(&self, part: &Part) -> State {
        match part {
            Part::Room { id, slug, .. } => {
                self.0.announcer.ended(*id).await;
                let known = self.0.announcer.find(*id);
                known.map_or(State::Unknown, |known| Found::InRoom(id.0, slug.clone(), known).state())
            }
            Part::Player(on_player) => {
                on_player.ended().await;
                Found::OnPlayer(Arc::clone(on_player)).state()
            }
            Part::Refused(..) => State::Failed,
        }
    }
}

impl Part {
    /// Where it is, as it is written.
    fn place(&self) -> String {
        match self {
            Self::Room { slug, .. } => Destination::Room(slug.clone()).to_string(),
            Self::Player(on_player) => on_player.entity.clone(),
            Self::Refused(destination, _) => destination.to_string(),
        }
    }
}
