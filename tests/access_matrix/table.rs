//! The table: what every route, and every message, needs.

use voice_relay::access::Scope;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Nothing: everybody may.
    Nothing,
    /// The house as a whole: tokens for one room will not do.
    House,
    /// What has no room, and is confined to that of the token.
    Confined,
    /// To hear in a room: it must not be locked, its PIN must be shown, and one must not have been sent out.
    Hearing,
    /// To be heard there without having joined: the room must be open to all.
    Talking,
    /// The same in any of the rooms that there are.
    TalkingAnywhere,
    /// To look into it: its PIN must be shown.
    Looking,
    /// To join it: as hearing.
    Joining,
    /// To do what its host may, with no key: only whoever may do everything.
    Hosting,
    /// To have media players of the house play what is said in a room, of which they know no PIN.
    OnPlayers,
    /// To know what goes on at home.
    AtHome,
}

/// One route: what is asked, what it needs, what it is about. `{room}`, `{stream}` and `{pin}` stand for those of a cell.
pub(super) struct Row {
    pub(super) line: &'static str,
    pub(super) needs: Option<Scope>,
    /// What it needs besides.
    pub(super) also: Option<Scope>,
    pub(super) about: About,
    pub(super) body: Option<&'static str>,
}

const fn row(line: &'static str, needs: Option<Scope>, about: About) -> Row {
    Row { line, needs, also: None, about, body: None }
}

const fn with(line: &'static str, needs: Option<Scope>, about: About, body: &'static str) -> Row {
    Row { line, needs, also: None, about, body: Some(body) }
}

/// What disturbs also those who do not want to be.
const fn urgent(line: &'static str, about: About, body: &'static str) -> Row {
    Row { line, needs: TALK, also: URGENT, about, body: Some(body) }
}

/// What is heard of a room, elsewhere.
const fn live(line: &'static str, body: &'static str) -> Row {
    Row { line, needs: TALK, also: LISTEN, about: About::OnPlayers, body: Some(body) }
}

const LISTEN: Option<Scope> = Some(Scope::Listen);
const TALK: Option<Scope> = Some(Scope::Talk);
const ADMIN: Option<Scope> = Some(Scope::Admin);
const URGENT: Option<Scope> = Some(Scope::Urgent);
const SHARE: Option<Scope> = Some(Scope::Share);

pub(super) const SOME_ID: &str = "00000000-0000-4000-8000-000000000001";

/// Of the main port, and of the panel.
pub(super) const ROUTES: &[Row] = &[
    row("GET /", None, About::Nothing),
    row("GET /health", None, About::Nothing),
    row("GET /ca.crt", None, About::Nothing),
    row("GET /ca.mobileconfig", None, About::Nothing),
    row("GET /api/info", LISTEN, About::Confined),
    row("GET /api/trust", LISTEN, About::Confined),
    row("GET /metrics", LISTEN, About::House),
    row("GET /api/health", LISTEN, About::House),
    row("GET /api/rooms", LISTEN, About::Confined),
    with("POST /api/rooms", TALK, About::House, r#"{"roomName":""}"#),
    row("GET /api/rooms/{room}?pin={pin}", LISTEN, About::Looking),
    row("GET /api/rooms/{room}/stats?pin={pin}", LISTEN, About::Looking),
    row("DELETE /api/rooms/{room}", TALK, About::Hosting),
    with("PUT /api/rooms/{room}/options", ADMIN, About::House, "{}"),
    row("GET /api/streams", LISTEN, About::AtHome),
    with("PUT /api/streams/{stream}?pin={pin}", ADMIN, About::Hearing, r#"{"gain_db":0}"#),
    row("GET /stream/status", LISTEN, About::AtHome),
    row("GET /stream/room/{room}/status?pin={pin}", LISTEN, About::Hearing),
    row("HEAD /stream/room/{room}.mp3?pin={pin}", LISTEN, About::Hearing),
    row("HEAD /stream/{stream}.mp3?pin={pin}", LISTEN, About::Hearing),
    row("HEAD /stream/{stream}.wav?pin={pin}", LISTEN, About::Hearing),
    row("GET /api/clips", LISTEN, About::House),
    row("DELETE /api/clips/{id}", ADMIN, About::House),
    row("GET /clip/latest.mp3", LISTEN, About::House),
    row("GET /clip/{id}.mp3", LISTEN, About::House),
    row("GET /api/announce", LISTEN, About::Confined),
    with("POST /api/announce", TALK, About::Talking, r#"{"room":"{room}","file":"none"}"#),
    with("POST /api/announce/clip?room={room}", TALK, About::Talking, "no audio"),
    row("GET /announce/{id}.mp3", None, About::Nothing),
    with("POST /api/announce", TALK, About::Talking, r#"{"to":"room:{room}","text":"none"}"#),
    with("POST /api/announce", TALK, About::House, r#"{"to":["media_player.none"],"file":"none"}"#),
    with("POST /api/announce", TALK, About::House, r#"{"to":["area:none"],"file":"none"}"#),
    live("POST /api/announce", r#"{"to":"media_player.none","live":"{room}"}"#),
    with("POST /api/announce", TALK, About::TalkingAnywhere, r#"{"to":["everybody"],"file":"none"}"#),
    row("GET /api/announce/{id}", LISTEN, About::Confined),
    row("DELETE /api/announce/{id}", TALK, About::Confined),
    row("GET /api/devices", LISTEN, About::House),
    row("GET /api/sound", LISTEN, About::House),
    row("GET /api/players", LISTEN, About::House),
    row("GET /api/stations", LISTEN, About::House),
    row("DELETE /api/stations/{id}", ADMIN, About::House),
    row("GET /api/calls", LISTEN, About::House),
    row("DELETE /api/calls", ADMIN, About::House),
    with("POST /api/calls", TALK, About::House, r#"{"to":"nobody"}"#),
    row("GET /api/calls/{id}", LISTEN, About::House),
    row("DELETE /api/calls/{id}", TALK, About::House),
    urgent("POST /api/calls", About::House, r#"{"to":"nobody","priority":"urgent"}"#),
    urgent("POST /api/announce", About::Talking, r#"{"room":"{room}","file":"none","priority":"urgent"}"#),
    urgent("POST /api/announce/clip?room={room}&priority=urgent", About::Talking, "no audio"),
    row("GET /api/voice-messages", LISTEN, About::House),
    row("GET /api/voice-messages/{id}/speech.ogg", LISTEN, About::House),
    row("GET /api/voice-messages/{id}/speech.mp3", LISTEN, About::House),
    with("PUT /api/voice-messages/{id}", TALK, About::House, r#"{"heard":true}"#),
    row("DELETE /api/voice-messages/{id}", TALK, About::House),
    row("GET /api/doorbells", LISTEN, About::House),
    row("GET /api/phones", LISTEN, About::House),
    with("PUT /api/stations/{id}/phone", ADMIN, About::House, r#"{"phone":"mobile_app_x"}"#),
    row("DELETE /api/stations/{id}/phone", ADMIN, About::House),
    with("PUT /api/doorbells/{id}", ADMIN, About::House, r#"{"to":[]}"#),
    row("GET /api/do-not-disturb", LISTEN, About::House),
    with("PUT /api/do-not-disturb/{id}", ADMIN, About::House, "{}"),
    row("DELETE /api/do-not-disturb/{id}", ADMIN, About::House),
    row("GET /api/quiet-hours", LISTEN, About::House),
    with("PUT /api/quiet-hours/{id}", ADMIN, About::House, r#"{"from":"22:00","until":"07:00"}"#),
    row("DELETE /api/quiet-hours/{id}", ADMIN, About::House),
    row("GET /api/people/{id}/picture", LISTEN, About::House),
    row("GET /api/home-assistant", LISTEN, About::House),
    row("GET /api/home-assistant/node", ADMIN, About::House),
    row("POST /api/home-assistant/node", ADMIN, About::House),
    with("PUT /api/sound", ADMIN, About::House, r#"{"room":"home"}"#),
    row("GET /api/files", LISTEN, About::House),
    row("GET /api/files/0000000000000001", LISTEN, About::House),
    row("GET /api/files/0000000000000001/cover", LISTEN, About::House),
    with("POST /api/offer", LISTEN, About::House, r#"{"offer":{"sdp":""}}"#),
    with("POST /api/tokens", SHARE, About::Confined, r#"{"scope":["share"],"days":1}"#),
    row("DELETE /api/tokens/{id}", SHARE, About::House),
    with("POST /whip/{room}", TALK, About::Talking, "no offer"),
    with("PATCH /whip/session/{id}", TALK, About::Confined, ""),
    row("DELETE /whip/session/{id}", TALK, About::Confined),
    with("POST /whep/{room}?pin={pin}", LISTEN, About::Hearing, "no offer"),
    with("POST /whep/{stream}?pin={pin}", LISTEN, About::Hearing, "no offer"),
    with("PATCH /whep/session/{id}", LISTEN, About::Confined, ""),
    row("DELETE /whep/session/{id}", LISTEN, About::Confined),
    row("GET /api/what-does-not-exist", ADMIN, About::House),
];

/// What the MP3 port has of them.
pub(super) const MP3_ROUTES: &[&str] = &["/health", "/stream/", "/clip/", "/announce/"];

/// Of signalling: a message by its type, what it needs, and what it is about.
pub(super) const MESSAGES: &[(&str, Option<Scope>, About)] = &[
    ("start_sending", TALK, About::Talking),
    ("start_receiving", LISTEN, About::Hearing),
    ("get_available_streams", LISTEN, About::AtHome),
    ("join", LISTEN, About::Joining),
    ("watch_rooms", LISTEN, About::Confined),
    ("station", TALK, About::House),
    ("ring", TALK, About::House),
    ("do_not_disturb", None, About::Nothing),
    // These are about what one of the former began.
    ("quiet_hours", None, About::Nothing),
    ("answer_call", None, About::Nothing),
    ("hang_up", None, About::Nothing),
    ("record_voice_message", TALK, About::House),
    ("send_voice_message", None, About::Nothing),
    ("discard_voice_message", None, About::Nothing),
    ("webrtc_offer", None, About::Nothing),
    ("webrtc_answer", None, About::Nothing),
    ("ice_candidate", None, About::Nothing),
    ("stop_stream", None, About::Nothing),
    ("offer", None, About::Nothing),
    ("talk", None, About::Nothing),
    ("music", None, About::Nothing),
    ("listen", None, About::Nothing),
    ("video_offer", None, About::Nothing),
    ("show", None, About::Nothing),
    ("view", None, About::Nothing),
    ("chat", None, About::Nothing),
    ("host", None, About::Nothing),
    ("report", None, About::Nothing),
    ("rename", None, About::Nothing),
    ("leave", None, About::Nothing),
    ("ping", None, About::Nothing),
    ("unknown", None, About::Nothing),
];
