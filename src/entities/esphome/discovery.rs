//! The node made known on the house's network (mDNS, DNS-SD: RFC 6762 and 6763), so that Home Assistant offers it by itself.

use std::net::IpAddr;
use std::time::Duration;

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};

use super::node::{ESPHOME, FRIENDLY_NAME, NAME, Node, PROJECT};

/// What Home Assistant looks for.
const SERVICE: &str = "_esphomelib._tcp.local.";

/// That a key is to be shown, in ESPHome's words.
const ENCRYPTION: (&str, &str) = ("api_encryption", "Noise_NNpsk0_25519_ChaChaPoly_SHA256");

/// What is to be said at the end has this much time.
const GOODBYE: Duration = Duration::from_millis(500);

/// What is made known, until it is dropped.
pub(super) struct Discovery {
    daemon: ServiceDaemon,
    name: String,
}

impl Discovery {
    /// Makes known that the node listens at this port of this address; of all of them, if it is none in particular.
    ///
    /// # Errors
    /// When nothing can be said on the network.
    pub(super) fn announce(node: &Node, bind: IpAddr, port: u16) -> Result<Self, mdns_sd::Error> {
        let mac = node.mac().replace(':', "").to_lowercase();
        let host = format!("{NAME}-{}.local.", &mac[4..]);
        let properties = [
            ("mac", &*mac),
            ("friendly_name", FRIENDLY_NAME),
            ("version", ESPHOME),
            ("project_name", PROJECT),
            ("project_version", env!("CARGO_PKG_VERSION")),
            ENCRYPTION,
        ];
        let service = ServiceInfo::new(SERVICE, NAME, &host, "", port, &properties[..])?.enable_addr_auto();
        let daemon = ServiceDaemon::new()?;
        daemon.disable_interface(IfKind::All)?;
        let interfaces = match bind {
            IpAddr::V4(any) if any.is_unspecified() => vec![IfKind::IPv4],
            any if any.is_unspecified() => vec![IfKind::All],
            bind => vec![IfKind::Addr(bind)],
        };
        daemon.enable_interface(interfaces)?;
        if !bind.is_loopback() {
            daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        }
        let name = service.get_fullname().to_owned();
        daemon.register(service)?;
        Ok(Self { daemon, name })
    }

    /// Says that it is gone, so that nobody waits for it.
    pub(super) async fn end(self) {
        // Its thread may have ended; then there is nobody to say it.
        if let Ok(said) = self.daemon.unregister(&self.name) {
            let _ = tokio::task::spawn_blocking(move || said.recv_timeout(GOODBYE)).await;
        }
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        // Likewise.
        let _ = self.daemon.shutdown();
    }
}
