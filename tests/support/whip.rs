//! Clients of WHIP and WHEP: requests, and sessions that were made by them.

use std::net::SocketAddr;

use voice_relay::app::Ports;

use super::client::Voice;
use super::http::{Answer, request};
use super::live::{PATIENCE, Peer, tone};

pub const SDP: &str = "Content-Type: application/sdp";
pub const FRAGMENT: &str = "Content-Type: application/trickle-ice-sdpfrag";

/// A request with these header lines and this body, to the end.
pub async fn send(to: SocketAddr, line: &str, headers: &[&str], body: &str) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    // The body follows the line that is empty, as one more header would.
    let body = format!("\r\n{body}");
    let headers: Vec<_> = headers.iter().copied().chain([&*length, &body]).collect();
    request(to, &format!("{line} HTTP/1.1"), &headers, PATIENCE).await
}

/// A session that was made by one POST.
pub struct Session {
    pub http: SocketAddr,
    pub peer: Peer,
    pub location: String,
    pub tag: String,
    answer: String,
}

impl Session {
    /// Offers to send, and talks.
    pub async fn publish(ports: Ports, path: &str, voice: Option<Voice>) -> Self {
        let peer = Peer::new(0.0).await;
        let offer = peer.with(|client, _| client.offer(false)).await;
        let session = Self::begin(ports.http, path, peer, &offer).await;
        session
            .peer
            .with(move |client, now| {
                client.voice = Some(voice.unwrap_or_else(|| tone(440.0)));
                client.talk(now);
            })
            .await;
        session
    }

    /// Offers to hear on so many m-lines.
    pub async fn hear(ports: Ports, path: &str, lines: usize) -> Self {
        let peer = Peer::new(0.0).await;
        let offer = peer.with(move |client, _| client.offer_to_hear(lines)).await;
        Self::begin(ports.http, path, peer, &offer).await
    }

    async fn begin(http: SocketAddr, path: &str, peer: Peer, offer: &str) -> Self {
        let answer = send(http, &format!("POST {path}"), &[SDP], offer).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/sdp"));
        let sdp = answer.text();
        let accepted = sdp.clone();
        peer.with(move |client, now| client.accept_answer(&accepted, now)).await;
        // The head is in lower case; so is all of an id.
        let location = answer.header("location").expect("an address").to_owned();
        let tag = format!("\"{}\"", line_of(&sdp, "a=ice-ufrag:"));
        assert_eq!(answer.header("etag"), Some(&*tag.to_lowercase()));
        Self { http, peer, location, tag, answer: sdp }
    }

    pub async fn patch(&self, headers: &[&str], fragment: &str) -> Answer {
        let headers: Vec<_> = [FRAGMENT].iter().chain(headers).copied().collect();
        send(self.http, &format!("PATCH {}", self.location), &headers, fragment).await
    }

    /// Starts ICE anew.
    pub async fn restart(&mut self) {
        let offer = self.peer.with(|client, _| client.offer_restart()).await;
        let fragment = format!(
            "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n",
            line_of(&offer, "a=ice-ufrag:"),
            line_of(&offer, "a=ice-pwd:"),
        );
        let answer = self.patch(&["If-Match: *"], &fragment).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/trickle-ice-sdpfrag"));
        let (ufrag, password) =
            (line_of(&answer.text(), "a=ice-ufrag:").to_owned(), line_of(&answer.text(), "a=ice-pwd:").to_owned());
        let renewed = |line: &str| match line {
            _ if line.starts_with("a=ice-ufrag:") => format!("a=ice-ufrag:{ufrag}\r\n"),
            _ if line.starts_with("a=ice-pwd:") => format!("a=ice-pwd:{password}\r\n"),
            _ => format!("{line}\r\n"),
        };
        self.answer = self.answer.lines().map(renewed).collect();
        self.tag = format!("\"{ufrag}\"");
        let accepted = self.answer.clone();
        self.peer.with(move |client, now| client.accept_answer(&accepted, now)).await;
    }

    /// Ends it; gives the status.
    pub async fn end(&self) -> u16 {
        send(self.http, &format!("DELETE {}", self.location), &[], "").await.status
    }
}

/// What follows this in the first line of a text that begins with it.
pub fn line_of<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)).expect("such a line").trim_end()
}
