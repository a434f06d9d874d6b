//! Peers that are sent files: a connection with one data channel. What is written there is others' business.

use std::time::{Duration, Instant};

use str0m::channel::ChannelId;

use crate::domain::PeerId;
use crate::limits::Full;

use super::peer::{Peer, Role};
use super::session::{ChannelSaid, Session};
use super::{Event, Output, Relay, sdp};

/// What the channel is called.
const LABEL: &str = "audioStream";

/// A peer that has not completed ICE and DTLS by then is given up.
pub const FILES_CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest message that a remote takes which does not say (RFC 8841 6.1).
const USUAL_MESSAGE: usize = 64 << 10;

/// A remote that takes no longer messages than this one is none that we know.
const SHORTEST_MESSAGE: usize = 4 << 10;

/// An offer was taken.
#[derive(Debug)]
pub struct Channelled {
    /// The new connection.
    pub peer: PeerId,
    /// SDP for the client.
    pub answer: String,
    /// Bytes of the longest message that it takes.
    pub longest: usize,
}

/// What happens on a peer's channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelEvent {
    /// It can be written to.
    Opened,
    /// It is open, but may lose what is written to it, or change the order: of no use for files.
    Unfit,
    /// The client says something.
    Text(String),
    /// There is room again.
    Writable,
    /// It is closed; the connection may be there still.
    Closed,
}

/// An offer was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The description is not one that we can answer.
    #[error("The offer cannot be used: {0}")]
    InvalidOffer(String),
    /// It offers no data channel.
    #[error("The offer has no data channel; open one, named {LABEL}, before you make it")]
    NoChannel,
    /// Messages that the client takes are too short.
    #[error("The offer allows messages of {0} bytes only; {SHORTEST_MESSAGE} are needed")]
    ShortMessages(usize),
    /// As many are connected as may be.
    #[error("The relay is full: {0} connections at once")]
    TooManyPeers(usize),
    /// Whoever answers for it has what one may have.
    #[error("The relay takes no more: {0}")]
    Full(#[from] Full),
    /// What permitted it has ended.
    #[error("This is not permitted any more")]
    NotPermitted,
}

impl Relay {
    /// Answers the offer of a client that wants files. `local`: it is on this machine, so that the loopback address is
    /// of use to it.
    ///
    /// # Errors
    /// See [`ChannelError`]; nothing has changed then.
    pub fn open_channel(&mut self, now: Instant, offer: &str, local: bool) -> Result<Channelled, ChannelError> {
        self.now = now;
        sdp::check(offer).map_err(|error| ChannelError::InvalidOffer(error.to_string()))?;
        let longest = longest_message(offer);
        if longest < SHORTEST_MESSAGE {
            return Err(ChannelError::ShortMessages(longest));
        }
        if self.peers.len() >= self.config.max_peers {
            return Err(ChannelError::TooManyPeers(self.config.max_peers));
        }
        let mut session = Session::for_channel(&self.certificate, &self.addresses_for(local), now);
        let answer = session.accept_offer(offer).map_err(|refused| ChannelError::InvalidOffer(refused.to_string()))?;
        if !sdp::takes_channel(&answer) {
            return Err(ChannelError::NoChannel);
        }
        let answer = session.written(&answer);
        let peer = self.admit(session, Role::Files { channel: None });
        Ok(Channelled { peer, answer, longest })
    }

    /// Writes a message to a peer's channel, whole or not at all. False: there is no room now (then
    /// [`ChannelEvent::Writable`] will follow), or the channel is gone.
    pub fn write(&mut self, now: Instant, peer: PeerId, binary: bool, message: &[u8]) -> bool {
        self.now = now;
        let Some(Peer { role: Role::Files { channel: Some(channel) }, .. }) = self.peers.get(&peer) else {
            return false;
        };
        let (channel, mut written) = (*channel, false);
        self.drive(peer, |session, now, out| written = session.write(channel, binary, message, now, out));
        written
    }

    /// Deals with what a session said of its channels. Only peers that want files have one that counts.
    pub(super) fn note_channel(&mut self, id: PeerId, said: ChannelSaid) {
        let Some(Peer { role: Role::Files { channel }, .. }) = self.peers.get(&id) else { return };
        let own = *channel;
        let event = match said {
            ChannelSaid::Open(opened, label) => return self.take_channel(id, own, opened, &label),
            ChannelSaid::Data(data) if Some(data.id) == own && !data.binary => {
                ChannelEvent::Text(String::from_utf8_lossy(&data.data).into_owned())
            }
            ChannelSaid::Low(low) if Some(low) == own => ChannelEvent::Writable,
            ChannelSaid::Close(closed) if Some(closed) == own => ChannelEvent::Closed,
            _ => return,
        };
        self.tell_channel(id, event);
    }

    /// The first channel of the right name is the one; others are closed.
    fn take_channel(&mut self, id: PeerId, own: Option<ChannelId>, opened: ChannelId, label: &str) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if own.is_some() || label != LABEL {
            return self.drive(id, |session, now, out| session.close_channel(opened, now, out));
        }
        let fit = peer.session.take_channel(opened);
        peer.role = Role::Files { channel: Some(opened) };
        self.tell_channel(id, if fit { ChannelEvent::Opened } else { ChannelEvent::Unfit });
    }

    fn tell_channel(&mut self, id: PeerId, event: ChannelEvent) {
        self.outbox.push_back(Output::Event(Event::Channel(id, event)));
    }
}

/// What the description says of the longest message that its author takes.
fn longest_message(description: &str) -> usize {
    match sdp::attribute(description, "max-message-size").and_then(|size| size.parse().ok()) {
        // As long as one likes (RFC 8841 6.1).
        Some(0) => usize::MAX,
        Some(size) => size,
        None => USUAL_MESSAGE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_message_is_what_the_offer_says() {
        assert_eq!(longest_message("m=application\r\na=max-message-size:262144\r\n"), 262_144);
        assert_eq!(longest_message("m=application\r\na=max-message-size:0\r\n"), usize::MAX);
        assert_eq!(longest_message("m=application\r\n"), USUAL_MESSAGE);
    }
}
