//! A stand-in for Home Assistant's core: its WebSocket, its registries, and players that take their time. It refuses what
//! the real one refuses, and lets pass what that lets pass: a call to an entity that is not there succeeds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use voice_relay::audio::Mp3File;

use super::noise::shake_hands;

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

    /// Speech, as the real one has it: MP3 in chunks, of a length that nobody says, and for nobody twice.
    async fn serve_speech(&self, mut socket: TcpStream, name: &str) -> Option<()> {
        // What is not read when the socket is closed takes the answer with it.
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(socket.read_u8().await.ok()?);
        }
        let is_known = self.house().spoken.contains_key(&format!("/api/tts_proxy/{name}"));
        if !is_known {
            return socket.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.ok();
        }
        let mut file = Mp3File::default();
        let sample = |at: u32| (f64::from(at) / 48_000.0 * SPOKEN_HZ * std::f64::consts::TAU).sin() * 9_000.0;
        file.add(&(0..48_000).map(|at| sample(at) as i16).collect::<Vec<_>>());
        let head = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n";
        socket.write_all(head.as_bytes()).await.ok()?;
        for piece in file.finish().chunks(1_000) {
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            socket.write_all(&chunk).await.ok()?;
        }
        socket.write_all(b"0\r\n\r\n").await.ok()
    }

    async fn serve_image(&self, mut socket: TcpStream, path: &str) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.ok()?);
        }
        let image = self.house().images.get(path).cloned();
        let (status, (kind, bytes)) =
            image.map_or(("404 Not Found", ("text/plain", Vec::new())), |image| ("200 OK", image));
        let length = format!("content-length: {}\r\nconnection: close\r\n\r\n", bytes.len());
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{length}");
        socket.write_all(&[head.into_bytes(), bytes].concat()).await.ok()
    }

    /// A step of the flow that adds a node of ESPHome's: at the end it connects, as the real one does, and refuses what
    /// does not speak.
    async fn serve_flow(&self, mut socket: TcpStream, flow: &str) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
        let mut body = vec![0; length];
        socket.read_exact(&mut body).await.ok()?;
        let body: Value = serde_json::from_slice(&body).ok()?;
        let is_known = head.contains(&format!("authorization: bearer {}\r\n", TOKEN.to_lowercase()));
        let (status, answer) = match (is_known, flow) {
            (false, _) => ("401 Unauthorized", json!({})),
            (true, "") if body["handler"] == "esphome" => {
                ("200 OK", json!({ "type": "form", "flow_id": "1", "step_id": "user", "errors": {} }))
            }
            (true, "/1") => ("200 OK", self.add_node(&body).await),
            _ => ("404 Not Found", json!({ "message": "Invalid handler specified" })),
        };
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
        socket.write_all([head, answer].concat().as_bytes()).await.ok()
    }

    async fn add_node(&self, step: &Value) -> Value {
        let asked = self.house().wants_key.take();
        if let (Some((host, port)), Some(key)) = (asked, step["noise_psk"].as_str()) {
            let mut node = TcpStream::connect((&*host, port as u16)).await.expect("it was there");
            return match shake_hands(&mut node, key).await {
                Ok(_) => self.keep_node(port, node),
                Err(_) => json!({ "type": "form", "step_id": "encryption_key", "errors": { "base": "invalid_psk" } }),
            };
        }
        let (host, port) = (step["host"].as_str().expect("a host").to_owned(), step["port"].as_u64().expect("a port"));
        if self.house().nodes.contains_key(&port) {
            return json!({ "type": "abort", "reason": "already_configured" });
        }
        let greeted = async {
            let mut node = TcpStream::connect((&*host, port as u16)).await.ok()?;
            // A greeting without a word; what comes back begins with a zero, where nothing is encrypted.
            node.write_all(&[0, 0, 1]).await.ok()?;
            Some((node.read_u8().await.ok()?, node))
        };
        match tokio::time::timeout(Duration::from_secs(3), greeted).await.ok().flatten() {
            Some((0, node)) => self.keep_node(port, node),
            Some((1, _)) => {
                self.house().wants_key = Some((host, port));
                json!({ "type": "form", "step_id": "encryption_key", "errors": {} })
            }
            _ => json!({ "type": "form", "step_id": "user", "errors": { "base": "connection_error" } }),
        }
    }

    fn keep_node(&self, port: u64, node: TcpStream) -> Value {
        self.house().nodes.insert(port, node);
        json!({ "type": "create_entry", "title": "Voice Relay" })
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

    fn call(&self, message: &Value) -> Result<(), (&'static str, String)> {
        let service =
            format!("{}.{}", message["domain"].as_str().unwrap_or(""), message["service"].as_str().unwrap_or(""));
        let known = |phone: &str| self.house().phones.contains(&phone);
        if service.strip_prefix("notify.").is_some_and(|phone| !known(phone)) {
            return Err(("not_found", format!("Action {service} not found.")));
        }
        let entity = message["target"]["entity_id"][0].as_str().unwrap_or("").to_owned();
        let data = message["service_data"].clone();
        let volume = data.get("volume_level").and_then(Value::as_f64);
        if volume.is_some_and(|volume| !(0.0..=1.0).contains(&volume)) {
            return Err(("invalid_format", "value must be at most 1".into()));
        }
        self.house().called.push((service.clone(), entity.clone(), data.clone()));
        let core = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(DELAY).await;
            core.obey(&service, &entity, &data).await;
        });
        Ok(())
    }

    /// Fetches what is at an address for a player, unless it is known how long that is; gives its length.
    async fn fetch(&self, entity: &str, url: &str) -> Option<Duration> {
        if let Some(length) = self.house().lengths.get(url) {
            return Some(*length);
        }
        let mut answer = reqwest::get(url).await.ok()?.error_for_status().ok()?;
        if url.contains("/stream/") {
            // What is live has no end: it is played, and read, until somebody stops it.
            let first = answer.chunk().await.ok()??;
            let reading = tokio::spawn(async move { while let Ok(Some(_)) = answer.chunk().await {} });
            let mut house = self.house();
            house.fetched.insert(url.into(), first.to_vec());
            house.live.insert(entity.into(), reading);
            return Some(Duration::from_secs(3_600));
        }
        let answer = answer.bytes().await.ok()?;
        self.house().fetched.insert(url.into(), answer.to_vec());
        // MP3 of 128 kbit/s.
        Some(Duration::from_secs_f64(answer.len() as f64 * 8.0 / 128_000.0))
    }

    /// Does it, as a player would, and tells.
    async fn obey(&self, service: &str, entity: &str, data: &Value) {
        let url = data["media_content_id"].as_str().unwrap_or_default();
        let length = if service.ends_with("play_media") { self.fetch(entity, url).await } else { None };
        let played = {
            let mut house = self.house();
            let Some(player) = house.entities.get_mut(entity) else { return };
            let has_volume = player.attributes.contains_key("volume_level");
            let mut played = None;
            match service {
                "media_player.turn_on" => {
                    player.state = "idle".into();
                    player.attributes.insert("volume_level".into(), json!(0.25));
                }
                "media_player.turn_off" => {
                    player.state = "off".into();
                    player.attributes.remove("volume_level");
                }
                "media_player.volume_set" if has_volume => {
                    player.attributes.insert("volume_level".into(), data["volume_level"].clone());
                }
                "media_player.play_media" => {
                    let id = data["media_content_id"].as_str().unwrap_or("").to_owned();
                    player.state = "playing".into();
                    player.clip += 1;
                    played = length.map(|length| (length, player.clip));
                    player.attributes.insert("media_content_id".into(), json!(id));
                }
                "media_player.media_stop" => {
                    player.state = "idle".into();
                    house.live.remove(entity).iter().for_each(JoinHandle::abort);
                }
                _ => {}
            }
            played
        };
        let _ = self.changes.send((entity.into(), US));
        let Some((length, clip)) = played else { return };
        tokio::time::sleep(length).await;
        {
            let mut house = self.house();
            let Some(player) = house.entities.get_mut(entity).filter(|player| player.clip == clip) else { return };
            player.state = "idle".into();
            player.attributes.remove("media_content_id");
        }
        let _ = self.changes.send((entity.into(), "the device"));
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
