//! Offers that are kept, so that a fragment alone can renew the paths of their connections (ICE restart, RFC 9725 4.3):
//! the session takes whole descriptions only.

use serde::{Deserialize, Serialize};

use super::sdp::{attribute, is_refused};

/// What one side of ICE is called by, and what proves it (RFC 8839 5.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The username fragment.
    pub ufrag: String,
    /// The password.
    pub password: String,
}

/// A client's offer, as far as it still means something once it was answered: without candidates, which the client's
/// checks make known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer(Box<str>);

impl Offer {
    /// An offer to send. What it would hear, too, is not to be had on that connection.
    pub fn to_send(description: &str) -> Self {
        Self::of(description, "a=sendonly")
    }

    /// An offer to hear. What it would say, too, nobody hears.
    pub fn to_hear(description: &str) -> Self {
        Self::of(description, "a=recvonly")
    }

    /// The username fragment that the client goes by.
    pub fn ufrag(&self) -> Option<&str> {
        attribute(&self.0, "ice-ufrag")
    }

    /// The same offer of a client that starts ICE anew with these credentials.
    pub fn renewed(&self, credentials: &Credentials) -> Self {
        let renew = |line: &str| match line {
            _ if line.starts_with("a=ice-ufrag:") => format!("a=ice-ufrag:{}\r\n", credentials.ufrag),
            _ if line.starts_with("a=ice-pwd:") => format!("a=ice-pwd:{}\r\n", credentials.password),
            _ => format!("{line}\r\n"),
        };
        Self(self.0.lines().map(renew).collect::<String>().into())
    }

    fn of(description: &str, instead_of_both: &'static str) -> Self {
        let lines = description.lines().map(str::trim_end);
        let kept = lines.filter(|line| !line.starts_with("a=candidate:") && *line != "a=end-of-candidates");
        let directed = kept.map(|line| if line == "a=sendrecv" { instead_of_both } else { line });
        Self(directed.flat_map(|line| [line, "\r\n"]).collect::<String>().into())
    }
}

impl AsRef<str> for Offer {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The username fragment that an answer of ours goes by: another one for each start of ICE.
pub fn ufrag_of(answer: &str) -> Option<&str> {
    attribute(answer, "ice-ufrag")
}

/// What an answer of ours says of ICE, as a fragment (RFC 8840 9): all that a client needs that has the rest already.
pub fn fragment_of(answer: &str) -> String {
    let mut sections = answer.split("\nm=");
    let session = sections.next().unwrap_or_default();
    let whole = |line: &&str| matches!(*line, "a=ice-lite") || line.starts_with("a=group:BUNDLE");
    let session = session.lines().map(str::trim_end).filter(whole);
    let media = sections.find(|section| !is_refused(section)).unwrap_or_default();
    let mut lines = media.lines().map(str::trim_end);
    let head = lines.next().unwrap_or_default();
    let of_ice = |line: &&str| {
        ["a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"].iter().any(|name| line.starts_with(name))
            || *line == "a=end-of-candidates"
    };
    let lines = session.map(str::to_owned).chain([format!("m={head}")]).chain(lines.filter(of_ice).map(str::to_owned));
    lines.map(|line| line + "\r\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 X 111\r\na=mid:0\r\na=ice-ufrag:old1\r\na=ice-pwd:secret\r\n\
        a=sendrecv\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=end-of-candidates\r\n\
        m=audio 9 X 111\r\na=mid:1\r\na=ice-ufrag:old1\r\na=ice-pwd:secret\r\na=recvonly\r\n";

    #[test]
    fn an_offer_is_kept_without_candidates_and_with_one_direction() {
        let sends = Offer::to_send(OFFER);
        assert!(!sends.as_ref().contains("candidate") && !sends.as_ref().contains("sendrecv"));
        assert!(sends.as_ref().contains("a=sendonly\r\nm=audio"));
        assert_eq!(Offer::to_hear(OFFER).as_ref().matches("a=recvonly\r\n").count(), 2);
        assert_eq!(sends.ufrag(), Some("old1"));
    }

    #[test]
    fn a_renewed_offer_differs_in_its_credentials_alone() {
        let credentials = Credentials { ufrag: "new2".into(), password: "other".into() };
        let offer = Offer::to_hear(OFFER);
        let renewed = offer.renewed(&credentials);
        assert_eq!(renewed.ufrag(), Some("new2"));
        assert_eq!(renewed.as_ref().replace("new2", "old1").replace(":other", ":secret"), offer.as_ref());
    }

    #[test]
    fn a_fragment_says_of_an_answer_what_ice_needs_and_nothing_else() {
        let answer =
            format!("v=0\r\ns=-\r\na=ice-lite\r\na=group:BUNDLE 1\r\nm=video 0 X 96\r\na=ice-ufrag:ours\r\n{}", {
                "m=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=mid:1\r\na=ice-ufrag:ours\r\na=ice-pwd:pw\r\n\
             a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=end-of-candidates\r\n"
            });
        let expected = "a=ice-lite\r\na=group:BUNDLE 1\r\nm=audio 9 X 111\r\na=mid:1\r\na=ice-ufrag:ours\r\n\
             a=ice-pwd:pw\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=end-of-candidates\r\n";
        assert_eq!(fragment_of(&answer), expected);
        assert_eq!(ufrag_of(&answer), Some("ours"));
    }
}
