//! Every port of the daemon, bound before anything runs.

use std::net::SocketAddr;

use crate::config::{Config, TlsMode};
use crate::hass::Home;
use crate::http::HttpPort;
use crate::limits::{Allotments, Places};
use crate::net::MediaSocket;

use super::StartError;

/// Where a daemon really listens, also when it was told port 0.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// Page, signalling, API.
    pub http: SocketAddr,
    /// MP3 streams.
    pub mp3: SocketAddr,
    /// WebRTC media, UDP, of the first media thread.
    pub media: SocketAddr,
    /// Files over data channels, UDP.
    pub files: SocketAddr,
    /// Of video.
    pub video: SocketAddr,
    /// Page, signalling, API with TLS, if there is a certificate.
    pub https: Option<SocketAddr>,
    /// Home Assistant's panel, if there is one.
    pub ingress: Option<SocketAddr>,
}

impl std::fmt::Display for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http={} mp3={} media={}/udp", self.http.port(), self.mp3.port(), self.media.port())?;
        self.https.map_or(Ok(()), |https| write!(f, " https={}", https.port()))?;
        write!(f, " files={}/udp video={}/udp", self.files.port(), self.video.port())
    }
}

/// Every port, bound.
pub(super) struct Bound {
    pub(super) http: HttpPort,
    pub(super) mp3: HttpPort,
    /// One for each media thread.
    pub(super) media: Vec<MediaSocket>,
    pub(super) files: MediaSocket,
    pub(super) video: MediaSocket,
    pub(super) https: Option<HttpPort>,
    pub(super) ingress: Option<HttpPort>,
}

impl Bound {
    pub(super) fn bind(config: &Config, home: &Home, places: &Allotments) -> Result<Self, StartError> {
        let failed = |key, port| move |source| StartError::HttpPort { key, port, address: config.bind, source };
        let (http, mp3) = (config.http.port, config.mp3.port);
        let tls = Some(config.http.tls_port).filter(|_| config.tls.mode != TlsMode::Off);
        let bind_tls =
            |tls| HttpPort::bind(config.bind, tls, places.https.clone()).map_err(failed("http.tls_port", tls));
        Ok(Self {
            http: HttpPort::bind(config.bind, http, places.http.clone()).map_err(failed("http.port", http))?,
            mp3: HttpPort::bind(config.bind, mp3, places.mp3.clone()).map_err(failed("mp3.port", mp3))?,
            media: media_ports(config)
                .map(|port| MediaSocket::bind(config.bind, port).map_err(failed("media.port", port)))
                .collect::<Result<_, _>>()?,
            files: MediaSocket::bind(config.bind, config.files.port)
                .map_err(failed("files.port", config.files.port))?,
            video: MediaSocket::bind(config.bind, config.video.port)
                .map_err(failed("video.port", config.video.port))?,
            https: tls.map(bind_tls).transpose()?,
            ingress: match home.ingress_port {
                // All who come there come by the Supervisor.
                Some(port) => {
                    let places = Places::unshared(config.limits.connections);
                    Some(HttpPort::bind(config.bind, port, places).map_err(failed("ingress_port", port))?)
                }
                None => None,
            },
        })
    }

    pub(super) fn ports(&self) -> Ports {
        let (media, files, video) = (self.media[0].bound(), self.files.bound(), self.video.bound());
        let https = self.https.as_ref().map(HttpPort::address);
        let ingress = self.ingress.as_ref().map(HttpPort::address);
        Ports { http: self.http.address(), mp3: self.mp3.address(), media, files, video, https, ingress }
    }
}

/// The ports of the media threads: what follows the first one is for files, as a rule, and the others come then.
fn media_ports(config: &Config) -> impl Iterator<Item = u16> {
    let first = config.media.port;
    let further = move |thread| if first == 0 { 0 } else { first.saturating_add(thread) };
    std::iter::once(first).chain((2..).map(further)).take(config.media.threads)
}
