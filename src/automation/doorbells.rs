//! Doorbells of Home Assistant's: each becomes a call, without an automation that says so. Who is called is chosen for each;
//! everybody, until somebody has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::access::Visitor;
use crate::calls::{CallRequest, CallsHandle, EVERYBODY, MAX_TARGETS};
use crate::data::DataFolder;
use crate::hass::{CoreError, CoreFeed, CoreLink, CoreNews, EntityChanges, EntityState};

/// Who is called by which doorbell, in the data folder.
const FILE: &str = "doorbells.json";

/// Home Assistant answers within this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A change of the registry rarely comes alone.
const SETTLE: Duration = Duration::from_secs(2);

/// Doorbells that are followed.
const MAX_DOORBELLS: usize = 100;

/// What an event entity of a doorbell says that was pressed; each integration has its own word.
const RUNG: [&str; 6] = ["ring", "ding", "press", "pressed", "doorbell", "on"];

/// The states of a doorbell that cannot be heard: its integration is away, or the link to the core is.
const AWAY: [&str; 2] = ["unavailable", ""];

/// The state of a doorbell that nobody has pressed yet.
const NEVER_PRESSED: &str = "unknown";

/// A doorbell, as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoorbellInfo {
    /// Its entity.
    pub entity: String,
    /// How people call it.
    pub name: String,
    /// Home Assistant would tell us if somebody pressed it now.
    pub available: bool,
    /// Who is called: places as one writes them; nobody, where it is off.
    pub to: Vec<String>,
}

/// The doorbells, for everybody. Cheap to clone.
#[derive(Clone)]
pub struct Doorbells(Arc<Inner>);

struct Inner {
    known: Mutex<Known>,
    data: DataFolder,
    /// One write after the other; nobody who only reads waits for the disk.
    writing: Mutex<()>,
}

struct Known {
    doorbells: BTreeMap<String, EntityState>,
    chosen: BTreeMap<String, Vec<String>>,
}

/// The task that listens to them.
pub struct DoorbellsTask {
    doorbells: Doorbells,
    link: CoreLink,
    feed: CoreFeed,
    calls: CallsHandle,
    /// When the list is to be asked for anew.
    refresh: Option<Instant>,
    /// Of which the core tells, by this link.
    followed: Option<Vec<String>>,
}

/// Who is called by a doorbell was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SetDoorbellError {
    /// There is none.
    #[error("Home Assistant has no such doorbell; GET /api/doorbells lists those there are")]
    Unknown,
    /// It is for more than a call may be.
    #[error("A doorbell calls {MAX_TARGETS} places at most")]
    TooMany,
    /// It cannot be kept.
    #[error("The data folder cannot be written: {0}")]
    Unwritable(std::io::Error),
}

impl Doorbells {
    /// Those of this core, which call by this.
    pub fn new(link: CoreLink, feed: CoreFeed, calls: CallsHandle, data: DataFolder) -> (Self, DoorbellsTask) {
        let chosen = match std::fs::read(data.file(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, "{FILE} cannot be read: every doorbell calls everybody");
                BTreeMap::new()
            }),
            Err(_) => BTreeMap::new(),
        };
        let known = Mutex::new(Known { doorbells: BTreeMap::new(), chosen });
        let doorbells = Self(Arc::new(Inner { known, data, writing: Mutex::default() }));
        let task = DoorbellsTask { doorbells: doorbells.clone(), link, feed, calls, refresh: None, followed: None };
        (doorbells, task)
    }

    /// All that Home Assistant has.
    pub fn list(&self) -> Vec<DoorbellInfo> {
        let known = self.lock();
        let info = |(entity, state): (&String, &EntityState)| DoorbellInfo {
            entity: entity.clone(),
            name: name_of(entity, state),
            available: !AWAY.contains(&&*state.state),
            to: known.to(entity),
        };
        known.doorbells.iter().map(info).collect()
    }

    /// A doorbell calls these from now on; nobody: it is off. Writes to the disk.
    ///
    /// # Errors
    /// When there is none, or that cannot be kept.
    pub fn set(&self, entity: &str, to: Vec<String>) -> Result<(), SetDoorbellError> {
        if !self.lock().doorbells.contains_key(entity) {
            return Err(SetDoorbellError::Unknown);
        }
        if to.len() > MAX_TARGETS {
            return Err(SetDoorbellError::TooMany);
        }
        let _turn = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut chosen = self.lock().chosen.clone();
        chosen.insert(entity.to_owned(), to);
        let written = serde_json::to_vec(&chosen).map_err(std::io::Error::from);
        let written = written.and_then(|bytes| self.0.data.make().and_then(|()| self.0.data.write(FILE, &bytes)));
        written.map_err(SetDoorbellError::Unwritable)?;
        self.lock().chosen = chosen;
        Ok(())
    }

    /// These are the doorbells of the house.
    fn keep_only(&self, entities: &[String]) {
        let mut known = self.lock();
        known.doorbells.retain(|entity, _| entities.contains(entity));
        for entity in entities {
            known.doorbells.entry(entity.clone()).or_default();
        }
    }

    /// Whole at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn to(&self, entity: &str) -> Vec<String> {
        self.chosen.get(entity).cloned().unwrap_or_else(|| vec![EVERYBODY.to_owned()])
    }

    /// A doorbell is as the core says now; true: somebody has pressed it since.
    fn note(&mut self, entity: &str, now: EntityState) -> bool {
        let Some(before) = self.doorbells.get_mut(entity) else { return false };
        let has_time = |state: &str| !AWAY.contains(&state) && state != NEVER_PRESSED;
        let was_there = has_time(&before.state);
        let is_new = before.state != now.state && has_time(&now.state);
        let kind = now.attributes.get("event_type").and_then(Value::as_str).unwrap_or_default();
        // The first press of all follows upon `unknown`, and cannot be told from a restart of Home Assistant's by that alone.
        let is_rung = was_there && is_new && RUNG.contains(&kind);
        *before = now;
        is_rung
    }
}

fn name_of(entity: &str, state: &EntityState) -> String {
    state.attributes.get("friendly_name").and_then(Value::as_str).unwrap_or(entity).to_owned()
}

impl DoorbellsTask {
    /// Listens to them until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let due = self.refresh.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(news) = self.feed.next() => self.hear(news).await,
                () = sleep_until(due), if self.refresh.is_some() => {
                    self.refresh = None;
                    self.learn().await;
                }
            }
        }
    }

    async fn hear(&mut self, news: CoreNews) {
        match news {
            CoreNews::Connected(_) => {
                self.followed = None;
                self.learn().await;
            }
            // What is pressed meanwhile is not known; the next state after that is no press.
            CoreNews::Lost => {
                (self.refresh, self.followed) = (None, None);
                self.doorbells.lock().doorbells.values_mut().for_each(|state| state.state.clear());
            }
            CoreNews::Event(_) => self.refresh = Some(Instant::now() + SETTLE),
            CoreNews::Entities(EntityChanges { added, changed, removed }) => {
                let mut states: Vec<_> = added.into_iter().collect();
                for (entity, difference) in changed {
                    let known = self.doorbells.lock().doorbells.get(&entity).cloned();
                    states.extend(known.map(|mut state| {
                        state.apply(difference);
                        (entity, state)
                    }));
                }
                states.extend(removed.into_iter().map(|entity| (entity, EntityState::default())));
                for (entity, state) in states {
                    self.note(&entity, state);
                }
            }
        }
    }

    fn note(&self, entity: &str, now: EntityState) {
        let name = name_of(entity, &now);
        let mut known = self.doorbells.lock();
        let to = if known.note(entity, now) { known.to(entity) } else { Vec::new() };
        drop(known);
        if to.is_empty() {
            return;
        }
        let owner = Visitor::of_home_assistant(None, None).owner();
        match self.calls.call(CallRequest::of_doorbell(&name, &to), owner) {
            Ok(_) => tracing::debug!(entity, "a doorbell calls"),
            Err(error) => tracing::warn!(entity, %error, "a doorbell calls nobody"),
        }
    }

    async fn learn(&mut self) {
        match timeout(ANSWER_TIMEOUT, self.follow()).await {
            Ok(Ok(()) | Err(CoreError::Away)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the doorbells of the house are not known");
                self.refresh = Some(Instant::now() + ANSWER_TIMEOUT);
            }
            Err(_) => self.refresh = Some(Instant::now() + ANSWER_TIMEOUT),
        }
    }

    /// Asks for the doorbells of the house, and to be told of them.
    async fn follow(&mut self) -> Result<(), CoreError> {
        let states: Vec<Value> = self.link.ask(json!({ "type": "get_states" })).await?;
        let is_doorbell = |state: &&Value| {
            let is_event = state["entity_id"].as_str().is_some_and(|entity| entity.starts_with("event."));
            is_event && state["attributes"]["device_class"] == "doorbell"
        };
        let entities = states.iter().filter(is_doorbell).filter_map(|state| state["entity_id"].as_str());
        let mut entities: Vec<_> = entities.map(str::to_owned).collect();
        entities.sort();
        if entities.len() > MAX_DOORBELLS {
            tracing::warn!(
                doorbells = entities.len(),
                "more doorbells than are followed; the first {MAX_DOORBELLS} are"
            );
            entities.truncate(MAX_DOORBELLS);
        }
        self.doorbells.keep_only(&entities);
        // Each subscription lasts as long as the link: there is one more only where there is something new.
        if self.followed.is_none() {
            let registry = json!({ "type": "subscribe_events", "event_type": "entity_registry_updated" });
            self.feed.subscribe(registry).await?;
        }
        if self.followed.as_ref() != Some(&entities) && !entities.is_empty() {
            tracing::info!(doorbells = entities.len(), "doorbells of Home Assistant");
            self.feed.subscribe(json!({ "type": "subscribe_entities", "entity_ids": entities })).await?;
        }
        self.followed = Some(entities);
        Ok(())
    }
}

impl std::fmt::Debug for Doorbells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doorbells")
    }
}

impl std::fmt::Debug for DoorbellsTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DoorbellsTask")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(time: &str, kind: &str) -> EntityState {
        let mut state = EntityState { state: time.into(), ..EntityState::default() };
        state.attributes.insert("event_type".into(), kind.into());
        state
    }

    #[test]
    fn a_doorbell_was_pressed_when_its_time_is_a_new_one_and_not_when_home_assistant_comes_back() {
        let entity = "event.front_door".to_owned();
        for (before, now, is_rung) in [
            (state("2026-11-30T10:00:00", "ring"), state("2026-11-30T10:05:00", "ring"), true),
            (state("2026-11-30T10:00:00", "ring"), state("2026-11-30T10:05:00", "ding"), true),
            (state("2026-11-30T10:00:00", "ring"), state("2026-11-30T10:00:00", "ring"), false),
            (state("2026-11-30T10:00:00", "ring"), state("2026-11-30T10:05:00", "motion"), false),
            (state("unavailable", ""), state("2026-11-30T10:00:00", "ring"), false),
            (state("unknown", ""), state("2026-11-30T10:00:00", "ring"), false),
            (EntityState::default(), state("2026-11-30T10:00:00", "ring"), false),
            (state("2026-11-30T10:00:00", "ring"), state("unavailable", ""), false),
        ] {
            let doorbells = BTreeMap::from([(entity.clone(), before.clone())]);
            let mut known = Known { doorbells, chosen: BTreeMap::new() };
            assert_eq!(known.note(&entity, now.clone()), is_rung, "{before:?} {now:?}");
            assert_eq!(known.doorbells[&entity], now);
            assert!(!known.note("event.other", now), "one that nobody asked about");
        }
    }
}
