//! The MQTT broker of Home Assistant, where the Supervisor knows of one.

use std::fmt;

use serde::Deserialize;

use crate::config::HassConfig;

use super::supervisor::{SupervisorError, client, get};

/// Where a broker is, and what it knows us by.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Broker {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who we are there; `None` where anybody may be.
    pub username: Option<String>,
    /// And what proves it.
    pub password: Option<String>,
    /// Whether it speaks TLS at this port.
    #[serde(default)]
    pub ssl: bool,
}

/// Where it is, without what proves who we are.
impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Asks the Supervisor for a broker; it says no where there is none.
///
/// # Errors
/// When it says no, or nothing.
pub async fn find_broker(config: &HassConfig) -> Result<Broker, SupervisorError> {
    get(&client()?, config, "services/mqtt").await
}
