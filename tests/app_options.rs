//! The program with the options of the Home Assistant app: a file that the Supervisor writes for root alone.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use support::live::{PATIENCE, program, start_program};

/// As the Supervisor leaves it: mode 0600.
fn options(values: &Value) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("options.json");
    std::fs::write(&path, values.to_string()).expect("written");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("set");
    (folder, path)
}

/// Exit code, and what is said on both outputs, when the file is named by the variable.
async fn run(values: &Value, arguments: &[&str]) -> (i32, String) {
    let (_folder, path) = options(values);
    let mut command = program();
    command.env("VOICE_RELAY_OPTIONS", &path).args(arguments).stderr(Stdio::piped());
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("ends").expect("the program");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().expect("a code"), String::from_utf8(said).expect("UTF-8"))
}

#[tokio::test]
async fn a_file_for_its_owner_alone_is_read_and_named_as_the_origin() {
    let (code, said) = run(&json!({ "http_port": 8090, "sound_output": true }), &["--print-config"]).await;
    assert_eq!(code, 0, "{said}");
    for line in [r#"http.port = "8090" # /"#, r#"sound.output = "default" # /"#, r#"mp3.port = "8081" # default"#] {
        assert!(said.contains(line), "{said}");
    }
}

#[tokio::test]
async fn flags_the_environment_and_the_configuration_file_win_over_the_app() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.toml");
    std::fs::write(&file, "[mp3]\nport = 7001\n").expect("written");
    let file = format!("--config={}", file.display());
    let values = json!({ "http_port": 8090, "mp3_port": 8091, "media_port": 8092 });
    let (code, said) = run(&values, &["--print-config", &file, "--media-port=7002"]).await;
    assert_eq!(code, 0, "{said}");
    for line in [r#"http.port = "8090" "#, r#"mp3.port = "7001" "#, r#"media.port = "7002" # a flag"#] {
        assert!(said.contains(line), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_value_ends_with_64_and_names_the_option_and_its_file() {
    for (name, value) in [
        ("access", json!("everybody")),
        ("advertise_address", json!("the kitchen")),
        ("sound_input", json!("yes")),
        ("log_level", json!("=")),
        ("http_port", json!(65_536)),
    ] {
        let (code, said) = run(&json!({ name: value }), &[]).await;
        assert_eq!(code, 64, "{said}");
        assert!(said.contains(&format!("{name} = ")) && said.contains("options.json: expected "), "{said}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_or_half_written_ends_with_64() {
    let (_folder, path) = options(&json!({}));
    for contents in [Some("{ \"access\":"), None] {
        match contents {
            Some(contents) => std::fs::write(&path, contents).expect("written"),
            None => std::fs::remove_file(&path).expect("removed"),
        }
        let flag = format!("--options={}", path.display());
        let output = program().arg(&flag).stderr(Stdio::piped()).output().await.expect("the program");
        assert_eq!(output.status.code(), Some(64));
        assert!(String::from_utf8_lossy(&output.stderr).contains("options.json"));
    }
}

#[tokio::test]
async fn an_option_of_another_version_does_not_keep_it_from_starting() {
    let (_folder, path) = options(&json!({ "colour": "green" }));
    let (_child, ports) = start_program(&[&format!("--options={}", path.display())]).await;
    assert_ne!(ports.http.port(), 0);
}
