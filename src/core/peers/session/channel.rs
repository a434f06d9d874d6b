//! The session's data channel: opened by the remote under a name that we know, written to by us.

use std::time::Instant;

use str0m::channel::{ChannelId, Reliability};
use str0m::config::DtlsCert;
use str0m::{Event, Rtc, RtcConfig, RtcError};

use super::{Session, SessionOutput};
use crate::core::error::FILES_CHANNEL;

/// Bytes that may wait in a session for the remote to acknowledge them: protocol.md promises it.
const MAX_BUFFERED: usize = 256 << 10;

/// Once no more than this waits, there is room for a chunk, and time to read the next one.
const LOW: usize = 128 << 10;

/// The longest message that we take: a list of a thousand files.
const LONGEST_MESSAGE: u32 = 32 << 10;

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

/// The one channel that counts: the first of our name.
#[derive(Debug, Default)]
pub(super) struct DataChannel {
    id: Option<ChannelId>,
}

impl DataChannel {
    /// Takes note of an event; gives what it means for whoever uses the channel.
    pub(super) fn note(&mut self, rtc: &mut Rtc, event: Event) -> Option<ChannelEvent> {
        match event {
            Event::ChannelOpen(id, label) => self.open(rtc, id, &label),
            Event::ChannelData(data) if self.id == Some(data.id) && !data.binary => {
                Some(ChannelEvent::Text(String::from_utf8_lossy(&data.data).into_owned()))
            }
            Event::ChannelBufferedAmountLow(id) if self.id == Some(id) => Some(ChannelEvent::Writable),
            Event::ChannelClose(id) if self.id == Some(id) => Some(ChannelEvent::Closed),
            _ => None,
        }
    }

    fn open(&mut self, rtc: &mut Rtc, id: ChannelId, label: &str) -> Option<ChannelEvent> {
        if self.id.is_some() || label != FILES_CHANNEL {
            rtc.direct_api().close_data_channel(id);
            return None;
        }
        self.id = Some(id);
        let fit = rtc.channel(id).is_some_and(|mut channel| {
            channel.set_buffered_amount_low_threshold(LOW);
            channel.config().is_some_and(|config| config.ordered && config.reliability == Reliability::Reliable)
        });
        Some(if fit { ChannelEvent::Opened } else { ChannelEvent::Unfit })
    }
}

/// A session's configuration for nothing but a data channel.
pub(super) fn config(certificate: &DtlsCert) -> RtcConfig {
    Rtc::builder()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_dtls_cert(certificate.clone())
        .clear_codecs()
        .set_sctp_max_buffered_amount(MAX_BUFFERED)
        .set_sctp_max_message_size(LONGEST_MESSAGE)
}

impl Session {
    /// Writes a message to the channel, whole or not at all. False: there is no room for it now, or no channel.
    pub(in crate::core::peers) fn write(
        &mut self,
        binary: bool,
        message: &[u8],
        now: Instant,
        out: &mut SessionOutput,
    ) -> bool {
        let Some(id) = self.channel.id else { return false };
        let mut written = false;
        self.drive(out, |rtc| {
            let result = rtc.channel(id).map_or(Ok(false), |mut channel| channel.write(binary, message));
            written = result?;
            Ok::<_, RtcError>(())
        });
        self.advance(now, out);
        written
    }
}
