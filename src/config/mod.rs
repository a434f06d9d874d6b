//! TEMPORARY placeholder until the helper's version lands.
#![allow(missing_docs)]
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access { Lan, Any }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenIdle { Silence, Unavailable }
#[derive(Debug, Clone)]
pub struct Config { pub bind: IpAddr, pub data_dir: PathBuf, pub http: HttpConfig, pub mp3: Mp3Config, pub media: MediaConfig, pub access: Access, pub relay: RelayLifecycle, pub limits: Limits }
#[derive(Debug, Clone)]
pub struct HttpConfig { pub port: u16, pub tls_port: u16 }
#[derive(Debug, Clone)]
pub struct Mp3Config { pub port: u16, pub when_idle: WhenIdle }
#[derive(Debug, Clone)]
pub struct MediaConfig { pub port: u16, pub advertise: Vec<IpAddr>, pub threads: usize }
#[derive(Debug, Clone)]
pub struct RelayLifecycle { pub cleanup_interval: Duration, pub stale_after: Duration, pub publisher_timeout: Duration }
#[derive(Debug, Clone)]
pub struct Limits { pub peers: usize, pub streams: usize, pub sockets: usize, pub message_bytes: usize, pub mp3_listeners: usize }
impl Default for Config { fn default() -> Self { Self { bind: "::".parse().expect("x"), data_dir: "data".into(), http: HttpConfig{port:8080,tls_port:8443}, mp3: Mp3Config{port:8081,when_idle:WhenIdle::Silence}, media: MediaConfig{port:8082,advertise:vec![],threads:1}, access: Access::Lan, relay: RelayLifecycle{cleanup_interval:Duration::from_secs(300),stale_after:Duration::from_secs(600),publisher_timeout:Duration::from_secs(4)}, limits: Limits{peers:1000,streams:100,sockets:5000,message_bytes:65536,mp3_listeners:2000} } } }
