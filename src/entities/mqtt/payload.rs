//! What entities show and are told, as Home Assistant writes and reads it over MQTT.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::entities::act::Act;
use crate::entities::house::PlaceState;
use crate::entities::table::Kind;

/// Whether it shows something.
pub(super) fn is_state(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Binary { .. }
            | Kind::Count { .. }
            | Kind::Siren { .. }
            | Kind::Percentage { .. }
            | Kind::Switch { .. }
            | Kind::Select { .. }
            | Kind::Event(_)
            | Kind::Text(_)
    )
}

/// Whether more is known of what it shows.
pub(super) fn has_details(kind: &Kind) -> bool {
    matches!(kind, Kind::Binary { .. } | Kind::Count { .. })
}

/// Whether it does something.
pub(super) fn is_command(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Notify(_)
            | Kind::Siren { .. }
            | Kind::Percentage { .. }
            | Kind::Switch { .. }
            | Kind::Button(_)
            | Kind::Select { .. }
    )
}

/// What it shows.
pub(super) fn state(kind: &Kind, place: &PlaceState) -> Option<String> {
    let switch = |on| if on { "ON" } else { "OFF" }.to_owned();
    match kind {
        Kind::Binary { read, .. } | Kind::Siren { read } | Kind::Switch { read, .. } => Some(switch(read(place))),
        Kind::Count { read, .. } => Some(read(place).to_string()),
        Kind::Percentage { read, .. } => Some(read(place).to_string()),
        Kind::Select { read, .. } => Some(read(place).to_owned()),
        Kind::Text(read) => Some(read(place)),
        // What happened once is no state.
        Kind::Notify(_) | Kind::Button(_) | Kind::Event(_) => None,
    }
}

/// What else is known of that, as a JSON object.
pub(super) fn details(kind: &Kind, place: &PlaceState) -> Option<String> {
    match kind {
        Kind::Binary { details, .. } | Kind::Count { details, .. } => Some(details(place).to_string()),
        _ => None,
    }
}

/// What it is told to do.
///
/// # Errors
/// When that is nothing it can do: why.
pub(super) fn command(kind: &Kind, payload: &[u8]) -> Result<Act, String> {
    let text = std::str::from_utf8(payload).map_err(|_| "It is no text".to_owned())?.trim();
    match kind {
        Kind::Notify(act) => Ok(act(text.to_owned())),
        Kind::Button(act) if text == PRESS => Ok(act.clone()),
        Kind::Button(_) => Err(format!("A button takes {PRESS}")),
        Kind::Siren { .. } => siren(text),
        Kind::Switch { act, .. } => match text {
            "ON" => Ok(act(true)),
            "OFF" => Ok(act(false)),
            other => Err(format!("A switch is ON or OFF, not {other:?}")),
        },
        Kind::Percentage { range, act, .. } => percentage(text, range).map(act),
        Kind::Select { options, act, .. } => act(text).ok_or_else(|| format!("It is none of {}", options.join(", "))),
        Kind::Binary { .. } | Kind::Count { .. } | Kind::Event(_) | Kind::Text(_) => {
            Err("It shows something, and does nothing".into())
        }
    }
}

/// What Home Assistant sends when a button is pressed.
const PRESS: &str = "PRESS";

/// Home Assistant writes whole numbers as such, and others with a point.
fn percentage(text: &str, range: &RangeInclusive<u8>) -> Result<u8, String> {
    let (least, most) = (f32::from(*range.start()), f32::from(*range.end()));
    let read = text.parse::<f32>().ok().filter(|percent| (least..=most).contains(percent));
    read.map(|percent| percent.round() as u8).ok_or_else(|| format!("It is no number from {least} to {most}"))
}

fn siren(text: &str) -> Result<Act, String> {
    let told = match text {
        "ON" | "OFF" => Siren { state: text.into(), tone: None, volume_level: None },
        text => serde_json::from_str(text).map_err(|error| format!("It is no JSON of a siren: {error}"))?,
    };
    match &*told.state {
        "ON" => Act::ring(told.tone.as_deref(), told.volume_level),
        "OFF" => Ok(Act::Stop),
        other => Err(format!("A siren is ON or OFF, not {other:?}")),
    }
}

#[derive(Deserialize)]
struct Siren {
    state: String,
    tone: Option<String>,
    volume_level: Option<f32>,
}

#[cfg(test)]
mod tests {
    use crate::calls::Passes;
    use crate::entities::table::find;

    use super::*;

    fn told(key: &str, payload: &[u8]) -> Result<Act, String> {
        command(&find(key).expect("a row").kind, payload)
    }

    #[test]
    fn what_home_assistant_sends_is_what_is_done() {
        let ring = |tone: &str, volume| Ok(Act::Ring { tone: tone.into(), volume });
        assert_eq!(
            told("announce", "Das Essen ist fertig".as_bytes()),
            Ok(Act::Announce("Das Essen ist fertig".into()))
        );
        assert_eq!(told("stop", b"PRESS"), Ok(Act::Stop));
        assert_eq!(told("ring", b"PRESS"), Ok(Act::Call));
        assert_eq!(told("do_not_disturb", b"ON"), Ok(Act::SetDoNotDisturb(Some(Passes::Urgent))));
        assert_eq!(told("do_not_disturb", b"OFF"), Ok(Act::SetDoNotDisturb(None)));
        assert_eq!(told("let_through", b"Nothing"), Ok(Act::SetDoNotDisturb(Some(Passes::Nothing))));
        assert_eq!(told("let_through", b"Everything"), Ok(Act::SetDoNotDisturb(None)));
        assert!(told("do_not_disturb", b"on").is_err());
        assert_eq!(told("bell", br#"{"state":"ON","tone":"gong","duration":5,"volume_level":1.0}"#), ring("gong", 0.0));
        assert_eq!(told("volume", b"55"), Ok(Act::SetVolume(55)));
        assert_eq!(told("volume", b"55.6"), Ok(Act::SetVolume(56)));
        assert_eq!(told("bell", b"ON"), ring("ding-dong", 0.0));
        assert_eq!(told("bell", br#"{"state":"OFF"}"#), Ok(Act::Stop));
    }

    #[test]
    fn what_is_no_command_is_refused_with_the_reason() {
        for (key, payload, why) in [
            ("stop", &b"stop"[..], "PRESS"),
            ("stop", b"", "PRESS"),
            ("bell", b"", "no JSON"),
            ("bell", br#"{"state":"LOUD"}"#, "ON or OFF"),
            ("bell", br#"{"state":"ON","tone":"klaxon"}"#, "no tone"),
            ("bell", b"[1]", "no JSON"),
            ("announce", b"\xff\xfe", "no text"),
            ("volume", b"0", "from 5 to 100"),
            ("volume", b"NaN", "from 5 to 100"),
            ("volume", b"loud", "from 5 to 100"),
            ("talking", b"ON", "does nothing"),
            ("people", b"3", "does nothing"),
            ("call", b"ring", "does nothing"),
            ("let_through", b"nothing", "none of Everything, Urgent only, Nothing"),
        ] {
            let error = told(key, payload).expect_err(key);
            assert!(error.contains(why), "{key}: {error}");
        }
    }

    #[test]
    fn a_place_is_shown_as_it_is() {
        let place = PlaceState {
            talking: vec!["Anna".into()],
            people: vec!["Anna".into(), "Jürgen \"J\"".into()],
            announcing: None,
            volume: 40,
            ..PlaceState::default()
        };
        let shown = |key: &str| {
            let kind = &find(key).expect("a row").kind;
            (state(kind, &place).unwrap_or_default(), details(kind, &place).unwrap_or_default())
        };
        assert_eq!(shown("talking"), ("ON".into(), r#"{"who":["Anna"]}"#.into()));
        assert_eq!(shown("people"), ("2".into(), r#"{"names":["Anna","Jürgen \"J\""]}"#.into()));
        assert_eq!(shown("announcing"), ("OFF".into(), r#"{"announcement":null}"#.into()));
        assert_eq!(shown("bell").0, "OFF");
        assert_eq!(shown("volume"), ("40".into(), String::new()));
        assert_eq!((shown("stop").0, shown("call").0, shown("caller").0), Default::default());
        assert_eq!(shown("let_through").0, "Everything");
        let rings = PlaceState { announcing: Some("Bell".into()), ..PlaceState::default() };
        assert_eq!(state(&find("bell").expect("a row").kind, &rings).as_deref(), Some("ON"));
    }
}
