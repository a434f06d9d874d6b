//! The people of the house, as Home Assistant knows them: who its users are, how they are called, and how they look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::core_link::{CoreFeed, CoreLink, CoreNews};
use super::messages::{PersonEntries, PersonEntry, UserEntry};

/// People come and go rarely, and the core tells nobody of it.
const ASK_EVERY: Duration = Duration::from_secs(10 * 60);

/// What the core is asked is answered within this, or not at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A user of Home Assistant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeUser {
    /// As Home Assistant knows them.
    pub id: String,
    /// How people call them, if that is known.
    pub name: Option<String>,
}

/// Somebody of the house.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Person {
    name: String,
    /// Path of their picture on the core.
    picture: Option<String>,
}

/// The people, for whoever asks about one. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct People(Arc<Mutex<HashMap<String, Person>>>);

/// The task that asks the core who there is.
pub struct PeopleTask {
    link: CoreLink,
    feed: CoreFeed,
    people: People,
}

impl People {
    /// Nobody is known before the task runs.
    pub fn new(link: CoreLink, feed: CoreFeed) -> (Self, PeopleTask) {
        let people = Self::default();
        (people.clone(), PeopleTask { link, feed, people })
    }

    /// A user, as far as they are known.
    pub fn user(&self, id: &str) -> HomeUser {
        HomeUser { id: id.to_owned(), name: self.lock().get(id).map(|person| person.name.clone()) }
    }

    /// Whole at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Person>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PeopleTask {
    /// Keeps what is known fresh until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let (mut is_linked, mut ask_at) = (false, Instant::now());
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(news) = self.feed.next() => match news {
                    CoreNews::Connected(_) => (is_linked, ask_at) = (true, Instant::now()),
                    CoreNews::Lost => is_linked = false,
                    CoreNews::Event(_) | CoreNews::Entities(_) => {}
                },
                () = sleep_until(ask_at), if is_linked => {
                    self.learn().await;
                    ask_at = Instant::now() + ASK_EVERY;
                }
            }
        }
    }

    async fn learn(&self) {
        // Whoever is no person is called as they log in.
        let users: Vec<UserEntry> = self.ask("config/auth/list").await.unwrap_or_default();
        let users = users.into_iter().filter_map(|user| Some((user.id, Person { name: user.name?, picture: None })));
        let PersonEntries { storage, config } = self.ask("person/list").await.unwrap_or_default();
        let persons = storage
            .into_iter()
            .chain(config)
            .filter_map(|PersonEntry { name, user_id, picture }| Some((user_id?, Person { name, picture })));
        *self.people.lock() = users.chain(persons).collect();
    }

    async fn ask<T: DeserializeOwned>(&self, what: &str) -> Option<T> {
        let answer = timeout(ANSWER_TIMEOUT, self.link.ask(json!({ "type": what }))).await.ok()?;
        answer.inspect_err(|error| tracing::warn!(%error, what, "not all of the house’s people are known")).ok()
    }
}

impl std::fmt::Debug for PeopleTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeopleTask")
    }
}
