//! What the Supervisor, which starts us as an app of Home Assistant, tells of the app and of the house's network.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::HassConfig;
use crate::tls::Trust;

/// The Supervisor's own address on the network of apps: ingress requests come from there, and from nowhere else.
pub const SUPERVISOR_ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(172, 30, 32, 2));

/// Of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// The Supervisor starts us, so it is there, or soon will be.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// What the Supervisor knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Where ingress requests will come in.
    pub ingress_port: Option<u16>,
    /// From where, and from nowhere else.
    pub supervisor: IpAddr,
    /// Path of the app's page on Home Assistant's own; `None` where there is none.
    pub panel: Option<String>,
    /// Addresses of the machine on the house's network; in a container, its interfaces do not show them.
    pub addresses: Vec<IpAddr>,
}

impl Default for Home {
    fn default() -> Self {
        Self { ingress_port: None, supervisor: SUPERVISOR_ADDRESS, panel: None, addresses: Vec::new() }
    }
}

/// The Supervisor cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// No answer, or none that can be read.
    #[error("{0}")]
    Request(#[from] reqwest::Error),
    /// It answered no.
    #[error("it says: {0}")]
    Refused(String),
}

/// Asks the Supervisor, if the configuration names one.
pub async fn ask(config: &HassConfig) -> Option<Home> {
    if !config.is_supervised() {
        return None;
    }
    for attempt in 1..=TRIES {
        match describe(config).await {
            Ok(home) => return Some(home),
            Err(error) => tracing::warn!(%error, attempt, "cannot ask the Supervisor"),
        }
        tokio::time::sleep(PAUSE * attempt).await;
    }
    tracing::error!("no answer from the Supervisor: Home Assistant's own panel of the voice relay will not work");
    None
}

/// Whoever asks the Supervisor.
pub(super) fn client() -> reqwest::Result<reqwest::Client> {
    // On the network of apps, which has no TLS.
    Trust::none().http().timeout(REQUEST_TIMEOUT).build()
}

async fn describe(config: &HassConfig) -> Result<Home, SupervisorError> {
    let client = client()?;
    let app: AppInfo = get(&client, config, "addons/self/info").await?;
    let ingress_port = app.ingress_port.filter(|port| *port != 0);
    let network = get::<NetworkInfo>(&client, config, "network/info").await;
    // The panel works without them; browsers in the house then need `media.advertise` where the interfaces do not do.
    let addresses = network.map(|network| network.addresses()).unwrap_or_else(|error| {
        tracing::warn!(%error, "the Supervisor does not tell the machine's addresses");
        Vec::new()
    });
    let panel = app.slug.filter(|_| ingress_port.is_some()).map(|slug| format!("/app/{slug}"));
    Ok(Home { ingress_port, panel, addresses, ..Home::default() })
}

/// What the Supervisor answers to this question.
pub(super) async fn get<T: DeserializeOwned>(
    client: &reqwest::Client,
    config: &HassConfig,
    path: &str,
) -> Result<T, SupervisorError> {
    let url = format!("{}/{path}", config.supervisor.trim_end_matches('/'));
    let reply = client.get(url).bearer_auth(&config.token).send().await?;
    let status = reply.status();
    // What its own gate refuses is no JSON.
    let answer = serde_json::from_slice::<Answer<T>>(&reply.bytes().await?);
    match answer.map_err(|_| SupervisorError::Refused(format!("status {status}")))? {
        Answer { data: Some(data), .. } => Ok(data),
        Answer { message, .. } => Err(SupervisorError::Refused(message.unwrap_or_default())),
    }
}

/// As the Supervisor wraps every answer.
#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct AppInfo {
    slug: Option<String>,
    ingress_port: Option<u16>,
}

#[derive(Deserialize)]
struct NetworkInfo {
    #[serde(default)]
    interfaces: Vec<Interface>,
}

#[derive(Deserialize)]
struct Interface {
    #[serde(default)]
    enabled: bool,
    ipv4: Option<Addresses>,
    ipv6: Option<Addresses>,
}

#[derive(Deserialize)]
struct Addresses {
    /// As `192.168.1.5/24`.
    #[serde(default)]
    address: Vec<String>,
}

impl NetworkInfo {
    fn addresses(&self) -> Vec<IpAddr> {
        let enabled = self.interfaces.iter().filter(|interface| interface.enabled);
        let listed = enabled.flat_map(|interface| [&interface.ipv4, &interface.ipv6]).flatten();
        let texts = listed.flat_map(|addresses| &addresses.address);
        texts.filter_map(|text| text.split('/').next()?.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_interfaces_that_are_on_are_the_house_s() {
        let info: NetworkInfo = serde_json::from_str(
            r#"{"interfaces": [
                {"interface": "end0", "enabled": true,
                 "ipv4": {"address": ["192.168.1.5/24"], "method": "auto"}, "ipv6": {"address": ["fd00::5/64", "odd"]}},
                {"interface": "wlan0", "enabled": false, "ipv4": {"address": ["192.168.1.6/24"]}, "ipv6": null}
            ], "host_internet": true}"#,
        )
        .expect("an answer of the Supervisor");
        let expected = ["192.168.1.5", "fd00::5"].map(|text| text.parse::<IpAddr>().expect("an address"));
        assert_eq!(info.addresses(), expected);
    }
}
