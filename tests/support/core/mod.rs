//! A stand-in for Home Assistant's core: its WebSocket, its registries, and players that take their time. It refuses what
//! the real one refuses, and lets pass what that lets pass: a call to an entity that is not there succeeds.

mod http;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// What opens it.
pub const TOKEN: &str = "a-long-lived-token";

/// The user that the token is of.
const US: &str = "user-of-the-relay";

/// What its speech sounds like.
pub const SPOKEN_HZ: f64 = 330.0;

/// A player takes so long for everything.
const DELAY: Duration = Duration::from_millis(20);

/// All that our players can do.
const FEATURES: u32 = 4 | 8 | 128 | 256 | 512 | 4_096;

#[derive(Debug, Clone)]
struct SimEntity {
    platform: &'static str,
    area: Option<&'static str>,
    state: String,
    attributes: BTreeMap<String, Value>,
    /// Counts what it plays, so that the end of a former clip is not that of the next.
    clip: u64,
}

/// The core.
#[derive(Clone)]
pub struct StandInCore {
    /// Its address.
    pub url: String,
    house: Arc<Mutex<House>>,
    changes: broadcast::Sender<(String, &'static str)>,
    /// Events that somebody else fires: type, data, user.
    events: broadcast::Sender<(String, Value, Option<String>)>,
    /// Cancelled to throw everybody out.
    thrown_out: Arc<Mutex<CancellationToken>>,
}

#[derive(Default)]
struct House {
    entities: BTreeMap<String, SimEntity>,
    /// Services that were called: name, entity, data.
    called: Vec<(String, String, Value)>,
    lengths: BTreeMap<String, Duration>,
    /// What players have fetched, by its address.
    fetched: BTreeMap<String, Vec<u8>>,
    /// Events that we fired: type and data.
    fired: Vec<(String, Value)>,
    /// Players that read something live.
    live: BTreeMap<String, JoinHandle<()>>,
    /// Entities of other integrations, with those and their ids there.
    registered: Vec<(String, &'static str, String)>,
    /// What integrations call entities, where that is known.
    unique_ids: BTreeMap<String, String>,
    /// Users who are persons of the house, and their names.
    people: Vec<(&'static str, &'static str)>,
    /// Images, by their paths: kind and bytes.
    images: BTreeMap<String, (&'static str, Vec<u8>)>,
    /// Types of events that somebody has subscribed to.
    subscribed: BTreeSet<String>,
    /// Phones that can be notified, by their services; what they were told is among what was called.
    phones: Vec<&'static str>,
    /// What was to be spoken, by its address: the engine's question.
    spoken: BTreeMap<String, String>,
    /// Nodes of ESPHome's that it has, by their ports, and is connected to.
    nodes: BTreeMap<u64, TcpStream>,
    /// Where the node is that wants a key.
    wants_key: Option<(String, u64)>,
}

impl StandInCore {
    /// A core without entities.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let ((changes, _), (events, _)) = (broadcast::channel(1_000), broadcast::channel(1_000));
        let core = Self { url, house: Arc::default(), changes, events, thrown_out: Arc::default() };
        let serving = core.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (core, thrown_out) = (serving.clone(), serving.thrown_out.lock().expect("whole").clone());
                tokio::spawn(async move {
                    // Whoever was thrown out, or goes, is gone.
                    tokio::select! {
                        () = thrown_out.cancelled() => {}
                        _ = core.serve(socket) => {}
                    }
                });
            }
        });
        core
    }

    /// One more player, of this integration, in this area, that is in this state.
    pub fn add(&self, entity: &str, platform: &'static str, area: Option<&'static str>, state: &str, volume: f64) {
        let name = entity.split_once('.').expect("an entity").1.replace('_', " ");
        let mut attributes =
            BTreeMap::from([("friendly_name".into(), json!(name)), ("supported_features".into(), json!(FEATURES))]);
        if state != "off" {
            attributes.insert("volume_level".into(), json!(volume));
        }
        let player = SimEntity { platform, area, state: state.into(), attributes, clip: 0 };
        self.house().entities.insert(entity.into(), player);
    }

    /// One more doorbell, which was pressed before.
    pub fn add_doorbell(&self, entity: &str, name: &str) {
        let attributes = [
            ("friendly_name".to_owned(), json!(name)),
            ("device_class".to_owned(), json!("doorbell")),
            ("event_types".to_owned(), json!(["ring"])),
            ("event_type".to_owned(), json!("ring")),
        ];
        let (attributes, state) = (BTreeMap::from(attributes), "2026-11-30T10:00:00.000+00:00".to_owned());
        self.house()
            .entities
            .insert(entity.into(), SimEntity { platform: "demo", area: None, state, attributes, clip: 0 });
    }

    /// One more entity, of this integration, which calls it so.
    pub fn register(&self, entity: &str, platform: &'static str, unique_id: &str) {
        self.house().registered.push((entity.into(), platform, unique_id.into()));
    }

    /// What its integration calls an entity.
    pub fn identify(&self, entity: &str, unique_id: &str) {
        self.house().unique_ids.insert(entity.into(), unique_id.into());
    }

    /// One more user who is a person of the house.
    pub fn add_person(&self, user: &'static str, name: &'static str) {
        self.house().people.push((user, name));
    }

    /// Somebody calls a service, on this entity of another integration if it is about one: what comes of it is that one's to do.
    /// False while nobody wants to know.
    pub fn note_call(&self, service: &str, entity: Option<&str>, user: Option<&str>) -> bool {
        let (domain, service) = service.split_once('.').expect("a service");
        let about = json!({ "entity_id": entity.map(|entity| [entity]) });
        self.fire("call_service", json!({ "domain": domain, "service": service, "service_data": about }), user)
    }

    /// How a person looks.
    pub fn add_picture(&self, name: &str, kind: &'static str, bytes: &[u8]) {
        self.house().images.insert(format!("/api/image/serve/{name}/512x512"), (kind, bytes.to_vec()));
    }

    /// One more phone with the companion app, by the service that notifies it.
    pub fn add_phone(&self, service: &'static str) {
        self.house().phones.push(service);
    }

    /// A phone goes.
    pub fn remove_phone(&self, service: &str) {
        self.house().phones.retain(|phone| *phone != service);
    }

    /// What a phone was told, in order.
    pub fn notified(&self, service: &str) -> Vec<Value> {
        let called = self.called().into_iter().filter(|(name, _, _)| name.strip_prefix("notify.") == Some(service));
        called.map(|(_, _, data)| data).collect()
    }

    /// Its state is another one, as when somebody presses it or its integration goes.
    pub fn set_state(&self, entity: &str, state: &str) {
        self.house().entities.get_mut(entity).expect("there").state = state.into();
        // Nobody may listen.
        let _ = self.changes.send((entity.into(), "somebody"));
    }

    /// How long what is at this address plays.
    pub fn has_clip(&self, url: &str, length: Duration) {
        self.house().lengths.insert(url.into(), length);
    }

    /// Everybody's connection ends, as when the core is restarted.
    pub fn throw_out(&self) {
        let mut thrown_out = self.thrown_out.lock().expect("whole");
        std::mem::take(&mut *thrown_out).cancel();
        self.house().subscribed.clear();
    }

    /// State and volume of a player.
    pub fn state(&self, entity: &str) -> (String, Option<f64>) {
        let house = self.house();
        let player = &house.entities[entity];
        (player.state.clone(), player.attributes.get("volume_level").and_then(Value::as_f64))
    }

    /// What players have fetched, by its address.
    pub fn fetched(&self) -> BTreeMap<String, Vec<u8>> {
        self.house().fetched.clone()
    }

    /// Speech of a text that Home Assistant has made by itself; gives its address.
    pub fn speech(&self, text: &str) -> String {
        let mut house = self.house();
        let path = format!("/api/tts_proxy/{}.mp3", house.spoken.len());
        house.spoken.insert(path.clone(), format!("tts.piper?message={text}"));
        format!("{}{path}", self.url)
    }

    /// What was to be spoken: engine, text and language, as the media source has it.
    pub fn spoken(&self) -> Vec<String> {
        self.house().spoken.values().cloned().collect()
    }

    /// Somebody fires an event; false while nobody has subscribed to such.
    pub fn fire(&self, event: &str, data: Value, user: Option<&str>) -> bool {
        self.house().subscribed.contains(event) && self.events.send((event.into(), data, user.map(Into::into))).is_ok()
    }

    /// What was fired here, in order.
    pub fn fired(&self) -> Vec<(String, Value)> {
        self.house().fired.clone()
    }

    /// A player stands for others.
    pub fn group(&self, entity: &str, members: &[&str]) {
        self.house().entities.get_mut(entity).expect("there").attributes.insert("entity_id".into(), json!(members));
    }

    /// What was called, in order.
    pub fn called(&self) -> Vec<(String, String, Value)> {
        self.house().called.clone()
    }

    /// Somebody at the player itself does this.
    pub fn by_hand(&self, entity: &str, attribute: &str, value: Value) {
        let mut house = self.house();
        house.entities.get_mut(entity).expect("there").attributes.insert(attribute.into(), value);
        drop(house);
        // Nobody may listen.
        let _ = self.changes.send((entity.into(), "somebody"));
    }

    fn house(&self) -> MutexGuard<'_, House> {
        self.house.lock().expect("whole")
    }

    async fn serve(&self, socket: TcpStream) -> Option<()> {
        let mut beginning = [0; 4_096];
        let length = socket.peek(&mut beginning).await.ok()?;
        let request = String::from_utf8_lossy(&beginning[..length]).into_owned();
        if let Some(rest) = request.strip_prefix("POST /api/config/config_entries/flow") {
            return self.serve_flow(socket, rest.split(' ').next()?).await;
        }
        if request.starts_with("GET /api/image/serve/") {
            return self.serve_image(socket, request.split(' ').nth(1)?).await;
        }
        if let Some(rest) = request.strip_prefix("GET /api/tts_proxy/") {
            return self.serve_speech(socket, rest.split(' ').next()?).await;
        }
        let (mut sink, mut stream) = tokio_tungstenite::accept_async(socket).await.ok()?.split();
        let text = |message: Value| Message::text(message.to_string());
        sink.send(text(json!({ "type": "auth_required", "ha_version": "2026.11.0" }))).await.ok()?;
        let auth = read(stream.next().await?.ok()?)?;
        if auth["access_token"] != TOKEN {
            sink.send(text(json!({ "type": "auth_invalid", "message": "Invalid access token" }))).await.ok()?;
            return None;
        }
        sink.send(text(json!({ "type": "auth_ok", "ha_version": "2026.11.0" }))).await.ok()?;
        let mut changes = self.changes.subscribe();
        let mut events = None::<broadcast::Receiver<_>>;
        let (mut followed, mut subscribed, mut last_id) = (Vec::<(u64, Vec<String>)>::new(), BTreeMap::new(), 0);
        loop {
            tokio::select! {
                message = stream.next() => {
                    let Some(message) = read(message?.ok()?) else { continue };
                    let id = message["id"].as_u64()?;
                    // The real one says id_reuse, and closes.
                    if id <= last_id { return None }
                    last_id = id;
                    if message["type"] == "ping" {
                        sink.send(text(json!({ "id": id, "type": "pong" }))).await.ok()?;
                        continue;
                    }
                    let answer = match self.answer(&message) {
                        Ok(result) => json!({ "id": id, "type": "result", "success": true, "result": result }),
                        Err((code, words)) => json!({
                            "id": id, "type": "result", "success": false, "error": { "code": code, "message": words }
                        }),
                    };
                    sink.send(text(answer)).await.ok()?;
                    if message["type"] == "subscribe_events" {
                        subscribed.insert(message["event_type"].as_str()?.to_owned(), id);
                        events.get_or_insert_with(|| self.events.subscribe());
                        self.house().subscribed.insert(message["event_type"].as_str()?.to_owned());
                    }
                    if message["type"] == "subscribe_entities" {
                        let entities: Vec<String> = serde_json::from_value(message["entity_ids"].clone()).ok()?;
                        let all: serde_json::Map<_, _> =
                            entities.iter().filter_map(|entity| Some((entity.clone(), self.compressed(entity, None)?))).collect();
                        sink.send(text(json!({ "id": id, "type": "event", "event": { "a": all } }))).await.ok()?;
                        followed.push((id, entities));
                    }
                }
                event = next_event(&mut events) => {
                    let (kind, data, user): (String, Value, Option<String>) = event?;
                    let Some(id) = subscribed.get(&kind) else { continue };
                    let context = json!({ "id": "02", "parent_id": null, "user_id": user });
                    let event = json!({ "event_type": kind, "data": data, "origin": "LOCAL", "context": context });
                    sink.send(text(json!({ "id": id, "type": "event", "event": event }))).await.ok()?;
                }
                change = changes.recv() => {
                    let (entity, who) = change.ok()?;
                    for (id, _) in followed.iter().filter(|(_, entities)| entities.contains(&entity)) {
                        let new = self.compressed(&entity, Some(who))?;
                        let missing = self.missing(&entity);
                        let event = json!({ "c": { entity.clone(): { "+": new, "-": { "a": missing } } } });
                        sink.send(text(json!({ "id": id, "type": "event", "event": event }))).await.ok()?;
                    }
                }
            }
        }
    }

    /// Loses its nodes, as when somebody deletes them.
    pub fn forget_nodes(&self) {
        self.house().nodes.clear();
    }

    fn compressed(&self, entity: &str, who: Option<&str>) -> Option<Value> {
        let house = self.house();
        let SimEntity { state, attributes, .. } = house.entities.get(entity)?;
        // A device itself has no user.
        let user = who.filter(|who| *who == US);
        Some(json!({ "s": state, "a": attributes, "c": { "id": "01", "parent_id": null, "user_id": user } }))
    }

    fn missing(&self, entity: &str) -> Vec<&'static str> {
        let house = self.house();
        let attributes = &house.entities[entity].attributes;
        ["volume_level", "media_content_id"].into_iter().filter(|name| !attributes.contains_key(*name)).collect()
    }

    fn answer(&self, message: &Value) -> Result<Value, (&'static str, String)> {
        let mut house = self.house();
        match message["type"].as_str().unwrap_or_default() {
            "fire_event" => {
                let kind = message["event_type"].as_str().unwrap_or_default().to_owned();
                house.fired.push((kind, message["event_data"].clone()));
                Ok(json!({ "context": { "id": "03", "user_id": US } }))
            }
            "auth/current_user" => Ok(json!({ "id": US, "name": "Voice Relay", "is_admin": true })),
            "config/entity_registry/list" => Ok(house
                .entities
                .iter()
                .map(|(id, player)| {
                    let unique_id = house.unique_ids.get(id);
                    json!({ "entity_id": id, "platform": player.platform, "area_id": player.area, "unique_id": unique_id })
                })
                .chain(house.registered.iter().map(
                    |(entity, platform, id)| json!({ "entity_id": entity, "platform": platform, "unique_id": id }),
                ))
                .collect()),
            "config/auth/list" => Ok(json!([{ "id": US, "name": "Voice Relay" }])),
            "person/list" => {
                let picture = |name: &str| {
                    let path = format!("/api/image/serve/{name}/512x512");
                    house.images.contains_key(&path).then_some(path)
                };
                let people = house.people.iter().map(|(user, name)| {
                    json!({ "id": name, "name": name, "user_id": user, "picture": picture(name) })
                });
                Ok(json!({ "storage": people.collect::<Vec<_>>(), "config": [] }))
            }
            "config/device_registry/list" => Ok(json!([])),
            "config/area_registry/list" => Ok(json!([
                { "area_id": "bedroom", "name": "Bedroom" }, { "area_id": "kitchen", "name": "Kitchen" }
            ])),
            "get_states" => {
                let others = json!({ "entity_id": "light.hall", "state": "on" });
                let own = house.entities.iter();
                let own =
                    own.map(|(id, it)| json!({ "entity_id": id, "state": it.state, "attributes": it.attributes }));
                Ok(own.chain([others]).collect())
            }
            "subscribe_entities" | "subscribe_events" => Ok(Value::Null),
            "get_config" => Ok(json!({ "language": "de", "state": "RUNNING" })),
            "get_services" => {
                let phones = house.phones.iter().map(|phone| ((*phone).to_owned(), json!({ "name": phone })));
                let others = [("persistent_notification".to_owned(), json!({}))];
                let notify: serde_json::Map<_, _> = phones.chain(others).collect();
                Ok(json!({ "light": { "turn_on": {} }, "notify": notify }))
            }
            "tts/engine/list" => Ok(json!({ "providers": [
                { "engine_id": "cloud", "name": "cloud", "supported_languages": ["en-GB"] },
                { "engine_id": "tts.piper", "supported_languages": ["en_GB", "de_DE"] }
            ]})),
            "media_source/resolve_media" => {
                drop(house);
                self.resolve(message["media_content_id"].as_str().unwrap_or_default())
            }
            "call_service" => {
                drop(house);
                self.call(message).map(|()| json!({ "context": { "id": "01", "user_id": US } }))
            }
            other => Err(("unknown_command", format!("Unknown command {other}."))),
        }
    }

    fn resolve(&self, id: &str) -> Result<Value, (&'static str, String)> {
        let spoken = id.strip_prefix("media-source://tts/").filter(|spoken| spoken.starts_with("tts.piper?"));
        let spoken = spoken.ok_or_else(|| ("resolve_media_failed", "TTS engine not found".to_owned()))?;
        if spoken.ends_with("language=xx") {
            return Err(("resolve_media_failed", "Language 'xx' not supported".into()));
        }
        let mut house = self.house();
        let url = format!("/api/tts_proxy/{}.mp3", house.spoken.len());
        house.spoken.insert(url.clone(), spoken.into());
        Ok(json!({ "url": url, "mime_type": "audio/mpeg" }))
    }
}

/// Of somebody who has subscribed to any.
async fn next_event<T: Clone>(events: &mut Option<broadcast::Receiver<T>>) -> Option<T> {
    match events {
        Some(events) => events.recv().await.ok(),
        None => std::future::pending().await,
    }
}

fn read(message: Message) -> Option<Value> {
    serde_json::from_str(message.to_text().ok()?).ok()
}
