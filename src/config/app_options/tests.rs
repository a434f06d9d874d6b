//! From the app's form to our options.

use super::*;

fn read_text(text: &str) -> Result<AppOptions, LoadError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("options.json");
    std::fs::write(&path, text).expect("written");
    read(&path)
}

fn set(text: &str) -> Vec<(&'static str, String)> {
    read_text(text).expect("valid").texts.into_iter().map(|(option, text)| (option.key, text)).collect()
}

#[test]
fn every_option_of_the_table_is_one_of_ours() {
    for (name, meaning) in TABLE {
        if let Meaning::Option(key) | Meaning::Switch(key) = meaning {
            assert!(find(key).is_some(), "{name} is to set {key}");
        }
    }
}

#[test]
fn numbers_words_and_switches_become_our_options() {
    let options = set(r#"{"http_port": 80, "log_level": "debug", "sound_output": true, "sound_input": false}"#);
    let expected = [("http.port", "80"), ("log.level", "debug"), ("sound.input", "off"), ("sound.output", "default")];
    assert_eq!(options, expected.map(|(key, text)| (key, text.to_owned())));
}

#[test]
fn what_is_empty_or_for_the_start_script_sets_nothing() {
    assert_eq!(set(r#"{"advertise_address": "", "mp3_port": null, "certfile": "x.pem", "keyfile": "y.pem"}"#), []);
}

#[test]
fn an_option_that_is_not_known_is_named_and_does_no_harm() {
    let options = read_text(r#"{"colour": "green", "http_port": 80}"#).expect("valid");
    assert_eq!((options.unknown, options.texts.len()), (vec!["colour".to_owned()], 1));
}

#[test]
fn a_wrong_value_is_told_by_the_name_in_the_form() {
    for (text, told) in [
        (r#"{"http_port": 70000}"#, r#"http_port = "70000" in "#),
        (r#"{"access": "everybody"}"#, r#"access = "everybody" in "#),
        (r#"{"sound_output": "yes"}"#, r#"sound_output = "yes" in "#),
        (r#"{"advertise_address": ["home"]}"#, r#"advertise_address = "[\"home\"]" in "#),
    ] {
        let error = read_text(text).err().expect("wrong").to_string();
        assert!(error.starts_with(told) && error.contains("options.json: expected"), "{error}");
    }
}

#[test]
fn a_file_that_is_not_whole_or_not_there_is_named() {
    for text in ["", "{", "[]"] {
        let error = read_text(text).err().expect("wrong").to_string();
        assert!(error.contains("options.json"), "{error}");
    }
    assert!(read(Path::new("/nowhere/options.json")).err().expect("wrong").to_string().contains("/nowhere"));
}
