//! Entities: what Home Assistant shows of the house and lets people use, in every room and in all of them together.
//!
//! `table` says which there are; `house` reads how it is in a place, and `act` does what an entity is told. `mqtt` brings
//! them to Home Assistant by a broker. `kept` is what makes them the same after a restart.

mod act;
mod house;
mod kept;
mod mqtt;
mod table;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::{HassConfig, MqttConfig};
use crate::data::DataFolder;
use crate::dispatch::Dispatcher;
use crate::hass::{Broker, find_broker};
use crate::rooms::RoomsHandle;

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
}

/// The task that shows them.
pub struct Entities {
    house: House,
    mqtt: MqttConfig,
    hass: HassConfig,
    data: DataFolder,
    stats: Arc<EntitiesStats>,
}

impl fmt::Debug for Entities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entities")
    }
}

impl Entities {
    /// Whoever shows these rooms by the broker that is configured, or that the Supervisor knows of; `None` where there is
    /// neither.
    pub fn new(
        (mqtt, hass): (&MqttConfig, &HassConfig),
        data: DataFolder,
        rooms: RoomsHandle,
        dispatcher: Dispatcher,
    ) -> Option<Self> {
        let may_be_there = mqtt.address().is_some() || mqtt.is_auto() && hass.is_supervised();
        let house = House { rooms, dispatcher };
        let (mqtt, hass) = (mqtt.clone(), hass.clone());
        may_be_there.then(|| Self { house, mqtt, hass, data, stats: Arc::default() })
    }

    /// What is counted.
    pub fn stats(&self) -> Arc<EntitiesStats> {
        Arc::clone(&self.stats)
    }

    /// Shows them until the shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        let rooms = self.house.rooms_of(&Place::House).into_iter().collect();
        match Kept::open(self.data.clone(), rooms).await {
            Ok(kept) => self.show(kept, &shutdown).await,
            Err(error) => {
                tracing::error!(%error, "Home Assistant gets no entities: the data folder cannot be written");
                shutdown.cancelled().await;
            }
        }
    }

    /// Connects again and again.
    async fn show(&self, mut kept: Kept, shutdown: &CancellationToken) {
        let mut removed = BTreeSet::new();
        let mut patience = Patience::default();
        while let Some(broker) = shutdown.run_until_cancelled(self.find()).await {
            let (house, stats) = (&self.house, &self.stats);
            let parts = SessionParts { house, kept: &mut kept, removed: &mut removed, stats };
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
    async fn find(&self) -> Broker {
        if let Some((host, port)) = self.mqtt.address() {
            let known = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
            let (username, password) = (known(&self.mqtt.username), known(&self.mqtt.password));
            return Broker { host, port, username, password, ssl: false };
        }
        let mut told = false;
        loop {
            let why = match find_broker(&self.hass).await {
                Ok(broker) if !broker.ssl => return broker,
                Ok(_) => {
                    "the broker that the Supervisor knows of speaks TLS; set mqtt.broker to a port without it".into()
                }
                Err(error) => error.to_string(),
            };
            if !std::mem::replace(&mut told, true) {
                tracing::info!(why, "no MQTT broker, so no entities; asking the Supervisor again every minute");
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
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
