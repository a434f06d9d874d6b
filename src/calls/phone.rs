//! Phones of Home Assistant's companion app: a station that has one rings there too, and is called also while its page is
//! closed. Whoever answers there opens the page, which is the station then.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::call::CallId;
use super::request::CallError;
use super::station::{Station, StationId};
use super::{Calls, Effect};

/// Where a station rings besides its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// What Home Assistant calls it: its service that notifies it, such as `mobile_app_pixel_8`.
    pub service: String,
    /// Rooms that the station listened to when its page was last open: whoever calls one of them calls it.
    pub(super) rooms: Vec<String>,
}

impl Phone {
    /// The station listens to these rooms; true: that is new.
    pub(super) fn listen_to(&mut self, rooms: &[String]) -> bool {
        let is_new = self.rooms != rooms;
        if is_new {
            self.rooms = rooms.to_vec();
        }
        is_new
    }
}

impl Calls {
    /// A station rings on this phone too, from now on; or on none.
    ///
    /// # Errors
    /// When there is no such station.
    pub fn set_phone(&mut self, now: Instant, id: &StationId, service: Option<String>) -> Result<(), CallError> {
        let station = self.stations.get(id).ok_or_else(|| CallError::NoStation(id.0.clone()))?;
        let here = station.connections.values().next_back().cloned();
        let rooms = here.or_else(|| Some(station.phone.as_ref()?.rooms.clone())).unwrap_or_default();
        let has_it = |station: &Station| station.phone.as_ref().map(|phone| &phone.service) == service.as_ref();
        let others =
            self.stations.iter().filter(|(other, station)| service.is_some() && *other != id && has_it(station));
        // Who is another device on the same phone now would be rung there twice.
        let others: Vec<_> = others.map(|(other, _)| other.clone()).collect();
        others.iter().for_each(|other| self.change_phone(now, other, None));
        self.change_phone(now, id, service.map(|service| Phone { service, rooms }));
        Ok(())
    }

    fn change_phone(&mut self, now: Instant, id: &StationId, phone: Option<Phone>) {
        let Some(station) = self.stations.get_mut(id) else { return };
        station.phone = phone;
        let is_here = station.is_here();
        self.effects.extend([Effect::KeepStation(id.clone()), Effect::Show(id.clone())]);
        if !is_here {
            self.do_without(now, id);
        }
    }

    /// What a station rings on besides its page.
    pub fn phone(&self, id: &StationId) -> Option<&Phone> {
        self.stations.get(id)?.phone.as_ref()
    }

    /// The phone as it was kept; none, where nobody would have it ring.
    pub fn restore_phone(&mut self, id: &StationId, phone: Option<Phone>) {
        let phone = phone.filter(|_| self.settings.phones);
        if let Some(station) = self.stations.get_mut(id) {
            station.phone = phone;
            self.effects.push_back(Effect::Show(id.clone()));
        }
    }

    /// The phone of a station cannot be reached: unless its page is open, it is not there.
    pub fn note_unreachable(&mut self, now: Instant, call: CallId, id: &StationId) {
        if self.stations.get(id).is_some_and(|station| !station.is_here()) {
            self.note_away(now, call, id);
        }
    }

    /// Whether a call waits for a station that is gone. One that rings on its phone does not.
    pub(super) fn is_missed_by_a_call(&self, id: &StationId) -> bool {
        let rings_on = self.phone(id).is_some();
        self.calls.values().any(|call| call.engages(id) && !(rings_on && call.rings_at(id)))
    }

    /// A station is gone: what it talks in ends, and so does what rings there, unless that rings on its phone.
    pub(super) fn do_without(&mut self, now: Instant, id: &StationId) {
        if self.is_missed_by_a_call(id) {
            self.hang_up_everywhere(now, id);
        }
    }
}
