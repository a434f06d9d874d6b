//! Why the daemon could not start.

use std::io;
use std::net::IpAddr;

use crate::hass::InvalidAddress;
use crate::tls::TrustError;

/// The daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port cannot be had.
    #[error("cannot listen on {key} = {port} at {address}: {source}; is another program using it?")]
    HttpPort {
        /// The configuration key of the port.
        key: &'static str,
        /// Its number.
        port: u16,
        /// Where it was to listen.
        address: IpAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The media thread cannot be had.
    #[error("cannot start the media thread: {0}")]
    MediaThread(io::Error),
    /// TLS cannot be spoken.
    #[error("cannot speak TLS: {0}")]
    Tls(tokio_rustls::rustls::Error),
    /// The sound card is to be in a room that there is not.
    #[error("sound.room = {0}: there is no such room")]
    Room(String),
    /// The sound card cannot be used, for other reasons than that it is not there.
    #[error("cannot use the sound card: {0}")]
    Sound(io::Error),
    /// Home Assistant cannot be where it is said to be.
    #[error("hass.url: {0}")]
    Hass(InvalidAddress),
    /// The authority that signs for Home Assistant cannot be used.
    #[error("hass.ca: {0}")]
    Trust(TrustError),
}
