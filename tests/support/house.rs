//! The program with TLS: its certificates on disk, and clients that trust what they are told to.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use voice_relay::app::Ports;

use super::http::get;
use super::live::{PATIENCE, metric, start_tls_program};

/// The program with TLS, and what its clients trust.
pub struct House {
    pub folder: TempDir,
    pub child: Child,
    pub ports: Ports,
    pub authority: PathBuf,
}

impl House {
    /// A first start, with a certificate of its own.
    pub async fn new(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (child, ports) = start_tls_program(&folder.path().join("data"), flags).await;
        let authority = folder.path().join("ca.crt");
        std::fs::write(&authority, get(ports.http, "/ca.crt").await.body).expect("written");
        Self { folder, child, ports, authority }
    }

    pub fn https(&self) -> SocketAddr {
        self.ports.https.expect("a TLS port")
    }

    pub async fn connect(&self) -> TlsStream<TcpStream> {
        secure(TcpStream::connect(self.https()).await.expect("a listening port"), &self.authority).await
    }

    /// What curl gets from this host, or what it complains of.
    pub async fn curl(&self, host: &str, path: &str) -> Result<String, String> {
        let url = format!("https://{host}:{}{path}", self.https().port());
        let resolve = format!("{host}:{}:127.0.0.1", self.https().port());
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "10", "--noproxy", "*", "--cacert"]).arg(&self.authority);
        if host.contains(char::is_alphabetic) {
            curl.args(["--resolve", &resolve]);
        }
        let output = curl.arg(url).output().await.expect("curl");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    pub async fn metric(&self, name: &str) -> u64 {
        metric(self.ports, name).await
    }

    pub async fn wait_for_metric(&self, name: &str, least: u64) {
        let limit = Instant::now() + PATIENCE;
        while self.metric(name).await < least {
            assert!(Instant::now() < limit, "{name} is {}", self.metric(name).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Has it look at its files.
    pub async fn hang_up(&self) {
        let pid = self.child.id().expect("running").to_string();
        Command::new("kill").args(["-s", "HUP", &pid]).status().await.expect("sent");
    }
}

/// A handshake by somebody who trusts this authority alone.
pub async fn try_secure(stream: TcpStream, authority: &Path) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("a certificate")).expect("an authority");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

pub async fn secure(stream: TcpStream, authority: &Path) -> TlsStream<TcpStream> {
    try_secure(stream, authority).await.expect("a handshake")
}

/// One request on a connection that stays open; gives the head of the answer and so much of the body as came with it.
pub async fn ask(stream: &mut TlsStream<TcpStream>, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await.expect("sent");
    let mut bytes = vec![0; 16_384];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut bytes)).await.expect("in time").expect("an answer");
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

/// The certificate that is shown on a connection.
pub fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec()
}
