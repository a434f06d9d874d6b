//! The node on the house's network, for a Home Assistant on another machine: with a key, and found there.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mdns_sd::{ServiceDaemon, ServiceEvent};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::esphome::*;
use super::support::http::{get, post_json};
use super::support::live::{PATIENCE, end, metric, until};
use super::support::noise::{read_packet, shake_hands};
use super::{Lab, announcement, device, lab};

/// What opens the node of this lab, as the page shows it.
async fn key(lab: &Lab) -> String {
    until(async || get(lab.ports.http, "/api/home-assistant/node").await.json()["key"].is_string()).await;
    get(lab.ports.http, "/api/home-assistant/node").await.json()["key"].as_str().expect("a key").to_owned()
}

#[tokio::test]
async fn on_the_house_s_network_only_whoever_shows_the_key_is_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off", "--esphome-reach=lan"]).await;
    let key = key(&lab).await;
    let mut client = NodeClient::secured(lab.node, &key).await;
    let kitchen = device(&mut client, "Kitchen").await;
    client.send(SUBSCRIBE, &()).await;
    client.player(kitchen, |player| player.state == 1).await;
    client.send(PLAY, &announcement(&lab, kitchen)).await;
    client.player(kitchen, |player| player.state == 2).await;

    let mut another = dial(lab.node).await;
    let guess = BASE64_STANDARD.encode([7; 32]);
    assert_eq!(shake_hands(&mut another, &guess).await.err().as_deref(), Some("Handshake MAC failure"));
    let mut plain = dial(lab.node).await;
    plain.write_all(&[0, 0, 1]).await.expect("sent");
    assert_eq!(read_packet(&mut plain).await.expect("an answer"), b"\x01Bad indicator byte");
    assert_eq!(metric(lab.ports, "esphome_connections").await, 1, "who has not shown it is none");
}

#[tokio::test]
async fn whoever_has_not_shown_the_key_keeps_nobody_out_who_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off", "--esphome-reach=lan"]).await;
    let key = key(&lab).await;
    let _client = NodeClient::secured(lab.node, &key).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(dial(lab.node).await);
    }
    let mut one_more = dial(lab.node).await;
    let gone = tokio::time::timeout(PATIENCE, one_more.read(&mut [0])).await.expect("at once");
    assert!(matches!(gone, Ok(0) | Err(_)), "an address has so many");
    // They have so long to show the key.
    for mut one in silent {
        let gone = tokio::time::timeout(PATIENCE, one.read(&mut [0])).await.expect("in time");
        assert!(matches!(gone, Ok(0) | Err(_)));
    }
    NodeClient::secured(lab.node, &key).await;
}

#[tokio::test]
async fn home_assistant_elsewhere_is_given_the_key_when_somebody_has_it_connect() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path(), &["--mqtt-broker=off", "--esphome-reach=lan"]).await;
    let node = get(lab.ports.http, "/api/home-assistant").await.json()["node"].clone();
    assert_eq!(node, json!({ "port": lab.node, "on_lan": true, "connected": false }), "no key for everybody");
    key(&lab).await;
    let answer = post_json(lab.ports.http, "/api/home-assistant/node", &json!({})).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "added": true })));
    assert_eq!(get(lab.ports.http, "/api/home-assistant").await.json()["node"]["connected"], true);
}

#[tokio::test]
async fn home_assistant_finds_the_node_by_itself_until_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lab = lab(folder.path(), &["--mqtt-broker=off", "--esphome-reach=lan"]).await;
    let browser = ServiceDaemon::new().expect("a thread");
    let found = browser.browse("_esphomelib._tcp.local.").expect("asked");
    let next = async |is_it: fn(&ServiceEvent, u16) -> bool| {
        let (found, node) = (found.clone(), lab.node);
        let looked = tokio::task::spawn_blocking(move || {
            std::iter::from_fn(|| found.recv_timeout(PATIENCE).ok()).find(|event| is_it(event, node))
        });
        looked.await.expect("whole").expect("in time")
    };
    let ServiceEvent::ServiceResolved(service) =
        next(|event, node| matches!(event, ServiceEvent::ServiceResolved(one) if one.get_port() == node)).await
    else {
        unreachable!("it was looked for")
    };
    let property = |name: &str| service.get_property_val_str(name).unwrap_or_default().to_owned();
    assert!(service.get_fullname().starts_with("voice-relay"), "{}", service.get_fullname());
    assert_eq!((property("mac").len(), property("friendly_name")), (12, "Voice Relay".into()));
    assert!(property("api_encryption").starts_with("Noise_NNpsk0"));
    end(&mut lab.child).await;
    next(|event, _| matches!(event, ServiceEvent::ServiceRemoved(..))).await;
    let _ = browser.shutdown();
}
