//! The certificate that is served just now: one place, looked at by every handshake, replaced while it runs.

use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::authority::PublicAuthority;
use super::identity::Identity;

/// A certificate, and where it is from.
#[derive(Debug, Clone)]
pub struct Served {
    /// Certificate and key.
    pub identity: Identity,
    /// Whoever made it, if that was us.
    pub authority: Option<PublicAuthority>,
}

/// The certificate that is served just now, if there is one. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Certificates(Arc<RwLock<Option<Arc<Served>>>>);

impl Certificates {
    /// What is served just now.
    pub fn served(&self) -> Option<Arc<Served>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves another from now on. Connections that there are go on as they are.
    pub(super) fn serve(&self, served: Served) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(served));
    }

    /// For handshakes with whatever is served at their time. HTTP/1.1 is all that is spoken.
    ///
    /// # Errors
    /// When the cipher library has no version of TLS: never.
    pub fn acceptor(&self) -> Result<TlsAcceptor, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config = builder.with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config).into())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.served().map(|served| Arc::clone(&served.identity.key))
    }
}
