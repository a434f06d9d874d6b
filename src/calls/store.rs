//! Stations and the log of calls, as they are kept in the data folder.

use redb::{ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::data::{DataFolder, Store, rows, to_json};

use super::call::CallRecord;
use super::do_not_disturb::DoNotDisturb;
use super::phone::Phone;
use super::quiet_hours::KeptHours;
use super::station::{StationId, StationKey};

/// The database, within the data folder.
const FILE: &str = "house.redb";

/// By id, as JSON. What is written otherwise one day has a table of another name.
const STATIONS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("stations-1");

/// By the time when it began, and its id.
const CALLS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("calls-1");

/// By place.
const QUIET: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("do-not-disturb-1");

/// Likewise.
const HOURS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("quiet-hours-1");

/// A station as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptStation {
    pub(super) id: StationId,
    pub(super) name: String,
    pub(super) key: StationKey,
    pub(super) seen: u64,
    #[serde(default)]
    pub(super) phone: Option<Phone>,
}

/// All that is kept.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub(super) stations: Vec<KeptStation>,
    /// Oldest first.
    pub(super) log: Vec<CallRecord>,
    pub(super) quiet: Vec<(String, DoNotDisturb)>,
    pub(super) hours: Vec<(String, KeptHours)>,
}

/// Something to be written.
#[derive(Debug)]
pub(super) enum Write {
    Station(KeptStation),
    Forget(StationId),
    /// One more line of the log, of which so many are kept.
    Call(CallRecord, usize),
    ClearLog,
    DoNotDisturb(String, Option<DoNotDisturb>),
    QuietHours(String, Option<KeptHours>),
}

/// Reads what is kept.
pub(super) fn open(data: &DataFolder) -> (Store, Kept) {
    Store::open(data, FILE, |database| {
        let (stations, log) = (rows(database, STATIONS)?, rows(database, CALLS)?);
        let (_, stations): (Vec<_>, _) = stations.into_iter().unzip();
        let (_, log): (Vec<_>, _) = log.into_iter().unzip();
        Ok(Kept { stations, log, quiet: rows(database, QUIET)?, hours: rows(database, HOURS)? })
    })
}

/// Writes something.
pub(super) fn write(store: &mut Store, write: Write) {
    store.write(|database| {
        let transaction = database.begin_write()?;
        match write {
            Write::Station(station) => {
                transaction.open_table(STATIONS)?.insert(&*station.id.0, &*to_json(&station)?)?;
            }
            Write::Forget(id) => drop(transaction.open_table(STATIONS)?.remove(&*id.0)?),
            Write::Call(record, most) => {
                let mut table = transaction.open_table(CALLS)?;
                table.insert(&*format!("{:020} {}", record.at, record.id.0), &*to_json(&record)?)?;
                while table.len()? > most as u64 {
                    table.pop_first()?;
                }
            }
            Write::DoNotDisturb(place, Some(set)) => {
                transaction.open_table(QUIET)?.insert(&*place, &*to_json(&set)?)?;
            }
            Write::DoNotDisturb(place, None) => drop(transaction.open_table(QUIET)?.remove(&*place)?),
            Write::QuietHours(place, Some(hours)) => {
                transaction.open_table(HOURS)?.insert(&*place, &*to_json(&hours)?)?;
            }
            Write::QuietHours(place, None) => drop(transaction.open_table(HOURS)?.remove(&*place)?),
            Write::ClearLog => drop(transaction.delete_table(CALLS)?),
        }
        Ok(transaction.commit()?)
    });
}
