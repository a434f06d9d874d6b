//! Who in the house called which service of Home Assistant's: neither a broker nor ESPHome's protocol says on whose behalf
//! an entity is used, and the core's own events do.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::core_link::{CoreError, CoreFeed, CoreLink, CoreNews};
use super::messages::{CoreEvent, EntityEntry};
use super::people::{HomeUser, People};

/// Calls that are remembered; the oldest is forgotten.
const REMEMBERED: usize = 64;

/// What a call does comes within this of the event that tells of it, or never.
const MAX_AGE: Duration = Duration::from_millis(500);

/// The event comes before what it tells of, as a rule; by another way, so a moment later at times.
const PATIENCE: Duration = Duration::from_millis(50);

/// What the core is asked is answered within this, or not at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A change of the registry rarely comes alone.
const SETTLE: Duration = Duration::from_millis(500);

/// Integrations by which it has entities of ours.
const OURS: [&str; 2] = ["mqtt", "esphome"];

/// Something of ours that a call may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsedThing {
    /// An entity: the integration that it is of, and its id there.
    Entity(&'static str, String),
    /// A service, such as `esphome.voice_relay_announce`.
    Service(String),
}

/// Whoever knows who called what. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServiceCalls {
    seen: Arc<Mutex<VecDeque<SeenCall>>>,
    /// Whether there is a link, and marked as changed with every call.
    linked: watch::Sender<bool>,
    people: People,
}

/// A call that was seen.
#[derive(Debug)]
struct SeenCall {
    at: Instant,
    things: Vec<UsedThing>,
    user: Option<String>,
}

/// The task that listens for calls.
pub struct ServiceCallsTask {
    link: CoreLink,
    feed: CoreFeed,
    calls: ServiceCalls,
    /// Entities of those integrations, by their names.
    entities: HashMap<String, UsedThing>,
    refresh: Option<Instant>,
}

impl ServiceCalls {
    /// Nobody is known before the task runs.
    pub fn new(link: CoreLink, feed: CoreFeed, people: People) -> (Self, ServiceCallsTask) {
        let calls = Self { seen: Arc::default(), linked: watch::Sender::new(false), people };
        let task = ServiceCallsTask { link, feed, calls: calls.clone(), entities: HashMap::new(), refresh: None };
        (calls, task)
    }

    /// Who has just used this; `None`: an automation, or nobody that is known.
    pub async fn user_of(&self, thing: &UsedThing) -> Option<HomeUser> {
        let mut linked = self.linked.subscribe();
        let end = Instant::now() + PATIENCE;
        while *linked.borrow_and_update() {
            if let Some(user) = self.take(thing) {
                return user.map(|id| self.people.user(&id));
            }
            // Whoever closes it goes, and the daemon with it.
            timeout_at(end, linked.changed()).await.ok()?.ok()?;
        }
        None
    }

    /// The oldest call of this that is remembered: by whom it was.
    fn take(&self, thing: &UsedThing) -> Option<Option<String>> {
        let mut seen = self.lock();
        let now = Instant::now();
        seen.retain(|call| now.duration_since(call.at) < MAX_AGE && !call.things.is_empty());
        let call = seen.iter_mut().find(|call| call.things.contains(thing))?;
        // What it is about besides was not done yet.
        call.things.retain(|other| other != thing);
        Some(call.user.clone())
    }

    fn note(&self, call: SeenCall) {
        let mut seen = self.lock();
        seen.push_back(call);
        if seen.len() > REMEMBERED {
            seen.pop_front();
        }
        drop(seen);
        self.linked.send_modify(|_| {});
    }

    /// Whole at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, VecDeque<SeenCall>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServiceCallsTask {
    /// Listens until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let refresh = self.refresh;
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(news) = self.feed.next() => self.hear(news).await,
                () = tokio::time::sleep_until(refresh.unwrap_or_else(Instant::now)), if refresh.is_some() => self.learn().await,
            }
        }
    }

    async fn hear(&mut self, news: CoreNews) {
        match news {
            CoreNews::Connected(_) => {
                for event in ["call_service", "entity_registry_updated"] {
                    let subscribe = json!({ "type": "subscribe_events", "event_type": event });
                    if !matches!(timeout(ANSWER_TIMEOUT, self.feed.subscribe(subscribe)).await, Ok(Ok(()))) {
                        tracing::warn!(event, "whoever uses an entity of ours stays unknown");
                        return;
                    }
                }
                self.learn().await;
                self.calls.linked.send_replace(true);
            }
            CoreNews::Lost => drop(self.calls.linked.send_replace(false)),
            CoreNews::Event(event) if event.event_type == "entity_registry_updated" => {
                self.refresh.get_or_insert_with(|| Instant::now() + SETTLE);
            }
            CoreNews::Event(event) => self.note(event),
            CoreNews::Entities(_) => {}
        }
    }

    async fn learn(&mut self) {
        self.refresh = None;
        let listed = self.link.ask(json!({ "type": "config/entity_registry/list" }));
        let listed: Result<Vec<EntityEntry>, _> = timeout(ANSWER_TIMEOUT, listed).await.unwrap_or(Err(CoreError::Away));
        match listed {
            Ok(entries) => self.entities = entries.into_iter().filter_map(named).collect(),
            Err(error) => tracing::debug!(%error, "which entities are ours is not known"),
        }
    }

    fn note(&self, CoreEvent { data, context, .. }: CoreEvent) {
        let named = match &data["service_data"]["entity_id"] {
            Value::String(entities) => entities.split(',').map(str::trim).collect(),
            Value::Array(entities) => entities.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut things: Vec<_> = named.iter().filter_map(|name| self.entities.get(*name).cloned()).collect();
        if let (Some("esphome"), Some(service)) = (data["domain"].as_str(), data["service"].as_str()) {
            things.push(UsedThing::Service(format!("esphome.{service}")));
        }
        if !things.is_empty() {
            self.calls.note(SeenCall { at: Instant::now(), things, user: context.user });
        }
    }
}

/// An entity that may be ours, by its name.
fn named(entry: EntityEntry) -> Option<(String, UsedThing)> {
    let platform = OURS.into_iter().find(|platform| *platform == entry.platform)?;
    Some((entry.entity_id, UsedThing::Entity(platform, entry.unique_id?)))
}

impl std::fmt::Debug for ServiceCallsTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceCallsTask")
    }
}
