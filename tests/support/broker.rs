//! A real MQTT broker (mosquitto), and somebody who sees everything on it, as Home Assistant does.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, PublishOptions, QoS};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::authority::Authority;
use super::esphome::free_port;
use super::live::until;

/// Who may come, where not everybody may.
pub const LOGIN: (&str, &str) = ("relay", "secret");

/// A broker; it ends with this.
pub struct Broker {
    pub port: u16,
    child: Option<Child>,
    folder: TempDir,
    only_with_login: bool,
    /// The port of TLS, and the certificate there.
    secure: Option<(u16, Authority)>,
}

impl Broker {
    /// One to which everybody may come.
    pub async fn start() -> Self {
        Self::at(free_port(), false).await
    }

    /// One to which only those may come who know the [`LOGIN`].
    pub async fn guarded() -> Self {
        Self::at(free_port(), true).await
    }

    /// One that speaks TLS at a port besides, with a certificate of this authority.
    pub async fn secured(authority: Authority) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let secure = Some((free_port(), authority));
        let mut broker = Self { port: free_port(), child: None, folder, only_with_login: false, secure };
        broker.serve().await;
        broker
    }

    async fn at(port: u16, only_with_login: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut broker = Self { port, child: None, folder, only_with_login, secure: None };
        broker.serve().await;
        broker
    }

    /// Starts it, without anything that it knew before.
    pub async fn serve(&mut self) {
        let config = self.folder.path().join("mosquitto.conf");
        let mut text = format!("listener {} 127.0.0.1\nuser root\npersistence false\n", self.port);
        if self.only_with_login {
            let passwords = self.folder.path().join("passwords");
            std::fs::write(&passwords, format!("{}:{}\n", LOGIN.0, LOGIN.1)).expect("written");
            let hashed = Command::new("mosquitto_passwd").arg("-U").arg(&passwords).status().await;
            assert!(hashed.is_ok_and(|status| status.success()), "mosquitto_passwd");
            text += &format!("allow_anonymous false\npassword_file {}\n", passwords.display());
        } else {
            text += "allow_anonymous true\n";
        }
        if let Some((port, authority)) = &self.secure {
            let [certificate, key] = authority.server().map(|path| path.display().to_string());
            text += &format!("listener {port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\n");
        }
        std::fs::write(&config, text).expect("written");
        let mut command = Command::new("mosquitto");
        let started =
            command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
        self.child = Some(started.expect("mosquitto starts"));
        let port = self.port;
        until(async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
    }

    /// Ends it, as a crash would.
    pub async fn crash(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.expect("killed");
    }

    /// Where it is, as it is configured.
    pub fn flag(&self) -> String {
        format!("--mqtt-broker=mqtt://127.0.0.1:{}", self.port)
    }

    /// Where it speaks TLS, as it is configured.
    pub fn secure_flag(&self) -> String {
        let (port, _) = self.secure.as_ref().expect("it does");
        format!("--mqtt-broker=mqtts://localhost:{port}")
    }

    /// Somebody who sees everything.
    pub async fn watch(&self) -> Watcher {
        let mut options = MqttOptions::new(Uuid::new_v4(), ("127.0.0.1", self.port));
        options.set_max_packet_size(1 << 20, 1 << 20).set_request_channel_capacity(100);
        if self.only_with_login {
            options.set_credentials(LOGIN.0, LOGIN.1);
        }
        let (client, mut events) = AsyncClient::builder(options).build();
        let seen = Arc::<Mutex<Vec<Message>>>::default();
        let (seeing, subscribing) = (Arc::clone(&seen), client.clone());
        tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        subscribing.subscribe("#", QoS::AtLeastOnce).await.expect("subscribed");
                    }
                    Ok(Event::Incoming(Packet::Publish(message))) => seeing.lock().expect("whole").push(Message {
                        topic: String::from_utf8_lossy(&message.topic).into_owned(),
                        payload: String::from_utf8_lossy(&message.payload).into_owned(),
                        is_retained: message.retain,
                    }),
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        Watcher { client, seen }
    }
}

/// What came on a topic.
#[derive(Debug, Clone)]
pub struct Message {
    pub topic: String,
    pub payload: String,
    /// It was there before whoever saw it.
    pub is_retained: bool,
}

/// Somebody who sees everything.
pub struct Watcher {
    client: AsyncClient,
    seen: Arc<Mutex<Vec<Message>>>,
}

impl Watcher {
    /// Everything that came so far.
    pub fn seen(&self) -> Vec<Message> {
        self.seen.lock().expect("whole").clone()
    }

    /// Forgets what came so far.
    pub fn forget(&self) {
        self.seen.lock().expect("whole").clear();
    }

    /// The last message on the topic that ends so.
    pub fn last(&self, end: &str) -> Option<String> {
        self.seen().into_iter().rev().find(|message| message.topic.ends_with(end)).map(|message| message.payload)
    }

    /// The same as JSON.
    pub fn last_json(&self, end: &str) -> Value {
        self.last(end).and_then(|payload| serde_json::from_str(&payload).ok()).unwrap_or_default()
    }

    /// Waits until that is the last message there.
    pub async fn shows(&self, end: &str, payload: &str) {
        until(async || self.last(end).as_deref() == Some(payload)).await;
    }

    /// The topic that ends so.
    pub fn topic(&self, end: &str) -> String {
        let found = self.seen().into_iter().find(|message| message.topic.ends_with(end));
        found.unwrap_or_else(|| panic!("no topic {end}")).topic
    }

    pub async fn publish(&self, topic: &str, is_retained: bool, payload: impl Into<Vec<u8>>) {
        let (payload, options) = (payload.into(), PublishOptions::at_least_once().retain(is_retained));
        self.client.publish(topic, payload, options).await.expect("sent");
    }

    /// Uses an entity, as Home Assistant does: on the topic that its discovery message names.
    pub async fn command(&self, room: &str, entity: &str, payload: &str) {
        let topic = self.topic(&format!("/{room}/talking")).replace("/talking", &format!("/{entity}/set"));
        self.publish(&topic, false, payload).await;
    }
}
