//! The one table of entities. Each place has all of them; a wire renders what it finds here, so that one more is one row.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::calls::Passes;
use crate::dispatch::ROOM_VOLUMES;

use super::act::Act;
use super::house::PlaceState;
use super::ringing::KINDS;

/// Sounds that a bell has: chimes of ours, by their names.
pub(super) const TONES: [&str; 4] = ["ding-dong", "ding", "gong", "alert"];

/// One entity of a place.
#[derive(Debug)]
pub(super) struct Row {
    /// Its name in topics and ids: one word, which never changes.
    pub(super) key: &'static str,
    /// Its name for people.
    pub(super) name: &'static str,
    /// Of Home Assistant's set (mdi).
    pub(super) icon: &'static str,
    /// What it shows, or does.
    pub(super) kind: Kind,
}

/// What an entity shows, or does.
#[derive(Debug)]
pub(super) enum Kind {
    /// Something that is so, or not.
    Binary {
        /// Home Assistant's word for such a thing.
        class: &'static str,
        /// Whether it is so.
        read: fn(&PlaceState) -> bool,
        /// What else is known of it.
        details: fn(&PlaceState) -> Value,
    },
    /// Something that is counted.
    Count {
        /// Of what.
        unit: &'static str,
        /// How many.
        read: fn(&PlaceState) -> usize,
        /// What else is known of them.
        details: fn(&PlaceState) -> Value,
    },
    /// Something that takes a text.
    Notify(fn(String) -> Act),
    /// Something that sounds until it is over, or is turned off.
    Siren {
        /// Whether it sounds.
        read: fn(&PlaceState) -> bool,
    },
    /// Something that is set, in percent.
    Percentage {
        /// What it can be.
        range: RangeInclusive<u8>,
        /// How it is set.
        read: fn(&PlaceState) -> u8,
        /// Sets it.
        act: fn(u8) -> Act,
    },
    /// Something that is on or off, and is turned.
    Switch {
        /// Whether it is on.
        read: fn(&PlaceState) -> bool,
        /// Turns it.
        act: fn(bool) -> Act,
    },
    /// Something to be pressed.
    Button(Act),
    /// One of several things, which is chosen.
    Select {
        /// Those.
        options: &'static [&'static str],
        /// Which it is.
        read: fn(&PlaceState) -> &'static str,
        /// Chooses one of them; `None`: it is none.
        act: fn(&str) -> Option<Act>,
    },
    /// Something that happens, of these kinds: see [`Ringing`](super::ringing::Ringing).
    Event(&'static [&'static str]),
    /// A text; empty where there is none.
    Text(fn(&PlaceState) -> String),
}

/// What gets through, as people choose it.
const LET_THROUGH: [&str; 3] = ["Everything", "Urgent only", "Nothing"];

/// The key of the entity that tells what happens to calls.
pub(super) const CALL: &str = "call";

/// All entities of a place. A new one comes last: ESPHome knows them by their numbers.
pub(super) const ROWS: [Row; 14] = [
    Row {
        key: "talking",
        name: "Talking",
        icon: "mdi:account-voice",
        kind: Kind::Binary {
            class: "sound",
            read: |place| !place.talking.is_empty(),
            details: |place| json!({ "who": place.talking }),
        },
    },
    Row {
        key: "people",
        name: "People",
        icon: "mdi:account-group",
        kind: Kind::Count {
            unit: "people",
            read: |place| place.people.len(),
            details: |place| json!({ "names": place.people }),
        },
    },
    Row {
        key: "announcing",
        name: "Announcing",
        icon: "mdi:bullhorn",
        kind: Kind::Binary {
            class: "running",
            read: |place| place.announcing.is_some(),
            details: |place| json!({ "announcement": place.announcing }),
        },
    },
    Row { key: "announce", name: "Announce", icon: "mdi:bullhorn-variant", kind: Kind::Notify(Act::Announce) },
    Row {
        key: "bell",
        name: "Bell",
        icon: "mdi:bell-ring",
        kind: Kind::Siren { read: |place| place.announcing.as_deref() == Some(super::act::BELL) },
    },
    Row {
        key: "volume",
        name: "Announcement volume",
        icon: "mdi:volume-high",
        kind: Kind::Percentage { range: ROOM_VOLUMES, read: |place| place.volume, act: Act::SetVolume },
    },
    Row { key: "stop", name: "Stop", icon: "mdi:stop", kind: Kind::Button(Act::Stop) },
    Row {
        key: "ringing",
        name: "Ringing",
        icon: "mdi:phone-ring",
        kind: Kind::Binary {
            class: "running",
            read: |place| !place.callers.is_empty(),
            details: |place| json!({ "callers": place.callers }),
        },
    },
    Row { key: "ring", name: "Ring", icon: "mdi:phone", kind: Kind::Button(Act::Call) },
    Row {
        key: "do_not_disturb",
        name: "Do not disturb",
        icon: "mdi:bell-off",
        kind: Kind::Switch {
            read: |place| place.do_not_disturb.is_some(),
            act: |on| Act::SetDoNotDisturb(on.then(Passes::default)),
        },
    },
    Row {
        key: "messages",
        name: "Messages",
        icon: "mdi:voicemail",
        kind: Kind::Count {
            unit: "messages",
            read: |place| place.messages.len(),
            details: |place| json!({ "from": place.messages }),
        },
    },
    Row {
        key: "let_through",
        name: "Let through",
        icon: "mdi:bell-cog",
        kind: Kind::Select {
            options: &LET_THROUGH,
            read: |place| match place.do_not_disturb {
                None => LET_THROUGH[0],
                Some(Passes::Urgent) => LET_THROUGH[1],
                Some(Passes::Nothing) => LET_THROUGH[2],
            },
            act: |option| {
                let index = LET_THROUGH.iter().position(|known| *known == option)?;
                Some(Act::SetDoNotDisturb([None, Some(Passes::Urgent), Some(Passes::Nothing)][index]))
            },
        },
    },
    // Before the call itself: an automation that waits for that one finds it.
    Row {
        key: "caller",
        name: "Caller",
        icon: "mdi:account-arrow-left",
        kind: Kind::Text(|place| place.callers.join(", ")),
    },
    Row { key: CALL, name: "Call", icon: "mdi:phone-incoming", kind: Kind::Event(&KINDS) },
];

/// The row of this key.
pub(super) fn find(key: &str) -> Option<&'static Row> {
    const TABLE: &[Row] = &ROWS;
    TABLE.iter().find(|row| row.key == key)
}
