//! Voice messages, as they are kept in the data folder.

use bytes::Bytes;
use redb::{ReadableDatabase, TableDefinition};

use crate::data::{DataFolder, Store, StoreError, rows, to_json};

use super::{VoiceMessage, VoiceMessageId};

/// The database, within the data folder: by itself, so that what is said in messages can be thrown away with it.
const FILE: &str = "mailbox.redb";

/// By id, as JSON. What is written otherwise one day has a table of another name.
const MESSAGES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("messages-1");

/// What is said in them: an Ogg file, by the same id.
const SPEECH: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("speech-1");

/// What is different afterwards, all of it or nothing.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// A message that is new, with what is said in it, or one that is there, without.
    pub(super) put: Option<(VoiceMessage, Option<Bytes>)>,
    pub(super) gone: Vec<VoiceMessageId>,
}

/// Reads what is kept.
pub(super) fn open(data: &DataFolder) -> (Store, Vec<VoiceMessage>) {
    Store::open(data, FILE, |database| {
        let rows = rows(database, MESSAGES)?;
        Ok(rows.into_iter().map(|(_, message)| message).collect())
    })
}

/// Writes what is different; it is on the disk when this is over.
pub(super) fn write(store: &mut Store, change: &Change) -> Result<(), StoreError> {
    store.try_with(|database| {
        let transaction = database.begin_write()?;
        {
            let (mut messages, mut speech) = (transaction.open_table(MESSAGES)?, transaction.open_table(SPEECH)?);
            for id in &change.gone {
                let key = key(*id);
                drop(messages.remove(&*key)?);
                drop(speech.remove(&*key)?);
            }
            if let Some((message, said)) = &change.put {
                let key = key(message.id);
                messages.insert(&*key, &*to_json(message)?)?;
                if let Some(said) = said {
                    speech.insert(&*key, &**said)?;
                }
            }
        }
        Ok(transaction.commit()?)
    })
}

/// What is said in a message: an Ogg file.
pub(super) fn speech(store: &mut Store, id: VoiceMessageId) -> Result<Option<Bytes>, StoreError> {
    store.try_with(|database| {
        let table = database.begin_read()?.open_table(SPEECH)?;
        Ok(table.get(&*key(id))?.map(|said| Bytes::copy_from_slice(said.value())))
    })
}

fn key(id: VoiceMessageId) -> String {
    id.0.to_string()
}
