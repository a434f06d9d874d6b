//! Brings files to clients: reads the chunks that a transfer asks for, away from the runtime's own threads, and
//! writes them to the client's channel as fast as that takes them.
//!
//! In memory for one client are 256 KiB in its channel, as much read ahead, and its messages.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

use crate::access::Permit;
use crate::engine::{Channel, ChannelWriter, Engine, EngineGone, Said};

use crate::library::{Catalogue, FileFacts, FileId, OpenError, Reader};

use super::messages::TransferError;
use super::places::{ClientPlace, ClientPlaces, ClientRefused, FileServerLimits, FileServerStats};
use super::state::{CHUNK_BYTES, Effect, Transfer};

/// A client that has not opened its channel by then is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// A client that says nothing for so long after it opened the channel, and did not say that it would, knows the basic
/// protocol only.
const GRACE: Duration = Duration::from_millis(40);

/// The hash is told along with everything else if it is to be had within this time.
const HASH_PATIENCE: Duration = Duration::from_millis(30);

/// A file that is just being written becomes whole within so many pauses, or it is damaged.
const WRITING_PAUSES: usize = 8;
const WRITING_PAUSE: Duration = Duration::from_millis(250);

/// Serves clients. Cheap to clone.
#[derive(Clone)]
pub struct FileServer {
    relay: Engine,
    catalogue: Catalogue,
    places: ClientPlaces,
}

impl FileServer {
    /// Sends files of this catalogue over channels of this relay.
    pub fn new(relay: Engine, catalogue: Catalogue, limits: FileServerLimits) -> Self {
        Self { relay, catalogue, places: ClientPlaces::new(limits) }
    }

    /// What is counted.
    pub fn stats(&self) -> &FileServerStats {
        &self.places.stats
    }

    /// The relay that carries the channels.
    pub fn relay(&self) -> &Engine {
        &self.relay
    }

    /// Answers a client's offer; gives the answer, and what serves the client from then on. One that `waits` is sent
    /// nothing before it asks: who else is slow to ask gets the default file first.
    ///
    /// # Errors
    /// See [`ClientRefused`].
    pub async fn accept(
        &self,
        permit: Permit,
        offer: String,
        waits: bool,
    ) -> Result<(String, impl Future<Output = ()> + Send + use<>), ClientRefused> {
        let place = self.places.take(permit.visitor().address)?;
        let mut channel = self.relay.open_channel(permit, offer, Arc::clone(&self.places.stats.channels)).await?;
        let answer = std::mem::take(&mut channel.answer);
        Ok((answer, self.clone().serve(channel, place, waits)))
    }

    async fn serve(self, mut channel: Channel, place: ClientPlace, waits: bool) {
        match timeout(CONNECT_TIMEOUT, channel.said.recv()).await {
            Err(_) => drop(self.places.stats.timed_out.fetch_add(1, Ordering::Relaxed)),
            Ok(Some(Said::Opened)) => {
                let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
                let transfer = Transfer::new(channel.longest, seed);
                let mut round = ClientTask { file_server: &self, transfer, writer: &channel.writer, reader: None };
                // The error says that one of the two sides is gone: then there is nobody to be told.
                let _ = round.run(&mut channel.said, waits).await;
            }
            Ok(Some(Said::Unfit)) => {
                let error = Bytes::from(Transfer::error(&TransferError::BadChannel));
                let _ = channel.writer.write(false, error).await;
                // It is read by then, or never.
                sleep(WRITING_PAUSE).await;
            }
            Ok(Some(Said::Text(_)) | None) => {}
        }
        drop(place);
    }

    /// Opens a file as it is now, or once whoever writes it has finished.
    async fn open(&self, id: FileId) -> Result<(Reader, FileFacts), TransferError> {
        for _ in 0..WRITING_PAUSES {
            match self.catalogue.open(id).await {
                Err(OpenError::Damaged) => sleep(WRITING_PAUSE).await,
                Ok(file) => return Ok(self.look_at(Reader::new(file, CHUNK_BYTES)).await),
                Err(OpenError::Unknown | OpenError::Outside) => return Err(TransferError::NoFile),
                Err(OpenError::Gone) => return Err(TransferError::Gone),
                Err(OpenError::Unreadable(error)) => return Err(TransferError::Unreadable(error)),
            }
        }
        Err(TransferError::Unreadable(OpenError::Damaged.to_string()))
    }

    async fn look_at(&self, reader: Reader) -> (Reader, FileFacts) {
        // A large file is sent first, and its hash told behind it.
        let catalogue = self.catalogue.clone();
        let file = Arc::clone(reader.file());
        let hashing = tokio::spawn(async move { catalogue.sha256(&file).await });
        let _ = timeout(HASH_PATIENCE, hashing).await;
        let facts = reader.file().facts();
        (reader, facts)
    }
}

/// A client, while it is served.
struct ClientTask<'a> {
    file_server: &'a FileServer,
    transfer: Transfer,
    writer: &'a ChannelWriter,
    reader: Option<Reader>,
}

/// The client, or the relay, is gone.
struct ClientGone;

/// What came of something that a transfer asked for.
enum Done {
    Written,
    Opened(Result<(Reader, FileFacts), TransferError>),
    Hashed(Option<String>),
    Failed(TransferError),
    Lost,
}

impl ClientTask<'_> {
    async fn run(&mut self, said: &mut tokio::sync::mpsc::Receiver<Said>, waits: bool) -> Result<(), ClientGone> {
        if !waits {
            match timeout(GRACE, said.recv()).await {
                Err(_) => self.transfer.begin(),
                Ok(first) => self.hear(first)?,
            }
        }
        loop {
            if let Some(act) = self.transfer.poll() {
                self.perform(act, said).await?;
                continue;
            }
            let Ok(next) = timeout(self.file_server.places.limits.idle, said.recv()).await else {
                self.file_server.places.stats.idled_out.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            };
            self.hear(next)?;
        }
    }

    fn hear(&mut self, said: Option<Said>) -> Result<(), ClientGone> {
        match said {
            Some(Said::Text(text)) => {
                let taken = self.transfer.said(&text);
                self.file_server.places.stats.dropped.fetch_add(u64::from(!taken), Ordering::Relaxed);
                Ok(())
            }
            Some(Said::Opened | Said::Unfit) => Ok(()),
            None => Err(ClientGone),
        }
    }

    /// Does what the transfer asks for, and listens to the client meanwhile.
    async fn perform(&mut self, act: Effect, said: &mut tokio::sync::mpsc::Receiver<Said>) -> Result<(), ClientGone> {
        let (file_server, writer, file) = (self.file_server, self.writer, self.file());
        let mut reader = self.reader.take();
        let deadline = Instant::now() + file_server.places.limits.idle;
        let done = {
            let mut work = std::pin::pin!(carry_out(file_server, writer, act, &mut reader));
            loop {
                tokio::select! {
                    done = &mut work => break done,
                    heard = said.recv() => self.hear(heard)?,
                    () = tokio::time::sleep_until(deadline) => {
                        file_server.places.stats.idled_out.fetch_add(1, Ordering::Relaxed);
                        return Err(ClientGone);
                    }
                }
            }
        };
        self.reader = reader;
        self.settle(done, file)
    }

    fn settle(&mut self, done: Done, file: Option<FileId>) -> Result<(), ClientGone> {
        let stats = &self.file_server.places.stats;
        match done {
            Done::Written => {}
            Done::Opened(opened) => {
                let (reader, facts) = match opened {
                    Ok((reader, facts)) => (Some(reader), Ok(facts)),
                    Err(error) => (None, Err(error)),
                };
                if self.transfer.opened(facts) {
                    self.reader = reader.map(|reader| reader.in_chunks_of(self.transfer.chunk_bytes()));
                }
            }
            Done::Hashed(hash) => {
                let counter = if hash.is_some() { &stats.completed } else { &stats.failed };
                counter.fetch_add(1, Ordering::Relaxed);
                self.transfer.hashed(hash);
            }
            Done::Failed(error) => {
                stats.failed.fetch_add(1, Ordering::Relaxed);
                if let Some(file) = file {
                    self.transfer.failed(file, &error);
                }
            }
            Done::Lost => return Err(ClientGone),
        }
        Ok(())
    }

    fn file(&self) -> Option<FileId> {
        self.reader.as_ref().map(|reader| reader.file().id())
    }
}

async fn carry_out(file_server: &FileServer, writer: &ChannelWriter, act: Effect, reader: &mut Option<Reader>) -> Done {
    match (act, reader) {
        (Effect::Say(text), _) => written(writer.write(false, text.into()).await),
        (Effect::Open(file), _) => Done::Opened(match file.or_else(|| file_server.catalogue.default_file()) {
            Some(file) => file_server.open(file).await,
            None => Err(TransferError::NoFile),
        }),
        (Effect::Send(number), Some(reader)) => match reader.chunk(number).await {
            Ok(chunk) => written(writer.write(true, chunk).await),
            Err(error) => Done::Failed(error.into()),
        },
        (Effect::Hash, Some(reader)) => match reader.file().read(0, 0) {
            Ok(_) => Done::Hashed(file_server.catalogue.sha256(reader.file()).await),
            Err(error) => Done::Failed(error.into()),
        },
        (Effect::Send(_) | Effect::Hash, None) => Done::Failed(TransferError::NothingOpen),
    }
}

fn written(result: Result<(), EngineGone>) -> Done {
    result.map_or(Done::Lost, |()| Done::Written)
}
