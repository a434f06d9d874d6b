//! An authority of a test's own, with a certificate for `localhost`, and servers that show it.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// One, in a folder of its own.
pub struct Authority(TempDir);

impl Authority {
    /// One that nobody trusts by itself.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut own = CertificateParams::new([]).expect("no names");
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own_key = KeyPair::generate().expect("a key");
        let certificate = own.self_signed(&own_key).expect("a certificate");
        let issuer = Issuer::new(own, own_key);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let server = params.signed_by(&key, &issuer).expect("a certificate");
        for (name, text) in
            [("ca.pem", certificate.pem()), ("server.pem", server.pem()), ("key.pem", key.serialize_pem())]
        {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        Self(folder)
    }

    /// Its own certificate, by which others trust it.
    pub fn path(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// Certificate and key of a server that is called `localhost`.
    pub fn server(&self) -> [PathBuf; 2] {
        ["server.pem", "key.pem"].map(|name| self.0.path().join(name))
    }

    /// TLS before a server of this machine that has none; gives the port.
    pub async fn secure(&self, plain: u16) -> u16 {
        let [certificate, key] = self.server();
        let chain = vec![CertificateDer::from_pem_file(certificate).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(key).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("they fit");
        let (acceptor, listener) =
            (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.expect("a port"));
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Whoever does not trust us goes.
                    let Ok(mut secured) = acceptor.accept(socket).await else { return };
                    let mut plain = TcpStream::connect(("127.0.0.1", plain)).await.expect("it is there");
                    let _ = tokio::io::copy_bidirectional(&mut secured, &mut plain).await;
                });
            }
        });
        port
    }
}
