//! What was read from files, kept in a database, so that a start with thousands of them reads none.

use std::collections::HashMap;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::data::{DataFolder, Store, StoreError};

use super::super::facts::FileDescription;
use super::open_file::Stamp;
use super::walk::Found;

/// The database, within the data folder.
const FILE: &str = "library.redb";

/// By name, as JSON. What is written otherwise one day has a table of another name.
const FILES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("files-1");

/// What is known of one content of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct IndexEntry {
    pub(super) stamp: Stamp,
    /// `None`: it is no audio.
    pub(super) description: Option<FileDescription>,
    pub(super) sha256: Option<String>,
}

/// All that is kept, in memory and on the disk.
pub(super) struct Index {
    kept: HashMap<String, IndexEntry>,
    store: Store,
}

impl Index {
    /// Reads what is there. What is damaged is set aside: all of it can be had again.
    pub(super) fn new(data: &DataFolder) -> Self {
        let (store, kept) = Store::open(data, FILE, read);
        Self { kept, store }
    }

    /// What is kept of this very content.
    pub(super) fn find(&self, found: &Found) -> Option<IndexEntry> {
        let kept = self.kept.get(&found.name).filter(|kept| kept.stamp.is_like(&found.stamp))?;
        Some(IndexEntry { stamp: found.stamp, ..kept.clone() })
    }

    /// Keeps what was read from files.
    pub(super) fn keep(&mut self, new: impl IntoIterator<Item = (String, IndexEntry)>) {
        let new: Vec<_> = new.into_iter().collect();
        self.write(&new, &[]);
        self.kept.extend(new);
    }

    /// Forgets files that are there no more.
    pub(super) fn forget(&mut self, is_gone: impl Fn(&str) -> bool) {
        let gone: Vec<_> = self.kept.keys().filter(|name| is_gone(name)).cloned().collect();
        self.write(&[], &gone);
        for name in &gone {
            self.kept.remove(name);
        }
    }

    /// Without the database everything works; the next start takes longer.
    fn write(&mut self, new: &[(String, IndexEntry)], gone: &[String]) {
        if !new.is_empty() || !gone.is_empty() {
            self.store.write(|database| write(database, new, gone));
        }
    }
}

fn read(database: &Database) -> Result<HashMap<String, IndexEntry>, StoreError> {
    let mut kept = HashMap::new();
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(FILES) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(kept),
        Err(error) => return Err(error.into()),
    };
    for row in table.iter()? {
        let (name, value) = row?;
        // What cannot be read is read from the file itself.
        if let Ok(value) = serde_json::from_slice(value.value()) {
            kept.insert(name.value().to_owned(), value);
        }
    }
    Ok(kept)
}

fn write(database: &Database, new: &[(String, IndexEntry)], gone: &[String]) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(FILES)?;
        for (name, kept) in new {
            let value = serde_json::to_vec(kept).map_err(|error| StoreError::Broken(error.to_string()))?;
            table.insert(name.as_str(), value.as_slice())?;
        }
        for name in gone {
            table.remove(name.as_str())?;
        }
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn kept(size: u64) -> IndexEntry {
        let stamp = serde_json::from_value(serde_json::json!({"device": 1, "inode": 2, "size": size, "modified": 3}));
        IndexEntry {
            stamp: stamp.expect("a stamp"),
            description: Some(FileDescription::default()),
            sha256: Some("ab".into()),
        }
    }

    #[test]
    fn what_is_kept_outlives_a_restart_and_what_is_gone_is_forgotten() {
        let parent = tempfile::tempdir().expect("a folder");
        let data = DataFolder::new(parent.path().join("data"));
        let mut index = Index::new(&data);
        index.keep([("a".to_owned(), kept(1)), ("b".to_owned(), kept(2))]);
        index.forget(|name| name == "a");
        drop(index);
        assert_eq!(Index::new(&data).kept, HashMap::from([("b".to_owned(), kept(2))]));
    }

    #[test]
    fn nobody_else_on_the_machine_reads_what_is_kept() {
        let parent = tempfile::tempdir().expect("a folder");
        let data = DataFolder::new(parent.path().join("data"));
        Index::new(&data).keep([("a".to_owned(), kept(1))]);
        let mode = || fs::metadata(data.file(FILE)).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(data.file(FILE), fs::Permissions::from_mode(0o644)).expect("as it was made once");
        assert_eq!((Index::new(&data).kept.len(), mode()), (1, 0o600));
    }

    #[test]
    fn nothing_is_made_while_there_is_nothing_to_keep() {
        let parent = tempfile::tempdir().expect("a folder");
        let data = DataFolder::new(parent.path().join("data"));
        Index::new(&data).keep([]);
        assert!(!data.file(FILE).exists());
    }

    #[test]
    fn a_damaged_database_is_set_aside_and_made_anew() {
        let parent = tempfile::tempdir().expect("a folder");
        let data = DataFolder::new(parent.path().to_owned());
        Index::new(&data).keep((0..500).map(|number| (number.to_string(), kept(number))));
        let whole = fs::read(data.file(FILE)).expect("there");
        let bent = |at: usize| [&whole[..at], &[0x5a; 4_096], &whole[whole.len().min(at + 4_096)..]].concat();
        for content in
            [vec![], b"no database".to_vec(), whole[..whole.len() / 2].to_vec(), bent(0), bent(4_096), bent(40_960)]
        {
            fs::write(data.file(FILE), content).expect("written");
            let mut index = Index::new(&data);
            index.keep([("new".to_owned(), kept(7))]);
            drop(index);
            assert_eq!(Index::new(&data).kept.get("new"), Some(&kept(7)));
        }
        assert!(data.file("library.redb.damaged").exists());
    }

    #[test]
    fn two_daemons_with_one_folder_both_work() {
        let parent = tempfile::tempdir().expect("a folder");
        let data = DataFolder::new(parent.path().to_owned());
        let mut first = Index::new(&data);
        first.keep([("a".to_owned(), kept(1))]);
        let mut second = Index::new(&data);
        second.keep([("b".to_owned(), kept(2))]);
        assert_eq!(second.kept.len(), 1);
        drop(first);
        assert_eq!(Index::new(&data).kept.len(), 1);
    }
}
