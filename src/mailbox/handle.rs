//! The door to the mailbox: what is kept, what is being said, and whoever wants to know of either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{Semaphore, broadcast, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::calls::{CallEvent, EVERYBODY};
use crate::data::{DataFolder, Store, StoreError};
use crate::domain::{Owner, StreamId};
use crate::engine::{NewTrack, NewTracks};
use crate::limits::Places;
use crate::live::{Packets, mp3_of_ogg, ogg_file, peaks_of_ogg};
use crate::rooms::RoomsHandle;

use super::recording::{Intake, Recording};
use super::store::{self, Change};
use super::{Mailbox, MailboxCounters, MailboxError, MailboxSettings, MessageSender, VoiceMessage, VoiceMessageId};

/// Messages that are being said at once.
const RECORDINGS: usize = 16;

/// Memory of all of them: each as long as it may be, at the rate of a voice.
const RECORDING_BYTES: u64 = 32 << 20;

/// And of those of one address: a good line may send more than a voice needs.
const RECORDING_BYTES_OF_ONE: u64 = 8 << 20;

/// MP3 files that are made at once: each takes a processor for a second.
const ENCODINGS: usize = 2;

/// Parts of a message of which it is told how loud they are.
const PEAKS: usize = 64;

/// What is too old is deleted so often, and what is for nobody any more.
const TIDYING: Duration = Duration::from_secs(60);

/// Events that may wait for those who watch.
const WATCHED: usize = 256;

/// Something that happened to a message, for automations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxEvent {
    /// It was left.
    Left(VoiceMessage),
    /// Somebody has heard it.
    Heard(VoiceMessage),
}

/// The mailbox, for everybody. Cheap to clone.
#[derive(Clone)]
pub struct MailboxHandle(Arc<Inner>);

struct Inner {
    settings: MailboxSettings,
    rooms: RoomsHandle,
    mailbox: Mutex<Mailbox>,
    counters: Mutex<MailboxCounters>,
    /// Whoever holds it changes the mailbox; only on threads that may wait for the disk.
    store: Mutex<Store>,
    /// What is about to be said, by its stream.
    expected: Mutex<HashMap<StreamId, oneshot::Sender<NewTrack>>>,
    recordings: Places,
    speaking: TaskTracker,
    memory: Places,
    /// MP3 files that are made at once; the next waits.
    encoding: Semaphore,
    changes: watch::Sender<()>,
    events: broadcast::Sender<MailboxEvent>,
}

impl MailboxHandle {
    /// The mailbox as it was kept.
    pub fn open(settings: MailboxSettings, data: &DataFolder, rooms: RoomsHandle) -> Self {
        let (store, kept) = store::open(data);
        Self(Arc::new(Inner {
            rooms,
            mailbox: Mutex::new(Mailbox::new(settings.clone(), kept)),
            counters: Mutex::default(),
            store: Mutex::new(store),
            expected: Mutex::default(),
            speaking: TaskTracker::new(),
            recordings: Places::new(RECORDINGS, settings.share),
            memory: Places::shared(RECORDING_BYTES, RECORDING_BYTES_OF_ONE),
            encoding: Semaphore::new(ENCODINGS),
            changes: watch::Sender::new(()),
            events: broadcast::Sender::new(WATCHED),
            settings,
        }))
    }

    /// Records what is said, and deletes what is over, until the shutdown; then keeps what was being said.
    pub async fn run(self, tracks: NewTracks, called: broadcast::Receiver<CallEvent>, shutdown: CancellationToken) {
        // Side by side: a disk that takes its time while something is deleted costs nobody their first words.
        let working = async { tokio::join!(self.take_in(tracks), self.keep_tidy(called)) };
        shutdown.run_until_cancelled(working).await;
        // Whoever speaks is cut off by the end of their connection.
        lock(&self.0.expected).clear();
        self.0.speaking.close();
        self.0.speaking.wait().await;
    }

    /// Gives what is said to whoever records it.
    async fn take_in(&self, mut tracks: NewTracks) {
        while let Some(track) = tracks.recv().await {
            let expected = lock(&self.0.expected).remove(&track.stream);
            // Whoever wanted it is gone, or never was.
            expected.map(|intake| intake.send(track));
        }
    }

    /// Deletes what is over, when it is.
    async fn keep_tidy(&self, mut called: broadcast::Receiver<CallEvent>) {
        let mut tidying = tokio::time::interval(TIDYING);
        loop {
            tokio::select! {
                event = called.recv() => match event {
                    Ok(CallEvent::Forgotten(station)) => self.delete_all(move |message| message.to == station.0).await,
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(_)) => self.tidy().await,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                _ = tidying.tick() => self.tidy().await,
            }
        }
    }

    /// Begins to record what is going to be said on this stream.
    ///
    /// # Errors
    /// When no message can be left, and why.
    pub fn record(
        &self,
        owner: Owner,
        from: MessageSender,
        to: &str,
        stream: StreamId,
    ) -> Result<Recording, MailboxError> {
        if !has_place(&self.0.rooms, to) {
            return Err(MailboxError::NoPlace(to.to_owned()));
        }
        // Nobody is to speak for nothing.
        let room = lock(&self.0.mailbox).clone().make_room(&from.station, 0);
        room.map(drop).inspect_err(|_| lock(&self.0.counters).refused += 1)?;
        let place = self.0.recordings.take(&owner).map_err(|_| MailboxError::TooManyAtOnce)?;
        let ((track_sender, track), (ending_sender, ending)) = (oneshot::channel(), oneshot::channel());
        lock(&self.0.expected).insert(stream, track_sender);
        let (over_sender, over) = oneshot::channel();
        let (mailbox, to) = (self.clone(), to.to_owned());
        let (memory, longest) = (self.0.memory.clone(), self.0.settings.length);
        let intake = Intake { track, ending, owner, memory, longest };
        self.0.speaking.spawn(async move {
            let _place = place;
            let said = intake.listen().await;
            lock(&mailbox.0.expected).remove(&stream);
            let kept = match said {
                Ok(Some(packets)) => mailbox.keep(from, to, packets).await.map(Some),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            // Whoever said it may be gone; it is kept all the same.
            let _ = over_sender.send(kept);
        });
        Ok(Recording { ending: Some(ending_sender), over })
    }

    /// All that were left for places for which this holds, the newest first.
    pub fn list(&self, is_shown: impl Fn(&str) -> bool) -> Vec<VoiceMessage> {
        let mailbox = lock(&self.0.mailbox);
        mailbox.messages.values().rev().filter(|message| is_shown(&message.to)).cloned().collect()
    }

    /// Who has left messages for a place, or for any, that nobody has heard: by their names, the newest first.
    pub fn waiting(&self, place: Option<&str>) -> Vec<String> {
        let mailbox = lock(&self.0.mailbox);
        let for_it = |message: &&VoiceMessage| !message.heard && place.is_none_or(|place| message.to == place);
        mailbox.messages.values().rev().filter(for_it).map(|message| message.from.name.clone()).collect()
    }

    /// Places for which there are messages.
    pub fn places(&self) -> Vec<String> {
        let mut places: Vec<_> = lock(&self.0.mailbox).messages.values().map(|message| message.to.clone()).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// What is said in a message: an Ogg file, or an MP3 file for those who cannot play that.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub async fn speech(&self, id: VoiceMessageId, as_mp3: bool) -> Result<Bytes, MailboxError> {
        let mailbox = self.clone();
        let said = on_disk(move || {
            lock(&mailbox.0.mailbox).find(id)?;
            let said = store::speech(&mut lock(&mailbox.0.store), id).map_err(not_kept)?;
            said.ok_or(MailboxError::Unknown)
        });
        let said = said.await?;
        if !as_mp3 {
            return Ok(said);
        }
        // It is never closed.
        let _turn = self.0.encoding.acquire().await;
        on_disk(move || Ok(mp3_of_ogg(&said))).await
    }

    /// Notes whether somebody has heard a message.
    ///
    /// # Errors
    /// When there is none, or that cannot be kept.
    pub async fn set_heard(&self, id: VoiceMessageId, heard: bool) -> Result<(), MailboxError> {
        // Nothing is written for what is known.
        if lock(&self.0.mailbox).find(id)?.heard == heard {
            return Ok(());
        }
        let changed = self.change(move |mailbox| {
            let message = mailbox.find(id)?;
            message.heard = heard;
            let message = message.clone();
            Ok((Change { put: Some((message.clone(), None)), gone: Vec::new() }, message))
        });
        let message = changed.await?;
        if heard {
            self.tell(MailboxEvent::Heard(message));
        }
        Ok(())
    }

    /// Deletes a message.
    ///
    /// # Errors
    /// When there is none, or the disk cannot be written.
    pub async fn delete(&self, id: VoiceMessageId) -> Result<(), MailboxError> {
        let delete = move |mailbox: &mut Mailbox| {
            mailbox.find(id)?;
            Ok((Change { put: None, gone: mailbox.delete(|message| message.id == id) }, ()))
        };
        self.change(delete).await
    }

    /// Changes each time when the messages are others than before.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.0.changes.subscribe()
    }

    /// What happens to messages from now on.
    pub fn events(&self) -> broadcast::Receiver<MailboxEvent> {
        self.0.events.subscribe()
    }

    /// What was counted.
    pub fn counters(&self) -> MailboxCounters {
        let (refused, cut) = (self.0.recordings.refused_ever(), self.0.memory.refused_ever());
        let counters = *lock(&self.0.counters);
        MailboxCounters { refused: counters.refused + refused, cut, ..counters }
    }

    /// What all messages take.
    pub fn bytes(&self) -> u64 {
        lock(&self.0.mailbox).bytes()
    }

    /// How long a message may be.
    pub fn longest(&self) -> Duration {
        self.0.settings.length
    }

    async fn keep(&self, from: MessageSender, to: String, packets: Packets) -> Result<VoiceMessage, MailboxError> {
        let kept = self.change(move |mailbox| {
            let milliseconds = packets.duration().as_millis() as u64;
            let said = ogg_file(&packets);
            let bytes = said.len() as u64;
            let gone = mailbox.make_room(&from.station, bytes)?;
            let peaks = peaks_of_ogg(&said, PEAKS);
            let id = VoiceMessageId(Uuid::new_v4());
            let message = VoiceMessage { id, from, to, at: unix_now(), milliseconds, bytes, heard: false, peaks };
            mailbox.add(message.clone());
            let displaced = gone.len() as u64;
            Ok((Change { put: Some((message.clone(), Some(said))), gone }, (message, displaced)))
        });
        match kept.await {
            Ok((message, displaced)) => {
                let mut counters = lock(&self.0.counters);
                counters.left += 1;
                counters.displaced += displaced;
                drop(counters);
                self.tell(MailboxEvent::Left(message.clone()));
                Ok(message)
            }
            Err(error) => {
                lock(&self.0.counters).failed += 1;
                tracing::warn!(%error, "a voice message was said, and is lost");
                Err(error)
            }
        }
    }

    /// Deletes what is too old, and what is for a place that is no more.
    async fn tidy(&self) {
        let (now, rooms, settings) = (unix_now(), self.0.rooms.clone(), self.0.settings.clone());
        self.delete_all(move |message| settings.is_over(message, now) || !has_place(&rooms, &message.to)).await;
    }

    /// Deletes all for which this holds; where nothing is written, that is tried again in a minute.
    async fn delete_all(&self, which: impl Fn(&VoiceMessage) -> bool + Send + 'static) {
        if !lock(&self.0.mailbox).messages.values().any(&which) {
            return;
        }
        let delete = move |mailbox: &mut Mailbox| Ok((Change { put: None, gone: mailbox.delete(which) }, ()));
        if let Err(error) = self.change(delete).await {
            tracing::warn!(%error, "voice messages that are over are still there");
        }
    }

    /// Changes the mailbox, on the disk first: what is shown is kept.
    async fn change<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Mailbox) -> Result<(Change, T), MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let mailbox = self.clone();
        let done = on_disk(move || {
            let mut store = lock(&mailbox.0.store);
            let mut next = lock(&mailbox.0.mailbox).clone();
            let (change, done) = act(&mut next)?;
            store::write(&mut store, &change).map_err(not_kept)?;
            *lock(&mailbox.0.mailbox) = next;
            Ok(done)
        })
        .await?;
        self.0.changes.send_replace(());
        Ok(done)
    }

    fn tell(&self, event: MailboxEvent) {
        // Nobody watches, for all we know.
        let _ = self.0.events.send(event);
    }
}

/// Whether a message can be left for this place.
fn has_place(rooms: &RoomsHandle, place: &str) -> bool {
    place == EVERYBODY || rooms.find(place).is_some()
}

/// Does something that waits for the disk.
async fn on_disk<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, MailboxError> + Send + 'static,
) -> Result<T, MailboxError> {
    let done = tokio::task::spawn_blocking(act).await;
    done.unwrap_or_else(|panicked| Err(MailboxError::NotKept(panicked.to_string())))
}

fn not_kept(error: StoreError) -> MailboxError {
    MailboxError::NotKept(error.to_string())
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Whole at every moment, also after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for MailboxHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailboxHandle")
    }
}
