//! Every option, declared once: flags, environment names, checks and documentation come from here. `table` has them all.

mod table;

use std::net::IpAddr;

use config::ValueKind;
use tracing_subscriber::EnvFilter;

use crate::rooms::clean_name;

pub(super) use table::OPTIONS;

/// Environment variables begin so; the dots of a key become two underscores.
pub(super) const ENVIRONMENT_PREFIX: &str = "VOICE_RELAY__";

/// Home Assistant gives an app its token so.
pub(super) const SUPERVISOR_VARIABLE: &str = "SUPERVISOR_TOKEN";

/// One option.
pub(super) struct Opt {
    /// As in the file, with dots for the levels.
    pub(super) key: &'static str,
    pub(super) kind: OptionKind,
    /// As one would write it.
    pub(super) default: &'static str,
    /// One line, for `--help` and the documentation.
    pub(super) help: &'static str,
    /// What else there is to know, for the documentation.
    pub(super) more: &'static str,
}

/// Options of one origin, each with its value as it is written there.
pub(super) type Texts = Vec<(&'static Opt, String)>;

/// What an option's value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum OptionKind {
    Address,
    /// Separated by commas.
    Addresses,
    /// Host names, separated by commas.
    Names,
    Port,
    /// A whole number between these two.
    Number(u32, u32),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// true or false.
    Switch,
    /// Any text that is not empty.
    Text,
    /// What people call something, of which something can be seen.
    Title,
    /// Several of these, separated by commas.
    Titles,
    /// Any text; never shown.
    Secret,
    /// From -60 to 20.
    Decibels,
    Path,
    /// Paths separated by commas, or one of the words auto and off.
    Folders,
    /// Of a page, whole; or the word auto.
    Page,
    /// Of Home Assistant; or the word off.
    HassAddress,
    /// Of an MQTT broker; or one of the words auto and off.
    Broker,
    /// A port, or one of the words auto and off.
    NodePort,
    LogLevels,
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

/// Host and port of an MQTT broker, and whether it speaks TLS there.
pub(super) fn broker_address(text: &str) -> Option<(String, u16, bool)> {
    let (address, usual_port, is_secure) = match text.split_once("://")? {
        ("mqtt", address) => (address.trim_end_matches('/'), MQTT_PORT, false),
        ("mqtts", address) => (address.trim_end_matches('/'), MQTTS_PORT, true),
        _ => return None,
    };
    // Of IPv6 addresses, those in brackets; the colons of others are no port's.
    let (host, port) = match address.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']')) {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (address, usual_port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty() && !host.contains(['/', '@', ' '])).then(|| (host.to_owned(), port, is_secure))
}

/// Where brokers are as a rule, without TLS.
const MQTT_PORT: u16 = 1_883;

/// And with it.
const MQTTS_PORT: u16 = 8_883;

impl OptionKind {
    /// Reads a value; the error says what is allowed.
    pub(super) fn parse(self, text: &str) -> Result<ValueKind, String> {
        self.read(text.trim()).ok_or_else(|| self.expectation())
    }

    fn read(self, text: &str) -> Option<ValueKind> {
        let string = || Some(ValueKind::String(text.to_owned()));
        match self {
            Self::Address => text.parse::<IpAddr>().ok().and_then(|_| string()),
            Self::Addresses => {
                let addresses = text.split(',').map(str::trim).filter(|address| !address.is_empty());
                let valid = addresses.map(|address| address.parse::<IpAddr>().ok().map(|ip| ip.to_string().into()));
                valid.collect::<Option<Vec<_>>>().map(ValueKind::Array)
            }
            Self::Names => {
                let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                let is_name = |name: &&str| !name.contains([':', '/', ' ', '*']);
                names.map(|name| is_name(&name).then(|| name.into())).collect::<Option<Vec<_>>>().map(ValueKind::Array)
            }
            Self::Title => (!clean_name(text).is_empty()).then(string)?,
            Self::Titles => {
                let titles = text.split(',').map(clean_name).filter(|title| !title.is_empty());
                Some(ValueKind::Array(titles.map(Into::into).collect()))
            }
            Self::Port => text.parse::<u16>().ok().map(|port| ValueKind::U64(port.into())),
            Self::Number(least, most) => {
                let number = text.parse::<u32>().ok().filter(|number| (least..=most).contains(number))?;
                Some(ValueKind::U64(number.into()))
            }
            Self::Choice(words) => words.contains(&text).then(string)?,
            Self::Switch => text.parse::<bool>().ok().map(ValueKind::Boolean),
            Self::Decibels => {
                let decibels = text.parse().ok().filter(|decibels| (-60.0..=20.0).contains(decibels))?;
                Some(ValueKind::Float(decibels))
            }
            Self::Secret => string(),
            Self::Folders => {
                let folders = text.split(',').map(str::trim).filter(|folder| !folder.is_empty());
                let folders: Vec<config::Value> = folders.filter(|folder| *folder != "off").map(Into::into).collect();
                (!text.is_empty()).then_some(ValueKind::Array(folders))
            }
            Self::HassAddress => (text == "off" || is_web_address(text)).then(string)?,
            Self::Page => (text == "auto" || is_web_address(text)).then(string)?,
            Self::Broker => (matches!(text, "auto" | "off") || broker_address(text).is_some()).then(string)?,
            Self::NodePort => {
                let is_port = text.parse::<u16>().is_ok_and(|port| port > 0);
                (matches!(text, "auto" | "off") || is_port).then(string)?
            }
            Self::Path | Self::Text => (!text.is_empty()).then(string)?,
            Self::LogLevels => EnvFilter::try_new(text).ok().filter(|_| !text.is_empty()).and_then(|_| string()),
        }
    }

    /// What is allowed, to be read after "expected".
    pub(super) fn expectation(self) -> String {
        match self {
            Self::Address => "an IP address".into(),
            Self::Addresses => "IP addresses separated by commas".into(),
            Self::Names => "host names separated by commas, without http:// and without a port".into(),
            Self::Port => "a port from 0 to 65535 (0: any free one)".into(),
            Self::Number(least, most) if least == most => format!("{least}, the only value so far"),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Choice(words) => format!("one of: {}", words.join(", ")),
            Self::Switch => "true or false".into(),
            Self::Text | Self::Title | Self::Secret => "a text".into(),
            Self::Titles => "names separated by commas".into(),
            Self::Decibels => "decibels from -60 to 20".into(),
            Self::Path => "a path".into(),
            Self::Folders => "folders separated by commas, or auto, or off".into(),
            Self::HassAddress => "an address such as http://192.168.1.5:8123 or https://house.example, or off".into(),
            Self::Page => "an address such as https://192.168.1.5:8443, or auto".into(),
            Self::Broker => {
                "an address such as mqtt://192.168.1.5:1883 or mqtts://house.example, or auto, or off".into()
            }
            Self::NodePort => "a port from 1 to 65535, or auto, or off".into(),
            Self::LogLevels => "levels such as info or info,voice_relay::net=debug".into(),
        }
    }
}

impl Opt {
    /// `http.tls_port` is set by `--http-tls-port`.
    pub(super) fn flag(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }

    /// Whether this environment variable sets it.
    pub(super) fn is_set_by(&self, name: &str) -> bool {
        name == self.variable() || self.key == "hass.token" && name == SUPERVISOR_VARIABLE
    }

    /// `http.tls_port` is set by `VOICE_RELAY__HTTP__TLS_PORT`.
    pub(super) fn variable(&self) -> String {
        format!("{ENVIRONMENT_PREFIX}{}", self.key.replace('.', "__").to_uppercase())
    }
}

/// The option of this key.
pub(super) fn find(key: &str) -> Option<&'static Opt> {
    OPTIONS.iter().find(|option| option.key == key)
}
