//! One connection to a broker, from its beginning to its end.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, PublishOptions, QoS, SubscribeFilter,
};
use serde_json::json;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::calls::CallEvent;
use crate::entities::EntitiesStats;
use crate::entities::house::{House, Place, PlaceState};
use crate::entities::kept::Kept;
use crate::entities::ringing::{RingEvent, Ringing};
use crate::entities::table::{self, ROWS};
use crate::hass::{Broker, EntityId, ServiceTarget};
use crate::rooms::EventReceiver;
use crate::tls::Trust;

use super::discovery::{BIRTH_TOPIC, Topics, discovery};
use super::payload;

/// Messages that wait to be sent; a place whose messages find no room is shown a moment later.
const WAITING: usize = 256;

/// Messages of the broker that wait to be read. It is not read meanwhile.
const UNREAD: usize = 64;

/// Bytes of a message, either way. A discovery message has 3 KB.
const MAX_PACKET: usize = 64 * 1_024;

/// In seconds: a connection on which nothing came for one and a half of this is over.
const KEEP_ALIVE: u16 = 30;

/// Places that are to be shown anew are, one by one, with this between them.
const PACE: Duration = Duration::from_millis(5);

/// When Home Assistant has started, all relays and bridges of the house tell it everything: each takes its time.
const AFTER_BIRTH: Duration = Duration::from_secs(2);

/// At the end, what is still to be said has this much time.
const GOODBYE: Duration = Duration::from_millis(500);

/// Commands that are obeyed at a time; one more is refused.
const COMMANDS: usize = 16;

/// Why a connection is over.
#[derive(Debug)]
pub(in crate::entities) enum Ended {
    /// The daemon goes down.
    Shutdown,
    /// It could not be made: why.
    Unreachable(String),
    /// It broke: why.
    Lost(String),
}

/// What a session needs.
pub(in crate::entities) struct SessionParts<'a> {
    /// What is shown, and used.
    pub(in crate::entities) house: &'a House,
    /// Whose certificates the broker may show.
    pub(in crate::entities) trust: &'a Trust,
    /// Who we are, and what the broker knows of former rooms.
    pub(in crate::entities) kept: &'a mut Kept,
    /// Places that somebody removed in Home Assistant: they are left out until the next start.
    pub(in crate::entities) removed: &'a mut BTreeSet<Place>,
    /// What is counted.
    pub(in crate::entities) stats: &'a Arc<EntitiesStats>,
}

/// One connection.
pub(in crate::entities) struct Session<'a> {
    parts: SessionParts<'a>,
    topics: Topics,
    client: AsyncClient,
    incoming: mpsc::Receiver<Result<Packet, String>>,
    reader: JoinHandle<()>,
    places: Vec<(Place, String)>,
    ringing: Ringing,
    /// What every topic was last told.
    told: HashMap<String, String>,
    /// Places to be shown anew, and whether they are to be made known before.
    queue: VecDeque<(Place, bool)>,
    pace: Duration,
    /// When the next of them is.
    show_at: Instant,
    commands: Arc<Semaphore>,
    /// Acknowledgements until the broker has forgotten all rooms that are gone.
    unforgotten: usize,
    observed: EventReceiver,
}

impl<'a> Session<'a> {
    /// Begins to connect.
    pub(in crate::entities) fn new(broker: &Broker, parts: SessionParts<'a>) -> Self {
        let topics = Topics::new(parts.kept.instance());
        let (trust, at) = (parts.trust.clone(), broker.clone());
        let name = format!("voice-relay-{}", parts.kept.instance());
        let mut options = MqttOptions::new(name, (broker.host.clone(), broker.port));
        options.set_keep_alive(KEEP_ALIVE).set_max_packet_size(MAX_PACKET, MAX_PACKET);
        options.set_request_channel_capacity(WAITING);
        options.set_socket_connector(move |_, _| {
            let (trust, at) = (trust.clone(), at.clone());
            async move { trust.connect(&at.host, at.port, at.ssl).await }
        });
        options.set_last_will(LastWill::new(topics.status(), "offline", QoS::AtLeastOnce, true));
        if let Some(username) = &broker.username {
            options.set_credentials(username, broker.password.clone().unwrap_or_default());
        }
        let (client, events) = AsyncClient::builder(options).build();
        let (sender, incoming) = mpsc::channel(UNREAD);
        let reader = tokio::spawn(read(events, sender));
        let (places, observed) = (parts.house.places(), parts.house.rooms.observe());
        let ringing = Ringing::now(parts.house);
        Self {
            topics,
            client,
            incoming,
            reader,
            places,
            ringing,
            told: HashMap::new(),
            queue: VecDeque::new(),
            pace: PACE,
            show_at: Instant::now(),
            commands: Arc::new(Semaphore::new(COMMANDS)),
            unforgotten: 0,
            observed,
            parts,
        }
    }

    /// Shows the house until the connection is over.
    pub(in crate::entities) async fn run(mut self, shutdown: &CancellationToken) -> Ended {
        let mut announced = self.parts.house.dispatcher.events();
        let mut turned = self.parts.house.dispatcher.turned();
        let mut called = self.parts.house.calls.events();
        let mut left = self.parts.house.mailbox.changes();
        let connected = Connected(Arc::clone(self.parts.stats));
        loop {
            tokio::select! {
                () = shutdown.cancelled() => {
                    self.say_goodbye().await;
                    return Ended::Shutdown;
                }
                packet = self.incoming.recv() => match packet {
                    Some(Ok(Packet::ConnAck(_))) => {
                        tracing::info!("Home Assistant has the entities of the house by MQTT");
                        connected.set(true);
                        self.begin();
                    }
                    Some(Ok(Packet::PubAck(_))) => self.note_acknowledged().await,
                    Some(Ok(Packet::Publish(message))) => self.hear(&message),
                    Some(Ok(_)) => {}
                    Some(Err(why)) if connected.get() => return Ended::Lost(why),
                    Some(Err(why)) => return Ended::Unreachable(why),
                    None => return Ended::Lost("its reader is gone".into()),
                },
                published = self.observed.next() => match published {
                    Some(published) => {
                        let room = published.room().and_then(|room| self.parts.house.rooms.slug(room));
                        room.into_iter().for_each(|room| self.show_changed(Place::Room(room)));
                    }
                    // More happened than could be read.
                    None => {
                        self.observed = self.parts.house.rooms.observe();
                        self.show_all(false);
                    }
                },
                event = announced.recv() => match event {
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.show_all(false),
                    Err(broadcast::error::RecvError::Closed) => return Ended::Shutdown,
                },
                Ok(()) = turned.changed() => self.show_all(false),
                Ok(()) = left.changed() => self.show_all(false),
                event = called.recv() => match event {
                    Ok(event) => {
                        self.show_all(false);
                        self.tell_call(&event, connected.get());
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.show_all(false);
                        self.ringing = Ringing::now(self.parts.house);
                    }
                    Err(broadcast::error::RecvError::Closed) => return Ended::Shutdown,
                },
                () = tokio::time::sleep_until(self.show_at), if connected.get() && !self.queue.is_empty() => self.show_next(),
            }
        }
    }

    /// The connection is there: whatever the broker knows is told anew.
    fn begin(&mut self) {
        let own = self.places.iter().map(|(place, _)| self.topics.config(place));
        let filters = self.topics.commands().into_iter().chain([BIRTH_TOPIC.to_owned()]).chain(own);
        let filters = filters.map(|topic| SubscribeFilter::new(topic, QoS::AtLeastOnce));
        // Nothing waits yet, so there is room for it.
        let _ = self.client.try_subscribe_many(filters);
        self.unforgotten = self.parts.kept.gone().map(|room| self.forget(&Place::Room(room.clone()))).sum();
        self.tell_retained(&self.topics.status(), "online");
        self.pace = PACE;
        self.show_all(true);
    }

    /// Has the broker forget a place; gives the number of messages for that.
    fn forget(&self, place: &Place) -> usize {
        let shown = ROWS.iter().filter(|row| payload::is_state(&row.kind)).flat_map(|row| {
            let details = payload::has_details(&row.kind).then(|| self.topics.details(place, row.key));
            [self.topics.state(place, row.key)].into_iter().chain(details)
        });
        // First the device, which would show for a moment that nothing is known of it.
        let topics: Vec<_> = [self.topics.config(place)].into_iter().chain(shown).collect();
        for topic in &topics {
            self.tell_retained(topic, "");
        }
        topics.len()
    }

    async fn note_acknowledged(&mut self) {
        // What was sent first is acknowledged first.
        if self.unforgotten > 0 {
            self.unforgotten -= 1;
            if self.unforgotten == 0 {
                self.parts.kept.note_forgotten().await;
            }
        }
    }

    /// All places are to be shown as they are; with `anew`, as if nobody had been told of them.
    fn show_all(&mut self, anew: bool) {
        if anew {
            self.told.clear();
            self.queue.clear();
        }
        let places: Vec<_> = self.places.iter().map(|(place, _)| place.clone()).collect();
        for place in places {
            if anew { self.queue.push_back((place, true)) } else { self.show(&place, false) }
        }
    }

    /// Something happened in a place, and so in the house.
    fn show_changed(&mut self, place: Place) {
        if self.places.iter().any(|(known, _)| *known == place) {
            self.show(&place, false);
            self.show(&Place::House, false);
        }
    }

    fn show_next(&mut self) {
        self.show_at = Instant::now() + self.pace;
        if let Some((place, anew)) = self.queue.pop_front() {
            self.show(&place, anew);
        }
    }

    /// Shows how it is there now; what finds no room is shown a moment later.
    fn show(&mut self, place: &Place, anew: bool) {
        if self.parts.removed.contains(place) || (!anew && self.queue.iter().any(|(waiting, _)| waiting == place)) {
            return;
        }
        let state = self.parts.house.state(place);
        let is_known = !anew || self.make_known(place);
        if !is_known || !self.show_state(place, &state) {
            self.queue.push_back((place.clone(), anew));
        }
    }

    fn make_known(&mut self, place: &Place) -> bool {
        let name = self.places.iter().find(|(known, _)| known == place).map(|(_, name)| name.clone());
        let message = discovery(&self.topics, place, &name.unwrap_or_default()).to_string();
        self.tell_retained(&self.topics.config(place), &message)
    }

    fn show_state(&mut self, place: &Place, state: &PlaceState) -> bool {
        // What else is known goes first: an automation that waits for the state finds it.
        let shown = ROWS.iter().flat_map(|row| {
            let details = payload::details(&row.kind, state).map(|shown| (self.topics.details(place, row.key), shown));
            let state = payload::state(&row.kind, state).map(|shown| (self.topics.state(place, row.key), shown));
            [details, state].into_iter().flatten()
        });
        let changed: Vec<_> = shown.filter(|(topic, shown)| self.told.get(topic) != Some(shown)).collect();
        changed.into_iter().all(|(topic, shown)| {
            let told = self.tell_retained(&topic, &shown);
            if told {
                self.told.insert(topic, shown);
            }
            told
        })
    }

    /// What happens to a call, after who calls: it is told once, and nobody hears of it later.
    fn tell_call(&mut self, event: &CallEvent, is_connected: bool) {
        let happened = self.ringing.follow(self.parts.house, event);
        for RingEvent { place, kind, call, from } in happened.into_iter().filter(|_| is_connected) {
            let message = json!({ "event_type": kind, "from": from, "call": call }).to_string();
            let options = PublishOptions::at_least_once();
            match self.client.try_publish(self.topics.state(&place, table::CALL), message, options) {
                Ok(_) => drop(self.parts.stats.told.fetch_add(1, Ordering::Relaxed)),
                Err(_) => {
                    tracing::warn!(kind, ?place, "Home Assistant is not told of a call: too much waits for the broker");
                }
            }
        }
    }

    /// False: too much waits.
    fn tell_retained(&self, topic: &str, message: &str) -> bool {
        let told = self.client.try_publish(topic, message, PublishOptions::at_least_once().retain(true)).is_ok();
        self.parts.stats.told.fetch_add(u64::from(told), Ordering::Relaxed);
        told
    }

    /// Something came on a topic that we subscribe to.
    fn hear(&mut self, message: &Publish) {
        // A broker sends no other, by the protocol.
        let Ok(topic) = str::from_utf8(&message.topic) else { return };
        if topic == BIRTH_TOPIC {
            if &*message.payload == b"online" && !message.retain {
                self.show_all(true);
                self.pace = AFTER_BIRTH / u32::try_from(self.places.len()).unwrap_or(u32::MAX);
            }
        } else if let Some((place, key)) = self.topics.commanded(topic) {
            self.obey(place, key, message);
        } else if message.payload.is_empty() {
            // Of our own discovery messages: somebody has deleted the device.
            let deleted = self.places.iter().find(|(place, _)| self.topics.config(place) == topic);
            self.parts.removed.extend(deleted.map(|(place, _)| place.clone()));
        }
    }

    fn obey(&self, place: Place, key: &str, message: &Publish) {
        let stats = Arc::clone(self.parts.stats);
        let refuse = |why: &str| stats.note(&Err(why.to_owned()), &place);
        if message.retain {
            // Of yesterday, for all that one knows.
            return refuse("It is retained");
        }
        let known = self.places.iter().any(|(known, _)| *known == place);
        let Some(row) = table::find(key).filter(|_| known) else { return refuse("There is no such entity") };
        let act = match payload::command(&row.kind, &message.payload) {
            Ok(act) => act,
            Err(why) => return refuse(&why),
        };
        let Ok(turn) = Arc::clone(&self.commands).try_acquire_owned() else { return refuse("Too many at once") };
        let (house, used) =
            (self.parts.house.clone(), ServiceTarget::Entity(EntityId::Mqtt(self.topics.entity(&place, row.key))));
        tokio::spawn(async move {
            let performed = act.perform(&place, &house.user_of(&used).await, &house).await;
            stats.note(&performed.map_err(|error| error.to_string()), &place);
            drop(turn);
        });
    }

    /// Says that we are gone, so that nobody waits for the broker to notice.
    async fn say_goodbye(mut self) {
        self.tell_retained(&self.topics.status(), "offline");
        let _ = self.client.try_disconnect();
        let _ = timeout(GOODBYE, &mut self.reader).await;
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Reads the connection until it is over. A task of its own: what it does must not be broken off in the middle.
async fn read(mut events: EventLoop, sender: mpsc::Sender<Result<Packet, String>>) {
    loop {
        let read = match events.poll().await {
            Ok(Event::Incoming(packet)) => Ok(packet),
            Ok(Event::Outgoing(_)) => continue,
            Err(error) => Err(error.to_string()),
        };
        let is_over = read.is_err();
        if sender.send(read).await.is_err() || is_over {
            return;
        }
    }
}

/// Tells the counters whether there is a connection, also when it ends.
struct Connected(Arc<EntitiesStats>);

impl Connected {
    fn set(&self, connected: bool) {
        self.0.connected.store(connected, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.connected.load(Ordering::Relaxed)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.set(false);
    }
}
