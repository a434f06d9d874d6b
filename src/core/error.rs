//! Reasons for which a connection is not opened, or not kept; and what a client that wants files has to offer.

/// Name of the data channel on which files are sent.
pub(super) const FILES_CHANNEL: &str = "audioStream";

/// Bytes of a message that a client must take at least, if it is to be sent files.
pub(super) const SHORTEST_MESSAGE: usize = 4 << 10;

/// Reason for which a connection was not opened; nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NegotiationError {
    /// The description is not one that we can answer.
    #[error("The offer cannot be used: {0}")]
    InvalidOffer(String),
    /// It offers no Opus audio that we could receive.
    #[error(
        "The offer has no Opus audio to send: an m-line with a=rtpmap:<number> opus/48000/2, and a=sendonly or a=sendrecv"
    )]
    NoAudioToSend,
    /// It has no m-line on which Opus could be heard.
    #[error(
        "The offer has no m-line that takes Opus audio: a=rtpmap:<number> opus/48000/2, and a=recvonly or a=sendrecv"
    )]
    NoAudioToHear,
    /// It has no m-line on which video could be sent or seen.
    #[error("The offer has no m-line of video that can be used: VP8, H.264, VP9 or AV1, and a=sendonly or a=recvonly")]
    NoVideo,
    /// It offers no data channel.
    #[error("The offer has no data channel; open one, named {FILES_CHANNEL}, before you make it")]
    NoChannel,
    /// Messages that the client takes are too short.
    #[error("The offer allows messages of {0} bytes only; {SHORTEST_MESSAGE} are needed")]
    ShortMessages(usize),
    /// Nobody speaks, or not the one who was asked for.
    #[error("No audio stream available")]
    NoStream,
    /// `limits.peers` are connected.
    #[error("The relay is full: {0} connections at once")]
    TooManyPeers(usize),
    /// `limits.streams` are being sent.
    #[error("The relay is full: {0} streams at once")]
    TooManyStreams(usize),
    /// The connection that was to be renewed is gone.
    #[error("The connection is gone")]
    NoSuchPeer,
}

/// Reason for which a receiver's answer was not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The connection is gone, or it never waited for an answer.
    #[error("The connection that this answers is gone")]
    NoSuchPeer,
    /// It answers an offer that was replaced since, or one that is answered already: harmless.
    #[error("The answer is to an earlier offer")]
    Stale,
    /// The description is not an answer to our offer; the connection is closed.
    #[error("The answer cannot be used: {0}")]
    InvalidAnswer(String),
    /// The receiver takes no Opus; the connection is closed.
    #[error("The answer refuses Opus")]
    NoAudio,
}
