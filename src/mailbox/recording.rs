//! A voice message that is being said.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::domain::Owner;
use crate::engine::NewTrack;
use crate::limits::Places;
use crate::live::{Packets, Take};

use super::{MailboxError, VoiceMessage};

/// Whoever is to say something is connected within this.
const CONNECTING: Duration = Duration::from_secs(20);

/// The last syllable is on its way for so long after they have ended it.
const TAIL: Duration = Duration::from_millis(300);

/// However much they still send, it is over after this.
const LONGEST_TAIL: Duration = Duration::from_secs(2);

/// What is shorter was a tap too many.
const SHORTEST: Duration = Duration::from_millis(300);

/// What is to become of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is kept. So it is when whoever says it is gone.
    Keep,
    /// It is thrown away.
    Discard,
}

/// A message that is being said. It is kept when this is dropped.
#[derive(Debug)]
pub struct Recording {
    pub(super) ending: Option<oneshot::Sender<Ending>>,
    pub(super) over: oneshot::Receiver<Result<Option<VoiceMessage>, MailboxError>>,
}

impl Recording {
    /// Ends it.
    pub fn end(&mut self, ending: Ending) {
        // It may be over already, since nobody says more than they may.
        self.ending.take().map(|sender| sender.send(ending));
    }

    /// Waits until it is over; gives the message that was kept, or nothing of one that was thrown away.
    ///
    /// # Errors
    /// When it could not be kept, and why.
    pub async fn over(&mut self) -> Result<Option<VoiceMessage>, MailboxError> {
        (&mut self.over).await.unwrap_or_else(|_| Err(MailboxError::NotKept("the relay is shutting down".into())))
    }
}

/// The way in, for what is said.
pub(super) struct Intake {
    pub(super) track: oneshot::Receiver<NewTrack>,
    pub(super) ending: oneshot::Receiver<Ending>,
    pub(super) owner: Owner,
    /// Memory of all that is being said.
    pub(super) memory: Places,
    /// No message is longer.
    pub(super) longest: Duration,
}

impl Intake {
    /// All that is said, in its order; `None`: it is to be thrown away.
    pub(super) async fn listen(mut self) -> Result<Option<Packets>, MailboxError> {
        let Some(mut track) = self.connect().await? else { return Ok(None) };
        let mut take = Take::new(self.owner, self.memory);
        let (mut quiet, mut latest) = (None::<Instant>, None::<Instant>);
        while take.packets.duration() < self.longest {
            let end = quiet.min(latest).unwrap_or_else(Instant::now);
            tokio::select! {
                packet = track.packets.recv() => {
                    // Where there is no memory for more, what there is is kept.
                    if !packet.is_some_and(|packet| take.add(packet)) {
                        break;
                    }
                    quiet = quiet.map(|_| Instant::now() + TAIL);
                }
                ending = &mut self.ending, if quiet.is_none() => match ending {
                    Ok(Ending::Discard) => return Ok(None),
                    Ok(Ending::Keep) | Err(_) => {
                        (quiet, latest) = (Some(Instant::now() + TAIL), Some(Instant::now() + LONGEST_TAIL));
                    }
                },
                () = sleep_until(end), if quiet.is_some() => break,
            }
        }
        let (packets, _) = take.end();
        if packets.duration() < SHORTEST { Err(MailboxError::NothingSaid) } else { Ok(Some(packets)) }
    }

    /// Waits until the first packet is there; `None`: it is to be thrown away.
    async fn connect(&mut self) -> Result<Option<NewTrack>, MailboxError> {
        tokio::select! {
            track = &mut self.track => track.map(Some).map_err(|_| MailboxError::NothingSaid),
            ending = &mut self.ending => match ending {
                Ok(Ending::Discard) => Ok(None),
                Ok(Ending::Keep) | Err(_) => Err(MailboxError::NothingSaid),
            },
            () = tokio::time::sleep(CONNECTING) => Err(MailboxError::NothingSaid),
        }
    }
}
