//! What the relay reads and writes in session descriptions by itself; the rest is str0m's.

mod dialect;

use std::borrow::Cow;

use crate::core::packet::{MAX_SLOTS, Mid};

pub(super) use dialect::{Dialect, normalised};

/// As many m-lines as a participant of a room has a use for: voice, music, slots, and a data channel. A bound on what
/// one description can cost.
const MAX_MEDIA_LINES: usize = 3 + MAX_SLOTS;

/// Why a description is not even handed to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unacceptable {
    #[error("it has more than {MAX_MEDIA_LINES} m-lines")]
    TooManyMediaLines,
    #[error("it lacks a=ice-ufrag or a=ice-pwd")]
    NoIceCredentials,
    #[error("it lacks a=fingerprint")]
    NoFingerprint,
    #[error("a=fingerprint is of another kind than sha-256, which is the one that can be checked here")]
    OtherFingerprint,
}

/// Checks what str0m would only stumble over later, or at a price.
pub(super) fn check(description: &str) -> Result<(), Unacceptable> {
    if description.lines().filter(|line| line.starts_with("m=")).count() > MAX_MEDIA_LINES {
        return Err(Unacceptable::TooManyMediaLines);
    }
    if attribute(description, "ice-ufrag").is_none() || attribute(description, "ice-pwd").is_none() {
        return Err(Unacceptable::NoIceCredentials);
    }
    match (fingerprint(description), attribute(description, "fingerprint")) {
        (Some(_), _) => Ok(()),
        (None, Some(_)) => Err(Unacceptable::OtherFingerprint),
        (None, None) => Err(Unacceptable::NoFingerprint),
    }
}

/// The certificate that the description speaks for: the same one means the same connection, renewed.
pub(super) fn fingerprint(description: &str) -> Option<&str> {
    let mut values = description.lines().filter_map(|line| line.strip_prefix("a=fingerprint:")).map(str::trim);
    values.rfind(|value| is_sha256(value))
}

/// Whether a fingerprint is by the hash that the session compares with (RFC 8122 5).
fn is_sha256(fingerprint: &str) -> bool {
    fingerprint.split(' ').next().is_some_and(|hash| hash.eq_ignore_ascii_case("sha-256"))
}

/// Whether an answer of ours takes a data channel.
pub(super) fn takes_channel(answer: &str) -> bool {
    answer.lines().any(|line| line.starts_with("m=application ") && !line.starts_with("m=application 0 "))
}

/// What an answer of ours takes and gives: the m-lines on which it receives, and those on which it sends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MediaLines {
    pub(super) receiving: Vec<Mid>,
    pub(super) sending: Vec<Mid>,
}

/// Reads those of one kind, `audio` or `video`, from an answer of ours.
pub(super) fn media_lines(answer: &str, kind: &str) -> MediaLines {
    let mut lines = MediaLines::default();
    for section in answer.split("\nm=").skip(1).filter(|section| section.split(' ').next() == Some(kind)) {
        let Some(mid) = attribute(section, "mid").filter(|_| !is_refused(section)) else { continue };
        match section
            .lines()
            .map(str::trim_end)
            .find(|line| matches!(*line, "a=recvonly" | "a=sendonly" | "a=sendrecv"))
        {
            Some("a=sendonly") => lines.sending.push(mid.into()),
            Some(_) => lines.receiving.push(mid.into()),
            None => {}
        }
    }
    lines
}

/// A description as it goes out: it says that no further candidates will come (RFC 8840), so that the remote need not
/// wait for any; and that whoever only listens may measure how far we are (RFC 3611 4.4), which str0m answers without
/// saying so: a browser that does not know asks for a lost packet once only.
///
/// Candidates are said in the first m-line that is not refused: str0m says them in the first of all, and in a refused
/// one nobody reads them.
pub(super) fn finished(description: &str) -> String {
    let is_candidate = |line: &&str| line.starts_with("a=candidate:");
    let (candidates, others): (Vec<&str>, Vec<&str>) = description.lines().partition(is_candidate);
    let mut lines: Vec<Cow<'_, str>> = Vec::new();
    for line in others {
        lines.push(line.into());
        if line.starts_with("a=rtcp-fb:") && line.ends_with(" nack") {
            lines.push(line.replace(" nack", " rrtr").into());
        }
    }
    let taken = lines.iter().position(|line| line.strip_prefix("m=").is_some_and(|media| !is_refused(media)));
    if let Some(media) = taken.filter(|_| !candidates.is_empty()) {
        let connection = lines.get(media + 1).is_some_and(|line| line.starts_with("c="));
        let at = media + 1 + usize::from(connection);
        lines.splice(at..at, candidates.into_iter().chain(["a=end-of-candidates"]).map(Cow::from));
    }
    lines.join("\r\n") + "\r\n"
}

/// Whether what follows `m=` is of an m-line that is refused: its port is 0 (RFC 3264 6).
pub(super) fn is_refused(media: &str) -> bool {
    media.split(' ').nth(1) == Some("0")
}

pub(super) fn attribute<'a>(description: &'a str, name: &str) -> Option<&'a str> {
    description
        .lines()
        .filter_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
        .find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:secret\r\n";

    #[test]
    fn a_description_without_credentials_or_fingerprint_is_refused() {
        assert_eq!(check("v=0\r\n"), Err(Unacceptable::NoIceCredentials));
        assert_eq!(check(CREDENTIALS), Err(Unacceptable::NoFingerprint));
        assert_eq!(check(&format!("{CREDENTIALS}a=fingerprint:sha-256 00\r\n")), Ok(()));
        assert_eq!(check(&format!("{CREDENTIALS}a=fingerprint:sha-384 00\r\n")), Err(Unacceptable::OtherFingerprint));
    }

    #[test]
    fn a_description_with_hundreds_of_media_lines_is_refused() {
        assert_eq!(check(&"m=audio 9 X 0\r\n".repeat(500)), Err(Unacceptable::TooManyMediaLines));
    }

    #[test]
    fn end_of_candidates_follows_the_last_candidate() {
        let with = finished("m=audio\r\na=candidate:1\r\na=candidate:2\r\na=mid:0\r\n");
        assert_eq!(with, "m=audio\r\na=candidate:1\r\na=candidate:2\r\na=end-of-candidates\r\na=mid:0\r\n");
        assert_eq!(finished("v=0\r\n"), "v=0\r\n");
    }

    #[test]
    fn candidates_are_said_where_they_are_read() {
        let with = finished("m=video 0 X 0\r\na=candidate:1\r\nm=audio 9 X 1\r\nc=IN\r\na=mid:1\r\n");
        let expected = "m=video 0 X 0\r\nm=audio 9 X 1\r\nc=IN\r\na=candidate:1\r\na=end-of-candidates\r\na=mid:1\r\n";
        assert_eq!(with, expected);
    }

    #[test]
    fn lines_of_audio_are_told_apart_by_their_direction() {
        let answer = "v=0\r\nm=audio 9 X 111\r\na=recvonly\r\na=mid:0\r\nm=audio 9 X 111\r\na=mid:1\r\na=inactive\r\n\
            m=audio 9 X 111\r\na=mid:2\r\na=sendonly\r\nm=audio 0 X 111\r\na=mid:3\r\na=sendonly\r\n\
            m=application 9 X\r\na=mid:4\r\n";
        let lines = media_lines(answer, "audio");
        assert_eq!((lines.receiving, lines.sending), (vec![Mid::from("0")], vec![Mid::from("2")]));
    }

    #[test]
    fn a_refused_or_inactive_audio_line_receives_nothing() {
        let receives =
            |answer: &str| !media_lines(&format!("v=0\r\n{answer}a=mid:0\r\n"), "audio").receiving.is_empty();
        assert!(receives("m=audio 9 X 111\r\na=recvonly\r\n"));
        assert!(!receives("m=audio 0 X 111\r\na=recvonly\r\n"));
        assert!(!receives("m=audio 9 X 111\r\na=inactive\r\nm=video 9 X 96\r\na=recvonly\r\n"));
    }
}
