//! Connections that the daemon opens by itself, to servers that its configuration names, and whose word is believed there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::either::Either;

/// A connection, with TLS or without.
pub type Outgoing = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The authority that is configured cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct TrustError {
    /// Its file.
    path: PathBuf,
    /// What is wrong with it.
    why: String,
}

/// Whose certificates servers may show. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The authorities that this machine trusts, and those in this file (PEM).
    ///
    /// # Errors
    /// When the file cannot be read, or has none.
    pub fn open(authority: Option<&Path>) -> Result<Self, TrustError> {
        // Some of a machine's own may be broken; whoever is signed by others is believed.
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = authority {
            let error = |why: String| TrustError { path: path.to_owned(), why };
            let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let (added, _) = roots.add_parsable_certificates(read.map_err(|why| error(why.to_string()))?);
            if added == 0 {
                return Err(error("there is no certificate of an authority in it".into()));
            }
        }
        Ok(Self(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())))
    }

    /// Nobody's: for servers that are asked without TLS.
    pub fn none() -> Self {
        let roots = RootCertStore::empty();
        Self(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
    }

    /// Whoever asks servers by HTTP, straight and not by a proxy.
    pub fn http(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder().no_proxy().tls_backend_preconfigured(ClientConfig::clone(&self.0))
    }

    /// Connects to a server, and has it prove who it is where it `is_secure`.
    ///
    /// # Errors
    /// When it is not there, or does not prove it.
    pub async fn connect(&self, host: &str, port: u16, is_secure: bool) -> io::Result<Outgoing> {
        let connection = TcpStream::connect((host, port)).await?;
        connection.set_nodelay(true)?;
        if !is_secure {
            return Ok(Either::Left(connection));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let secured = TlsConnector::from(Arc::clone(&self.0)).connect(name, connection).await?;
        Ok(Either::Right(Box::new(secured)))
    }
}
