//! Integrations of Home Assistant: that of our node is added by its own config flow, which a person would click through
//! otherwise.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::endpoint::CoreEndpoint;

/// For each step. Home Assistant connects to the node before it says that it has it: three seconds, as a rule.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// What begins the addresses of flows.
const FLOWS: &str = "/api/config/config_entries/flow";

/// In which step of that of ESPHome's a key is asked for.
const KEY_STEP: &str = "encryption_key";

/// Whoever adds integrations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Integrations {
    endpoint: CoreEndpoint,
    /// One flow at a time, whoever asks.
    turn: Arc<Semaphore>,
}

/// What became of one that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedNode {
    /// Home Assistant has it now.
    Now,
    /// It had it before.
    Before,
}

/// It could not be added.
#[derive(Debug, thiserror::Error)]
pub enum AddNodeError {
    /// The core does not answer.
    #[error("Home Assistant can’t be reached: {0}")]
    Away(String),
    /// It may not be asked that: a token of somebody who is no administrator.
    #[error("Home Assistant doesn’t let the relay add integrations: hass.token has to be an administrator’s")]
    Forbidden,
    /// It cannot connect to the node, in its own words.
    #[error("Home Assistant can’t connect to the relay: {0}")]
    Refused(String),
    /// It wants something that we do not know.
    #[error("Home Assistant asks for something that the relay doesn’t know ({0}); add the integration ESPHome by hand")]
    Unknown(String),
    /// It took too long.
    #[error("Home Assistant didn’t answer in time")]
    Late,
    /// Somebody else has it connect just now.
    #[error("Home Assistant is being connected already")]
    Busy,
}

/// Where a flow is, as the core tells it.
#[derive(Debug, Deserialize)]
struct FlowStep {
    #[serde(rename = "type")]
    kind: String,
    flow_id: Option<String>,
    step_id: Option<String>,
    reason: Option<String>,
    errors: Option<Value>,
}

impl Integrations {
    /// Those of this core.
    pub fn new(endpoint: CoreEndpoint) -> Self {
        Self { endpoint, turn: Arc::new(Semaphore::new(1)) }
    }

    /// Adds the node of ESPHome's at this port: of the loopback, or, where a key is to be shown, of this machine as the core
    /// reaches it.
    ///
    /// # Errors
    /// When Home Assistant does not take it. No flow of ours is left there, unless whoever waits for this goes before.
    pub async fn add_node(&self, port: u16, key: Option<String>) -> Result<AddedNode, AddNodeError> {
        let _turn = self.turn.try_acquire().map_err(|_| AddNodeError::Busy)?;
        let host = match key {
            Some(_) => self.endpoint.own_address().await.map_err(|error| AddNodeError::Away(error.to_string()))?,
            None => IpAddr::from(Ipv4Addr::LOCALHOST),
        };
        let begun = self.step(FLOWS, json!({ "handler": "esphome", "show_advanced_options": false })).await?;
        let Some(flow) = begun.flow_id.as_deref().filter(|_| begun.kind == "form") else { return outcome(&begun) };
        let path = format!("{FLOWS}/{flow}");
        let mut ended = self.step(&path, json!({ "host": host, "port": port })).await;
        if let (Ok(step), Some(key)) = (&ended, key)
            && step.step_id.as_deref() == Some(KEY_STEP)
        {
            ended = self.step(&path, json!({ "noise_psk": key })).await;
        }
        let outcome = ended.and_then(|ended| outcome(&ended));
        if outcome.is_err() {
            // What is left of it would wait among the things that Home Assistant has found. If this fails, it does.
            let _ = self.request(Method::DELETE, &path).send().await;
        }
        outcome
    }

    async fn step(&self, path: &str, body: Value) -> Result<FlowStep, AddNodeError> {
        let away = |error: reqwest::Error| match error.is_timeout() {
            true => AddNodeError::Late,
            false => AddNodeError::Away(error.without_url().to_string()),
        };
        let answer = self.request(Method::POST, path).json(&body).send().await.map_err(away)?;
        if matches!(answer.status().as_u16(), 401 | 403) {
            return Err(AddNodeError::Forbidden);
        }
        answer.error_for_status().map_err(away)?.json().await.map_err(away)
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.endpoint.request(method, path).timeout(STEP_TIMEOUT)
    }
}

fn outcome(step: &FlowStep) -> Result<AddedNode, AddNodeError> {
    let FlowStep { kind, reason, errors, step_id, .. } = step;
    match (&**kind, reason.as_deref()) {
        ("create_entry", _) => Ok(AddedNode::Now),
        ("abort", Some(reason)) if reason.starts_with("already_configured") => Ok(AddedNode::Before),
        ("abort", reason) => Err(AddNodeError::Refused(reason.unwrap_or("no reason").to_owned())),
        _ => match errors.as_ref().and_then(|errors| errors.get("base")).and_then(Value::as_str) {
            Some(error) => Err(AddNodeError::Refused(error.to_owned())),
            None => Err(AddNodeError::Unknown(step_id.clone().unwrap_or_else(|| kind.clone()))),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::tls::Trust;

    use super::*;

    #[tokio::test]
    async fn one_is_connected_at_a_time() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let core = format!("http://{}", silent.local_addr().expect("bound"));
        let integrations =
            Integrations::new(CoreEndpoint::new(&core, "a token".into(), Trust::none()).expect("an address"));
        tokio::select! {
            biased;
            added = integrations.add_node(1, None) => panic!("nobody answers: {added:?}"),
            second = integrations.add_node(1, None) => assert!(matches!(second, Err(AddNodeError::Busy))),
        }
        // The first has gone, and with it its turn.
        assert_eq!(integrations.turn.available_permits(), 1);
    }

    #[test]
    fn a_flow_ends_as_the_core_says() {
        let ends = |step: Value| match outcome(&serde_json::from_value(step).expect("a step")) {
            Ok(added) => format!("{added:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(ends(json!({ "type": "create_entry", "title": "Voice Relay" })), "Now");
        assert_eq!(ends(json!({ "type": "abort", "reason": "already_configured" })), "Before");
        assert_eq!(ends(json!({ "type": "abort", "reason": "already_configured_updates" })), "Before");
        for (step, told) in [
            (json!({ "type": "abort", "reason": "mdns_missing_mac" }), "mdns_missing_mac"),
            (
                json!({ "type": "form", "step_id": "user", "errors": { "base": "connection_error" } }),
                "connection_error",
            ),
            (json!({ "type": "form", "step_id": "encryption_key", "errors": {} }), "encryption_key"),
            (json!({ "type": "menu" }), "menu"),
        ] {
            assert!(ends(step).contains(told), "{told}");
        }
    }
}
