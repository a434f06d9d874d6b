//! Who in the house called which service of Home Assistant's: neither a broker nor ESPHome's protocol says on whose behalf
//! an entity is used, and the core's own events do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::core_link::{CoreFeed, CoreNews};
use super::house_players::HousePlayers;
use super::messages::CoreEvent;
use super::own::EntityId;
use super::people::{HomeUser, People};

/// Calls that are remembered; the oldest is forgotten.
const REMEMBERED: usize = 64;

/// What a call does comes within this of the event that tells of it, or never.
const MAX_AGE: Duration = Duration::from_millis(500);

/// The event comes before what it tells of, as a rule; by another way, so a moment later at times.
const PATIENCE: Duration = Duration::from_millis(50);

/// What the core is asked is answered within this, or not at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// What a call of a service is about, where that is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceTarget {
    /// An entity.
    Entity(EntityId),
    /// The service itself, such as `esphome.voice_relay_announce`.
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
    targets: Vec<ServiceTarget>,
    user: Option<String>,
}

/// The task that listens for calls.
pub struct ServiceCallsTask {
    feed: CoreFeed,
    calls: ServiceCalls,
    /// They know which entities are ours.
    players: HousePlayers,
}

impl ServiceCalls {
    /// Nobody is known before the task runs.
    pub fn new(feed: CoreFeed, people: People, players: HousePlayers) -> (Self, ServiceCallsTask) {
        let calls = Self { seen: Arc::default(), linked: watch::Sender::new(false), people };
        (calls.clone(), ServiceCallsTask { feed, calls, players })
    }

    /// Who has just used this; `None`: an automation, or nobody that is known.
    pub async fn user_of(&self, target: &ServiceTarget) -> Option<HomeUser> {
        let mut linked = self.linked.subscribe();
        let end = Instant::now() + PATIENCE;
        while *linked.borrow_and_update() {
            if let Some(user) = self.take(target) {
                return user.map(|id| self.people.user(&id));
            }
            // Whoever closes it goes, and the daemon with it.
            timeout_at(end, linked.changed()).await.ok()?.ok()?;
        }
        None
    }

    /// The oldest call of this that is remembered: by whom it was.
    fn take(&self, target: &ServiceTarget) -> Option<Option<String>> {
        let mut seen = self.lock();
        let now = Instant::now();
        seen.retain(|call| now.duration_since(call.at) < MAX_AGE && !call.targets.is_empty());
        let call = seen.iter_mut().find(|call| call.targets.contains(target))?;
        // What it is about besides was not done yet.
        call.targets.retain(|other| other != target);
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
        while let Some(Some(news)) = shutdown.run_until_cancelled(self.feed.next()).await {
            match news {
                CoreNews::Connected(_) => drop(self.calls.linked.send_replace(self.subscribe().await)),
                CoreNews::Lost => drop(self.calls.linked.send_replace(false)),
                CoreNews::Event(event) => self.note(event),
                CoreNews::Entities(_) => {}
            }
        }
    }

    async fn subscribe(&self) -> bool {
        let subscribe = self.feed.subscribe(json!({ "type": "subscribe_events", "event_type": "call_service" }));
        let is_subscribed = matches!(timeout(ANSWER_TIMEOUT, subscribe).await, Ok(Ok(())));
        if !is_subscribed {
            tracing::warn!("whoever uses an entity of ours stays unknown: Home Assistant does not tell of it");
        }
        is_subscribed
    }

    fn note(&self, CoreEvent { data, context, .. }: CoreEvent) {
        let named = match &data["service_data"]["entity_id"] {
            Value::String(entities) => entities.split(',').map(str::trim).collect(),
            Value::Array(entities) => entities.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let own = named.iter().filter_map(|name| self.players.own_entity(name));
        let mut targets: Vec<_> = own.map(ServiceTarget::Entity).collect();
        if let (Some("esphome"), Some(service)) = (data["domain"].as_str(), data["service"].as_str()) {
            targets.push(ServiceTarget::Service(format!("esphome.{service}")));
        }
        if !targets.is_empty() {
            self.calls.note(SeenCall { at: Instant::now(), targets, user: context.user });
        }
    }
}

impl std::fmt::Debug for ServiceCallsTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceCallsTask")
    }
}
