//! What is known of an announcement afterwards, in all its places; and its end, by whoever may.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use uuid::Uuid;

use crate::access::{Action, Target, Visitor};
use crate::announce::{AnnouncementId, KnownAnnouncement, Outcome};
use crate::domain::RoomId;
use crate::hass::ClipProgress;
use crate::players;

use super::{Destination, DispatchError, Dispatcher, OnPlayer, lock};

/// One announcement in several places.
#[derive(Debug)]
pub struct JointAnnouncement {
    /// Its identity.
    pub id: Uuid,
    /// How people call it.
    pub name: Arc<str>,
    /// Where it is announced.
    pub parts: Vec<Part>,
}

/// An announcement in one of its places. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Part {
    /// In a room.
    Room {
        /// Its identity there.
        id: AnnouncementId,
        /// The room.
        room: RoomId,
        /// The room's id, as programs know it.
        slug: String,
    },
    /// On a player.
    Player(Arc<OnPlayer>),
    /// Nowhere, since it was refused there: why.
    Refused(Destination, String),
}

impl Part {
    /// Its identity; of what was refused there is none.
    pub(super) fn id(&self) -> Uuid {
        match self {
            Self::Room { id, .. } => id.0,
            Self::Player(on_player) => on_player.id,
            Self::Refused(..) => Uuid::nil(),
        }
    }
}

/// What is known of an announcement.
#[derive(Debug)]
pub enum Found {
    /// In the room of this id.
    InRoom(Uuid, String, KnownAnnouncement),
    /// On a player.
    OnPlayer(Arc<OnPlayer>),
    /// Refused in one of several places, and why.
    Refused(Destination, String),
    /// It was in the room of this id; how it ended is known no longer.
    Forgotten(Uuid, String),
    /// In several places, each by itself.
    Joint(Arc<JointAnnouncement>, Vec<Found>),
}

/// How far an announcement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for its turn.
    Waiting,
    /// It plays.
    Playing,
    /// It was heard to its end.
    Played,
    /// It was stopped.
    Stopped,
    /// Something urgent took its place.
    Displaced,
    /// It was not heard, or not to its end.
    Failed,
    /// Nobody knows any more.
    Unknown,
}

/// Why an announcement is not stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopError {
    /// Whoever asks knows of none.
    #[error("There is no such announcement, or it is over")]
    Unknown,
    /// Players announce it by themselves; elsewhere it was stopped.
    #[error("It is over, or announced by the player itself and cannot be stopped: {0}")]
    Unstoppable(String),
}

/// What came of stopping an announcement in one place.
enum Stopped {
    Now,
    Before,
    Never(String),
}

impl State {
    /// As programs know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Playing => "playing",
            Self::Played => "played",
            Self::Stopped => "stopped",
            Self::Displaced => "displaced",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    fn in_room(known: &KnownAnnouncement) -> Self {
        match known {
            KnownAnnouncement::Lives(_, 0) => Self::Playing,
            KnownAnnouncement::Lives(..) => Self::Waiting,
            KnownAnnouncement::Over(_, Outcome::Played) => Self::Played,
            KnownAnnouncement::Over(_, Outcome::Stopped) => Self::Stopped,
            KnownAnnouncement::Over(_, Outcome::Displaced) => Self::Displaced,
            KnownAnnouncement::Over(_, Outcome::Failed(_)) => Self::Failed,
        }
    }

    fn on_player(progress: &ClipProgress) -> Self {
        match progress {
            ClipProgress::Waiting => Self::Waiting,
            ClipProgress::Playing(_) => Self::Playing,
            ClipProgress::Over(players::Outcome::Played) => Self::Played,
            ClipProgress::Over(players::Outcome::Stopped) => Self::Stopped,
            ClipProgress::Over(players::Outcome::Failed(_)) => Self::Failed,
        }
    }

    /// Of all places together: as long as it is heard anywhere it plays, and played it was only if it was everywhere.
    pub(super) fn of_all(states: &[Self]) -> Self {
        let order = [Self::Playing, Self::Waiting, Self::Failed, Self::Displaced, Self::Stopped, Self::Unknown];
        order.into_iter().find(|state| states.contains(state)).unwrap_or(Self::Played)
    }
}

impl Found {
    /// How far it is.
    pub fn state(&self) -> State {
        match self {
            Self::InRoom(_, _, known) => State::in_room(known),
            Self::OnPlayer(on_player) => State::on_player(&on_player.progress()),
            Self::Refused(..) => State::Failed,
            Self::Forgotten(..) => State::Unknown,
            Self::Joint(_, parts) => State::of_all(&parts.iter().map(Self::state).collect::<Vec<_>>()),
        }
    }
}

impl Dispatcher {
    /// What is known of an announcement, if this visitor may know of it: of one in several places, of those alone of which
    /// they may.
    pub async fn find(&self, visitor: &Visitor, id: Uuid) -> Option<Found> {
        if let Some(joint) = self.joint(id) {
            let mut parts = Vec::new();
            for part in &joint.parts {
                parts.extend(self.look(visitor, part).await);
            }
            let is_known = parts.iter().any(|part| !matches!(part, Found::Refused(..)));
            return is_known.then_some(Found::Joint(joint, parts));
        }
        let part = self.single(visitor, Action::SeeAnnouncements, id).await?;
        self.look(visitor, &part).await
    }

    /// Stops an announcement wherever this visitor may, or takes it out of its line.
    ///
    /// # Errors
    /// When there is none that they may stop, or a player announces it by itself.
    pub async fn stop(&self, visitor: &Visitor, id: Uuid) -> Result<(), StopError> {
        let single;
        let joint = self.joint(id);
        let parts = match &joint {
            Some(joint) => &joint.parts[..],
            None => {
                single = [self.single(visitor, Action::Announce, id).await.ok_or(StopError::Unknown)?];
                &single
            }
        };
        let (mut stopped, mut playing) = (0, Vec::new());
        for part in parts {
            match self.stop_part(visitor, part).await {
                Stopped::Now => stopped += 1,
                Stopped::Before => {}
                Stopped::Never(entity) => playing.push(entity),
            }
        }
        match (stopped, playing.is_empty()) {
            (_, false) => Err(StopError::Unstoppable(playing.join(", "))),
            (0, true) => Err(StopError::Unknown),
            (_, true) => Ok(()),
        }
    }

    /// What is announced in a room now, as people call it.
    pub fn announced_in(&self, room: RoomId) -> Option<Arc<str>> {
        self.0.announcer.first_in(room).map(|first| Arc::clone(&first.name))
    }

    /// Stops whatever this visitor may stop in these places, or everywhere.
    ///
    /// # Errors
    /// When they may not in one of them, or there is no such place.
    pub async fn stop_in(&self, visitor: &Visitor, places: Option<&[Destination]>) -> Result<(), DispatchError> {
        let admitted = match places {
            Some(places) => Some(self.admit(visitor, places).await?),
            None => None,
        };
        let is_room = |room: RoomId| {
            admitted.as_ref().is_none_or(|admitted| admitted.rooms.iter().any(|(other, _)| *other == room))
        };
        let is_player = |entity: &String| admitted.as_ref().is_none_or(|admitted| admitted.players.contains(entity));
        for (room, line) in self.0.announcer.list().into_iter().filter(|(room, _)| is_room(*room)) {
            for announcement in line {
                self.stop_in_room(visitor, room, announcement.id).await;
            }
        }
        let on_players = lock(&self.0.on_players).clone();
        for on_player in on_players.iter().filter(|one| is_player(&one.entity)) {
            // What a player announces by itself goes on; nothing else can be done.
            self.stop_on_player(visitor, on_player).await;
        }
        Ok(())
    }

    /// What is announced on a player under this identity, for whoever knows it.
    pub fn on_player(&self, id: Uuid) -> Option<Arc<OnPlayer>> {
        lock(&self.0.on_players).iter().find(|one| one.id == id).map(Arc::clone)
    }

    fn joint(&self, id: Uuid) -> Option<Arc<JointAnnouncement>> {
        lock(&self.0.joint).iter().find(|one| one.id == id).map(Arc::clone)
    }

    /// One that is in a single place, if this visitor may do this there. Whose it is, is known by the room that it is in:
    /// of all rooms in which they could be heard.
    async fn single(&self, visitor: &Visitor, action: Action, id: Uuid) -> Option<Part> {
        if let Some(on_player) = self.on_player(id) {
            return Some(Part::Player(on_player));
        }
        let id = AnnouncementId(id);
        let room = self.0.announcer.find(id)?.room();
        self.0.access.authorize(visitor, action, Target::room(room)).await.ok()?;
        Some(Part::Room { id, room, slug: self.0.rooms.slug(room)? })
    }

    async fn look(&self, visitor: &Visitor, part: &Part) -> Option<Found> {
        match part {
            Part::Room { id, room, slug } => {
                self.0.access.authorize(visitor, Action::SeeAnnouncements, Target::room(*room)).await.ok()?;
                let known = self.0.announcer.find(*id);
                Some(known.map_or_else(
                    || Found::Forgotten(id.0, slug.clone()),
                    |known| Found::InRoom(id.0, slug.clone(), known),
                ))
            }
            Part::Player(on_player) => {
                self.0.access.authorize(visitor, Action::ListPlayers, Target::House).await.ok()?;
                Some(Found::OnPlayer(Arc::clone(on_player)))
            }
            Part::Refused(place, why) => Some(Found::Refused(place.clone(), why.clone())),
        }
    }

    async fn stop_part(&self, visitor: &Visitor, part: &Part) -> Stopped {
        match part {
            Part::Room { id, room, .. } => self.stop_in_room(visitor, *room, *id).await,
            // What was said by now is heard still, unless somebody wants it to end a second time.
            Part::Player(on_player) if on_player.is_live && !on_player.ending.load(Ordering::Relaxed) => {
                self.stop_live(visitor, on_player).await
            }
            Part::Player(on_player) => self.stop_on_player(visitor, on_player).await,
            Part::Refused(..) => Stopped::Before,
        }
    }

    async fn stop_in_room(&self, visitor: &Visitor, room: RoomId, id: AnnouncementId) -> Stopped {
        let may = self.0.access.authorize(visitor, Action::Announce, Target::room(room)).await.is_ok();
        if may && self.0.announcer.stop(id) { Stopped::Now } else { Stopped::Before }
    }

    async fn stop_live(&self, visitor: &Visitor, on_player: &Arc<OnPlayer>) -> Stopped {
        let may = self.0.access.authorize(visitor, Action::AnnounceOnPlayer, Target::House).await.is_ok();
        if !may || on_player.is_over() {
            return Stopped::Before;
        }
        self.drain(Arc::clone(on_player));
        Stopped::Now
    }

    async fn stop_on_player(&self, visitor: &Visitor, on_player: &OnPlayer) -> Stopped {
        let may = self.0.access.authorize(visitor, Action::AnnounceOnPlayer, Target::House).await.is_ok();
        let placed = on_player.placed.get().filter(|_| may && !on_player.is_over());
        let (Some((clip, _)), Some((players, _))) = (placed, &self.0.house) else { return Stopped::Before };
        match players.stop(&on_player.entity, *clip).await || on_player.is_over() {
            true => Stopped::Now,
            false => Stopped::Never(on_player.entity.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_places_have_played_it_only_if_all_have() {
        use State::{Failed, Played, Playing, Stopped, Unknown, Waiting};
        for (states, together) in [
            (&[Played, Played][..], Played),
            (&[Played, Waiting], Waiting),
            (&[Failed, Waiting, Playing], Playing),
            (&[Played, Failed, Stopped], Failed),
            (&[Played, Stopped], Stopped),
            (&[Played, Unknown], Unknown),
        ] {
            assert_eq!(State::of_all(states), together, "{states:?}");
        }
    }
}
