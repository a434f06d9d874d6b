//! Home Assistant, its broker, and the node by which rooms are media players of it.

use std::net::IpAddr;
use std::path::Path;

use serde::Deserialize;

use super::options;

/// The word for no address of Home Assistant's.
const NO_ADDRESS: &str = "off";

/// The word for what is used where the Supervisor has started us.
const AUTO: &str = "auto";

/// The word for the house's network.
const LAN: &str = "lan";

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

    /// Whether the core is on this machine, as far as its address says.
    fn is_on_this_machine(&self) -> bool {
        let host = self.url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
        let host = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(host, _)| host);
        let host = host.trim_matches(['[', ']']);
        self.is_supervised() || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback())
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
    /// Its port, or one of the words `auto` and `off`.
    pub listen: String,
    /// From where it is reached: `machine`, `lan`, or `auto`.
    pub reach: String,
}

/// Where the node listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePlace {
    /// At which port.
    pub port: u16,
    /// Whether it is on the house's network, with a key, and not on this machine alone, without one.
    pub is_on_lan: bool,
}

impl EspHomeConfig {
    /// Where it is, if there is one: by itself wherever there is a Home Assistant, and where that finds it. It is on the same
    /// machine wherever it has a Supervisor.
    pub fn place(&self, hass: &HassConfig) -> Option<NodePlace> {
        let port = match &*self.listen {
            AUTO => hass.core().map(|_| NODE_PORT)?,
            port => port.parse().ok()?,
        };
        let is_on_lan = match &*self.reach {
            AUTO => hass.core().is_some() && !hass.is_on_this_machine(),
            reach => reach == LAN,
        };
        Some(NodePlace { port, is_on_lan })
    }
}

/// Where it is, and not what proves who we are.
impl std::fmt::Debug for MqttConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.broker)
    }
}
