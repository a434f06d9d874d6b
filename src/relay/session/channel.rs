//! The session's data channels: opened by the remote, written to by us.

use std::time::Instant;

use str0m::channel::{ChannelData, ChannelId, Reliability};
use str0m::config::DtlsCert;
use str0m::{Event, RtcConfig, RtcError};

use super::{Drained, Session};

/// Bytes that may wait in a session for the remote to acknowledge them: protocol.md promises it.
const MAX_BUFFERED: usize = 256 << 10;

/// Once no more than this waits, there is room for a chunk, and time to read the next one.
const LOW: usize = 128 << 10;

/// The longest message that we take: a list of a thousand files.
const LONGEST_MESSAGE: u32 = 32 << 10;

/// What a session says of its channels.
#[derive(Debug)]
pub(in crate::relay) enum ChannelSaid {
    /// The remote has opened it, under this label.
    Open(ChannelId, String),
    /// A message came.
    Data(ChannelData),
    /// There is room again.
    Low(ChannelId),
    /// It is closed.
    Close(ChannelId),
}

impl ChannelSaid {
    /// What an event says of channels, if anything.
    pub(super) fn of(event: Event) -> Option<Self> {
        match event {
            Event::ChannelOpen(id, label) => Some(Self::Open(id, label)),
            Event::ChannelData(data) => Some(Self::Data(data)),
            Event::ChannelBufferedAmountLow(id) => Some(Self::Low(id)),
            Event::ChannelClose(id) => Some(Self::Close(id)),
            _ => None,
        }
    }
}

/// A session's configuration for nothing but a data channel.
pub(super) fn config(certificate: &DtlsCert) -> RtcConfig {
    str0m::Rtc::builder()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_dtls_cert(certificate.clone())
        .clear_codecs()
        .set_sctp_max_buffered_amount(MAX_BUFFERED)
        .set_sctp_max_message_size(LONGEST_MESSAGE)
}

impl Session {
    /// Whether everything that is written to this channel arrives, in order; sets it up if so.
    pub(in crate::relay) fn take_channel(&mut self, id: ChannelId) -> bool {
        let Some(mut channel) = self.rtc.channel(id) else { return false };
        channel.set_buffered_amount_low_threshold(LOW);
        channel.config().is_some_and(|config| config.ordered && config.reliability == Reliability::Reliable)
    }

    /// Closes a channel.
    pub(in crate::relay) fn close_channel(&mut self, id: ChannelId, now: Instant, out: &mut Drained) {
        self.drive(out, |rtc| {
            rtc.direct_api().close_data_channel(id);
            Ok(())
        });
        self.advance(now, out);
    }

    /// Writes a message, whole or not at all. False: there is no room for it now, or no such channel any more.
    pub(in crate::relay) fn write(
        &mut self,
        id: ChannelId,
        binary: bool,
        message: &[u8],
        now: Instant,
        out: &mut Drained,
    ) -> bool {
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
