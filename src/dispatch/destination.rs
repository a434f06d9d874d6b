//! Where something is announced, as it is written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// One of those places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// All rooms in which whoever announces may.
    Everybody,
    /// A room, by its id.
    Room(String),
    /// The media players of an area of Home Assistant's, by its name or id, and the rooms that are there.
    Area(String),
    /// A media player of Home Assistant's, or a group of them, by its entity.
    Player(String),
}

/// What is written is no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no destination; write everybody, room:study, area:kitchen or media_player.kitchen")]
pub struct UnknownDestination(String);

impl FromStr for Destination {
    type Err = UnknownDestination;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownDestination(written.to_owned());
        match written.trim().split_once([':', '.']) {
            None if written.trim() == "everybody" => Ok(Self::Everybody),
            Some((_, "")) | None => Err(unknown()),
            Some(("room", room)) => Ok(Self::Room(room.to_owned())),
            Some(("area", area)) => Ok(Self::Area(area.to_owned())),
            Some(("media_player" | "assist_satellite", _)) => Ok(Self::Player(written.trim().to_owned())),
            Some(_) => Err(unknown()),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everybody => f.write_str("everybody"),
            Self::Room(room) => write!(f, "room:{room}"),
            Self::Area(area) => write!(f, "area:{area}"),
            Self::Player(entity) => f.write_str(entity),
        }
    }
}

/// Destinations as a list, or in one text with commas between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations(pub Vec<Destination>);

impl FromStr for Destinations {
    type Err = UnknownDestination;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        written.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl<'de> Deserialize<'de> for Destinations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Many(Vec<String>),
        }
        match Written::deserialize(deserializer)? {
            Written::One(written) => written.parse(),
            Written::Many(list) => list.iter().map(|one| one.parse()).collect::<Result<_, _>>().map(Self),
        }
        .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_read_as_they_are_written() {
        for written in ["everybody", "room:study", "area:Living room", "media_player.kitchen", "assist_satellite.hall"]
        {
            let read: Destination = written.parse().expect(written);
            assert_eq!(read.to_string(), written);
        }
        for wrong in ["", "study", "room:", "area:", "media_player.", "light.kitchen", "everybody:x", "{{ x }}"] {
            assert_eq!(wrong.parse::<Destination>(), Err(UnknownDestination(wrong.into())), "{wrong}");
        }
    }

    #[test]
    fn several_are_a_list_or_one_text() {
        let several =
            Destinations(vec![Destination::Player("media_player.x".into()), Destination::Room("study".into())]);
        assert_eq!("media_player.x, room:study".parse(), Ok(several.clone()));
        assert_eq!(serde_json::from_str::<Destinations>(r#"["media_player.x","room:study"]"#).expect("read"), several);
        assert_eq!(serde_json::from_str::<Destinations>(r#""media_player.x,room:study""#).expect("read"), several);
        assert!(serde_json::from_str::<Destinations>(r#"["x"]"#).is_err());
    }
}
