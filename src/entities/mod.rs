//! Entities: what Home Assistant shows of the house and lets people use, in every room and in all of them together.
//!
//! `table` says which there are; `house` reads how it is in a place, and `act` does what an entity is told. `ringing` is what happens to calls there. `mqtt` brings
//! them to Home Assistant by a broker, `esphome` without one, and rooms as media players besides. `kept` is what makes them the same after a restart.

mod act;
mod esphome;
#[doc(hidden)]
pub mod fuzzing;
mod house;
mod kept;
mod mqtt;
mod ringing;
mod table;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::calls::CallsHandle;
use crate::config::{Config, HassConfig, MqttConfig, NodePlace};
use crate::data::DataFolder;
use crate::dispatch::Dispatcher;
use crate::hass::{Broker, OwnIds, ServiceCalls, SupervisorError, find_broker};
use crate::mailbox::MailboxHandle;
use crate::rooms::RoomsHandle;
use crate::tls::Trust;

use esphome::{EspHome, NodeKey};
use house::{House, Place};
use kept::Kept;
use mqtt::{Ended, Session, SessionParts};

/// The Supervisor is asked again so often while it knows of no broker.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// Between two tries to reach a broker: the first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// What is counted.
#[derive(Debug, Default)]
pub struct EntitiesStats {
    /// Whether there is a broker just now.
    pub connected: AtomicBool,
    /// Messages that it was told.
    pub told: AtomicU64,
    /// Commands that were obeyed.
    pub obeyed: AtomicU64,
    /// Commands that were not: what is no command among them.
    pub refused: AtomicU64,
    /// Connections of Home Assistant to our node just now.
    pub node_connections: AtomicU64,
}

/// What Home Assistant calls that which is ours.
///
/// # Errors
/// When the data folder can be neither read nor written.
pub fn own_ids(data: &DataFolder) -> io::Result<OwnIds> {
    kept::own_ids(data)
}

/// How far entities get to Home Assistant. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EntitiesStatus {
    /// What is counted.
    pub stats: Arc<EntitiesStats>,
    /// Whether there is, or may be, a broker.
    pub may_have_broker: bool,
    /// Where our node is, if there is one.
    pub node: Option<NodePlace>,
    node_key: Arc<OnceLock<NodeKey>>,
}

impl EntitiesStatus {
    /// What Home Assistant has to show to our node, where it is on another machine: 32 bytes in Base64. It opens the house's
    /// entities, so it is for those who may let Home Assistant connect.
    pub fn node_key(&self) -> Option<String> {
        self.node_key.get().map(NodeKey::text)
    }
}

impl EntitiesStats {
    /// A command was obeyed, or was not: why, which is logged.
    fn note(&self, obeyed: &Result<(), String>, place: &Place) {
        match obeyed {
            Ok(()) => drop(self.obeyed.fetch_add(1, Ordering::Relaxed)),
            Err(why) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(why, ?place, "a command of an entity is not obeyed");
            }
        }
    }
}

/// The task that shows them.
pub struct Entities {
    house: House,
    mqtt: MqttConfig,
    hass: HassConfig,
    /// Whose certificates a broker may show.
    trust: Trust,
    data: DataFolder,
    /// Where Home Assistant finds a node of ESPHome's.
    node: Option<NodePlace>,
    bind: IpAddr,
    node_key: Arc<OnceLock<NodeKey>>,
    stats: Arc<EntitiesStats>,
}

impl fmt::Debug for Entities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entities")
    }
}

impl Entities {
    /// Whoever shows these rooms by the broker that is configured, or that the Supervisor knows of, and by a node of
    /// ESPHome's; `None` where there is nothing of the kind.
    pub fn new(
        Config { mqtt, hass, esphome, bind, .. }: &Config,
        trust: Trust,
        data: DataFolder,
        (rooms, calls, mailbox, access): (RoomsHandle, CallsHandle, MailboxHandle, Access),
        dispatcher: Dispatcher,
        service_calls: Option<ServiceCalls>,
    ) -> Option<Self> {
        let node = esphome.place(hass);
        let house = House { rooms, dispatcher, calls, mailbox, access, service_calls };
        let entities = Self {
            house,
            mqtt: mqtt.clone(),
            hass: hass.clone(),
            trust,
            data,
            node,
            bind: *bind,
            node_key: Arc::default(),
            stats: Arc::default(),
        };
        (entities.may_have_broker() || node.is_some()).then_some(entities)
    }

    fn may_have_broker(&self) -> bool {
        self.mqtt.address().is_some() || self.mqtt.is_auto() && self.hass.is_supervised()
    }

    /// How far they get, from now on.
    pub fn status(&self) -> EntitiesStatus {
        let (stats, node_key) = (Arc::clone(&self.stats), Arc::clone(&self.node_key));
        EntitiesStatus { stats, may_have_broker: self.may_have_broker(), node: self.node, node_key }
    }

    /// Shows them until the shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        let rooms = self.house.rooms_of(&Place::House).into_iter().collect();
        match Kept::open(self.data.clone(), rooms).await {
            Ok(mut kept) => {
                // Until it is known that there is none.
                let by_broker = watch::Sender::new(self.may_have_broker());
                let node = self.node(&mut kept).await;
                let node = self.serve_node(node, kept.instance().to_owned(), by_broker.subscribe(), shutdown.clone());
                tokio::join!(self.show(kept, &by_broker, &shutdown), node);
            }
            Err(error) => {
                tracing::error!(%error, "Home Assistant gets no entities: the data folder cannot be written");
                shutdown.cancelled().await;
            }
        }
    }

    /// Where the node is to be, and what is to be shown there.
    async fn node(&self, kept: &mut Kept) -> Option<(SocketAddr, Option<NodeKey>)> {
        let NodePlace { port, is_on_lan } = self.node?;
        if !is_on_lan {
            return Some(((Ipv4Addr::LOCALHOST, port).into(), None));
        }
        match kept.node_key().await {
            Ok(key) => Some(((self.bind, port).into(), Some(self.node_key.get_or_init(|| key).clone()))),
            Err(error) => {
                tracing::error!(%error, "rooms are no media players of Home Assistant: the key cannot be kept");
                None
            }
        }
    }

    /// Waits for Home Assistant, if it may come by itself.
    async fn serve_node(
        &self,
        node: Option<(SocketAddr, Option<NodeKey>)>,
        instance: String,
        by_broker: watch::Receiver<bool>,
        shutdown: CancellationToken,
    ) {
        let Some((address, key)) = node else { return };
        let bound = EspHome::bind((address, key), self.house.clone(), instance, by_broker, Arc::clone(&self.stats));
        match bound.await {
            Ok(node) => node.run(shutdown).await,
            Err(error) => {
                tracing::warn!(%error, %address, "rooms are no media players of Home Assistant: see esphome.listen");
            }
        }
    }

    /// Connects to brokers again and again.
    async fn show(&self, mut kept: Kept, by_broker: &watch::Sender<bool>, shutdown: &CancellationToken) {
        if !self.may_have_broker() {
            return shutdown.cancelled().await;
        }
        let mut removed = BTreeSet::new();
        let mut patience = Patience::default();
        while let Some(broker) = shutdown.run_until_cancelled(self.find(by_broker)).await {
            let (house, trust, stats) = (&self.house, &self.trust, &self.stats);
            let parts = SessionParts { house, trust, kept: &mut kept, removed: &mut removed, stats };
            let pause = match Session::new(&broker, parts).run(shutdown).await {
                Ended::Shutdown => return,
                Ended::Unreachable(why) => patience.after_failure(&broker, &why),
                Ended::Lost(why) => {
                    tracing::warn!(%broker, why, "lost the MQTT broker: Home Assistant's entities are unavailable");
                    patience = Patience::default();
                    PAUSES.0
                }
            };
            if shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// The broker, as soon as there is one.
    async fn find(&self, by_broker: &watch::Sender<bool>) -> Broker {
        if let Some((host, port, ssl)) = self.mqtt.address() {
            let known = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
            let (username, password) = (known(&self.mqtt.username), known(&self.mqtt.password));
            return Broker { host, port, username, password, ssl };
        }
        let mut told = false;
        loop {
            let why = match find_broker(&self.hass).await {
                Ok(broker) => {
                    tell(by_broker, true);
                    return broker;
                }
                Err(error) => {
                    // Whoever does not answer knows of one, for all we know.
                    if matches!(error, SupervisorError::Refused(_)) {
                        tell(by_broker, false);
                    }
                    error.to_string()
                }
            };
            if !std::mem::replace(&mut told, true) {
                tracing::info!(why, "no MQTT broker; asking the Supervisor again every minute");
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

/// Whoever waits is told of changes alone: at each of them Home Assistant is sent away, and comes back.
fn tell(by_broker: &watch::Sender<bool>, is_so: bool) {
    by_broker.send_if_modified(|known| std::mem::replace(known, is_so) != is_so);
}

/// How long to wait for a broker that cannot be reached, and what was said of it.
#[derive(Default)]
struct Patience {
    pause: Option<Duration>,
    told: String,
}

impl Patience {
    /// The next pause. The same reason is told once.
    fn after_failure(&mut self, broker: &Broker, why: &str) -> Duration {
        if self.told != why {
            tracing::warn!(%broker, why, "cannot reach the MQTT broker; trying again");
            why.clone_into(&mut self.told);
        }
        let pause = self.pause.map_or(PAUSES.0, |last| (last * 2).min(PAUSES.1));
        self.pause = Some(pause);
        pause
    }
}
