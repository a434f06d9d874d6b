//! Stations, and calls between them. A station is a device with a name: the tablet in the hall, Anna's phone. It has a
//! room of its own, in which it is talked to; and it can be called, from another station or by an automation. A state
//! machine: no sockets, no tokio, no clock. Times are arguments; what comes out are effects ([`Calls::poll`]).
//!
//! `station` says who is there; `request` what is asked for, `call` what a call is, `ringing` how it goes from one state to the next, and `clock` what time
//! does to it; `phone` how a station is called whose page is closed; `do_not_disturb` who is not called, and `quiet_hours` when that begins by itself; `rate` how fast one may call. `store` keeps stations and the log of calls in the data folder. `handle` is the
//! door for everybody else: it has the lock, the clock, the rooms, and the queues to whoever is told.

mod call;
mod clock;
mod do_not_disturb;
mod handle;
mod phone;
mod quiet_hours;
mod rate;
mod request;
mod ringing;
mod station;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::domain::Owner;
use crate::limits::share_of;

pub use call::{CallId, CallInfo, CallOutcome, CallRecord, CallState, CalleeInfo, CalleeState, Caller, CallerInfo};
pub use clock::GRACE;
pub use do_not_disturb::{DoNotDisturb, LONGEST, Passes};
pub use handle::{CallEvent, CallsHandle, Keeper, Line, StationEvent, second_of_day};
pub use phone::Phone;
pub use quiet_hours::{KeptHours, LocalClock, QuietHours, TimeOfDay};
pub use rate::{BURST, INTERVAL};
pub use request::{CallError, CallRequest, CallTargets, Ring, Target};
pub use station::{ConnectionId, EnterError, MAX_ROOMS, StationId, StationInfo, StationKey};

use call::Call;
use do_not_disturb::Timed;
use rate::Rate;
use station::Station;

/// The place that is the whole house.
pub const EVERYBODY: &str = "everybody";

/// Places that one call may name.
pub const MAX_TARGETS: usize = 32;

/// How many of each there may be.
#[derive(Debug, Clone)]
pub struct CallsSettings {
    /// Stations that are known.
    pub stations: usize,
    /// Calls at once.
    pub calls: usize,
    /// Calls that are kept in the log; the oldest goes.
    pub log: usize,
    /// A call rings for so long, unless whoever calls says otherwise.
    pub ring: Duration,
    /// Whether stations may be rung on phones: there is a Home Assistant that notifies them, and a page that they open.
    pub phones: bool,
    /// Percentage of each that one address may have.
    pub share: u8,
    /// What the clock on the wall says, for quiet hours.
    pub second_of_day: LocalClock,
}

/// What is counted of stations and calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounters {
    /// Calls that were begun.
    pub rung: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that were not begun, since there were too many, or they came too fast.
    pub refused: u64,
    /// Stations that were forgotten for others, since there were too many.
    pub displaced: u64,
}

/// Something that is to be done because of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A call began, or is different.
    Call(CallInfo),
    /// A station is new, or is called otherwise: to be kept.
    KeepStation(StationId),
    /// A station is no more.
    Forget(StationId),
    /// It came, went, or is called otherwise: others see it.
    Show(StationId),
    /// A call is over: to be kept.
    Log(CallRecord),
    /// A place is not to be disturbed, or is again: to be kept, and shown.
    DoNotDisturb(String, Option<DoNotDisturb>),
    /// A place has quiet hours, or none any more; or they have begun: to be kept.
    QuietHours(String, Option<KeptHours>),
}

/// All stations, and all calls.
#[derive(Debug)]
pub struct Calls {
    settings: CallsSettings,
    stations: BTreeMap<StationId, Station>,
    calls: BTreeMap<CallId, Call>,
    /// Oldest first.
    log: VecDeque<CallRecord>,
    rates: HashMap<Owner, Rate>,
    /// By place: [`EVERYBODY`], or the id of a room or station.
    quiet: BTreeMap<String, Timed>,
    /// By place, likewise.
    hours: BTreeMap<String, KeptHours>,
    /// When the clock on the wall is to be looked at.
    hours_due: Option<Instant>,
    next_connection: u64,
    effects: VecDeque<Effect>,
    counters: CallCounters,
}

impl Calls {
    /// Nobody calls anybody; the log is as it was kept.
    pub fn new(settings: CallsSettings, log: Vec<CallRecord>) -> Self {
        let mut log = VecDeque::from(log);
        log.drain(..log.len().saturating_sub(settings.log));
        Self {
            settings,
            stations: BTreeMap::new(),
            calls: BTreeMap::new(),
            log,
            rates: HashMap::new(),
            quiet: BTreeMap::new(),
            hours: BTreeMap::new(),
            hours_due: None,
            next_connection: 0,
            effects: VecDeque::new(),
            counters: CallCounters::default(),
        }
    }

    /// The next effect. To be asked until there is none, after each operation.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// What was counted.
    pub fn counters(&self) -> CallCounters {
        self.counters
    }

    /// Calls that are not over, oldest first.
    pub fn current(&self) -> Vec<CallInfo> {
        let mut calls: Vec<_> = self.calls.values().map(|call| self.describe(call)).collect();
        calls.sort_by_key(|call| call.at);
        calls
    }

    /// Those of them that a station has to do with.
    pub fn current_of(&self, station: &StationId) -> Vec<CallInfo> {
        self.current().into_iter().filter(|call| call.concerns(station)).collect()
    }

    /// Calls that are over, the newest first.
    pub fn log(&self) -> impl Iterator<Item = &CallRecord> {
        self.log.iter().rev()
    }

    /// Forgets all calls that are over.
    pub fn clear_log(&mut self) {
        self.log.clear();
    }

    fn share(&self, most: usize) -> usize {
        share_of(most, self.settings.share)
    }
}
