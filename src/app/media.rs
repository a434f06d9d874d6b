//! The media threads: those that carry voices, the one that carries files, and the one that carries video.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use crate::config::Config;
use crate::core::{Relay, RelayConfig};
use crate::critical::Critical;
use crate::engine::{self, Connected, Engine, ThreadId};
use crate::limits::{Allotments, MediaPlaces};
use crate::net::{Admission, Carries, MediaSocket, MediaThread, host_addresses};

use super::StartError;

/// The threads that carry voices: the first has the senders and the rooms.
pub(super) fn start_media(
    config: &Config,
    sockets: Vec<MediaSocket>,
    advertise: &[IpAddr],
    admission: &Arc<Admission>,
    (critical, places): (&Critical, &Allotments),
) -> Result<(Vec<MediaThread>, Connected), StartError> {
    let relay = |(thread, socket): (usize, &MediaSocket)| {
        let addresses = host_addresses(socket.bound(), advertise);
        tracing::debug!(thread, port = socket.port(), "media thread");
        Relay::new(
            RelayConfig { first_peer: ThreadId::from(thread).first_peer(), ..relay_config(config, addresses) },
            Instant::now(),
        )
    };
    let mut relays = sockets.iter().enumerate().map(relay);
    let first = relays.next().expect("there is one media thread");
    let mut connected = engine::connect(first, relays.collect()).within(&places.media);
    let relays = std::mem::take(&mut connected.threads);
    let threads = MediaThread::start_all(Carries::Voices, sockets, relays, admission, critical)
        .map_err(StartError::MediaThread)?;
    Ok((threads, connected))
}

/// The thread that carries files, and the way to it: a relay like that of the voices, which never hears one.
pub(super) fn start_files(
    config: &Config,
    socket: MediaSocket,
    advertise: &[IpAddr],
    admission: &Arc<Admission>,
    (critical, places): (&Critical, &Allotments),
) -> Result<(Vec<MediaThread>, Engine), StartError> {
    let addresses = host_addresses(socket.bound(), advertise);
    let relay = RelayConfig { addresses, max_peers: config.files.clients, ..RelayConfig::default() };
    let places = MediaPlaces { peers: places.files.clone(), ..MediaPlaces::default() };
    let connected = engine::connect(Relay::new(relay, Instant::now()), vec![]).within(&places);
    let Connected { engine, threads, .. } = connected;
    let threads = MediaThread::start_all(Carries::Files, vec![socket], threads, admission, critical);
    Ok((threads.map_err(StartError::MediaThread)?, engine))
}

/// The thread that carries video, and both ends of the way to it: a relay like that of the voices, which never hears one.
pub(super) fn start_video(
    config: &Config,
    socket: MediaSocket,
    advertise: &[IpAddr],
    admission: &Arc<Admission>,
    (critical, places): (&Critical, &Allotments),
) -> Result<(Vec<MediaThread>, Connected), StartError> {
    let addresses = host_addresses(socket.bound(), advertise);
    let relay = RelayConfig {
        addresses,
        max_peers: config.video.peers,
        max_streams: config.video.tracks,
        ..RelayConfig::default()
    };
    let places = MediaPlaces { peers: places.video.clone(), ..MediaPlaces::default() };
    let mut connected = engine::connect(Relay::new(relay, Instant::now()), vec![]).within(&places);
    let relays = std::mem::take(&mut connected.threads);
    let threads = MediaThread::start_all(Carries::Video, vec![socket], relays, admission, critical);
    Ok((threads.map_err(StartError::MediaThread)?, connected))
}

fn relay_config(config: &Config, addresses: Vec<SocketAddr>) -> RelayConfig {
    RelayConfig {
        addresses,
        max_peers: config.limits.peers.div_ceil(config.media.threads),
        max_streams: config.limits.streams,
        publisher_timeout: config.relay.publisher_timeout,
        cleanup_interval: config.relay.cleanup_interval,
        stale_after: config.relay.stale_after,
        tap_all: config.clips.count > 0 || config.mailbox.count > 0,
        room_bitrate: config.rooms.bitrate * 1_000,
        ..RelayConfig::default()
    }
}
