//! The table of options: one row for each, in the order of the documentation.

use super::{Opt, OptionKind};

const fn opt(
    key: &'static str,
    kind: OptionKind,
    default: &'static str,
    help: &'static str,
    more: &'static str,
) -> Opt {
    Opt { key, kind, default, help, more }
}

/// All of them, in the order of the documentation.
pub(in crate::config) const OPTIONS: &[Opt] = &[
    opt(
        "bind",
        OptionKind::Address,
        "::",
        "Address to listen on, all ports",
        "`::` means every IPv4 and IPv6 address of the machine; where the kernel has no IPv6, `0.0.0.0`.",
    ),
    opt(
        "data_dir",
        OptionKind::Path,
        "data",
        "Folder for what must outlive a restart",
        "Keys, among them those of our own certificates, and what was revoked. It is made when something is first kept, \
         for the daemon's own user alone.",
    ),
    opt(
        "access",
        OptionKind::Choice(&["lan", "token", "open"]),
        "lan",
        "Who is served: lan, token or open",
        "`lan`: private, link-local and loopback addresses, and the networks that this machine's interfaces are \
         on. `token`: whoever holds a token (`voice-relay token`, or a share link), wherever they are, and nobody \
         else. `open`: everybody who can reach the ports. Those who are not served are counted \
         (`voice_relay_http_foreign`, `voice_relay_mp3_foreign`, `voice_relay_dropped{reason=\"foreign\"}`, \
         `voice_relay_not_permitted`, `voice_relay_bad_tokens`). See docs/access.md.",
    ),
    opt("http.port", OptionKind::Port, "8080", "Port of the page, signalling and API", ""),
    opt(
        "http.tls_port",
        OptionKind::Port,
        "8443",
        "Port of the same with TLS",
        "Browsers open the microphone only there, and on localhost. See https.md.",
    ),
    opt(
        "http.origins",
        OptionKind::Names,
        "",
        "Host names of web pages that may use the relay, separated by commas",
        "Besides addresses, names that exist inside of houses only, such as `homeassistant.local`, and those of the \
         certificate that is served: for instance \
         the public name of your Home Assistant, if its dashboards show cards of the relay. Pages of other sites, and \
         requests by other names, are refused; counted in `voice_relay_foreign_origins` and \
         `voice_relay_foreign_hosts`.",
    ),
    opt(
        "tls.mode",
        OptionKind::Choice(&["auto", "own", "off"]),
        "auto",
        "Which certificate the TLS port has: auto, own or off",
        "`auto`: that of `tls.certificate` while it fits its key and is valid for a day and more, else one that is made \
         here. `own`: the one that is made here. `off`: nothing listens on `http.tls_port`. Where none is to be had, \
         a warning says why, and everything else runs.",
    ),
    opt(
        "tls.certificate",
        OptionKind::Path,
        "/ssl/fullchain.pem",
        "File of a certificate and its chain, in PEM",
        "The default is where Home Assistant keeps its own. Looked at every minute, and at SIGHUP; connections go on.",
    ),
    opt("tls.key", OptionKind::Path, "/ssl/privkey.pem", "File of that certificate's key, in PEM", ""),
    opt("mp3.port", OptionKind::Port, "8081", "Port of the MP3 streams", ""),
    opt(
        "mp3.when_idle",
        OptionKind::Choice(&["silence", "unavailable"]),
        "silence",
        "What latest.mp3 gives while nobody speaks: silence or unavailable",
        "`silence`: silent audio until somebody speaks, for players that give up on errors. `unavailable`: status \
         503 with Retry-After. A browser that opens the address gets a page that waits, either way.",
    ),
    opt(
        "mp3.icy",
        OptionKind::Switch,
        "false",
        "Whether players that ask are told who talks: true or false",
        "ICY metadata, as internet radio has it: only for a player that sends `Icy-MetaData: 1`. Off, because some \
         players are disturbed by it.",
    ),
    opt(
        "clips.count",
        OptionKind::Number(0, 10_000),
        "20",
        "Clips that are kept; 0 keeps none",
        "A clip is what was said between press and release: `/clip/latest.mp3`, `/api/clips`. One more than this, \
         and the oldest goes of the device that has most; counted in `voice_relay_clips_evicted`. They are kept in memory only.",
    ),
    opt("clips.age", OptionKind::Number(1, 604_800), "3600", "Seconds after which a clip is forgotten", ""),
    opt(
        "clips.length",
        OptionKind::Number(1, 3_600),
        "300",
        "Seconds of the longest clip",
        "Longer speech becomes several clips. So does speech with a pause of three seconds.",
    ),
    opt(
        "clips.bytes",
        OptionKind::Number(100_000, 4_000_000_000),
        "67108864",
        "Bytes of memory for all clips together",
        "Counted by what they hold, with what is being said: as packets some 5,000 a second, as a file, once somebody has \
         heard one, 16,000. The oldest clips go first of the device that has most; counted in `voice_relay_clips_evicted`. \
         What one device says at once takes a fourth at most; what is more is in no clip, and counted in \
         `voice_relay_clips_packets_dropped`.",
    ),
    opt(
        "sound.room",
        OptionKind::Text,
        "home",
        "The room that the machine's own loudspeaker and microphone are in",
        "Its id, such as `home` or `kitchen`. `PUT /api/sound` changes it while the daemon runs.",
    ),
    opt(
        "sound.output",
        OptionKind::Text,
        "off",
        "The machine's own loudspeaker: off, default, or a device",
        "`voice-relay devices` lists them; either the id or the name will do. A device that is not there is waited \
         for. Counted in `voice_relay_output_*`.",
    ),
    opt(
        "sound.play",
        OptionKind::Choice(&["latest", "all"]),
        "latest",
        "What the loudspeaker plays: latest or all",
        "`latest`: whoever began to talk last in its room. `all`: everybody there, mixed. Never the machine's own \
         microphone. `PUT /api/sound` changes it while the daemon runs.",
    ),
    opt(
        "sound.output_volume",
        OptionKind::Decibels,
        "0",
        "Volume of the loudspeaker in decibels; 0 is as it comes",
        "",
    ),
    opt(
        "sound.input",
        OptionKind::Text,
        "off",
        "The machine's own microphone: off, default, or a device",
        "It is a sender like any other, for as long as the daemon runs and the device is there. Counted in \
         `voice_relay_input_*`.",
    ),
    opt("sound.input_name", OptionKind::Text, "This machine", "How people call the microphone's stream", ""),
    opt("sound.input_volume", OptionKind::Decibels, "0", "Volume of the microphone in decibels; 0 is as it comes", ""),
    opt(
        "rooms.home",
        OptionKind::Title,
        "Home",
        "How people call the room of those who name none",
        "Its id is always `home`.",
    ),
    opt(
        "rooms.intercom",
        OptionKind::Titles,
        "",
        "Names of further rooms that are always there, in which all talk, separated by commas",
        "`Kitchen, Nursery`, for instance: their ids are `kitchen` and `nursery`. Nobody is the host there. See rooms.md.",
    ),
    opt(
        "rooms.broadcast",
        OptionKind::Titles,
        "",
        "Names of rooms that are always there, in which one talks and the others listen, separated by commas",
        "Whoever comes first may claim such a room. See rooms.md.",
    ),
    opt(
        "rooms.max",
        OptionKind::Number(0, 10_000),
        "50",
        "Rooms at once, besides those that are always there",
        "Further ones are not opened, with status 503; counted in `voice_relay_rooms_refused`. Rooms close by themselves \
         when they are empty for five minutes.",
    ),
    opt(
        "rooms.intercom_size",
        OptionKind::Number(2, 1_000),
        "100",
        "Participants of a room in which all talk",
        "Further ones get an error with the code `full`; counted in `voice_relay_rooms_full`.",
    ),
    opt(
        "rooms.broadcast_size",
        OptionKind::Number(2, 10_000),
        "500",
        "Participants of a room in which one talks",
        "Likewise.",
    ),
    opt(
        "rooms.bitrate",
        OptionKind::Number(16, 128),
        "128",
        "The best bitrate in rooms, in kbit/s",
        "Whoever talks sends less while somebody who hears it loses much. At 128, music may have 256. A room that is \
         opened may have a lower one of its own.",
    ),
    opt(
        "media.port",
        OptionKind::Port,
        "8082",
        "UDP port of WebRTC media",
        "All media of all peers goes through this one port, unless there are more media threads.",
    ),
    opt(
        "media.advertise",
        OptionKind::Addresses,
        "",
        "Addresses to offer to peers besides those of the interfaces",
        "For a daemon behind port forwarding, or in a container: the address of the machine around it. `--advertise` \
         is short for the flag.",
    ),
    opt(
        "media.threads",
        OptionKind::Number(1, 8),
        "1",
        "Media threads",
        "More than one is for houses with hundreds of receivers. The first has all senders and rooms; receivers of streams \
         take turns, and `limits.peers` is shared out evenly. The second listens on the port `media.port` + 2, the third \
         on the next.",
    ),
    opt(
        "files.port",
        OptionKind::Port,
        "8083",
        "UDP port of files over data channels",
        "A port of their own, and a thread: whatever is sent there, voices do not wait for it.",
    ),
    opt(
        "files.folders",
        OptionKind::Folders,
        "auto",
        "Folders of audio files, separated by commas",
        "`auto`: `sounds` in the data folder, where the first start makes a few chimes, and `/media` where there is \
         one. `off`: none. Links that lead out of a folder are not followed. See docs/files.md.",
    ),
    opt(
        "files.default",
        OptionKind::Text,
        "ding-dong.wav",
        "The file for those who ask for none",
        "By its name, with or without its folders; where there is none such, the first of all.",
    ),
    opt(
        "files.max",
        OptionKind::Number(1, 1_000_000),
        "20000",
        "Audio files at most",
        "Further ones are left out; counted in `voice_relay_files_over_limit`.",
    ),
    opt(
        "files.clients",
        OptionKind::Number(1, 10_000),
        "64",
        "Clients at once that are sent files",
        "Each takes a megabyte of memory at most. Further ones get status 503; counted in `voice_relay_files_refused`.",
    ),
    opt(
        "files.per_address",
        OptionKind::Number(1, 10_000),
        "8",
        "The same, from one address",
        "Further ones get status 429; counted in `voice_relay_files_refused_by_address`.",
    ),
    opt(
        "files.idle",
        OptionKind::Number(1, 86_400),
        "600",
        "Seconds without anything sent or said after which such a client is given up",
        "Counted in `voice_relay_files_idled_out`.",
    ),
    opt(
        "video.port",
        OptionKind::Port,
        "8091",
        "UDP port of video",
        "A port of its own, and a thread: whatever is shown, voices do not wait for it.",
    ),
    opt(
        "video.peers",
        OptionKind::Number(1, 10_000),
        "200",
        "Connections for video at once",
        "Each who shows something or sees it has one. Further ones are refused, and so are those of one address or user \
         above `limits.share` percent; counted in `voice_relay_video_refused` and \
         `voice_relay_share_refused{kind=\"video_peers\"}`.",
    ),
    opt(
        "video.tracks",
        OptionKind::Number(0, 1_000),
        "32",
        "Cameras and screens shown at once",
        "What is shown besides is seen by nobody; counted in \
         `voice_relay_video_dropped{reason=\"too_many_streams\"}`. `0`: there is no video.",
    ),
    opt(
        "announce.waiting",
        OptionKind::Number(0, 1_000),
        "20",
        "Announcements that wait in one room, besides the one that plays",
        "Further ones get status 503; counted in `voice_relay_announcements_refused`. An urgent one is taken all the \
         same: the last that is not urgent goes for it, counted in `voice_relay_announcements_displaced`. See \
         docs/announcements.md.",
    ),
    opt(
        "announce.clip_bytes",
        OptionKind::Number(1_024, 1_073_741_824),
        "16777216",
        "Bytes of a recording that is sent to be announced",
        "A longer one gets status 413, and is counted as above. A file of the library may be of any length.",
    ),
    opt(
        "announce.memory",
        OptionKind::Number(1_024, 4_000_000_000),
        "67108864",
        "Bytes of memory for all such recordings that play or wait",
        "Further ones get status 503, and are counted as above.",
    ),
    opt(
        "calls.stations",
        OptionKind::Number(1, 1_000),
        "64",
        "Devices with a name, which can be called",
        "For one more, the one that was away the longest is forgotten, counted in `voice_relay_stations_displaced`; where all \
         are there, it gets an error with the code `full`. See docs/calls.md.",
    ),
    opt(
        "calls.max",
        OptionKind::Number(1, 1_000),
        "16",
        "Calls at once",
        "Further ones are refused with the code `full` or status 503, and counted in `voice_relay_calls_refused`.",
    ),
    opt("calls.ring", OptionKind::Number(5, 600), "30", "Seconds for which a call rings", "Then it was missed."),
    opt(
        "calls.log",
        OptionKind::Number(0, 10_000),
        "200",
        "Calls that are kept in the log",
        "The oldest goes. `DELETE /api/calls` forgets all of them.",
    ),
    opt(
        "mailbox.count",
        OptionKind::Number(0, 10_000),
        "100",
        "Voice messages that are kept",
        "One more, and the oldest goes that somebody has heard, counted in `voice_relay_voice_messages_displaced`. Where nobody \
         has heard any, no more can be left, counted in `voice_relay_voice_messages_refused`. 0 turns messages off. See docs/calls.md.",
    ),
    opt(
        "mailbox.bytes",
        OptionKind::Number(65_536, 4_000_000_000),
        "104857600",
        "Bytes on the disk of all voice messages together",
        "A minute takes about 300,000. Likewise.",
    ),
    opt(
        "mailbox.age",
        OptionKind::Number(60, 31_536_000),
        "2592000",
        "Seconds after which a voice message is deleted, heard or not",
        "Thirty days.",
    ),
    opt(
        "mailbox.length",
        OptionKind::Number(5, 600),
        "180",
        "Seconds of the longest voice message",
        "What is said until then is kept.",
    ),
    opt(
        "relay.publisher_timeout",
        OptionKind::Number(1_000, 30_000),
        "4000",
        "Milliseconds without a sign of life after which a sender has vanished",
        "Its stream ends then. Whoever talks sends fifty packets a second; whoever pauses is kept by its signalling \
         connection.",
    ),
    opt(
        "relay.cleanup_interval",
        OptionKind::Number(1, 86_400),
        "300",
        "Seconds between two clean-ups of stale streams",
        "",
    ),
    opt(
        "relay.stale_after",
        OptionKind::Number(1, 604_800),
        "600",
        "Seconds without audio after which the clean-up removes a stream",
        "",
    ),
    opt(
        "limits.peers",
        OptionKind::Number(1, 100_000),
        "1000",
        "WebRTC connections at once",
        "Further offers get an error with the code `full`. Now: `voice_relay_peers`.",
    ),
    opt(
        "limits.streams",
        OptionKind::Number(1, 10_000),
        "100",
        "Senders at once",
        "Further senders get an error with the code `full`. Now: `voice_relay_streams`.",
    ),
    opt(
        "limits.sockets",
        OptionKind::Number(1, 100_000),
        "5000",
        "WebSocket connections at once",
        "Further ones get status 503; counted in `voice_relay_websockets_refused`.",
    ),
    opt(
        "limits.message_bytes",
        OptionKind::Number(1_024, 16_777_216),
        "65536",
        "Bytes of one WebSocket message from a client",
        "A longer message closes its connection; counted in `voice_relay_websockets_failed`.",
    ),
    opt(
        "limits.mp3_listeners",
        OptionKind::Number(1, 1_000_000),
        "2000",
        "MP3 listeners at once",
        "Further ones get status 503 with Retry-After; counted in `voice_relay_mp3_refused`.",
    ),
    opt(
        "limits.encoders",
        OptionKind::Number(1, 10_000),
        "64",
        "Encoders of live audio at once",
        "One for each stream or room that somebody hears in one format. Further listeners get status 503; counted in \
         `voice_relay_encoders_refused`.",
    ),
    opt(
        "limits.handshakes",
        OptionKind::Number(1, 100_000),
        "256",
        "TLS handshakes under way at once",
        "Further connections are closed; counted in `voice_relay_handshakes_refused`.",
    ),
    opt(
        "limits.handshake_timeout",
        OptionKind::Number(100, 60_000),
        "5000",
        "Milliseconds for one TLS handshake",
        "One that takes longer is broken off; counted in `voice_relay_handshakes_timed_out`.",
    ),
    opt(
        "limits.connections",
        OptionKind::Number(10, 1_000_000),
        "8000",
        "TCP connections at once, of each port",
        "Further ones are closed at once; counted in `voice_relay_http_full`, `…_https_full`, `…_mp3_full`.",
    ),
    opt(
        "limits.requests",
        OptionKind::Number(1, 1_000_000),
        "100",
        "HTTP requests a second from one address",
        "Ten seconds' worth may come at once. Further ones get status 429; this and the next two are counted in \
         `voice_relay_too_fast`. An address is one of IPv4, or a network of IPv6 (/64).",
    ),
    opt(
        "limits.messages",
        OptionKind::Number(1, 1_000_000),
        "100",
        "WebSocket messages a second from one address",
        "Ten seconds' worth may come at once. Further ones get an error with the code `too_fast`, and are not looked \
         at.",
    ),
    opt(
        "limits.joins",
        OptionKind::Number(1, 1_000_000),
        "600",
        "Media connections a minute from one address",
        "All of them may come at once. Further ones get an error with the code `too_fast`.",
    ),
    opt(
        "limits.wrong_tokens",
        OptionKind::Number(1, 1_000_000),
        "10",
        "Wrong tokens a minute from one address",
        "Each is counted in `voice_relay_bad_tokens`. Further ones get status 429 instead of 401.",
    ),
    opt(
        "limits.share",
        OptionKind::Number(1, 100),
        "25",
        "Percentage of each number above that one address may have",
        "Or one user of Home Assistant, by its panel. Eight of each in any case. Behind a proxy of your own, where all \
         come from one address, set 100. Counted in `voice_relay_share_refused`. An address is one of IPv4, or a network \
         of IPv6 (/64).",
    ),
    opt("hass.supervisor", OptionKind::Text, "http://supervisor", "Where Home Assistant's Supervisor is asked", ""),
    opt(
        "hass.url",
        OptionKind::HassAddress,
        "off",
        "Address of Home Assistant, where the daemon is no app of it",
        "Such as `http://192.168.1.5:8123` or `https://house.example`, with a long-lived token of an administrator in `hass.token` (Home Assistant: \
         your profile, *Security*). An app needs neither.",
    ),
    opt(
        "hass.token",
        OptionKind::Secret,
        "",
        "What Home Assistant knows the daemon by",
        "Home Assistant sets `SUPERVISOR_TOKEN` by itself. With it, the daemon asks for the port of its own panel \
         (ingress) and for the addresses of the house's network, and links to Home Assistant. Without it nobody is asked.",
    ),
    opt(
        "hass.ca",
        OptionKind::Path,
        "off",
        "File of the authority (CA) that Home Assistant and the broker have their certificates of, in PEM",
        "Where it is none of those that every machine knows: your own, or a certificate that has signed itself. Those of the \
         machine are trusted in any case. Read at the start.",
    ),
    opt(
        "hass.page",
        OptionKind::Page,
        "auto",
        "What phones open when a call is answered on them",
        "`auto` is the app's panel in Home Assistant. Where the daemon is no app, the address at which phones reach its page, \
         such as `https://192.168.1.5:8443`; without one no phone rings. See [calls.md](calls.md#phones).",
    ),
    opt(
        "hass.speech",
        OptionKind::Text,
        "auto",
        "Home Assistant's engine that speaks what is announced as text",
        "Such as `tts.piper`; `auto` is the first that Home Assistant has.",
    ),
    opt(
        "mqtt.broker",
        OptionKind::Broker,
        "auto",
        "MQTT broker by which Home Assistant has entities of every room",
        "Such as `mqtt://192.168.1.5:1883`, or `mqtts://house.example` with TLS (see `hass.ca`). `auto` is the broker that Home \
         Assistant's Supervisor knows of, so an app needs nothing here; without a Supervisor it is none.",
    ),
    opt(
        "mqtt.username",
        OptionKind::Secret,
        "",
        "What the broker knows the daemon by",
        "Not for the broker that the Supervisor knows of, which tells it by itself.",
    ),
    opt("mqtt.password", OptionKind::Secret, "", "What proves it to the broker", ""),
    opt(
        "esphome.listen",
        OptionKind::NodePort,
        "auto",
        "Port at which Home Assistant finds rooms as media players, by ESPHome's protocol",
        "`auto` is 16053 where there is a Home Assistant (an app, or `hass.url`), and none anywhere else.",
    ),
    opt(
        "esphome.reach",
        OptionKind::Choice(&["auto", "machine", "lan"]),
        "auto",
        "From where that port is reached: machine or lan",
        "`machine` is this machine alone, without encryption. `lan` is the house's network, where Home Assistant has to show a key, \
         which is on the page *Home Assistant*, and finds the relay by itself (mDNS). `auto` is `lan` where `hass.url` is an \
         address of another machine.",
    ),
    opt(
        "log.level",
        OptionKind::LogLevels,
        "info",
        "What is logged: error, warn, info, debug or trace, also by module",
        "`info,voice_relay::net=debug` sets a level for one module. Addresses and names appear from debug on.",
    ),
    opt("log.format", OptionKind::Choice(&["human", "json"]), "human", "How log lines look: human or json", ""),
];
