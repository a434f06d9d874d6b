//! The places that have entities, and how it is there now.

use crate::access::{Access, Visitor};
use crate::calls::{CallId, CallsHandle, EVERYBODY, Passes};
use crate::dispatch::Dispatcher;
use crate::domain::Priority;
use crate::hass::{HomeUser, ServiceCalls, ServiceTarget};
use crate::mailbox::MailboxHandle;
use crate::rooms::RoomsHandle;

/// A place that has entities.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// All rooms together.
    House,
    /// One of them, by its id.
    Room(String),
}

impl Place {
    /// Its id, as one calls it.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::House => EVERYBODY,
            Self::Room(room) => room,
        }
    }

    /// The id of the room that it is.
    pub(super) fn room(&self) -> Option<&str> {
        match self {
            Self::House => None,
            Self::Room(room) => Some(room),
        }
    }

    /// The same, taken out of it.
    pub(super) fn into_room(self) -> Option<String> {
        match self {
            Self::Room(room) => Some(room),
            Self::House => None,
        }
    }
}

/// How it is in a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PlaceState {
    /// Who is heard, by their names.
    pub(super) talking: Vec<String>,
    /// Who is there.
    pub(super) people: Vec<String>,
    /// What is announced there: the first of it.
    pub(super) announcing: Option<String>,
    /// Who calls those who are there, by their names.
    pub(super) callers: Vec<String>,
    /// Who has left a voice message that nobody has heard, by their names.
    pub(super) messages: Vec<String>,
    /// What gets through to them, where they are not to be disturbed.
    pub(super) do_not_disturb: Option<Passes>,
    /// How loud announcements are there, in percent; in the house, where they are loudest.
    pub(super) volume: u8,
}

/// The house, as entities show it: the rooms that are always there. Others come and go with those who open them, and are
/// theirs; and so are those of stations.
#[derive(Clone)]
pub(super) struct House {
    pub(super) rooms: RoomsHandle,
    pub(super) dispatcher: Dispatcher,
    pub(super) calls: CallsHandle,
    pub(super) mailbox: MailboxHandle,
    pub(super) access: Access,
    /// Who uses entities, where there is a link to Home Assistant.
    pub(super) service_calls: Option<ServiceCalls>,
}

impl House {
    /// Whoever has just used this: neither a broker nor ESPHome's protocol says who.
    pub(super) async fn user_of(&self, target: &ServiceTarget) -> Visitor {
        let user = match &self.service_calls {
            Some(calls) => calls.user_of(target).await,
            None => None,
        };
        match user {
            Some(HomeUser { id, name }) => Visitor::of_home_assistant(Some(&id), name),
            None => Visitor::of_home_assistant(None, None),
        }
    }

    /// The rooms of a place, by their ids.
    pub(super) fn rooms_of(&self, place: &Place) -> Vec<String> {
        match place {
            Place::Room(room) => vec![room.clone()],
            Place::House => self.places().into_iter().filter_map(|(place, _)| place.into_room()).collect(),
        }
    }

    /// All places, with how people call them.
    pub(super) fn places(&self) -> Vec<(Place, String)> {
        let rooms = self.rooms.list().into_iter().filter(|room| room.permanent && room.station.is_none());
        let rooms = rooms.map(|room| (Place::Room(room.id), room.name));
        std::iter::once((Place::House, String::new())).chain(rooms).collect()
    }

    /// How it is there now.
    pub(super) fn state(&self, place: &Place) -> PlaceState {
        match place {
            Place::Room(room) => self.state_of_room(room),
            Place::House => {
                let (callers, do_not_disturb) = (self.callers(place), self.passes(EVERYBODY));
                let messages = self.mailbox.waiting(None);
                let mut house = PlaceState { callers, messages, do_not_disturb, ..PlaceState::default() };
                for room in self.rooms_of(place) {
                    let PlaceState { talking, people, announcing, volume, .. } = self.state_of_room(&room);
                    house.volume = house.volume.max(volume);
                    house.talking.extend(talking);
                    house.people.extend(people);
                    house.announcing = house.announcing.or(announcing);
                }
                house
            }
        }
    }

    /// Calls that ring in a place, and who calls.
    pub(super) fn calls_in(&self, place: &Place) -> Vec<(CallId, String)> {
        self.calls.callers(place.room())
    }

    fn callers(&self, place: &Place) -> Vec<String> {
        self.calls_in(place).into_iter().map(|(_, name)| name).collect()
    }

    /// What gets through to whoever is in a place, if not everything does.
    fn passes(&self, place: &str) -> Option<Passes> {
        match (self.calls.is_quiet(place, Priority::Normal), self.calls.is_quiet(place, Priority::Urgent)) {
            (_, true) => Some(Passes::Nothing),
            (true, false) => Some(Passes::Urgent),
            (false, false) => None,
        }
    }

    fn state_of_room(&self, slug: &str) -> PlaceState {
        let Some(room) = self.rooms.find(slug) else { return PlaceState::default() };
        let people = self.rooms.participants(room).unwrap_or_default();
        PlaceState {
            talking: people.iter().filter(|one| one.talking).map(|one| one.name.clone()).collect(),
            people: people.into_iter().map(|one| one.name).collect(),
            announcing: self.dispatcher.announced_in(room).map(|name| name.to_string()),
            callers: self.callers(&Place::Room(slug.to_owned())),
            messages: self.mailbox.waiting(Some(slug)),
            do_not_disturb: self.passes(slug),
            volume: self.dispatcher.volume_in(slug),
        }
    }
}
