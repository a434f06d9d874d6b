//! Who may announce where: each place by itself, before anything is read or made for it.

use crate::access::{Action, Denied, Permit, Target, Visitor};
use crate::domain::RoomId;
use crate::hass::{KnownPlayer, PlayerError};
use crate::rooms::{JoinError, RoomInfo};

use super::{Destination, DispatchError, Dispatcher, MAX_PLACES};

/// What somebody may announce in, each place once.
#[derive(Debug)]
pub struct Admitted {
    pub(super) rooms: Vec<(RoomId, Permit)>,
    pub(super) players: Vec<String>,
    /// For the players, where there are any.
    house: Option<Permit>,
    /// It is one announcement with a progress of its own, however many places it has.
    pub(super) is_joint: bool,
}

impl Admitted {
    /// One of the permits: all are of the same visitor.
    pub(super) fn permit(&self) -> &Permit {
        let first = self.rooms.first().map(|(_, permit)| permit);
        first.or(self.house.as_ref()).expect("nobody is admitted nowhere")
    }

    /// For the players, where there are any.
    pub(super) fn house(&self) -> Option<&Permit> {
        self.house.as_ref()
    }
}

impl Dispatcher {
    /// Lets somebody announce in the room of this id alone, as one that has the progress of that room.
    ///
    /// # Errors
    /// When they may not, or there is no such room.
    pub async fn admit_to_one(&self, visitor: &Visitor, room: &str) -> Result<Admitted, DispatchError> {
        let admitted = self.admit(visitor, &[Destination::Room(room.to_owned())]).await?;
        Ok(Admitted { is_joint: false, ..admitted })
    }

    /// Lets somebody announce in all of these.
    ///
    /// # Errors
    /// When they may not in one of them, or there is no such place, or there are too many.
    pub async fn admit(&self, visitor: &Visitor, to: &[Destination]) -> Result<Admitted, DispatchError> {
        let mut admitted = Admitted { rooms: Vec::new(), players: Vec::new(), house: None, is_joint: true };
        for destination in to {
            match destination {
                Destination::Everybody => self.admit_to_all(visitor, &mut admitted).await?,
                Destination::Room(slug) => {
                    let room = self.0.rooms.find(slug).ok_or_else(|| DispatchError::NoRoom(slug.clone()))?;
                    if let Err(denied) = self.admit_to_room(visitor, room, &mut admitted).await {
                        return Err(match denied {
                            Denied::Room(JoinError::NoRoom) => DispatchError::NoRoom(slug.clone()),
                            denied => denied.into(),
                        });
                    }
                }
                Destination::Area(name) => self.admit_to_area(visitor, name, &mut admitted).await?,
                Destination::Player(entity) => {
                    self.admit_to_players(visitor, &mut admitted, |known| group(known, entity)).await?;
                }
            }
        }
        match admitted.rooms.len() + admitted.players.len() {
            0 => Err(DispatchError::Nowhere),
            1..=MAX_PLACES => Ok(admitted),
            _ => Err(DispatchError::TooManyPlaces),
        }
    }

    /// To all rooms that there are, but for those where they may not.
    async fn admit_to_all(&self, visitor: &Visitor, admitted: &mut Admitted) -> Result<(), DispatchError> {
        let mut refusal = None;
        // A station is in rooms as well, and would hear it twice.
        let rooms = self.0.rooms.list().into_iter().filter(|room| room.station.is_none());
        for room in rooms.filter_map(|room| self.0.rooms.find(&room.id)) {
            // Whose token is for one room is told why that one refuses, and not that the others do.
            if let Err(denied) = self.admit_to_room(visitor, room, admitted).await
                && refusal.is_none_or(|known| known == Denied::OtherRoom)
            {
                refusal = Some(denied);
            }
        }
        match refusal.filter(|_| admitted.rooms.is_empty()) {
            Some(denied) => Err(denied.into()),
            None => Ok(()),
        }
    }

    /// To the media players of an area, and to the rooms whose device somebody has put there, but for those where they may not.
    async fn admit_to_area(&self, visitor: &Visitor, name: &str, admitted: &mut Admitted) -> Result<(), DispatchError> {
        let before = admitted.rooms.len();
        let mut refusal = None;
        for room in self.rooms_in(name) {
            if let Err(denied) = self.admit_to_room(visitor, room, admitted).await {
                refusal = Some(denied);
            }
        }
        match self.admit_to_players(visitor, admitted, |known| in_area(known, name)).await {
            // A room will do, and that it may not be said there is what they want to know.
            Err(DispatchError::NoArea(_)) if admitted.rooms.len() > before => Ok(()),
            Err(DispatchError::NoArea(area)) => Err(refusal.map_or(DispatchError::NoArea(area), DispatchError::from)),
            ended => ended,
        }
    }

    /// Rooms of ours whose device is in an area of Home Assistant's.
    fn rooms_in(&self, area: &str) -> Vec<RoomId> {
        let Some((players, _)) = &self.0.house else { return Vec::new() };
        let rooms = self.0.rooms.list().into_iter().filter(|room| room.station.is_none());
        let here = |room: &RoomInfo| players.area_of_room(&room.id).is_some_and(|known| known.is_called(area));
        rooms.filter(here).filter_map(|room| self.0.rooms.find(&room.id)).collect()
    }

    async fn admit_to_room(&self, visitor: &Visitor, room: RoomId, admitted: &mut Admitted) -> Result<(), Denied> {
        let permit = self.0.access.authorize(visitor, Action::Announce, Target::room(room)).await?;
        if admitted.rooms.iter().all(|(other, _)| *other != room) {
            admitted.rooms.push((room, permit));
        }
        Ok(())
    }

    async fn admit_to_players(
        &self,
        visitor: &Visitor,
        admitted: &mut Admitted,
        choose: impl FnOnce(&[KnownPlayer]) -> Result<Vec<String>, DispatchError>,
    ) -> Result<(), DispatchError> {
        if admitted.house.is_none() {
            admitted.house = Some(self.0.access.authorize(visitor, Action::AnnounceOnPlayer, Target::House).await?);
        }
        let (players, _) = self.0.house.as_ref().ok_or(PlayerError::Unlinked)?;
        if !players.is_linked() {
            return Err(PlayerError::Away.into());
        }
        for entity in choose(&players.list())? {
            if !admitted.players.contains(&entity) {
                admitted.players.push(entity);
            }
        }
        Ok(())
    }
}

/// A player by its entity; of a group, its members, each of which announces in its own way.
fn group(known: &[KnownPlayer], entity: &str) -> Result<Vec<String>, DispatchError> {
    let player = known.iter().find(|player| player.entity == entity);
    let player = player.ok_or_else(|| PlayerError::Unknown(entity.to_owned()))?;
    let members: Vec<_> =
        player.members.iter().filter(|member| known.iter().any(|other| other.entity == **member)).cloned().collect();
    Ok(if members.is_empty() { vec![entity.to_owned()] } else { members })
}

/// The players of an area: of a device that is two of them, the one that plays music too; groups are heard by their
/// members.
fn in_area(known: &[KnownPlayer], name: &str) -> Result<Vec<String>, DispatchError> {
    let here = |player: &&KnownPlayer| player.area.as_ref().is_some_and(|area| area.is_called(name));
    let is_media_player = |player: &KnownPlayer| player.entity.starts_with("media_player.");
    let is_second = |player: &KnownPlayer| {
        let twin =
            |other: &KnownPlayer| is_media_player(other) && player.device.is_some() && other.device == player.device;
        !is_media_player(player) && known.iter().any(twin)
    };
    let entities: Vec<_> = known
        .iter()
        .filter(here)
        .filter(|player| player.members.is_empty() && !is_second(player))
        .map(|player| player.entity.clone())
        .collect();
    if entities.is_empty() { Err(DispatchError::NoArea(name.to_owned())) } else { Ok(entities) }
}

#[cfg(test)]
mod tests {
    use crate::hass::Area;
    use crate::players::{Mode, PlayerKind};

    use super::*;

    fn player(entity: &str, area: Option<&str>, device: Option<&str>, members: &[&str]) -> KnownPlayer {
        KnownPlayer {
            entity: entity.into(),
            name: entity.into(),
            area: area.map(|name| Area { id: name.to_lowercase(), name: name.into() }),
            device: device.map(Into::into),
            members: members.iter().map(|member| (*member).into()).collect(),
            kind: PlayerKind::Plain,
            mode: Mode::Idle,
            volume: None,
            announcing: false,
        }
    }

    #[test]
    fn an_area_is_its_players_each_device_once_and_no_group() {
        let known = [
            player("assist_satellite.voice", Some("Kitchen"), Some("voice"), &[]),
            player("assist_satellite.wall", Some("Kitchen"), Some("wall"), &[]),
            player("media_player.downstairs", Some("Kitchen"), None, &["media_player.radio", "media_player.hall"]),
            player("media_player.hall", Some("Hall"), None, &[]),
            player("media_player.radio", Some("Kitchen"), None, &[]),
            player("media_player.voice", Some("Kitchen"), Some("voice"), &[]),
        ];
        let expected = ["assist_satellite.wall", "media_player.radio", "media_player.voice"];
        assert_eq!(in_area(&known, "KITCHEN").expect("there"), expected);
        assert!(matches!(in_area(&known, "attic"), Err(DispatchError::NoArea(_))));
        let members = ["media_player.radio", "media_player.hall"];
        assert_eq!(group(&known, "media_player.downstairs").expect("there"), members);
        assert_eq!(group(&known, "media_player.hall").expect("there"), ["media_player.hall"]);
        assert!(matches!(group(&known, "media_player.attic"), Err(DispatchError::Player(PlayerError::Unknown(_)))));
    }

    #[test]
    fn a_group_of_players_that_nobody_knows_is_played_to_itself() {
        let known = [player("media_player.all", None, None, &["media_player.echo"])];
        assert_eq!(group(&known, "media_player.all").expect("there"), ["media_player.all"]);
    }
}
