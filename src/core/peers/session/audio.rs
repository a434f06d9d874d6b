//! What is agreed about audio, whatever the remote is for.

use std::time::Duration;

use str0m::config::DtlsCert;
use str0m::format::{CodecConfig, PayloadParams};
use str0m::rtp::Extension;
use str0m::{Rtc, RtcConfig};

use super::keys;

/// Header extensions, by the ids that browsers use. No transport-wide congestion control: on a LAN
/// it doubles a receiver's memory and costs as much as forwarding does.
const EXTENSIONS: [(u8, Extension); 2] = [(1, Extension::AudioLevel), (4, Extension::RtpMid)];

/// Between two looks at what the remote reports of losses and delays.
const REPORTS_INTERVAL: Duration = Duration::from_secs(2);

/// Purpose of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Purpose {
    /// The remote speaks.
    Speaks,
    /// The remote hears.
    Hears,
    /// Both, and it is looked at how well it hears.
    TakesPart,
    /// The remote shows and sees video, and no sound is sent: see [`core::video`](crate::core::video).
    Video,
    /// The remote is sent files on a data channel, and no audio.
    TakesFiles,
}

/// The configuration for such a session. ICE-lite: it never checks by itself.
pub(super) fn config(certificate: &DtlsCert, purpose: Purpose) -> RtcConfig {
    let reports = (purpose == Purpose::TakesPart).then_some(REPORTS_INTERVAL);
    let mut config = Rtc::builder()
        .set_stats_interval(reports)
        // What it is told of lost packets is in these, and nowhere else.
        .enable_raw_packets(purpose != Purpose::Speaks)
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_dtls_cert(certificate.clone())
        .set_crypto_provider(keys::provider())
        // What is sent again is kept elsewhere (`retransmission`), and for those alone who ask.
        .set_send_buffer_audio(1)
        .clear_extension_map();
    *config.codec_config() = opus();
    for (id, extension) in EXTENSIONS {
        config = config.set_extension(id, extension);
    }
    config
}

/// Opus, of which lost packets may be asked for again (RFC 4585).
fn opus() -> CodecConfig {
    let mut codecs = CodecConfig::empty();
    codecs.enable_opus(true, false);
    let nackable = |params: &PayloadParams| {
        let mut params = *params;
        params.set_fb_nack(true);
        params
    };
    CodecConfig::new_from_payload_params(codecs.params().iter().map(nackable).collect())
}
