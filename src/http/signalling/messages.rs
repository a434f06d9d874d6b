//! The fixed WebSocket protocol, frame by frame (`docs/protocol.md`, part 1).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::calls::{CallId, CallTargets, Passes, QuietHours};
use crate::domain::{Priority, StreamId, TrackKind};
use crate::mailbox::VoiceMessage;
use crate::rooms::{HostAction, ParticipantId};

/// A session description as browsers write it: `{type, sdp}`.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::http) struct SessionDescription {
    /// `offer` or `answer`; which of them is clear from the message around it.
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    pub(super) sdp: String,
}

impl SessionDescription {
    pub(super) fn offer(sdp: String) -> Self {
        Self { kind: "offer".into(), sdp }
    }

    pub(super) fn answer(sdp: String) -> Self {
        Self { kind: "answer".into(), sdp }
    }
}

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::http) enum ClientMessage {
    StartSending {
        /// How people call the speaker, if it is a text.
        #[serde(default)]
        name: Value,
        /// The id of the room to talk in; at home without it.
        #[serde(default)]
        room: Option<String>,
    },
    WebrtcOffer {
        offer: SessionDescription,
    },
    StartReceiving {
        /// Missing, null or empty means the newest.
        #[serde(default)]
        stream_id: Option<String>,
    },
    WebrtcAnswer {
        answer: SessionDescription,
    },
    IceCandidate {
        /// `{candidate, …}` from browsers; null, or anything else, from older clients.
        #[serde(default)]
        candidate: Value,
    },
    GetAvailableStreams,
    StopStream,
    Join {
        room: String,
        /// How people call the participant, if it is a text.
        #[serde(default)]
        name: Value,
        #[serde(default)]
        pin: Option<String>,
        /// What it was given when it was here before, or opened the room.
        #[serde(default)]
        key: Option<String>,
    },
    Rename {
        /// How people call the participant from now on.
        name: String,
    },
    Offer {
        sdp: String,
    },
    Talk {
        on: bool,
    },
    Music {
        on: bool,
        /// What is played, if it is a text.
        #[serde(default)]
        title: Value,
    },
    Listen {
        who: WhoToHear,
    },
    /// To show and see video, by a connection of its own.
    VideoOffer {
        sdp: String,
    },
    /// To show something from now on, or no longer.
    Show {
        kind: VideoKind,
        on: bool,
    },
    /// To see these and nothing else, the most wanted first.
    View {
        tiles: Vec<Tile>,
    },
    Chat {
        text: String,
    },
    Host(HostAction),
    WatchRooms {
        on: bool,
    },
    /// To be a station from now on: a device with a name, which can be called.
    Station {
        name: String,
        /// What it was given when it was one before.
        #[serde(default)]
        key: Option<String>,
        /// The ids of the rooms that it listens to: whoever calls one of them calls it.
        #[serde(default)]
        rooms: Vec<String>,
    },
    /// To call somebody, as the station that the client is.
    Ring {
        to: CallTargets,
        /// Whether it gets through to those who do not want to be disturbed.
        #[serde(default)]
        priority: Priority,
    },
    /// Not to be disturbed, or to be again, as the station that the client is.
    DoNotDisturb {
        /// Without it, everything passes.
        #[serde(default)]
        passes: Option<Passes>,
        /// For so long; until it is turned off without it.
        #[serde(default)]
        seconds: Option<u64>,
    },
    /// To have quiet hours, or none, as the station that the client is.
    QuietHours {
        hours: Option<QuietHours>,
    },
    AnswerCall {
        call: CallId,
    },
    HangUp {
        call: CallId,
    },
    /// To say a message for a station, a room or everybody, as the station that the client is.
    RecordVoiceMessage {
        to: String,
        offer: SessionDescription,
    },
    SendVoiceMessage,
    DiscardVoiceMessage,
    Report {
        /// Milliseconds from a packet's arrival to the ear.
        #[serde(default)]
        delay_ms: Option<f64>,
        /// The share of samples that had to be invented.
        #[serde(default)]
        concealed: Option<f64>,
    },
    Leave,
    Ping,
    /// Types of other versions, such as `local_ip` of older clients: ignored.
    #[serde(other)]
    Unknown,
}

impl ClientMessage {
    /// Every type of the protocol, for the table of who may say what.
    pub(in crate::http) const TYPES: [&'static str; 32] = [
        "start_sending",
        "webrtc_offer",
        "start_receiving",
        "webrtc_answer",
        "ice_candidate",
        "get_available_streams",
        "stop_stream",
        "join",
        "rename",
        "offer",
        "talk",
        "music",
        "listen",
        "video_offer",
        "show",
        "view",
        "chat",
        "host",
        "watch_rooms",
        "station",
        "ring",
        "do_not_disturb",
        "quiet_hours",
        "answer_call",
        "hang_up",
        "record_voice_message",
        "send_voice_message",
        "discard_voice_message",
        "report",
        "leave",
        "ping",
        "unknown",
    ];

    /// Its type, as the protocol calls it. Only tests ask: by it the compiler sees to it that the list is whole.
    #[cfg(test)]
    const fn kind(&self) -> &'static str {
        let number = match self {
            Self::StartSending { .. } => 0,
            Self::WebrtcOffer { .. } => 1,
            Self::StartReceiving { .. } => 2,
            Self::WebrtcAnswer { .. } => 3,
            Self::IceCandidate { .. } => 4,
            Self::GetAvailableStreams => 5,
            Self::StopStream => 6,
            Self::Join { .. } => 7,
            Self::Rename { .. } => 8,
            Self::Offer { .. } => 9,
            Self::Talk { .. } => 10,
            Self::Music { .. } => 11,
            Self::Listen { .. } => 12,
            Self::VideoOffer { .. } => 13,
            Self::Show { .. } => 14,
            Self::View { .. } => 15,
            Self::Chat { .. } => 16,
            Self::Host(_) => 17,
            Self::WatchRooms { .. } => 18,
            Self::Station { .. } => 19,
            Self::Ring { .. } => 20,
            Self::DoNotDisturb { .. } => 21,
            Self::QuietHours { .. } => 22,
            Self::AnswerCall { .. } => 23,
            Self::HangUp { .. } => 24,
            Self::RecordVoiceMessage { .. } => 25,
            Self::SendVoiceMessage => 26,
            Self::DiscardVoiceMessage => 27,
            Self::Report { .. } => 28,
            Self::Leave => 29,
            Self::Ping => 30,
            Self::Unknown => 31,
        };
        Self::TYPES[number]
    }
}

/// Whom a participant hears.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::http) enum WhoToHear {
    All(Everybody),
    These(Vec<ParticipantId>),
}

/// The word for all.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum Everybody {
    All,
}

/// What is shown.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum VideoKind {
    Camera,
    Screen,
}

impl From<VideoKind> for TrackKind {
    fn from(kind: VideoKind) -> Self {
        match kind {
            VideoKind::Camera => Self::Camera,
            VideoKind::Screen => Self::Screen,
        }
    }
}

/// Tile in which somebody is to be seen.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Tile {
    /// M-line of the slot.
    pub(super) slot: String,
    pub(super) who: ParticipantId,
    pub(super) kind: VideoKind,
    /// Lines of it, in pixels of the device; 0: it is hidden.
    pub(super) height: u16,
}

/// What we say.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage {
    AvailableStreams {
        /// Oldest first.
        streams: Vec<StreamId>,
    },
    SenderReady {
        connection_id: Uuid,
    },
    WebrtcAnswer {
        answer: SessionDescription,
    },
    WebrtcOffer {
        offer: SessionDescription,
    },
    StreamAvailable {
        stream_id: StreamId,
    },
    StreamEnded {
        stream_id: StreamId,
    },
    AudioData {
        stream_id: StreamId,
        /// Unix time in seconds.
        timestamp: f64,
        /// In dBov: -127 is silence, 0 the loudest.
        level: i8,
    },
    Answer {
        sdp: String,
        /// The m-line of the voice.
        voice: Option<String>,
        /// The m-line of the music.
        music: Option<String>,
        /// The m-lines on which others are heard.
        slots: Vec<String>,
    },
    VideoAnswer {
        sdp: String,
        /// The m-line of the camera.
        camera: Option<String>,
        /// The m-line of the screen.
        screen: Option<String>,
        /// The m-lines in which others are seen.
        slots: Vec<String>,
    },
    /// The station that the client is has these now, or none.
    QuietHours {
        hours: Option<QuietHours>,
    },
    VoiceMessageRecording {
        answer: SessionDescription,
        /// The longest that a message may be.
        seconds: u64,
    },
    /// The message that was said is over; without one, it was thrown away.
    VoiceMessageOver {
        voice_message: Option<Box<VoiceMessage>>,
    },
    VoiceMessages {
        /// All that are for the station, the newest first.
        voice_messages: Vec<VoiceMessage>,
    },
    Pong,
    Error {
        /// For programs.
        code: &'static str,
        /// For people: what was wrong, and what to do.
        message: String,
    },
}

/// What kind of trouble an `error` tells of.
#[derive(Debug, Clone, Copy)]
pub(super) enum ErrorCode {
    /// The frame is not a message of this protocol.
    BadMessage,
    /// A description was refused.
    BadDescription,
    /// Nobody speaks, or not the one who was asked for.
    NoStream,
    /// The stream that this was about is over.
    StreamEnded,
    /// The message makes no sense before another one.
    OutOfOrder,
    /// A limit is reached.
    Full,
    /// The client asks more often than it may.
    TooFast,
    /// The client may not do this.
    NotPermitted,
    /// The daemon is going down.
    ShuttingDown,
}

impl ErrorCode {
    /// As the protocol has it.
    const fn word(self) -> &'static str {
        match self {
            Self::BadMessage => "bad_message",
            Self::BadDescription => "bad_description",
            Self::NoStream => "no_stream",
            Self::StreamEnded => "stream_ended",
            Self::OutOfOrder => "out_of_order",
            Self::Full => "full",
            Self::TooFast => "too_fast",
            Self::NotPermitted => "not_permitted",
            Self::ShuttingDown => "shutting_down",
        }
    }
}

impl ServerMessage {
    pub(super) fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::complaint(code.word(), message)
    }

    /// An error of the rooms, which have words of their own for them.
    pub(super) fn complaint(code: &'static str, message: impl Into<String>) -> Self {
        Self::Error { code, message: message.into() }
    }

    /// The frame's text.
    pub(super) fn to_json(&self) -> String {
        write(self)
    }
}

/// Text of a frame: of a message of ours, or of an event of a room, which has the protocol's fields.
pub(super) fn write(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("strings, numbers and lists can always be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ClientMessage, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn unknown_types_are_read_as_such() {
        assert!(matches!(parse(r#"{"type":"local_ip","ip":"10.0.0.1"}"#), Ok(ClientMessage::Unknown)));
        assert!(matches!(parse(r#"{"type":"start_sending","name":"x"}"#), Ok(ClientMessage::StartSending { .. })));
    }

    #[test]
    fn the_list_of_types_has_each_as_it_is_read() {
        for (text, kind) in [
            (r#"{"type":"start_sending"}"#, "start_sending"),
            (r#"{"type":"host","action":"lock"}"#, "host"),
            (r#"{"type":"leave"}"#, "leave"),
            (r#"{"type":"local_ip"}"#, "unknown"),
        ] {
            assert_eq!(parse(text).expect(text).kind(), kind);
        }
    }

    #[test]
    fn a_stream_id_may_be_missing_or_null() {
        for text in [r#"{"type":"start_receiving"}"#, r#"{"type":"start_receiving","stream_id":null}"#] {
            assert!(matches!(parse(text), Ok(ClientMessage::StartReceiving { stream_id: None })), "{text}");
        }
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        let deep = "[".repeat(100_000);
        for text in ["", "1", "{}", "[]", r#"{"type":1}"#, r#"{"type":"webrtc_offer"}"#, deep.as_str()] {
            assert!(parse(text).is_err());
        }
    }

    #[test]
    fn frames_are_written_as_the_protocol_says() {
        let id = StreamId::of_connection(Uuid::from_u128(1));
        let frame = ServerMessage::AudioData { stream_id: id, timestamp: 1.5, level: -30 };
        let expected = r#"{"type":"audio_data","stream_id":"stream_00000000-0000-0000-0000-000000000001","timestamp":1.5,"level":-30}"#;
        assert_eq!(frame.to_json(), expected);
        let error = ServerMessage::error(ErrorCode::NoStream, "No audio stream available");
        assert_eq!(error.to_json(), r#"{"type":"error","code":"no_stream","message":"No audio stream available"}"#);
    }
}
