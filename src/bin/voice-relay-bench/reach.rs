//! Whom a load may be put upon: this machine and private networks, where whoever runs it can be asked.

use std::net::{IpAddr, SocketAddr};

/// That address is none to put a load upon.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReachError {
    #[error("{0} is no address of a server, such as http://127.0.0.1:8080")]
    NotAnAddress(String),
    #[error("{0} is neither of this machine nor of a private network: no load is put upon it")]
    Public(IpAddr),
}

/// The address in `http://<address>:<port>`, or without the scheme. Names are not looked up: they could lead anywhere.
pub(crate) fn server(text: &str) -> Result<SocketAddr, ReachError> {
    let address = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let address: SocketAddr = address.parse().map_err(|_| ReachError::NotAnAddress(text.into()))?;
    if is_near(address.ip()) { Ok(address) } else { Err(ReachError::Public(address.ip())) }
}

fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_stays_at_home() {
        for near in ["http://127.0.0.1:8080", "127.0.0.1:80/", "10.1.2.3:80", "192.168.0.9:1", "http://[fd00::1]:80"] {
            assert!(server(near).is_ok(), "{near}");
        }
        for far in ["http://8.8.8.8:80", "172.32.0.1:80", "[2001:db8::1]:80"] {
            assert!(matches!(server(far), Err(ReachError::Public(_))), "{far}");
        }
        for unclear in ["localhost:80", "https://127.0.0.1:80", "127.0.0.1", ""] {
            assert!(matches!(server(unclear), Err(ReachError::NotAnAddress(_))), "{unclear}");
        }
    }
}
