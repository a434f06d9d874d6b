//! Automations of Home Assistant: what they hear of the relay, and what they ask of it, over the link to the core.
//!
//! They hear events of the type `voice_relay` (`news`), and ask by events of the type `voice_relay_command`
//! (`commands`). Its `doorbells` call without any automation, and its `phones` ring while no page is open. What is told waits in a queue that is bounded: a house full of talkers must not hold anybody up.

mod commands;
mod doorbells;
mod news;
mod phones;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::access::{Access, Visitor};
use crate::calls::CallsHandle;
use crate::dispatch::Dispatcher;
use crate::hass::{CoreEvent, CoreFeed, CoreLink, CoreNews, People};
use crate::mailbox::MailboxHandle;
use crate::rooms::{EventReceiver, RoomsHandle};

pub use doorbells::{DoorbellInfo, Doorbells, DoorbellsTask, SetDoorbellError};
pub use phones::{PhoneInfo, PhoneStats, Phones, PhonesTask};

use commands::{COMMAND, Command, Obeyers};
use news::Presence;

/// The type of the events that automations hear.
const NEWS: &str = "voice_relay";

/// Events that wait to be told; what comes when as many wait is not told.
const WAITING: usize = 256;

/// The core takes an event within this, or it is not told.
const FIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a command that is told with the reason why it is not obeyed.
const MAX_ECHO: usize = 2_048;

/// Commands that are obeyed at a time; one more is refused.
const COMMANDS: usize = 16;

/// What is counted.
#[derive(Debug, Default)]
pub struct AutomationStats {
    /// Events that were told.
    pub told: AtomicU64,
    /// Events that were not, since too many waited or the core did not take them.
    pub lost: AtomicU64,
    /// Commands that were obeyed.
    pub obeyed: AtomicU64,
    /// Commands that were not: what is no command among them.
    pub refused: AtomicU64,
}

/// The task that speaks with automations.
pub struct Automations {
    link: CoreLink,
    feed: CoreFeed,
    obeyers: Obeyers,
    people: People,
    rooms: RoomsHandle,
    mailbox: MailboxHandle,
    stats: Arc<AutomationStats>,
}

impl Automations {
    /// Whoever speaks with the automations of this core.
    pub fn new(
        link: CoreLink,
        feed: CoreFeed,
        people: People,
        dispatcher: Dispatcher,
        (rooms, calls, mailbox): (RoomsHandle, CallsHandle, MailboxHandle),
        access: Access,
    ) -> Self {
        Self {
            link,
            feed,
            obeyers: Obeyers { dispatcher, calls, access },
            people,
            rooms,
            mailbox,
            stats: Arc::default(),
        }
    }

    /// What is counted.
    pub fn stats(&self) -> Arc<AutomationStats> {
        Arc::clone(&self.stats)
    }

    /// Speaks with them until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let (events, waiting) = mpsc::channel(WAITING);
        let teller = Teller { link: self.link.clone(), stats: Arc::clone(&self.stats) };
        let herald = Herald { events, stats: Arc::clone(&self.stats) };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = teller.tell(waiting) => {}
            () = self.listen(&herald) => {}
        }
    }

    async fn listen(&mut self, herald: &Herald) {
        let places = Arc::new(Semaphore::new(COMMANDS));
        let (mut observed, mut presence) = self.observe();
        let (mut announced, mut called) = (self.obeyers.dispatcher.events(), self.obeyers.calls.events());
        let mut left = self.mailbox.events();
        let mut linked = false;
        loop {
            tokio::select! {
                Some(news) = self.feed.next() => match news {
                    CoreNews::Connected(_) => {
                        linked = true;
                        self.subscribe().await;
                    }
                    CoreNews::Lost => linked = false,
                    CoreNews::Event(event) => self.hear(event, &places, herald),
                    CoreNews::Entities(_) => {}
                },
                published = observed.next() => match published {
                    Some(published) => {
                        let news = presence.news_of(&published, &self.rooms);
                        // Of what happened while nobody was there, nobody is told later.
                        news.filter(|_| linked).into_iter().for_each(|news| herald.announce(news));
                    }
                    // More happened than could be read: from now on again.
                    None => (observed, presence) = self.observe(),
                },
                event = announced.recv() => match event {
                    Ok(event) if linked => herald.announce(news::of_announcement(&event)),
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(count)) => herald.note_lost(count),
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                call = called.recv() => match call {
                    Ok(event) if linked => news::of_calls(&event).into_iter().for_each(|news| herald.announce(news)),
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(count)) => herald.note_lost(count),
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                message = left.recv() => match message {
                    Ok(event) if linked => herald.announce(news::of_mailbox(&event)),
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(count)) => herald.note_lost(count),
                    Err(broadcast::error::RecvError::Closed) => return,
                },
            }
        }
    }

    fn observe(&self) -> (EventReceiver, Presence) {
        (self.rooms.observe(), Presence::of(&self.rooms))
    }

    async fn subscribe(&self) {
        let commands = json!({ "type": "subscribe_events", "event_type": COMMAND });
        match timeout(FIRE_TIMEOUT, self.feed.subscribe(commands)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "automations cannot give commands"),
            Err(_) => tracing::warn!("automations cannot give commands: Home Assistant does not answer"),
        }
    }

    fn hear(&self, event: CoreEvent, places: &Arc<Semaphore>, herald: &Herald) {
        let (obeyers, people, herald) = (self.obeyers.clone(), self.people.clone(), herald.clone());
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            return herald.refuse(&event.data, "Too many commands at once");
        };
        tokio::spawn(async move {
            let user = event.context.user.as_deref();
            let visitor = Visitor::of_home_assistant(user, user.and_then(|user| people.user(user).name));
            let obeyed = match Command::read(event.data.clone()) {
                Ok(command) => command.obey(&visitor, &obeyers).await,
                Err(error) => Err(error),
            };
            match obeyed {
                Ok(()) => drop(herald.stats.obeyed.fetch_add(1, Ordering::Relaxed)),
                Err(error) => herald.refuse(&event.data, &error.to_string()),
            }
            drop(place);
        });
    }
}

/// Whoever has something told. Cheap to clone.
#[derive(Clone)]
struct Herald {
    events: mpsc::Sender<Value>,
    stats: Arc<AutomationStats>,
}

impl Herald {
    fn announce(&self, news: Value) {
        if self.events.try_send(news).is_err() {
            self.note_lost(1);
        }
    }

    fn note_lost(&self, count: u64) {
        self.stats.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// Says why a command is not obeyed, to the log and to whoever listens there.
    fn refuse(&self, command: &Value, why: &str) {
        self.stats.refused.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(why, "a command of an automation is not obeyed");
        let command = Some(command).filter(|command| command.to_string().len() <= MAX_ECHO);
        self.announce(json!({ "type": "command_failed", "message": why, "command": command }));
    }
}

/// Whoever tells it, one event after the other.
struct Teller {
    link: CoreLink,
    stats: Arc<AutomationStats>,
}

impl Teller {
    async fn tell(self, mut waiting: mpsc::Receiver<Value>) {
        while let Some(news) = waiting.recv().await {
            let counter = match timeout(FIRE_TIMEOUT, self.link.fire(NEWS, news)).await {
                Ok(Ok(())) => &self.stats.told,
                Ok(Err(_)) | Err(_) => &self.stats.lost,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl std::fmt::Debug for Automations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Automations")
    }
}
