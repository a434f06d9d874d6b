//! The task that has the house's media players: it hears what the core tells, gives each player's state machine its share,
//! and calls what that says. How a player is to be left is kept in the data folder until it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::data::DataFolder;
use crate::domain::Owner;
use crate::hass::core_link::{CoreError, CoreFeed, CoreLink, CoreNews};
use crate::hass::directory::{Area, Directory, DirectoryPlayer};
use crate::hass::kept::Kept;
use crate::hass::messages::{
    AreaEntry, CurrentUser, DeviceEntry, EntityChanges, EntityEntry, EntityState, SpeechEngines,
};
use crate::hass::own::OwnIds;
use crate::hass::services::service_of;
use crate::limits;
use crate::players::{
    CallId, Cause, Clip, ClipId, Command, Content, Effect, Features, MAX_WAITING, Mode, Outcome, Player, PlayerKind,
    PlayerState,
};

use super::{
    Announced, ClipProgress, HousePlayers, KnownPlayer, NewClip, ORDERS, Order, PlayerError, PlayersStats, Shown, lock,
};

/// Players that are followed; a house with more has the first by name.
const MAX_PLAYERS: usize = 500;

/// What the core is asked is answered within this, or not at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A call lasts as long as what it does, and no longer than the longest clip and its beginning.
const CALL_TIMEOUT: Duration = Duration::from_secs(700);

/// A change of the registry rarely comes alone.
const SETTLE: Duration = Duration::from_secs(2);

/// The task that has the players.
pub struct HousePlayersTask {
    link: CoreLink,
    feed: CoreFeed,
    orders: mpsc::Receiver<Order>,
    results: mpsc::Sender<CallResult>,
    ended: mpsc::Receiver<CallResult>,
    shown: Arc<Mutex<Shown>>,
    stats: Arc<PlayersStats>,
    /// Clips of one owner that may wait for one player.
    share: usize,
    kept: Kept,
    /// What is ours there.
    own: Option<OwnIds>,
    /// To be made once what is to be kept is kept.
    calls: Vec<(String, CallId, Command)>,
    entries: BTreeMap<String, Entry>,
    /// Who we are there: what we change is ours.
    me: String,
    linked: Arc<AtomicBool>,
    /// When the list of players is to be asked for anew.
    refresh: Option<Instant>,
    /// Of which the core tells, by this link.
    followed: Option<Vec<String>>,
    last_clip: u64,
}

/// One player.
struct Entry {
    kind: PlayerKind,
    area: Option<Area>,
    device: Option<String>,
    state: EntityState,
    player: Player,
    clips: HashMap<ClipId, Underway>,
}

/// A clip that is not over.
struct Underway {
    url: String,
    owner: Owner,
    progress: watch::Sender<ClipProgress>,
    /// When the player was told to play it.
    told: Option<Instant>,
}

/// How a call went.
struct CallResult {
    entity: String,
    call: CallId,
    result: Result<(), CoreError>,
}

impl HousePlayersTask {
    pub(super) fn new(
        link: CoreLink,
        feed: CoreFeed,
        orders: mpsc::Receiver<Order>,
        players: &HousePlayers,
        (data, share): (DataFolder, u8),
    ) -> Self {
        let line = MAX_WAITING + 1;
        let share = limits::share_of(line, share).max(line.div_ceil(2));
        let (results, ended) = mpsc::channel(ORDERS);
        Self {
            link,
            feed,
            orders,
            results,
            ended,
            shown: Arc::clone(&players.shown),
            stats: Arc::clone(&players.stats),
            share,
            kept: Kept::read(data),
            own: players.own.clone(),
            calls: Vec::new(),
            entries: BTreeMap::new(),
            me: String::new(),
            linked: Arc::clone(&players.linked),
            refresh: None,
            followed: None,
            last_clip: 0,
        }
    }

    /// Follows the players until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let due = self.due().unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(news) = self.feed.next() => self.hear(news).await,
                Some(order) = self.orders.recv() => self.obey(order),
                Some(CallResult { entity, call, result }) = self.ended.recv() => self.call_ended(&entity, call, result),
                () = sleep_until(due.into()) => self.tick().await,
            }
            self.kept.write().await;
            self.make_calls();
            self.show();
        }
    }

    fn make_calls(&mut self) {
        for (entity, call, command) in std::mem::take(&mut self.calls) {
            let Some(entry) = self.entries.get_mut(&entity) else { continue };
            entry.note_told(&command);
            let (service, data) = service_of(&command, entry.kind);
            let (link, results) = (self.link.clone(), self.results.clone());
            tokio::spawn(async move {
                let called = timeout(CALL_TIMEOUT, link.call(service, &entity, data)).await;
                let result = called.unwrap_or(Err(CoreError::Away));
                // Without a task nobody waits for it.
                let _ = results.send(CallResult { entity, call, result }).await;
            });
        }
    }

    fn due(&self) -> Option<Instant> {
        self.entries.values().filter_map(|entry| entry.player.due()).chain(self.refresh).min()
    }

    async fn tick(&mut self) {
        let now = Instant::now();
        if self.refresh.take_if(|at| *at <= now).is_some() && self.linked.load(Ordering::Relaxed) {
            self.learn().await;
        }
        let due: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.player.due().is_some_and(|at| at <= now))
            .map(|(entity, _)| entity.clone())
            .collect();
        for entity in due {
            self.with(&entity, |entry| entry.player.tick(now));
        }
    }

    async fn hear(&mut self, news: CoreNews) {
        match news {
            CoreNews::Connected(_) => {
                self.linked.store(true, Ordering::Relaxed);
                self.followed = None;
                self.learn().await;
            }
            CoreNews::Lost => {
                self.linked.store(false, Ordering::Relaxed);
                for entity in self.entries.keys().cloned().collect::<Vec<_>>() {
                    self.change(&entity, EntityState::default());
                }
            }
            CoreNews::Entities(changes) => self.note(changes),
            // The one that was subscribed to.
            CoreNews::Event(_) => self.refresh = Some(Instant::now() + SETTLE),
        }
    }

    /// Asks for the players of the house, and to be told of them.
    async fn learn(&mut self) {
        match timeout(ANSWER_TIMEOUT, self.directory()).await {
            Ok(Ok(())) => {}
            Ok(Err(CoreError::Away)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the players of the house are not known");
                self.refresh = Some(Instant::now() + ANSWER_TIMEOUT);
            }
            Err(_) => self.refresh = Some(Instant::now() + ANSWER_TIMEOUT),
        }
    }

    async fn directory(&mut self) -> Result<(), CoreError> {
        let link = self.link.clone();
        self.me = link.ask::<CurrentUser>(json!({ "type": "auth/current_user" })).await?.id;
        let registry: Vec<EntityEntry> = link.ask(json!({ "type": "config/entity_registry/list" })).await?;
        let devices: Vec<DeviceEntry> = link.ask(json!({ "type": "config/device_registry/list" })).await?;
        let areas: Vec<AreaEntry> = link.ask(json!({ "type": "config/area_registry/list" })).await?;
        let states: Vec<Value> = link.ask(json!({ "type": "get_states" })).await?;
        let directory = Directory::new(self.own.clone(), registry, devices, areas);
        lock(&self.shown).own_entities = directory.own_entities();
        let entities = states.iter().filter_map(|state| state["entity_id"].as_str());
        let mut found: Vec<_> = entities.filter_map(|entity| directory.player(entity)).collect();
        found.sort_by(|one, other| one.entity.cmp(&other.entity));
        if found.len() > MAX_PLAYERS {
            tracing::warn!(players = found.len(), "more players than are followed; the first {MAX_PLAYERS} are");
            found.truncate(MAX_PLAYERS);
        }
        self.entries.retain(|entity, entry| found.iter().any(|it| it.entity == *entity) || !entry.player.is_idle());
        let entities: Vec<_> = found.iter().map(|it| it.entity.clone()).collect();
        found.into_iter().for_each(|it| self.enter(it));
        self.learn_engines().await;
        // Each subscription lasts as long as the link: there is one more only where there is something new.
        if self.followed.is_none() {
            let registry = json!({ "type": "subscribe_events", "event_type": "entity_registry_updated" });
            self.feed.subscribe(registry).await?;
        }
        if self.followed.as_ref() != Some(&entities) {
            tracing::info!(players = entities.len(), "media players of Home Assistant");
            self.feed.subscribe(json!({ "type": "subscribe_entities", "entity_ids": entities })).await?;
            self.followed = Some(entities);
        }
        Ok(())
    }

    /// Asks which engines make speech of text; a core without any says that it knows no such command.
    async fn learn_engines(&mut self) {
        let engines = self.link.ask::<SpeechEngines>(json!({ "type": "tts/engine/list" })).await;
        let SpeechEngines { mut providers } = engines.unwrap_or_default();
        // Old ones are named by their integration, and may go with the next version.
        providers.sort_by_key(|engine| (engine.deprecated, engine.name.is_some()));
        lock(&self.shown).engines = providers.into_iter().map(|engine| engine.engine_id).collect();
    }

    fn enter(&mut self, DirectoryPlayer { entity, kind, area, device }: DirectoryPlayer) {
        if let Some(entry) = self.entries.get_mut(&entity) {
            (entry.area, entry.device) = (area, device);
            return;
        }
        let player = match self.kept.take_fresh(&entity) {
            Some(saved) => {
                self.stats.recovered.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(entity, "a player was left in the middle of an announcement, and is put back");
                Player::recovered(kind, saved, Instant::now())
            }
            None => Player::new(kind),
        };
        let entry = Entry { kind, area, device, state: EntityState::default(), player, clips: HashMap::new() };
        self.entries.insert(entity, entry);
    }

    fn note(&mut self, EntityChanges { added, changed, removed }: EntityChanges) {
        for (entity, state) in added {
            self.change(&entity, state);
        }
        for (entity, difference) in changed {
            if let Some(mut state) = self.entries.get(&entity).map(|entry| entry.state.clone()) {
                state.apply(difference);
                self.change(&entity, state);
            }
        }
        for entity in removed {
            self.change(&entity, EntityState::default());
        }
    }

    fn change(&mut self, entity: &str, state: EntityState) {
        let cause = if state.context.user.as_ref() == Some(&self.me) { Cause::Ours } else { Cause::Other };
        self.with(entity, |entry| {
            entry.player.state_changed(Instant::now(), state_of(&state), cause);
            entry.state = state;
        });
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Announce { entity, clip, reply } => {
                // Whoever asked may have gone.
                let _ = reply.send(self.announce(&entity, clip));
            }
            Order::Stop { entity, id, reply } => self.with(&entity, |entry| {
                let _ = reply.send(entry.player.stop(Instant::now(), id));
            }),
        }
    }

    fn announce(
        &mut self,
        entity: &str,
        NewClip { url, length, volume, is_urgent, is_live, owner }: NewClip,
    ) -> Announced {
        if !self.linked.load(Ordering::Relaxed) {
            return Err(PlayerError::Away);
        }
        self.last_clip += 1;
        let id = ClipId(self.last_clip);
        let entry = self.entries.get_mut(entity).ok_or_else(|| PlayerError::Unknown(entity.to_owned()))?;
        if entry.clips.values().filter(|clip| clip.owner == owner).count() >= self.share {
            self.stats.full.fetch_add(1, Ordering::Relaxed);
            return Err(PlayerError::Share(entity.to_owned()));
        }
        let (progress, watched) = watch::channel(ClipProgress::Waiting);
        entry.clips.insert(id, Underway { url: url.clone(), owner, progress, told: None });
        let clip = Clip { id, url, length, volume, is_urgent, is_live };
        if entry.player.announce(Instant::now(), clip).is_err() {
            entry.clips.remove(&id);
            self.stats.full.fetch_add(1, Ordering::Relaxed);
            return Err(PlayerError::Full(entity.to_owned()));
        }
        self.with(entity, |_| {});
        Ok((id, watched))
    }

    fn call_ended(&mut self, entity: &str, call: CallId, result: Result<(), CoreError>) {
        if result.as_ref().is_err_and(|error| *error != CoreError::Away) {
            self.stats.refused.fetch_add(1, Ordering::Relaxed);
        }
        self.with(entity, |entry| match result {
            // Nobody knows whether it was done: the player is as good as gone until it is heard of again.
            Err(CoreError::Away) => {
                entry.player.state_changed(Instant::now(), PlayerState::default(), Cause::Other);
            }
            result => entry.player.call_ended(Instant::now(), call, result.map_err(|error| error.to_string())),
        });
    }

    /// Does something with a player, and then what comes of it.
    fn with(&mut self, entity: &str, act: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.entries.get_mut(entity) else { return };
        act(entry);
        while let Some(effect) = entry.player.poll() {
            match effect {
                Effect::Call(call, command) => self.calls.push((entity.to_owned(), call, command)),
                Effect::Began(id) => entry.began(id),
                Effect::Ended(id, outcome) => {
                    count(&self.stats, &outcome);
                    entry.ended(id, outcome);
                }
                Effect::Remember(saved) => self.kept.keep(entity, saved),
            }
        }
    }

    /// What there is to be seen by others.
    fn show(&self) {
        let players = self.entries.iter().map(|(entity, entry)| entry.known(entity)).collect();
        lock(&self.shown).players = players;
    }
}

impl Entry {
    fn known(&self, entity: &str) -> KnownPlayer {
        let PlayerState { mode, volume, .. } = *self.player.state();
        let name = self.state.attributes.get("friendly_name").and_then(Value::as_str).unwrap_or(entity).to_owned();
        let announcing = !self.clips.is_empty();
        let members = self.state.attributes.get("entity_id").and_then(Value::as_array);
        let members = members.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        KnownPlayer {
            entity: entity.to_owned(),
            name,
            area: self.area.clone(),
            device: self.device.clone(),
            members,
            kind: self.kind,
            mode,
            volume,
            announcing,
        }
    }

    /// Notes when the player was told to play a clip.
    fn note_told(&mut self, command: &Command) {
        let (Command::Play(Content { id: url, .. }) | Command::Announce { url, .. }) = command else { return };
        if let Some(clip) = self.clips.values_mut().find(|clip| clip.url == *url) {
            clip.told = Some(Instant::now());
        }
    }

    fn began(&mut self, id: ClipId) {
        if let Some(clip) = self.clips.get(&id) {
            let late = clip.told.map(|told| told.elapsed()).unwrap_or_default();
            clip.progress.send_replace(ClipProgress::Playing(late));
        }
    }

    fn ended(&mut self, id: ClipId, outcome: Outcome) {
        if let Some(clip) = self.clips.remove(&id) {
            clip.progress.send_replace(ClipProgress::Over(outcome));
        }
    }
}

fn count(stats: &PlayersStats, outcome: &Outcome) {
    let counter = match outcome {
        Outcome::Played => &stats.played,
        Outcome::Stopped => &stats.stopped,
        Outcome::Failed(why) => {
            tracing::warn!(%why, "an announcement on a player failed");
            &stats.failed
        }
    };
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A player's state in our words.
fn state_of(EntityState { state, attributes, .. }: &EntityState) -> PlayerState {
    let text = |name: &str| attributes.get(name).and_then(Value::as_str).map(str::to_owned);
    let content =
        text("media_content_id").map(|id| Content { id, kind: text("media_content_type").unwrap_or_default() });
    PlayerState {
        mode: if state.is_empty() { Mode::Unavailable } else { Mode::of(state) },
        volume: attributes.get("volume_level").and_then(Value::as_f64).map(|volume| volume as f32),
        muted: attributes.get("is_volume_muted").and_then(Value::as_bool),
        content,
        features: Features(attributes.get("supported_features").and_then(Value::as_u64).unwrap_or_default() as u32),
    }
}
