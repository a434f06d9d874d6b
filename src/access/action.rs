//! All that can be asked for, with what each needs. What is not in this list cannot be done by anybody.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One thing that may be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To hear.
    Listen,
    /// To speak.
    Talk,
    /// To change what is the same for all: volumes, clips.
    Admin,
    /// To make tokens for others.
    Share,
    /// To interrupt others, and to disturb who does not want to be.
    Urgent,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Listen, Self::Talk, Self::Admin, Self::Share, Self::Urgent];

    /// What one is told who may not.
    pub fn lacking(self) -> &'static str {
        match self {
            Self::Listen => "Listening needs a token here; ask for a share link",
            Self::Talk => "Talking needs a token here; ask for a share link",
            Self::Admin => "Changing this needs a token with the scope admin",
            Self::Urgent => "What is urgent needs a token with the scope urgent",
            Self::Share => "Links are shared from Home Assistant, or with a token of the scope share",
        }
    }
}

/// What somebody may do: a bit for each, since every permit has its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// What everybody in the house may.
    pub fn household() -> Self {
        [Scope::Listen, Scope::Talk, Scope::Admin, Scope::Urgent].into_iter().collect()
    }

    /// Everything.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether this is permitted.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// All that is.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        Scope::ALL.into_iter().filter(|scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | bit(scope)))
    }
}

const fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Scope>::deserialize(deserializer).map(Self::from_iter)
    }
}

/// Something that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// To see the page and what anybody may know: that the daemon is well, what its certificate is.
    SeePage,
    /// To open a signalling connection, of which each message is an action of its own.
    Connect,
    /// To hear a stream, or a room, without joining it.
    Hear,
    /// To be heard in a room without joining it.
    Talk,
    /// To join a room; whether one talks there is its host's business besides.
    Join,
    /// To talk in a room that one has joined, as far as its host lets one.
    TalkInside,
    /// To show one's camera or one's screen in a room that one has joined, as far as its host lets one.
    Show,
    /// To have a recording that is sent along heard in a room.
    Announce,
    /// To have one heard on a media player of the house.
    AnnounceOnPlayer,
    /// To know what is announced in a room in which one could be heard.
    SeeAnnouncements,
    /// To know who is in a room, and how well it goes.
    Look,
    /// To know which rooms there are; whoever is for one room is told of that one.
    ListRooms,
    /// To open a room.
    OpenRoom,
    /// To choose what may be chosen of a room: its tones, whether one talks at a time, whether devices there answer by
    /// themselves.
    SetRoomOptions,
    /// To close a room, which its host may, and whoever may do everything in it.
    CloseRoom,
    /// To know which streams there are at home.
    ListStreams,
    /// To set how loud a stream is in the mix.
    TurnStream,
    /// To know what the daemon is to a person who looks for a fault.
    ReadInfo,
    /// To set how loud announcements are in a room.
    TurnAnnouncements,
    /// To read what is counted.
    ReadMetrics,
    /// To know of the machine's sound card.
    ReadSound,
    /// To turn it.
    TurnSound,
    /// To know which media players Home Assistant has.
    ListPlayers,
    /// To see how the people of the house look, as Home Assistant has it: nothing for guests.
    SeePictures,
    /// To know whether Home Assistant is there, and what it has of the relay.
    SeeHomeAssistant,
    /// To have it connect to the relay.
    ConnectHomeAssistant,
    /// To be a station: a device with a name, which can be called.
    BeStation,
    /// To know which stations there are, and which calls.
    SeeCalls,
    /// To call somebody, and to end a call that one began.
    Call,
    /// To interrupt what is not urgent, and to disturb those who do not want to be.
    BeUrgent,
    /// To have a room, or the house, not be disturbed. A station does that for itself.
    SetDoNotDisturb,
    /// To forget a station, or the calls that are over.
    ForgetCalls,
    /// To choose who is called by a doorbell.
    SetDoorbell,
    /// To choose the phone on which a station rings besides.
    SetPhone,
    /// To leave a voice message, which a station does.
    LeaveVoiceMessage,
    /// To list and hear voice messages. Which ones, is asked besides: see
    /// [`Access::may_read_voice_messages`](super::Access::may_read_voice_messages).
    ReadVoiceMessages,
    /// To mark one as heard, and to delete it: whoever was told of it may.
    ChangeVoiceMessage,
    /// To list and hear what was recorded at home.
    ReadClips,
    /// To delete it.
    DeleteClip,
    /// To list and read audio files, or have one announced.
    ReadFiles,
    /// To make a token, which permits no more than its maker may.
    MakeToken,
    /// To take one back.
    RevokeToken,
    /// What has no line in this list, and nobody to answer it.
    Other,
}

/// What an action needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The permission, if any.
    pub scope: Option<Scope>,
    /// It can be about one room, so that a token for that room will do. Everything else is about the house.
    pub in_one_room: bool,
}

impl Action {
    /// What it needs. Whoever adds an action decides here; a token for one room is refused unless it says otherwise.
    pub const fn needs(self) -> Needs {
        let (scope, in_one_room) = match self {
            Self::SeePage | Self::Connect => (None, true),
            Self::Hear | Self::Join | Self::Look | Self::ListRooms | Self::ReadInfo | Self::SeeAnnouncements => {
                (Some(Scope::Listen), true)
            }
            Self::Talk | Self::TalkInside | Self::Show | Self::Announce | Self::CloseRoom => (Some(Scope::Talk), true),
            Self::ListStreams => (Some(Scope::Listen), true),
            Self::TurnStream | Self::TurnAnnouncements => (Some(Scope::Admin), true),
            Self::BeUrgent => (Some(Scope::Urgent), true),
            Self::MakeToken => (Some(Scope::Share), true),
            Self::OpenRoom
            | Self::AnnounceOnPlayer
            | Self::BeStation
            | Self::Call
            | Self::LeaveVoiceMessage
            | Self::ChangeVoiceMessage => (Some(Scope::Talk), false),
            Self::ReadMetrics
            | Self::ReadSound
            | Self::ListPlayers
            | Self::SeePictures
            | Self::SeeHomeAssistant
            | Self::SeeCalls
            | Self::ReadVoiceMessages
            | Self::ReadClips
            | Self::ReadFiles => (Some(Scope::Listen), false),
            Self::TurnSound
            | Self::ConnectHomeAssistant
            | Self::ForgetCalls
            | Self::SetDoNotDisturb
            | Self::SetDoorbell
            | Self::SetPhone
            | Self::SetRoomOptions
            | Self::DeleteClip
            | Self::Other => (Some(Scope::Admin), false),
            Self::RevokeToken => (Some(Scope::Share), false),
        };
        Needs { scope, in_one_room }
    }

    /// Whether it is done in a room by somebody who has not joined it: who is sent out of it may do it no longer. Those
    /// who have joined are the room's own to send out.
    pub const fn is_of_unjoined(self) -> bool {
        matches!(self, Self::Hear | Self::Talk | Self::Announce)
    }
}
