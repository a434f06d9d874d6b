//! What is to be announced, as programs write it: in a request, or in an event of Home Assistant's.

use serde::Deserialize;

use crate::access::Visitor;
use crate::announce::{REPEATS, VOLUMES};
use crate::domain::Priority;

use super::{Admitted, Content, Destinations, DispatchError, Dispatched, Dispatcher, Manner};

/// What somebody writes who has something announced.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Where it is to be heard, in one or several places.
    pub to: Option<Destinations>,
    /// The same, if it is one room: its id. Then it has a progress of its own, and not one of several places.
    pub room: Option<String>,
    /// How loud players are to be meanwhile, in percent; without it, as they are.
    pub player_volume: Option<u8>,
    /// What is announced: a file's id, its name, or its address here. Not with a recording that is sent along.
    pub file: Option<String>,
    /// Instead of it, what Home Assistant is to speak.
    #[serde(alias = "message")]
    pub text: Option<String>,
    /// Instead of them, what is said in the room of this id, live, until it is stopped. On players only.
    pub live: Option<String>,
    /// In which language; without it, the engine's own.
    pub language: Option<String>,
    /// How people call it, if not by the file's name.
    pub name: Option<String>,
    /// What is heard before: likewise a file.
    pub chime: Option<String>,
    /// In decibels.
    #[serde(default)]
    pub volume: f32,
    /// Times.
    #[serde(default = "once")]
    pub repeat: u32,
    /// Before what.
    #[serde(default)]
    pub priority: Priority,
}

fn once() -> u32 {
    1
}

impl Wish {
    /// What it names that is to be heard: a file or a text.
    ///
    /// # Errors
    /// When it names neither, or both.
    pub fn content(&mut self) -> Result<Content, DispatchError> {
        match (self.file.take(), self.text.take()) {
            (Some(file), None) => Ok(Content::File(file)),
            (None, Some(text)) => Ok(Content::Text(text, self.language.take())),
            _ => Err(DispatchError::Invalid("Say what: file, by its id, name or address, or text, or live")),
        }
    }

    /// How it is to be heard.
    ///
    /// # Errors
    /// When something is out of its range.
    pub fn manner(self) -> Result<Manner, DispatchError> {
        let Self { player_volume, volume, repeat, priority, name, chime, .. } = self;
        if player_volume.is_some_and(|percent| percent > 100) {
            return Err(DispatchError::Invalid("player_volume is a percentage, from 0 to 100"));
        }
        if !VOLUMES.contains(&volume) || !REPEATS.contains(&repeat) {
            return Err(DispatchError::Invalid("volume is decibels, from -60 to 20; repeat is 1 to 10"));
        }
        Ok(Manner { name, chime, volume, repeat, priority, player_volume })
    }
}

impl Dispatcher {
    /// Lets somebody announce wherever they wish to.
    ///
    /// # Errors
    /// When they may not, or there is no such place.
    pub async fn admit_wish(&self, visitor: &Visitor, wish: &Wish) -> Result<Admitted, DispatchError> {
        self.0.access.admit_priority(visitor, wish.priority)?;
        match (&wish.to, &wish.room) {
            (Some(Destinations(to)), None) => self.admit(visitor, to).await,
            (None, Some(room)) => self.admit_to_one(visitor, room).await,
            _ => Err(DispatchError::Nowhere),
        }
    }

    /// Announces what somebody wishes, of what is here or is spoken.
    ///
    /// # Errors
    /// When they may not, or it cannot be.
    pub async fn fulfil(&self, visitor: &Visitor, mut wish: Wish) -> Result<Dispatched, DispatchError> {
        if let Some(room) = wish.live.take() {
            return self.go_live(visitor, &room, wish).await;
        }
        let content = wish.content()?;
        let admitted = self.admit_wish(visitor, &wish).await?;
        self.announce(admitted, content, wish.manner()?).await
    }
}
