//! Offers in other words than str0m reads, though the standards allow them: put into its words, and the answer back into
//! those of whoever made the offer.

use std::fmt::Write as _;

use super::attribute;
use crate::core::packet::Mid;

/// What str0m reads of all the profiles of RTP that one has to take (RFC 8829 5.1.2).
const PROFILE: &str = "UDP/TLS/RTP/SAVPF";

/// Of Mid: what is longer, or has other characters, is not carried as it is.
const MID_BYTES: usize = 16;

/// How whoever made an offer writes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::core) struct Dialect {
    media: Vec<MediaSection>,
    /// They wrote `a=group:BUNDLE`, which the answer then has as well.
    is_grouped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct MediaSection {
    profile: String,
    /// `None`: they gave it no name.
    mid: Option<String>,
    /// By which name str0m knows it.
    alias: String,
}

/// One m-line and what belongs to it, or what is before the first.
struct Section<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Section<'a> {
    /// Its lines in the order that RFC 8866 5 gives them, without those that nobody needs; attributes stay as they were.
    fn ordered(&self) -> impl Iterator<Item = &'a str> + '_ {
        let rank = |line: &&str| match line.as_bytes().first() {
            Some(b'm') => Some(0),
            Some(b'c') => Some(1),
            Some(b'a') => Some(2),
            _ => None,
        };
        (0..3).flat_map(move |wanted| {
            let is_wanted = move |line: &&&str| rank(line) == Some(wanted) && **line != "a=";
            self.lines.iter().filter(is_wanted).copied()
        })
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.lines.iter().find_map(|line| attribute(line, name))
    }

    fn is_refused(&self) -> bool {
        self.lines.first().is_some_and(|line| super::is_refused(line))
    }
}

/// An offer as str0m reads it, and how to write the answer to it. What makes no sense in any dialect is left to it.
pub(in crate::core) fn normalised(offer: &str) -> (String, Dialect) {
    let mut sections = vec![Section { lines: Vec::new() }];
    for line in offer.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if line.starts_with("m=") {
            sections.push(Section { lines: Vec::new() });
        }
        sections.last_mut().expect("there is one").lines.push(line);
    }
    let session = sections.remove(0);
    let bundled = session.lines.iter().find_map(|line| line.strip_prefix("a=group:BUNDLE"));
    let dialect = Dialect { media: media_of(&sections), is_grouped: bundled.is_some() };
    let only = if bundled.is_some() { None } else { only_one(&sections) };
    let mut text = head(&session, &dialect, only);
    for (number, (section, media)) in sections.iter().zip(&dialect.media).enumerate() {
        let is_left_out = only.is_some_and(|only| only != number);
        write_section(&mut text, section, media, is_left_out);
    }
    (text, dialect)
}

/// Of m-lines that are not bundled each would have a connection of its own; we have one, for the first with audio.
fn only_one(sections: &[Section<'_>]) -> Option<usize> {
    let is_audio = |section: &Section<'_>| section.lines[0].starts_with("m=audio ") && !section.is_refused();
    sections.iter().position(is_audio).or_else(|| sections.iter().position(|section| !section.is_refused()))
}

fn media_of(sections: &[Section<'_>]) -> Vec<MediaSection> {
    let mut media = Vec::<MediaSection>::new();
    for section in sections {
        let mid = section.value("mid").map(str::to_owned);
        // As str0m writes it, which is also how it reads it in the packets, unless two would be the same.
        let own = mid.as_deref().map(|mid| Mid::from(mid).to_string());
        let is_free = |alias: &String| !alias.is_empty() && media.iter().all(|other| other.alias != *alias);
        let numbered = || (0..).map(|number| format!("m{number}")).find(is_free);
        let alias = own.filter(is_free).or_else(numbered).expect("there are more numbers than m-lines");
        debug_assert!(alias.len() <= MID_BYTES);
        let profile = section.lines[0].split(' ').nth(2).unwrap_or_default().to_owned();
        media.push(MediaSection { profile, mid, alias });
    }
    media
}

/// The lines of the session: in their order, with those that must be there.
fn head(session: &Section<'_>, dialect: &Dialect, only: Option<usize>) -> String {
    let find = |letter: &str| session.lines.iter().find(|line| line.starts_with(letter)).copied();
    let origin = find("o=").filter(|line| is_origin(line)).unwrap_or("o=- 1 1 IN IP4 0.0.0.0");
    let mut text = format!("v=0\r\n{origin}\r\ns=-\r\nt=0 0\r\n");
    let members = dialect.media.iter().enumerate();
    let members: Vec<_> = match (session.lines.iter().find_map(|line| line.strip_prefix("a=group:BUNDLE")), only) {
        (Some(group), _) => {
            let is_named = |media: &MediaSection| group.split(' ').any(|mid| media.mid.as_deref() == Some(mid));
            members.filter(|(_, media)| is_named(media)).map(|(_, media)| &*media.alias).collect()
        }
        (None, Some(only)) => members.filter(|(number, _)| *number == only).map(|(_, media)| &*media.alias).collect(),
        (None, None) => Vec::new(),
    };
    if !members.is_empty() {
        let _ = write!(text, "a=group:BUNDLE {}\r\n", members.join(" "));
    }
    let attributes = session.ordered().filter(|line| line.starts_with("a=") && !line.starts_with("a=group:"));
    let attributes = attributes.filter(|line| is_usable_fingerprint(line, session));
    for line in attributes {
        let _ = write!(text, "{line}\r\n");
    }
    text
}

/// `o=<name> <number> <number> …`, with numbers that can be read.
fn is_origin(line: &str) -> bool {
    let mut parts = line["o=".len()..].split(' ');
    let has_name = parts.next().is_some_and(|name| !name.is_empty());
    has_name && parts.next().is_some_and(|number| number.parse::<u64>().is_ok()) && parts.count() == 4
}

fn write_section(text: &mut String, section: &Section<'_>, media: &MediaSection, is_left_out: bool) {
    for line in section.ordered() {
        let _ = match line.split_once('=') {
            Some(("m", value)) => write!(text, "m={}\r\n", media_line(value, is_left_out)),
            _ if line.starts_with("a=mid:") => continue,
            _ if !is_usable_fingerprint(line, section) => continue,
            _ => write!(text, "{line}\r\n"),
        };
    }
    let _ = write!(text, "a=mid:{}\r\n", media.alias);
}

/// `<kind> <port> <profile> <formats>` in str0m's words.
fn media_line(value: &str, is_left_out: bool) -> String {
    let mut parts = value.splitn(4, ' ');
    let mut next = || parts.next().unwrap_or_default();
    let (kind, port, profile, formats) = (next(), next(), next(), next());
    // Of several ports, the first one is meant.
    let port = if is_left_out { "0" } else { port.split('/').next().unwrap_or_default() };
    let profile = if is_rtp(profile) { PROFILE } else { profile };
    format!("{kind} {port} {profile} {formats}")
}

fn is_rtp(profile: &str) -> bool {
    let profile =
        ["UDP/TLS/", "TCP/DTLS/", "TCP/TLS/"].iter().find_map(|way| profile.strip_prefix(way)).unwrap_or(profile);
    ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"].contains(&profile)
}

/// Of several fingerprints those count that we can compare.
fn is_usable_fingerprint(line: &str, section: &Section<'_>) -> bool {
    let Some(value) = line.strip_prefix("a=fingerprint:") else { return true };
    super::is_sha256(value)
        || !section.lines.iter().any(|line| line.strip_prefix("a=fingerprint:").is_some_and(super::is_sha256))
}

impl Dialect {
    /// An answer in the words of the offer.
    pub(in crate::core) fn restored(&self, answer: &str) -> String {
        let (mut text, mut media) = (String::with_capacity(answer.len()), self.media.iter());
        let mut current: Option<&MediaSection> = None;
        for line in answer.lines() {
            let _ = match line {
                _ if line.starts_with("m=") => {
                    current = media.next();
                    let profile = current.map_or(PROFILE, |media| &media.profile);
                    let is_ours = current.is_some_and(|media| is_rtp(&media.profile));
                    let line = if is_ours { line.replacen(PROFILE, profile, 1) } else { line.to_owned() };
                    write!(text, "{line}\r\n")
                }
                _ if line.starts_with("a=mid:") => match current.map(|media| &media.mid) {
                    Some(Some(mid)) => write!(text, "a=mid:{mid}\r\n"),
                    Some(None) => continue,
                    None => write!(text, "{line}\r\n"),
                },
                _ if line.starts_with("a=group:BUNDLE") => match self.is_grouped {
                    true => write!(text, "a=group:BUNDLE{}\r\n", self.group(line)),
                    false => continue,
                },
                line => write!(text, "{line}\r\n"),
            };
        }
        text
    }

    /// The name of whoever made the offer, for one that str0m knows.
    pub(in crate::core) fn original(&self, mid: Mid) -> String {
        let known = self.media.iter().find(|media| media.alias == mid.as_str()).and_then(|media| media.mid.clone());
        known.unwrap_or_else(|| mid.to_string())
    }

    /// All m-lines, as str0m knows them.
    pub(in crate::core) fn mids(&self) -> impl Iterator<Item = Mid> + '_ {
        self.media.iter().map(|media| media.alias.as_str().into())
    }

    fn group(&self, line: &str) -> String {
        let mids = line["a=group:BUNDLE".len()..].split(' ').filter(|mid| !mid.is_empty());
        mids.map(|mid| format!(" {}", self.original(mid.into()))).collect()
    }
}

#[cfg(test)]
mod tests;
