//! The door to stations and calls: one lock around them, the clock, the rooms of stations, and a queue to each of them.

mod keeper;
mod line;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use tokio::sync::{Notify, broadcast, mpsc};

use crate::data::DataFolder;
use crate::domain::{Owner, Priority};
use crate::rooms::RoomsHandle;

use super::call::{CallId, CallInfo, CallRecord};
use super::do_not_disturb::{DoNotDisturb, Passes};
use super::phone::Phone;
use super::quiet_hours::{KeptHours, QuietHours};
use super::request::{CallError, CallRequest, Ring, Target};
use super::station::{ConnectionId, EnterError, StationId, StationInfo, StationKey};
use super::store::{self, Kept, KeptStation, Write};
use super::{CallCounters, Calls, CallsSettings, EVERYBODY, Effect};

pub use keeper::Keeper;
pub use line::Line;

/// Events that may wait for one station; of more it is told nothing, and given up.
const QUEUE: usize = 64;

/// Writes that may wait for the disk.
const WRITES: usize = 1_024;

/// Events that may wait for those who watch all calls.
const WATCHED: usize = 256;

/// What the clock on the wall says, in the time zone of this machine: seconds since midnight.
pub fn second_of_day(at: SystemTime) -> u32 {
    // Beyond the year 9999 there is none.
    let Ok(at) = jiff::Timestamp::try_from(at) else { return 0 };
    let time = jiff::tz::TimeZone::system().to_datetime(at).time();
    [time.hour(), time.minute(), time.second()]
        .into_iter()
        .fold(0, |sum, part| sum * 60 + u32::from(part.unsigned_abs()))
}

/// What a station is told. Field by field what `docs/protocol.md` has.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StationEvent {
    /// Who it is now.
    Station {
        /// Which.
        id: StationId,
        /// How people call it.
        name: String,
        /// What it comes back with.
        key: StationKey,
        /// The calls that it has to do with.
        calls: Vec<CallInfo>,
    },
    /// A call that it has to do with began, or is different.
    Call {
        /// As it is now.
        call: CallInfo,
    },
    /// It is no station any more: somebody removed it.
    StationRemoved,
}

/// What is told to whoever watches all calls.
#[derive(Debug, Clone)]
pub enum CallEvent {
    /// A call began, or is different.
    Call(CallInfo),
    /// A place is not to be disturbed, or is again: see [`EVERYBODY`].
    DoNotDisturb(String, Option<DoNotDisturb>),
    /// A station is no more; the next of its name is another one.
    Forgotten(StationId),
}

/// Stations and calls, for everybody. Cheap to clone.
#[derive(Clone)]
pub struct CallsHandle(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    rooms: RoomsHandle,
    /// Something is due at another time than before.
    wake: Notify,
    changes: broadcast::Sender<CallEvent>,
    writes: mpsc::Sender<Write>,
    /// Calls that are kept in the log.
    log: usize,
}

struct State {
    calls: Calls,
    lines: HashMap<ConnectionId, (StationId, mpsc::Sender<StationEvent>)>,
    /// Stations that did not read what they were told.
    too_slow: u64,
}

impl Inner {
    fn has_place(&self, place: &str) -> bool {
        place == EVERYBODY || self.rooms.find(place).is_some()
    }
}

impl CallsHandle {
    /// The door to stations and calls as they were kept, and whoever keeps them from now on.
    pub fn open(settings: CallsSettings, data: &DataFolder, rooms: RoomsHandle) -> (Self, Keeper) {
        let (store, Kept { stations, log, quiet, hours }) = store::open(data);
        let (sender, writes) = mpsc::channel(WRITES);
        let most = settings.log;
        let state = State { calls: Calls::new(settings, log), lines: HashMap::new(), too_slow: 0 };
        let (state, wake, changes) = (Mutex::new(state), Notify::new(), broadcast::Sender::new(WATCHED));
        let calls = Self(Arc::new(Inner { state, rooms, wake, changes, writes: sender, log: most }));
        calls.restore(stations, quiet, hours);
        let keeper = Keeper { calls: calls.clone(), store, writes };
        (calls, keeper)
    }

    fn restore(&self, stations: Vec<KeptStation>, quiet: Vec<(String, DoNotDisturb)>, hours: Vec<(String, KeptHours)>) {
        let rooms = &self.0.rooms;
        self.with(|State { calls, .. }, now| {
            for mut station in stations {
                let room = StationId(rooms.open_station(Some(&station.id.0), &station.name));
                let former = std::mem::replace(&mut station.id, room.clone());
                if room != former {
                    // A room of this id was configured meanwhile.
                    self.keep(Write::Forget(former));
                    self.keep(Write::Station(station.clone()));
                }
                let KeptStation { name, key, seen, phone, .. } = station;
                calls.restore(room.clone(), name, key, seen);
                calls.restore_phone(&room, phone);
            }
            for (place, quiet) in quiet {
                calls.restore_quiet(now, SystemTime::now(), &place, quiet);
            }
            for (place, hours) in hours {
                calls.restore_quiet_hours(now, SystemTime::now(), &place, hours);
            }
            calls.forget_quiet(|place| self.0.has_place(place));
            rooms.note_do_not_disturb(|room| calls.is_quiet(room, Priority::Normal));
        });
    }

    /// A device is there under this name, as the station with this key, or as a new one; it listens to these rooms. It is
    /// told who it is first.
    ///
    /// # Errors
    /// When it does not become a station, and why.
    pub fn enter(
        &self,
        owner: &Owner,
        name: &str,
        key: Option<StationKey>,
        rooms: Vec<String>,
    ) -> Result<Line, EnterError> {
        let (sender, events) = mpsc::channel(QUEUE);
        let (station, connection) = self.with(|State { calls, lines, .. }, now| {
            let known = key.and_then(|key| Some((calls.station_of(key)?.clone(), key)));
            let name = calls.free_name(name, key)?;
            let (id, key) = match known {
                Some(known) => known,
                None => {
                    calls.make_room(now, owner)?;
                    let id = StationId(self.0.rooms.open_station(None, &name));
                    let key = calls.add(&id, name.clone(), owner.clone());
                    (id, key)
                }
            };
            let connection = calls.come(SystemTime::now(), &id, &name, rooms);
            let current = calls.current_of(&id);
            // Its queue is empty.
            let _ = sender.try_send(StationEvent::Station { id: id.clone(), name, key, calls: current });
            lines.insert(connection, (id.clone(), sender));
            Ok((id, connection))
        })?;
        Ok(Line { calls: self.clone(), station, connection, events })
    }

    /// Begins a call that a program, an automation or a doorbell asks for.
    ///
    /// # Errors
    /// When it is not begun, and why.
    pub fn call(&self, request: CallRequest, owner: Owner) -> Result<CallInfo, CallError> {
        self.ring(request.ring(owner, |room| self.0.rooms.find(room).is_some())?)
    }

    /// Begins a call.
    ///
    /// # Errors
    /// When it is not begun, and why.
    pub fn ring(&self, mut ring: Ring) -> Result<CallInfo, CallError> {
        ring.drop_in = ring.to.iter().filter_map(|target| self.allows_drop_in(target)).collect();
        self.with(|state, now| state.calls.ring(now, SystemTime::now(), ring))
    }

    /// The room that is called, if devices there may answer by themselves.
    fn allows_drop_in(&self, target: &Target) -> Option<String> {
        let Target::Place(place) = target else { return None };
        let options = self.0.rooms.options(self.0.rooms.find(place)?)?;
        options.drop_in.then(|| place.clone())
    }

    /// Ends a call from outside.
    ///
    /// # Errors
    /// When it is over.
    pub fn cancel(&self, call: CallId) -> Result<(), CallError> {
        self.with(|state, now| state.calls.cancel(now, call))
    }

    /// Declines a call that rings at a station.
    ///
    /// # Errors
    /// When it does not, or no more.
    pub fn decline(&self, call: CallId, station: &StationId) -> Result<(), CallError> {
        self.with(|state, now| state.calls.decline(now, call, station))
    }

    /// A station rings on this phone too, from now on; or on none.
    ///
    /// # Errors
    /// When there is no such station.
    pub fn set_phone(&self, station: &StationId, service: Option<String>) -> Result<(), CallError> {
        self.with(|state, now| state.calls.set_phone(now, station, service))
    }

    /// What a station rings on besides its page.
    pub fn phone(&self, station: &StationId) -> Option<Phone> {
        self.lock().calls.phone(station).cloned()
    }

    /// The phone of a station cannot be reached for a call.
    pub fn note_unreachable(&self, call: CallId, station: &StationId) {
        self.with(|state, now| state.calls.note_unreachable(now, call, station));
    }

    /// Forgets a station; `false` where there is none.
    pub fn forget(&self, station: &StationId) -> bool {
        self.with(|state, now| state.calls.forget(now, station))
    }

    /// A place is not to be disturbed, for so long or until it is turned off; or it is again.
    ///
    /// # Errors
    /// When there is no such place.
    pub fn set_do_not_disturb(
        &self,
        place: &str,
        passes: Option<Passes>,
        time: Option<Duration>,
    ) -> Result<(), CallError> {
        if !self.0.has_place(place) {
            return Err(CallError::NoRoom(place.to_owned()));
        }
        self.with(|State { calls, .. }, now| {
            calls.forget_quiet(|place| self.0.has_place(place));
            match passes {
                Some(passes) => calls.disturb_not(now, SystemTime::now(), place, passes, time),
                None => drop(calls.disturb(place)),
            }
        });
        Ok(())
    }

    /// A place has these quiet hours from now on, or none.
    ///
    /// # Errors
    /// When there is no such place.
    pub fn set_quiet_hours(&self, place: &str, hours: Option<QuietHours>) -> Result<(), CallError> {
        if !self.0.has_place(place) {
            return Err(CallError::NoRoom(place.to_owned()));
        }
        self.with(|State { calls, .. }, now| {
            calls.forget_quiet(|place| self.0.has_place(place));
            calls.set_quiet_hours(now, SystemTime::now(), place, hours);
        });
        Ok(())
    }

    /// The quiet hours of all places that have some.
    pub fn quiet_hours(&self) -> BTreeMap<String, QuietHours> {
        self.lock().calls.quiet_hours().map(|(place, hours)| (place.to_owned(), hours)).collect()
    }

    /// All places that are not to be disturbed.
    pub fn quiet_places(&self) -> BTreeMap<String, DoNotDisturb> {
        self.lock().calls.quiet_places().map(|(place, set)| (place.to_owned(), set)).collect()
    }

    /// Whether something of this priority does not get through to a place: [`EVERYBODY`], or the id of a room or station.
    pub fn is_quiet(&self, place: &str, priority: Priority) -> bool {
        self.lock().calls.is_quiet(place, priority)
    }

    /// All stations.
    pub fn stations(&self) -> Vec<StationInfo> {
        self.lock().calls.stations()
    }

    /// Calls that are not over, oldest first.
    pub fn current(&self) -> Vec<CallInfo> {
        self.lock().calls.current()
    }

    /// Who calls a station that listens to this room, or any, just now: by their names.
    pub fn callers(&self, room: Option<&str>) -> Vec<(CallId, String)> {
        self.lock().calls.callers(room)
    }

    /// Whether a station listens to this room; to any, if none is named.
    pub fn listens(&self, id: &StationId, room: Option<&str>) -> bool {
        self.lock().calls.listens(id, room)
    }

    /// Calls that are over, the newest first.
    pub fn log(&self) -> Vec<CallRecord> {
        self.lock().calls.log().cloned().collect()
    }

    /// Forgets all calls that are over.
    pub fn clear_log(&self) {
        self.lock().calls.clear_log();
        self.keep(Write::ClearLog);
    }

    /// What happens to calls from now on.
    pub fn events(&self) -> broadcast::Receiver<CallEvent> {
        self.0.changes.subscribe()
    }

    /// What was counted.
    pub fn counters(&self) -> CallCounters {
        self.lock().calls.counters()
    }

    /// Stations that were given up since they did not read.
    pub fn too_slow(&self) -> u64 {
        self.lock().too_slow
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, then what is due, and whatever comes of it.
    fn with<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.lock();
        // Tokio's clock is the one that the keeper waits by.
        let (before, now) = (state.calls.deadline(), tokio::time::Instant::now().into_std());
        let result = act(&mut state, now);
        if state.calls.deadline().is_some_and(|at| at <= now) {
            state.calls.tick(now, SystemTime::now());
        }
        while let Some(effect) = state.calls.poll() {
            self.carry_out(&mut state, effect);
        }
        if state.calls.deadline() != before {
            self.0.wake.notify_one();
        }
        result
    }

    fn carry_out(&self, state: &mut State, effect: Effect) {
        match effect {
            Effect::Call(call) => {
                state.tell(&call);
                // Nobody watches, for all we know.
                let _ = self.0.changes.send(CallEvent::Call(call));
            }
            Effect::Show(id) => {
                if let Some(StationInfo { name, presence, .. }) = state.calls.station(&id) {
                    self.0.rooms.note_station(&id.0, &name, presence);
                }
            }
            Effect::KeepStation(id) => {
                if let (Some(StationInfo { name, seen, .. }), Some(key)) =
                    (state.calls.station(&id), state.calls.key(&id))
                {
                    let phone = state.calls.phone(&id).cloned();
                    self.keep(Write::Station(KeptStation { id, name, key, seen, phone }));
                }
            }
            Effect::Forget(id) => {
                // Their connections are over when they have read it.
                for (_, line) in state.lines.values().filter(|(station, _)| *station == id) {
                    let _ = line.try_send(StationEvent::StationRemoved);
                }
                self.0.rooms.close_station(&id.0);
                let _ = self.0.changes.send(CallEvent::Forgotten(id.clone()));
                self.keep(Write::Forget(id));
            }
            Effect::DoNotDisturb(place, set) => {
                self.keep(Write::DoNotDisturb(place.clone(), set));
                let calls = &state.calls;
                self.0.rooms.note_do_not_disturb(|room| calls.is_quiet(room, Priority::Normal));
                let _ = self.0.changes.send(CallEvent::DoNotDisturb(place, set));
            }
            Effect::QuietHours(place, hours) => self.keep(Write::QuietHours(place, hours)),
            Effect::Log(record) => self.keep(Write::Call(record, self.0.log)),
        }
    }

    fn keep(&self, write: Write) {
        if let Err(mpsc::error::TrySendError::Full(write)) = self.0.writes.try_send(write) {
            tracing::error!(?write, "the disk does not keep up: this is forgotten at the next start");
        }
    }
}

impl State {
    /// Tells all stations of a call that have to do with it.
    fn tell(&mut self, call: &CallInfo) {
        let before = self.lines.len();
        self.lines.retain(|_, (station, line)| {
            !call.concerns(station)
                || !matches!(
                    line.try_send(StationEvent::Call { call: call.clone() }),
                    Err(mpsc::error::TrySendError::Full(_))
                )
        });
        self.too_slow += (before - self.lines.len()) as u64;
    }
}

impl std::fmt::Debug for CallsHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallsHandle")
    }
}
