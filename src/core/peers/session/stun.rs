//! ICE checks that lack what every check must have (RFC 8445 7.1.1): FFmpeg 8 sends them without PRIORITY, and the library
//! reads none of those. What lacks is put in, and signed anew; a check that was not signed right before is not.

use str0m::crypto::Sha1HmacProvider;
use str0m::ice::StunMessage;

/// Bytes of a header (RFC 8489 5).
const HEADER: usize = 20;

/// A request of the method Binding.
const BINDING_REQUEST: [u8; 2] = [0, 1];

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const PRIORITY: u16 = 0x0024;

/// Bytes of the signature.
const INTEGRITY: usize = 20;

/// What a peer-reflexive candidate has (RFC 8445 5.1.2.1), of which nothing else is known.
const LOWEST: [u8; 4] = (110_u32 << 24 | 0xff).to_be_bytes();

/// Whether a datagram is STUN, by its first byte (RFC 7983).
pub(in crate::core::peers) fn is_stun(payload: &[u8]) -> bool {
    payload.first().is_some_and(|byte| *byte < 4)
}

/// Finds whom a STUN message claims to be for; it is still to be authenticated. A check (RFC 8445 7.2.2) is for whoever has
/// this username fragment, all else for whoever has its source's address. `None` when it cannot be read.
pub(in crate::core::peers) fn find_claimed<T>(
    payload: &[u8],
    by_ufrag: impl FnOnce(&str) -> Option<T>,
    by_address: impl FnOnce() -> Option<T>,
) -> Option<T> {
    let message = StunMessage::parse(payload).ok()?;
    if message.is_binding_request() { by_ufrag(message.split_username()?.0) } else { by_address() }
}

/// A check without PRIORITY.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::core::peers) struct Incomplete<'a> {
    /// All but the signature and what follows it.
    signed: &'a [u8],
    integrity: &'a [u8],
    /// The username fragment of ours that it is for.
    pub(in crate::core::peers) ufrag: &'a str,
}

impl<'a> Incomplete<'a> {
    /// Reads one; anything else is none.
    pub(in crate::core::peers) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let header = datagram.get(..HEADER)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[..2] != BINDING_REQUEST || header[4..8] != COOKIE || datagram.len() != HEADER + length {
            return None;
        }
        let (mut at, mut ufrag) = (HEADER, None);
        loop {
            let kind = u16::from_be_bytes(datagram.get(at..at + 2)?.try_into().ok()?);
            let size = usize::from(u16::from_be_bytes(datagram.get(at + 2..at + 4)?.try_into().ok()?));
            let value = datagram.get(at + 4..at + 4 + size)?;
            match kind {
                PRIORITY => return None,
                USERNAME => ufrag = std::str::from_utf8(value).ok()?.split(':').next(),
                MESSAGE_INTEGRITY if size == INTEGRITY => {
                    return Some(Self { signed: &datagram[..at], integrity: value, ufrag: ufrag? });
                }
                _ => {}
            }
            // Each begins at a multiple of four.
            at += 4 + size.next_multiple_of(4);
        }
    }

    /// The check as it should have been, if it was signed with this password.
    pub(super) fn completed(&self, password: &str, hmac: &dyn Sha1HmacProvider) -> Option<Vec<u8>> {
        let is_signed = sign(self.signed.to_vec(), password, hmac).ends_with(self.integrity);
        is_signed.then(|| {
            let mut message = self.signed.to_vec();
            message.extend(PRIORITY.to_be_bytes());
            message.extend((LOWEST.len() as u16).to_be_bytes());
            message.extend(LOWEST);
            sign(message, password, hmac)
        })
    }
}

/// The message with its length and its signature (RFC 8489 14.5).
fn sign(mut message: Vec<u8>, password: &str, hmac: &dyn Sha1HmacProvider) -> Vec<u8> {
    let length = message.len() - HEADER + 4 + INTEGRITY;
    message[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    let integrity = hmac.sha1_hmac(password.as_bytes(), &[&message]);
    message.extend(MESSAGE_INTEGRITY.to_be_bytes());
    message.extend((INTEGRITY as u16).to_be_bytes());
    message.extend(integrity);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::crypto::from_feature_flags;

    fn check(attributes: &[(u16, &[u8])], password: &str) -> Vec<u8> {
        let mut message = [&BINDING_REQUEST[..], &[0, 0], &COOKIE, &[7; 12]].concat();
        for (kind, value) in attributes {
            message.extend(kind.to_be_bytes());
            message.extend((value.len() as u16).to_be_bytes());
            message.extend_from_slice(value);
            message.resize(message.len().next_multiple_of(4), 0);
        }
        sign(message, password, from_feature_flags().sha1_hmac_provider)
    }

    #[test]
    fn a_check_without_priority_is_completed_and_read() {
        let bare = check(&[(USERNAME, b"ours:theirs")], "secret");
        assert!(StunMessage::parse(&bare).is_err(), "the library reads none without");
        let incomplete = Incomplete::parse(&bare).expect("a check");
        assert_eq!(incomplete.ufrag, "ours");
        let hmac = from_feature_flags().sha1_hmac_provider;
        let completed = incomplete.completed("secret", hmac).expect("signed right");
        let read = StunMessage::parse(&completed).expect("whole");
        assert_eq!(read.split_username(), Some(("ours", "theirs")));
        assert!(read.verify(b"secret", |key, parts| hmac.sha1_hmac(key, parts)));
        assert_eq!(incomplete.completed("another", hmac), None, "nobody is helped who does not know the password");
    }

    #[test]
    fn what_is_whole_or_no_check_is_left_alone() {
        let whole = check(&[(USERNAME, b"ours:theirs"), (PRIORITY, &LOWEST)], "secret");
        let nameless = check(&[(0x8022, b"software")], "secret");
        for other in [&whole[..], &nameless, b"", &[0; 20], &whole[..40], &[0x80; 60]] {
            assert_eq!(Incomplete::parse(other), None);
        }
        for cut in 0..whole.len() {
            let _ = Incomplete::parse(&whole[..cut]);
        }
    }
}
