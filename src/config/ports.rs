//! The HTTP ports, and the certificate of the one with TLS.

use std::path::PathBuf;

use serde::Deserialize;

/// The main port.
#[derive(Debug, Clone, Deserialize)]
pub struct HttpConfig {
    /// Page, signalling and API, plain HTTP.
    pub port: u16,
    /// The same with TLS.
    pub tls_port: u16,
    /// Host names of web pages that may use the relay, besides those of the house.
    pub origins: Vec<String>,
}

/// The certificate of the TLS port.
#[derive(Debug, Clone, Deserialize)]
pub struct TlsConfig {
    /// Which one.
    pub mode: TlsMode,
    /// Certificate and chain, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// Which certificate the TLS port has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// That of the files while it is good, else our own.
    Auto,
    /// Our own.
    Own,
    /// None: nothing listens there.
    Off,
}

/// The MP3 port.
#[derive(Debug, Clone, Deserialize)]
pub struct Mp3Config {
    /// MP3 streams, plain HTTP.
    pub port: u16,
    /// What `latest.mp3` gives while nobody speaks.
    pub when_idle: WhenIdle,
    /// Whether players that ask are told who talks (ICY metadata).
    pub icy: bool,
}

/// What `latest.mp3` gives while nobody speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenIdle {
    /// Silence, until somebody does.
    Silence,
    /// 503 with Retry-After.
    Unavailable,
}
