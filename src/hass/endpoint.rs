//! Where Home Assistant's core is, and what opens it: its WebSocket, and its API beside it.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Url};

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tls::{Outgoing, Trust};

/// It is in the house, and answers within this or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The address is none that we can go to.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no address of Home Assistant: it is written http://192.168.1.5:8123, or https:// and its name")]
pub struct InvalidAddress(String);

/// The core, as one gets there. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CoreEndpoint {
    /// Without a slash at its end.
    address: String,
    host: String,
    port: u16,
    is_secure: bool,
    token: String,
    trust: Trust,
    client: Client,
}

impl CoreEndpoint {
    /// The core at this address, such as `http://supervisor/core` or `https://house.example:8123`, which takes this token.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(address: &str, token: String, trust: Trust) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress(address.to_owned());
        let url = Url::parse(address.trim()).map_err(|_| invalid())?;
        let is_secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(invalid()),
        };
        // As a socket has it: IPv6 addresses without their brackets.
        let host = url.host_str().ok_or_else(invalid)?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().ok_or_else(invalid)?;
        let client = trust.http().build().expect("a client with our own TLS, and no resolver or proxy, is always made");
        let address = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { address, host, port, is_secure, token, trust, client })
    }

    /// Where its WebSocket is. The Supervisor's proxy has it beside the API, the core itself below it.
    pub(super) fn socket(&self) -> String {
        let (_, rest) = self.address.split_once("://").unwrap_or_default();
        let path = if rest.contains('/') { "" } else { "/api" };
        format!("{}://{rest}{path}/websocket", if self.is_secure { "wss" } else { "ws" })
    }

    /// What opens it.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Host and port, for logs.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// A connection to it.
    ///
    /// # Errors
    /// When it is not there, or is somebody else.
    pub(super) async fn connect(&self) -> io::Result<Outgoing> {
        self.trust.connect(&self.host, self.port, self.is_secure).await
    }

    /// The address by which the core reaches this machine.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) async fn own_address(&self) -> io::Result<IpAddr> {
        let connection = timeout(CONNECT_TIMEOUT, TcpStream::connect((&*self.host, self.port)));
        let connection = connection.await.map_err(|_| io::ErrorKind::TimedOut)??;
        Ok(connection.local_addr()?.ip().to_canonical())
    }

    /// A request to its API, with the token.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address)).bearer_auth(&self.token)
    }

    /// A request for something that is elsewhere, as far as one knows: without the token.
    pub(super) fn get_elsewhere(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_its_socket_is() {
        let endpoint = |address: &str| CoreEndpoint::new(address, String::new(), Trust::none());
        for (address, place, socket) in [
            ("http://supervisor/core", "supervisor:80", "ws://supervisor/core/websocket"),
            ("http://192.168.1.5:8123/", "192.168.1.5:8123", "ws://192.168.1.5:8123/api/websocket"),
            (" https://house.example:8123", "house.example:8123", "wss://house.example:8123/api/websocket"),
            ("https://house.example", "house.example:443", "wss://house.example/api/websocket"),
            ("http://[fd00::5]:8123", "fd00::5:8123", "ws://[fd00::5]:8123/api/websocket"),
        ] {
            let known = endpoint(address).expect("an address");
            assert_eq!((known.place(), known.socket()), (place.to_owned(), socket.to_owned()));
        }
        for address in ["", "supervisor", "ws://x", "http://", "https:///x y"] {
            assert!(endpoint(address).is_err(), "{address}");
        }
    }
}
