//! Home Assistant, its broker, and the node by which rooms are media players of it.

use std::path::Path;

use serde::Deserialize;

use super::options;

/// The word for no address of Home Assistant's.
const NO_ADDRESS: &str = "off";

/// The word for what is used where the Supervisor has started us.
const AUTO: &str = "auto";

/// Port of the node, beside ESPHome's own 6053.
const NODE_PORT: u16 = 16_053;

/// Home Assistant, where there is one.
#[derive(Debug, Clone, Deserialize)]
pub struct HassConfig {
    /// Where the Supervisor's API is.
    pub supervisor: String,
    /// Where Home Assistant's core is, where there is no Supervisor; `off` otherwise.
    pub url: String,
    /// What Supervisor or core know us by; empty without Home Assistant.
    pub token: String,
    /// File of an authority that is trusted besides those of the machine, or the word `off`.
    pub ca: String,
    /// What phones open when a call is answered there: a whole address, or `auto`, which is the app's panel.
    pub page: String,
    /// The core's engine that speaks what is announced as text; `auto` is the first.
    pub speech: String,
}

impl HassConfig {
    /// Whether a Supervisor has started us.
    pub fn is_supervised(&self) -> bool {
        self.url == NO_ADDRESS && !self.token.is_empty()
    }

    /// Where the core is: straight, or through the Supervisor. `None`: there is no Home Assistant.
    pub fn core(&self) -> Option<String> {
        match (&*self.url, &*self.token) {
            (_, "") => None,
            (NO_ADDRESS, _) => Some(format!("{}/core", self.supervisor.trim_end_matches('/'))),
            (url, _) => Some(url.to_owned()),
        }
    }

    /// File of the authority whose certificates Home Assistant and the broker may show besides others.
    pub fn authority(&self) -> Option<&Path> {
        (self.ca != NO_ADDRESS).then(|| Path::new(&self.ca))
    }

    /// What phones open when a call is answered there, where the app's panel is this.
    pub fn page(&self, panel: Option<&str>) -> Option<String> {
        if self.page == AUTO { panel.map(str::to_owned) } else { Some(self.page.clone()) }
    }
}

/// The MQTT broker of Home Assistant's entities.
#[derive(Clone, Deserialize)]
pub struct MqttConfig {
    /// Where it is: an address, or one of the words `auto` and `off`.
    pub broker: String,
    /// What it knows us by, where it is not the Supervisor that tells that; empty where anybody may be.
    pub username: String,
    /// And what proves it.
    pub password: String,
}

impl MqttConfig {
    /// Whether the Supervisor is asked.
    pub fn is_auto(&self) -> bool {
        self.broker == AUTO
    }

    /// Host and port of a broker that is named, and whether it speaks TLS there.
    pub fn address(&self) -> Option<(String, u16, bool)> {
        options::broker_address(&self.broker)
    }
}

/// The node by which rooms are media players of Home Assistant.
#[derive(Debug, Clone, Deserialize)]
pub struct EspHomeConfig {
    /// Its port on the loopback, or one of the words `auto` and `off`.
    pub listen: String,
}

impl EspHomeConfig {
    /// Its port, if there is one. Home Assistant is on the same machine wherever it has a Supervisor.
    pub fn port(&self, is_supervised: bool) -> Option<u16> {
        match &*self.listen {
            AUTO => is_supervised.then_some(NODE_PORT),
            port => port.parse().ok(),
        }
    }
}

/// Where it is, and not what proves who we are.
impl std::fmt::Debug for MqttConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.broker)
    }
}
