//! https as a household meets it: the program itself, its certificates on disk, and the clients that people
//! have: curl (OpenSSL) and rustls.

mod support;

use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, Issuer, KeyPair};
use support::house::{House, ask, shown, try_secure};
use support::http::{exchange, get};
use support::live::{PATIENCE, start_tls_program};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio_rustls::client::TlsStream;

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_start_to_a_page_by_https_takes_less_than_two_seconds() {
    let before = Instant::now();
    let house = House::new(&[]).await;
    let page = ask(&mut house.connect().await, "/").await;
    let time = before.elapsed();
    println!("from the first start to a page by https: {} ms", time.as_millis());
    assert!(page.starts_with("HTTP/1.1 200") || page.starts_with("HTTP/1.1 503"), "{page}");
    assert!(time < Duration::from_secs(2), "{time:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_served_on_both_ports_and_health_says_where_https_is() {
    let house = House::new(&[]).await;
    let health = get(house.ports.http, "/health").await.json();
    assert_eq!(health["tls_port"], house.https().port());
    for host in ["localhost", "127.0.0.1", "homeassistant.local"] {
        let health = house.curl(host, "/health").await.expect("an answer");
        assert!(health.contains("\"healthy\""), "{host}: {health}");
    }
    let trust = get(house.ports.http, "/api/trust").await.json();
    assert_eq!(trust["tls_port"], house.https().port());
    assert_eq!(trust["authority"]["fingerprint"], fingerprint(&house.authority).await);
    let foreign = house.curl("example.org", "/health").await.expect_err("not its name");
    assert!(foreign.contains("example.org") || foreign.contains("SSL"), "{foreign}");
}

/// As OpenSSL has it.
async fn fingerprint(certificate: &Path) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(certificate);
    let output = openssl.output().await.expect("openssl");
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    line.trim().split_once('=').expect("a fingerprint").1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_the_machine_is_in_the_certificate() {
    let house = House::new(&["--bind=0.0.0.0"]).await;
    // No datagram is sent: the kernel says which address it would use.
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a free port");
    let outer = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
    let host = outer.map_or("127.0.0.1".into(), |address| address.ip().to_string());
    assert!(house.curl(&host, "/health").await.expect("an answer").contains("healthy"), "{host}");
}

/// Puts a certificate for localhost, and a name on the internet, where the program looks for Home Assistant's.
fn put_certificate(folder: &Path) {
    let key = KeyPair::generate().expect("a key");
    let names = ["localhost", "house.example.org"].map(str::to_owned);
    let params = CertificateParams::new(names).expect("names");
    put_pair(folder, &params.self_signed(&key).expect("signed").pem(), &key);
}

fn put_pair(folder: &Path, certificate: &str, key: &KeyPair) {
    std::fs::write(folder.join("privkey.pem"), key.serialize_pem()).expect("written");
    std::fs::write(folder.join("fullchain.pem"), certificate).expect("written");
}

/// Flags that name those files.
fn files_in(folder: &Path) -> [String; 2] {
    [("certificate", "fullchain.pem"), ("key", "privkey.pem")]
        .map(|(option, file)| format!("--tls-{option}={}", folder.join(file).display()))
}

/// Waits until those who trust this certificate alone are served; gives their connection.
async fn wait_for_certificate(house: &House, certificate: &Path) -> TlsStream<TcpStream> {
    let limit = Instant::now() + PATIENCE;
    loop {
        let stream = TcpStream::connect(house.https()).await.expect("a listening port");
        match try_secure(stream, certificate).await {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < limit, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_replaced_is_shown_at_sighup_and_connections_go_on() {
    let files = tempfile::tempdir().expect("a folder");
    let certificate = files.path().join("fullchain.pem");
    let flags = files_in(files.path());
    put_certificate(files.path());
    let house = House::new(&flags.each_ref().map(String::as_str)).await;
    let mut first = wait_for_certificate(&house, &certificate).await;
    let none = get(house.ports.http, "/ca.crt").await;
    assert_eq!((none.status, none.text().contains("no certificate authority")), (404, true));
    put_certificate(files.path());
    house.hang_up().await;
    let mut second = wait_for_certificate(&house, &certificate).await;
    assert_ne!(shown(&first), shown(&second));
    for stream in [&mut first, &mut second] {
        assert!(ask(stream, "/health").await.contains("healthy"));
    }
    for (host, status) in [("house.example.org", 200), ("other.example.org", 421)] {
        let asked = format!("GET /api/streams HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(exchange(house.ports.http, &asked, PATIENCE).await.status, status, "{host}");
    }
    assert!(!house.folder.path().join("data").exists(), "no key is made that nobody needs");
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_authority_cannot_vouch_for_a_website() {
    let files = tempfile::tempdir().expect("a folder");
    let flags = files_in(files.path());
    let house = House::new(&flags.each_ref().map(String::as_str)).await;
    let stolen = std::fs::read_to_string(house.folder.path().join("data/tls/authority.pem")).expect("a key");
    let key = KeyPair::from_pem(&stolen[stolen.find("-----BEGIN PRIVATE").expect("a key")..]).expect("a key");
    let issuer = Issuer::from_ca_cert_pem(&stolen, key).expect("an authority");
    for (host, is_believed) in [("printer.local", true), ("example.org", false)] {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([host.to_owned()]).expect("a name");
        put_pair(files.path(), &params.signed_by(&key, &issuer).expect("signed").pem(), &key);
        house.hang_up().await;
        let limit = Instant::now() + PATIENCE;
        while get(house.ports.http, "/api/trust").await.json()["certificate"]["names"][0] != host {
            assert!(Instant::now() < limit, "{host}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let answer = house.curl(host, "/health").await;
        assert_eq!(answer.is_ok(), is_believed, "{host}: {answer:?}");
        if let Err(complaint) = answer {
            assert!(complaint.contains("permitted subtree violation"), "{complaint}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_key_can_be_kept_there_is_no_https_and_all_else_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("data"), "a file in the way").expect("written");
    let (_child, ports) = start_tls_program(&folder.path().join("data"), &[]).await;
    assert_eq!(ports.https, None);
    let health = get(ports.http, "/health").await.json();
    assert_eq!((&health["status"], health["tls_port"].is_null()), (&"healthy".into(), true));
    assert_eq!(get(ports.http, "/ca.crt").await.status, 404);
    assert!(get(ports.http, "/api/trust").await.json()["authority"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_outlives_a_restart() {
    let house = House::new(&[]).await;
    let House { folder, mut child, authority, .. } = house;
    child.kill().await.expect("killed");
    let (_child, ports) = start_tls_program(&folder.path().join("data"), &[]).await;
    assert_eq!(get(ports.http, "/ca.crt").await.body, std::fs::read(authority).expect("a certificate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_get_the_certificate_and_the_profile_as_they_want_them() {
    let house = House::new(&[]).await;
    let certificate = get(house.ports.http, "/ca.crt").await;
    assert_eq!(certificate.header("content-type"), Some("application/x-x509-ca-cert"));
    let profile = get(house.ports.http, "/ca.mobileconfig").await;
    assert_eq!(profile.header("content-type"), Some("application/x-apple-aspen-config"));
    let base64: String = certificate.text().lines().filter(|line| !line.starts_with('-')).collect();
    assert!(profile.text().contains(&format!("<data>{base64}</data>")));
    assert_eq!(profile.text(), get(house.ports.http, "/ca.mobileconfig").await.text(), "its ids stay");
    let mut plist = Command::new("python3");
    plist.args([
        "-c",
        "import plistlib,sys; print(plistlib.loads(sys.stdin.buffer.read())['PayloadContent'][0]['PayloadType'])",
    ]);
    plist.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut plist = plist.spawn().expect("python");
    plist.stdin.take().expect("piped").write_all(&profile.body).await.expect("written");
    let kind = plist.wait_with_output().await.expect("python").stdout;
    assert_eq!(String::from_utf8_lossy(&kind).trim(), "com.apple.security.root");
}
