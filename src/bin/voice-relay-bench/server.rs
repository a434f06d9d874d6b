//! The server that is measured: one that runs already, or one of our own, killed at the end.

use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// A server says by then where it listens.
const START: Duration = Duration::from_secs(20);

/// There is no server to measure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    #[error("the command of the server is empty")]
    NoCommand,
    #[error("{command} cannot be started: {source}")]
    NoStart { command: String, source: io::Error },
    #[error("{0} did not say http=<port> on its standard output within {seconds} s", seconds = START.as_secs())]
    Silent(String),
    #[error("{0} ended before it said http=<port> on its standard output")]
    Ended(String),
}

/// Where it listens, and which process it is, where that is known.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) pid: Option<u32>,
    child: Option<Child>,
}

impl Server {
    /// One that runs already.
    pub(crate) fn running(address: SocketAddr, pid: Option<u32>) -> Self {
        Self { address, pid, child: None }
    }

    /// Starts one on this machine. The command is words with blanks between them: no shell reads it.
    pub(crate) fn spawn(command: &str) -> Result<Self, ServerError> {
        let mut words = command.split_ascii_whitespace();
        let program = words.next().ok_or(ServerError::NoCommand)?;
        let child = Command::new(program).args(words).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|source| ServerError::NoStart { command: command.into(), source })?;
        let (tell, told) = channel();
        let output = child.stdout.take().map(BufReader::new);
        thread::spawn(move || output.into_iter().for_each(|output| listen(output, &tell)));
        // Killed when it is dropped, also by the way out.
        let mut server = Self { address: (Ipv4Addr::LOCALHOST, 0).into(), pid: Some(child.id()), child: Some(child) };
        let port = told.recv_timeout(START).map_err(|error| match error {
            RecvTimeoutError::Timeout => ServerError::Silent(command.into()),
            RecvTimeoutError::Disconnected => ServerError::Ended(command.into()),
        })?;
        server.address.set_port(port);
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // One that has ended by itself cannot be killed.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads to the end, since a server whose output nobody reads stands still.
fn listen(output: impl BufRead, tell: &Sender<u16>) {
    for line in output.lines().map_while(Result::ok) {
        if let Some(port) = port_in(&line) {
            // Told once; what comes later nobody waits for.
            let _ = tell.send(port);
        }
    }
}

fn port_in(line: &str) -> Option<u16> {
    line.split_ascii_whitespace().find_map(|word| word.strip_prefix("http=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_where_it_listens() {
        assert_eq!(port_in("voice-relay 0.1.0 listens: http=4711 mp3=4712 media=4713/udp"), Some(4_711));
        assert_eq!(port_in("https=1 http=x"), None);
    }

    #[test]
    fn a_command_that_is_no_server_is_told_apart() {
        assert!(matches!(Server::spawn(" "), Err(ServerError::NoCommand)));
        assert!(matches!(Server::spawn("/no/such/program"), Err(ServerError::NoStart { .. })));
        assert!(matches!(Server::spawn("true"), Err(ServerError::Ended(_))));
    }
}
