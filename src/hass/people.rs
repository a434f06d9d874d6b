//! The people of the house, as Home Assistant knows them: who its users are, how they are called, and how they look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::core_link::{CoreFeed, CoreLink, CoreNews};
use super::endpoint::CoreEndpoint;
use super::messages::{PersonEntries, PersonEntry, UserEntry};

/// People come and go rarely, and the core tells nobody of it.
const ASK_EVERY: Duration = Duration::from_secs(10 * 60);

/// What the core is asked is answered within this, or not at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// What begins the paths of Home Assistant's own images.
const IMAGES: &str = "/api/image/serve/";

/// What browsers show, and cannot run.
const KINDS: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/// Bytes of a picture. Home Assistant makes them 512 points wide.
const MAX_PICTURE: usize = 1_024 * 1_024;

/// Pictures that are kept in memory.
const MAX_PICTURES: usize = 32;

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

/// How somebody looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The image.
    pub bytes: Bytes,
    /// Of which kind it is, such as `image/png`.
    pub kind: &'static str,
}

/// There is no picture of somebody.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Home Assistant has none.
    #[error("Home Assistant has no picture of them")]
    None,
    /// It has one that cannot be had.
    #[error("Home Assistant's picture of them cannot be had: {0}")]
    Fetch(String),
}

/// The people, for whoever asks about one. Cheap to clone.
#[derive(Debug, Clone)]
pub struct People {
    endpoint: CoreEndpoint,
    known: Arc<Mutex<HashMap<String, Person>>>,
    /// Pictures that were fetched, by their paths.
    pictures: Arc<Mutex<HashMap<String, Picture>>>,
    /// One is fetched at a time.
    fetching: Arc<Semaphore>,
}

/// The task that asks the core who there is.
pub struct PeopleTask {
    link: CoreLink,
    feed: CoreFeed,
    people: People,
}

impl People {
    /// Nobody is known before the task runs.
    pub fn new(link: CoreLink, feed: CoreFeed, endpoint: CoreEndpoint) -> (Self, PeopleTask) {
        let people =
            Self { endpoint, known: Arc::default(), pictures: Arc::default(), fetching: Arc::new(Semaphore::new(1)) };
        (people.clone(), PeopleTask { link, feed, people })
    }

    /// A user, as far as they are known.
    pub fn user(&self, id: &str) -> HomeUser {
        HomeUser { id: id.to_owned(), name: lock(&self.known).get(id).map(|person| person.name.clone()) }
    }

    /// How a user looks.
    ///
    /// # Errors
    /// When that is not known, or cannot be had just now.
    pub async fn picture(&self, user: &str) -> Result<Picture, PictureError> {
        let person = lock(&self.known).get(user).cloned();
        let path = person.and_then(|person| person.picture).ok_or(PictureError::None)?;
        if let Some(picture) = self.fetched(&path) {
            return Ok(picture);
        }
        let fetched = async {
            let _turn = self.fetching.acquire().await.map_err(|error| PictureError::Fetch(error.to_string()))?;
            // Somebody else may have waited for the same one.
            match self.fetched(&path) {
                Some(picture) => Ok(picture),
                None => self.fetch(&path).await,
            }
        };
        let late = |_| PictureError::Fetch("it took too long".into());
        let picture = timeout(ANSWER_TIMEOUT, fetched).await.map_err(late)??;
        let mut pictures = lock(&self.pictures);
        if pictures.len() >= MAX_PICTURES {
            pictures.clear();
        }
        pictures.insert(path, picture.clone());
        Ok(picture)
    }

    fn fetched(&self, path: &str) -> Option<Picture> {
        lock(&self.pictures).get(path).cloned()
    }

    async fn fetch(&self, path: &str) -> Result<Picture, PictureError> {
        // The token is for Home Assistant's own images alone; what is elsewhere nobody has asked us to fetch.
        if !path.starts_with(IMAGES) || path.contains("..") {
            return Err(PictureError::None);
        }
        let error = |error: reqwest::Error| PictureError::Fetch(error.without_url().to_string());
        let answer = self.endpoint.request(Method::GET, path).send().await;
        let mut answer = answer.and_then(reqwest::Response::error_for_status).map_err(error)?;
        let told = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = KINDS.into_iter().find(|kind| told.starts_with(kind));
        let kind = kind.ok_or_else(|| PictureError::Fetch("it is no picture that browsers show".into()))?;
        let mut bytes = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(error)? {
            if bytes.len() + piece.len() > MAX_PICTURE {
                return Err(PictureError::Fetch(format!("it has more than {MAX_PICTURE} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Picture { bytes: bytes.freeze(), kind })
    }
}

/// Whole at every moment, also after a panic.
fn lock<T>(all: &Mutex<T>) -> MutexGuard<'_, T> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
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
        *lock(&self.people.known) = users.chain(persons).collect();
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
