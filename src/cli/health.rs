//! `voice-relay health`: asks the daemon on this machine how it is.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

/// A daemon that has not answered by then is not well.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Prints its answer; an error when it is not healthy, or not there.
pub(crate) fn ask(bind: IpAddr, port: u16) -> anyhow::Result<()> {
    let address = address(bind, port)?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)
        .with_context(|| format!("no voice-relay listens at {address}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("the daemon does not answer")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("this is no answer of a voice-relay")?;
    println!("{body}");
    if head.split(' ').nth(1) == Some("200") { Ok(()) } else { bail!("the daemon is not healthy") }
}

/// Where the daemon on this machine listens.
pub(crate) fn address(bind: IpAddr, port: u16) -> anyhow::Result<SocketAddr> {
    ensure!(port != 0, "http.port is 0: say which port the daemon listens on, with --http-port");
    let ip = if bind.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { bind };
    Ok(SocketAddr::new(ip, port))
}
