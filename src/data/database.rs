//! Databases within the data folder (redb). Whatever is in one is known in memory as well: a database that is damaged, or
//! that another program has open, is a loss at the next start, and none before.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::DataFolder;

/// Memory that a database may use for itself.
const CACHE_BYTES: usize = 1 << 20;

/// A database, which is made when something is first kept.
pub struct Store {
    folder: DataFolder,
    /// Name of the file in the folder.
    file: &'static str,
    database: Option<Database>,
    /// Why there is none was said.
    given_up: bool,
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another program has it open.
    #[error("another program has it open")]
    InUse,
    /// The disk is full, or what is there makes no sense.
    #[error("{0}")]
    Broken(String),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            other => Self::Broken(other.to_string()),
        }
    }
}

impl Store {
    /// The database of this name, and what is read from it; the default where there is none. A damaged one is set aside.
    pub fn open<T: Default>(
        folder: &DataFolder,
        file: &'static str,
        read: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> (Self, T) {
        let mut store = Self { folder: folder.clone(), file, database: None, given_up: false };
        if !folder.file(file).exists() {
            return (store, T::default());
        }
        let opened = guarded(|| {
            let database = open(folder, file)?;
            let content = read(&database)?;
            Ok((database, content))
        });
        match opened {
            Ok((database, content)) => {
                store.database = Some(database);
                return (store, content);
            }
            Err(error @ StoreError::InUse) => store.give_up(&error.to_string()),
            Err(StoreError::Broken(error)) => store.set_aside(&error),
        }
        (store, T::default())
    }

    /// Writes something. Where that cannot be done, it is said once, and nothing is kept any more.
    pub fn write(&mut self, write: impl FnOnce(&Database) -> Result<(), StoreError>) {
        if self.given_up {
            return;
        }
        if let Err(error) = self.try_with(write) {
            self.give_up(&error.to_string());
        }
    }

    /// Does something with the database, for whoever is told if it cannot be done, and may try again: it is opened anew then.
    ///
    /// # Errors
    /// When the disk is full, or the database damaged or in use.
    pub fn try_with<T>(&mut self, act: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (folder, file, database) = (self.folder.clone(), self.file, self.database.take());
        let (database, done) = guarded(move || {
            let database = match database {
                Some(database) => database,
                None => open(&folder, file)?,
            };
            let done = act(&database)?;
            Ok((database, done))
        })?;
        self.database = Some(database);
        Ok(done)
    }

    fn give_up(&mut self, reason: &str) {
        self.given_up = true;
        tracing::warn!(reason, "{} cannot be used: what would be in it is forgotten at the next start", self.file);
    }

    fn set_aside(&self, error: &str) {
        let path = self.folder.file(self.file);
        let aside: PathBuf = path.with_extension("redb.damaged");
        let file = self.file;
        match fs::rename(&path, &aside) {
            Ok(()) => tracing::error!(error, set_aside = %aside.display(), "{file} was damaged: it is made anew"),
            Err(failed) => tracing::error!(error, %failed, "{file} is damaged, and cannot be set aside"),
        }
    }
}

/// A page that was bent on the disk may make the database panic: that is damage like any other.
fn guarded<T>(run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let broken = || StoreError::Broken("its pages make no sense".into());
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(broken()))
}

/// What is in it is for the daemon alone to read.
fn open(folder: &DataFolder, file: &str) -> Result<Database, StoreError> {
    Ok(Database::builder().set_cache_size(CACHE_BYTES).create_file(folder.open(file)?)?)
}

/// A value as it is kept in a table.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn to_json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Broken(error.to_string()))
}

/// All rows of a table that can be read, by their keys.
///
/// # Errors
/// When the table cannot be.
pub fn rows<T: DeserializeOwned>(
    database: &Database,
    table: TableDefinition<'_, &str, &[u8]>,
) -> Result<Vec<(String, T)>, StoreError> {
    let table = match database.begin_read()?.open_table(table) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut rows = Vec::new();
    for row in table.iter()? {
        let (key, value) = row?;
        let value = serde_json::from_slice(value.value()).ok();
        rows.extend(value.map(|value| (key.value().to_owned(), value)));
    }
    Ok(rows)
}
