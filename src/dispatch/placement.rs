//! The way of an announcement to its places: it is prepared once, and waits in the line of each.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use uuid::Uuid;

use crate::access::Permit;
use crate::announce::{AnnounceRequest, Prepared, Rendered};
use crate::calls::EVERYBODY;
use crate::domain::{Owner, Priority, RoomId};
use crate::hass::{NewClip, PlayerError};
use crate::library::{FileId, Recording};
use crate::limits::Place;
use crate::players::VolumeRule;
use crate::rooms::clean_name;

use super::found::{JointAnnouncement, Part};
use super::{Admitted, Content, Destination, DispatchError, Dispatched, Dispatcher, Manner, OnPlayer, lock, remember};

/// What our own addresses of files begin with.
const FILES: &str = "api/files/";

/// How something is called that came without a name.
const NAMELESS: &str = "Announcement";

impl Dispatcher {
    /// Memory for a recording of so many bytes that is to be heard there.
    ///
    /// # Errors
    /// When it is too large, or there is none left.
    pub fn reserve(&self, admitted: &Admitted, bytes: u64) -> Result<Place, DispatchError> {
        Ok(self.0.announcer.reserve(admitted.permit(), bytes)?)
    }

    /// Announces something wherever it was admitted. Where it is refused in some of several places only, that is told of
    /// them.
    ///
    /// # Errors
    /// When it cannot be played, or is refused everywhere.
    pub async fn announce(
        &self,
        admitted: Admitted,
        content: Content,
        manner: Manner,
    ) -> Result<Dispatched, DispatchError> {
        let (volume, priority) = (manner.player_volume(), manner.priority);
        let prepared = self.prepare(admitted.permit(), content, manner).await?;
        let is_joint = admitted.is_joint;
        let mut parts = self.place(admitted, &prepared, priority, volume).await?;
        if !is_joint && let Some(only) = parts.pop() {
            let (part, position) = only.map_err(Refusal::into_error)?;
            self.follow(part.id(), prepared.name(), std::slice::from_ref(&part));
            return Ok(Dispatched::Single(part.id(), position));
        }
        self.join(prepared.name(), parts)
    }

    /// One announcement of what was placed; refused, where all of it was.
    pub(super) fn join(&self, name: Arc<str>, parts: Vec<Placed>) -> Result<Dispatched, DispatchError> {
        if parts.iter().all(Result::is_err) {
            let first = parts.into_iter().find_map(Result::err);
            return Err(first.map_or(DispatchError::Nowhere, Refusal::into_error));
        }
        let told = parts.into_iter().map(|part| part.map_or_else(Refusal::into_part, |(part, _)| part));
        let joint = Arc::new(JointAnnouncement { id: Uuid::new_v4(), name, parts: told.collect() });
        remember(&mut lock(&self.0.joint), Arc::clone(&joint), |_| true);
        self.follow(joint.id, Arc::clone(&joint.name), &joint.parts);
        Ok(Dispatched::Joint(joint))
    }

    /// Has it wait in the line of each place.
    async fn place(
        &self,
        admitted: Admitted,
        prepared: &Prepared,
        priority: Priority,
        volume: VolumeRule,
    ) -> Result<Vec<Placed>, DispatchError> {
        let house = admitted.house().cloned();
        let Admitted { rooms, players, .. } = admitted;
        // Rooms first: they need no file, and begin at once.
        let place_in_room = |(room, permit)| self.place_in_room(room, permit, prepared, priority);
        let mut parts: Vec<_> = rooms.into_iter().map(place_in_room).collect();
        let Some(permit) = house else { return Ok(parts) };
        // Players are the whole house's.
        if self.0.calls.is_quiet(EVERYBODY, priority) {
            let refusal = |entity| Err(Refusal::with(Destination::Player(entity), DispatchError::DoNotDisturb));
            parts.extend(players.into_iter().map(refusal));
            return Ok(parts);
        }
        match self.0.announcer.render(&permit, prepared).await.map(Arc::new) {
            Ok(rendered) => {
                let is_urgent = priority == Priority::Urgent;
                let given = ForPlayers { rendered, volume, is_urgent, owner: permit.owner() };
                for entity in players {
                    parts.push(self.place_on_player(entity, prepared, &given).await);
                }
            }
            Err(error) if parts.is_empty() => return Err(error.into()),
            Err(error) => {
                let refusal = |entity| Refusal::of(Destination::Player(entity), error.to_string());
                parts.extend(players.into_iter().map(|entity| Err(refusal(entity))));
            }
        }
        Ok(parts)
    }

    async fn prepare(&self, permit: &Permit, content: Content, manner: Manner) -> Result<Prepared, DispatchError> {
        let Manner { name, chime, volume, repeat, priority, .. } = manner;
        let chime = match chime.filter(|chime| !chime.is_empty()) {
            Some(chime) => Some(self.file(&chime).await?.0),
            None => None,
        };
        let (recording, called, memory) = match content {
            Content::File(file) => {
                let (recording, called) = self.file(&file).await?;
                (recording, called, None)
            }
            Content::Clip(recording, memory) => (recording, NAMELESS.to_owned(), Some(memory)),
            Content::Text(text, language) => {
                let (_, speech) = self.0.house.as_ref().ok_or(PlayerError::Unlinked)?;
                // It keeps Home Assistant busy for seconds.
                let _turn = self.0.announcer.turn(permit)?;
                let file = speech.speak(&text, language.as_deref(), self.0.announcer.most_bytes()).await?;
                let (recording, memory) = self.keep(permit, &file)?;
                (recording, text, Some(memory))
            }
            Content::Address(address) => {
                let (_, speech) = self.0.house.as_ref().ok_or(PlayerError::Unlinked)?;
                let _turn = self.0.announcer.turn(permit)?;
                let file = speech.fetch_media(&address, self.0.announcer.most_bytes()).await?;
                let (recording, memory) = self.keep(permit, &file)?;
                (recording, NAMELESS.to_owned(), Some(memory))
            }
        };
        let name = clean_name(name.as_deref().unwrap_or(&called));
        let name = Some(name).filter(|name| !name.is_empty()).unwrap_or_else(|| NAMELESS.into());
        let wish = AnnounceRequest { name, recording, chime, volume, repeat, priority, memory };
        Ok(self.0.announcer.prepare(permit, wish).await?)
    }

    /// What was fetched, and the memory that it takes.
    fn keep(&self, permit: &Permit, file: &[u8]) -> Result<(Recording, Place), DispatchError> {
        let memory = self.0.announcer.reserve(permit, file.len() as u64)?;
        let recording = Recording::of_bytes(file).map_err(|_| DispatchError::NoMemory)?;
        Ok((recording, memory))
    }

    /// The file that is meant, by its id, its name, or its address here; and how people call it.
    async fn file(&self, file: &str) -> Result<(Recording, String), DispatchError> {
        let catalogue = &self.0.catalogue;
        let plain = file.strip_prefix('/').unwrap_or(file);
        let id = match plain.strip_prefix(FILES) {
            Some(id) => id.parse().ok(),
            None => catalogue.called(file).or_else(|| file.parse::<FileId>().ok()),
        };
        let known = id.and_then(|id| Some((id, catalogue.find(id)?)));
        let (id, facts) = known.ok_or_else(|| DispatchError::NoFile(file.to_owned()))?;
        let open = catalogue.open(id).await.map_err(|error| DispatchError::File(facts.name.clone(), error))?;
        let stem = facts.name.rsplit('/').next().unwrap_or_default();
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem).to_owned();
        Ok((Recording::of(open), facts.title.unwrap_or(stem)))
    }

    fn place_in_room(&self, room: RoomId, permit: Permit, prepared: &Prepared, priority: Priority) -> Placed {
        let slug = self.0.rooms.slug(room).unwrap_or_default();
        if self.0.calls.is_quiet(&slug, priority) {
            return Err(Refusal::with(Destination::Room(slug), DispatchError::DoNotDisturb));
        }
        if priority == Priority::Low && self.0.announcer.is_talked_in(room) {
            return Err(Refusal::with(Destination::Room(slug), DispatchError::SomebodyTalks));
        }
        match self.0.announcer.announce(permit, prepared.clone().at(self.volume_in(&slug))) {
            Ok((id, position)) => Ok((Part::Room { id, room, slug }, position)),
            Err(error) => Err(Refusal::with(Destination::Room(slug), error)),
        }
    }

    async fn place_on_player(&self, entity: String, prepared: &Prepared, given: &ForPlayers) -> Placed {
        let ForPlayers { rendered, volume, is_urgent, owner } = given;
        let (volume, is_urgent, owner) = (*volume, *is_urgent, owner.clone());
        let length = Some(rendered.length);
        let new = OnPlayer::new(entity, prepared.name(), Some(Arc::clone(rendered)));
        let url = format!("announce/{}.mp3", new.id);
        self.give(new, NewClip { url, length, volume, is_urgent, is_live: false, owner }).await
    }

    /// Has a player play something; the address is yet to be completed.
    pub(super) async fn give(&self, new: OnPlayer, mut clip: NewClip) -> Placed {
        let new = Arc::new(new);
        let refused = |entity: &str, error: DispatchError| Refusal::with(Destination::Player(entity.to_owned()), error);
        let Some((players, _)) = &self.0.house else { return Err(refused(&new.entity, PlayerError::Unlinked.into())) };
        let host = self.host().await.map_err(|error| refused(&new.entity, error))?;
        clip.url = format!("http://{}/{}", SocketAddr::new(host, self.0.mp3_port), clip.url);
        // Before the player is told, which may ask for it at once.
        remember(&mut lock(&self.0.on_players), Arc::clone(&new), OnPlayer::is_over);
        match players.announce(&new.entity, clip).await {
            Ok(placed) => {
                new.placed.set(placed).expect("it is placed once");
                self.0.tracker.spawn(Arc::clone(&new).tidy());
                Ok((Part::Player(new), 0))
            }
            Err(error) => {
                lock(&self.0.on_players).retain(|other| other.id != new.id);
                Err(refused(&new.entity, error.into()))
            }
        }
    }

    /// Where players find this machine: players know no names, and not what is local here alone.
    async fn host(&self) -> Result<IpAddr, DispatchError> {
        let addresses = self.0.engine.addresses().await.unwrap_or_default();
        let hosts = || addresses.iter().map(SocketAddr::ip);
        let own = hosts().find(|host| host.is_ipv4() && !host.is_loopback()).or_else(|| hosts().next());
        own.ok_or(DispatchError::NoAddress)
    }
}

/// What all players of one announcement are given.
struct ForPlayers {
    rendered: Arc<Rendered>,
    volume: VolumeRule,
    /// It goes before those that wait and are not.
    is_urgent: bool,
    /// Who answers for it.
    owner: Owner,
}

/// What became of an announcement in one place: how many are before it there, or why it is refused.
pub(super) type Placed = Result<(Part, usize), Refusal>;

/// That one place does not take an announcement.
pub(super) struct Refusal {
    place: Destination,
    why: String,
    /// The same for programs, unless it is why others refuse it too.
    error: Option<DispatchError>,
}

impl Refusal {
    fn of(place: Destination, why: String) -> Self {
        Self { place, why, error: None }
    }

    pub(super) fn with(place: Destination, error: impl Into<DispatchError>) -> Self {
        let error = error.into();
        Self { place, why: error.to_string(), error: Some(error) }
    }

    fn into_part(self) -> Part {
        Part::Refused(self.place, self.why)
    }

    fn into_error(self) -> DispatchError {
        self.error.unwrap_or(DispatchError::Nowhere)
    }
}
