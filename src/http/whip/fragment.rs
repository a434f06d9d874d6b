//! Fragments of descriptions (`application/trickle-ice-sdpfrag`, RFC 8840 9), as clients send them: more candidates, or
//! credentials with which ICE starts anew.

use crate::core::Credentials;

/// Bytes of a fragment: one of a browser has some hundred, with all of its candidates.
pub(in crate::http) const MAX_FRAGMENT: usize = 16 << 10;

/// Candidates of one fragment: a machine has some for each of its interfaces.
const MAX_CANDIDATES: usize = 64;

/// Lengths of a username fragment and of a password (RFC 8839 5.4).
const UFRAG: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;

/// What a fragment says that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Fragment {
    /// Whose candidates these are, if it says so.
    pub(in crate::http) credentials: Option<Credentials>,
    /// How many there are.
    pub(in crate::http) candidates: usize,
}

/// A text is no fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::http) enum InvalidFragment {
    #[error("A fragment is text of lines such as a=candidate:… and m=audio …")]
    NoFragment,
    #[error("A fragment has {MAX_CANDIDATES} candidates at most")]
    TooManyCandidates,
    #[error("a=ice-ufrag and a=ice-pwd go together")]
    HalfCredentials,
    #[error("a=ice-ufrag has 4 to 256 letters, digits, + or /, and a=ice-pwd 22 to 256")]
    BadCredentials,
    #[error("All m-lines share one connection: one a=ice-ufrag, and one a=ice-pwd")]
    SeveralCredentials,
}

impl Fragment {
    /// Reads a fragment.
    pub(in crate::http) fn parse(body: &[u8]) -> Result<Self, InvalidFragment> {
        let text = std::str::from_utf8(body).map_err(|_| InvalidFragment::NoFragment)?;
        // Some clients write an attribute for the end of candidates that is none.
        let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty() && *line != "a=");
        if !lines().all(is_line) {
            return Err(InvalidFragment::NoFragment);
        }
        let candidates = lines().filter(|line| line.starts_with("a=candidate:")).count();
        if candidates > MAX_CANDIDATES {
            return Err(InvalidFragment::TooManyCandidates);
        }
        let ufrag = only(lines().filter_map(|line| line.strip_prefix("a=ice-ufrag:")))?;
        let password = only(lines().filter_map(|line| line.strip_prefix("a=ice-pwd:")))?;
        let credentials = match (ufrag, password) {
            (None, None) => None,
            (Some(ufrag), Some(password)) if is_of_ice(ufrag, &UFRAG) && is_of_ice(password, &PASSWORD) => {
                Some(Credentials { ufrag: ufrag.to_owned(), password: password.to_owned() })
            }
            (Some(_), Some(_)) => return Err(InvalidFragment::BadCredentials),
            _ => return Err(InvalidFragment::HalfCredentials),
        };
        Ok(Self { credentials, candidates })
    }
}

/// `<letter>=<something>` (RFC 8866 5).
fn is_line(line: &str) -> bool {
    matches!(line.as_bytes(), [b'a'..=b'z', b'=', _, ..])
}

/// The one value of a line that is said once, or for each m-line alike.
fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Result<Option<&'a str>, InvalidFragment> {
    let Some(first) = values.next() else { return Ok(None) };
    if values.all(|value| value == first) { Ok(Some(first)) } else { Err(InvalidFragment::SeveralCredentials) }
}

fn is_of_ice(text: &str, length: &std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "0123456789abcdefghijkl";

    fn parse(text: &str) -> Result<Fragment, InvalidFragment> {
        Fragment::parse(text.as_bytes())
    }

    #[test]
    fn a_fragment_of_a_browser_is_read() {
        let text = format!(
            "a=ice-ufrag:EsAw\r\na=ice-pwd:{PASSWORD}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
             a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n"
        );
        let fragment = parse(&text).expect("a fragment");
        assert_eq!(fragment.candidates, 1);
        assert_eq!(fragment.credentials, Some(Credentials { ufrag: "EsAw".into(), password: PASSWORD.into() }));
        assert_eq!(parse("a=end-of-candidates\n"), Ok(Fragment { credentials: None, candidates: 0 }));
        assert_eq!(parse(""), Ok(Fragment { credentials: None, candidates: 0 }));
    }

    #[test]
    fn the_same_credentials_for_each_m_line_are_one_and_others_are_refused() {
        let both = format!("m=audio 9 X 0\na=ice-ufrag:abcd\na=ice-pwd:{PASSWORD}\n");
        assert_eq!(parse(&both.repeat(2)), parse(&both));
        let other = both.replace("abcd", "efgh");
        assert_eq!(parse(&(both + &other)), Err(InvalidFragment::SeveralCredentials));
    }

    #[test]
    fn what_is_no_fragment_says_why() {
        assert_eq!(parse("a=\na=candidate:1\n"), Ok(Fragment { credentials: None, candidates: 1 }));
        for text in ["{}", "candidate:1", "b=", "A=b", "a=x\nhello"] {
            assert_eq!(parse(text), Err(InvalidFragment::NoFragment), "{text}");
        }
        assert_eq!(Fragment::parse(&[b'a', b'=', 0xff]), Err(InvalidFragment::NoFragment));
        assert_eq!(parse("a=ice-ufrag:abcd\n"), Err(InvalidFragment::HalfCredentials));
        for (ufrag, password) in [("abc", PASSWORD), ("abcd", "short"), ("ab d", PASSWORD), ("äbcd", PASSWORD)] {
            let text = format!("a=ice-ufrag:{ufrag}\na=ice-pwd:{password}\n");
            assert_eq!(parse(&text), Err(InvalidFragment::BadCredentials), "{text}");
        }
        assert_eq!(parse(&"a=candidate:1\n".repeat(65)), Err(InvalidFragment::TooManyCandidates));
    }
}
